//! Predicted waits that stand still between messages.
//!
//! An estimate moves with every second that passes. People read minutes, and each step would be
//! drawn, reported and pictured; so what was told once is told until the queue's next message, and
//! told anew after a minute at the latest.

use crate::clock::Now;
use crate::model::{QueueId, WaitRange};
use crate::state::{Reading, Snapshot};
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::time::Duration;

/// A wait that nothing was heard about is told anew this often: boards say minutes.
const ANEW_EVERY: Duration = Duration::from_secs(60);

/// What was told of each queue.
#[derive(Debug, Clone, Default)]
pub struct Steady {
    told: BTreeMap<QueueId, Told>,
}

#[derive(Debug, Clone, Copy)]
struct Told {
    wait: WaitRange,
    /// The message it belongs to.
    message: Option<(Date, u64)>,
    /// Monotonic moment at which it was told first.
    since: Duration,
}

impl Steady {
    /// Puts the waits that were told before into a snapshot, where they still hold.
    pub fn settle(&mut self, snapshot: &mut Snapshot, now: Now) {
        for queue in &mut snapshot.queues {
            let Some(wait) = queue.wait else {
                self.told.remove(&queue.settings.id);
                continue;
            };
            let of = |r: &Reading| (r.state.day, r.state.seq);
            let message = queue.reading.as_ref().map(of);
            let holds =
                |told: &&Told| told.message == message && now.since(told.since) < ANEW_EVERY;
            match self.told.get(&queue.settings.id).filter(holds) {
                Some(told) => queue.wait = Some(told.wait),
                None => {
                    let told = Told {
                        wait,
                        message,
                        since: now.mono,
                    };
                    self.told.insert(queue.settings.id.clone(), told);
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
        let mut steady = Steady::default();
        let mut told = |office: &Office, second: i64| {
            let mut snapshot = office.snapshot(at(second));
            let exact = snapshot.queues[0].wait.expect("a wait");
            steady.settle(&mut snapshot, at(second));
            (exact, snapshot.queues[0].wait.expect("a wait"))
        };
        let (exact, first) = told(&office, 600);
        assert_eq!(exact, first);
        let mut moved = false;
        for second in 601..660 {
            let (exact, shown) = told(&office, second);
            assert_eq!(shown, first, "at {second}");
            moved |= exact != first;
        }
        assert!(moved, "the estimate itself moves");
        let (exact, shown) = told(&office, 660);
        assert_eq!(shown, exact, "a minute is over");
        say(&mut office, &id, 21, 670);
        let (exact, shown) = told(&office, 670);
        assert_eq!(shown, exact, "a message came");
    }
}
