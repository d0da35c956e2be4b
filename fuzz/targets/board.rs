//! Names and labels on the glass: the names of two queues, then a message of the feed each record
//! (as in the target `feed`), drawn after each on four boards.
//!
//! Whatever stands there is drawn: repainting what changed gives the picture of a fresh board, and
//! no text runs out of the frame or the time.

use super::{headed, later, records, start};
use std::cell::RefCell;
use std::path::Path;
use yobiban::board::{Digits, Painter};
use yobiban::clock::Now;
use yobiban::config::{self, NodeConfig, OutputConfig};
use yobiban::node::OfficeState;
use yobiban::output::Frame;
use yobiban::state::{CallHighlighter, Delivery, Snapshot};

/// Small, so that drawing takes little; the last one has no pixels.
const BOARDS: &str = r#"
[[board]]
id = "wide"
size = [320, 180]
notices = [{ ja = "本日は混み合っています", en = "Busy today" }]
page_url = "https://example.jp/offices/chuo"
output = { kind = "none" }
[[board]]
id = "tall"
size = [180, 320]
layout = "light"
output = { kind = "none" }
[[board]]
id = "led"
size = [64, 16]
layout = "led"
output = { kind = "none" }
[[board]]
id = "led-large"
size = [128, 32]
layout = "led"
output = { kind = "none" }
[[board]]
id = "digits"
[board.output]
kind = "serial"
device = "tcp://127.0.0.1:9"
template = "stx"
[[board.output.field]]
address = 1
queue = "certificates"
[[board.output.field]]
address = 2
queue = "moving"
show = "wait"
[[board.output.field]]
address = 3
counter = "3"
"#;

/// Boards with names on them.
struct Hall {
    names: Vec<u8>,
    config: NodeConfig,
    painters: Vec<(Painter, Painter)>,
}

thread_local! {
    static LAST: RefCell<Option<Hall>> = const { RefCell::new(None) };
}

/// Draws an input.
pub fn run(data: &[u8]) {
    let mut records = records(data);
    let names = records.next().unwrap_or_default();
    let messages: Vec<&[u8]> = records.take(6).collect();
    LAST.with_borrow_mut(|last| {
        if last.as_ref().is_none_or(|hall| hall.names != names) {
            *last = hall(names);
        }
        if let Some(hall) = last {
            draw(hall, &messages);
        }
    });
}

fn hall(names: &[u8]) -> Option<Hall> {
    let (first, second) = headed(names);
    let second = std::str::from_utf8(second).ok()?;
    let quoted = |name: &str| toml::Value::from(name).to_string();
    let text = format!(
        "[office]\nid = \"chuo\"\nname = {{ ja = {0} }}\n[node]\nid = \"n1\"\n[mqtt]\nurl = \"mqtt://h\"\n\
         [store]\ndir = \"s\"\n[[queue]]\nid = \"certificates\"\nname = {{ ja = {0}, en = {1} }}\n\
         [[queue]]\nid = \"moving\"\nname = {{ en = {1} }}\nlane = \"fast\"\n{BOARDS}",
        quoted(first),
        quoted(second)
    );
    let config = config::parse_node(&text, "node.toml", Path::new("/")).ok()?;
    let painter = |board| Painter::new(&config.office_name, &config.state, board).expect("valid");
    let pixels = config.boards.iter().filter(|b| b.id.as_str() != "digits");
    let painters = pixels
        .map(|board| (painter(board), painter(board)))
        .collect();
    Some(Hall {
        names: names.to_vec(),
        config,
        painters,
    })
}

fn draw(hall: &mut Hall, messages: &[&[u8]]) {
    let Hall {
        config, painters, ..
    } = hall;
    let mut truth = OfficeState::new(config);
    let mut frames: Vec<Frame> = Vec::new();
    for (board, (painter, _)) in config.boards.iter().zip(painters.iter_mut()) {
        painter.forget();
        frames.push(Frame::new(board.size.0, board.size.1));
    }
    let mut panels: Vec<CallHighlighter> = config
        .boards
        .iter()
        .map(|b| CallHighlighter::new(b.highlight))
        .collect();
    let digits = config.boards.last().expect("five boards");
    let OutputConfig::Serial(serial) = &digits.output else {
        unreachable!("as configured");
    };
    let mut digits = Digits::new(serial, digits, false);
    let mut now = start();
    for message in messages {
        let (line, payload) = headed(message);
        let (queue, seconds) = line.split_once(' ').unwrap_or((line, "1"));
        now = later(now, seconds.parse::<u16>().unwrap_or(1).into(), 0);
        truth.apply_message(
            &format!("yobiban/v1/chuo/feed/{queue}"),
            payload,
            Delivery::Live,
            now,
        );
        let snapshot = truth.snapshot(now);
        for (i, (painter, fresh)) in painters.iter_mut().enumerate() {
            panels[i].update(&snapshot.log, now);
            let view = painter.view(&snapshot, &panels[i].view(), now);
            painter.draw(&view, &mut frames[i]);
            let mut other = Frame::new(frames[i].width(), frames[i].height());
            fresh.forget();
            fresh.draw(&view, &mut other);
            assert!(
                frames[i].words() == other.words(),
                "repainted is not as fresh, board {i}"
            );
            if let Some(next) = painter.next_change(&view, now) {
                assert!(next > std::time::Duration::ZERO, "drawn for ever");
            }
        }
        numbers(&mut digits, &snapshot, now);
    }
}

fn numbers(digits: &mut Digits, snapshot: &Snapshot, now: Now) {
    digits.update(&snapshot.log, now);
    assert_eq!(digits.fields(snapshot, now).len(), 3);
    let _ = digits.next_change(snapshot, now);
}
