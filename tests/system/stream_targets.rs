//! A video on its way over SRT and RTMPS, to servers that hang, and with sound.

use crate::alone::alone;
use crate::support::authority::{authority, issue};
use crate::support::streams::{HD, config, news, office};
use crate::support::{free_port, tool};
use crate::video::{
    KEY, LIKE, Log, Receiver, Sent, check_recording, drawn, last_picture, out, pause, psnr,
};
use std::f64::consts::TAU;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinHandle;
use yobiban::config::{Secret, StreamConfig, StreamTarget};
use yobiban::stream::{SAMPLE_RATE, sound};

const LIMIT: Duration = crate::support::PATIENCE;

fn to(target: StreamTarget) -> StreamConfig {
    let mut config = config(1, KEY, HD);
    config.video.target = target;
    config
}

/// What arrived is the picture that was drawn.
fn check_picture(ffmpeg: &Path, file: &Path, config: &StreamConfig) {
    let last = last_picture(ffmpeg, file, HD);
    let found = psnr(&last, &drawn(config, &news([office("chuo")])));
    println!("PSNR {found:.1} dB");
    assert!(found >= LIKE, "{found} dB");
}

/// Passes datagrams on to a server, and keeps what the client sent.
async fn relay(server: u16) -> (u16, Arc<Mutex<Vec<u8>>>, JoinHandle<()>) {
    let near = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let far = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    far.connect(("127.0.0.1", server)).await.unwrap();
    let port = near.local_addr().unwrap().port();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&seen);
    let task = tokio::spawn(async move {
        let (mut up, mut down) = ([0; 2048], [0; 2048]);
        let mut client = None;
        loop {
            // Errors only say that nobody listens yet.
            tokio::select! {
                got = near.recv_from(&mut up) => if let Ok((n, from)) = got {
                    client = Some(from);
                    keep.lock().unwrap().extend_from_slice(&up[..n]);
                    let _ = far.send(&up[..n]).await;
                },
                got = far.recv(&mut down) => if let (Ok(n), Some(client)) = (got, client) {
                    let _ = near.send_to(&down[..n], client).await;
                },
            }
        }
    });
    (port, seen, task)
}

#[tokio::test]
async fn srt_arrives_with_its_stream_id() {
    let _alone = alone();
    let (Some(ffmpeg), Some(ffprobe)) = (tool("ffmpeg"), tool("ffprobe")) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let server = free_port();
    let (port, seen, relay) = relay(server).await;
    let from = format!("srt://127.0.0.1:{server}?mode=listener");
    let file = dir.path().join("srt.ts");
    let receiver = Receiver::start(&ffmpeg, "-f mpegts", &from, "mpegts", file);
    let config = to(StreamTarget::Srt {
        url: format!("srt://127.0.0.1:{port}"),
        key: Some(Secret::new(KEY)),
    });
    let sent = Sent::start(&config, news([office("chuo")]), None);
    receiver.records(2_000, LIMIT).await;
    pause(Duration::from_secs(6)).await;
    let file = receiver.stop().await;
    sent.stop().await;
    relay.abort();
    // An id travels in words of four bytes, each the wrong way round.
    let turned: Vec<u8> = KEY
        .as_bytes()
        .chunks(4)
        .flat_map(|w| w.iter().rev().copied())
        .collect();
    let seen = seen.lock().unwrap();
    assert!(
        seen.windows(turned.len()).any(|w| w == turned),
        "the id was sent"
    );
    let (errors, streams) = (
        out(&ffmpeg, "-nostdin -v error -i FILE -f null -", &file).1,
        out(
            &ffprobe,
            "-v error -show_entries stream=codec_name -of csv=p=0 FILE",
            &file,
        )
        .0,
    );
    assert_eq!(errors, "", "the recording decodes");
    let streams = String::from_utf8(streams).unwrap();
    assert!(
        streams.contains("h264") && streams.contains("aac"),
        "{streams}"
    );
    check_picture(&ffmpeg, &file, &config);
}

/// Takes TLS off what comes in, and passes it on to a server at another port.
async fn tls_in_front(dir: &Path, name: &str, server: u16) -> (u16, JoinHandle<()>) {
    use rustls::pki_types::pem::PemObject as _;
    let certificate =
        rustls::pki_types::CertificateDer::from_pem_file(dir.join(format!("{name}.pem")));
    let key = rustls::pki_types::PrivateKeyDer::from_pem_file(dir.join(format!("{name}.key")));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.unwrap()], key.unwrap())
        .unwrap();
    let tls = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            if let Ok(mut near) = tls.accept(socket).await
                && let Ok(mut far) = TcpStream::connect(("127.0.0.1", server)).await
            {
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            }
        }
    });
    (port, task)
}

fn rtmps(host: &str, port: u16, ca: &Path) -> StreamConfig {
    to(StreamTarget::Rtmp {
        url: format!("rtmps://{host}:{port}/live2"),
        app: "live2".into(),
        key: Secret::new(KEY),
        ca: Some(ca.to_owned()),
    })
}

#[tokio::test]
async fn rtmps_arrives_and_nobody_else_gets_the_key() {
    let _alone = alone();
    let (Some(ffmpeg), Some(ffprobe)) = (tool("ffmpeg"), tool("ffprobe")) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let (ours, other) = (authority(), authority());
    std::fs::write(dir.path().join("ca.pem"), ours.pem()).unwrap();
    std::fs::write(dir.path().join("other.pem"), other.pem()).unwrap();
    issue(&ours, dir.path(), "good", "localhost", false);
    issue(
        &ours,
        dir.path(),
        "elsewhere",
        "elsewhere.example.jp",
        false,
    );
    issue(&ours, dir.path(), "expired", "localhost", true);
    let ca = dir.path().join("ca.pem");

    for (name, ca) in [
        ("good", dir.path().join("other.pem")),
        ("elsewhere", ca.clone()),
        ("expired", ca.clone()),
    ] {
        let (log, _logged) = Log::here();
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, front) =
            tls_in_front(dir.path(), name, server.local_addr().unwrap().port()).await;
        let sent = Sent::start(&rtmps("localhost", port, &ca), news([office("chuo")]), None);
        let refused = || log.text().contains("stream interrupted").then_some(());
        crate::support::eventually(LIMIT, name, refused).await;
        sent.stop().await;
        front.abort();
        let reached = tokio::time::timeout(Duration::from_millis(20), server.accept()).await;
        if let Ok(Ok((mut socket, _))) = reached {
            let mut got = Vec::new();
            let all = tokio::io::AsyncReadExt::read_to_end(&mut socket, &mut got);
            let _ = tokio::time::timeout(Duration::from_secs(1), all).await;
            assert!(got.is_empty(), "{name}: {} bytes were told", got.len());
        }
    }

    let server = free_port();
    let (port, front) = tls_in_front(dir.path(), "good", server).await;
    let receiver = Receiver::rtmp(&ffmpeg, server, dir.path().join("tls.flv"));
    let config = rtmps("localhost", port, &ca);
    let sent = Sent::start(&config, news([office("chuo")]), None);
    receiver.records(2_000, LIMIT).await;
    pause(Duration::from_secs(4)).await;
    let file = receiver.stop().await;
    sent.stop().await;
    front.abort();
    check_recording(&ffmpeg, &ffprobe, &file);
    check_picture(&ffmpeg, &file, &config);
}

#[tokio::test]
async fn a_server_that_never_says_a_word_is_given_up() {
    let _alone = alone();
    if tool("ffmpeg").is_none() {
        return;
    }
    let (log, _logged) = Log::here();
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    let sent = Sent::start(&config(port, KEY, HD), news([office("chuo")]), None);
    let (_first, _) = tokio::time::timeout(LIMIT, server.accept())
        .await
        .unwrap()
        .unwrap();
    let began = Instant::now();
    // It is killed, and another one tries.
    let again = tokio::time::timeout(LIMIT, server.accept()).await;
    let took = began.elapsed();
    again.expect("another attempt").unwrap();
    println!("given up and tried again after {took:?}");
    assert!(log.text().contains("made no progress and was killed"));
    sent.stop().await;
}

#[tokio::test]
async fn a_server_that_stops_reading_is_given_up() {
    let _alone = alone();
    let Some(ffmpeg) = tool("ffmpeg") else {
        return;
    };
    let (log, _logged) = Log::here();
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let receiver = Receiver::rtmp(&ffmpeg, port, dir.path().join("hangs.flv"));
    let mut config = config(port, KEY, HD);
    // Offices in turn, so that there is something to send.
    config.turn = Duration::from_secs(1);
    let sent = Sent::start(&config, news([office("chuo"), office("inage")]), None);
    receiver.records(2_000, LIMIT).await;
    receiver.signal("STOP");
    let began = Instant::now();
    let given_up = || {
        log.text()
            .contains("made no progress and was killed")
            .then_some(())
    };
    crate::support::eventually(LIMIT, "it is given up", given_up).await;
    println!("given up after {:?}", began.elapsed());
    drop(receiver);
    let receiver = Receiver::rtmp(&ffmpeg, port, dir.path().join("again.flv"));
    receiver.records(2_000, LIMIT).await;
    sent.stop().await;
}

/// How loud a tone is in samples: 1 when it is all there is, at full level.
fn level(samples: &[i16], hertz: f64) -> f64 {
    let step = TAU * hertz / f64::from(SAMPLE_RATE);
    let (re, im) = samples
        .iter()
        .zip(0_u32..)
        .fold((0.0, 0.0), |(re, im), (s, i)| {
            let (sin, cos) = (step * f64::from(i)).sin_cos();
            (re + f64::from(*s) * cos, im + f64::from(*s) * sin)
        });
    2.0 * re.hypot(im) / samples.len() as f64 / 32_768.0
}

#[tokio::test]
async fn a_tone_is_heard_and_the_video_goes_on_when_it_ends() {
    let _alone = alone();
    let (Some(ffmpeg), Some(ffprobe)) = (tool("ffmpeg"), tool("ffprobe")) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let receiver = Receiver::rtmp(&ffmpeg, port, dir.path().join("tone.flv"));
    let config = config(port, KEY, HD);
    let (speaker, sound) = sound();
    let sent = Sent::start(&config, news([office("chuo")]), Some(sound));
    receiver.records(2_000, LIMIT).await;
    pause(Duration::from_secs(2)).await;
    let tone: Vec<i16> = (0..SAMPLE_RATE * 2)
        .map(|i| (TAU * 440.0 * f64::from(i) / f64::from(SAMPLE_RATE)).sin() * 16_000.0)
        .map(|s| s as i16)
        .collect();
    assert!(speaker.play(tone.into()));
    pause(Duration::from_secs(3)).await;
    drop(speaker);
    pause(Duration::from_secs(4)).await;
    let file = receiver.stop().await;
    sent.stop().await;

    let (decoded, errors) = out(
        &ffmpeg,
        "-nostdin -v error -i FILE -map 0:a -f s16le -ac 1 -ar 48000 -",
        &file,
    );
    assert_eq!(errors, "");
    let pairs = decoded.chunks_exact(2);
    let samples: Vec<i16> = pairs.map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
    let tenth = SAMPLE_RATE as usize / 10;
    let levels: Vec<f64> = samples
        .chunks_exact(tenth)
        .map(|c| level(c, 440.0))
        .collect();
    let loud = levels.iter().filter(|l| **l > 0.3).count();
    assert!(
        (18..=21).contains(&loud),
        "two seconds of tone: {levels:.2?}"
    );
    let end = levels.iter().rposition(|l| *l > 0.3).unwrap();
    let quiet = levels.len() - end;
    assert!(quiet > 35, "silence after it: {levels:.2?}");
    assert!(samples[(end + 2) * tenth..].iter().all(|s| s.abs() < 200));

    let (video, _) = out(
        &ffprobe,
        "-v error -select_streams v -show_entries packet=pts_time -of csv=p=0 FILE",
        &file,
    );
    let video = String::from_utf8(video).unwrap();
    let times: Vec<f64> = video
        .lines()
        .filter_map(|l| l.trim_end_matches(',').parse().ok())
        .collect();
    let last = times.last().unwrap();
    assert!(
        (last - samples.len() as f64 / f64::from(SAMPLE_RATE)).abs() < 1.0 + times[0],
        "both tracks end together: {last}"
    );
    let widest = times.windows(2).map(|t| t[1] - t[0]).fold(0.0, f64::max);
    assert!(widest < 0.15, "no picture is missing: {widest} s");
    check_picture(&ffmpeg, &file, &config);
}
