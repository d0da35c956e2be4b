//! Message bytes to applied state. Limit: 50 µs.

use divan::{Bencher, black_box};
use std::time::Duration;
use yobiban::clock::Now;
use yobiban::feed;
use yobiban::model::{Lane, Name, QueueId, Source};
use yobiban::state::{Office, QueueSettings, Settings};

const START_S: i64 = 1_795_482_000;

/// A feed message with 20 calls and `next` tickets due next.
fn payload(seq: u64, next: usize) -> Vec<u8> {
    let calls: Vec<String> = (0..20)
        .map(|i| {
            format!(
                r#"{{"no":{},"ticket":"A{:03}","counter":"3","at":"2026-11-24T10:00:00+09:00","kind":"call"}}"#,
                seq + 20 - i,
                (seq + 20 - i) % 1000
            )
        })
        .collect();
    let next: Vec<String> = (0..next).map(|i| format!("\"A{i:03}\"")).collect();
    format!(
        r#"{{"seq":{seq},"at":"2026-11-24T10:00:00.120+09:00","day":"2026-11-24","status":"open",
        "waiting":12,"next":[{}],"on_hold":1,"held":["A031"],"calls":[{}]}}"#,
        next.join(","),
        calls.join(",")
    )
    .into_bytes()
}

#[divan::bench(args = [4, 40, 500])]
fn bytes_to_applied_state(bencher: Bencher<'_, '_>, next: usize) {
    let id = QueueId::new("certificates").expect("an id");
    let mut office = Office::new(Settings::new(vec![QueueSettings {
        id: id.clone(),
        name: Name::new([("ja", "証明書の交付")]),
        lane: Lane::Standard,
    }]));
    let start = jiff::Timestamp::from_second(START_S).expect("a time");
    let mut seq = 0;
    bencher
        .with_inputs(|| {
            seq += 1;
            (
                payload(seq, next),
                Now::at(start + Duration::from_millis(seq)),
            )
        })
        .bench_local_values(|(bytes, now)| {
            let state = feed::decode(black_box(&bytes)).expect("valid");
            black_box(office.apply(&id, state, Source::Feed, now)).expect("newer")
        });
}
