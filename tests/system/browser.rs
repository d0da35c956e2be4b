//! The hub's pages in a real browser: see `tests/browser/run.mjs` for what is looked at.
//!
//! The script asks for events by lines on its standard output (`feed TICKET`), answered by a line
//! on its standard input once the hub has taken them.

use crate::alone::{alone, smoke};
use crate::support::city::{City, FLEET_TOKEN, line, numbers, time};
use crate::support::reports::troubled;
use crate::support::{root, skip, tool};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use yobiban::hub::{Bounds, listen, serve};
use yobiban::model::Label;

/// A browser starts, looks at some three hundred pages and ends well within this.
const LIMIT: Duration = Duration::from_secs(1800);

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_live_accessible_and_fit_a_phone() {
    let _alone = alone();
    let (Some(node), Some(chromium)) = (tool("node"), tool("chromium")) else {
        return;
    };
    if !root().join("tests/browser/node_modules").is_dir() {
        return skip("tests/browser/node_modules is missing: npm ci there");
    }
    let city = City::awake().await;
    city.with_a_past().await;
    let board = std::env::var_os("YOBIBAN_BOARD").and_then(|path| std::fs::read(path).ok());
    let (bytes, line) = match board {
        Some(bytes) => (bytes.clone().into(), line(&bytes, "image/png", 1920, 1080)),
        None => crate::support::city::picture(40),
    };
    let mut chuo = numbers("chuo");
    chuo.boards.push(line);
    chuo.seq += 1;
    city.tell(&chuo).await;
    city.send("chuo/node/n1/board/main", bytes).await;

    let mut health = troubled();
    health["outputs"][0]["state"] = "shown".into(); // the city's visitors see their board
    city.send("chuo/node/n1/health", health.to_string()).await;

    let passed = r#"{"queue":"certificates","day":"2026-11-24","epoch":0,"no":41,"ticket":"A040",
        "counter":"2","at":"2026-11-24T10:31:00+09:00","kind":"call"}"#;
    city.send("chuo/node/n1/calls", passed).await;

    let listener = listen(([127, 0, 0, 1], 0).into()).unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let pages = Arc::clone(&city.hub);
    let stop = city.shutdown.clone();
    let served = tokio::spawn(serve(listener, pages, Bounds::new(100), stop));

    let mut child = tokio::process::Command::new(node)
        .arg(root().join("tests/browser/run.mjs"))
        .arg(&base)
        .env("CHROMIUM", chromium)
        .env("FLEET_TOKEN", FLEET_TOKEN)
        .env("SMOKE", if smoke() { "1" } else { "" })
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut answers = child.stdin.take().unwrap();
    let mut asked = BufReader::new(child.stdout.take().unwrap()).lines();
    let talk = async {
        while let Some(text) = asked.next_line().await.unwrap() {
            let Some(ticket) = text.strip_prefix("feed ") else {
                println!("{text}");
                continue;
            };
            let queue = &mut chuo.queues[0];
            let call = queue.last_call.as_mut().unwrap();
            call.ticket = Label::new(ticket).unwrap();
            call.no += 1;
            queue.next.retain(|l| l.as_str() != ticket);
            queue.waiting = Some(queue.next.len().try_into().unwrap());
            queue.as_of = Some(time("2026-11-24T10:43:10+09:00"));
            chuo.seq += 1;
            city.tell(&chuo).await;
            answers.write_all(b"fed\n").await.unwrap();
        }
        child.wait().await.unwrap()
    };
    let status = tokio::time::timeout(LIMIT, talk)
        .await
        .expect("the browser took too long");
    assert!(status.success(), "see the findings above");
    city.stop().await;
    served.await.unwrap();
}
