//! A day's messages in any order, some lost, some doubled: the end is that of the clean day, and on
//! the way no board says what no source has said.

use crate::day::node;
use crate::support::{self, day};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use yobiban::clock::Now;
use yobiban::model::{OfficeId, QueueId, QueueState};
use yobiban::node::OfficeState;
use yobiban::state::Delivery;
use yobiban::wire::feed::FeedMessage;
use yobiban::wire::topic::Topic;

const ROOT: &str = "yobiban/v1";

/// An office's part of the afternoon: moment, queue and bytes of every message.
struct Office {
    queues: BTreeSet<QueueId>,
    messages: Vec<(jiff::Timestamp, QueueId, Vec<u8>)>,
    /// The valid message with the largest sequence number of each queue.
    last: BTreeMap<QueueId, Vec<u8>>,
    /// Whether its numbers never begin again within the day.
    steady: bool,
}

static OFFICES: LazyLock<Vec<(OfficeId, Office)>> = LazyLock::new(|| {
    let lines = day::read(&support::root().join("tests/fixtures/days/afternoon.jsonl.gz"));
    let last = day::truth(&lines).last;
    let mut offices: BTreeMap<OfficeId, Office> = BTreeMap::new();
    for line in lines {
        let Some(Topic::Feed(office, queue)) = Topic::parse(ROOT, &line.topic) else {
            panic!("{}", line.topic);
        };
        let office = offices.entry(office.clone()).or_insert_with(|| Office {
            queues: BTreeSet::new(),
            messages: Vec::new(),
            last: BTreeMap::new(),
            steady: !["wakaba", "mihama"].contains(&office.as_str()),
        });
        office.queues.insert(queue.clone());
        let newest = serde_json::to_vec(&last[&line.topic]).unwrap();
        office.last.insert(queue.clone(), newest);
        let at = line.at.parse().unwrap();
        office.messages.push((at, queue, line.payload));
    }
    offices.into_iter().collect()
});

fn decode(payload: &[u8]) -> Option<QueueState> {
    FeedMessage::decode(payload).ok().map(QueueState::from)
}

/// What happens to each message on the way: how far it is moved, and how often it arrives.
fn fate() -> impl Strategy<Value = (u16, u8)> {
    (
        0_u16..400,
        prop_oneof![6 => Just(1_u8), 2 => Just(0), 2 => Just(2)],
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn the_end_is_that_of_the_clean_day(
        office in 0..OFFICES.len(), fates in proptest::collection::vec(fate(), 400), seed in any::<u64>()
    ) {
        let (id, office) = &OFFICES[office];
        let mut arriving: Vec<(usize, usize)> = Vec::new();
        for i in 0..office.messages.len() {
            let (moved, times) = fates[(i + usize::try_from(seed % 400).unwrap()) % fates.len()];
            arriving.extend((0..times).map(|k| (i + usize::from(moved) * (usize::from(k) + 1) / 2, i)));
        }
        arriving.sort_unstable();
        let mut truth = OfficeState::new(&node(id, &office.queues));
        let mut said: BTreeMap<(QueueId, u64), QueueState> = BTreeMap::new();
        let mut called = BTreeSet::new();
        let mut now = office.messages[0].0;
        let last = office.last.iter().map(|(queue, bytes)| (queue, bytes, None));
        let order = arriving.iter().map(|(_, i)| {
            let (at, queue, bytes) = &office.messages[*i];
            (queue, bytes, Some(*at))
        });
        for (queue, bytes, at) in order.chain(last) {
            now = now.max(at.unwrap_or(now));
            if let Some(state) = decode(bytes) {
                said.insert((queue.clone(), state.seq), state);
            }
            let topic = Topic::Feed(id.clone(), queue.clone()).name(ROOT);
            for call in truth.apply_message(&topic, bytes, Delivery::Live, Now::at(now)).calls {
                let key = (call.queue.clone(), call.day, call.epoch, call.call.no);
                prop_assert!(called.insert(key), "called twice: {:?}", call.call);
            }
            for view in truth.snapshot(Now::at(now)).queues {
                let Some(reading) = view.reading else { continue };
                let source = said.get(&(view.settings.id.clone(), reading.state.seq));
                prop_assert_eq!(Some(&reading.state), source, "said by no source");
            }
        }
        for view in truth.snapshot(Now::at(now)).queues {
            let wanted = decode(&office.last[&view.settings.id]);
            let found = view.reading.map(|r| r.state);
            prop_assert_eq!(found, wanted, "{} of {}", view.settings.id, id);
        }
        if office.steady {
            prop_assert!(called.iter().all(|(_, _, epoch, _)| *epoch == 0), "no restart");
        }
    }
}
