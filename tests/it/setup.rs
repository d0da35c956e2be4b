//! The start of a box made from the image, with the real program and folders for its partitions.

use crate::support::{tool, yobiban};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use tempfile::TempDir;

const FILE: &str = concat!(
    r#"# second floor
[office]
id = "chuo"
name = { ja = "中央区" }
[node]
id = "n1"
[mqtt]
url = "mqtts://192.0.2.1"
username = "n1"
password = "broker secret"
ca = "ca.pem"
cert = "n1.pem"
key = "n1.key"
[[queue]]
id = "certificates"
name = { ja = "証明書" }
[wifi]
ssid = "office"
password = "radio secret"
[ssh]
keys = ["ssh-ed25519 AAAAC3 somebody"]
[files]
"ca.pem" = """
"#,
    include_str!("../fixtures/config/valid/tls/ca.pem"),
    "\"\"\"\n\"n1.pem\" = \"\"\"\n",
    include_str!("../fixtures/config/valid/tls/node.pem"),
    "\"\"\"\n\"n1.key\" = \"\"\"\n",
    include_str!("../fixtures/config/valid/tls/node.key"),
    "\"\"\"\n",
);

/// The first line of the key's text.
const KEY_SECRET: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg9iAC/54UqoiqcuBA";
/// The same of the authority's certificate, which is no secret.
const PUBLIC: &str = "MIIBmDCCAT2gAwIBAgIUOWDcYiuvWNA01470Apl9a5a9jaYwCgYIKoZIzj0EAwIw";

/// A box whose power was never on.
struct Box(TempDir);

impl Box {
    fn new(card: Option<&str>) -> Self {
        let found = Self(tempfile::tempdir().unwrap());
        for part in ["boot", "data/config"] {
            fs::create_dir_all(found.path(part)).unwrap();
        }
        if let Some(text) = card {
            fs::write(found.path("boot/yobiban.toml"), text).unwrap();
        }
        found
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    /// Switches it on; what it found out.
    fn start(&self) -> Value {
        self.start_with_log().0
    }

    /// Switches it on; what it found out, and its log.
    fn start_with_log(&self) -> (Value, String) {
        let _ = fs::remove_dir_all(self.path("run"));
        let mut command = yobiban();
        command.arg("setup");
        for part in ["boot", "data", "run"] {
            command.arg(format!("--{part}")).arg(self.path(part));
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        for secret in ["broker secret", "radio secret", KEY_SECRET] {
            assert!(!said.contains(secret), "{said}");
        }
        let told = serde_json::from_str(&self.text("run/yobiban-box/setup.json"));
        (told.unwrap(), said)
    }
}

#[test]
fn a_good_file_is_kept_and_its_secrets_leave_the_card() {
    let new = Box::new(Some(FILE));
    let told = new.start();
    assert_eq!(
        (&told["card"], &told["configured"]),
        (&"taken".into(), &true.into()),
        "{told}"
    );
    let card = new.text("boot/yobiban.toml");
    for secret in ["broker secret", "radio secret", KEY_SECRET] {
        assert!(!card.contains(secret), "{card}");
    }
    for kept in ["# second floor\n[office]", "ssid = \"office\"", PUBLIC] {
        assert!(card.contains(kept), "{card}");
    }
    assert_eq!(
        new.text("data/config/n1.key").lines().nth(1),
        Some(KEY_SECRET)
    );
    let node = new.text("data/config/node.toml");
    assert!(
        node.contains("broker secret") && !node.contains("radio secret"),
        "{node}"
    );
    let mode = |file: &str| {
        let path = new.path(&format!("data/config/{file}"));
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(
        (mode("yobiban.toml"), mode("node.toml"), mode("n1.key")),
        (0o600, 0o640, 0o640)
    );
    assert!(
        new.text("run/yobiban-box/wifi.conf")
            .contains("radio secret")
    );
    assert_eq!(new.text("run/yobiban-box/hostname"), "yobiban-chuo-n1\n");
    // The service takes what was kept.
    let check = yobiban()
        .arg("check")
        .arg(new.path("data/config/node.toml"))
        .output()
        .unwrap();
    assert!(check.status.success(), "{check:?}");
    // What computers left on the card is to be overwritten, once.
    fs::remove_file(new.path("data/config/wipe")).unwrap();
    assert_eq!(new.start()["card"], "same");
    assert_eq!(new.text("boot/yobiban.toml"), card);
    assert!(!new.path("data/config/wipe").exists());
}

#[test]
fn a_changed_card_bears_one_note_whichever_version_wrote_it() {
    /// What the version before put in front.
    const FORMER: &str = "\
# この設定は表示盤の箱に取り込まれました。変更するには、下を書き換えて保存し、電源を入れ直してください。
# 「(kept by the box)」は箱に保存された秘密の値です。そのままにすれば前の値が使われます。
# Taken over by the box. To change something, edit it, save, and switch the box off and on again.
# \"(kept by the box)\" stands for a secret that the box has: leave it, or type a new one.
";
    let used = Box::new(Some(FILE));
    used.start();
    let card = used.text("boot/yobiban.toml");
    let (note, rest) = card.split_once("\n\n").unwrap();
    assert!(note.lines().all(|line| line.starts_with("# ")), "{note}");
    assert!(note.contains("端末") && !note.contains('箱'), "{note}");
    for former in [format!("{note}\n"), FORMER.to_owned()] {
        for ends in ["\n", "\r\n"] {
            let changed = format!("{former}\n{rest}").replace("\"office\"", "\"cellar\"");
            fs::write(used.path("boot/yobiban.toml"), changed.replace('\n', ends)).unwrap();
            assert_eq!(used.start()["card"], "taken");
            let now = used.text("boot/yobiban.toml").replace("\r\n", "\n");
            assert!(
                now.starts_with(&format!("{note}\n\n# second floor\n")),
                "{now}"
            );
            assert_eq!(now.matches("# second floor").count(), 1, "{now}");
            assert!(!now.contains("表示盤の箱"), "{now}");
        }
    }
}

#[test]
fn a_change_of_the_card_keeps_the_secrets_that_it_does_not_hold() {
    let used = Box::new(Some(FILE));
    used.start();
    let card = used.text("boot/yobiban.toml");
    let changed = card.replace("ssid = \"office\"", "ssid = \"cellar\"");
    fs::write(used.path("boot/yobiban.toml"), &changed).unwrap();
    assert_eq!(used.start()["card"], "taken");
    let wifi = used.text("run/yobiban-box/wifi.conf");
    assert!(
        wifi.contains("ssid=63656c6c6172\n") && wifi.contains("radio secret"),
        "{wifi}"
    );
    assert!(used.text("data/config/n1.key").contains(KEY_SECRET));
    // The copy on another box is worth nothing.
    let other = Box::new(Some(&changed));
    let told = other.start();
    assert_eq!(
        (&told["card"], &told["configured"]),
        (&"wrong".into(), &false.into())
    );
    assert_eq!(told["problems"].as_array().map(Vec::len), Some(3), "{told}");
}

/// A card of the version before.
#[test]
fn a_card_with_old_keys_is_taken_as_it_is() {
    let old = [
        "zone = \"Asia/Seoul\"",
        "old_call_after = \"1m\"",
        "speak = \"nothing\"",
        "four = \"shi\"",
    ];
    let [zone, feed, hours, voice] = old;
    let head = FILE.replace("id = \"chuo\"\n", &format!("id = \"chuo\"\n{zone}\n"));
    let more = format!(
        "[feed]\n{feed}\n[voice]\noutput = \"none\"\n{voice}\n\
         [[voice.hours]]\ntimes = [\"12:00\", \"13:00\"]\n{hours}\n[wifi]"
    );
    let text = head.replace("[wifi]", &more);
    let used = Box::new(Some(&text));
    let (told, log) = used.start_with_log();
    assert_eq!(
        (&told["card"], &told["configured"]),
        (&"taken".into(), &true.into()),
        "{told}"
    );
    for key in old {
        let line = text.lines().position(|line| line == key).unwrap() + 1;
        let word = key.split(" = ").next().unwrap();
        let warned =
            |said: &&str| said.contains(&format!("yobiban.toml:{line}: ")) && said.contains(word);
        assert!(log.lines().any(|said| warned(&said)), "{key}: {log}");
        for file in ["boot/yobiban.toml", "data/config/node.toml"] {
            let kept = used.text(file);
            assert!(kept.lines().any(|line| line == key), "{file}: {kept}");
        }
    }
    let node = yobiban::config::load_node(&used.path("data/config/node.toml")).unwrap();
    assert_eq!(node.state.max_announce_age.as_secs(), 60);
    assert_eq!(used.start()["card"], "same");
    // What is changed later is taken, too.
    let card = used.text("boot/yobiban.toml").replace("\"1m\"", "\"2m\"");
    fs::write(used.path("boot/yobiban.toml"), card).unwrap();
    assert_eq!(used.start()["card"], "taken");
    let node = yobiban::config::load_node(&used.path("data/config/node.toml")).unwrap();
    assert_eq!(node.state.max_announce_age.as_secs(), 120);
}

#[test]
fn a_wrong_file_is_answered_and_the_box_goes_on_with_what_it_had() {
    let used = Box::new(Some(FILE));
    used.start();
    let node = used.text("data/config/node.toml");
    let wrong = FILE
        .replace("\"chuo\"", "\"Chuo Ward\"")
        .replace("office\"\npass", "office\"\npsk");
    fs::write(used.path("boot/yobiban.toml"), &wrong).unwrap();
    let told = used.start();
    assert_eq!(
        (&told["card"], &told["configured"]),
        (&"wrong".into(), &true.into()),
        "{told}"
    );
    let problem = &told["problems"][0];
    assert!(problem["position"].is_array() && !problem["message"].as_str().unwrap().is_empty());
    assert_eq!(used.text("data/config/node.toml"), node);
    assert_eq!(
        used.text("boot/yobiban.toml"),
        wrong,
        "it is the installer's to correct"
    );
    let told = used.start();
    assert_eq!(told["card"], "wrong", "until it is corrected");
    fs::write(used.path("boot/yobiban.toml"), FILE).unwrap();
    assert_eq!(used.start()["card"], "taken");
}

#[test]
fn what_computers_make_of_a_text_file_is_taken_or_named() {
    let nothing = Box::new(None);
    let told = nothing.start();
    assert_eq!(
        (&told["card"], &told["configured"]),
        (&"missing".into(), &false.into())
    );
    let hidden = Box::new(None);
    fs::write(
        hidden.path("boot/yobiban.toml.txt"),
        format!("\u{feff}{FILE}"),
    )
    .unwrap();
    assert_eq!(hidden.start()["card"], "taken");
    let utf16: Vec<u8> = FILE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let wide = Box::new(None);
    fs::write(wide.path("boot/yobiban.toml"), utf16).unwrap();
    let told = wide.start();
    assert!(
        told["problems"][0]["message"]
            .as_str()
            .unwrap()
            .contains("UTF-8"),
        "{told}"
    );
    let lines = Box::new(Some(&FILE.replace('\n', "\r\n")));
    assert_eq!(lines.start()["card"], "taken");
}

#[test]
fn a_power_cut_while_the_card_is_rewritten_is_made_good() {
    let cut = Box::new(Some(FILE));
    cut.start();
    let whole = cut.text("boot/yobiban.toml");
    // Before the first byte: the card as typed, everything kept.
    fs::write(cut.path("data/config/rewriting"), "").unwrap();
    fs::write(cut.path("boot/yobiban.toml"), FILE).unwrap();
    cut.start();
    assert_eq!(cut.text("boot/yobiban.toml"), whole);
    assert!(!cut.path("data/config/rewriting").exists());
    // In the middle: the beginning of the new text over the old one.
    let half = 500;
    let torn: Vec<u8> = [&whole.as_bytes()[..half], &FILE.as_bytes()[half..]].concat();
    fs::write(cut.path("data/config/rewriting"), "").unwrap();
    fs::write(cut.path("boot/yobiban.toml"), torn).unwrap();
    let told = cut.start();
    assert_eq!(told["configured"], true, "{told}");
    assert_eq!(cut.text("boot/yobiban.toml"), whole);
}

#[test]
fn a_card_stays_as_typed_until_all_of_it_is_kept() {
    let full = Box::new(Some(FILE));
    // In the way of the last file, as if there were no room for it.
    fs::create_dir_all(full.path("data/config/card.toml")).unwrap();
    assert_eq!(full.start()["card"], "failed");
    assert_eq!(full.text("boot/yobiban.toml"), FILE);
    // A mistake on the card later is one, not half of a rewriting.
    assert!(!full.path("data/config/rewriting").exists());
    fs::remove_dir(full.path("data/config/card.toml")).unwrap();
    assert_eq!(full.start()["card"], "taken");
}

#[test]
fn a_data_partition_that_takes_nothing_is_said() {
    let full = Box::new(Some(FILE));
    fs::remove_dir_all(full.path("data/config")).unwrap();
    fs::write(full.path("data/config"), "").unwrap(); // also root cannot make a folder of it
    let told = full.start();
    assert_eq!(
        (&told["card"], &told["configured"]),
        (&"failed".into(), &false.into())
    );
    assert!(
        told["failed"].as_str().unwrap().contains("cannot write"),
        "{told}"
    );
    assert_eq!(full.text("boot/yobiban.toml"), FILE);
}

#[test]
fn what_is_free_on_a_card_is_overwritten_and_the_card_stays_sound() {
    let tools = ["mkfs.vfat", "mcopy", "mdel", "fsck.vfat"].map(tool);
    let [Some(make), Some(copy), Some(delete), Some(check)] = tools else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let run = |program: &PathBuf, arguments: &[&str]| {
        let output = std::process::Command::new(program)
            .args(arguments)
            .current_dir(dir.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{program:?}: {output:?}");
    };
    fs::File::create(path("card"))
        .unwrap()
        .set_len(40 << 20)
        .unwrap();
    run(&make, &["-F", "32", "-s", "1", "card"]);
    let kept: Vec<u8> = (0..=250).cycle().take(300_001).collect();
    fs::write(path("kernel"), &kept).unwrap();
    fs::write(path("yobiban.toml"), FILE.repeat(40)).unwrap();
    run(&copy, &["-i", "card", "yobiban.toml", "::yobiban.toml"]);
    run(&copy, &["-i", "card", "kernel", "::kernel"]);
    run(&delete, &["-i", "card", "::yobiban.toml"]);
    let secret = || {
        let card = fs::read(path("card")).unwrap();
        String::from_utf8_lossy(&card).contains("radio secret")
    };
    assert!(secret(), "a computer leaves what it deletes");

    let wipe = |device: &str| {
        let mut command = yobiban();
        command
            .args(["setup", "--wipe", device])
            .current_dir(dir.path());
        command.output().unwrap()
    };
    let output = wipe("card");
    assert!(output.status.success(), "{output:?}");
    assert!(!secret());
    run(&check, &["-n", "card"]);
    run(&copy, &["-i", "card", "::kernel", "again"]);
    assert!(fs::read(path("again")).unwrap() == kept);

    let output = wipe("kernel");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("cannot overwrite the free space on kernel"),
        "{said}"
    );
    assert!(fs::read(path("kernel")).unwrap() == kept);
}
