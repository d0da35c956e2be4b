//! The program in an emulated machine: its display compared pixel by pixel, its sound sample by
//! sample, its power cut, its camera pulled out.
//! Scripts in `tests/emulation` do it; here they are run with the program under test.

use crate::alone::{alone, few, seed};
use crate::support::{dictionary::dictionary, root, skip};
use std::process::Command;

/// Power cuts of the bounded run; `YOBIBAN_CUTS` cuts more often.
const CUTS: u32 = 4;

/// The script says so when something needed is missing.
const SKIPPED: i32 = 77;

/// Runs a script that prints `skipped: …` or ends with `all as it should be`.
fn run(script: &str, arguments: &[&str]) {
    let output = Command::new(root().join("tests/emulation").join(script))
        .args(arguments)
        .output();
    let output = match output {
        Ok(output) => output,
        Err(e) => return skip(&format!("tests/emulation/{script} cannot be run: {e}")),
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

#[test]
fn a_monitor_shows_the_board_whatever_happens_to_it() {
    let _alone = alone();
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => return skip(&format!("no emulated machine for {other}")),
    };
    let mut arguments = vec![arch, env!("CARGO_BIN_EXE_yobiban")];
    arguments.extend(few(&["board"][..], &[]));
    run("run", &arguments);
}

#[test]
fn a_loudspeaker_plays_what_is_spoken_also_after_it_was_away() {
    let _alone = alone();
    let Some(dictionary) = dictionary() else {
        return;
    };
    let dictionary = dictionary.to_str().expect("a path as text");
    run("sound", &[env!("CARGO_BIN_EXE_yobiban"), dictionary]);
}

#[test]
fn a_power_cut_takes_nothing_that_was_kept() {
    let _alone = alone();
    let cuts = std::env::var("YOBIBAN_CUTS").unwrap_or(few(1, CUTS).to_string());
    let seed = seed().to_string();
    run("power", &[env!("CARGO_BIN_EXE_yobiban"), &cuts, &seed]);
}

#[test]
fn a_camera_is_filmed_with_whatever_happens_to_it() {
    let _alone = alone();
    let mut arguments = vec![env!("CARGO_BIN_EXE_yobiban")];
    arguments.extend(few(&["board"][..], &[]));
    run("camera", &arguments);
}
