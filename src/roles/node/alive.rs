//! What the service manager is told: ready, what goes on, and that everything that must tick does.
//!
//! The watchdog is fed from the reader's own tick, and only when every board's thread and every
//! line's task have ticked: a process of which a part hangs is better started again. A broker that
//! is away or a monitor that is unplugged is no reason: those parts go on trying, and tick.

use super::status::Outputs;
use crate::clock::Now;
use crate::mqtt::Stats;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The task of a line that made no turn for this long hangs: it makes one every 10 s, and between
/// two attempts to connect, which are 30 s apart at most and take up to 20 s.
const LINE_HANGS: Duration = Duration::from_secs(90);

/// One word to the service manager (sd_notify(3)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// Every board was drawn once.
    Ready,
    /// One line for `systemctl status`.
    Status(String),
    /// All is alive.
    Watchdog,
    /// The node stops.
    Stopping,
}

/// Who tells the service manager.
pub(super) struct Alive {
    tell: Box<dyn FnMut(Word) + Send>,
    boards: Outputs,
    lines: Vec<Line>,
    ready: bool,
    status: String,
    /// What hangs, once it was logged.
    told: Option<String>,
}

struct Line {
    name: &'static str,
    stats: Arc<Stats>,
    beats: u64,
    /// Monotonic moment at which `beats` last grew.
    since: Duration,
}

impl Alive {
    /// Tells systemd, if it started this process and wants to know.
    pub(super) fn new(boards: Outputs, lines: &[(&'static str, &Arc<Stats>)], now: Now) -> Self {
        Self::telling(Box::new(systemd), boards, lines, now)
    }

    fn telling(
        tell: Box<dyn FnMut(Word) + Send>,
        boards: Outputs,
        lines: &[(&'static str, &Arc<Stats>)],
        now: Now,
    ) -> Self {
        let line = |(name, stats): &(&'static str, &Arc<Stats>)| Line {
            name,
            stats: Arc::clone(stats),
            beats: 0,
            since: now.mono,
        };
        Self {
            tell,
            boards,
            lines: lines.iter().map(line).collect(),
            ready: false,
            status: String::new(),
            told: None,
        }
    }

    /// Feeds the watchdog if all is alive. Called about once a second; `status` is what
    /// `systemctl status` shows.
    pub(super) fn tick(&mut self, status: String, now: Now) {
        if !self.ready && self.boards.all_drawn() {
            self.ready = true;
            (self.tell)(Word::Ready);
        }
        if self.status != status {
            (self.tell)(Word::Status(status.clone()));
            self.status = status;
        }
        match self.hangs(now) {
            None => {
                self.told = None;
                (self.tell)(Word::Watchdog);
            }
            Some(what) => {
                if self.told.as_ref() != Some(&what) {
                    tracing::error!("{what} hangs; no longer notifying the watchdog");
                    self.told = Some(what);
                }
            }
        }
    }

    /// Says that the node stops.
    pub(super) fn stopping(&mut self) {
        (self.tell)(Word::Stopping);
    }

    fn hangs(&mut self, now: Now) -> Option<String> {
        for line in &mut self.lines {
            let beats = line.stats.view().beats;
            if beats != line.beats {
                (line.beats, line.since) = (beats, now.mono);
            } else if now.since(line.since) > LINE_HANGS {
                return Some(format!("the connection {}", line.name));
            }
        }
        let board = self.boards.standing_still(now)?;
        Some(format!("board {board}"))
    }
}

impl fmt::Debug for Alive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alive")
            .field("ready", &self.ready)
            .finish_non_exhaustive()
    }
}

/// Says that a sheet in place of the node is alive.
pub(super) fn alone(what: &str) {
    systemd(Word::Ready);
    systemd(Word::Status(what.to_owned()));
    systemd(Word::Watchdog);
}

/// Sends a word to systemd; nothing where it did not start us.
fn systemd(word: Word) {
    #[cfg(target_os = "linux")]
    {
        use sd_notify::NotifyState;
        let state = match &word {
            Word::Ready => NotifyState::Ready,
            Word::Status(text) => NotifyState::Status(text),
            Word::Watchdog => NotifyState::Watchdog,
            Word::Stopping => NotifyState::Stopping,
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
    struct Heard(Arc<Mutex<Vec<Word>>>);

    impl Heard {
        fn words(&self) -> Vec<Word> {
            std::mem::take(&mut self.0.lock().expect("not poisoned"))
        }
    }

    fn alive(outputs: &Outputs, stats: &Arc<Stats>) -> (Alive, Heard) {
        let words = Arc::new(Mutex::new(Vec::new()));
        let heard = Heard(Arc::clone(&words));
        let tell = move |word| words.lock().expect("not poisoned").push(word);
        let lines = [("feed", stats)];
        let alive = Alive::telling(Box::new(tell), outputs.clone(), &lines, at(0));
        (alive, heard)
    }

    #[test]
    fn ready_comes_with_the_first_picture_and_the_watchdog_is_fed_while_all_tick() {
        let (outputs, stats) = (Outputs::default(), Arc::new(Stats::default()));
        board(&outputs, None);
        let (mut alive, heard) = alive(&outputs, &stats);
        let status = || "starting".to_owned();
        alive.tick(status(), at(1));
        assert_eq!(heard.words(), [Word::Status(status()), Word::Watchdog]);
        board(&outputs, Some(2));
        alive.tick(status(), at(2));
        assert_eq!(heard.words(), [Word::Ready, Word::Watchdog]);
        alive.tick(status(), at(3));
        assert_eq!(heard.words(), [Word::Watchdog]);
        alive.stopping();
        assert_eq!(heard.words(), [Word::Stopping]);
    }

    #[test]
    fn a_board_that_stands_still_starves_the_watchdog() {
        let (outputs, stats) = (Outputs::default(), Arc::new(Stats::default()));
        board(&outputs, Some(1));
        let (mut alive, heard) = alive(&outputs, &stats);
        alive.tick(String::new(), at(10));
        assert!(heard.words().contains(&Word::Watchdog));
        alive.tick(String::new(), at(11));
        assert_eq!(heard.words(), [], "ten seconds without a sign");
        board(&outputs, Some(12));
        alive.tick(String::new(), at(12));
        assert_eq!(heard.words(), [Word::Watchdog]);
    }

    #[test]
    fn a_line_that_makes_no_turn_starves_the_watchdog() {
        let (outputs, stats) = (Outputs::default(), Arc::new(Stats::default()));
        let (mut alive, heard) = alive(&outputs, &stats);
        alive.tick(String::new(), at(90));
        assert!(heard.words().contains(&Word::Watchdog));
        alive.tick(String::new(), at(91));
        assert_eq!(heard.words(), []);
        stats.heartbeat();
        alive.tick(String::new(), at(92));
        assert_eq!(heard.words(), [Word::Watchdog]);
    }
}
