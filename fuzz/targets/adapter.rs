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
use yobiban::feed::{self, Adapter, MappedState};
use yobiban::model::QueueState;
use yobiban::state::{Delivery, Office, Rejection, Settings, could_be_now};
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
    let mut adapter = Adapter::new(config.clone(), settings);
    let _ = adapter.takes("a/b/c");
    // One that never heard what was refused must say the same of all the others.
    let mut sheltered = Adapter::new(config.clone(), settings);
    let mut office = Office::new(settings.clone());
    let mut now = start();
    for payload in payloads {
        now = later(now, 7, 0);
        let results = adapter.map("a", payload, Delivery::Live, now);
        let whole = results.iter().all(Result::is_ok);
        if !whole && results.iter().all(Result::is_err) {
            continue;
        }
        assert_eq!(sheltered.map("a", payload, Delivery::Live, now), results);
        for mapped in results.into_iter().flatten() {
            let state = &mapped.state;
            // A foreign system need not tell how many wait or are on hold; a feed must.
            let told = QueueState {
                waiting: Some(state.waiting.unwrap_or_default()),
                on_hold: Some(state.on_hold.unwrap_or_default()),
                ..state.clone()
            };
            let message = FeedMessage::new(&told, &settings.timezone);
            let json = serde_json::to_vec(&message).expect("plain values");
            let back =
                feed::decode(&json).unwrap_or_else(|e| panic!("no message of the feed: {e}"));
            // The offset of a zone a thousand years ago has seconds, which RFC 3339 cannot write.
            if could_be_now(told.at, now) {
                assert_eq!(back, told);
            }
            accepted(&mut office, mapped, now);
        }
    }
}

/// What is mapped can be judged.
fn accepted(office: &mut Office, mapped: MappedState, now: Now) {
    let judged = office.apply(&mapped.queue, mapped.state, mapped.arrival, now);
    // Times that a system wrote may be wrong; its queues are those of the configuration.
    if let Err(refusal @ Rejection::UnknownQueue(_)) = judged {
        panic!("{refusal}");
    }
}
