//! Reports of nodes, one after the other, as the hub takes them: the topic below the root on the
//! first line, then the payload.
//!
//! A refused report changes nothing, the same one twice changes nothing more, a call is read back
//! as it was, and when every topic is cleared nothing is left.

use super::{headed, later, records, start};
use bytes::Bytes;
use std::collections::BTreeSet;
use yobiban::clock::Now;
use yobiban::hub::registry::{self, MAX_NODES, Registry};
use yobiban::hub::view::OfficeView;
use yobiban::wire::report::HealthReport;
use yobiban::wire::topic::{DEFAULT_ROOT, Topic};

/// Reports an input.
pub fn run(data: &[u8]) {
    let mut registry = Registry::new();
    let mut now = start();
    let mut topics = BTreeSet::new();
    for record in records(data) {
        let (tail, payload) = headed(record);
        let Some(topic) = Topic::parse(DEFAULT_ROOT, &format!("{DEFAULT_ROOT}/{tail}")) else {
            continue;
        };
        assert_eq!(topic.to_string(), tail, "understood as another topic");
        now = later(now, 1, 0);
        let payload = Bytes::copy_from_slice(payload);
        call(&payload, now);
        let before = seen(&registry);
        let effect = registry.report(&topic, &payload, now);
        let after = seen(&registry);
        if effect.is_err() {
            assert_eq!(before, after, "a refused report changed something");
        }
        let _ = registry.report(&topic, &payload, now);
        assert_eq!(after, seen(&registry), "the same report counted twice");
        topics.insert(tail.to_owned());
    }
    for tail in topics {
        let topic = Topic::parse(DEFAULT_ROOT, &format!("{DEFAULT_ROOT}/{tail}")).expect("a topic");
        let _ = registry.report(&topic, &Bytes::new(), now);
    }
    assert_eq!(registry.nodes().count(), 0, "not all is cleared");
    assert_eq!(registry.offices().count(), 0);
}

type Seen = (
    Vec<OfficeView>,
    Vec<(String, bool, Option<HealthReport>)>,
    usize,
);

/// Everything that can be asked of a registry.
fn seen(registry: &Registry) -> Seen {
    let views: Vec<OfficeView> = registry
        .offices()
        .map(|office| {
            registry
                .view(office)
                .expect("listed because it has numbers")
        })
        .collect();
    for view in &views {
        for board in &view.boards {
            assert!(
                registry.image(&board.sha256).is_some(),
                "shown but not kept"
            );
        }
        serde_json::to_vec(view).expect("plain values");
    }
    let nodes: Vec<_> = registry
        .nodes()
        .map(|n| {
            let name = format!("{}/{}", n.office, n.node);
            (name, n.online, n.health.cloned())
        })
        .collect();
    assert!(nodes.len() <= MAX_NODES * super::MOST_RECORDS);
    (views, nodes, registry.image_bytes())
}

/// A call that is taken is the same after it was written again.
fn call(payload: &[u8], now: Now) {
    if let Ok(call) = registry::decode_call(payload, now, 400) {
        let json = serde_json::to_vec(&call).expect("plain values");
        let again = registry::decode_call(&json, now, 400);
        assert_eq!(again.expect("as it was"), call);
    }
}
