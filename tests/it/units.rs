//! The services as systemd reads them.

use crate::support::{root, tool};
use std::process::Command;

/// The units as they are installed, but with the program that was built.
fn units(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut units = Vec::new();
    for file in std::fs::read_dir(root().join("systemd")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|e| e == "service") {
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text.replace("/usr/bin/yobiban", env!("CARGO_BIN_EXE_yobiban"));
            let copy = dir.join(path.file_name().unwrap());
            std::fs::write(&copy, text).unwrap();
            units.push(copy);
        }
    }
    assert!(units.len() >= 3);
    units
}

#[test]
fn systemd_understands_every_line_of_the_units() {
    let Some(analyze) = tool("systemd-analyze") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    for unit in units(dir.path()) {
        let verify = |unit: &std::path::Path| {
            let mut command = Command::new(&analyze);
            command
                .args(["verify", "--man=no", "--recursive-errors=no"])
                .arg(unit);
            String::from_utf8(command.output().unwrap().stderr).unwrap()
        };
        let said = verify(&unit);
        assert_eq!(said, "", "{}", unit.display());
        // It can tell: the exit code is 0 also for a bad value.
        let text = std::fs::read_to_string(&unit).unwrap();
        std::fs::write(
            &unit,
            text.replace("ProtectSystem=strict", "ProtectSystem=perhaps"),
        )
        .unwrap();
        assert!(verify(&unit).contains("perhaps"));
    }
}

#[test]
fn the_services_may_do_little() {
    let Some(analyze) = tool("systemd-analyze") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    for unit in units(dir.path()) {
        // Tenths: a node, and the last picture on its boards, need devices.
        let limit = if unit.ends_with("yobiban-hub.service") {
            20
        } else {
            30
        };
        let mut command = Command::new(&analyze);
        command
            .args([
                "security",
                "--offline=yes",
                "--no-pager",
                &format!("--threshold={limit}"),
            ])
            .arg(&unit);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let last = said.lines().next_back().unwrap_or_default();
        println!("{last}");
        assert!(output.status.success(), "{said}");
    }
}

/// The value of a key in a file of systemd.
fn value(text: &str, key: &str) -> String {
    let line = text
        .lines()
        .find_map(|l| l.strip_prefix(key)?.strip_prefix('='));
    line.unwrap_or_else(|| panic!("no {key}")).to_owned()
}

#[test]
fn the_services_never_give_up_and_the_last_picture_is_part_of_switching_off() {
    let read = |name: &str| std::fs::read_to_string(root().join("systemd").join(name)).unwrap();
    for service in ["yobiban-node.service", "yobiban-hub.service"] {
        let unit = read(service);
        assert_eq!(value(&unit, "Restart"), "always");
        assert_eq!(value(&unit, "StartLimitIntervalSec"), "0");
        assert!(value(&unit, "ConditionPathExists").starts_with("/etc/yobiban/"));
    }
    let node = read("yobiban-node.service");
    assert_eq!(value(&node, "Type"), "notify");
    assert_eq!(value(&node, "RuntimeDirectoryPreserve"), "yes");
    let goodbye = read("yobiban-goodbye.service");
    let extract = value(&goodbye, "ConditionPathExists");
    assert!(value(&goodbye, "ExecStart").ends_with(&extract));
    assert_eq!(value(&goodbye, "DefaultDependencies"), "no");
    for target in ["poweroff", "reboot", "halt"] {
        let service = format!("systemd-{target}.service");
        assert!(value(&goodbye, "Before").contains(&service));
        assert!(value(&goodbye, "WantedBy").contains(&format!("{target}.target")));
    }
}

#[test]
fn a_box_has_its_journal_in_memory_and_a_watchdog_that_a_raspberry_pi_can_count() {
    let read =
        |name: &str| std::fs::read_to_string(root().join("systemd/machine").join(name)).unwrap();
    let journal = read("journald.conf");
    assert_eq!(value(&journal, "Storage"), "volatile");
    assert_eq!(value(&journal, "RuntimeMaxUse"), "16M");
    let seconds = value(&read("watchdog.conf"), "RuntimeWatchdogSec");
    let seconds: u32 = seconds.strip_suffix('s').unwrap().parse().unwrap();
    assert!((5..=15).contains(&seconds));
}
