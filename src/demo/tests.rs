//! The whole demo, from its first line to its last.

use super::*;
use crate::clock::SystemClock;

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_says_ready_once_and_sums_up() {
    let any = ([127, 0, 0, 1], 0).into();
    let args = DemoArgs {
        listen: any,
        mqtt: None,
        speed: 60.0,
        for_: Some(Duration::from_secs(6)),
        seed: 1,
        out: None,
    };
    let mut out = Vec::new();
    let clock = Arc::new(SystemClock::new());
    run(args, clock, &mut out, CancellationToken::new())
        .await
        .unwrap();
    let out = String::from_utf8(out).unwrap();
    let ready: Vec<_> = out.lines().filter(|l| l.starts_with("ready ")).collect();
    assert_eq!(ready.len(), 1, "{out}");
    assert!(ready[0].starts_with("ready http://127.0.0.1:"), "{out}");
    let summary = out.lines().last().unwrap();
    assert!(
        summary.starts_with("played ") && summary.contains("99th percentile"),
        "{out}"
    );
    let folder = out
        .lines()
        .next()
        .unwrap()
        .strip_prefix("boards in ")
        .unwrap();
    assert!(
        !std::path::Path::new(folder).exists(),
        "its own folder is removed"
    );
}

/// Through midnight at several speeds, begun shortly before and after it: nodes take every message but
/// the broken ones, no clock is called wrong, and no call is counted twice.
#[test]
fn the_demo_goes_on_across_midnight() {
    use crate::clock::Now;
    use crate::node::OfficeState;
    use crate::state::{Delivery, Settings};
    use crate::wire::topic::Topic;
    use simulator::Kind;
    use std::collections::BTreeMap;

    let zone = Settings::new(Vec::new()).timezone;
    let mqtt = parts::broker(None).unwrap();
    let dir = std::path::Path::new("unused");
    for (speed, start, minutes) in [
        (6.0, "23:50", 20),
        (60.0, "23:58", 4),
        (6.0, "00:01", 10),
        (600.0, "23:59", 2),
    ] {
        let day = if start == "00:01" { 25 } else { 24 };
        let start = format!("2026-11-{day}T{start}:00+09:00").parse().unwrap();
        let mut nodes: BTreeMap<_, _> = simulator::offices()
            .into_iter()
            .map(|(id, name)| {
                let config = parts::node(&id, &name, &mqtt, dir, "http://127.0.0.1/", speed);
                (id, OfficeState::new(&config))
            })
            .collect();
        let mut simulator = Simulator::new(5, start, speed, &zone);
        let end = start + jiff::SignedDuration::from_mins(minutes);
        let mut look_at = Duration::ZERO;
        let (mut keys, mut broken) = (std::collections::BTreeSet::new(), 0);
        while simulator.next_event_at() <= end {
            let now = Now::at(simulator.next_event_at());
            for emission in simulator.step(now.wall) {
                broken += u64::from(emission.kind == Kind::Broken);
                let office = emission.office.clone();
                let topic = Topic::Feed(office.clone(), emission.queue).name(&mqtt.root);
                let truth = nodes.get_mut(&office).expect("an office of the demo");
                let outcome = truth.apply_message(&topic, &emission.payload, Delivery::Live, now);
                for call in outcome.calls {
                    let key = (
                        office.clone(),
                        call.queue,
                        call.day,
                        call.epoch,
                        call.call.no,
                    );
                    assert!(keys.insert(key), "{:?} twice", call.call);
                }
            }
            let wrong_clocks =
                |truth: &mut OfficeState| truth.snapshot(now).issues.contains(&"source-clock");
            if now.mono >= look_at {
                assert!(
                    !nodes.values_mut().any(wrong_clocks),
                    "at {} {speed}",
                    now.wall
                );
                look_at = now.mono + Duration::from_secs(30);
            }
        }
        let refused: u64 = nodes
            .values()
            .map(|n| n.counts()["messages_rejected"])
            .sum();
        assert!(
            refused <= broken && keys.len() > 30,
            "{refused} of {broken}, {}",
            keys.len()
        );
    }
}
