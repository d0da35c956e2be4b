//! How a hub speaks: "my number" to be heard, and the calls of one office in a video of it.
//!
//! Calls are announced as a node announces them, from the reports that become the history: each once,
//! in order, while it is new. What was said is not kept through a restart. Who asks for a sound waits
//! while a sentence is made, and the other way round: there is one voice.

use crate::clock::{Clock, Now};
use crate::config::{SpeechConfig, VoiceConfig};
use crate::hub::{Hub, Speaker};
use crate::model::{Call, Label, Lane, Name, OfficeId, QueueId};
use crate::state::{LoggedCall, Settings};
use crate::stream;
use crate::voice::chime::chime;
use crate::voice::texts::{CallDetails, call_sentences};
use crate::voice::{
    Announcement, AnnouncementQueue, AnnouncementSettings, GAP, Next, Pcm, Speech, SpokenCalls,
    VoiceQueue, announce, wav_bytes_small,
};
use crate::wire::report::CallReport;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// Calls that are remembered, because lines may bring one twice: ten minutes of a busy office.
const REMEMBERED: usize = 256;

/// How long nothing is looked at when nothing is to come.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Speaks calls as the nodes do.
#[must_use]
pub fn speaker(config: SpeechConfig) -> Speaker {
    VideoAnnouncer::new(config).speaker()
}

/// Dictionary and voice, opened when somebody listens first; clones share them.
#[derive(Debug, Clone)]
pub(super) struct VideoAnnouncer {
    config: Arc<SpeechConfig>,
    /// Guards what cannot be used by two at a time; held while a sentence is made.
    speech: Arc<Mutex<Option<Speech>>>,
}

impl VideoAnnouncer {
    pub(super) fn new(config: SpeechConfig) -> Self {
        Self {
            config: Arc::new(config),
            speech: Arc::default(),
        }
    }

    /// Does something with the voice; blocks until it is free.
    fn with<T>(&self, speak: impl FnOnce(&mut Speech) -> T) -> T {
        let mut speech = self.speech.lock().unwrap_or_else(PoisonError::into_inner);
        let speech = speech.get_or_insert_with(|| {
            let speech = Speech::open(&self.config);
            if let Some(why) = speech.trouble() {
                tracing::warn!("{why}");
            }
            speech
        });
        speak(speech)
    }

    /// For those who want to hear how their number is called.
    pub(super) fn speaker(&self) -> Speaker {
        let announcer = self.clone();
        Speaker::new(move |asked| {
            let config = &announcer.config;
            let lang = asked.lang.parse().ok();
            let lang = lang.filter(|lang| config.languages.contains(lang));
            let lang = lang.or(config.languages.first().copied())?;
            let counters: Vec<&str> = asked.counter.iter().map(Label::as_str).collect();
            let wanted = CallDetails {
                ticket: asked.ticket.as_str(),
                counters: &counters,
                queue: &asked.queue,
                queue_name: &asked.queue_name,
                recall: false,
                fast: asked.fast,
                short: false,
            };
            let mut sounds = vec![chime()];
            for sentence in call_sentences(&wanted, lang, config) {
                match announcer.with(|speech| speech.say(&sentence)) {
                    Ok(pcm) => sounds.extend([Pcm::silence(GAP), pcm]),
                    Err(e) => {
                        tracing::debug!("cannot announce a call: {e}");
                        return None;
                    }
                }
            }
            Some(wav_bytes_small(&Pcm::join(&sounds)).into())
        })
    }

    /// Announces the calls of an office in a video until shutdown.
    pub(super) async fn announce(
        &self,
        hub: &Hub,
        office: &OfficeId,
        to: &stream::Speaker,
        clock: &Arc<dyn Clock>,
        shutdown: &CancellationToken,
    ) {
        let mut calls = hub.calls();
        let mut news = News::default();
        let mut plan = AnnouncementQueue::new(settings(), SpokenCalls::default());
        // The monotonic moment at which the announcement under way will have been heard.
        let mut ends: Option<Duration> = None;
        while !shutdown.is_cancelled() {
            let now = clock.now();
            if ends.is_some_and(|ends| now.mono >= ends) {
                plan.finished(now);
                ends = None;
            }
            let wait = match ends {
                Some(ends) => ends.saturating_sub(now.mono),
                None => match plan.next(now) {
                    Next::Announce(announcement) => {
                        ends = Some(self.say(announcement, hub, office, to, clock).await);
                        continue;
                    }
                    Next::Wait(Some(until)) => until.saturating_sub(now.mono),
                    Next::Wait(None) => LONGEST_SLEEP,
                },
            };
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(wait.min(LONGEST_SLEEP)) => {}
                call = calls.recv() => match call {
                    Ok((of, call)) if of == *office => {
                        let now = clock.now();
                        if let Some(call) = news.take(call, now) {
                            let (_, lane) = queue(hub, office, &call.queue);
                            plan.add_queue(VoiceQueue { id: call.queue.clone(), fast: lane == Lane::Fast });
                            plan.update(&[call], now);
                        }
                    }
                    Ok(_) => {}
                    Err(RecvError::Lagged(n)) => tracing::warn!(%office, n, "calls were not \
                        announced in a video"),
                    Err(RecvError::Closed) => return,
                },
            }
        }
    }

    /// Says it, and when it will have been heard.
    async fn say(
        &self,
        announcement: Announcement,
        hub: &Hub,
        office: &OfficeId,
        to: &stream::Speaker,
        clock: &Arc<dyn Clock>,
    ) -> Duration {
        let name = announcement.calls.first();
        let name = name.map(|call| queue(hub, office, &call.queue).0);
        let (announcer, to, clock) = (self.clone(), to.clone(), Arc::clone(clock));
        let began = clock.now().mono;
        let said = tokio::task::spawn_blocking(move || {
            let mut ends = began;
            let play = |pcm: Pcm| {
                ends = ends.max(clock.now().mono) + pcm.length();
                to.play(pcm.shared())
            };
            let name = name.unwrap_or_default();
            let result = announcer.with(|speech| {
                announce(&announcement, &name, &announcer.config, true, speech, play)
            });
            if let Err(e) = result {
                tracing::debug!("a call was announced incompletely in a video: {e}");
            }
            ends
        });
        said.await.unwrap_or(began)
    }
}

/// What a hub does not know of an office is as a node has it by default.
fn settings() -> AnnouncementSettings {
    AnnouncementSettings {
        queues: Vec::new(),
        zone: TimeZone::UTC, // for parts of the day, of which there are none
        // As at a node by default.
        fresh_for: Settings::MAX_ANNOUNCE_AGE,
        min_pause: VoiceConfig::MIN_PAUSE,
        max_backlog: VoiceConfig::MAX_BACKLOG,
        volume: 100,
        hours: Vec::new(),
    }
}

/// Name and lane of a queue; a call may come before the numbers.
fn queue(hub: &Hub, office: &OfficeId, queue: &QueueId) -> (Name, Lane) {
    let (_, offices) = hub.summary(false);
    let found = offices.into_iter().find(|o| o.view.id == *office);
    let queues = found.map(|o| o.view.queues).unwrap_or_default();
    let found = queues.into_iter().find(|q| q.id == *queue);
    found.map_or_else(Default::default, |q| (q.name, q.lane))
}

/// Calls as they came, each once.
#[derive(Debug, Default)]
struct News {
    newest: u64,
    known: VecDeque<(QueueId, Date, u32, u64)>,
}

impl News {
    fn take(&mut self, report: CallReport, now: Now) -> Option<LoggedCall> {
        let key = (report.queue.clone(), report.day, report.epoch, report.no);
        if self.known.contains(&key) {
            return None;
        }
        self.known.push_back(key);
        if self.known.len() > REMEMBERED {
            self.known.pop_front();
        }
        self.newest += 1;
        Some(LoggedCall {
            index: self.newest,
            queue: report.queue,
            day: report.day,
            epoch: report.epoch,
            call: Call {
                no: report.no,
                ticket: report.ticket,
                counter: report.counter,
                at: report.at.at,
                kind: report.kind,
            },
            announce: false, // its time decides
            received_at: now.mono,
        })
    }
}
