//! Calls to announcements: each call once, in order, as much said as time allows.
//!
//! Pure: time is an argument, and sound takes as long as whoever plays it says. One announcement
//! is under way at a time; [`AnnouncementQueue::next`] begins one,
//! [`AnnouncementQueue::finished`] or [`AnnouncementQueue::interrupted`] ends it. A call that waited
//! half as long as the backlog allows is announced in the short form, one that waited all of it gets
//! the chime alone, and one that is no longer new nothing; boards show all of them. What was fully
//! spoken is kept in [`SpokenCalls`] through a restart.

use super::spoken_calls::SpokenCalls;
use crate::clock::Now;
use crate::config::{VoiceDetail, VoiceHours};
use crate::model::{CallKind, QueueId};
use crate::state::LoggedCall;
use jiff::tz::TimeZone;
use std::collections::VecDeque;
use std::time::Duration;

/// Calls that wait for their announcement; whoever calls more at once is a source gone wrong.
const MAX_WAITING: usize = 256;

/// Counters that one announcement names at most; nobody keeps more in mind.
const MAX_COUNTERS: usize = 3;

/// A queue whose calls are announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoiceQueue {
    pub id: QueueId,
    /// Whether it is a fast lane.
    pub fast: bool,
}

/// The rules of announcements.
#[derive(Debug, Clone)]
pub struct AnnouncementSettings {
    /// Queues whose calls are announced.
    pub queues: Vec<VoiceQueue>,
    pub zone: TimeZone,
    /// A call older than this is not spoken.
    pub fresh_for: Duration,
    /// Shortest silence between two announcements.
    pub min_pause: Duration,
    /// A call that waited this long gets the chime alone; half as long, few words.
    pub max_backlog: Duration,
    /// Percent.
    pub volume: u8,
    /// Parts of the day with other rules; the first that fits counts.
    pub hours: Vec<VoiceHours>,
}

/// What is announced next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Its calls, oldest first: one, or several counters' of one ticket.
    pub calls: Vec<LoggedCall>,
    /// How much is said; never nothing.
    pub detail: VoiceDetail,
    /// Percent.
    pub volume: u8,
    /// Whether the queue is a fast lane.
    pub fast: bool,
}

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Begin this announcement.
    Announce(Announcement),
    /// Nothing, until this monotonic moment at the latest; `None` is until something happens.
    Wait(Option<Duration>),
}

/// Calls that wait for their announcement.
#[derive(Debug, Clone)]
pub struct AnnouncementQueue {
    settings: AnnouncementSettings,
    spoken: SpokenCalls,
    /// Index of the newest call that was taken from a log.
    handled: u64,
    /// Oldest first.
    waiting: VecDeque<LoggedCall>,
    /// Calls of the announcement under way.
    current: Vec<LoggedCall>,
    /// Monotonic moment at which the last announcement ended.
    ended: Option<Duration>,
    skipped: u64,
}

impl AnnouncementQueue {
    /// A queue that continues after the calls that were spoken.
    #[must_use]
    pub fn new(settings: AnnouncementSettings, spoken: SpokenCalls) -> Self {
        Self {
            settings,
            spoken,
            handled: 0,
            waiting: VecDeque::new(),
            current: Vec::new(),
            ended: None,
            skipped: 0,
        }
    }

    /// Announces calls of this queue from now on, too.
    pub fn add_queue(&mut self, queue: VoiceQueue) {
        match self.settings.queues.iter_mut().find(|q| q.id == queue.id) {
            Some(known) => *known = queue,
            None => self.settings.queues.push(queue),
        }
    }

    /// Takes the calls of a log that were not handled yet.
    pub fn update(&mut self, log: &[LoggedCall], now: Now) {
        for call in log {
            if call.index <= self.handled {
                continue;
            }
            self.handled = call.index;
            if self.is_announceable(call, now) {
                self.waiting.push_back(call.clone());
            }
        }
        while self.waiting.len() > MAX_WAITING {
            self.skip_oldest();
        }
    }

    /// Whether a call is to be spoken at all. What the boards had shown before a restart may still
    /// wait for its announcement.
    fn is_announceable(&self, call: &LoggedCall, now: Now) -> bool {
        let ours = self.settings.queues.iter().any(|q| q.id == call.queue);
        let age = Duration::try_from(now.wall.duration_since(call.call.at)).unwrap_or_default();
        let new = call.announce || now.synced && age <= self.settings.fresh_for;
        ours && new && !self.spoken.contains(call)
    }

    /// What to do now; an announcement that is handed out is under way.
    pub fn next(&mut self, now: Now) -> Next {
        if !self.current.is_empty() {
            return Next::Wait(None);
        }
        let (detail, volume) = self.rules(now);
        let quiet = detail == VoiceDetail::Off || volume == 0;
        while let Some(first) = self.waiting.front() {
            let old = now.since(first.received_at) > self.settings.fresh_for;
            if !old && !quiet {
                break;
            }
            self.skip_oldest();
        }
        let Some(first) = self.waiting.front() else {
            return Next::Wait(None);
        };
        if let Some(ended) = self.ended
            && now.since(ended) < self.settings.min_pause
        {
            return Next::Wait(Some(ended + self.settings.min_pause));
        }
        let waited = now.since(first.received_at);
        let haste = if waited >= self.settings.max_backlog {
            VoiceDetail::Chime
        } else if waited >= self.settings.max_backlog / 2 {
            VoiceDetail::Short
        } else {
            VoiceDetail::Full
        };
        let fast = self
            .settings
            .queues
            .iter()
            .any(|q| q.fast && q.id == first.queue);
        self.current = self.take();
        Next::Announce(Announcement {
            calls: self.current.clone(),
            detail: detail.min(haste),
            volume,
            fast,
        })
    }

    /// Takes the oldest call, and what further counters call the same ticket to: the label is not
    /// said twice. A recall is a call of its own.
    fn take(&mut self) -> Vec<LoggedCall> {
        let Some(first) = self.waiting.pop_front() else {
            return Vec::new();
        };
        let mut taken = vec![first];
        let mut i = 0;
        while i < self.waiting.len() && taken.len() < MAX_COUNTERS {
            let (first, other) = (&taken[0], &self.waiting[i]);
            let same = (&first.queue, first.day, first.epoch, &first.call.ticket)
                == (&other.queue, other.day, other.epoch, &other.call.ticket);
            let counter = other.call.counter.as_ref();
            let elsewhere = counter.is_some()
                && first.call.counter.is_some()
                && taken.iter().all(|t| t.call.counter.as_ref() != counter);
            let calls = first.call.kind == CallKind::Call && other.call.kind == CallKind::Call;
            if same && elsewhere && calls {
                taken.extend(self.waiting.remove(i));
            } else {
                i += 1;
            }
        }
        taken
    }

    /// What the time of day allows. Without a believable clock, the usual rules.
    fn rules(&self, now: Now) -> (VoiceDetail, u8) {
        let usual = (VoiceDetail::Full, self.settings.volume);
        if !now.synced {
            return usual;
        }
        let time = now.wall.to_zoned(self.settings.zone.clone()).time();
        let part = self
            .settings
            .hours
            .iter()
            .find(|h| (h.from..h.until).contains(&time));
        part.map_or(usual, |part| (part.detail, part.volume))
    }

    /// Notes that the announcement under way was played to its end.
    pub fn finished(&mut self, now: Now) {
        for call in std::mem::take(&mut self.current) {
            self.complete(&call);
        }
        self.ended = Some(now.mono);
    }

    /// Notes that the announcement under way was cut short: it is said again.
    pub fn interrupted(&mut self) {
        for call in std::mem::take(&mut self.current) {
            let place = self.waiting.partition_point(|w| w.index < call.index);
            self.waiting.insert(place, call);
        }
    }

    /// Skips the oldest call.
    fn skip_oldest(&mut self) {
        if let Some(call) = self.waiting.pop_front() {
            self.complete(&call);
            self.skipped += 1;
        }
    }

    fn complete(&mut self, call: &LoggedCall) {
        let same = |c: &&LoggedCall| {
            (&c.queue, c.day, c.epoch) == (&call.queue, call.day, call.epoch)
                && c.index != call.index
        };
        let open = self.waiting.iter().filter(same).map(|c| c.call.no).min();
        self.spoken.note(call, open);
    }

    /// What was fully spoken, to be kept through a restart.
    #[must_use]
    pub fn spoken(&self) -> &SpokenCalls {
        &self.spoken
    }

    /// Index up to which all calls are completed: spoken, or not to be spoken.
    #[must_use]
    pub fn completed_up_to(&self) -> u64 {
        let open = self.current.iter().chain(&self.waiting).map(|c| c.index);
        open.min().map_or(self.handled, |first| first - 1)
    }

    /// Calls that wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Calls that were never announced: it was a quiet hour, or they waited for too long.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }
}
