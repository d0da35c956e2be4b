//! Reports of a node as they arrive at a broker.

use crate::mqtt::{LIMIT, next, options, start, up};
use crate::support::{eventually, mosquitto::Mosquitto};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use yobiban::clock::{Clock, ManualClock, Now};
use yobiban::model::{
    BoardId, Call, CallKind, Label, Lane, Name, NodeId, OfficeId, QueueId, QueueState, Source,
    Status,
};
use yobiban::mqtt::{Session, Subscription};
use yobiban::state::{Office, QueueSettings, Settings, Snapshot};
use yobiban::uplink::{Identity, Image, Origin, Pictures, Spool, Uplink, report};
use yobiban::wire::MediaType;
use yobiban::wire::report::ClockState;
use yobiban::wire::report::{CallReport, HealthReport, MachineReport, Numbers};
use yobiban::wire::{self, WireTime};

struct Bench {
    _broker: Option<Mosquitto>,
    session: Session,
    hub: Session,
    office: Office,
    snapshots: watch::Sender<Arc<Snapshot>>,
    pictures: watch::Sender<Pictures>,
    _health: watch::Sender<Arc<HealthReport>>,
    spool: Spool,
    identity: Identity,
    stop: CancellationToken,
}

fn now() -> Now {
    Now::at("2026-11-24T10:42:07+09:00".parse().unwrap())
}

fn queue() -> QueueId {
    QueueId::new("certificates").unwrap()
}

/// `None` where Mosquitto is not installed.
async fn bench() -> Option<Bench> {
    let broker = Mosquitto::start().await?;
    let bench = bench_at(broker.address(), "yobiban/v1/+/node/#").await;
    Some(Bench {
        _broker: Some(broker),
        ..bench
    })
}

/// A node at a broker, and a hub that has subscribed to a filter.
async fn bench_at(broker: SocketAddr, filter: &str) -> Bench {
    let hub = options(broker, "hub").subscribe(Subscription::new(filter));
    let mut hub = start(hub);
    up(&mut hub).await;
    let mut office = Office::new(Settings::new(vec![QueueSettings {
        id: queue(),
        name: Name::new([("en", "Certificates")]),
        lane: Lane::Standard,
    }]));
    let identity = Identity {
        root: "yobiban/v1".into(),
        office: OfficeId::new("chuo").unwrap(),
        name: Name::new([("en", "Chuo Ward")]),
        node: NodeId::new("n1").unwrap(),
        zone: TimeZone::UTC,
    };
    let mut options = options(broker, "node");
    options.availability = Some(identity.availability());
    let stop = CancellationToken::new();
    let session = yobiban::mqtt::spawn(options, stop.clone());
    office.set_connected(true, now());
    let (snapshots, watch_snapshots) = watch::channel(Arc::new(office.snapshot(now())));
    let (pictures, watch_pictures) = watch::channel(Pictures::new());
    let health = HealthReport {
        at: WireTime::new(now().wall, &TimeZone::UTC),
        version: "0".into(),
        uptime_s: 1,
        clock: ClockState::Unknown,
        issues: Vec::new(),
        outputs: Vec::new(),
        counts: BTreeMap::new(),
        machine: MachineReport::default(),
    };
    let (health, watch_health) = watch::channel(Arc::new(health));
    let spool = Spool::default();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(now()));
    let uplink = Uplink {
        identity: identity.clone(),
        publisher: session.publisher.clone(),
        snapshots: watch_snapshots,
        pictures: watch_pictures,
        health: watch_health,
        spool: spool.clone(),
        clock,
    };
    tokio::spawn(uplink.run(stop.clone()));
    Bench {
        _broker: None,
        session,
        hub,
        office,
        snapshots,
        pictures,
        _health: health,
        spool,
        identity,
        stop,
    }
}

fn call(no: u64) -> Call {
    Call {
        no,
        ticket: Label::new(&format!("A{no:03}")).unwrap(),
        counter: Some(Label::new("3").unwrap()),
        at: now().wall,
        kind: CallKind::Call,
    }
}

impl Bench {
    fn say(&mut self, seq: u64, waiting: u32, no: u64) {
        let state = QueueState {
            seq,
            at: now().wall,
            day: "2026-11-24".parse().unwrap(),
            epoch: 0,
            status: Status::Open,
            waiting: Some(waiting),
            on_hold: Some(0),
            next: Vec::new(),
            held: Vec::new(),
            calls: (1..=no).rev().take(20).map(call).collect(),
            now_serving: None,
            wait: None,
        };
        let changes = self
            .office
            .apply(&queue(), state, Source::Feed, now())
            .unwrap();
        for call in &changes.calls {
            self.spool.push(report::call(call, &self.identity.zone));
        }
        self.snapshots
            .send_replace(Arc::new(self.office.snapshot(now())));
    }

    /// The next message whose topic ends so.
    async fn next(&mut self, tail: &str) -> Vec<u8> {
        loop {
            let message = next(&mut self.hub).await;
            if message.topic.ends_with(tail) {
                return message.payload.to_vec();
            }
        }
    }
}

#[tokio::test]
async fn a_node_reports_everything_once_it_is_there() {
    let Some(mut bench) = bench().await else {
        return;
    };
    assert_eq!(
        next(&mut bench.hub).await.payload,
        "online",
        "before anything else"
    );
    let mut tails = std::collections::BTreeSet::new();
    while tails.len() < 2 {
        let message = next(&mut bench.hub).await;
        tails.insert(message.topic.rsplit('/').next().unwrap().to_owned());
    }
    assert!(
        tails.contains("numbers") && tails.contains("health"),
        "{tails:?}"
    );

    bench.say(1, 12, 3);
    for no in 1..=3 {
        let call: CallReport = wire::decode(&bench.next("/calls").await).unwrap();
        assert_eq!(
            (call.no, call.ticket.as_str()),
            (no, format!("A{no:03}").as_str())
        );
    }
    bench.stop.cancel();
    assert_eq!(bench.next("/availability").await, b"offline");
}

#[tokio::test]
async fn a_burst_becomes_few_reports_and_the_last_state_arrives() {
    let Some(mut bench) = bench().await else {
        return;
    };
    bench.next("/numbers").await;
    let begin = std::time::Instant::now();
    for seq in 1..=500 {
        bench.say(seq, u32::try_from(seq).unwrap(), seq);
    }
    let mut reports = 0;
    loop {
        let report: Numbers = wire::decode(&bench.next("/numbers").await).unwrap();
        reports += 1;
        if report.queues[0].waiting == Some(500) {
            break;
        }
    }
    let at_most = 2 + begin.elapsed().as_millis() / 200;
    assert!(reports <= at_most, "{reports} reports, expected {at_most}");
    // Every call of the burst reaches the broker, however few reports there were.
    eventually(LIMIT, "an empty spool", || bench.spool.is_empty()).await;
    assert_eq!(bench.spool.dropped(), 0);
}

#[tokio::test]
async fn a_picture_comes_before_the_numbers_that_name_it() {
    let Some(mut bench) = bench().await else {
        return;
    };
    bench.next("/numbers").await;
    let board = Origin::Board(BoardId::new("main").unwrap());
    let show = |bench: &Bench, bytes: &'static str| {
        let (board, at) = (board.clone(), now().wall);
        let image = Image::new(board.clone(), bytes, MediaType::Png, (4, 3), at);
        let sha256 = image.sha256.clone();
        bench
            .pictures
            .send_modify(|p| drop(p.insert(board, Arc::new(image))));
        sha256
    };
    let first = show(&bench, "first");
    show(&bench, "skipped");
    let last = show(&bench, "last");
    let mut pictures: Vec<String> = Vec::new();
    loop {
        let message = next(&mut bench.hub).await;
        if message.topic.ends_with("/board/main") {
            pictures.push(String::from_utf8(message.payload.to_vec()).unwrap());
        } else if message.topic.ends_with("/numbers") {
            let report: Numbers = wire::decode(&message.payload).unwrap();
            let Some(named) = report.boards.first() else {
                continue;
            };
            assert!(
                !pictures.is_empty(),
                "numbers name a picture that did not come"
            );
            assert!(named.sha256 == first || named.sha256 == last);
            if named.sha256 == last {
                break;
            }
        }
    }
    assert_eq!(pictures.last().unwrap(), "last");
    assert!(
        !pictures.contains(&"skipped".to_owned()),
        "at most one a second"
    );
}

#[tokio::test]
async fn calls_wait_for_a_hub_that_was_never_there() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let mut bench = bench_at(broker.address(), "yobiban/v1/+/node/+/numbers").await;
    bench.next("/numbers").await;
    bench.say(1, 12, 3);
    let stats = Arc::clone(&bench.session.stats);
    // Birth, health, numbers twice, and three calls that the broker would throw away.
    eventually(LIMIT, "the calls were tried", || {
        (stats.view().published >= 7).then_some(())
    })
    .await;
    assert_eq!(bench.spool.len(), 3);
    let calls = options(broker.address(), "calls");
    let mut hub = start(calls.subscribe(Subscription::new("yobiban/v1/+/node/+/calls")));
    for no in 1..=3 {
        let call: CallReport = wire::decode(&next(&mut hub).await.payload).unwrap();
        assert_eq!(call.no, no);
    }
    eventually(LIMIT, "the spool is empty", || {
        bench.spool.is_empty().then_some(())
    })
    .await;
}
