//! Every command with a secret in each place that can hold one, and with slips beside it: what it
//! says holds none.

use crate::hub_database::fresh;
use crate::mqtt::LIMIT;
use crate::secrets::{SECRET, broker, files, node, said, silent, talkative, write};
use crate::support::{eventually, yobiban};
use std::path::{Path, PathBuf};

/// Runs a command at every log level until it ends, and holds what it said against the secret.
fn run(args: &[&str], dir: &Path) -> (Option<i32>, String) {
    let mut command = yobiban();
    command.args(args).current_dir(dir).env("RUST_LOG", "trace");
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    silent(&format!("{args:?}"), &said.replace(&args.join(" "), ""));
    (output.status.code(), said)
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_with_a_broker_as_argument_repeat_no_password() {
    let Some(broker) = broker(None).await else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let at = fresh("chuo", 1).at;
    let line = format!(r#"{{"at":"{at}","topic":"yobiban/v1/chuo/feed/a","payload":{{"seq":1}}}}"#);
    std::fs::write(dir.join("day.jsonl"), line).unwrap();
    // What an editor left is no part of the password, and what is percent-encoded is what it stands for.
    write(&dir.join("password"), &format!("\u{feff}{SECRET} \r\n"));
    let address = broker.address();
    let encoded = SECRET.replace('-', "%2D");
    let cases = [
        (format!("mqtt://n1:{SECRET}@{address}"), None, 0),
        (format!("mqtt://n1:{encoded}@{address}"), None, 0),
        (format!("mqtt://n1@{address}"), Some("password"), 0),
        (format!("mqtt://nobody:{SECRET}@{address}"), None, 1),
        (format!("mqtt://n1:{SECRET}@127.0.0.1:9"), None, 1),
        (format!("mqtts://n1:{SECRET}@{address}"), None, 1),
        (format!("mqtt://n1:{SECRET}@127.000.000.001"), None, 64),
        (format!("mqtt://n1:{SECRET}@[::x"), None, 64),
        (format!("mqtt://n1:{SECRET}#1@{address}"), None, 64),
        (format!("mqtt://n1:1/{SECRET}@{address}"), None, 64),
        (format!("mqtt://{address}/{SECRET}"), None, 64),
        (format!("http://n1:{SECRET}@{address}"), None, 64),
        (format!("n1:{SECRET}@{address}"), None, 64),
    ];
    // Those that find nobody wait for ten seconds each.
    let try_it = |(url, more, code): &(String, Option<&str>, i32)| {
        let mut replay = vec!["replay", "day.jsonl", "--speed", "100000", "--mqtt", url];
        replay.extend(more.iter().flat_map(|file| ["--password-file", file]));
        let (found, said) = run(&replay, dir);
        assert_eq!(found, Some(*code), "{url}: {said}");
        if *code != 0 {
            let (found, said) = run(&["load", "--viewers", "1", "--mqtt", url], dir);
            assert!(found.is_some_and(|found| found != 0), "{url}: {said}");
        }
    };
    std::thread::scope(|scope| {
        for case in &cases {
            scope.spawn(move || try_it(case));
        }
    });
    // Where the option's name was forgotten.
    for stray in [
        format!("mqtt://n1:{SECRET}@{address}"),
        format!("n1:{SECRET}＠h"),
    ] {
        for args in [&["replay", "day.jsonl"][..], &["load"], &["demo"]] {
            let (code, said) = run(&[args, &[&stray]].concat(), dir);
            assert_eq!(code, Some(64), "{args:?}: {said}");
            assert!(said.contains("***"), "{args:?}: {said}");
        }
    }
    for events in [
        format!("http://u:{SECRET}@127.0.0.1:9/api/v1/events"),
        format!("https://u:{SECRET}@127.0.0.1:9"),
        format!("http://u:{SECRET}@[::x/"),
        format!("u:{SECRET}@127.0.0.1:9"),
    ] {
        let url = format!("mqtt://{address}");
        let (code, said) = run(&["load", "--mqtt", &url, "--events", &events], dir);
        assert_eq!(code, Some(64), "{events}: {said}");
        let (code, said) = run(&["load", "--post", &events], dir);
        assert_eq!(code, Some(64), "{events}: {said}");
    }
}

/// A configuration with a secret in each place that can hold one.
fn full(dir: &Path) -> PathBuf {
    let line = |port: u16| {
        format!("url = \"mqtt://127.0.0.1:{port}\"\nusername = \"n1\"\npassword = \"{SECRET}\"")
    };
    let config = node(dir, &line(9), &line(9));
    let more = format!(
        r#"
        [[camera]]
        id = "hall"
        source = {{ kind = "http", url = "http://127.0.0.1:9/a.jpg", username = "u", password = "{SECRET}" }}
        corners = [[0, 0], [640, 0], [640, 480], [0, 480]]
        [[camera.field]]
        queue = "certificates"
        rect = [0.1, 0.1, 0.2, 0.2]
        kind = "text-digits"
        [[stream]]
        id = "video"
        target = "rtmp://127.0.0.1:9/live"
        key_file = "stream-key"
        [wifi]
        ssid = "office"
        password = "{SECRET}"
        "#
    );
    let text = std::fs::read_to_string(&config).unwrap() + &more;
    write(&config, &text);
    write(&dir.join("stream-key"), SECRET);
    config
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_tells_a_secret_of_the_configuration_it_is_given() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let config = full(dir);
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(dir.join("state.json"), "{}").unwrap();
    std::fs::write(dir.join("none.jpg"), "no picture").unwrap();
    let config = config.to_str().unwrap();
    let (code, told) = run(&["check", config], dir);
    assert_eq!(code, Some(0), "{told}");
    let at = "2026-11-24T10:42:07+09:00";
    let commands: [&[&str]; 5] = [
        &["doctor", "--config", config],
        &[
            "board",
            "--config",
            config,
            "--state",
            "state.json",
            "--at",
            at,
            "--out",
            "a.png",
        ],
        &["camera", "read", "none.jpg", "--config", config],
        &["say", "A042", "--config", config, "--out", "a.wav"],
        &["hub", "--config", config],
    ];
    for command in commands {
        run(command, dir);
    }
    // With a slip in it, beside and within each secret.
    let twice = format!("password = \"{SECRET}\"\npassword = ");
    for wrong in [
        text.replace("[store]", "[stroe]"),
        text.replace(&format!("\"{SECRET}\""), &format!("\"{SECRET}")),
        text.replace(&format!("\"{SECRET}\""), SECRET),
        text.replace(&format!("\"{SECRET}\""), &format!("[\"{SECRET}\"]")),
        text.replace(&format!("\"{SECRET}\""), &format!("\"{SECRET}\\n\\u0001\"")),
        text.replace(&format!("\"{SECRET}\""), &format!("\"{SECRET}\\q\"")),
        text.replace(&format!("\"{SECRET}\""), &format!("“{SECRET}”")),
        text.replace("password = ", &twice),
        text.replace("password = ", "passwort = "),
        text.replace("key_file = \"stream-key\"", &format!("key = \"{SECRET}\"")),
        text.replace(
            "key_file = \"stream-key\"",
            &format!("key_file = \"{SECRET}\""),
        ),
        text.replace("password = ", "password_file = "),
        text.replace(
            "rtmp://127.0.0.1:9/live",
            &format!("rtmp://127.0.0.1:9/live/{SECRET}"),
        ),
        text.replace(
            "mqtt://127.0.0.1:9",
            &format!("mqtt://n1:{SECRET}@127.0.0.1:9"),
        ),
        text.replace(
            "http://127.0.0.1:9",
            &format!("http://u:{SECRET}@127.0.0.1:9"),
        ),
        text.replace("ssid = \"office\"", &format!("pasword = \"{SECRET}\"")),
    ] {
        assert_ne!(wrong, text);
        write(Path::new(config), &wrong);
        for language in ["C", "ja_JP.UTF-8"] {
            let mut command = yobiban();
            command.arg("check").arg(config).env("LANG", language);
            let output = command.env("LC_ALL", language).output().unwrap();
            let said =
                String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            silent(&format!("check of {wrong}"), &said);
            let bad = output.status.code() == Some(64);
            assert!(bad || wrong.contains("live/"), "{wrong}: {said}");
        }
        let card = dir.join("card");
        let _ = std::fs::remove_dir_all(&card);
        for part in ["boot", "data/config"] {
            std::fs::create_dir_all(card.join(part)).unwrap();
        }
        write(&card.join("boot/yobiban.toml"), &wrong);
        let setup = [
            "setup",
            "--boot",
            "card/boot",
            "--data",
            "card/data",
            "--run",
            "card/run",
        ];
        run(&setup, dir);
        let told = std::fs::read_to_string(card.join("run/yobiban-box/setup.json"));
        silent("what the screen will say", &told.unwrap());
    }
    // At work, with a camera, a video and two lines that nobody answers.
    write(Path::new(config), &text);
    let mut process = talkative("node", Path::new(config));
    let at_work = || {
        (process.says("no connection to MQTT broker") > 1 && process.says("camera") > 0)
            .then_some(())
    };
    eventually(LIMIT, "the node is at work", at_work).await;
    process.stop().await;
    said(&process);
    for file in files(dir, &["node.toml", "stream-key", "yobiban.toml"]) {
        if !file.starts_with(dir.join("card")) {
            let bytes = std::fs::read(&file).unwrap();
            silent(
                &file.display().to_string(),
                &String::from_utf8_lossy(&bytes),
            );
        }
    }
}

#[test]
fn provision_tells_no_secret_of_its_table_or_template() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let table = |broker: &str| {
        format!("office,office_ja,node,broker,queues\nchuo,中央区,n1,{broker},koseki=戸籍\n")
    };
    let provision = [
        "provision",
        "city.csv",
        "--out",
        "city",
        "--template",
        "template.toml",
    ];
    let template = format!(
        "[wifi]\nssid = \"office\"\npassword = \"{SECRET}\"\n[[board]]\nid = \"main\"\noutput = {{ kind = \"hdmi\" }}\n"
    );
    for (broker, template, code) in [
        ("mqtts://broker.example.jp".to_owned(), template.clone(), 0),
        (
            format!("mqtts://n1:{SECRET}@broker.example.jp"),
            template.clone(),
            64,
        ),
        (
            format!("mqtts://n1:a/{SECRET}@broker.example.jp"),
            template.clone(),
            64,
        ),
        (format!("{SECRET}@broker.example.jp"), template.clone(), 64),
        (
            "mqtts://broker.example.jp".into(),
            template.replace("ssid", "sid"),
            64,
        ),
        (
            "mqtts://broker.example.jp".into(),
            template.replace(&format!("\"{SECRET}"), SECRET),
            64,
        ),
    ] {
        std::fs::write(dir.join("city.csv"), table(&broker)).unwrap();
        std::fs::write(dir.join("template.toml"), &template).unwrap();
        let (found, said) = run(&provision, dir);
        assert_eq!(found, Some(code), "{broker} {template}: {said}");
    }
}
