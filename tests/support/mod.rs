//! What several tests need, compiled into both `it` and `system`. What only one of them needs stands
//! in its own folder.

pub mod afternoon;
pub mod authority;
pub mod city;
pub mod day;
pub mod dictionary;
pub mod exposition;
pub mod filmed;
pub mod filming;
pub mod http;
pub mod mosquitto;
pub mod netcam;
pub mod open_data;
pub mod patience;
pub mod png;
pub mod port;
pub mod postgres;
pub mod process;
pub mod proxy;
#[cfg(target_os = "linux")]
pub mod pty;
pub mod reports;
pub mod sessions;
pub mod streams;

pub(crate) use patience::{PATIENCE, eventually, until, wait_for};
pub use port::free_port;

use std::path::{Path, PathBuf};

/// The folder of the package.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the material that may lie beside the project: with it, more of the same is tried. What a
/// test needs is in `tests/fixtures`.
pub fn shared(path: &str) -> Option<PathBuf> {
    let found = root().join("../shared").join(path);
    if found.exists() {
        return Some(found);
    }
    println!("without ../shared/{path}, which is not beside the project");
    None
}

/// A recording of `tests/fixtures/days`.
pub fn recording(name: &str) -> PathBuf {
    root().join("tests/fixtures/days").join(name)
}

/// An installed program, looked for in `PATH` and the system folders.
pub fn tool(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .map(|dir| dir.join(name))
        .find(|candidate| candidate.is_file());
    if found.is_none() {
        skip(&format!("{name} is not installed"));
    }
    found
}

/// Says that a test is skipped; fails where nothing may be.
pub fn skip(why: &str) {
    assert!(
        std::env::var_os("YOBIBAN_REQUIRE_TOOLS").is_none(),
        "may not be skipped here: {why}"
    );
    println!("skipped: {why}");
}

/// The program itself, in an environment that says nothing about logs or credentials.
pub fn yobiban() -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_yobiban"));
    for variable in ["YOBIBAN_LOG", "RUST_LOG", "CREDENTIALS_DIRECTORY"] {
        command.env_remove(variable);
    }
    command.stdin(std::process::Stdio::null());
    command
}

/// A node's configuration: the office chuo with one queue and its store beside the file, and `more`.
pub fn node_toml(broker: impl std::fmt::Display, more: &str) -> String {
    format!(
        r#"
        [office]
        id = "chuo"
        name = {{ ja = "中央区" }}
        [node]
        id = "n1"
        [mqtt]
        url = "mqtt://{broker}"
        [store]
        dir = "store"
        [[queue]]
        id = "certificates"
        name = {{ ja = "証明書" }}
        {more}
        "#
    )
}

/// The seed for what is random in a test: `YOBIBAN_SEED`, or else `otherwise`. It is printed, so that
/// what failed can be tried again.
pub fn seed(otherwise: u64) -> u64 {
    let given = std::env::var("YOBIBAN_SEED").ok();
    let seed = given.map_or(otherwise, |seed| {
        seed.parse().expect("YOBIBAN_SEED: a number")
    });
    println!("YOBIBAN_SEED={seed} tries the same again");
    seed
}
