//! Calls that are heard: snapshots to announcements, in threads of their own.
//!
//! One thread plans and speaks, another one plays; boards and feed wait for neither. Boards learn
//! which calls were heard, and keep the others on the glass.

use super::announcement_status::{AnnouncementStatus, VoiceStatus};
use super::loudspeaker::sink;
use super::pause::{LONGEST_SLEEP, pause_or};
use crate::clock::{Clock, Now};
use crate::config::{NodeConfig, VoiceConfig, VoiceOutput};
use crate::health::with_causes;
use crate::model::{Lane, Name, QueueId};
use crate::state::Snapshot;
use crate::store::Store;
use crate::stream;
use crate::voice::{
    Announcement, AnnouncementQueue, AnnouncementSettings, Next, Pcm, PlaybackStatus, Player,
    RealTimeSink, Speech, SpokenCalls, VoiceQueue, announce, file_name,
};
use anyhow::Context;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Starts the voice of a node.
///
/// # Errors
/// When the system has no thread to give.
pub(crate) fn start(
    config: &VoiceConfig,
    node: &NodeConfig,
    channels: Channels,
    shutdown: &CancellationToken,
) -> anyhow::Result<JoinHandle<()>> {
    let mut sink = sink(&config.output);
    let slow = matches!(config.output, VoiceOutput::Alsa { .. });
    if !slow && !channels.videos.is_empty() {
        sink = Box::new(RealTimeSink::new(sink));
    }
    let player = Player::start(sink).context("cannot start the sound")?;
    let voice = Voice::new(config, node, channels);
    let shutdown = shutdown.clone();
    std::thread::Builder::new()
        .name("voice".into())
        .spawn(move || voice.run(player, &shutdown))
        .context("cannot start the voice")
}

/// What a voice is joined to.
pub(crate) struct Channels {
    pub(crate) snapshots: watch::Receiver<Arc<Snapshot>>,
    pub(crate) announcements: AnnouncementStatus,
    pub(crate) store: Option<Store>,
    /// Videos in which it is heard, too.
    pub(crate) videos: Vec<stream::Speaker>,
    pub(crate) clock: Arc<dyn Clock>,
}

struct Voice {
    config: VoiceConfig,
    names: BTreeMap<QueueId, Name>,
    zone: TimeZone,
    queue: AnnouncementQueue,
    /// What the medium has.
    saved: SpokenCalls,
    channels: Channels,
    /// Whether an announcement is under way, and what had become of those before.
    under_way: Option<PlaybackStatus>,
    /// After which it looks at the clock again without any news.
    longest_sleep: Duration,
    /// Why a sentence could not be spoken.
    failed: Option<String>,
}

impl Voice {
    fn new(config: &VoiceConfig, node: &NodeConfig, channels: Channels) -> Self {
        let spoken = match channels.store.as_ref().map(Store::load_announced) {
            Some(Ok(spoken)) => spoken,
            Some(Err(e)) => {
                tracing::warn!(
                    "cannot load which calls were announced: {}",
                    with_causes(&e)
                );
                SpokenCalls::default()
            }
            None => SpokenCalls::default(),
        };
        let all = &node.state.queues;
        let playback = |id: &QueueId| config.queues.as_ref().is_none_or(|q| q.contains(id));
        let settings = AnnouncementSettings {
            queues: all
                .iter()
                .filter(|q| playback(&q.id))
                .map(|q| VoiceQueue {
                    id: q.id.clone(),
                    fast: q.lane == Lane::Fast,
                })
                .collect(),
            zone: node.state.timezone.clone(),
            fresh_for: node.state.max_announce_age,
            min_pause: config.min_pause,
            max_backlog: config.max_backlog,
            volume: config.volume,
            hours: config.hours.clone(),
        };
        Self {
            names: all.iter().map(|q| (q.id.clone(), q.name.clone())).collect(),
            zone: node.state.timezone.clone(),
            queue: AnnouncementQueue::new(settings, spoken.clone()),
            saved: spoken,
            config: config.clone(),
            channels,
            under_way: None,
            longest_sleep: LONGEST_SLEEP,
            failed: None,
        }
    }

    fn run(mut self, player: Player, shutdown: &CancellationToken) {
        let mut playback = player.status();
        let mut speech = Speech::open(&self.config.speech);
        if let Some(why) = speech.trouble() {
            tracing::warn!("{why}");
        }
        while !shutdown.is_cancelled() {
            let snapshot = Arc::clone(&self.channels.snapshots.borrow_and_update());
            let now = self.channels.clock.now();
            self.queue.update(&snapshot.log, now);
            let state = playback.borrow_and_update().clone();
            self.update_queue(&state, now);
            let ready = state.opened && state.error.is_none();
            let mut wait = self.longest_sleep;
            if ready && self.under_way.is_none() {
                match self.queue.next(now) {
                    Next::Announce(announcement) => {
                        self.under_way = Some(state.clone());
                        self.report(&state, &speech, now);
                        self.announce(&announcement, &player, &mut speech, now, shutdown);
                    }
                    Next::Wait(until) => {
                        let until = until.map(|at| at.saturating_sub(now.mono));
                        wait = until.map_or(wait, |until| until.min(wait));
                    }
                }
            }
            self.save_spoken();
            self.report(&state, &speech, now);
            let playback_changed = async { playback.changed().await.is_ok() };
            let snapshots = &mut self.channels.snapshots;
            if !pause_or(shutdown, snapshots, wait, playback_changed) {
                break; // the reader has ended
            }
        }
        player.stop();
    }

    /// Learns what became of the announcement under way.
    fn update_queue(&mut self, state: &PlaybackStatus, now: Now) {
        let Some(before) = &self.under_way else {
            return;
        };
        if state.finished > before.finished {
            self.queue.finished(now);
            self.under_way = None;
        } else if state.interrupted > before.interrupted {
            self.queue.interrupted();
            self.under_way = None;
        }
    }

    /// Says it, at the loudspeaker and in the videos.
    fn announce(
        &mut self,
        announcement: &Announcement,
        player: &Player,
        speech: &mut Speech,
        now: Now,
        shutdown: &CancellationToken,
    ) {
        let Some(first) = announcement.calls.first() else {
            return; // a plan makes none without a call
        };
        let at = now.wall.to_zoned(self.zone.clone());
        let ticket = first.call.ticket.as_str();
        let track = player.begin(file_name(&at, &first.queue, first.call.no, ticket));
        let name = self.names.get(&first.queue).cloned().unwrap_or_default();
        let play = |pcm: Pcm| {
            // The volume is for the waiting area: viewers of a video set their own.
            for video in &self.channels.videos {
                if !video.play(pcm.shared()) {
                    tracing::debug!(ticket, "announcement skipped in a video: its queue is full");
                }
            }
            track.sound(pcm.at_volume(announcement.volume));
            !shutdown.is_cancelled()
        };
        let (config, chime) = (&self.config.speech, self.config.chime);
        let said = announce(announcement, &name, config, chime, speech, play);
        track.end();
        self.failed = said.err().map(|e| e.to_string());
    }

    /// Keeps what was spoken: at once, since a power cut may follow.
    fn save_spoken(&mut self) {
        if *self.queue.spoken() == self.saved {
            return;
        }
        self.saved = self.queue.spoken().clone();
        if let Some(store) = &self.channels.store
            && let Err(e) = store.save_announced(&self.saved)
        {
            // The state is kept in the same folder: its own trouble is on the list of issues.
            tracing::warn!(
                "cannot save which calls were announced: {}",
                with_causes(&e)
            );
        }
    }

    fn report(&self, state: &PlaybackStatus, speech: &Speech, now: Now) {
        let ready = state.opened && state.error.is_none();
        let completed = if ready {
            self.queue.completed_up_to()
        } else {
            u64::MAX
        };
        let incomplete = speech.trouble();
        let failed = || {
            self.failed
                .as_ref()
                .map(|e| format!("not every announcement is complete: {e}"))
        };
        let status = VoiceStatus {
            silent: state.error.clone(),
            incomplete: incomplete.or_else(failed),
            announced: Some(state.finished),
            skipped: self.queue.skipped(),
            ticked: Some(now.mono),
        };
        self.channels.announcements.update(completed, status);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::model::{QueueState, Source};
    use crate::patience::{PATIENCE, eventually};
    use crate::state::Office;
    use crate::voice::{Sink, SinkError};
    use crate::wire::feed::FeedMessage;
    use std::path::Path;
    use std::sync::Mutex;
    use std::time::Instant;

    /// A sink that notes when its first sample came, and when it was told that all is over.
    #[derive(Clone, Default)]
    struct Ear(Arc<Mutex<Vec<(String, Instant)>>>);

    impl Sink for Ear {
        fn open(&mut self) -> Result<(), SinkError> {
            Ok(())
        }
        fn begin(&mut self, name: &str) -> Result<(), SinkError> {
            let name = name.rsplit('-').next().unwrap_or_default();
            self.0
                .lock()
                .expect("not poisoned")
                .push((name.to_owned(), Instant::now()));
            Ok(())
        }
        fn play(&mut self, samples: &[i16]) -> Result<(), SinkError> {
            let mut playback = self.0.lock().expect("not poisoned");
            if playback.last().is_some_and(|(name, _)| name != "sound") {
                assert!(samples.iter().any(|s| *s != 0), "it begins with sound");
                playback.push(("sound".to_owned(), Instant::now()));
            }
            Ok(())
        }
        fn end(&mut self) -> Result<(), SinkError> {
            Ok(())
        }
    }

    fn config() -> NodeConfig {
        let text = r#"
            [office]
            id = "chuo"
            name = { ja = "中央区" }
            [node]
            id = "n1"
            [mqtt]
            url = "mqtt://127.0.0.1:1883"
            [[queue]]
            id = "certificates"
            name = { ja = "証明書" }
            [voice]
            output = "none"
            min_pause = "200ms"
            dictionary = "/nonexistent"
        "#;
        crate::config::parse_node(text, "node.toml", Path::new("/")).expect("valid")
    }

    fn message(no: u64, now: Now) -> QueueState {
        let (at, day) = (now.wall, now.wall.to_zoned(TimeZone::UTC).date());
        let text = format!(
            r#"{{"seq": {no}, "at": "{at}", "day": "{day}", "status": "open", "waiting": 1, "on_hold": 0,
                "calls": [{{"no": {no}, "ticket": "A{no}", "counter": "3", "at": "{at}", "kind": "call"}}]}}"#
        );
        FeedMessage::decode(text.as_bytes())
            .expect("message")
            .into()
    }

    /// A message is spoken because it came: the clock stands still, and no poll is near. Also prints
    /// the time to the first sample that is handed to the sink, which counts where nothing runs beside.
    #[tokio::test(flavor = "multi_thread")]
    async fn the_chime_begins_at_once_and_boards_wait_for_its_end() {
        let config = config();
        let mut state = config.state.clone();
        state.timezone = TimeZone::UTC;
        let mut office = Office::new(state);
        let clock = ManualClock::new(Now::at("2026-11-24T01:42:07Z".parse().expect("a time")));
        let (sender, snapshots) = watch::channel(Arc::new(office.snapshot(clock.now())));
        let (ear, announcements) = (Ear::default(), AnnouncementStatus::default());
        let channels = Channels {
            snapshots,
            announcements: announcements.clone(),
            store: None,
            videos: Vec::new(),
            clock: Arc::new(clock.clone()),
        };
        let player = Player::start(Box::new(ear.clone())).expect("a thread");
        let mut voice = Voice::new(config.voice.as_ref().expect("a voice"), &config, channels);
        voice.longest_sleep = PATIENCE * 2;
        let stop = CancellationToken::new();
        let end = stop.clone();
        let thread = std::thread::spawn(move || voice.run(player, &end));
        let mut took = Vec::new();
        for no in 1..=10 {
            let begin = Instant::now();
            let queue = &config.state.queues[0].id;
            let now = clock.now();
            office
                .apply(queue, message(no, now), Source::Feed, now)
                .expect("accepted");
            sender.send_replace(Arc::new(office.snapshot(now)));
            eventually(PATIENCE, "it is over", || {
                announcements.completed_up_to() == no
            })
            .await;
            let playback = ear.0.lock().expect("not poisoned").clone();
            let playback = &playback[playback.len() - 2..];
            assert_eq!(
                (playback[0].0.as_str(), playback[1].0.as_str()),
                (&*format!("A{no}"), "sound")
            );
            took.push(playback[1].1 - begin);
            // The pause between two announcements is over when the next message comes.
            clock.advance(Duration::from_secs(1));
        }
        took.sort();
        println!(
            "from message to first sample: median {:?}, longest {:?}",
            took[5], took[9]
        );
        if std::env::var_os("YOBIBAN_ALONE").is_some() {
            assert!(took[5] <= Duration::from_millis(150), "{took:?}");
        }
        let status = announcements.status();
        assert_eq!(status.silent(clock.now()), None);
        assert!(
            status
                .incomplete
                .is_some_and(|why| why.contains("no dictionary"))
        );
        assert_eq!((status.announced, status.skipped), (Some(10), 0));
        stop.cancel();
        thread.join().expect("ends");
    }
}
