//! Boards of digits: `T` a template and texts to be shown, `R` an expected answer and what came,
//! `M` and `P` what a Modbus device answers on a serial line and by TCP.
//!
//! A template is one or is refused with its place, every text becomes a frame, an answer is
//! confirmed only if it is the one that was expected, and no device brings the line down.

use super::hub::folder;
use super::{NODE, records};
use std::cell::RefCell;
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio_modbus::client::{Client as _, rtu, tcp};
use tokio_modbus::slave::Slave;
use tokio_modbus::{Request, Response};
use yobiban::config::{self, OutputConfig};
use yobiban::output::serial::{Face, Field, ReplyMatch, SerialBoard, SerialError, match_reply};

thread_local! {
    static FOLDER: PathBuf = folder("serial");
    /// The template of the input before, and its board.
    static LAST: RefCell<Option<(Vec<u8>, SerialBoard)>> = const { RefCell::new(None) };
    static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
}

/// Shows something, or hears something.
pub fn run(data: &[u8]) {
    let Some((what, rest)) = data.split_first() else {
        return;
    };
    match what {
        b'T' => template(rest),
        b'R' => reply(rest),
        b'M' => modbus(rest, true),
        b'P' => modbus(rest, false),
        _ => {}
    }
}

const BOARD: &str = r#"
[[board]]
id = "digits"
[board.output]
kind = "serial"
device = "tcp://127.0.0.1:9"
template = "t.toml"
[[board.output.field]]
address = 1
queue = "certificates"
[[board.output.field]]
address = 99
counter = "3"
"#;

fn template(data: &[u8]) {
    let mut records = records(data);
    let text = records.next().unwrap_or_default();
    let shows = |board: &mut SerialBoard, texts: &mut dyn Iterator<Item = &[u8]>| {
        for text in texts {
            let text = String::from_utf8_lossy(text).into_owned();
            for face in [Face::Text(text), Face::Blank, Face::Dashes] {
                let field = |address| Field {
                    address,
                    face: face.clone(),
                    blink: address == 99,
                };
                board.set_fields(&[field(1), field(99)]);
            }
        }
        assert!(board.frames().is_none(), "nothing was sent");
    };
    LAST.with_borrow_mut(|last| {
        if last.as_ref().is_none_or(|(known, _)| known != text) {
            *last = board(text).map(|board| (text.to_vec(), board));
        }
        if let Some((_, board)) = last {
            shows(board, &mut records);
        }
    });
}

fn board(template: &[u8]) -> Option<SerialBoard> {
    let dir = FOLDER.with(Clone::clone);
    std::fs::write(dir.join("t.toml"), template).expect("written");
    // A template that is no text is the configuration's to refuse.
    let config = config::parse_node(&format!("{NODE}{BOARD}"), "node.toml", &dir).ok()?;
    let OutputConfig::Serial(config) = &config.boards[0].output else {
        unreachable!("as configured");
    };
    match SerialBoard::new(config) {
        Ok(board) => Some(board),
        Err(SerialError::Template(error)) => {
            let said = error.to_string();
            assert!(said.contains("t.toml"), "no place: {said}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Sent, expected (`?` is any byte), heard.
fn reply(data: &[u8]) {
    let mut records = records(data);
    let mut next = || records.next().unwrap_or_default();
    let (sent, expected, heard) = (next(), next(), next());
    let wanted: Vec<Option<u8>> = expected
        .iter()
        .map(|b| (*b != b'?').then_some(*b))
        .collect();
    let (matched, answer) = match_reply(sent, &wanted, heard);
    assert!(heard.ends_with(answer));
    if matched == ReplyMatch::Confirmed {
        let echoed = [sent, expected].concat();
        let fits = |expected: &[u8]| {
            heard.len() == expected.len()
                && heard
                    .iter()
                    .zip(expected)
                    .all(|(h, e)| h == e || *e == b'?')
        };
        assert!(fits(expected) || heard.starts_with(sent) || fits(&echoed));
    }
    if heard == expected && !expected.contains(&b'?') {
        assert_eq!(matched, ReplyMatch::Confirmed);
    }
}

/// A device's answer to the writing of four registers.
fn modbus(answer: &[u8], line: bool) {
    RUNTIME.with(|runtime| {
        runtime.block_on(async {
            let (ours, mut theirs) = tokio::io::duplex(4096);
            theirs
                .write_all(&answer[..answer.len().min(1024)])
                .await
                .expect("room");
            // Nothing more comes: the client need not wait for it.
            theirs.shutdown().await.expect("in memory");
            let mut client = if line {
                rtu::attach_slave(ours, Slave(3))
            } else {
                tcp::attach_slave(ours, Slave(3))
            };
            let words = vec![0, 4, 2, 15].into();
            let asked = client.call(Request::WriteMultipleRegisters(0, words));
            let answered = tokio::time::timeout(Duration::from_secs(5), asked).await;
            let answered = answered.expect("neither an answer nor an end");
            if let Ok(Ok(Response::WriteMultipleRegisters(first, count))) = answered {
                let _ = (first, count);
                assert!(answer.len() >= 8, "confirmed by {} bytes", answer.len());
            }
        });
    });
}
