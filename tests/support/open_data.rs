//! A city on a socket, and the programs of others that read it.
//!
//! They are those of `tests/opendata/requirements.txt`, in `tests/opendata/venv` (made by
//! `.ci/tools`); without them the tests that need them are skipped.

use super::city::{City, numbers, picture};
use super::{PATIENCE, root, skip};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use tokio::process::Command;
use yobiban::hub::{AnnouncementRequest, Bounds, Speaker, listen, serve};

pub fn venv(program: &str) -> Option<PathBuf> {
    let path = root().join("tests/opendata/venv/bin").join(program);
    if path.exists() {
        return Some(path);
    }
    skip("tests/opendata/venv is missing: see .ci/run");
    None
}

/// A city on a socket, with pictures, calls and a past.
pub async fn served() -> (City, String) {
    let city = City::awake().await;
    city.with_a_past().await;
    let (bytes, line) = picture(40);
    let mut chuo = numbers("chuo");
    chuo.boards.push(line);
    chuo.seq += 1;
    city.tell(&chuo).await;
    city.send("chuo/node/n1/board/main", bytes).await;
    let call = r#"{"queue":"moving","day":"2026-11-24","epoch":0,"no":7,"ticket":"=1+\"1,","counter":"3",
        "at":"2026-11-24T10:00:00+09:00","kind":"call"}"#;
    city.send("chuo/node/n1/calls", call).await;
    let listener = listen(([127, 0, 0, 1], 0).into()).unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let spoken =
        |asked: &AnnouncementRequest| (asked.lang.len() < 9).then(|| b"RIFF".as_slice().into());
    city.hub.speak_with(Speaker::new(spoken));
    let (hub, stop) = (Arc::clone(&city.hub), city.shutdown.clone());
    tokio::spawn(serve(listener, hub, Bounds::new(100), stop));
    (city, base)
}
/// What a program says, and whether it is content.
pub async fn run(command: &mut Command) -> (bool, String) {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let out = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    let out = out.expect("it takes too long").unwrap();
    let text = [out.stdout, out.stderr].map(|t| String::from_utf8_lossy(&t).into_owned());
    (out.status.success(), text.concat())
}
