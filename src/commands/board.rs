//! `yobiban board`: one board drawn without hardware, broker or time passing.
//!
//! The state file holds the newest message of each queue. They go the way of a node's messages,
//! each at its own moment, and so do the calls they list: a call of half a minute before the
//! picture's moment is among the earlier ones, one of just before stands out.

use crate::board::Painter;
use crate::clock::Now;
use crate::config::{BoardConfig, NodeConfig};
use crate::feed;
use crate::model::{BoardId, QueueId, QueueState, Source};
use crate::output::led::preview::{Points, preview};
use crate::output::{Frame, PngOutput, encode};
use crate::state::{CallHighlighter, HighlightView, LoggedCall, Office};
use crate::wire::feed::FeedMessage;
use anyhow::{Context, bail};
use jiff::Timestamp;
use std::path::Path;
use std::time::Duration;

/// Draws a board (the first unless `board` names another) for the moment `at`, by default the
/// newest of the state, and writes it to `out`.
///
/// `state_json` is an object from queue id to feed payload.
///
/// # Errors
/// When the state breaks the contract, names a queue or board that the configuration does not, or
/// the picture cannot be written.
pub fn run(
    config: &NodeConfig,
    board: Option<&BoardId>,
    state_json: &[u8],
    at: Option<Timestamp>,
    out: &Path,
) -> anyhow::Result<()> {
    let board = choose(config, board)?;
    let messages = decode(state_json)?;
    let newest = messages.iter().map(|(_, m)| m.at).max();
    let Some(at) = at.or(newest) else {
        bail!("the state holds no queue: expected at least one, or --at");
    };
    let now = Now::at(at);
    let mut office = Office::new(config.state.clone());
    for (queue, message) in messages {
        let pattern = config.patterns.get(&queue);
        if let Some(why) = pattern.and_then(|pattern| feed::pattern_mismatch(&message, pattern)) {
            bail!("cannot use the state of queue {queue}: {why}");
        }
        let received_at = Now::at(message.at.min(at));
        office
            .apply(&queue, message, Source::Feed, received_at)
            .with_context(|| format!("cannot use the state of queue {queue}"))?;
    }
    let snapshot = office.snapshot(now);
    let panel = panel(board, &snapshot.log, now);
    let mut painter = Painter::new(&config.office_name, &config.state, board)?;
    let mut frame = Frame::new(board.size.0, board.size.1);
    let view = painter.view(&snapshot, &panel, now);
    painter.draw(&view, &mut frame);
    let picture = match Points::of_board(board) {
        Some(points) => preview(&frame, points),
        None => frame,
    };
    PngOutput::new(out).write(&encode::lossless(&picture))?;
    Ok(())
}

fn choose<'a>(config: &'a NodeConfig, id: Option<&BoardId>) -> anyhow::Result<&'a BoardConfig> {
    let known = || {
        let ids: Vec<&str> = config.boards.iter().map(|b| b.id.as_str()).collect();
        ids.join(", ")
    };
    match id {
        Some(id) => config.boards.iter().find(|b| b.id == *id).with_context(|| {
            format!(
                "no board {id} in the configuration: expected one of {}",
                known()
            )
        }),
        None => config
            .boards
            .first()
            .context("no board in the configuration: expected a [[board]]"),
    }
}

/// The messages of a state file, oldest first.
fn decode(state_json: &[u8]) -> anyhow::Result<Vec<(QueueId, QueueState)>> {
    let state: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(state_json)
        .context("cannot read the state: expected a JSON object from queue id to feed payload")?;
    let mut messages = Vec::with_capacity(state.len());
    for (id, payload) in state {
        let queue = QueueId::new(&id).context("cannot read the state")?;
        let message = FeedMessage::decode(payload.to_string().as_bytes())
            .with_context(|| format!("cannot read the state of queue {queue}"))?;
        messages.push((queue, QueueState::from(message)));
    }
    messages.sort_by_key(|(_, message)| message.at);
    Ok(messages)
}

/// The panel after all calls came in at their own moments.
fn panel(board: &BoardConfig, log: &[LoggedCall], now: Now) -> HighlightView {
    let mut calls = log.to_vec();
    calls.sort_by_key(|c| c.call.at);
    let mut panel = CallHighlighter::new(board.highlight).for_queues(board.queues.clone());
    for (index, mut call) in (1..).zip(calls) {
        let received_at = Now::at(call.call.at.min(now.wall));
        pass(&mut panel, received_at);
        call.index = index;
        call.announce = true;
        call.received_at = received_at.mono;
        panel.update(&[call], received_at);
    }
    pass(&mut panel, now);
    panel.view()
}

/// Lets time pass for a panel as a node does: it is asked whenever something may change.
fn pass(panel: &mut CallHighlighter, until: Now) {
    let mut at = Now {
        mono: Duration::ZERO,
        ..until
    };
    while let Some(next) = panel.next_change(at).filter(|n| *n <= until.mono) {
        at.mono = next;
        panel.tick(at);
    }
    panel.tick(until);
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"
        [office]
        id = "chuo"
        name = { ja = "中央区", en = "Chuo Ward" }
        [node]
        id = "n1"
        [mqtt]
        url = "mqtt://127.0.0.1:1883"
        [store]
        dir = "/tmp"
        [[queue]]
        id = "certificates"
        name = { ja = "証明書の交付", en = "Certificates" }
        [[board]]
        id = "main"
        size = [640, 360]
        output = { kind = "none" }
    "#;

    const STATE: &str = r#"{"certificates": {"seq": 1, "at": "2026-11-24T10:42:07+09:00",
        "day": "2026-11-24", "status": "open", "waiting": 12, "on_hold": 0, "calls": [
        {"no": 3, "ticket": "A042", "counter": "3", "at": "2026-11-24T10:42:05+09:00", "kind": "call"},
        {"no": 2, "ticket": "A041", "counter": "1", "at": "2026-11-24T10:40:40+09:00", "kind": "call"}]}}"#;

    fn draw(board: Option<&str>, state: &str, at: Option<&str>) -> anyhow::Result<Vec<u8>> {
        let config = crate::config::parse_node(CONFIG, "node.toml", Path::new("/"))?;
        let board = board.map(|id| BoardId::new(id).expect("id"));
        let at = at.map(|at| at.parse().expect("time"));
        let dir = tempfile::tempdir()?;
        let out = dir.path().join("board.png");
        run(&config, board.as_ref(), state.as_bytes(), at, &out)?;
        Ok(std::fs::read(out)?)
    }

    #[test]
    fn the_moment_decides_what_stands_out() {
        let newest = draw(None, STATE, None).expect("drawn");
        let same = draw(Some("main"), STATE, Some("2026-11-24T10:42:07+09:00")).expect("drawn");
        assert_eq!(newest, same);
        let later = draw(None, STATE, Some("2026-11-24T10:44:00+09:00")).expect("drawn");
        assert_ne!(newest, later);
    }

    #[test]
    fn calls_are_shown_at_their_own_moments() {
        let config = crate::config::parse_node(CONFIG, "node.toml", Path::new("/")).expect("valid");
        let messages = decode(STATE.as_bytes()).expect("valid");
        let now = Now::at(messages[0].1.at);
        let mut office = Office::new(config.state.clone());
        let (queue, message) = messages[0].clone();
        office
            .apply(&queue, message, Source::Feed, now)
            .expect("accepted");
        let view = panel(&config.boards[0], &office.snapshot(now).log, now);
        let tickets = |calls: Vec<&LoggedCall>| -> Vec<String> {
            calls.iter().map(|c| c.call.ticket.to_string()).collect()
        };
        assert_eq!(
            tickets(view.active.iter().map(|s| &s.call).collect()),
            ["A042"]
        );
        assert_eq!(tickets(view.recent.iter().collect()), ["A041"]);
    }

    #[test]
    fn wrong_input_says_where() {
        let check = |board: Option<&str>, state: &str, says: &str| {
            let error = format!("{:#}", draw(board, state, None).expect_err(says));
            assert!(error.contains(says), "{error}");
        };
        check(Some("side"), STATE, "expected one of main");
        check(None, "[]", "expected a JSON object");
        check(None, "{}", "--at");
        check(
            None,
            &STATE.replace("certificates", "moving"),
            "queue moving is not in the configuration",
        );
        check(
            None,
            &STATE.replace("12,", "\"many\","),
            "queue certificates: at waiting",
        );
    }
}
