//! Messages of the feed, one after the other, as a node takes them: `QUEUE SECONDS JUMP` on the
//! first line (all may be left out), then the payload.
//!
//! A refused message changes nothing, the same bytes twice change nothing, what is shown was said,
//! a panel never lists more than it has room for and shows no call twice, and what is kept comes
//! back as it was.

use super::{NODE, headed, later, records, start};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;
use yobiban::clock::Now;
use yobiban::config::{self, NodeConfig};
use yobiban::feed;
use yobiban::node::OfficeState;
use yobiban::state::{
    CallHighlighter, Delivery, HighlightSettings, MAX_LIST_SLOTS, MAX_WAITING, Phase, Snapshot,
    could_be_now, horizon,
};
use yobiban::wire::feed::{FeedMessage, MAX_CALLS};

static CONFIG: LazyLock<NodeConfig> =
    LazyLock::new(|| config::parse_node(NODE, "node.toml", Path::new("/")).expect("valid"));

/// Calls that a snapshot carries at most (`state`).
const LOG: usize = 128;

/// Takes the messages of an input.
pub fn run(data: &[u8]) {
    let mut truth = OfficeState::new(&CONFIG);
    let mut glass = Glass::new();
    let mut now = start();
    let mut taken = 0;
    for record in records(data) {
        let (queue, seconds, jump, payload) = message(record);
        now = later(now, seconds, jump);
        let topic = format!("yobiban/v1/chuo/feed/{queue}");
        let before = numbers(&mut truth, now);
        let outcome = truth.apply_message(&topic, payload, Delivery::Live, now);
        let after = numbers(&mut truth, now);
        taken += 1;
        if outcome.applied.is_empty() {
            assert_eq!(before, after, "a refused message changed something");
            assert!(outcome.calls.is_empty());
        } else {
            said(&after, &queue, payload, now);
        }
        let again = truth.apply_message(&topic, payload, Delivery::Live, now);
        taken += 1;
        assert!(again.applied.is_empty() && again.calls.is_empty());
        assert_eq!(
            after,
            numbers(&mut truth, now),
            "the same bytes counted twice"
        );
        assert!(after.log.len() <= LOG);
        assert!(after.log.is_sorted_by(|a, b| a.index < b.index));
        glass.look(&after, now);
    }
    let counts = truth.counts();
    let of = |names: &[&str]| names.iter().map(|n| counts[*n]).sum::<u64>();
    let heard = of(&[
        "messages_applied",
        "messages_late",
        "messages_duplicate",
        "messages_rejected",
    ]);
    assert_eq!(heard, taken, "each message is counted once: {counts:?}");
    let shown = glass.panel.shown(now);
    kept(&truth.saved_state(shown), &truth.snapshot(now), now);
}

/// A snapshot without the word in the corner that something was refused.
fn numbers(truth: &mut OfficeState, now: Now) -> Snapshot {
    let mut snapshot = truth.snapshot(now);
    let refusals = ["messages-rejected", "source-clock"];
    snapshot.issues.retain(|word| !refusals.contains(word));
    for queue in &mut snapshot.queues {
        // That a source spoke of an earlier day is no number.
        if queue.reading.is_none() {
            queue.phase = Phase::Unknown;
        }
    }
    snapshot
}

/// Queue, seconds since the message before, jump of the wall clock, payload.
fn message(record: &[u8]) -> (String, u32, i32, &[u8]) {
    let (line, payload) = headed(record);
    let mut words = line.split(' ');
    let queue = words
        .next()
        .filter(|q| q.parse::<yobiban::model::QueueId>().is_ok());
    let Some(queue) = queue else {
        return ("certificates".into(), 1, 0, record);
    };
    let seconds = words.next().and_then(|w| w.parse().ok()).unwrap_or(1);
    let jump = words.next().and_then(|w| w.parse().ok()).unwrap_or(0);
    (queue.to_owned(), seconds, jump, payload)
}

/// What stands there after an accepted message is what the message said.
fn said(after: &Snapshot, queue: &str, payload: &[u8], now: Now) {
    let mut state = feed::decode(payload).expect("accepted");
    assert!(state.calls.len() <= MAX_CALLS);
    let view = after
        .queues
        .iter()
        .find(|q| q.settings.id.as_str() == queue);
    let view = view.expect("a queue of the configuration");
    let reading = view.reading.as_ref().expect("a reading");
    // Calls of a wrong hour are left out, when a source goes on listing them.
    if reading.state.calls.len() != state.calls.len() {
        state.calls.retain(|call| could_be_now(call.at, now));
    }
    assert_eq!(reading.state, state);
    if let Some(today) = view.today() {
        assert_eq!(today, &state);
        assert_ne!(view.phase, Phase::Unknown);
    }
    let zone = &after.zone;
    let json = serde_json::to_vec(&FeedMessage::new(&state, zone)).expect("plain values");
    let wide = json.len() > yobiban::wire::MAX_PAYLOAD;
    assert!(
        wide || feed::decode(&json).as_ref() == Ok(&state),
        "not as it was read"
    );
}

/// What was kept is shown again, with its time, never as fresh; a call that had its time on the glass
/// does not stand out again.
fn kept(kept: &yobiban::state::SavedState, shown: &Snapshot, now: Now) {
    let mut truth = OfficeState::new(&CONFIG);
    truth.restore(kept.clone(), now);
    let back = truth.snapshot(now);
    assert_eq!(back.log.len(), kept.calls.len());
    let made = kept.calls.iter().filter(|k| k.call.at <= horizon(now));
    for (was, is) in made.zip(&back.log) {
        assert_eq!(
            (&was.queue, was.day, &was.call),
            (&is.queue, is.day, &is.call)
        );
        assert!(!(was.shown && is.announce));
    }
    for (was, is) in shown.queues.iter().zip(&back.queues) {
        let state = |q: &yobiban::state::QueueView| q.reading.as_ref().map(|r| r.state.clone());
        assert_eq!(state(was), state(is));
        assert!(!is.fresh);
    }
    let again = truth.saved_state(0);
    assert_eq!(again.queues, kept.queues);
    assert_eq!(again.calls.len(), kept.calls.len());
}

/// A panel and what stood on it.
struct Glass {
    panel: CallHighlighter,
    /// Calls that stood out and no longer do.
    gone: BTreeSet<u64>,
    active: BTreeSet<u64>,
    newest: u64,
}

impl Glass {
    fn new() -> Self {
        Self {
            panel: CallHighlighter::new(HighlightSettings::default()),
            gone: BTreeSet::new(),
            active: BTreeSet::new(),
            newest: 0,
        }
    }

    fn look(&mut self, snapshot: &Snapshot, now: Now) {
        self.panel.update(&snapshot.log, now);
        let view = self.panel.view();
        assert!(
            view.active.len() <= MAX_LIST_SLOTS,
            "more than there are places"
        );
        assert!(view.waiting <= MAX_WAITING);
        assert!(view.recent.len() <= HighlightSettings::default().recent_calls);
        let active: BTreeSet<u64> = view.active.iter().map(|s| s.call.index).collect();
        assert_eq!(active.len(), view.active.len(), "one call in two places");
        assert!(active.is_disjoint(&self.gone), "a call stands out again");
        assert!(view.active.is_sorted_by(|a, b| a.call.index > b.call.index));
        for call in active.difference(&self.active) {
            assert!(*call > self.newest, "not in order");
        }
        self.newest = active.last().copied().unwrap_or(0).max(self.newest);
        self.gone.extend(self.active.difference(&active));
        self.active = active;
        if let Some(next) = self.panel.next_change(now) {
            assert!(next > now.mono, "a moment that has passed");
        }
    }
}
