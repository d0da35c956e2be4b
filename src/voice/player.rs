//! Sound to a sink, in a thread of its own: a slow device holds up nobody.
//!
//! One announcement at a time: [`Player::begin`], sounds as they are made, [`Track::end`]. Its end
//! is reported in [`PlaybackStatus`]. While the sink is lost, announcements end as interrupted, and the thread
//! tries to get it back.

use super::sink::{Sink, SinkError};
use super::sound::{Pcm, RATE};
use crate::errors;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;

/// Sounds that may wait: chime and the sentences of three languages.
const WAITING: usize = 32;
/// Samples a step: after each the thread looks whether it is to stop.
const STEP: usize = RATE as usize / 50;
/// How often a device is kept going while the next sentence is made.
const FILL_GAP_EVERY: Duration = Duration::from_millis(20);
/// How often a lost sink is tried. No [`Backoff`](crate::backoff::Backoff): the thread wakes as often
/// anyway, to see whether it is to stop.
const RETRY_EVERY: Duration = Duration::from_secs(1);
/// After so many attempts in vain, a lost sink is tried every fifth time only.
const SLOW_RETRY_AFTER: u32 = 30;

/// The results of announcements, and the state of the sink.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlaybackStatus {
    /// Announcements that were played to their end.
    pub finished: u64,
    /// Announcements that were cut short.
    pub interrupted: u64,
    /// Whether the sink was ever ready.
    pub opened: bool,
    /// Why nothing can be played.
    pub error: Option<String>,
}

enum Command {
    Begin(String),
    Sound(Pcm),
    End,
}

/// The thread that plays.
#[derive(Debug)]
pub struct Player {
    commands: SyncSender<Command>,
    status: watch::Receiver<PlaybackStatus>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// An announcement under way.
#[derive(Debug)]
pub struct Track<'p> {
    player: &'p Player,
}

impl Track<'_> {
    /// Plays this next. Waits only where more sounds wait than an announcement has.
    pub fn sound(&self, pcm: Pcm) {
        self.player.send(Command::Sound(pcm));
    }

    /// Says that nothing follows.
    pub fn end(self) {
        self.player.send(Command::End);
    }
}

impl Player {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start(sink: Box<dyn Sink>) -> io::Result<Self> {
        let (commands, receiver) = mpsc::sync_channel(WAITING);
        let (sender, status) = watch::channel(PlaybackStatus::default());
        let stop = Arc::new(AtomicBool::new(false));
        let player = PlayerThread {
            sink,
            commands: receiver,
            status: sender,
            stop: Arc::clone(&stop),
            open: false,
            attempts: 0,
        };
        let thread = std::thread::Builder::new()
            .name("sound".into())
            .spawn(move || player.run())?;
        Ok(Self {
            commands,
            status,
            stop,
            thread,
        })
    }

    /// Begins an announcement; the name is for sinks that write files.
    #[must_use]
    pub fn begin(&self, name: String) -> Track<'_> {
        self.send(Command::Begin(name));
        Track { player: self }
    }

    /// The results of announcements, and the state of the sink.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<PlaybackStatus> {
        self.status.clone()
    }

    /// Ends the thread at once; what was under way is cut short.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(self.commands);
        errors::join(self.thread);
    }

    fn send(&self, command: Command) {
        // A thread that has gone is noticed by its watch.
        let _ = self.commands.send(command);
    }
}

struct PlayerThread {
    sink: Box<dyn Sink>,
    commands: Receiver<Command>,
    status: watch::Sender<PlaybackStatus>,
    stop: Arc<AtomicBool>,
    open: bool,
    /// Attempts to open it since it was lost.
    attempts: u32,
}

impl PlayerThread {
    fn run(mut self) {
        self.check_sink();
        while !self.stops() {
            let every = if self.open {
                self.sink.keep_alive_interval()
            } else {
                RETRY_EVERY
            };
            match self.commands.recv_timeout(every) {
                Ok(Command::Begin(name)) => {
                    let result = self.announce(&name);
                    let finished = result.is_ok();
                    self.note(result);
                    self.status.send_modify(|status| {
                        status.finished += u64::from(finished);
                        status.interrupted += u64::from(!finished);
                    });
                }
                Ok(_) => {} // of an announcement that was cut short
                Err(RecvTimeoutError::Timeout) => self.check_sink(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.sink.stop();
    }

    fn announce(&mut self, name: &str) -> Result<(), SinkError> {
        let begun = match self.open {
            true => Ok(()),
            false => self.sink.open(),
        };
        let begun = begun.and_then(|()| self.sink.begin(name));
        if begun.is_ok() {
            self.open = true;
        }
        let mut result = begun;
        // All of its sounds are taken, also when they cannot be played: the next one follows.
        loop {
            match self.commands.recv_timeout(FILL_GAP_EVERY) {
                Ok(Command::Sound(pcm)) if result.is_ok() => result = self.play(&pcm),
                Ok(Command::Sound(_)) => {}
                Ok(Command::End) => break,
                Err(RecvTimeoutError::Timeout) if result.is_ok() => result = self.sink.fill_gap(),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Command::Begin(_)) | Err(RecvTimeoutError::Disconnected) => {
                    return Err(SinkError("the announcement was cancelled".to_owned()));
                }
            }
        }
        result.and_then(|()| self.sink.end())
    }

    fn play(&mut self, pcm: &Pcm) -> Result<(), SinkError> {
        for step in pcm.samples().chunks(STEP) {
            if self.stops() {
                return Err(SinkError("the program stops".to_owned()));
            }
            self.sink.play(step)?;
        }
        Ok(())
    }

    /// Keeps the sink alive, or tries to reopen it.
    fn check_sink(&mut self) {
        if self.open {
            let result = self.sink.keep_alive();
            return self.note(result);
        }
        self.attempts += 1;
        if self.attempts <= SLOW_RETRY_AFTER || self.attempts.is_multiple_of(5) {
            let result = self.sink.open();
            self.note(result);
        }
    }

    fn note(&mut self, result: Result<(), SinkError>) {
        self.open = result.is_ok();
        if self.open {
            self.attempts = 0;
        }
        let error = result.err().map(|e| e.to_string());
        let opened = self.open;
        self.status.send_if_modified(|status| {
            let changed = status.error != error || opened && !status.opened;
            status.opened |= opened;
            status.error = error;
            changed
        });
    }

    fn stops(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patience::wait_for;
    use std::sync::Mutex;
    use std::sync::atomic::AtomicUsize;

    /// A sink that can be taken away, and remembers what it played.
    #[derive(Clone, Default)]
    struct Loop {
        gone: Arc<AtomicBool>,
        played: Arc<Mutex<Vec<(String, usize)>>>,
    }

    impl Loop {
        fn there(&self) -> Result<(), SinkError> {
            match self.gone.load(Ordering::Relaxed) {
                true => Err(SinkError("no such device".into())),
                false => Ok(()),
            }
        }
    }

    impl Sink for Loop {
        fn open(&mut self) -> Result<(), SinkError> {
            self.there()
        }
        fn begin(&mut self, name: &str) -> Result<(), SinkError> {
            self.played.lock().unwrap().push((name.to_owned(), 0));
            self.there()
        }
        fn play(&mut self, samples: &[i16]) -> Result<(), SinkError> {
            self.played.lock().unwrap().last_mut().unwrap().1 += samples.len();
            self.there()
        }
        fn end(&mut self) -> Result<(), SinkError> {
            self.there()
        }
        fn keep_alive(&mut self) -> Result<(), SinkError> {
            self.there()
        }
    }

    fn until(status: &watch::Receiver<PlaybackStatus>, wanted: impl Fn(&PlaybackStatus) -> bool) {
        wait_for("the player is so far", || {
            let now = status.borrow().clone();
            if wanted(&now) { Ok(()) } else { Err(now) }
        });
    }

    fn announce(player: &Player, name: &str) {
        let track = player.begin(name.to_owned());
        track.sound(Pcm::new(vec![1; 1500]));
        track.sound(Pcm::new(vec![2; 700]));
        track.end();
    }

    #[test]
    fn a_lost_sink_interrupts_and_comes_back_by_itself() {
        let sink = Loop::default();
        let player = Player::start(Box::new(sink.clone())).unwrap();
        let status = player.status();
        announce(&player, "one");
        until(&status, |h| h.finished == 1);
        sink.gone.store(true, Ordering::Relaxed);
        announce(&player, "two");
        until(&status, |h| h.interrupted == 1);
        assert_eq!(status.borrow().error.as_deref(), Some("no such device"));
        sink.gone.store(false, Ordering::Relaxed);
        until(&status, |h| h.error.is_none());
        announce(&player, "three");
        until(&status, |h| h.finished == 2);
        player.stop();
        let played = sink.played.lock().unwrap();
        assert_eq!(played.first(), Some(&("one".to_owned(), 2200)));
        assert_eq!(played.last(), Some(&("three".to_owned(), 2200)));
    }

    #[test]
    fn a_stop_cuts_short_what_is_under_way() {
        /// Holds its third step until it is told to stop.
        struct Slow {
            steps: Arc<AtomicUsize>,
            stop: mpsc::Receiver<Arc<AtomicBool>>,
        }
        impl Sink for Slow {
            fn open(&mut self) -> Result<(), SinkError> {
                Ok(())
            }
            fn begin(&mut self, _: &str) -> Result<(), SinkError> {
                Ok(())
            }
            fn play(&mut self, _: &[i16]) -> Result<(), SinkError> {
                if self.steps.fetch_add(1, Ordering::Relaxed) == 2 {
                    let stop = self.stop.recv().expect("signal");
                    wait_for("the stop", || stop.load(Ordering::Relaxed));
                }
                Ok(())
            }
            fn end(&mut self) -> Result<(), SinkError> {
                Ok(())
            }
        }
        let steps = Arc::new(AtomicUsize::new(0));
        let (tell, signal) = mpsc::channel();
        let sink = Slow {
            steps: Arc::clone(&steps),
            stop: signal,
        };
        let player = Player::start(Box::new(sink)).unwrap();
        tell.send(Arc::clone(&player.stop)).unwrap();
        let track = player.begin("long".into());
        track.sound(Pcm::silence(Duration::from_secs(60)));
        track.end();
        wait_for("it is under way", || steps.load(Ordering::Relaxed) == 3);
        player.stop();
        assert_eq!(steps.load(Ordering::Relaxed), 3, "of a minute");
    }
}
