//! Boards of digits on pseudo-terminals and in the network: what they get, and what becomes of a
//! board that answers nonsense, half, late or not at all, or whose plug is pulled.

use crate::support::mosquitto::Mosquitto;
use crate::support::pty::{Answer, Board};
use crate::{mqtt as sessions, support};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use yobiban::clock::{Clock as _, SystemClock};
use yobiban::config::{self, NodeConfig, OutputConfig};
use yobiban::mqtt::{Publish, Subscription};
use yobiban::node::Probe;
use yobiban::output::Connector;
use yobiban::output::serial::{Face, Field, SerialBoard};
use yobiban::{services, wire};

/// Longer than anything here takes on a busy machine.
const LIMIT: Duration = crate::support::PATIENCE;

/// `STX`, address of two digits, four digits, `ETX`.
const STX_FRAME: usize = 8;

/// A node with a board of digits; `keys` are those of its output.
fn node(device: &str, keys: &str, fields: &[u16], broker: &str, dir: &Path) -> NodeConfig {
    let field = |address: &u16| {
        format!("[[board.output.field]]\naddress = {address}\nqueue = \"certificates\"\n")
    };
    let fields: String = fields.iter().map(field).collect();
    let board = format!(
        r#"
        [[board]]
        id = "digits"
        [board.output]
        kind = "serial"
        device = "{device}"
        {keys}
        {fields}
        "#
    );
    let text = support::node_toml(broker, &board);
    config::parse_node(&text, "node.toml", dir).unwrap()
}

pub fn board(device: &str, keys: &str) -> SerialBoard {
    let config = node(device, keys, &[1], "127.0.0.1:1", Path::new("/"));
    match &config.boards[0].output {
        OutputConfig::Serial(serial) => SerialBoard::new(serial).unwrap(),
        other => panic!("{other:?}"),
    }
}

pub fn show(board: &mut SerialBoard, texts: &[(u16, &str)]) {
    let field = |(address, text): &(u16, &str)| Field {
        address: *address,
        face: Face::Text((*text).to_owned()),
        blink: false,
    };
    board.set_fields(&texts.iter().map(field).collect::<Vec<_>>());
}

/// Tends a board until something is so.
pub fn until(board: &mut SerialBoard, what: &str, is: impl Fn(&SerialBoard) -> bool) {
    support::wait_for(what, || {
        if is(board) {
            return Ok(());
        }
        board.poll_device();
        Err((board.status().clone(), board.error().map(str::to_owned)))
    });
}

pub fn settle(board: &mut SerialBoard) {
    until(board, "settled", SerialBoard::is_settled);
}

pub fn fact<'a>(board: &'a SerialBoard, name: &str) -> &'a str {
    board.status().facts.get(name).map_or("", String::as_str)
}

/// A folder with a name for a device in it.
pub fn device() -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let name = dir.path().join("board").to_str().unwrap().to_owned();
    (dir, name)
}

const ACK: &str = "template = \"stx\"\noptions = [\"ack\"]\nrefresh = \"1s\"";

/// An own template: answers are `STX address ACK`, and awaited for 100 ms.
fn strict(dir: &Path) -> String {
    let text = r#"
        reply = "02 @@ 06"
        timeout = "100ms"
        repeats = 1
        pause = "0ms"
        [[part]]
        bytes = "02"
        [[part]]
        address = "ascii"
        [[part]]
        digits = 4
        [[part]]
        bytes = "03"
    "#;
    let path = dir.join("strict.toml");
    std::fs::write(&path, text).unwrap();
    format!("template = \"{}\"\nrefresh = \"1s\"", path.display())
}

/// The answer that the own template awaits.
fn strict_answer(frame: &[u8]) -> Vec<u8> {
    vec![2, frame[1], frame[2], 6]
}

#[test]
fn what_changed_is_sent_at_once_and_everything_again_after_a_while() {
    let (_dir, name) = device();
    let far = Board::plug(Path::new(&name), STX_FRAME, |_| Answer::Bytes(vec![6]));
    let mut near = board(&name, &ACK.replace("1s", "10m"));
    show(&mut near, &[(1, "A042"), (2, "7")]);
    settle(&mut near);
    assert_eq!(
        far.take(),
        [b"\x0201 042\x03".to_vec(), b"\x0202   7\x03".to_vec()]
    );
    assert_eq!(near.status().connector, Connector::Connected);
    assert_eq!(
        (fact(&near, "confirmed"), fact(&near, "last_reply")),
        ("2 of 2", "06")
    );
    assert_eq!(fact(&near, "device"), name);
    assert_eq!(near.error(), None);
    assert_eq!(near.frames().unwrap(), b"\x0201 042\x03\x0202   7\x03");

    show(&mut near, &[(1, "A042"), (2, "8")]);
    settle(&mut near);
    assert_eq!(
        far.take(),
        [b"\x0202   8\x03".to_vec()],
        "only what changed"
    );
    drop(near);

    let mut near = board(&name, ACK);
    let begin = Instant::now();
    show(&mut near, &[(1, "A042"), (2, "8")]);
    until(&mut near, "the next round", |_| far.seen().len() >= 4);
    assert!(
        begin.elapsed() >= Duration::from_millis(500),
        "not before its time"
    );
    let mut again = far.take()[2..4].to_vec();
    again.sort();
    assert_eq!(
        again,
        [b"\x0201 042\x03".to_vec(), b"\x0202   8\x03".to_vec()]
    );
}

#[test]
fn a_board_that_answers_nonsense_is_named_and_the_others_go_on() {
    let (_dir, name) = device();
    let broken = Arc::new(AtomicBool::new(true));
    let is_broken = Arc::clone(&broken);
    let far = Board::plug(Path::new(&name), STX_FRAME, move |frame| {
        let third = &frame[1..3] == b"03" && is_broken.load(Ordering::Relaxed);
        Answer::Bytes(if third { vec![0x15, 0] } else { vec![6] })
    });
    let mut near = board(&name, ACK);
    show(&mut near, &[(3, "30"), (4, "40")]);
    settle(&mut near);
    assert_eq!(near.error(), Some("address 3: expected 06, got 15 00"));
    assert_eq!(
        (fact(&near, "confirmed"), fact(&near, "unconfirmed")),
        ("1 of 2", "3")
    );
    assert_eq!(near.status().connector, Connector::Connected);
    let seen = far.take();
    assert_eq!(
        seen.iter().filter(|f| &f[1..3] == b"03").count(),
        3,
        "two repeats"
    );
    assert_eq!(seen.iter().filter(|f| &f[1..3] == b"04").count(), 1);
    assert_eq!(
        seen[1][1..3],
        *b"04",
        "the other did not wait for the repeats"
    );

    show(&mut near, &[(3, "30"), (4, "41")]);
    until(&mut near, "the other field", |_| {
        far.seen().contains(&b"\x0204  41\x03".to_vec())
    });
    broken.store(false, Ordering::Relaxed);
    until(&mut near, "well again", |near| near.error().is_none());
    assert_eq!(fact(&near, "confirmed"), "2 of 2");
}

#[test]
fn a_board_that_never_answers_is_taken_for_switched_off() {
    let (dir, name) = device();
    let far = Board::plug(Path::new(&name), STX_FRAME, |_| Answer::Silence);
    let mut near = board(&name, &strict(dir.path()));
    show(&mut near, &[(1, "1")]);
    settle(&mut near);
    assert_eq!(near.error(), Some("address 1: no answer within 100ms"));
    assert_eq!(near.status().connector, Connector::Disconnected);
    assert_eq!(far.take().len(), 2, "one repeat");
    until(&mut near, "tried on", |_| far.seen().len() >= 2);
}

#[test]
fn a_board_that_is_not_asked_to_answer_is_not_vouched_for() {
    let (_dir, name) = device();
    let far = Board::plug(Path::new(&name), STX_FRAME, |_| Answer::Silence);
    let mut near = board(&name, "template = \"stx\"");
    show(&mut near, &[(1, "1")]);
    settle(&mut near);
    until(&mut near, "the frame", |_| far.seen().len() == 1);
    assert_eq!(near.status().connector, Connector::Unknown);
    assert_eq!((fact(&near, "confirmed"), near.error()), ("unknown", None));
}

#[test]
fn half_an_answer_is_none() {
    let (dir, name) = device();
    let half = Arc::new(AtomicBool::new(true));
    let is_half = Arc::clone(&half);
    let _far = Board::plug(Path::new(&name), STX_FRAME, move |frame| {
        let mut answer = strict_answer(frame);
        answer.truncate(if is_half.load(Ordering::Relaxed) {
            2
        } else {
            4
        });
        Answer::Bytes(answer)
    });
    let mut near = board(&name, &strict(dir.path()));
    show(&mut near, &[(1, "1")]);
    settle(&mut near);
    assert_eq!(
        near.error(),
        Some("address 1: expected 02 30 31 06, got 02 30")
    );
    half.store(false, Ordering::Relaxed);
    until(&mut near, "well again", |near| near.error().is_none());
}

#[test]
fn an_answer_that_comes_late_counts_for_no_other() {
    let (dir, name) = device();
    let far = Board::plug(Path::new(&name), STX_FRAME, |frame| match &frame[1..3] {
        b"01" => Answer::Late(Duration::from_millis(110), strict_answer(frame)),
        _ => Answer::Silence,
    });
    let mut near = board(&name, &strict(dir.path()));
    show(&mut near, &[(1, "1"), (2, "2"), (3, "3")]);
    until(&mut near, "the others are unconfirmed", |near| {
        near.is_settled() && fact(near, "unconfirmed").ends_with("2, 3")
    });
    // They are tried on, and answers of the first go on coming in between.
    until(&mut near, "tried on", |near| {
        assert!(fact(near, "unconfirmed").ends_with("2, 3"));
        far.seen().len() >= 12
    });
}

#[test]
fn a_line_that_never_rests_holds_nobody_up() {
    let (dir, name) = device();
    let _far = Board::plug(Path::new(&name), STX_FRAME, |_| {
        Answer::Bytes(vec![0x55; 3000])
    });
    let mut near = board(&name, &strict(dir.path()));
    show(&mut near, &[(1, "1"), (2, "2")]);
    settle(&mut near);
    let text = near.error().unwrap();
    assert!(
        text.starts_with("address 1: expected 02 30 31 06, got 55 55"),
        "{text}"
    );
    assert!(text.len() < 1000, "bounded: {text}");
    assert!(fact(&near, "last_reply").len() <= 64 * 3);
}

#[test]
fn a_converter_that_hears_itself_is_no_trouble() {
    let (dir, name) = device();
    let _far = Board::plug(Path::new(&name), STX_FRAME, |frame| {
        Answer::Bytes([frame, &strict_answer(frame)].concat())
    });
    let mut near = board(&name, &strict(dir.path()));
    show(&mut near, &[(1, "1")]);
    settle(&mut near);
    assert_eq!((near.error(), fact(&near, "confirmed")), (None, "1 of 1"));
}

#[test]
fn a_pulled_plug_is_said_and_the_board_is_found_again_by_its_name() {
    let (_dir, name) = device();
    let path = Path::new(&name);
    let far = Board::plug(path, STX_FRAME, |_| Answer::Bytes(vec![6]));
    let mut near = board(&name, ACK);
    show(&mut near, &[(1, "1"), (2, "2")]);
    settle(&mut near);
    drop(far);
    until(&mut near, "lost", |near| {
        near.error()
            .is_some_and(|text| text.starts_with("lost ") || text.starts_with("cannot open "))
    });
    assert_eq!(near.status().connector, Connector::Disconnected);
    until(&mut near, "looked for", |near| {
        near.error() == Some(&format!("cannot open {name}: no such file or directory"))
    });
    show(&mut near, &[(1, "1"), (2, "3")]);
    let far = Board::plug(path, STX_FRAME, |_| Answer::Bytes(vec![6]));
    until(&mut near, "found again", |near| {
        near.error().is_none() && near.is_settled()
    });
    let mut seen = far.take();
    seen.sort();
    assert_eq!(
        seen,
        [b"\x0201   1\x03".to_vec(), b"\x0202   3\x03".to_vec()],
        "all of it"
    );
    assert_eq!(near.status().connector, Connector::Connected);
}

#[test]
fn a_converter_whose_direction_cannot_be_switched_is_said() {
    let (_dir, name) = device();
    // A pseudo-terminal has no RTS.
    let _far = Board::plug(Path::new(&name), STX_FRAME, |_| Answer::Silence);
    let mut near = board(&name, "template = \"stx\"\nrs485 = \"rts\"");
    show(&mut near, &[(1, "1")]);
    until(&mut near, "said", |near| near.error().is_some());
    let text = near.error().unwrap();
    let wanted = format!("cannot open {name}: cannot switch RTS: ");
    assert!(text.starts_with(&wanted), "{text}");
}

#[test]
fn what_stood_still_while_others_blinked_is_sent_again_in_its_turn() {
    let (_dir, name) = device();
    let far = Board::plug(Path::new(&name), STX_FRAME, |_| Answer::Bytes(vec![6]));
    let mut near = board(&name, ACK);
    let steady = b"\x0202   2\x03".to_vec();
    let mut count = 0;
    support::wait_for("it is sent a third time", || {
        count += 1;
        show(&mut near, &[(1, &(count % 1000).to_string()), (2, "2")]);
        near.poll_device();
        far.seen().iter().filter(|frame| **frame == steady).count() >= 3
    });
}

#[test]
fn a_number_that_does_not_fit_is_dashes_and_said() {
    let (_dir, name) = device();
    let far = Board::plug(Path::new(&name), STX_FRAME, |_| Answer::Bytes(vec![6]));
    let mut near = board(&name, ACK);
    show(&mut near, &[(1, "A12345")]);
    settle(&mut near);
    assert_eq!(far.take(), [b"\x0201----\x03".to_vec()]);
    assert_eq!(
        near.error(),
        Some("address 1: A12345 does not fit into 4 digits")
    );
    show(&mut near, &[(1, "A123")]);
    settle(&mut near);
    assert_eq!(near.error(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_reaches_the_digits_and_the_report_proves_it() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let (dir, name) = device();
    let far = Board::plug(Path::new(&name), STX_FRAME, |_| Answer::Bytes(vec![6]));
    let keys = format!("{ACK}\nblink = false");
    let config = node(
        &name,
        &keys,
        &[1],
        &broker.address().to_string(),
        dir.path(),
    );
    let stop = CancellationToken::new();
    let clock = Arc::new(SystemClock::new());
    let node = tokio::spawn(services::node::run(
        config,
        clock.clone(),
        stop.clone(),
        Probe::default(),
    ));

    let root = "yobiban/v1/chuo";
    let options = sessions::options(broker.address(), "test")
        .subscribe(Subscription::new(format!("{root}/node/n1/health")));
    let mut session = sessions::start(options);
    sessions::up(&mut session).await;
    let now = clock.now().wall;
    let day = now
        .to_zoned(yobiban::state::Settings::new(vec![]).timezone)
        .date();
    let message = format!(
        r#"{{"seq": 1, "at": "{now}", "day": "{day}", "status": "open", "waiting": 3, "on_hold": 0,
            "calls": [{{"no": 1, "ticket": "A042", "counter": "3", "at": "{now}", "kind": "call"}}]}}"#
    );
    let topic = format!("{root}/feed/certificates");
    session
        .publisher
        .publish(Publish::retained(topic, message))
        .await
        .unwrap();

    let wanted = b"\x0201 042\x03".to_vec();
    support::eventually(LIMIT, "the digits", || {
        far.seen().contains(&wanted).then_some(())
    })
    .await;
    let proof = wire::sha256_hex(&wanted);
    let report = loop {
        let message = sessions::next(&mut session).await;
        let report: Value = serde_json::from_slice(&message.payload).unwrap();
        let output = &report["outputs"][0];
        if output["frame_sha256"] == proof.as_str() && output["connector"] == "connected" {
            break report;
        }
    };
    let output = &report["outputs"][0];
    assert_eq!(
        (&output["kind"], &output["board"]),
        (&"serial".into(), &"digits".into())
    );
    assert_eq!(output["facts"]["last_reply"], "06");
    assert_eq!(output["facts"]["confirmed"], "1 of 1");
    assert_eq!(report["issues"], Value::Array(vec![]), "{report}");

    drop(far);
    loop {
        let message = sessions::next(&mut session).await;
        let report: Value = serde_json::from_slice(&message.payload).unwrap();
        let lost = |issue: &Value| issue["kind"] == "output-failed" && issue["subject"] == "digits";
        if report["issues"].as_array().unwrap().iter().any(lost) {
            assert_eq!(report["outputs"][0]["connector"], "disconnected");
            break;
        }
    }
    let far = Board::plug(Path::new(&name), STX_FRAME, |_| Answer::Bytes(vec![6]));
    support::eventually(LIMIT, "the digits again", || {
        far.seen().contains(&wanted).then_some(())
    })
    .await;

    stop.cancel();
    node.await.unwrap().unwrap();
    assert_eq!(
        far.seen().last().unwrap(),
        b"\x0201----\x03",
        "nobody vouches any more"
    );
}
