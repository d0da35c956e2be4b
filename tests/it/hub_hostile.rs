//! Whatever nodes of an office said before: what an honest one says next is what is shown and kept.
//!
//! A few hundred cases in the usual run; 20,000 with `PROPTEST_CASES=20000`.

use crate::hub_history::{row, start};
use crate::support::city::{AT, numbers};
use crate::support::{PATIENCE, eventually};
use bytes::Bytes;
use jiff::SignedDuration;
use jiff::tz::{Offset, TimeZone};
use proptest::prelude::*;
use std::time::Duration;
use yobiban::clock::Now;
use yobiban::hub::history::CallRow;
use yobiban::hub::registry::{ONLINE_FOR, Registry, decode_call};
use yobiban::wire::WireTime;
use yobiban::wire::report::Numbers;
use yobiban::wire::topic::Topic;

/// One message of a node that may be wrong in every way that its topic allows.
#[derive(Debug, Clone)]
struct Bad {
    node: &'static str,
    kind: u8,
    retained: bool,
    /// When it claims to be made, of its queues and of its day: seconds and days from now.
    at_s: i64,
    as_of_s: i64,
    days: i64,
    seq: u64,
    offset_h: i8,
    fresh: bool,
    /// Milliseconds until the next message.
    then_ms: u64,
    synced: bool,
}

fn seconds() -> impl Strategy<Value = i64> {
    prop_oneof![
        -130i64..130,
        -200_000i64..200_000,
        Just(119),
        Just(120),
        Just(86_399),
        Just(20_000_000_000),
        Just(-50_000_000_000),
    ]
}

fn counts() -> impl Strategy<Value = u64> {
    prop_oneof![0u64..50, any::<u64>(), Just(u64::MAX), Just((1 << 63) - 1)]
}

fn bad() -> impl Strategy<Value = Bad> {
    let times = (seconds(), seconds(), -2i64..3, -13i8..16);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let which = (prop_oneof![Just("n1"), Just("n2")], 0u8..8);
    (
        which,
        times,
        flags,
        counts(),
        prop_oneof![1u64..5_000, Just(100_000)],
    )
        .prop_map(
            |((node, kind), (at_s, as_of_s, days, offset_h), flags, seq, then_ms)| Bad {
                node,
                kind,
                retained: flags.0,
                at_s,
                as_of_s,
                days,
                seq,
                offset_h,
                fresh: flags.1,
                then_ms,
                synced: flags.2,
            },
        )
}

fn moved(now: Now, s: i64, offset_h: i8) -> WireTime {
    let at = now
        .wall
        .checked_add(SignedDuration::from_secs(s))
        .unwrap_or(now.wall);
    WireTime::new(at, &TimeZone::fixed(Offset::constant(offset_h)))
}

fn tell(registry: &mut Registry, tail: &str, payload: Vec<u8>, retained: bool, now: Now) -> bool {
    let topic = Topic::parse("r", &format!("r/chuo/node/{tail}")).unwrap();
    registry
        .apply(&topic, &Bytes::from(payload), retained, now)
        .is_ok()
}

impl Bad {
    fn numbers(&self, now: Now) -> Numbers {
        let mut n = numbers("chuo");
        n.seq = self.seq;
        n.at = moved(now, self.at_s, self.offset_h);
        let day = n.at.zoned().date();
        n.day = day
            .checked_add(jiff::ToSpan::days(self.days))
            .unwrap_or(day);
        for queue in &mut n.queues {
            queue.as_of = Some(moved(now, self.as_of_s, self.offset_h));
            queue.fresh = self.fresh;
            queue.waiting = Some(999);
        }
        n
    }

    fn say(&self, registry: &mut Registry, now: Now) {
        let mut say = |tail: &str, payload: Vec<u8>| {
            tell(
                registry,
                &format!("{}/{tail}", self.node),
                payload,
                self.retained,
                now,
            )
        };
        match self.kind {
            0 => say("availability", b"online".to_vec()),
            1 => say("availability", b"offline".to_vec()),
            2 => say("numbers", Vec::new()),
            3 => {
                let at = moved(now, self.at_s, self.offset_h);
                let clock = if self.fresh {
                    "synchronised"
                } else {
                    "unknown"
                };
                let health = format!(
                    r#"{{"at":"{at}","version":"1","uptime_s":1,"clock":"{clock}","issues":[]}}"#
                );
                say("health", health.into_bytes())
            }
            _ => say("numbers", serde_json::to_vec(&self.numbers(now)).unwrap()),
        };
    }
}

/// Half of the usual number of cases: each makes many reports.
fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|n| n.parse().ok());
    ProptestConfig {
        cases: asked.unwrap_or(usual),
        // What failed once is kept as a test with a name instead.
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn an_honest_report_is_shown_whatever_was_said_before(
        before in proptest::collection::vec(bad(), 0..24),
        // How far the honest clock is off, and how long its report was on its way.
        skew_ms in -900i64..100_000,
        beats in 1usize..4,
    ) {
        let mut registry = Registry::new();
        let mut now = Now::at(AT.parse().unwrap());
        let pass = |now: &mut Now, ms: u64| {
            let wall = SignedDuration::from_millis(i64::try_from(ms).unwrap());
            now.wall += wall;
            now.mono += Duration::from_millis(ms);
        };
        for bad in &before {
            now.synced = bad.synced;
            bad.say(&mut registry, now);
            let _ = registry.advance(now);
            pass(&mut now, bad.then_ms);
        }
        now.synced = true;
        pass(&mut now, 1_000);
        tell(&mut registry, "n1/availability", b"online".to_vec(), false, now);
        let mut last = None;
        for beat in 0..beats {
            let mut honest = numbers("chuo");
            let zone = TimeZone::fixed(Offset::constant(9));
            let made = now.wall + SignedDuration::from_millis(skew_ms);
            honest.seq = u64::try_from(made.as_millisecond()).unwrap();
            honest.at = WireTime::new(made, &zone);
            honest.day = honest.at.zoned().date();
            for queue in &mut honest.queues {
                queue.as_of = Some(honest.at);
                queue.waiting = Some(u32::try_from(beat).unwrap());
            }
            let json = serde_json::to_vec(&honest).unwrap();
            prop_assert!(tell(&mut registry, "n1/numbers", json, false, now), "beat {}", beat);
            let view = registry.view(&honest.office.id).unwrap();
            prop_assert!(view.online);
            prop_assert_eq!(&view.queues, &honest.queues);
            prop_assert_eq!(view.as_of, Some(honest.at));
            last = Some(honest);
            pass(&mut now, 60_000);
        }
        // Silence ends it, whatever brokers repeat.
        let last = serde_json::to_vec(&last).unwrap();
        let silence = u64::try_from(ONLINE_FOR.as_millis()).unwrap() + 1;
        pass(&mut now, silence + 100_000);
        tell(&mut registry, "n1/availability", b"online".to_vec(), true, now);
        tell(&mut registry, "n1/numbers", last, true, now);
        let _ = registry.advance(now);
        let view = registry.view(&"chuo".parse().unwrap()).unwrap();
        prop_assert!(!view.online);
        prop_assert!(view.queues.iter().all(|q| !q.fresh));
    }
}

/// A call that may be wrong in every way.
fn bad_call() -> impl Strategy<Value = String> {
    let no = prop_oneof![1u64..8, counts()];
    let ticket = prop_oneof![Just("A001"), Just("A002"), Just("X")];
    let at = prop_oneof![-100i64..119, seconds()];
    (no, 0u32..2, ticket, at, -2i64..3, -13i8..16).prop_map(
        |(no, epoch, ticket, at_s, days, offset_h)| {
            let at = moved(Now::at(AT.parse().unwrap()), at_s, offset_h);
            let day = at.zoned().date();
            let day = day.checked_add(jiff::ToSpan::days(days)).unwrap_or(day);
            format!(
                r#"{{"queue":"certificates","day":"{day}","epoch":{epoch},"no":{no},
                "ticket":"{ticket}","counter":"3","at":"{at}","kind":"call"}}"#
            )
        },
    )
}

/// The history after these calls and five honest ones: every honest call once, in order, and the
/// newest of each ticket.
async fn honest_calls_are_kept(url: &str, before: &[String]) -> Result<(), TestCaseError> {
    let now = Now::at(AT.parse().unwrap());
    let running = start(url);
    eventually(PATIENCE, "it is open", || running.history.is_usable()).await;
    let office = "chuo".parse().unwrap();
    for payload in before {
        if let Ok(call) = decode_call(payload.as_bytes(), now, 400) {
            let row = CallRow::new(&office, &call).unwrap();
            let heard = Some(now.wall);
            running
                .history
                .record_received(row, heard, None)
                .await
                .unwrap();
        }
    }
    let honest: Vec<CallRow> = (1..=5)
        .map(|no| CallRow {
            at: format!("2026-11-24T10:44:{:02}+09:00", 10 + no),
            ticket: format!("H{no:03}"),
            ..row("certificates", 0, no)
        })
        .collect();
    let twice = honest.iter().flat_map(|r| [r.clone(), r.clone()]);
    running.record(twice).await;
    let found = running.all().await;
    for call in &honest {
        let times = found.iter().filter(|r| *r == call).count();
        prop_assert_eq!(times, 1, "{:?} in {:?}", call, found);
        let queue = "certificates".parse().unwrap();
        let day = "2026-11-24".parse().unwrap();
        let newest = running
            .history
            .newest_call(&office, &queue, day, &call.ticket);
        let newest = newest.await.unwrap();
        prop_assert_eq!(newest.as_ref(), Some(call));
    }
    running.stop().await;
    Ok(())
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn honest_calls_are_kept_whatever_was_called_before(
        before in proptest::collection::vec(bad_call(), 0..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(honest_calls_are_kept("sqlite::memory:", &before))?;
    }
}
