//! The recorded day, through the state of six nodes.

use crate::support::{day, recording, shared};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use yobiban::clock::Now;
use yobiban::config::{MqttConfig, NodeConfig};
use yobiban::model::{Lane, Name, NodeId, OfficeId, QueueId};
use yobiban::node::OfficeState;
use yobiban::state::{Delivery, QueueSettings, Settings};
use yobiban::wire::topic::Topic;

const ROOT: &str = "yobiban/v1";

/// A node for an office, with the queues that its topics name.
pub fn node(office: &OfficeId, queues: &BTreeSet<QueueId>) -> NodeConfig {
    let queue = |id: &QueueId| QueueSettings {
        id: id.clone(),
        name: Name::new([("ja", id.as_str())]),
        lane: Lane::Standard,
    };
    NodeConfig {
        office: office.clone(),
        office_name: Name::new([("ja", office.as_str())]),
        node: NodeId::new("n1").unwrap(),
        mqtt: MqttConfig {
            host: "127.0.0.1".into(),
            port: 1883,
            tls: None,
            root: ROOT.into(),
            username: None,
            password: None,
            client_id: None,
            keep_alive: std::time::Duration::from_secs(20),
        },
        uplink: None,
        store_dir: "unused".into(),
        state: Settings::new(queues.iter().map(queue).collect()),
        patterns: BTreeMap::new(),
        boards: vec![],
        adapters: vec![],
        cameras: vec![],
        streams: vec![],
        relays: vec![],
        voice: None,
    }
}

/// The end of a recording of so many offices and queues is its truth.
fn ends_with_the_truth(path: &Path, (offices, topics): (usize, usize), source_resets: u64) {
    let lines = day::read(path);
    let truth = day::truth(&lines);
    let mut queues: BTreeMap<OfficeId, BTreeSet<QueueId>> = BTreeMap::new();
    for line in &lines {
        if let Some(Topic::Feed(office, queue)) = Topic::parse(ROOT, &line.topic) {
            queues.entry(office).or_default().insert(queue);
        }
    }
    assert_eq!((queues.len(), truth.calls.len()), (offices, topics));

    let mut nodes: BTreeMap<_, _> = queues
        .iter()
        .map(|(office, queues)| (office.clone(), OfficeState::new(&node(office, queues))))
        .collect();
    let mut found: BTreeMap<String, BTreeSet<_>> = BTreeMap::new();
    let mut keys = BTreeSet::new();
    let mut end = Timestamp::UNIX_EPOCH;
    for line in &lines {
        let Some(Topic::Feed(office, queue)) = Topic::parse(ROOT, &line.topic) else {
            panic!("{}", line.topic);
        };
        end = line.at.parse().unwrap();
        let truth = nodes.get_mut(&office).unwrap();
        for call in truth
            .apply_message(&line.topic, &line.payload, Delivery::Live, Now::at(end))
            .calls
        {
            let key = (
                office.clone(),
                queue.clone(),
                call.day,
                call.epoch,
                call.call.no,
            );
            assert!(
                keys.insert(key),
                "{}: call {} came twice",
                line.topic,
                call.call.no
            );
            let told = (call.call.no, call.call.ticket.to_string(), call.call.at);
            found.entry(line.topic.clone()).or_default().insert(told);
        }
    }

    for (topic, calls) in &truth.calls {
        let calls: BTreeSet<_> = calls
            .iter()
            .map(|(no, ticket, at)| (*no, ticket.clone(), at.parse::<Timestamp>().unwrap()))
            .collect();
        assert_eq!(&found[topic], &calls, "{topic}");
    }
    let mut sum: BTreeMap<String, u64> = BTreeMap::new();
    for (office, node) in &mut nodes {
        for (name, count) in node.counts() {
            *sum.entry(name).or_default() += count;
        }
        for queue in node.snapshot(Now::at(end)).queues {
            let topic = Topic::Feed(office.clone(), queue.settings.id.clone()).name(ROOT);
            let last = &truth.last[&topic];
            let reading = queue.reading.unwrap();
            assert_eq!(
                reading.state.waiting.map(u64::from),
                last["waiting"].as_u64()
            );
            let ticket = reading.state.last_call().map(|c| c.ticket.as_str());
            assert_eq!(ticket, last["calls"][0]["ticket"].as_str(), "{topic}");
        }
    }
    assert_eq!(sum["messages_applied"], truth.newer);
    assert_eq!(sum["messages_late"], truth.late);
    assert_eq!(sum["messages_duplicate"], truth.doubled);
    assert_eq!(sum["messages_rejected"], truth.broken);
    assert_eq!(sum["calls_missed"], 0);
    assert_eq!(sum["source_resets"], source_resets);
}

#[test]
fn a_recorded_day_ends_with_the_truth() {
    ends_with_the_truth(&recording("2026-11-24.jsonl.gz"), (1, 5), 0);
    // In each recording of all offices, mihama restarts five queues without saying so.
    ends_with_the_truth(&recording("afternoon.jsonl.gz"), (6, 30), 5);
    if let Some(day) = shared("days/2026-11-24.jsonl.gz") {
        ends_with_the_truth(&day, (6, 30), 5);
    }
}
