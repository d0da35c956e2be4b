//! Texts that a board's fonts cannot draw, from the message to the page of those who run the nodes.

use crate::mqtt::{options, start, up};
use crate::support::mosquitto::Mosquitto;
use crate::support::process::Process;
use crate::support::until;
use crate::support::{http, node_toml, yobiban};
use jiff::tz::TimeZone;
use std::path::Path;
use yobiban::clock::{Clock as _, SystemClock};
use yobiban::mqtt::{Publish, Session};

const TOKEN: &str = "0123456789abcdefgh";

fn process(role: &str, config: &Path) -> Process {
    let mut command = yobiban();
    command.args([role, "--config"]).arg(config);
    Process::start(command)
}

/// A message of the queue, made now, with one ticket that was called and one that is due.
async fn say(source: &Session, no: u64, next: &str) {
    let now = SystemClock::new()
        .now()
        .wall
        .to_zoned(TimeZone::get("Asia/Tokyo").unwrap());
    let at = now.strftime("%Y-%m-%dT%H:%M:%S.%3f%:z").to_string();
    let message = format!(
        r#"{{"seq":{},"at":"{at}","day":"{}","status":"open","waiting":1,"on_hold":0,"next":["{next}"],
        "calls":[{{"no":{no},"ticket":"A{no:03}","counter":"3","at":"{at}","kind":"call"}}]}}"#,
        now.timestamp().as_millisecond(),
        now.date()
    );
    let topic = "yobiban/v1/chuo/feed/certificates";
    let message = Publish::retained(topic, message);
    source.publisher.publish(message).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_board_cannot_draw_is_said_where_the_nodes_are_looked_after_until_it_is_gone() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let boards = "[[board]]\nid = \"main\"\nsize = [640, 360]\noutput = { kind = \"png\", path = \"main.png\" }\n\
        [[board]]\nid = \"led\"\noutput = { kind = \"max7219\", spi = \"/dev/nothing\", modules = [16, 2] }\n";
    let node = dir.path().join("node.toml");
    std::fs::write(&node, node_toml(broker.address(), boards)).unwrap();
    let hub = dir.path().join("hub.toml");
    let text = format!(
        "[mqtt]\nurl = \"mqtt://{}\"\n[http]\nlisten = \"127.0.0.1:0\"\nfleet_token = \"{TOKEN}\"\n\
         [store]\nurl = \"sqlite:hub.db\"\n",
        broker.address()
    );
    std::fs::write(&hub, text).unwrap();
    let own = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&hub, own).unwrap();
    let mut hub = process("hub", &hub);
    let pages = hub.pages().await;
    let mut node = process("node", &node);
    let mut source = start(options(broker.address(), "source"));
    up(&mut source).await;
    let fleet = async |lang: &str| {
        let head = format!("Authorization: Bearer {TOKEN}\r\n");
        http::get_with(pages, &format!("/fleet?lang={lang}"), &head)
            .await
            .text()
    };

    say(&source, 1, "𠮷뷁👍🏽\u{e000}42").await;
    let points = ["U+20BB7", "U+BDC1", "U+1F44D", "U+E000"];
    let screen = "board main: its fonts lack U+BDC1, U+E000, U+1F3FD, U+1F44D, U+20BB7";
    until("the issue is on the page", async || {
        let page = fleet("en").await;
        page.contains(screen) && page.contains("board led: its fonts lack")
    })
    .await;
    let (ja, en) = (fleet("ja").await, fleet("en").await);
    assert!(ja.contains("表示盤に表示できない文字があります"), "{ja}");
    for page in [&ja, &en] {
        for told in points.iter().chain(&["text-undrawable", screen]) {
            assert!(page.contains(told), "{told}: {page}");
        }
        assert!(!page.contains('𠮷') && !page.contains('뷁'), "{page}");
    }
    assert_eq!(node.says("𠮷"), 0, "{:?}", node.said());
    assert!(node.says("its fonts lack") >= 2, "{:?}", node.said());

    say(&source, 2, "A003").await;
    until("the issue is over", async || {
        let page = fleet("en").await;
        page.contains("led") && !page.contains("text-undrawable")
    })
    .await;
    node.stop().await;
    hub.stop().await;
}

#[test]
fn check_names_the_characters_of_names_that_a_board_cannot_draw() {
    let dir = tempfile::tempdir().unwrap();
    let more = "[[queue]]\nid = \"a\"\nname = { ja = \"𠮷野\", en = \"한\" }\n\
        [[queue]]\nid = \"b\"\nname = { ja = \"髙橋\" }\n\
        [[board]]\nid = \"main\"\nsize = [640, 360]\noutput = { kind = \"png\", path = \"main.png\" }\n\
        [[board]]\nid = \"led\"\nqueues = [\"b\"]\noutput = { kind = \"max7219\", modules = [16, 2] }\n";
    let path = dir.path().join("node.toml");
    std::fs::write(&path, node_toml("127.0.0.1", more)).unwrap();
    let output = yobiban().arg("check").arg(&path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let warnings: Vec<&str> = said
        .lines()
        .filter_map(|line| line.split_once("node.toml: ").map(|(_, what)| what))
        .collect();
    let end = "; a sign will stand in their place";
    assert_eq!(
        warnings,
        [
            format!("name of queue a: board main cannot draw U+D55C, U+20BB7{end}"),
            format!("name of queue b: board led cannot draw U+9AD9{end}"),
        ]
    );
}
