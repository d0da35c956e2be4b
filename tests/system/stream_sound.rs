//! Calls that are heard in a video: out of the sound track of what a real RTMP server received.

use crate::alone::alone;
use crate::support::afternoon::{ROOT, node_config, today};
use crate::support::city::numbers;
use crate::support::dictionary::dictionary;
use crate::support::mosquitto::Mosquitto;
use crate::support::sessions::{options, start};
use crate::support::streams::{HD, config as stream_config, video};
use crate::support::{PATIENCE, free_port, tool, yobiban};
use crate::video::{KEY, Receiver, out, pause};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use yobiban::clock::{Clock as _, SystemClock};
use yobiban::config::{BoardStreamConfig, SpeechConfig, StreamAudio, VoiceConfig, VoiceOutput};
use yobiban::hub::Incoming;
use yobiban::model::{CallKind, Label};
use yobiban::mqtt::Publish;
use yobiban::node::Probe;
use yobiban::services;
use yobiban::services::hub::{BrokerConnection, run_on};
use yobiban::wire::WireTime;
use yobiban::wire::report::{CallReport, LastCall};

const LIMIT: Duration = PATIENCE;

/// Samples a second at which tracks are compared: speech has its shape below 4 kHz.
const RATE: usize = 8_000;

/// Least likeness (normalised cross-correlation) of what was spoken and what came through AAC.
const LIKE: f64 = 0.9;

/// The sound of a file from its first moment on, one channel at [`RATE`], and what is wrong with it.
fn decoded(ffmpeg: &Path, file: &Path) -> (Vec<f64>, String) {
    let arguments = "-nostdin -v error -i FILE -map 0:a -af aresample=async=1:first_pts=0 \
                     -f s16le -ac 1 -ar 8000 -";
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    let (bytes, errors) = out(ffmpeg, &arguments.join(" "), file);
    let pairs = bytes.chunks_exact(2);
    let samples = pairs.map(|b| f64::from(i16::from_le_bytes([b[0], b[1]])));
    (samples.collect(), errors)
}

fn samples(ffmpeg: &Path, file: &Path) -> Vec<f64> {
    let (samples, errors) = decoded(ffmpeg, file);
    assert_eq!(errors, "");
    samples
}

/// Waits until chime, sentence and three seconds more are in a recording that still grows.
async fn recorded(ffmpeg: &Path, file: &Path, (chime, sentence): &(Vec<f64>, Vec<f64>)) {
    let begin = Instant::now();
    loop {
        pause(Duration::from_secs(2)).await;
        let (sound, _) = decoded(ffmpeg, file);
        let quiet = sound.iter().rev().position(|s| s.abs() > 150.0);
        if let (Some(first), Some(quiet)) = (onset(&sound, 0), quiet) {
            let heard = sound.len() - quiet - first;
            // Without a tenth of a second, which may be too quiet at either end.
            let all = chime.len() + sentence.len() + RATE / 4 - RATE / 10;
            if heard >= all && quiet >= 3 * RATE {
                return;
            }
        }
        assert!(begin.elapsed() < LIMIT, "not all is heard within {LIMIT:?}");
    }
}

/// What `yobiban say` makes of a call: the chime, and the sentence, without the pause between them.
fn spoken(ffmpeg: &Path, dictionary: &Path, dir: &Path, ticket: &str) -> (Vec<f64>, Vec<f64>) {
    let say = |more: &[&str], name: &str| {
        let file = dir.join(name);
        let mut command = yobiban();
        command.args(["say", ticket, "--counter", "3", "--lang", "ja"]);
        command.arg("--dictionary").arg(dictionary).arg("--out");
        let done = command.arg(&file).args(more).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        samples(ffmpeg, &file)
    };
    let (all, sentence) = (say(&[], "all.wav"), say(&["--no-chime"], "sentence.wav"));
    let pause = RATE / 4;
    let chime = all[..all.len() - sentence.len() - pause].to_vec();
    (chime, sentence)
}

/// The first sample from `from` on that is no silence.
fn onset(sound: &[f64], from: usize) -> Option<usize> {
    let at = sound[from..].iter().position(|s| s.abs() > 150.0)?;
    Some(from + at)
}

/// Where `part` begins in `sound`, not before `from`, and how like it is.
fn find(part: &[f64], sound: &[f64], from: usize) -> (usize, f64) {
    let about = onset(sound, from).expect("something is heard");
    let about = about.saturating_sub(onset(part, 0).unwrap());
    let energy = |s: &[f64]| s.iter().map(|s| s * s).sum::<f64>().sqrt();
    let shift = RATE / 20;
    let candidates = about.saturating_sub(shift)..about + shift;
    let like = candidates.filter_map(|at| {
        let there = sound.get(at..at + part.len())?;
        let product: f64 = there.iter().zip(part).map(|(a, b)| a * b).sum();
        Some((at, product / (energy(there) * energy(part)).max(1.0)))
    });
    like.max_by(|a, b| a.1.total_cmp(&b.1))
        .expect("long enough")
}

/// Seconds at which the picture of a recording changes.
fn changes(ffmpeg: &Path, file: &Path) -> Vec<f64> {
    let (pictures, _) = out(
        ffmpeg,
        "-nostdin -v error -i FILE -map 0:v -vf fps=10:start_time=0,scale=64:36 -f rawvideo -pix_fmt gray -",
        file,
    );
    let pictures: Vec<&[u8]> = pictures.chunks_exact(64 * 36).collect();
    let differ = |a: &[u8], b: &[u8]| a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > 40);
    let pairs = pictures.windows(2).enumerate();
    let changed = pairs.filter(|(_, pair)| differ(pair[0], pair[1]));
    changed.map(|(i, _)| (i + 1) as f64 / 10.0).collect()
}

/// The announcement is in the recording, and else there is silence.
fn check(ffmpeg: &Path, file: &Path, (chime, sentence): &(Vec<f64>, Vec<f64>), who: &str) {
    let sound = samples(ffmpeg, file);
    let seconds = |at: usize| at as f64 / RATE as f64;
    let (begin, like_chime) = find(chime, &sound, 0);
    // Until the sentence is made, silence follows the chime: a quarter of a second, or what it takes.
    let end = begin + chime.len() + RATE / 50;
    let (speech, like_speech) = find(sentence, &sound, end);
    let pictures = changes(ffmpeg, file);
    let picture = pictures.iter().copied().min_by(|a, b| {
        let away = |t: &f64| (t - seconds(begin)).abs();
        away(a).total_cmp(&away(b))
    });
    let picture = picture.expect("the picture shows the call");
    println!(
        "{who}: chime at {:.2} s, likeness {like_chime:.3}; sentence {:.2} s later, likeness \
         {like_speech:.3}; the chime is {:+.2} s after the picture",
        seconds(begin),
        seconds(speech - begin),
        seconds(begin) - picture,
    );
    assert!(like_chime > LIKE && like_speech > LIKE);
    assert!(
        seconds(speech - begin - chime.len()) > 0.2,
        "a pause between"
    );
    let near = RATE / 20;
    let quiet = |i: usize| {
        let out = |at: usize, len: usize| i + near < at || i > at + len + near;
        out(begin, chime.len()) && out(speech, sentence.len())
    };
    let loudest = (0..sound.len()).filter(|i| quiet(*i));
    let loudest = loudest.map(|i| sound[i].abs()).fold(0.0, f64::max);
    assert!(loudest < 100.0, "silence else, not {loudest}");
}

/// What is needed, if all of it is there.
fn tools() -> Option<(PathBuf, PathBuf)> {
    Some((tool("ffmpeg")?, dictionary()?))
}

fn speech(dictionary: PathBuf) -> SpeechConfig {
    SpeechConfig {
        dictionary,
        ..SpeechConfig::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_speaks_the_calls_of_an_office_in_its_video() {
    let _alone = alone();
    let Some((ffmpeg, dictionary)) = tools() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let wanted = spoken(&ffmpeg, &dictionary, dir.path(), "A042");
    let database = format!("sqlite:{}", dir.path().join("hub.db").display());
    let mut config = crate::support::city::config(&database);
    let port = free_port();
    let mut stream = stream_config(port, KEY, HD);
    stream.offices = Some(vec!["chuo".parse().unwrap()]);
    stream.video.audio = StreamAudio::Calls;
    config.streams = vec![stream];
    config.voice = Some(speech(dictionary));

    let (reports, inbox) = mpsc::channel(8);
    let (_up, connected) = watch::channel(true);
    let stop = CancellationToken::new();
    let line = BrokerConnection {
        reports: inbox,
        calls: None,
        connected,
    };
    let receiver = Receiver::rtmp(&ffmpeg, port, dir.path().join("hub.flv"));
    let clock = SystemClock::new();
    let hub = tokio::spawn(run_on(config, clock.clone(), stop.clone(), line, |_| {}));
    let send = async |topic: &str, payload: Vec<u8>| {
        let topic = format!("yobiban/v1/{topic}");
        reports.send(Incoming::new(topic, payload)).await.unwrap();
    };
    let now = || {
        WireTime::new(
            clock.now().wall,
            &jiff::tz::TimeZone::get("Asia/Tokyo").unwrap(),
        )
    };
    let mut board = numbers("chuo");
    board.queues.truncate(1);
    board.queues[0].as_of = Some(now());
    board.queues[0].last_call = None;
    (board.at, board.day) = (now(), now().zoned().date());
    send("chuo/node/n1/availability", b"online".to_vec()).await;
    send("chuo/node/n1/numbers", serde_json::to_vec(&board).unwrap()).await;
    receiver.records(2_000, LIMIT).await;
    pause(Duration::from_secs(3)).await;

    let at = now();
    let call = CallReport {
        queue: board.queues[0].id.clone(),
        day: at.zoned().date(),
        epoch: 0,
        no: 1,
        ticket: Label::new("A042").unwrap(),
        counter: Label::new("3").ok(),
        at,
        kind: CallKind::Call,
    };
    board.queues[0].last_call = Some(LastCall {
        no: 1,
        ticket: call.ticket.clone(),
        counter: call.counter.clone(),
        at,
    });
    board.queues[0].as_of = Some(at);
    (board.at, board.seq) = (at, board.seq + 1);
    send("chuo/node/n1/numbers", serde_json::to_vec(&board).unwrap()).await;
    let of_another = CallReport {
        ticket: Label::new("B001").unwrap(),
        ..call.clone()
    };
    // A call comes twice now and then; those of other offices are not heard.
    let call = serde_json::to_vec(&call).unwrap();
    send("chuo/node/n1/calls", call.clone()).await;
    send("chuo/node/n1/calls", call).await;
    send(
        "inage/node/n1/calls",
        serde_json::to_vec(&of_another).unwrap(),
    )
    .await;
    recorded(&ffmpeg, &dir.path().join("hub.flv"), &wanted).await;
    let file = receiver.stop().await;
    stop.cancel();
    let ended = tokio::time::timeout(PATIENCE, hub).await;
    ended.expect("in time").unwrap().unwrap();
    check(&ffmpeg, &file, &wanted, "hub");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nodes_voice_is_heard_in_the_video_of_its_board() {
    let _alone = alone();
    let Some((ffmpeg, dictionary)) = tools() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let wanted = spoken(&ffmpeg, &dictionary, dir.path(), "A042");
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let port = free_port();
    let mut config = node_config("chuo", broker.address(), dir.path());
    let mut own = video(port, KEY, HD);
    own.audio = StreamAudio::Calls;
    config.streams = vec![BoardStreamConfig {
        video: own,
        board: config.boards[0].id.clone(),
    }];
    config.boards[0].size = HD;
    config.voice = Some(VoiceConfig {
        output: VoiceOutput::None,
        queues: None,
        chime: true,
        volume: 50, // of the hall's loudspeaker, not of the video
        hours: Vec::new(),
        min_pause: Duration::from_secs(1),
        max_backlog: Duration::from_secs(60),
        speech: speech(dictionary),
    });
    let queue = config.state.queues[0].id.clone();
    let receiver = Receiver::rtmp(&ffmpeg, port, dir.path().join("node.flv"));
    let stop = CancellationToken::new();
    let clock = SystemClock::new();
    let run = services::node::run(
        config,
        Arc::new(clock.clone()),
        stop.clone(),
        Probe::default(),
    );
    let node = tokio::spawn(run);
    receiver.records(2_000, LIMIT).await;
    pause(Duration::from_secs(3)).await;
    let feed = start(options(broker.address(), "tickets"));
    let day = today(&clock);
    let at = clock.now().wall;
    let message = format!(
        r#"{{"seq": 1, "at": "{at}", "day": "{day}", "status": "open", "waiting": 12, "on_hold": 0,
            "calls": [{{"no": 1, "ticket": "A042", "counter": "3", "at": "{at}", "kind": "call"}}]}}"#
    );
    let topic = format!("{ROOT}/chuo/feed/{queue}");
    let publish = Publish::retained(topic, message);
    feed.publisher.publish(publish).await.unwrap();
    recorded(&ffmpeg, &dir.path().join("node.flv"), &wanted).await;
    let file = receiver.stop().await;
    stop.cancel();
    let ended = tokio::time::timeout(PATIENCE, node).await;
    ended.expect("in time").unwrap().unwrap();
    check(&ffmpeg, &file, &wanted, "node");
}
