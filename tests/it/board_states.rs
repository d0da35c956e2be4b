//! Days at an office, told through its feed: what the golden boards and the benchmarks draw.
//!
//! Everything goes the real way, from the payload's JSON through `Office` and `CallHighlighter`.

use embedded_graphics::primitives::Rectangle;
use jiff::{Timestamp, Zoned};
use serde_json::{Value, json};
use yobiban::board::Painter;
use yobiban::clock::Now;
use yobiban::config::{BoardConfig, OutputConfig};
use yobiban::model::{BoardId, Label, Lane, Name, NowServing, QueueId, QueueState, Source};
use yobiban::output::Frame;
use yobiban::state::{
    CallHighlighter, HighlightSettings, HighlightView, Office, QueueSettings, Settings, Snapshot,
};
use yobiban::wire::feed::FeedMessage;

/// One moment of an office, ready to be drawn.
#[derive(Debug, Clone)]
pub struct Moment {
    pub office: Name,
    pub state: Settings,
    pub config: BoardConfig,
    pub snapshot: Snapshot,
    pub panel: HighlightView,
    pub now: Now,
}

impl Moment {
    /// A painter for its board that has drawn nothing yet.
    pub fn painter(&self) -> Painter {
        Painter::new(&self.office, &self.state, &self.config).expect("a built-in design")
    }

    /// Draws it with a painter that knows the frame, and returns the areas that changed.
    pub fn redraw(&self, painter: &mut Painter, frame: &mut Frame) -> Vec<Rectangle> {
        let view = painter.view(&self.snapshot, &self.panel, self.now);
        painter.draw(&view, frame)
    }

    /// Draws it anew.
    pub fn draw(&self) -> Frame {
        let mut frame = Frame::new(self.config.size.0, self.config.size.1);
        self.redraw(&mut self.painter(), &mut frame);
        frame
    }
}

/// Sizes of the golden boards, with the name that ends their files.
pub const SIZES: [(&str, (u32, u32)); 3] = [
    ("1080p", (1920, 1080)),
    ("4k", (3840, 2160)),
    ("portrait", (1080, 1920)),
];

/// Makes a state on a board of a size.
pub type Make = fn((u32, u32)) -> Moment;

/// Every golden state by name.
pub const STATES: [(&str, Make); 14] = [
    ("normal", normal),
    ("issues", issues),
    ("filmed", filmed),
    ("burst", burst),
    ("list", list),
    ("recall", recall),
    ("stale", stale),
    ("undated", undated),
    ("closed", closed),
    ("last-calls", last_calls),
    ("long-names", long_names),
    ("twelve", twelve),
    ("zero", zero),
    ("crowded", crowded),
];

/// A day that is being told.
#[derive(Debug, Clone)]
pub struct Day {
    moment: Moment,
    office: Office,
    panel: CallHighlighter,
    seq: u64,
}

/// (id, Japanese, English, fast lane)
type QueueNames<'a> = (&'a str, &'a str, &'a str, bool);

const FIVE: [QueueNames<'_>; 5] = [
    ("certificates", "証明書の交付", "Certificates", false),
    ("moving", "住所の異動", "Change of address", false),
    (
        "moving-fast",
        "住所の異動",
        "Change of address, applied online",
        true,
    ),
    ("mynumber", "マイナンバーカード", "My Number Card", false),
    ("koseki", "戸籍の届出", "Family register", false),
];

fn at(clock: &str) -> Timestamp {
    let text = format!("2026-11-24T{clock}+09:00[Asia/Tokyo]");
    text.parse::<Zoned>().expect("time").timestamp()
}

impl Day {
    pub fn new(size: (u32, u32), queues: &[QueueNames<'_>]) -> Self {
        let settings = |(id, ja, en, fast): &QueueNames<'_>| QueueSettings {
            id: QueueId::new(id).expect("id"),
            name: Name::new([("ja", *ja), ("en", *en)]),
            lane: if *fast { Lane::Fast } else { Lane::Standard },
        };
        let state = Settings::new(queues.iter().map(settings).collect());
        let office = Office::new(state.clone());
        let panel = CallHighlighter::new(HighlightSettings::default());
        let now = Now::at(at("09:00:00"));
        let config = BoardConfig {
            id: BoardId::new("main").expect("id"),
            size,
            layout: None,
            queues: None,
            lit_hours: None,
            output: OutputConfig::None,
            highlight: HighlightSettings::default(),
            notices: vec![Name::new([
                ("ja", "証明書はコンビニでも受け取れます"),
                (
                    "en",
                    "Certificates are available at convenience stores too.",
                ),
            ])],
            page_url: Some("https://yobiban.example.jp/offices/chuo".into()),
        };
        Self {
            moment: Moment {
                office: Name::new([("ja", "中央区役所"), ("en", "Chuo Ward Office")]),
                snapshot: office.snapshot(now),
                panel: panel.view(),
                state,
                config,
                now,
            },
            office,
            panel,
            seq: 0,
        }
    }

    /// A message of a queue at a time of day; `more` are the fields besides `seq`, `at` and `day`,
    /// a call is `[no, ticket, counter, time, kind]`.
    pub fn say(&mut self, clock: &str, queue: &str, more: Value) -> &mut Self {
        assert!(
            self.try_say(clock, queue, more),
            "refused: {queue} at {clock}"
        );
        self
    }

    /// The same, for messages that may break the contract; tells whether it was accepted.
    pub fn try_say(&mut self, clock: &str, queue: &str, mut more: Value) -> bool {
        self.until(clock);
        self.seq += 1;
        let fields = more.as_object_mut().expect("object");
        fields.insert("seq".into(), json!(self.seq));
        fields.insert("at".into(), json!(format!("2026-11-24T{clock}+09:00")));
        fields.insert("day".into(), json!("2026-11-24"));
        for count in ["waiting", "on_hold"] {
            fields.entry(count).or_insert(json!(0));
        }
        fields.entry("status").or_insert(json!("open"));
        let calls = fields.entry("calls").or_insert(json!([]));
        for call in calls.as_array_mut().expect("array") {
            let clock = call[3].as_str().expect("time");
            *call = json!({"no": call[0], "ticket": call[1], "counter": call[2], "kind": call[4],
                "at": format!("2026-11-24T{clock}+09:00")});
        }
        let Ok(message) = FeedMessage::decode(more.to_string().as_bytes()) else {
            return false;
        };
        let queue = QueueId::new(queue).expect("id");
        let state = QueueState::from(message);
        let accepted = self
            .office
            .apply(&queue, state, Source::Feed, self.moment.now)
            .is_ok();
        self.until(clock);
        accepted
    }

    /// Lets time pass.
    pub fn until(&mut self, clock: &str) -> &mut Self {
        let end = at(clock);
        // As a node does: the panel is asked whenever it has something to change.
        while let Some(next) = self.panel.next_change(self.moment.now) {
            let next = Timestamp::from_millisecond(i64::try_from(next.as_millis()).expect("time"))
                .expect("time");
            if next > end {
                break;
            }
            self.moment.now = Now::at(next);
            self.panel.tick(self.moment.now);
        }
        self.moment.now = Now::at(end);
        self.moment.snapshot = self.office.snapshot(self.moment.now);
        self.panel
            .update(&self.moment.snapshot.log, self.moment.now);
        self.moment.panel = self.panel.view();
        self
    }

    pub fn moment(&self) -> Moment {
        self.moment.clone()
    }
}

/// A morning: five queues, some calls, nothing that stands out yet.
pub fn morning(size: (u32, u32)) -> Day {
    let mut day = Day::new(size, &FIVE);
    day.say(
        "10:38:10",
        "certificates",
        json!({"waiting": 13,
            "calls": [[309, "A040", "1", "10:38:10", "call"]]}),
    )
    .say(
        "10:38:50",
        "koseki",
        json!({"waiting": 0, "wait": {"low": 0, "high": 60},
            "calls": [[38, "D706", "13", "10:38:50", "call"]]}),
    )
    .say(
        "10:39:40",
        "certificates",
        json!({"waiting": 12, "next": ["A042", "A043", "A044", "A045"],
            "calls": [[310, "A041", "1", "10:39:40", "call"]]}),
    )
    .say(
        "10:40:05",
        "moving-fast",
        json!({"waiting": 1, "next": ["F010"],
            "wait": {"low": 0, "high": 350}, "calls": [[9, "F009", "7", "10:40:05", "call"]]}),
    )
    .say(
        "10:40:40",
        "moving",
        json!({"waiting": 21, "on_hold": 3,
            "next": ["B318", "B319", "B320", "B321"], "wait": {"low": 3300, "high": 4800},
            "calls": [[121, "B317", "6", "10:40:40", "recall"]]}),
    )
    .say(
        "10:41:20",
        "mynumber",
        json!({"waiting": 2, "next": ["C529", "C530"],
            "wait": {"low": 300, "high": 720},
            "calls": [[77, "C528", "11", "10:41:20", "call"]]}),
    )
    .say(
        "10:41:25",
        "koseki",
        json!({"waiting": 0, "wait": {"low": 0, "high": 60},
            "calls": [[38, "D706", "13", "10:38:50", "call"]]}),
    );
    day
}

/// A call stands out.
pub fn normal(size: (u32, u32)) -> Moment {
    let mut day = morning(size);
    call_a042(&mut day, "10:42:00", "call");
    day.until("10:42:07").moment()
}

/// The same with two queues that a camera read from another board.
fn filmed(size: (u32, u32)) -> Moment {
    let mut moment = normal(size);
    for queue in moment.snapshot.queues.iter_mut().take(2) {
        if let Some(reading) = &mut queue.reading {
            reading.source = Source::Camera;
        }
    }
    moment
}

/// The same while the node itself needs looking after.
fn issues(size: (u32, u32)) -> Moment {
    let mut moment = normal(size);
    moment.snapshot.issues = vec![
        "source-reset-undeclared",
        "storage-failed",
        "messages-rejected",
    ];
    moment
}

/// A042 is called to counter 3.
pub fn call_a042(day: &mut Day, clock: &str, kind: &str) {
    day.say(
        clock,
        "certificates",
        json!({"waiting": 12, "on_hold": 1,
        "next": ["A043", "A044", "A045", "A046"], "wait": {"low": 480, "high": 900},
        "calls": [[311, "A042", "3", clock, kind]]}),
    );
}

/// Five calls within ten seconds: three stand out, two wait.
pub fn burst(size: (u32, u32)) -> Moment {
    let mut day = morning(size);
    call_a042(&mut day, "10:42:00", "call");
    day.say("10:42:02", "moving", json!({"waiting": 20, "on_hold": 3, "next": ["B319", "B320"],
            "wait": {"low": 3300, "high": 4800}, "calls": [[122, "B318", "6", "10:42:02", "call"]]}))
        .say("10:42:03", "mynumber", json!({"waiting": 1, "next": ["C530"],
            "wait": {"low": 300, "high": 720}, "calls": [[78, "C529", "12", "10:42:03", "call"]]}))
        .say("10:42:05", "moving-fast", json!({"waiting": 0, "wait": {"low": 0, "high": 100},
            "calls": [[10, "F010", "7", "10:42:05", "call"]]}))
        .say("10:42:06", "koseki", json!({"waiting": 0, "wait": {"low": 0, "high": 60},
            "calls": [[39, "D707", "13", "10:42:06", "call"]]}));
    day.until("10:42:08").moment()
}

/// The line came back after an outage: thirty calls at once have become a list.
fn list(size: (u32, u32)) -> Moment {
    let mut day = morning(size);
    let calls = |letter: char, first: u32, no: u32, n: u32, counter: u32| {
        let one = |k: u32| {
            let clock = format!("10:41:{:02}", 58 - k * 2);
            let ticket = format!("{letter}{:03}", first + n - k);
            json!([
                no + n - k,
                ticket,
                (counter + k % 5).to_string(),
                clock,
                "call"
            ])
        };
        (0..n).map(one).collect::<Vec<_>>()
    };
    day.say(
        "10:42:00",
        "certificates",
        json!({"waiting": 12, "on_hold": 1, "next": ["A060"],
            "wait": {"low": 480, "high": 900}, "calls": calls('A', 41, 310, 18, 1)}),
    )
    .say(
        "10:42:00",
        "moving",
        json!({"waiting": 20, "on_hold": 3, "next": ["B331"],
            "wait": {"low": 3300, "high": 4800}, "calls": calls('B', 318, 122, 12, 6)}),
    );
    day.until("10:42:22").moment()
}

/// The same ticket again, in the second look of its blinking.
fn recall(size: (u32, u32)) -> Moment {
    let mut day = morning(size);
    call_a042(&mut day, "10:42:00", "call");
    day.say(
        "10:42:50",
        "moving-fast",
        json!({"waiting": 1, "next": ["F010"],
        "wait": {"low": 0, "high": 350}, "calls": [[9, "F009", "7", "10:40:05", "call"]]}),
    );
    day.say("10:43:00", "certificates", json!({"waiting": 12, "on_hold": 1,
        "next": ["A043", "A044", "A045", "A046"], "wait": {"low": 480, "high": 900},
        "calls": [[312, "A042", "3", "10:43:00", "recall"], [311, "A042", "3", "10:42:00", "call"]]}));
    day.until("10:43:04.500").moment()
}

/// The line to the ticketing system is silent since 10:42.
fn stale(size: (u32, u32)) -> Moment {
    let mut day = morning(size);
    call_a042(&mut day, "10:42:00", "call");
    day.say(
        "10:42:30",
        "moving-fast",
        json!({"status": "paused", "waiting": 1, "next": ["F010"],
        "calls": [[9, "F009", "7", "10:40:05", "call"]]}),
    );
    let mut moment = day.until("10:55:00").moment();
    moment.snapshot.issues = vec!["feed-down"];
    moment
}

/// Numbers that a broker had kept, of which nobody knows when they were told.
fn undated(size: (u32, u32)) -> Moment {
    let mut moment = morning(size).until("10:43:00").moment();
    for (view, ticket) in moment
        .snapshot
        .queues
        .iter_mut()
        .zip(["A042", "B318", "F009"])
    {
        view.fresh = false;
        let reading = view.reading.as_mut().expect("told in the morning");
        (reading.received_at, reading.dated) = (None, false);
        reading.state.calls.clear();
        reading.state.now_serving = Some(NowServing {
            ticket: Label::new(ticket).expect("label"),
            counter: Label::new("3").ok(),
        });
    }
    moment.snapshot.log.clear();
    moment.panel = HighlightView::default();
    moment
}

/// A minute after closing: no more tickets, and people are still called.
fn last_calls(size: (u32, u32)) -> Moment {
    let mut day = morning(size);
    day.say(
        "17:00:40",
        "certificates",
        json!({"status": "closed", "waiting": 6, "on_hold": 1, "next": ["A230", "A231", "A232"],
            "calls": [[498, "A229", "2", "17:00:40", "call"]]}),
    )
    .say(
        "17:00:50",
        "moving",
        json!({"status": "closed", "waiting": 2, "next": ["B402", "B403"],
            "calls": [[205, "B401", "6", "16:58:40", "call"]]}),
    )
    .say(
        "17:00:55",
        "mynumber",
        json!({"status": "closed", "calls": [[77, "C077", "8", "16:40:00", "call"]]}),
    );
    day.until("17:01:20").moment()
}

/// The end of a day: two queues are over, one rests, one never spoke.
fn closed(size: (u32, u32)) -> Moment {
    let mut day = Day::new(size, &FIVE);
    day.say(
        "16:58:40",
        "moving",
        json!({"waiting": 3, "on_hold": 1, "next": ["B402", "B403", "B404"],
            "wait": {"low": 600, "high": 1100}, "calls": [[205, "B401", "6", "16:58:40", "call"]]}),
    )
    .say(
        "17:00:00",
        "certificates",
        json!({"status": "closed",
            "calls": [[498, "A229", "2", "16:56:00", "call"]]}),
    )
    .say(
        "17:00:10",
        "moving-fast",
        json!({"status": "closed",
            "calls": [[31, "F031", "7", "16:40:00", "call"]]}),
    )
    .say(
        "17:00:20",
        "mynumber",
        json!({"status": "paused", "waiting": 4, "next": ["C611", "C612"],
            "calls": [[160, "C610", "11", "16:57:00", "call"]]}),
    );
    day.until("17:01:00").moment()
}

/// Names and labels as long as they may be.
fn long_names(size: (u32, u32)) -> Moment {
    let mut day = Day::new(
        size,
        &[
            (
                "a",
                "国民健康保険・後期高齢者医療・介護保険・国民年金の資格に関する届出",
                "National health insurance, medical care for the elderly, long-term care, pension",
                false,
            ),
            (
                "b",
                "マイナンバーカードの受け取りと電子証明書の更新",
                "My Number Card pick-up and renewal",
                true,
            ),
            (
                "c",
                "Certificate of residence for foreign nationals",
                "",
                false,
            ),
            ("d", "税", "Tax", false),
            (
                "e",
                "児童手当・子ども医療費助成・ひとり親家庭等支援",
                "Child allowance and support for families",
                false,
            ),
        ],
    );
    day.say(
        "10:41:00",
        "b",
        json!({"waiting": 8, "next": ["マイナ-0124", "マイナ-0125"],
            "wait": {"low": 600, "high": 1500},
            "calls": [[3, "マイナ-0123", "二階東側七番", "10:41:00", "call"]]}),
    )
    .say(
        "10:41:10",
        "c",
        json!({"waiting": 120, "on_hold": 12, "next": ["R1001", "R1002", "R1003"],
            "wait": {"low": 7200, "high": 14000},
            "calls": [[3, "R1000", "12B", "10:41:10", "call"]]}),
    )
    .say(
        "10:41:20",
        "d",
        json!({"waiting": 1, "next": ["1"], "wait": {"low": 300, "high": 300},
            "calls": [[3, "7", "1", "10:41:20", "recall"]]}),
    )
    .say(
        "10:41:30",
        "e",
        json!({"waiting": 3, "next": ["E-100-22", "E-100-23"],
            "calls": [[3, "E-100-21", "", "10:41:30", "call"]]}),
    )
    .say(
        "10:42:00",
        "a",
        json!({"waiting": 30, "on_hold": 2,
            "next": ["WWWWWWWWWWW2", "WWWWWWWWWWW3", "WWWWWWWWWWW4", "WWWWWWWWWWW5"],
            "wait": {"low": 1900, "high": 3100},
            "calls": [[3, "WWWWWWWWWWW1", "窓口番号百二十三番左側奥", "10:42:00", "recall"]]}),
    );
    day.until("10:42:07").moment()
}

/// Twelve queues.
fn twelve(size: (u32, u32)) -> Moment {
    let names = [
        ("q1", "証明書の交付", "Certificates", false),
        ("q2", "住所の異動", "Change of address", false),
        ("q3", "住所の異動", "Applied online", true),
        ("q4", "マイナンバーカード", "My Number Card", false),
        ("q5", "戸籍の届出", "Family register", false),
        ("q6", "国民健康保険", "Health insurance", false),
        ("q7", "国民年金", "National pension", false),
        ("q8", "介護保険", "Long-term care", false),
        ("q9", "児童手当", "Child allowance", false),
        ("q10", "児童手当", "Applied online", true),
        ("q11", "市税の証明・納付", "City tax", false),
        ("q12", "障害福祉", "Disability support", false),
    ];
    let mut day = Day::new(size, &names);
    for (i, (id, ..)) in (1_u32..).zip(names) {
        let letter = char::from(b'A' + u8::try_from(i).expect("small") - 1);
        let n = 37 * i % 500;
        let label = |k: u32| format!("{letter}{:03}", n + k);
        let clock = format!("10:40:{:02}", i * 3);
        day.say(
            &clock,
            id,
            json!({
            "status": if i == 8 { "paused" } else if i == 12 { "closed" } else { "open" },
            "waiting": i * 7 % 23, "on_hold": i % 3,
            "next": (1..=3).map(label).collect::<Vec<_>>(),
            "wait": {"low": i * 97, "high": i * 97 + i * 60},
            "calls": [[n, label(0), (i + 2).to_string(), clock, "call"]]}),
        );
    }
    day.until("10:41:30");
    day.say(
        "10:41:40",
        "q6",
        json!({"waiting": 9, "next": ["F224", "F225"],
            "wait": {"low": 600, "high": 960}, "calls": [[223, "F223", "9", "10:41:40", "call"]]}),
    )
    .say(
        "10:41:58",
        "q3",
        json!({"waiting": 2, "next": ["C113"],
            "wait": {"low": 120, "high": 360}, "calls": [[112, "C112", "5", "10:41:58", "call"]]}),
    );
    day.until("10:42:00").moment()
}

/// Opening time: nobody waits, nobody was called.
pub fn zero(size: (u32, u32)) -> Moment {
    let mut day = Day::new(size, &FIVE);
    for (id, ..) in FIVE.into_iter().filter(|q| q.0 != "koseki") {
        day.say(
            "09:00:00",
            id,
            json!({"waiting": 0, "wait": {"low": 0, "high": 0}}),
        );
    }
    day.say("09:00:05", "koseki", json!({"waiting": 0}));
    day.until("09:00:30").moment()
}

/// A day in March: 999 wait, and six calls are on the glass at once.
pub fn crowded(size: (u32, u32)) -> Moment {
    let mut day = Day::new(size, &FIVE);
    let crowd = |no: u32, ticket: &str, counter: &str, clock: &str, kind: &str| {
        let (letter, n) = ticket.split_at(1);
        let n: u32 = n.parse().expect("number");
        json!({"waiting": 999, "on_hold": 99,
            "next": (1..=4).map(|k| format!("{letter}{:03}", (n + k - 1) % 999 + 1)).collect::<Vec<_>>(),
            "wait": {"low": 10_000, "high": 20_000},
            "calls": [[no, ticket, counter, clock, kind]]})
    };
    for (clock, queue, no, ticket, counter, kind) in [
        ("11:29:00", "certificates", 640, "A986", "4", "call"),
        ("11:29:30", "moving", 388, "B888", "10", "call"),
        ("11:31:40", "koseki", 88, "D888", "13", "call"),
        ("11:31:42", "certificates", 641, "A987", "1", "call"),
        ("11:31:43", "certificates", 642, "A988", "2", "call"),
        ("11:31:44", "moving", 389, "B889", "10", "recall"),
        ("11:31:45", "mynumber", 240, "C999", "11", "call"),
        ("11:31:46", "moving-fast", 61, "F061", "7", "call"),
        ("11:31:47", "certificates", 643, "A989", "3", "call"),
        ("11:31:48", "certificates", 644, "A990", "4", "call"),
        ("11:31:49", "mynumber", 241, "C001", "12", "call"),
        ("11:31:50", "moving", 390, "B890", "8", "call"),
        ("11:31:51", "certificates", 645, "A991", "5", "call"),
    ] {
        day.say(clock, queue, crowd(no, ticket, counter, clock, kind));
    }
    day.until("11:32:12").moment()
}
