//! A recorded day published to a broker.

use crate::mqtt::{next, options, start, up};
use crate::support;
use crate::support::mosquitto::Mosquitto;
use std::collections::BTreeSet;
use tokio_util::sync::CancellationToken;
use yobiban::commands::broker_url;
use yobiban::commands::replay::{self, ReplayArgs};
use yobiban::mqtt::Subscription;
use yobiban::wire::feed::FeedMessage;

#[tokio::test]
async fn a_replayed_day_arrives_whole_and_in_order() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let mut node = start(
        options(broker.address(), "node").subscribe(Subscription::new("yobiban/v1/+/feed/+")),
    );
    up(&mut node).await;
    let args = ReplayArgs {
        file: support::root().join("tests/fixtures/days/2026-11-24.jsonl.gz"),
        mqtt: broker_url::parse(&format!("mqtt://{}", broker.address())).unwrap(),
        speed: 100_000.0,
        office: None,
        keep_times: false,
    };
    let other = ReplayArgs {
        office: Some(yobiban::model::OfficeId::new("midori").unwrap()),
        ..args.clone()
    };
    let replay = tokio::spawn(async move {
        let mut out = Vec::new();
        let summary = replay::run(args, &mut out, CancellationToken::new())
            .await
            .unwrap();
        (summary, String::from_utf8(out).unwrap())
    });
    let (mut valid, mut broken, mut topics) = (0u64, 0u64, BTreeSet::new());
    while valid + broken < 3235 {
        let message = next(&mut node).await;
        match FeedMessage::decode(&message.payload) {
            Ok(_) => valid += 1,
            Err(_) => broken += 1,
        }
        topics.insert(message.topic);
    }
    let (summary, said) = replay.await.unwrap();
    assert_eq!(
        (summary.published, summary.confirmed, summary.topics),
        (3235, 3235, topics.len())
    );
    assert!(broken > 0 && summary.raw >= broken, "{summary:?} {broken}");
    assert!(
        said.starts_with("replayed 3235 messages on 5 topics in "),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1);

    let none = replay::run(other, &mut Vec::new(), CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(none.published, 0, "another office");
}
