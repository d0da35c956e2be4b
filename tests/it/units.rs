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
    assert!(units.len() >= 2);
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
        std::fs::write(&unit, text.replace("Restart=always", "Restart=sometimes")).unwrap();
        assert!(verify(&unit).contains("sometimes"));
    }
}

#[test]
fn the_services_may_do_little() {
    let Some(analyze) = tool("systemd-analyze") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    for unit in units(dir.path()) {
        // Tenths: a node needs its devices.
        let limit = if unit.ends_with("yobiban-node.service") {
            30
        } else {
            20
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
