//! Speech: readings against Open JTalk, levels, lengths, time and memory.

use crate::support::{self, PATIENCE, dictionary::dictionary, root, tool};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use yobiban::config::{SpeechConfig, VoiceLanguage, VoiceTexts};
use yobiban::model::{Name, QueueId};
use yobiban::voice::texts::{CallDetails, Sentence, call_sentences};
use yobiban::voice::{Japanese, Pcm, Speech, wav_bytes};

/// Open JTalk's own dictionary as Debian installs it.
const MECAB: &str = "/var/lib/mecab/dic/open-jtalk/naist-jdic";

/// Sounds for people to listen to stay here.
fn listen() -> PathBuf {
    let folder = root().join("target/voice/listen");
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn sentences(
    config: &SpeechConfig,
    lang: VoiceLanguage,
    ticket: &str,
    counter: &str,
) -> Vec<Sentence> {
    let counters: Vec<&str> = [counter].into_iter().filter(|c| !c.is_empty()).collect();
    let (queue, name) = (QueueId::new("q").unwrap(), Name::new([("ja", "証明書")]));
    let wanted = CallDetails {
        ticket,
        counters: &counters,
        queue: &queue,
        queue_name: &name,
        recall: false,
        fast: false,
        short: false,
    };
    call_sentences(&wanted, lang, config)
}

/// The only sentence of a call, in Japanese.
fn text(config: &SpeechConfig, ticket: &str, counter: &str) -> String {
    let all = sentences(config, VoiceLanguage::Ja, ticket, counter);
    assert_eq!(all.len(), 1);
    all[0].text()
}

/// The phonemes that Debian's open_jtalk reads in a text.
fn open_jtalk(program: &Path, text: &str, place: &Path) -> Vec<String> {
    assert!(
        text.len() < 450,
        "it makes digits wide, and its buffer holds 1024 bytes"
    );
    let trace = place.join("trace");
    let mut child = Command::new(program)
        .args(["-x", MECAB, "-r", "10", "-m"])
        .arg(root().join("assets/voice/nitech_jp_atr503_m001.htsvoice"))
        .arg("-ot")
        .arg(&trace)
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    assert!(child.wait().unwrap().success());
    let trace = fs::read_to_string(trace).unwrap();
    let labels = trace.split_once("[Output label]").unwrap().1;
    let labels = labels.lines().skip(1).take_while(|line| !line.is_empty());
    let phoneme = |line: &str| {
        let (_, rest) = line.split_once('-').unwrap();
        rest.split_once('+').unwrap().0.to_owned()
    };
    labels.map(phoneme).collect()
}

/// Without the silence at both ends.
fn inner(phonemes: &[String]) -> &[String] {
    assert!(phonemes.first().is_some_and(|p| p == "sil"), "{phonemes:?}");
    assert!(phonemes.last().is_some_and(|p| p == "sil"), "{phonemes:?}");
    &phonemes[1..phonemes.len() - 1]
}

/// Texts with what is read in them here, one by one; read there many at a time, all must be equal.
fn compare(program: &Path, texts: &[(String, Vec<String>)]) {
    let place = tempfile::tempdir().unwrap();
    let mut chunk: Vec<&(String, Vec<String>)> = Vec::new();
    let mut bytes = 0;
    for (i, text) in texts.iter().enumerate() {
        chunk.push(text);
        bytes += text.0.len();
        let full = texts
            .get(i + 1)
            .is_none_or(|(next, _)| bytes + next.len() >= 450);
        if !full {
            continue;
        }
        let joined: String = chunk.iter().map(|(text, _)| text.as_str()).collect();
        let theirs = open_jtalk(program, &joined, place.path());
        let mut ours = Vec::new();
        for (_, phonemes) in &chunk {
            if !ours.is_empty() {
                ours.push("pau".to_owned());
            }
            ours.extend_from_slice(inner(phonemes));
        }
        assert_eq!(ours, inner(&theirs), "{joined}");
        (chunk, bytes) = (Vec::new(), 0);
    }
}

/// What a number up to 999 sounds like, worked out from a schoolbook alone.
fn school(number: u32) -> String {
    const DIGITS: [&str; 10] = [
        "z e r o", "i ch i", "n i", "s a N", "y o N", "g o", "r o k u", "n a n a", "h a ch i",
        "ky u u",
    ];
    let hundreds = match number / 100 {
        0 => String::new(),
        1 => "hy a k u".into(),
        3 => "s a N by a k u".into(),
        6 => "r o cl py a k u".into(),
        8 => "h a cl py a k u".into(),
        n => format!("{} hy a k u", DIGITS[n as usize]),
    };
    let tens = match number / 10 % 10 {
        0 => String::new(),
        1 => "j u u".into(),
        n => format!("{} j u u", DIGITS[n as usize]),
    };
    let ones = match number % 10 {
        0 => "",
        n => DIGITS[n as usize],
    };
    let parts = [hundreds.as_str(), &tens, ones];
    let parts: Vec<&str> = parts.into_iter().filter(|p| !p.is_empty()).collect();
    parts.join(" ")
}

/// Vowels that are whispered are written large; which ones, is a matter of melody.
fn plain(phonemes: &[String]) -> String {
    let plain = |p: &String| match p.as_str() {
        "A" | "I" | "U" | "E" | "O" => p.to_lowercase(),
        _ => p.clone(),
    };
    phonemes.iter().map(plain).collect::<Vec<_>>().join(" ")
}

/// All numbers with all letters, and all counters, each in its own part of the sentence; the whole
/// product would be 120,000 sentences whose parts are these, parted by pauses. Letters take turns from
/// number to number; with `YOBIBAN_ALL` each is tried with each.
#[test]
fn labels_and_counters_are_read_as_open_jtalk_and_the_schoolbook_read_them() {
    let Some((dictionary, program)) = dictionary().zip(tool("open_jtalk")) else {
        return;
    };
    if !Path::new(MECAB).is_dir() {
        return support::skip("open-jtalk-mecab-naist-jdic is not installed");
    }
    let japanese = Japanese::open(&dictionary, 100).unwrap();
    let config = SpeechConfig::default();
    let mut part = SpeechConfig::default();
    let texts = VoiceTexts {
        call: Some("{ticket}のかた。".into()),
        ..VoiceTexts::default()
    };
    part.texts.insert(VoiceLanguage::Ja, texts);
    let letters = BTreeMap::from([
        ('A', "e e"),
        ('B', "b i i"),
        ('C', "sh i i"),
        ('D', "d i i"),
        ('E', "i i"),
        ('F', "e f u"),
    ]);
    let mut all = Vec::new();
    let each = std::env::var_os("YOBIBAN_ALL").is_some();
    for (turn, (letter, name)) in (0..).zip(&letters) {
        for number in (1..=999).filter(|n| each || n % 6 == turn) {
            let text = text(&part, &format!("{letter}{number:03}"), "");
            let phonemes = japanese.phonemes(&text).unwrap();
            let heard = plain(inner(&phonemes));
            let wanted = format!("{name} pau {} b a N n o k a t a", school(number));
            assert_eq!(heard, wanted, "{text}");
            all.push((text, phonemes));
        }
    }
    for counter in 1..=20 {
        let text = text(&config, "A042", &counter.to_string());
        let phonemes = japanese.phonemes(&text).unwrap();
        let heard = plain(inner(&phonemes));
        let wanted = format!(
            "u k e ts u k e b a N g o o pau e e pau y o N j u u n i b a N n o k a t a pau \
             {} b a N m a d o g u ch i e o k o sh i k u d a s a i",
            school(counter)
        );
        assert_eq!(heard, wanted, "{text}");
        all.push((text, phonemes));
    }
    let half = all.len() / 2;
    std::thread::scope(|scope| {
        let other = scope.spawn(|| compare(&program, &all[..half]));
        compare(&program, &all[half..]);
        other.join().unwrap();
    });
    println!("{} texts read alike", all.len());
}

/// Digit by digit and in the other readings.
#[test]
fn configured_readings_are_heard() {
    let Some(dictionary) = dictionary() else {
        return;
    };
    let japanese = Japanese::open(&dictionary, 100).unwrap();
    let mut config = SpeechConfig::default();
    let heard = |config: &SpeechConfig, ticket: &str| {
        let text = text(config, ticket, "");
        let phonemes = plain(inner(&japanese.phonemes(&text).unwrap()));
        let rest = phonemes.strip_prefix("u k e ts u k e b a N g o o pau ");
        let rest = rest.unwrap_or_else(|| panic!("{text}: {phonemes}"));
        rest.split(" b a N n o").next().unwrap().to_owned()
    };
    config.readings.digit_by_digit = true;
    assert_eq!(
        heard(&config, "A047"),
        "e e pau z e r o pau y o N pau n a n a"
    );
    config.readings.shi = true;
    config.readings.shichi = true;
    config.readings.zero = yobiban::config::Zero::Rei;
    assert_eq!(
        heard(&config, "A047"),
        "e e pau r e i pau sh i pau sh i ch i"
    );
    config.readings.digit_by_digit = false;
    assert_eq!(heard(&config, "A047"), "e e pau y o N j u u sh i ch i");
    assert_eq!(heard(&config, "A314"), "e e pau s a N by a k u j u u sh i");
}

fn check(pcm: &Pcm, what: &str, loudness: &mut Vec<f64>) {
    assert!(pcm.peak() < 1.0, "{what} clips");
    assert!(pcm.peak() > 0.2, "{what} is faint");
    let seconds = pcm.length().as_secs_f64();
    assert!((1.5..9.0).contains(&seconds), "{what} lasts {seconds} s");
    loudness.push(20.0 * pcm.loudness().log10());
}

#[test]
fn sentences_are_alike_in_loudness_and_do_not_clip() {
    let Some(dictionary) = dictionary() else {
        return;
    };
    let config = SpeechConfig {
        dictionary,
        ..SpeechConfig::default()
    };
    let mut speech = Speech::open(&config);
    assert_eq!(speech.trouble(), None);
    let mut loudness = Vec::new();
    for i in 0..60_u32 {
        let (letter, number, counter) = (
            b"ABCDEF"[i as usize % 6] as char,
            i * 17 % 999 + 1,
            i % 20 + 1,
        );
        let ticket = format!("{letter}{number:03}");
        let all = sentences(&config, VoiceLanguage::Ja, &ticket, &counter.to_string());
        let pcm = speech.say(&all[0]).unwrap();
        check(&pcm, &all[0].text(), &mut loudness);
        let again = speech.say(&all[0]).unwrap();
        assert_eq!(again, pcm, "from the cache");
        if i < 6 {
            fs::write(
                listen().join(format!("ja-{ticket}-{counter}.wav")),
                wav_bytes(&pcm),
            )
            .unwrap();
        }
    }
    spread(&loudness);
}

/// Between the loudest and the softest at most 3 dB.
fn spread(loudness: &[f64]) {
    let most = loudness.iter().copied().fold(f64::MIN, f64::max);
    let least = loudness.iter().copied().fold(f64::MAX, f64::min);
    println!("loudness from {least:.2} to {most:.2} dBFS");
    assert!(most - least <= 3.0, "{least:.1} to {most:.1} dBFS");
}

#[test]
fn every_other_language_is_spoken_by_espeak() {
    let Some(_) = tool("espeak-ng") else {
        return;
    };
    use VoiceLanguage::{En, Ko, Pt, Vi, Zh};
    let mut loudness = Vec::new();
    for lang in [En, Zh, Ko, Vi, Pt] {
        let config = SpeechConfig {
            languages: vec![lang],
            ..SpeechConfig::default()
        };
        let mut speech = Speech::open(&config).with_timeout(PATIENCE);
        assert_eq!(speech.trouble(), None);
        let mut sounds = Vec::new();
        for (ticket, counter) in [("A042", "3"), ("F700", "12")] {
            let all = sentences(&config, lang, ticket, counter);
            let pcm = speech.say(&all[0]).unwrap();
            check(&pcm, &all[0].text(), &mut loudness);
            sounds.push(pcm);
        }
        assert_ne!(sounds[0], sounds[1]);
        let file = listen().join(format!("{}-A042-3.wav", lang.tag()));
        fs::write(file, wav_bytes(&sounds[0])).unwrap();
    }
    spread(&loudness);
}

#[test]
fn say_writes_a_file_and_says_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let say = |more: &[&str]| {
        support::yobiban()
            .current_dir(dir.path())
            .args(["say", "A042", "--counter", "3", "--out", "call.wav"])
            .args(more)
            .output()
            .unwrap()
    };
    let none = say(&["--dictionary", "none"]);
    assert_eq!(none.status.code(), Some(1), "{none:?}");
    let said = String::from_utf8(none.stderr).unwrap();
    assert!(
        said.contains("no dictionary in none: see docs/voice.md"),
        "{said}"
    );
    assert!(!dir.path().join("call.wav").exists());
    let other = say(&["--lang", "fr"]);
    assert_eq!(other.status.code(), Some(64), "{other:?}");
    let Some(dictionary) = dictionary() else {
        return;
    };
    let good = say(&["--lang", "ja", "--dictionary", dictionary.to_str().unwrap()]);
    assert!(good.status.success() && good.stderr.is_empty(), "{good:?}");
    let length = fs::metadata(dir.path().join("call.wav")).unwrap().len();
    assert!((400_000..800_000).contains(&length), "{length} bytes");
}
