//! Configurations as a user meets them: the real binary, its whole answer, its exit code.

use crate::support::{root, yobiban};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

pub fn folder(name: &str) -> PathBuf {
    root().join("tests/fixtures/config").join(name)
}

/// The names of a folder's files with an ending, without it.
pub fn names(folder: &Path, ending: &str) -> BTreeSet<String> {
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|f| f.unwrap().file_name());
    files
        .filter_map(|f| f.to_str().unwrap().strip_suffix(ending).map(str::to_owned))
        .collect()
}

/// Every wrong configuration answers with the message stored beside it. After a wanted change,
/// `YOBIBAN_ACCEPT=1 cargo test` stores the new answers: read them before committing.
#[test]
fn invalid_configurations_answer_with_the_message_beside_them() {
    let folder = folder("invalid");
    let cases = names(&folder, ".toml");
    assert!(cases.len() >= 30, "{} cases", cases.len());
    let accept = std::env::var_os("YOBIBAN_ACCEPT").is_some();
    let mut wrong = Vec::new();
    for case in &cases {
        let file = format!("{case}.toml");
        let output = yobiban()
            .current_dir(&folder)
            .args(["check", &file])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(64), "{case}: {output:?}");
        assert!(output.stdout.is_empty(), "{case}: {output:?}");
        let answer = String::from_utf8(output.stderr).unwrap();
        let stored = folder.join(format!("{case}.stderr"));
        if accept {
            fs::write(&stored, &answer).unwrap();
        } else if fs::read_to_string(&stored).unwrap_or_default() != answer {
            wrong.push(format!("--- {} should say\n{answer}", stored.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let stale: Vec<_> = names(&folder, ".stderr")
        .difference(&cases)
        .cloned()
        .collect();
    assert!(
        stale.is_empty(),
        "messages without a configuration: {stale:?}"
    );
}

#[test]
fn no_answer_repeats_a_secret() {
    let folder = folder("invalid");
    for case in names(&folder, ".stderr") {
        let answer = fs::read_to_string(folder.join(format!("{case}.stderr"))).unwrap();
        for secret in ["geheim", "12345678"] {
            assert!(!answer.contains(secret), "{case}: {answer}");
        }
    }
}

#[test]
fn valid_configurations_are_in_order() {
    let folder = folder("valid");
    let cases: Vec<String> = names(&folder, ".toml")
        .into_iter()
        .filter(|case| !case.starts_with("own-"))
        .collect();
    assert!(cases.len() >= 5, "{cases:?}");
    for case in cases {
        let file = format!("{case}.toml");
        let output = yobiban()
            .current_dir(&folder)
            .args(["check", &file])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{case}: {output:?}");
        let answer = String::from_utf8(output.stdout.clone()).unwrap();
        let kind = if case.starts_with("hub") {
            "a hub's"
        } else {
            "a node's"
        };
        assert!(
            answer.starts_with(&format!("{file}: {kind} configuration in order")),
            "{answer}"
        );
        assert!(output.stderr.is_empty(), "{case}: {output:?}");
    }
}

/// What an installer fills in: as it is, and with the lines that wait for a `#` to be taken off.
#[test]
fn the_file_on_the_card_is_in_order_as_it_is_and_with_all_its_parts() {
    let text = fs::read_to_string(root().join("assets/config/card.toml")).unwrap();
    assert!(text.lines().count() <= 60, "short enough to be read");
    let uncommented = |line: &str| match line.strip_prefix('#') {
        Some(key) if !key.is_empty() && !key.starts_with(' ') => format!("{key}\n"),
        _ => format!("{line}\n"),
    };
    let whole: String = text.lines().map(uncommented).collect();
    assert!(whole.contains("\n[wifi]\n") && whole.contains("\n[network]\n"));
    let dir = tempfile::tempdir().unwrap();
    // Notepad writes such line ends, and may put a byte order mark in front.
    let saved = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    for (name, text) in [
        ("card.toml", &text),
        ("whole.toml", &whole),
        ("saved.toml", &saved),
    ] {
        let file = dir.path().join(name);
        fs::write(&file, text).unwrap();
        let output = yobiban().arg("check").arg(&file).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{name}: {output:?}");
        let answer = String::from_utf8(output.stdout).unwrap();
        assert!(
            answer.contains("a node's configuration in order"),
            "{answer}"
        );
        assert!(output.stderr.is_empty(), "{name}");
    }
    // The image puts it where the guides say, and the other file that it names.
    let build = fs::read_to_string(root().join("image/build")).unwrap();
    for (asset, name) in [
        ("card.toml", "yobiban-example.toml"),
        ("node.toml", "yobiban-all-keys.toml"),
    ] {
        let copied = format!("cp \"$top/assets/config/{asset}\" \"$firmware/{name}\"");
        assert!(build.contains(&copied), "{copied}");
        for guide in ["docs/install.md", "docs/ja/install.md"] {
            let guide = fs::read_to_string(root().join(guide)).unwrap();
            assert!(guide.contains(&format!("`{name}`")), "{name}");
        }
    }
    assert!(text.contains("yobiban-all-keys.toml"));
}

#[test]
fn everything_typed_arrives() {
    let folder = folder("valid");
    let node = yobiban::config::load_node(&folder.join("node-everything.toml")).unwrap();
    assert_eq!((node.mqtt.host.as_str(), node.mqtt.port), ("::1", 8883));
    assert_eq!(node.mqtt.root, "city/queues");
    assert_eq!(
        node.mqtt.password.as_ref().unwrap().reveal(),
        "correct horse"
    );
    let tls = node.mqtt.tls.as_ref().unwrap();
    assert_eq!(tls.ca, Some(folder.join("tls/ca.pem")));
    assert_eq!(
        tls.client,
        Some((folder.join("tls/node.pem"), folder.join("tls/node.key")))
    );
    assert_eq!(node.store_dir, folder.join("state"));
    assert_eq!(node.state.max_announce_age.as_secs(), 5400);
    assert_eq!(node.state.disconnect_grace.as_secs(), 0);
    assert_eq!(node.state.hours.0.to_string(), "08:30:00");
    let board = &node.boards[0];
    assert_eq!(board.size, (1080, 1920));
    assert_eq!(
        board.layout.as_deref(),
        folder.join("own-layout.toml").to_str()
    );
    assert_eq!(board.queues.as_ref().unwrap()[0].as_str(), "moving");
    assert_eq!(
        (
            board.highlight.max_highlighted,
            board.highlight.recent_calls
        ),
        (4, 0)
    );
    assert!(
        board.notices.is_empty(),
        "its own empty list beats the office's"
    );
    assert_eq!(node.boards[1].notices.len(), 1, "the office's stand in");
    assert_eq!(node.boards[1].size, (1920, 1080));
    let rule = &node.adapters[0].rules[0];
    assert_eq!((rule.select.len(), rule.digits), (2, Some(3)));
    let hub = yobiban::config::load_hub(&folder.join("hub-everything.toml")).unwrap();
    assert_eq!(
        hub.store_url.reveal(),
        "postgres://hub:geheim@db.example.jp/yobiban"
    );
    assert_eq!(hub.order.len(), 2);
    assert!(hub.web.hsts);
    assert_eq!(
        hub.web.frame_ancestors,
        ["https://www.city.example.jp", "https://[2001:db8::1]:8443"]
    );
    assert!(
        !format!("{hub:?}{node:?}").contains("geheim"),
        "secrets print masked"
    );
    assert!(
        !format!("{hub:?}{node:?}").contains("horse"),
        "secrets print masked"
    );
}

#[test]
fn everything_typed_for_digits_and_lamps_arrives() {
    use yobiban::config::{FieldShow, FieldSource, GpioBackend, OutputConfig, Parity, Rs485};
    let node = yobiban::config::load_node(&folder("valid").join("node-serial.toml")).unwrap();
    let OutputConfig::Serial(serial) = &node.boards[0].output else {
        panic!("{:?}", node.boards[0].output);
    };
    assert_eq!(serial.device.to_string(), "tcp://[::1]:502");
    let framing = serial.framing;
    assert_eq!(
        (framing.data_bits, framing.parity, framing.stop_bits),
        (7, Parity::Even, 2)
    );
    assert_eq!((serial.baud, serial.rs485), (19200, Rs485::Rts));
    assert_eq!(
        (serial.template.as_str(), serial.options.len()),
        ("pipe", 1)
    );
    assert_eq!((serial.digits, serial.blink), (Some(3), false));
    let first = &serial.fields[0].source;
    assert!(
        matches!(first, FieldSource::Queue(_, FieldShow::OnHold)),
        "{first:?}"
    );
    let second = &serial.fields[1].source;
    assert!(
        matches!(second, FieldSource::Counter(c) if c.as_str() == "3"),
        "{second:?}"
    );
    let relay = &node.relays[0];
    assert_eq!(
        (relay.gpio, relay.active_low, relay.backend),
        (17, true, GpioBackend::Linux)
    );
    assert_eq!(
        (relay.pulse.as_millis(), relay.min_gap.as_millis()),
        (200, 400)
    );
}

#[test]
fn everything_typed_for_the_voice_arrives() {
    use yobiban::config::{VoiceDetail, VoiceLanguage, VoiceOutput, Zero};
    let folder = folder("valid");
    let node = yobiban::config::load_node(&folder.join("node-voice.toml")).unwrap();
    let voice = node.voice.unwrap();
    let device = VoiceOutput::Alsa {
        device: "sysdefault:CARD=vc4hdmi0".into(),
        keep_open: true,
    };
    assert_eq!(
        (voice.output, voice.chime, voice.volume),
        (device, false, 60)
    );
    assert_eq!(voice.queues.unwrap().len(), 1);
    assert_eq!(
        (voice.min_pause.as_millis(), voice.max_backlog.as_secs()),
        (500, 60)
    );
    let hours: Vec<_> = voice.hours.iter().map(|h| (h.detail, h.volume)).collect();
    assert_eq!(hours, [(VoiceDetail::Short, 30), (VoiceDetail::Off, 60)]);
    let speech = voice.speech;
    use VoiceLanguage::{En, Ja, Zh};
    assert_eq!((speech.languages, speech.speed), (vec![Ja, En, Zh], 120));
    assert_eq!(speech.dictionary, folder.join("dictionary"));
    assert_eq!(speech.recorded, Some(folder.join("tls")));
    let readings = speech.readings;
    assert!(
        readings.digit_by_digit && readings.shi && readings.shichi && readings.zero == Zero::Maru
    );
    let text = speech.texts[&En].call.as_deref();
    assert_eq!(text, Some("{ticket} for {queue}, {counter}"));
    assert_eq!(speech.texts[&En].short, None);
}

#[test]
fn calls_are_heard_in_a_video_of_one_office_where_somebody_speaks() {
    use yobiban::config::StreamAudio::{Calls, None, Silence};
    let audio = |voice: &str, more: &str| {
        let text = format!(
            "[mqtt]\nurl = \"mqtt://127.0.0.1\"\n{voice}\n[[stream]]\nid = \"a\"\ntarget = \"hls\"\n{more}"
        );
        let hub = yobiban::config::parse_hub(&text, "hub.toml", Path::new("/")).unwrap();
        hub.streams[0].video.audio
    };
    let one = "offices = [\"chuo\"]";
    assert_eq!(audio("[voice]", one), Calls);
    assert_eq!(audio("", one), Silence);
    assert_eq!(audio("[voice]", "offices = [\"chuo\", \"inage\"]"), Silence);
    assert_eq!(audio("[voice]", ""), Silence);
    let quiet = format!("{one}\naudio = \"none\"");
    assert_eq!(audio("[voice]", &quiet), None);
    let node = |voice: &str| {
        let more = format!(
            "[[board]]\nid = \"main\"\noutput = {{ kind = \"none\" }}\n\
             [[stream]]\nid = \"a\"\ntarget = \"srt://127.0.0.1:9000\"\n{voice}"
        );
        let text = crate::support::node_toml("127.0.0.1:1883", &more);
        let node = yobiban::config::parse_node(&text, "node.toml", Path::new("/")).unwrap();
        node.streams[0].video.audio
    };
    assert_eq!(node("[voice]\noutput = \"none\""), Calls);
    assert_eq!(node(""), Silence);
}

#[test]
fn a_credential_of_systemd_is_a_password() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("mqtt"), "geheim\n").unwrap();
    let node = fs::read_to_string(folder("valid").join("node-least.toml")).unwrap();
    let with = node.replace(
        "1883\"",
        "1883\"\nusername = \"n1\"\npassword_credential = \"mqtt\"",
    );
    assert_ne!(node, with);
    let file = dir.path().join("node.toml");
    fs::write(&file, with).unwrap();
    let check = |credentials: &Path| {
        let mut command = yobiban();
        command
            .env("CREDENTIALS_DIRECTORY", credentials)
            .arg("check")
            .arg(&file);
        command.output().unwrap().status.code()
    };
    assert_eq!(check(dir.path()), Some(0));
    assert_eq!(check(&dir.path().join("elsewhere")), Some(64));
}

#[test]
fn a_file_next_to_nothing_else_is_found_by_its_bare_name() {
    let dir = tempfile::tempdir().unwrap();
    let node = folder("valid").join("node-least.toml");
    fs::copy(node, dir.path().join("node.toml")).unwrap();
    fs::write(dir.path().join("bom.toml"), {
        let text = fs::read_to_string(dir.path().join("node.toml")).unwrap();
        format!("\u{feff}{}", text.replace('\n', "\r\n"))
    })
    .unwrap();
    for file in ["node.toml", "./node.toml", "bom.toml"] {
        let output = yobiban()
            .current_dir(dir.path())
            .args(["check", file])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{file}: {output:?}");
    }
    let output = yobiban()
        .current_dir(dir.path())
        .args(["check", "no.toml"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(64));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "yobiban: no.toml: cannot read the configuration: no such file\n"
    );
}

#[test]
fn a_password_that_everybody_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let node = fs::read_to_string(folder("valid").join("node-least.toml")).unwrap();
    let file = dir.path().join("node.toml");
    let with = "1883\"\nusername = \"n1\"\npassword = \"geheim\"";
    fs::write(&file, node.replace("1883\"", with)).unwrap();
    let said = |mode: u32| {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let output = yobiban().arg("check").arg(&file).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let warning = said(0o644);
    assert!(warning.contains("holds a password"), "{warning}");
    assert!(!warning.contains("geheim"), "{warning}");
    assert_eq!(said(0o600), "");
}

/// What `check` answers to a text as the configuration of a node, in a language.
fn answer(text: &[u8], language: &str) -> (Option<i32>, String) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("node.toml"), text).unwrap();
    let output = yobiban()
        .current_dir(dir.path())
        .env("LC_ALL", language)
        .args(["check", "node.toml"])
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn a_slip_on_a_japanese_keyboard_is_explained_with_what_to_press() {
    let least = fs::read_to_string(folder("valid").join("node-least.toml")).unwrap();
    for (typed, slip, english, japanese) in [
        ("[office]", "［office]", "expected [,", "半角の ["),
        (
            "[node]\n",
            "[node]\n　x = 1\n",
            "a full-width space",
            "全角の空白",
        ),
        ("id = \"n1\"", "id ＝ \"n1\"", "full-width ＝", "半角の ="),
        ("id = \"n1\"", "id = ”n1”", "expected \",", "半角の \""),
        ("id = \"n1\"", "id = \"n1”", "expected \",", "半角の \""),
        (
            "[node]\n",
            "[node]\nx = [1，2]\n",
            "full-width ，",
            "半角の ,",
        ),
    ] {
        let text = least.replacen(typed, slip, 1);
        assert_ne!(text, least, "{typed}");
        let (code, said) = answer(text.as_bytes(), "C.UTF-8");
        assert_eq!(code, Some(64));
        assert!(
            said.contains(english) && said.contains("Japanese keyboard"),
            "{slip}: {said}"
        );
        let (_, said) = answer(text.as_bytes(), "ja_JP.UTF-8");
        assert!(
            said.contains(japanese) && said.contains(english),
            "{slip}: {said}"
        );
    }
    for (typed, slip, english) in [
        ("id = \"n1\"", "id = \"ｎ１\"", "write n1"),
        (
            "mqtt://127.0.0.1:1883",
            "mqtt://１９２．１６８．０．５:1883",
            "write 192.168.0.5",
        ),
        (
            "mqtt://127.0.0.1:1883",
            "mqtt://192.168.001.010:1883",
            "write 192.168.1.10",
        ),
        ("mqtt://127.0.0.1:1883", "mqtt://192.168.1.300", "above 255"),
        ("mqtt://127.0.0.1:1883", "mqtt://mqtt_broker", "mqtt-broker"),
        (
            "[node]",
            "timezone = \"JST\"\n[node]",
            "did you mean Asia/Tokyo?",
        ),
        (
            "[node]",
            "hours = [\"8:30\", \"17:15\"]\n[node]",
            "write \"08:30\"",
        ),
    ] {
        let text = least.replacen(typed, slip, 1);
        assert_ne!(text, least, "{typed}");
        let (code, said) = answer(text.as_bytes(), "C.UTF-8");
        assert_eq!(code, Some(64), "{slip}: {said}");
        assert!(said.contains(english), "{slip}: {said}");
    }
    let utf16: Vec<u8> = least.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (_, said) = answer(&[b"\xff\xfe", utf16.as_slice()].concat(), "ja_JP.UTF-8");
    assert!(
        said.contains("UTF-16 です") && said.contains("メモ帳"),
        "{said}"
    );
}
