//! A mapping and the foreign messages it is given: the first record is a node's `[[adapter]]` in
//! TOML, each further one a payload.
//!
//! What a mapping makes of a message obeys the contract of the feed, a message that is refused
//! leaves nothing behind, and a rule that fails spoils no other.

use super::{NODE, later, records, start};
use std::cell::RefCell;
use std::path::Path;
use yobiban::clock::Now;
use yobiban::config::{self, AdapterConfig};
use yobiban::feed::{self, Adapter};
use yobiban::model::{QueueState, Source};
use yobiban::state::{Office, Refusal, Settings};
use yobiban::wire::feed::FeedMessage;

/// A checked mapping.
#[derive(Clone)]
struct Checked {
    text: String,
    adapters: Vec<AdapterConfig>,
    state: Settings,
}

thread_local! {
    /// The mapping of the input before: most change the messages only.
    static LAST: RefCell<Option<Checked>> = const { RefCell::new(None) };
}

/// Reads a mapping and lets it map.
pub fn run(data: &[u8]) {
    let mut records = records(data);
    let Some(mapping) = records.next().and_then(|m| std::str::from_utf8(m).ok()) else {
        return;
    };
    let Some(checked) = checked(mapping) else {
        return;
    };
    let payloads: Vec<&[u8]> = records.collect();
    for config in &checked.adapters {
        map(config, &checked.state, &payloads);
    }
}

fn checked(mapping: &str) -> Option<Checked> {
    LAST.with_borrow_mut(|last| {
        if last.as_ref().is_none_or(|l| l.text != mapping) {
            let text = format!("{NODE}{mapping}");
            let node = config::parse_node(&text, "node.toml", Path::new("/")).ok()?;
            *last = Some(Checked {
                text: mapping.to_owned(),
                adapters: node.adapters,
                state: node.state,
            });
        }
        last.clone()
    })
}

fn map(config: &AdapterConfig, settings: &Settings, payloads: &[&[u8]]) {
    let mut adapter = Adapter::new(config.clone(), settings.zone.clone());
    let _ = adapter.takes("a/b/c");
    // One that never heard what was refused must say the same of all the others.
    let mut sheltered = Adapter::new(config.clone(), settings.zone.clone());
    let mut office = Office::new(settings.clone());
    let mut now = start();
    for payload in payloads {
        now = later(now, 7, 0);
        let results = adapter.map(payload, now);
        let whole = results.iter().all(Result::is_ok);
        if !whole && results.iter().all(Result::is_err) {
            continue;
        }
        assert_eq!(sheltered.map(payload, now), results);
        for (queue, state) in results.into_iter().flatten() {
            // A foreign system need not tell how many are on hold; a feed must.
            let told = QueueState {
                on_hold: Some(state.on_hold.unwrap_or_default()),
                ..state.clone()
            };
            let message = FeedMessage::new(&told, &settings.zone);
            let json = serde_json::to_vec(&message).expect("plain values");
            let back =
                feed::decode(&json).unwrap_or_else(|e| panic!("no message of the feed: {e}"));
            assert_eq!(back, told);
            accepted(&mut office, &queue, state, now);
        }
    }
}

/// What is mapped is also accepted: its times were looked at before it was counted.
fn accepted(office: &mut Office, queue: &yobiban::model::QueueId, state: QueueState, now: Now) {
    match office.apply(queue, state, Source::Adapter, now) {
        // A source that stands still since yesterday lists calls that are too old.
        Ok(_) | Err(Refusal::TimeOff { path: "calls", .. }) => {}
        Err(refusal) => panic!("{refusal}"),
    }
}
