//! What several tests need.

pub mod city;
pub mod day;
pub mod dictionary;
pub mod filmed;
pub mod http;
pub mod mosquitto;
pub mod nats;
pub mod netcam;
pub mod png;
pub mod process;
pub mod proxy;
#[cfg(target_os = "linux")]
pub mod pty;
pub mod video;

use std::path::{Path, PathBuf};
use std::time::Duration;

/// The folder of the package.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the material beside the project, if it is there.
///
/// Says so when it is not; with `YOBIBAN_REQUIRE_TOOLS` set (as on the build machine) that is a
/// failure.
pub fn shared(path: &str) -> Option<PathBuf> {
    let found = root().join("../shared").join(path);
    if found.exists() {
        return Some(found);
    }
    skip(&format!("../shared/{path} is not beside the project"));
    None
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

/// How long to wait for what must come. Only a test that fails waits it out, therefore it allows for
/// a busy machine on which other tests emulate computers and drive browsers.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// In which time whatever runs must have ended once it is told to: the two seconds that the parts
/// give each other, with room for a busy machine.
pub const ENDS_WITHIN: Duration = Duration::from_secs(15);

/// Asks until the answer is there, for at most `limit`.
pub async fn eventually<T>(limit: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begin = std::time::Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begin.elapsed() < limit, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
