//! The program on a display: an emulated machine whose glass is compared pixel by pixel.
//! `tests/emulation/run` does it; here it is run with the program under test.

use crate::support::{root, skip};
use std::process::Command;

/// The script says so when something needed is missing.
const SKIPPED: i32 = 77;

#[test]
fn a_monitor_shows_the_board_whatever_happens_to_it() {
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => return skip(&format!("no emulated machine for {other}")),
    };
    let output = Command::new(root().join("tests/emulation/run"))
        .args([arch, env!("CARGO_BIN_EXE_yobiban")])
        .output();
    let output = match output {
        Ok(output) => output,
        Err(e) => return skip(&format!("tests/emulation/run cannot be run: {e}")),
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    println!("{said}");
    if output.status.code() == Some(SKIPPED) {
        let why = said.lines().find_map(|line| line.strip_prefix("skipped: "));
        return skip(why.unwrap_or("the emulated machine"));
    }
    assert!(output.status.success(), "{said}\n{errors}");
    assert!(said.contains("all as it should be"), "{said}\n{errors}");
}
