//! What a board says at one moment, as strings and flags: no pixels, no places.
//!
//! A number is here because a source said it, or it is not here (invariant 1); a number that is not
//! fresh carries its time (invariant 4). Time comes with [`Now`] and nowhere else.

use super::words::{self, AsOf, Counter, Figure};
use crate::clock::Now;
use crate::config::BoardConfig;
use crate::model::{Lane, Name, QueueId, Source, Status};
use crate::state::{
    HighlightView, HighlightedCall, LoggedCall, Phase, QueueView, Settings, Snapshot, horizon,
};
use jiff::civil::Time;
use std::time::Duration;

/// A call blinks this long between its two looks: 1 Hz, a third of what WCAG 2.2 (2.3.1) allows.
const BLINK: Duration = Duration::from_millis(500);

/// Each notice, and each page of queues, stays this long.
pub const TURN: Duration = Duration::from_secs(10);

/// What stays the same about a board while it runs.
#[derive(Debug, Clone)]
pub struct Setting {
    pub office: Name,
    /// Queues it shows, in order; `None` is all.
    pub queues: Option<Vec<QueueId>>,
    pub opens: Time,
    /// Lines of notice in turn.
    pub notices: Vec<Name>,
    /// Address of the hub's page.
    pub page_url: Option<String>,
    /// How long a new call blinks.
    pub blink_for: Duration,
    /// Most queues at a time; more are shown in turn.
    pub rows: usize,
}

impl Setting {
    /// What a node's configuration says about a board.
    #[must_use]
    pub fn new(office: &Name, state: &Settings, board: &BoardConfig, rows: usize) -> Self {
        Self {
            office: office.clone(),
            queues: board.queues.clone(),
            opens: state.hours.0,
            notices: board.notices.clone(),
            page_url: board.page_url.clone(),
            blink_for: board.highlight.min_highlight,
            rows: rows.max(1),
        }
    }
}

/// Everything a board says at one moment. The same view gives the same pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    pub(super) office: (String, String),
    /// Date in both languages and time of day; `None` while the clock cannot be believed.
    pub(super) clock: Option<Clock>,
    pub(super) lines: Vec<Line>,
    /// Which part of the queues this is and how many there are, when they do not fit at once.
    pub(super) page: Option<(usize, usize)>,
    /// Calls that stand out, newest first.
    pub(super) calls: Vec<CallView>,
    /// Monotonic moments since which they do.
    pub(super) since: Vec<Duration>,
    /// Earlier calls, newest first.
    pub(super) recent: Vec<CallView>,
    /// Calls that wait for their place.
    pub(super) backlog: usize,
    /// A line in both languages.
    pub(super) notice: Option<(String, String)>,
    pub(super) page_url: Option<String>,
    /// What is wrong with the node, in a word for those who look after it.
    pub(super) issues: Option<String>,
    pub(super) age: Age,
    /// The monotonic moment, for boards on which things move.
    pub(super) at: Duration,
    changes: Changes,
}

/// When time alone changes a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Changes {
    /// Monotonic moment until which a call blinks.
    blinks_until: Option<Duration>,
    turns: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clock {
    pub(super) date: String,
    pub(super) date_in_english: String,
    pub(super) time: String,
}

/// How old the numbers are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Age {
    /// All fresh; the time of the oldest, if there is any.
    Fresh(Option<AsOf>),
    /// Some are not; their rows say which.
    Some,
    /// None is; the time of the newest.
    Stale(AsOf),
}

/// The numbers in the row of a queue, for whoever checks what a board says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// The queue's name in Japanese.
    pub queue: String,
    /// Ticket and counter of the last call.
    pub last: Option<(String, Option<String>)>,
    /// Tickets due next, as many as a row has room for at most.
    pub next: Vec<String>,
    /// People waiting; `None` where no number may be shown.
    pub waiting: Option<u32>,
    /// People on hold.
    pub on_hold: u32,
}

/// One queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) english: String,
    pub(super) fast: bool,
    pub(super) ticket: Option<String>,
    pub(super) counter: Option<Counter>,
    pub(super) next: Vec<String>,
    pub(super) waiting: Option<u32>,
    pub(super) on_hold: u32,
    pub(super) service: Service,
    /// The time of the numbers when they are not fresh.
    pub(super) as_of: Option<AsOf>,
    /// Whether a camera read them from another board.
    pub(super) filmed: bool,
}

impl Line {
    /// What stands small below the name: the name in English, and before it how the numbers came
    /// here when nobody told them.
    pub(super) fn below(&self) -> String {
        match (self.filmed, self.english.as_str()) {
            (false, english) => english.to_owned(),
            (true, "") => words::CAMERA_SOURCE.to_owned(),
            (true, english) => format!("{}  {english}", words::CAMERA_SOURCE),
        }
    }
}

/// What somebody who comes now can expect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Service {
    /// Open, with the wait if one is predicted.
    Open(Option<Figure>),
    /// 休止中
    Paused,
    /// 受付終了, while those who wait are still called: the wait of the last of them, if predicted.
    LastCalls(Option<Figure>),
    /// 受付終了
    Closed,
    /// まもなく開庁
    NotOpenYet,
    /// 準備中: nothing was ever heard.
    Unknown,
}

/// A call in the panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CallView {
    pub(super) queue: String,
    pub(super) ticket: String,
    pub(super) counter: Option<Counter>,
    pub(super) again: bool,
    /// Whether it has the second of its two looks.
    pub(super) inverted: bool,
}

impl View {
    /// Says what a board shows at `now`.
    #[must_use]
    pub fn new(setting: &Setting, snapshot: &Snapshot, panel: &HighlightView, now: Now) -> Self {
        let queues = shown_queues(setting, snapshot);
        let pages = queues.len().div_ceil(setting.rows).max(1);
        // Pages of equal length: the last is not nearly empty.
        let length = queues.len().div_ceil(pages).max(1);
        let page = turn(now, pages);
        let on_page = queues.iter().skip(page * length).take(length);
        let on_board = |call: &LoggedCall| queues.iter().any(|q| q.settings.id == call.queue);
        // Last night's calls are nobody's this morning, and those of a clock gone wrong nobody's now.
        let of_today = |call: &LoggedCall| {
            if now.synced && call.call.at > horizon(now) {
                return false;
            }
            let queue = queues.iter().find(|q| q.settings.id == call.queue);
            queue.is_some_and(|q| q.today().is_some_and(|s| s.day == call.day))
        };
        let blinks = |shown: &HighlightedCall| now.since(shown.since) < setting.blink_for;
        let second = now.mono.as_millis() / BLINK.as_millis() % 2 == 1;
        let notice = (!setting.notices.is_empty())
            .then(|| &setting.notices[turn(now, setting.notices.len())]);
        // One person, one place: who stands out is not listed below as well.
        let stands_out = |call: &LoggedCall| {
            panel.active.iter().any(|s| {
                let shown = &s.call;
                shown.queue == call.queue
                    && shown.call.ticket == call.call.ticket
                    && shown.call.counter == call.call.counter
            })
        };
        let active: Vec<&HighlightedCall> =
            panel.active.iter().filter(|s| on_board(&s.call)).collect();
        Self {
            office: both(&setting.office),
            clock: now.synced.then(|| Clock {
                date: words::date(snapshot.today),
                date_in_english: words::date_in_english(snapshot.today),
                time: words::clock(now.wall, &snapshot.zone),
            }),
            lines: on_page.map(|q| line(q, setting, snapshot, now)).collect(),
            page: (pages > 1).then_some((page + 1, pages)),
            calls: active
                .iter()
                .map(|s| CallView {
                    inverted: second && blinks(s),
                    ..call(&s.call, &queues)
                })
                .collect(),
            since: active.iter().map(|s| s.since).collect(),
            recent: panel
                .recent
                .iter()
                .filter(|c| of_today(c) && !stands_out(c))
                .map(|c| call(c, &queues))
                .collect(),
            backlog: panel.waiting,
            notice: notice.map(both),
            page_url: setting.page_url.clone(),
            issues: words::issues(&snapshot.issues),
            age: age(&queues, snapshot),
            at: now.mono,
            changes: Changes {
                blinks_until: active.iter().map(|s| s.since + setting.blink_for).max(),
                turns: pages > 1 || setting.notices.len() > 1,
            },
        }
    }

    /// How many pages the queues take; page `n` is shown while the monotonic time is in the `n`th
    /// [`TURN`], counted round.
    #[must_use]
    pub fn pages(&self) -> usize {
        self.page.map_or(1, |(_, of)| of)
    }

    /// The numbers of every row.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        let row = |line: &Line| Row {
            queue: line.name.clone(),
            last: line.ticket.clone().map(|ticket| {
                let counter = line.counter.as_ref().map(|c| c.label.clone());
                (ticket, counter)
            }),
            next: line.next.clone(),
            waiting: line.waiting,
            on_hold: line.on_hold,
        };
        self.lines.iter().map(row).collect()
    }

    /// Queue and ticket of every call in the panel: those that stand out, then earlier ones.
    #[must_use]
    pub fn tickets(&self) -> Vec<(String, String)> {
        let calls = self.calls.iter().chain(&self.recent);
        calls.map(|c| (c.queue.clone(), c.ticket.clone())).collect()
    }

    /// How long after `now` time alone changes what is said: the clock, a blink, a turn. A new
    /// message or call may change it before.
    pub(super) fn next_change(&self, now: Now) -> Option<Duration> {
        let rest = |period: Duration, done: u128| {
            let period = period.as_nanos();
            Duration::from_nanos(u64::try_from(period - done % period).unwrap_or(u64::MAX))
        };
        let minute = self.clock.is_some().then(|| {
            let done = now
                .wall
                .as_nanosecond()
                .rem_euclid(60_000_000_000)
                .unsigned_abs();
            rest(Duration::from_secs(60), done)
        });
        let blink = self
            .changes
            .blinks_until
            .filter(|until| *until > now.mono)
            .map(|until| rest(BLINK, now.mono.as_nanos()).min(until.saturating_sub(now.mono)));
        let turn = self.changes.turns.then(|| rest(TURN, now.mono.as_nanos()));
        [minute, blink, turn].into_iter().flatten().min()
    }
}

/// Which of `n` things has its turn.
fn turn(now: Now, n: usize) -> usize {
    let turns = now.mono.as_millis() / TURN.as_millis() % n.max(1) as u128;
    usize::try_from(turns).unwrap_or(0)
}

/// The queues of this board, in its order.
fn shown_queues<'a>(setting: &Setting, snapshot: &'a Snapshot) -> Vec<&'a QueueView> {
    match &setting.queues {
        None => snapshot.queues.iter().collect(),
        Some(ids) => ids
            .iter()
            .filter_map(|id| snapshot.queues.iter().find(|q| q.settings.id == *id))
            .collect(),
    }
}

/// A name in Japanese and English; English is empty when it would say the same again.
fn both(name: &Name) -> (String, String) {
    let ja = name.best("ja");
    let en = name.get("en").filter(|en| *en != ja).unwrap_or_default();
    (ja.to_owned(), en.to_owned())
}

fn line(queue: &QueueView, setting: &Setting, snapshot: &Snapshot, now: Now) -> Line {
    let (name, english) = both(&queue.settings.name);
    let state = queue.today();
    let last = state.and_then(|s| s.last_shown());
    let before_hours =
        || now.synced && now.wall.to_zoned(snapshot.zone.clone()).time() < setting.opens;
    let service = match queue.phase {
        Phase::Unknown => Service::Unknown,
        Phase::NotOpenYet => Service::NotOpenYet,
        Phase::Today(Status::Open) => Service::Open(queue.wait.map(words::wait)),
        Phase::Today(Status::Paused) => Service::Paused,
        Phase::Today(Status::Closed) if before_hours() => Service::NotOpenYet,
        Phase::Today(Status::Closed) if queue.still_calls() => {
            Service::LastCalls(queue.wait.map(words::wait))
        }
        Phase::Today(Status::Closed) => Service::Closed,
    };
    Line {
        name,
        english,
        fast: queue.settings.lane == Lane::Fast,
        ticket: last.map(|(ticket, _)| ticket.as_str().to_owned()),
        counter: last.and_then(|(_, counter)| counter).map(words::counter),
        next: state
            .map(|s| {
                s.next
                    .iter()
                    .take(4)
                    .map(|l| l.as_str().to_owned())
                    .collect()
            })
            .unwrap_or_default(),
        waiting: state.and_then(|s| s.waiting),
        // Nobody and nobody knows look the same: no line is drawn.
        on_hold: state.and_then(|s| s.on_hold).unwrap_or(0),
        service,
        as_of: stale_since(queue, snapshot),
        filmed: state.is_some()
            && queue
                .reading
                .as_ref()
                .is_some_and(|r| r.source == Source::Camera),
    }
}

/// The time of numbers that are shown but not fresh.
fn stale_since(queue: &QueueView, snapshot: &Snapshot) -> Option<AsOf> {
    let reading = queue.reading.as_ref()?;
    let shown = matches!(queue.phase, Phase::Today(_));
    (shown && !queue.fresh).then(|| AsOf::new(reading.as_of(), &snapshot.zone, snapshot.today))
}

fn call(call: &LoggedCall, queues: &[&QueueView]) -> CallView {
    let queue = queues.iter().find(|q| q.settings.id == call.queue);
    CallView {
        queue: queue.map_or_else(String::new, |q| q.settings.name.best("ja").to_owned()),
        ticket: call.call.ticket.as_str().to_owned(),
        counter: call.call.counter.as_ref().map(words::counter),
        again: words::again(call.call.kind),
        inverted: false,
    }
}

/// How old the numbers are as a whole. A closed queue may rest without making the board look ill,
/// but not while people are called.
fn age(queues: &[&QueueView], snapshot: &Snapshot) -> Age {
    let spoken = |fresh: bool| {
        queues
            .iter()
            .filter(move |q| q.fresh == fresh)
            .filter(|q| match q.phase {
                Phase::Today(Status::Closed) => q.still_calls(),
                Phase::Today(_) => true,
                Phase::Unknown | Phase::NotOpenYet => false,
            })
            .filter_map(|q| q.reading.as_ref().map(|r| r.as_of()))
    };
    let said = |at| AsOf::new(at, &snapshot.zone, snapshot.today);
    match (spoken(false).max(), spoken(true).min()) {
        (None, oldest) => Age::Fresh(oldest.map(said)),
        (Some(_), Some(_)) => Age::Some,
        (Some(newest), None) => Age::Stale(said(newest)),
    }
}
