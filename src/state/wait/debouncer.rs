//! Keeps predicted waits constant between messages.
//!
//! An estimate moves with every second. People read minutes, and each step would be drawn, reported
//! and rendered, so a prediction is held until the queue's next message, or for at most one minute.

use crate::clock::Now;
use crate::model::{QueueId, WaitRange};
use crate::state::{Reading, Snapshot};
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::time::Duration;

/// A prediction is held at most this long: boards show minutes.
const MAX_HOLD: Duration = Duration::from_secs(60);

/// The held prediction of each queue.
#[derive(Debug, Clone, Default)]
pub struct WaitDebouncer {
    held: BTreeMap<QueueId, HeldWait>,
}

#[derive(Debug, Clone, Copy)]
struct HeldWait {
    wait: WaitRange,
    /// The message it belongs to.
    message: Option<(Date, u64)>,
    /// Monotonic moment at which it was first published.
    since: Duration,
}

impl WaitDebouncer {
    /// Replaces the waits of a snapshot with the held ones that are still valid.
    pub fn hold(&mut self, snapshot: &mut Snapshot, now: Now) {
        for queue in &mut snapshot.queues {
            let Some(wait) = queue.wait else {
                self.held.remove(&queue.settings.id);
                continue;
            };
            let of = |r: &Reading| (r.state.day, r.state.seq);
            let message = queue.reading.as_ref().map(of);
            let holds =
                |held: &&HeldWait| held.message == message && now.since(held.since) < MAX_HOLD;
            match self.held.get(&queue.settings.id).filter(holds) {
                Some(held) => queue.wait = Some(held.wait),
                None => {
                    let held = HeldWait {
                        wait,
                        message,
                        since: now.mono,
                    };
                    self.held.insert(queue.settings.id.clone(), held);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Call, CallKind, Label, Lane, Name, QueueState, Source, Status};
    use crate::state::{Office, QueueSettings, Settings};

    fn at(second: i64) -> Now {
        Now::at(jiff::Timestamp::from_second(1_795_482_000 + second).expect("time"))
    }

    /// A queue in which somebody was called every half minute.
    fn office() -> (Office, QueueId) {
        let id = QueueId::new("certificates").expect("id");
        let mut office = Office::new(Settings::new(vec![QueueSettings {
            id: id.clone(),
            name: Name::default(),
            lane: Lane::Standard,
        }]));
        for (no, second) in (1..=20).zip((30..).step_by(30)) {
            say(&mut office, &id, no, second);
        }
        (office, id)
    }

    fn say(office: &mut Office, id: &QueueId, no: u64, second: i64) {
        let now = at(second);
        let call = Call {
            no,
            ticket: Label::new(&format!("A{no:03}")).expect("label"),
            counter: Label::new("1").ok(),
            at: now.wall,
            kind: CallKind::Call,
        };
        let state = QueueState {
            seq: no,
            at: now.wall,
            day: "2026-11-24".parse().expect("day"),
            epoch: 0,
            status: Status::Open,
            waiting: Some(12),
            on_hold: Some(0),
            next: vec![],
            held: vec![],
            calls: vec![call],
            now_serving: None,
            wait: None,
        };
        office
            .apply(id, state, Source::Feed, now)
            .expect("accepted");
    }

    #[test]
    fn a_wait_stands_still_until_the_next_message_or_a_minute() {
        let (mut office, id) = office();
        let mut debouncer = WaitDebouncer::default();
        let mut held = |office: &Office, second: i64| {
            let mut snapshot = office.snapshot(at(second));
            let exact = snapshot.queues[0].wait.expect("a wait");
            debouncer.hold(&mut snapshot, at(second));
            (exact, snapshot.queues[0].wait.expect("a wait"))
        };
        let (exact, first) = held(&office, 600);
        assert_eq!(exact, first);
        let mut moved = false;
        for second in 601..660 {
            let (exact, shown) = held(&office, second);
            assert_eq!(shown, first, "at {second}");
            moved |= exact != first;
        }
        assert!(moved, "the estimate itself moves");
        let (exact, shown) = held(&office, 660);
        assert_eq!(shown, exact, "a minute is over");
        say(&mut office, &id, 21, 670);
        let (exact, shown) = held(&office, 670);
        assert_eq!(shown, exact, "a message came");
    }
}
