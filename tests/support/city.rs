//! A hub with six offices, without broker and socket.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use yobiban::clock::{ManualClock, Now};
use yobiban::config::{HubConfig, MqttConfig, PagesConfig, Secret, WebConfig};
use yobiban::hub::history::{CallRow, HistoryEvent, PredictionRow, QueueSample};
use yobiban::hub::{Ack, Hub, Incoming, router};
use yobiban::model::{Label, Lane, Name, OfficeId, QueueId, Source, Status};
use yobiban::wire::WireTime;
use yobiban::wire::feed::WireWait;
use yobiban::wire::report::{BoardPicture, LastCall, Numbers, OfficeName, QueueNumbers};
use yobiban::wire::sha256_hex;

/// The moment of the fixture.
pub const AT: &str = "2026-11-24T10:42:07+09:00";

pub const OFFICES: [(&str, &str, &str); 6] = [
    ("chuo", "中央区", "Chuo Ward"),
    ("hanamigawa", "花見川区", "Hanamigawa Ward"),
    ("inage", "稲毛区", "Inage Ward"),
    ("wakaba", "若葉区", "Wakaba Ward"),
    ("midori", "緑区", "Midori Ward"),
    ("mihama", "美浜区", "Mihama Ward"),
];

const QUEUES: [(&str, &str, &str, Lane, &str, &str); 5] = [
    (
        "certificates",
        "証明書の交付",
        "Certificates",
        Lane::Standard,
        "A",
        "3",
    ),
    (
        "moving",
        "住所の異動",
        "Change of address",
        Lane::Standard,
        "B",
        "6",
    ),
    (
        "moving-fast",
        "住所の異動",
        "Change of address",
        Lane::Fast,
        "F",
        "7",
    ),
    (
        "mynumber",
        "マイナンバーカード",
        "My Number Card",
        Lane::Standard,
        "C",
        "11",
    ),
    (
        "koseki",
        "戸籍の届出",
        "Family register",
        Lane::Standard,
        "D",
        "13",
    ),
];

/// Last number, people waiting, on hold, wait in minutes (low, high).
type Morning = (u32, u32, u32, u32, u32);

/// By office and queue.
const DAY: [[Morning; 5]; 6] = [
    [
        (42, 12, 1, 8, 15),
        (317, 21, 3, 55, 80),
        (9, 1, 0, 0, 6),
        (528, 2, 0, 5, 12),
        (706, 0, 0, 0, 0),
    ],
    [
        (118, 2, 0, 2, 6),
        (342, 3, 0, 6, 20),
        (7, 0, 0, 0, 0),
        (524, 1, 1, 3, 9),
        (710, 3, 0, 8, 19),
    ],
    [
        (62, 11, 5, 14, 26),
        (321, 5, 0, 18, 34),
        (7, 0, 0, 0, 0),
        (514, 2, 0, 6, 15),
        (708, 0, 0, 0, 0),
    ],
    [
        (46, 2, 0, 2, 5),
        (316, 1, 0, 3, 9),
        (7, 2, 0, 4, 11),
        (519, 0, 0, 0, 0),
        (706, 0, 0, 0, 0),
    ],
    [
        (77, 6, 0, 0, 0),
        (309, 4, 1, 0, 0),
        (4, 0, 0, 0, 0),
        (511, 3, 0, 0, 0),
        (703, 1, 0, 0, 0),
    ],
    [
        (68, 12, 4, 9, 18),
        (330, 2, 1, 7, 16),
        (8, 0, 0, 0, 0),
        (529, 4, 3, 11, 22),
        (703, 0, 0, 0, 0),
    ],
];

pub fn time(text: &str) -> WireTime {
    serde_json::from_value(text.into()).unwrap()
}

fn label(series: &str, number: u32) -> Label {
    Label::new(&format!("{series}{number:03}")).unwrap()
}

/// A queue with `last` called, `waiting` people listed next.
fn queue(i: usize, (last, waiting, hold, low, high): Morning) -> QueueNumbers {
    let (id, ja, en, lane, series, counter) = QUEUES[i];
    QueueNumbers {
        id: QueueId::new(id).unwrap(),
        name: Name::new([("ja", ja), ("en", en)]),
        lane,
        status: Status::Open,
        as_of: Some(time(AT)),
        fresh: true,
        source: Source::Feed,
        last_call: Some(LastCall {
            no: u64::from(last % 300) + 1,
            ticket: label(series, last),
            counter: Some(Label::new(counter).unwrap()),
            at: time("2026-11-24T10:41:30+09:00"),
        }),
        next: (1..=waiting).map(|n| label(series, last + n)).collect(),
        waiting: Some(waiting),
        on_hold: Some(hold),
        now_serving: None,
        wait: Some(WireWait {
            low: low * 60,
            high: high * 60,
            interval_mean: None,
            interval_shape: None,
        }),
    }
}

/// An office's numbers as its node reports them; Midori's source is silent since 10:18.
pub fn numbers(office: &str) -> Numbers {
    let o = OFFICES.iter().position(|(id, ..)| *id == office).unwrap();
    let (id, ja, en) = OFFICES[o];
    let mut queues: Vec<_> = (0..5).map(|i| queue(i, DAY[o][i])).collect();
    if id == "midori" {
        for q in &mut queues {
            q.fresh = false;
            q.as_of = Some(time("2026-11-24T10:18:20+09:00"));
            q.wait = None;
        }
    }
    Numbers {
        seq: 77,
        at: time(AT),
        day: "2026-11-24".parse().unwrap(),
        office: OfficeName {
            id: OfficeId::new(id).unwrap(),
            name: Name::new([("ja", format!("{ja}役所")), ("en", format!("{en} Office"))]),
        },
        queues,
        boards: Vec::new(),
        cameras: Vec::new(),
    }
}

/// A PNG of one grey, and the line that describes it as board `main`.
pub fn picture(grey: u8) -> (Bytes, BoardPicture) {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 16, 9);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[grey; 16 * 9]).unwrap();
    writer.finish().unwrap();
    let line = line(&bytes, "image/png", 16, 9);
    (bytes.into(), line)
}

/// The line of board `main` for a picture.
pub fn line(bytes: &[u8], format: &str, width: u32, height: u32) -> BoardPicture {
    BoardPicture {
        id: "main".parse().unwrap(),
        sha256: sha256_hex(bytes),
        format: format.to_owned(),
        width,
        height,
        shown_at: time("2026-11-24T10:42:07+09:00"),
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}

/// A running hub: intake, history writer, and a clock moved by hand.
pub struct City {
    pub hub: Arc<Hub>,
    pub clock: ManualClock,
    pub shutdown: CancellationToken,
    reports: mpsc::Sender<Incoming>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    pub dir: TempDir,
}

/// Opens the page of all nodes.
pub const FLEET_TOKEN: &str = "a-token-of-the-tests";

pub fn config(store: &str) -> HubConfig {
    HubConfig {
        mqtt: MqttConfig {
            host: "127.0.0.1".into(),
            port: 1883,
            tls: None,
            root: "yobiban/v1".into(),
            username: None,
            password: None,
            client_id: None,
            keep_alive: Duration::from_secs(20),
        },
        listen: "127.0.0.1:0".parse().unwrap(),
        store_url: Secret::new(store),
        retention_days: 400,
        order: OFFICES
            .iter()
            .map(|(id, ..)| OfficeId::new(id).unwrap())
            .collect(),
        title: Name::default(),
        pages: PagesConfig::default(),
        web: WebConfig {
            fleet_token: Some(Secret::new(FLEET_TOKEN)),
            ..WebConfig::default()
        },
        streams: Vec::new(),
        voice: None,
    }
}

impl City {
    /// A hub that knows nothing yet, with a SQLite file of its own.
    pub async fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = format!("sqlite:{}", dir.path().join("hub.db").display());
        Self::with(config(&store), dir).await
    }

    pub async fn with(config: HubConfig, dir: TempDir) -> Self {
        let clock = ManualClock::new(Now::at(AT.parse::<Timestamp>().unwrap()));
        let shutdown = CancellationToken::new();
        let (hub, mut writer) = Hub::open(&config, clock.clone(), shutdown.clone()).unwrap();
        writer.prepare().await.unwrap();
        let (reports, inbox) = mpsc::channel(64);
        let feeder = Arc::clone(&hub);
        let tasks = vec![
            tokio::spawn(writer.run(shutdown.clone())),
            tokio::spawn(async move { feeder.feed(inbox).await }),
        ];
        hub.set_connected(true);
        Self {
            hub,
            clock,
            shutdown,
            reports,
            tasks,
            dir,
        }
    }

    /// A hub that has heard all six offices.
    pub async fn awake() -> Self {
        let city = Self::empty().await;
        for (id, ..) in OFFICES {
            city.online(id).await;
            city.tell(&numbers(id)).await;
        }
        city
    }

    /// Gives the offices a past of four weeks: what was told and what happened, and how their
    /// queues stood hour by hour. Tickets are `Z…`, of days that are over.
    pub async fn with_a_past(&self) {
        let history = self.hub.history();
        let tuesday: jiff::civil::Date = "2026-11-24".parse().unwrap();
        let mut no = 0;
        for (o, (office, ..)) in OFFICES.iter().enumerate() {
            for back in 1..=28 {
                let day = tuesday.checked_sub(jiff::ToSpan::days(back)).unwrap();
                let weekday = i64::from(day.weekday().to_monday_zero_offset());
                if weekday > 4 {
                    continue;
                }
                for (q, (queue, _, _, lane, ..)) in QUEUES.iter().enumerate() {
                    for hour in 9..17 {
                        no += 1;
                        // Mondays and late mornings are full, afternoons are quiet.
                        let rush = [9, 20, 26, 18, 12, 8, 5, 3][hour as usize - 9]
                            + 8 * i64::from(weekday == 0);
                        let low = 60 * (rush + 3 * q as i64) / (1 + o as i64 % 3);
                        let high = low * 2 + 240;
                        history.try_record(HistoryEvent::QueueSample(QueueSample {
                            day: day.to_string(),
                            office: (*office).into(),
                            queue: (*queue).into(),
                            lane: lane.as_str().into(),
                            slot: hour * 6,
                            weekday,
                            waiting: rush / 2,
                            low,
                            high,
                        }));
                        // Four of five waits lie within what was told.
                        let wait = if no % 5 == 0 {
                            high + 120
                        } else {
                            (low + high) / 2
                        };
                        let at = |second: i64| {
                            let time = day
                                .at(hour as i8, 0, 0, 0)
                                .to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(9)));
                            let time = time.unwrap().timestamp().as_second() + second;
                            let time = Timestamp::from_second(time).unwrap();
                            (
                                time.as_second(),
                                time.display_with_offset(jiff::tz::offset(9)).to_string(),
                            )
                        };
                        let ticket = format!("Z{no:03}");
                        history.try_record(HistoryEvent::Prediction(PredictionRow {
                            day: day.to_string(),
                            office: (*office).into(),
                            queue: (*queue).into(),
                            ticket: ticket.clone(),
                            lane: lane.as_str().into(),
                            weekday,
                            hour,
                            at: at(0).1,
                            at_s: at(0).0,
                            low,
                            high,
                        }));
                        let call = CallRow {
                            office: (*office).into(),
                            queue: (*queue).into(),
                            day: day.to_string(),
                            epoch: 0,
                            no,
                            ticket,
                            counter: "1".into(),
                            at: at(wait).1,
                            kind: "call".into(),
                        };
                        history.record(call, None).await.unwrap();
                    }
                }
            }
        }
        self.settled().await;
        assert!(self.hub.refresh_figures().await);
    }

    /// Waits until everything handed to the history is written.
    pub async fn settled(&self) {
        let (tell, told) = oneshot::channel();
        let row = CallRow {
            office: "nowhere".into(),
            queue: "nothing".into(),
            day: "2000-01-01".into(),
            epoch: 0,
            no: 1,
            ticket: "X".into(),
            counter: String::new(),
            at: "2000-01-01T00:00:00+09:00".into(),
            kind: "call".into(),
        };
        let ack = Ack::new(move || {
            let _ = tell.send(());
        });
        self.hub.history().record(row, Some(ack)).await.unwrap();
        let told = tokio::time::timeout(super::PATIENCE, told);
        told.await.unwrap().unwrap();
    }

    /// Sends a report and waits until it is acknowledged, which is when it is published or stored.
    pub async fn send(&self, tail: &str, payload: impl Into<Bytes>) {
        self.send_as(tail, payload, false).await;
    }

    /// The same, as one that the broker had kept.
    pub async fn send_kept(&self, tail: &str, payload: impl Into<Bytes>) {
        self.send_as(tail, payload, true).await;
    }

    async fn send_as(&self, tail: &str, payload: impl Into<Bytes>, retain: bool) {
        let (tell, told) = oneshot::channel();
        let mut incoming = Incoming::new(format!("yobiban/v1/{tail}"), payload);
        incoming.retain = retain;
        incoming.ack = Some(Ack::new(move || {
            let _ = tell.send(());
        }));
        self.reports.send(incoming).await.unwrap();
        tokio::time::timeout(super::PATIENCE, told)
            .await
            .unwrap()
            .unwrap();
    }

    /// Sends a report and waits for nothing.
    pub async fn hand(&self, tail: &str, payload: impl Into<Bytes>) {
        let incoming = Incoming::new(format!("yobiban/v1/{tail}"), payload);
        self.reports.send(incoming).await.unwrap();
    }

    /// Sends an office's numbers from node `n1`.
    pub async fn tell(&self, numbers: &Numbers) {
        let topic = format!("{}/node/n1/numbers", numbers.office.id);
        self.send(&topic, serde_json::to_vec(numbers).unwrap())
            .await;
    }

    pub async fn online(&self, office: &str) {
        self.send(&format!("{office}/node/n1/availability"), "online")
            .await;
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[]).await
    }

    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let response = self.open(path, headers).await;
        let (parts, body) = response.into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    /// Opens a path without reading its body.
    pub async fn open(&self, path: &str, headers: &[(&str, &str)]) -> axum::response::Response {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        router(Arc::clone(&self.hub))
            .oneshot(request)
            .await
            .unwrap()
    }

    /// Stops everything and waits for it.
    pub async fn stop(self) -> TempDir {
        self.shutdown.cancel();
        for task in self.tasks {
            tokio::time::timeout(super::PATIENCE, task)
                .await
                .unwrap()
                .unwrap();
        }
        self.dir
    }
}
