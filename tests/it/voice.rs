//! Calls that are heard: a recorded day through the plan, and the program killed while it speaks.

use crate::day::node;
use crate::support::{
    self, PATIENCE, day, eventually, mosquitto::Mosquitto, node_toml, process::Process, yobiban,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use yobiban::clock::{Clock as _, Now, SystemClock};
use yobiban::commands::broker_url;
use yobiban::config::VoiceDetail;
use yobiban::model::{OfficeId, QueueId};
use yobiban::mqtt::{self, ConnectionState, Publish, SessionOptions};
use yobiban::node::OfficeState;
use yobiban::state::{Delivery, LoggedCall};
use yobiban::store::Store;
use yobiban::voice::{
    Announcement, AnnouncementQueue, AnnouncementSettings, Next, SpokenCalls, VoiceQueue,
};
use yobiban::wire::topic::Topic;

const ROOT: &str = "yobiban/v1";

/// An office through its day: state, plan, and a loudspeaker that takes its time.
struct Office {
    id: OfficeId,
    queues: BTreeSet<QueueId>,
    truth: OfficeState,
    plan: AnnouncementQueue,
    store: Store,
    /// What sounds, and the monotonic moment of its end.
    sounds: Option<(Announcement, Duration)>,
    heard: Vec<(LoggedCall, VoiceDetail)>,
    interrupted: Vec<LoggedCall>,
    given_up: u64,
    waited: Duration,
}

fn plan(queues: &BTreeSet<QueueId>, spoken: SpokenCalls) -> AnnouncementQueue {
    let queue = |id: &QueueId| VoiceQueue {
        id: id.clone(),
        fast: id.as_str().ends_with("-fast"),
    };
    let settings = AnnouncementSettings {
        queues: queues.iter().map(queue).collect(),
        zone: jiff::tz::TimeZone::get("Asia/Tokyo").unwrap(),
        fresh_for: Duration::from_secs(120),
        min_pause: Duration::from_secs(1),
        max_backlog: Duration::from_secs(30),
        volume: 80,
        hours: Vec::new(),
    };
    AnnouncementQueue::new(settings, spoken)
}

/// How long an announcement sounds: as measured, in Japanese.
fn length(detail: VoiceDetail) -> Duration {
    Duration::from_millis(match detail {
        VoiceDetail::Full => 6_000,
        VoiceDetail::Short => 4_000,
        _ => 1_250,
    })
}

impl Office {
    fn new(id: &OfficeId, queues: &BTreeSet<QueueId>, dir: &Path) -> Self {
        Self {
            id: id.clone(),
            queues: queues.clone(),
            truth: OfficeState::new(&node(id, queues)),
            plan: plan(queues, SpokenCalls::default()),
            store: Store::open(&dir.join(id.as_str())).unwrap(),
            sounds: None,
            heard: Vec::new(),
            interrupted: Vec::new(),
            given_up: 0,
            waited: Duration::ZERO,
        }
    }

    /// Lets time pass until `now`.
    fn pass(&mut self, now: Now) {
        loop {
            if let Some((announcement, end)) = self.sounds.take_if(|(_, end)| *end <= now.mono) {
                let at = back(now, end);
                self.plan.finished(at);
                let detail = announcement.detail;
                let calls = announcement.calls.into_iter();
                self.heard.extend(calls.map(|call| (call, detail)));
                self.begin(at);
                continue;
            }
            if self.sounds.is_some() {
                return;
            }
            // Nothing sounds: perhaps the pause is over before now.
            match self.plan.next(now) {
                Next::Announce(announcement) => {
                    let end = now.mono + length(announcement.detail);
                    self.note(&announcement, now);
                    self.sounds = Some((announcement, end));
                }
                Next::Wait(_) => return,
            }
        }
    }

    /// Begins what is due right after an announcement, at its own moment.
    fn begin(&mut self, ended: Now) {
        if let Next::Wait(Some(at)) = self.plan.next(ended) {
            let now = Now {
                mono: at,
                wall: ended.wall + jiff::SignedDuration::try_from(at - ended.mono).unwrap(),
                ..ended
            };
            if let Next::Announce(announcement) = self.plan.next(now) {
                let end = at + length(announcement.detail);
                self.note(&announcement, now);
                self.sounds = Some((announcement, end));
            }
        }
    }

    fn note(&mut self, announcement: &Announcement, now: Now) {
        for call in &announcement.calls {
            self.waited = self.waited.max(now.since(call.received_at));
        }
    }

    fn update(&mut self, now: Now) {
        let snapshot = self.truth.snapshot(now);
        self.plan.update(&snapshot.log, now);
        if self.sounds.is_none()
            && let Next::Announce(announcement) = self.plan.next(now)
        {
            let end = now.mono + length(announcement.detail);
            self.note(&announcement, now);
            self.sounds = Some((announcement, end));
        }
    }

    /// The power goes and comes back; boards had shown everything.
    fn restart(&mut self, now: Now) {
        let zone = jiff::tz::TimeZone::get("Asia/Tokyo").unwrap();
        self.store
            .save(&self.truth.saved_state(u64::MAX), &zone)
            .unwrap();
        self.store.save_announced(self.plan.spoken()).unwrap();
        self.given_up += self.plan.skipped();
        if let Some((announcement, _)) = self.sounds.take() {
            self.interrupted.extend(announcement.calls);
        }
        self.truth = OfficeState::new(&node(&self.id, &self.queues));
        self.truth.restore(self.store.load().unwrap(), now);
        self.plan = plan(&self.queues, self.store.load_announced().unwrap());
        self.update(now);
    }
}

/// An earlier moment of the same clock.
fn back(now: Now, mono: Duration) -> Now {
    Now {
        mono,
        wall: now.wall - jiff::SignedDuration::try_from(now.mono - mono).unwrap(),
        ..now
    }
}

fn key(call: &LoggedCall) -> (QueueId, jiff::civil::Date, u32, u64) {
    (call.queue.clone(), call.day, call.epoch, call.call.no)
}

/// What a recording came to.
#[derive(Debug)]
struct Figures {
    heard: u64,
    restarts: u32,
    interrupted: usize,
}

/// A recording through its offices, the power cut every so often at whatever moment that is.
fn heard_once(path: &Path, cut_every: Duration) -> Figures {
    let lines = day::read(path);
    let mut queues: BTreeMap<OfficeId, BTreeSet<QueueId>> = BTreeMap::new();
    for line in &lines {
        if let Some(Topic::Feed(office, queue)) = Topic::parse(ROOT, &line.topic) {
            queues.entry(office).or_default().insert(queue);
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let mut offices: BTreeMap<_, _> = queues
        .iter()
        .map(|(id, queues)| (id.clone(), Office::new(id, queues, dir.path())))
        .collect();
    let begin: jiff::Timestamp = lines[0].at.parse().unwrap();
    let moment = |wall: jiff::Timestamp| Now {
        mono: Duration::try_from(wall.duration_since(begin)).unwrap(),
        ..Now::at(wall)
    };
    let mut wanted: BTreeMap<OfficeId, Vec<_>> = BTreeMap::new();
    let (mut restarts, mut next_cut) = (0, cut_every);
    let mut now = moment(begin);
    for line in &lines {
        now = moment(line.at.parse().unwrap());
        if now.mono >= next_cut {
            next_cut += cut_every;
            for office in offices.values_mut() {
                office.pass(now);
                office.restart(now);
                restarts += 1;
            }
        }
        let Some(Topic::Feed(id, _)) = Topic::parse(ROOT, &line.topic) else {
            panic!("{}", line.topic);
        };
        let office = offices.get_mut(&id).unwrap();
        office.pass(now);
        let outcome = office
            .truth
            .apply_message(&line.topic, &line.payload, Delivery::Live, now);
        let new = outcome.calls.iter().filter(|c| c.announce);
        wanted.entry(id).or_default().extend(new.map(key));
        office.update(now);
    }
    let end = now;
    let (mut count, mut joined) = (BTreeMap::new(), 0);
    let (mut interrupted, mut given_up) = (0, 0);
    let mut waited = Duration::ZERO;
    for (id, office) in &mut offices {
        for second in 1..300 {
            let wall = end.wall + jiff::SignedDuration::from_secs(second);
            office.pass(moment(wall));
        }
        let keys: Vec<_> = office.heard.iter().map(|(call, _)| key(call)).collect();
        let unique: BTreeSet<_> = keys.iter().cloned().collect();
        assert_eq!(unique.len(), keys.len(), "{id}: something was heard twice");
        let wanted: BTreeSet<_> = wanted[id].iter().cloned().collect();
        let lost: Vec<_> = wanted.difference(&unique).collect();
        let extra: Vec<_> = unique.difference(&wanted).collect();
        office.given_up += office.plan.skipped();
        assert!(extra.is_empty(), "{id}: {extra:?}");
        assert_eq!(lost.len() as u64, office.given_up, "{id}: {lost:?}");
        for call in &office.interrupted {
            assert!(
                unique.contains(&key(call)),
                "{id}: {call:?} was cut short and not said again"
            );
        }
        // In order, but for further counters of a ticket, which are said with its first one.
        let mut last: BTreeMap<QueueId, (jiff::civil::Date, u32, u64)> = BTreeMap::new();
        let mut before: Option<&LoggedCall> = None;
        for (call, detail) in &office.heard {
            *count.entry(*detail).or_insert(0) += 1;
            let place = (call.day, call.epoch, call.call.no);
            let with =
                before.filter(|b| b.queue == call.queue && b.call.ticket == call.call.ticket);
            if with.is_some() && last[&call.queue] < place {
                joined += 1;
            } else if let Some(last) = last.insert(call.queue.clone(), place) {
                assert!(last < place, "{id}: {place:?} after {last:?}");
            }
            before = Some(call);
        }
        interrupted += office.interrupted.len();
        given_up += office.given_up;
        waited = waited.max(office.waited);
    }
    let heard: u64 = count.values().sum();
    println!(
        "{heard} calls heard: {count:?}; {restarts} restarts cut {interrupted} short; \
         {given_up} given up; {joined} said with another; longest wait {waited:?}"
    );
    assert_eq!(given_up, 0, "nobody of a usual day is left out");
    Figures {
        heard,
        restarts,
        interrupted,
    }
}

#[test]
fn the_recorded_day_is_heard_once_and_in_order_with_restarts_in_the_middle() {
    let minutes = |n: u64| Duration::from_secs(60 * n);
    let office = heard_once(&support::recording("2026-11-24.jsonl.gz"), minutes(7));
    assert!(
        office.heard > 300 && office.restarts > 50 && office.interrupted >= 5,
        "{office:?}"
    );
    let six = heard_once(&support::recording("afternoon.jsonl.gz"), minutes(5));
    assert!(
        six.heard > 150 && six.restarts > 40 && six.interrupted >= 5,
        "{six:?}"
    );
    if let Some(path) = support::shared("days/2026-11-24.jsonl.gz") {
        let day = heard_once(&path, minutes(20));
        assert!(
            day.heard > 3000 && day.restarts > 100 && day.interrupted > 10,
            "{day:?}"
        );
    }
}

/// A node with a voice that writes files, killed again and again while calls come in.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_repeats_at_most_the_announcement_that_was_under_way() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    const CALLS: u64 = 60;
    let dir = tempfile::tempdir().unwrap();
    let voice = r#"
        [voice]
        output = "wav"
        min_pause = "200ms"
        dictionary = "none"
    "#;
    let config = dir.path().join("node.toml");
    std::fs::write(&config, node_toml(broker.address(), voice)).unwrap();
    let start = || {
        let mut command = yobiban();
        command.args(["node", "--config"]).arg(&config);
        Process::start(command)
    };
    let line = broker_url::parse(&format!("mqtt://{}", broker.address())).unwrap();
    let mut session = mqtt::spawn(
        SessionOptions::new(&line, "tickets", "tickets"),
        CancellationToken::new(),
    );
    session
        .connection
        .wait_for(ConnectionState::is_connected)
        .await
        .unwrap();
    let zone = jiff::tz::TimeZone::get("Asia/Tokyo").unwrap();
    let folder = dir.path().join("calls");
    let heard = || -> Vec<u64> {
        let Ok(files) = std::fs::read_dir(&folder) else {
            return Vec::new();
        };
        let mut names: Vec<String> = files
            .map(|f| f.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".wav"))
            .collect();
        names.sort();
        let no = |name: &String| name.split('-').nth(2).unwrap().parse().unwrap();
        names.iter().map(no).collect()
    };
    let mut random = fastrand::Rng::with_seed(support::seed(7));
    let mut node = start();
    let mut lines: Vec<String> = Vec::new();
    let mut last_before = BTreeSet::new();
    for no in 1..=CALLS {
        let at = SystemClock::new().now().wall.to_zoned(zone.clone());
        let time = at.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z");
        let call = format!(
            r#"{{"no": {no}, "ticket": "A{no:03}", "counter": "3", "at": "{time}", "kind": "call"}}"#
        );
        lines.insert(0, call);
        lines.truncate(20);
        let message = format!(
            r#"{{"seq": {no}, "at": "{time}", "day": "{}", "status": "open", "waiting": 3, "on_hold": 0, "calls": [{}]}}"#,
            at.date(),
            lines.join(",")
        );
        let message = Publish::retained("yobiban/v1/chuo/feed/certificates", message);
        session.publisher.publish(message).await.unwrap();
        tokio::time::sleep(Duration::from_millis(40)).await;
        if no % 12 == 0 {
            tokio::time::sleep(Duration::from_millis(random.u64(0..50))).await;
            node.kill();
            last_before.extend(heard().last().copied());
            node = start();
            // A message lists the last twenty calls only.
            eventually(PATIENCE, "it has caught up", || {
                (heard().last() == Some(&no)).then_some(())
            })
            .await;
        }
    }
    eventually(PATIENCE, "all calls are heard", || {
        let all: BTreeSet<u64> = heard().into_iter().collect();
        (all == (1..=CALLS).collect()).then_some(())
    })
    .await;
    // A file is there a moment before its call is known as spoken.
    let store = Store::open(&dir.path().join("store")).unwrap();
    let through = || {
        let spoken = store.load_announced().unwrap();
        spoken.queues.values().next().map(|queue| queue.through)
    };
    eventually(
        PATIENCE,
        "the last call is known as spoken",
        || match through() {
            Some(CALLS) => Ok(()),
            other => Err(other),
        },
    )
    .await;
    node.stop().await;
    let mut twice = Vec::new();
    let mut highest = 0;
    for no in heard() {
        if no <= highest {
            twice.push(no);
        } else {
            assert_eq!(no, highest + 1, "in order");
            highest = no;
        }
    }
    println!("killed 5 times: {twice:?} of {CALLS} calls were heard again");
    assert!(
        twice.iter().all(|no| last_before.contains(no)),
        "{twice:?} {last_before:?}"
    );
    assert_eq!(through(), Some(CALLS));
}
