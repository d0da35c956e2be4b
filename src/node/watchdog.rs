//! Notifications to the service manager: ready, status, and the watchdog's.
//!
//! The watchdog is fed from the reader's own tick, and only when every board's thread and every
//! connection's task have ticked: a process of which a part hangs is better started again. A broker that
//! is away or a monitor that is unplugged is no reason: those parts go on trying, and tick.

use super::status::Outputs;
use crate::clock::Now;
use crate::mqtt::Stats;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A connection's task hangs if its loop made no turn for this long: it makes one every 10 s, and between
/// two attempts to connect, which are 30 s apart at most and take up to 20 s.
const LOOP_HANGS: Duration = Duration::from_secs(90);

/// One notification to the service manager (sd_notify(3)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Notification {
    /// Every board was drawn once.
    Ready,
    /// One line for `systemctl status`.
    Status(String),
    /// All is alive.
    Watchdog,
    Stopping,
}

/// Notifies the service manager.
pub(crate) struct Watchdog {
    notify: Box<dyn FnMut(Notification) + Send>,
    boards: Outputs,
    loops: Vec<Loop>,
    ready: bool,
    status: String,
    /// What hangs, once it was logged.
    logged: Option<String>,
}

struct Loop {
    name: &'static str,
    stats: Arc<Stats>,
    beats: u64,
    /// Monotonic moment at which `beats` last grew.
    since: Duration,
}

impl Watchdog {
    /// Tells systemd, if it started this process and wants to know.
    pub(crate) fn new(boards: Outputs, loops: &[(&'static str, &Arc<Stats>)], now: Now) -> Self {
        Self::with_notifier(Box::new(systemd), boards, loops, now)
    }

    fn with_notifier(
        notify: Box<dyn FnMut(Notification) + Send>,
        boards: Outputs,
        loops: &[(&'static str, &Arc<Stats>)],
        now: Now,
    ) -> Self {
        let make_loop = |(name, stats): &(&'static str, &Arc<Stats>)| Loop {
            name,
            stats: Arc::clone(stats),
            beats: 0,
            since: now.mono,
        };
        Self {
            notify,
            boards,
            loops: loops.iter().map(make_loop).collect(),
            ready: false,
            status: String::new(),
            logged: None,
        }
    }

    /// Feeds the watchdog if all is alive. Called about once a second; `status` is what
    /// `systemctl status` shows.
    pub(crate) fn tick(&mut self, status: String, now: Now) {
        if !self.ready && self.boards.all_drawn() {
            self.ready = true;
            (self.notify)(Notification::Ready);
        }
        if self.status != status {
            (self.notify)(Notification::Status(status.clone()));
            self.status = status;
        }
        match self.hangs(now) {
            None => {
                self.logged = None;
                (self.notify)(Notification::Watchdog);
            }
            Some(what) => {
                if self.logged.as_ref() != Some(&what) {
                    tracing::error!("{what} hangs; no longer notifying the watchdog");
                    self.logged = Some(what);
                }
            }
        }
    }

    /// Says that the node stops.
    pub(crate) fn stopping(&mut self) {
        (self.notify)(Notification::Stopping);
    }

    fn hangs(&mut self, now: Now) -> Option<String> {
        for make_loop in &mut self.loops {
            let beats = make_loop.stats.view().beats;
            if beats != make_loop.beats {
                (make_loop.beats, make_loop.since) = (beats, now.mono);
            } else if now.since(make_loop.since) > LOOP_HANGS {
                return Some(format!("the connection {}", make_loop.name));
            }
        }
        let board = self.boards.standing_still(now)?;
        Some(format!("board {board}"))
    }
}

impl fmt::Debug for Watchdog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchdog")
            .field("ready", &self.ready)
            .finish_non_exhaustive()
    }
}

/// Notifies that the setup screen in place of the node is alive.
pub(crate) fn notify_alone(what: &str) {
    systemd(Notification::Ready);
    systemd(Notification::Status(what.to_owned()));
    systemd(Notification::Watchdog);
}

/// Sends a word to systemd; nothing where it did not start us.
fn systemd(word: Notification) {
    #[cfg(target_os = "linux")]
    {
        use sd_notify::NotifyState;
        let state = match &word {
            Notification::Ready => NotifyState::Ready,
            Notification::Status(text) => NotifyState::Status(text),
            Notification::Watchdog => NotifyState::Watchdog,
            Notification::Stopping => NotifyState::Stopping,
        };
        if let Err(e) = sd_notify::notify(&[state]) {
            tracing::debug!("cannot notify the service manager: {e}");
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = word;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::BoardId;
    use jiff::Timestamp;
    use std::sync::Mutex;

    fn at(second: u64) -> Now {
        Now {
            mono: Duration::from_secs(second),
            ..Now::at(Timestamp::UNIX_EPOCH)
        }
    }

    fn board(outputs: &Outputs, ticked: Option<u64>) {
        let id = BoardId::new("main").expect("id");
        outputs.update(&id, |s| s.ticked = ticked.map(Duration::from_secs));
    }

    /// What was said since the last look.
    struct Notifications(Arc<Mutex<Vec<Notification>>>);

    impl Notifications {
        fn take(&self) -> Vec<Notification> {
            std::mem::take(&mut self.0.lock().expect("not poisoned"))
        }
    }

    fn watchdog(outputs: &Outputs, stats: &Arc<Stats>) -> (Watchdog, Notifications) {
        let take = Arc::new(Mutex::new(Vec::new()));
        let notifications = Notifications(Arc::clone(&take));
        let notify = move |word| take.lock().expect("not poisoned").push(word);
        let loops = [("feed", stats)];
        let watchdog = Watchdog::with_notifier(Box::new(notify), outputs.clone(), &loops, at(0));
        (watchdog, notifications)
    }

    #[test]
    fn ready_comes_with_the_first_picture_and_the_watchdog_is_fed_while_all_tick() {
        let (outputs, stats) = (Outputs::default(), Arc::new(Stats::default()));
        board(&outputs, None);
        let (mut watchdog, notifications) = watchdog(&outputs, &stats);
        let status = || "starting".to_owned();
        watchdog.tick(status(), at(1));
        assert_eq!(
            notifications.take(),
            [Notification::Status(status()), Notification::Watchdog]
        );
        board(&outputs, Some(2));
        watchdog.tick(status(), at(2));
        assert_eq!(
            notifications.take(),
            [Notification::Ready, Notification::Watchdog]
        );
        watchdog.tick(status(), at(3));
        assert_eq!(notifications.take(), [Notification::Watchdog]);
        watchdog.stopping();
        assert_eq!(notifications.take(), [Notification::Stopping]);
    }

    #[test]
    fn a_board_that_stands_still_starves_the_watchdog() {
        let (outputs, stats) = (Outputs::default(), Arc::new(Stats::default()));
        board(&outputs, Some(1));
        let (mut watchdog, notifications) = watchdog(&outputs, &stats);
        watchdog.tick(String::new(), at(10));
        assert!(notifications.take().contains(&Notification::Watchdog));
        watchdog.tick(String::new(), at(11));
        assert_eq!(notifications.take(), [], "ten seconds without a sign");
        board(&outputs, Some(12));
        watchdog.tick(String::new(), at(12));
        assert_eq!(notifications.take(), [Notification::Watchdog]);
    }

    #[test]
    fn a_line_that_makes_no_turn_starves_the_watchdog() {
        let (outputs, stats) = (Outputs::default(), Arc::new(Stats::default()));
        let (mut watchdog, notifications) = watchdog(&outputs, &stats);
        watchdog.tick(String::new(), at(90));
        assert!(notifications.take().contains(&Notification::Watchdog));
        watchdog.tick(String::new(), at(91));
        assert_eq!(notifications.take(), []);
        stats.heartbeat();
        watchdog.tick(String::new(), at(92));
        assert_eq!(notifications.take(), [Notification::Watchdog]);
    }
}
