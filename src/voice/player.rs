//! Sound to a sink, in a thread of its own: a slow device holds up nobody.
//!
//! One announcement at a time: [`Player::begin`], sounds as they are made, [`Track::end`]. Its end
//! is told as [`Heard`]. While the sink is lost, announcements end as interrupted, and the thread
//! tries to get it back.

use super::sink::{Sink, SinkError};
use super::sound::{Pcm, RATE};
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
const BRIDGE_EVERY: Duration = Duration::from_millis(20);
/// How often a lost sink is tried.
const TRY_EVERY: Duration = Duration::from_secs(1);
/// After so many attempts in vain, a lost sink is tried every fifth time only.
const PATIENT_AFTER: u32 = 30;

/// What became of announcements, and of the sink.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Heard {
    /// Announcements that were heard to their end.
    pub finished: u64,
    /// Announcements that were cut short.
    pub interrupted: u64,
    /// Whether the sink was ever ready.
    pub opened: bool,
    /// Why nothing can be heard.
    pub lost: Option<String>,
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
    heard: watch::Receiver<Heard>,
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
        let (sender, heard) = watch::channel(Heard::default());
        let stop = Arc::new(AtomicBool::new(false));
        let state = State {
            sink,
            commands: receiver,
            heard: sender,
            stop: Arc::clone(&stop),
            open: false,
            attempts: 0,
        };
        let thread = std::thread::Builder::new()
            .name("sound".into())
            .spawn(move || state.run())?;
        Ok(Self {
            commands,
            heard,
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

    /// What became of announcements.
    #[must_use]
    pub fn heard(&self) -> watch::Receiver<Heard> {
        self.heard.clone()
    }

    /// Ends the thread at once; what was under way is cut short.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(self.commands);
        if self.thread.join().is_err() {
            tracing::error!("the sound thread panicked");
        }
    }

    fn send(&self, command: Command) {
        // A thread that has gone is noticed by its watch.
        let _ = self.commands.send(command);
    }
}

struct State {
    sink: Box<dyn Sink>,
    commands: Receiver<Command>,
    heard: watch::Sender<Heard>,
    stop: Arc<AtomicBool>,
    open: bool,
    /// Attempts to open it since it was lost.
    attempts: u32,
}

impl State {
    fn run(mut self) {
        self.tend();
        while !self.stops() {
            let every = if self.open {
                self.sink.tend_every()
            } else {
                TRY_EVERY
            };
            match self.commands.recv_timeout(every) {
                Ok(Command::Begin(name)) => {
                    let result = self.announce(&name);
                    let finished = result.is_ok();
                    self.note(result);
                    self.heard.send_modify(|heard| {
                        heard.finished += u64::from(finished);
                        heard.interrupted += u64::from(!finished);
                    });
                }
                Ok(_) => {} // of an announcement that was cut short
                Err(RecvTimeoutError::Timeout) => self.tend(),
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
            match self.commands.recv_timeout(BRIDGE_EVERY) {
                Ok(Command::Sound(pcm)) if result.is_ok() => result = self.play(&pcm),
                Ok(Command::Sound(_)) => {}
                Ok(Command::End) => break,
                Err(RecvTimeoutError::Timeout) if result.is_ok() => result = self.sink.bridge(),
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

    /// Looks after the sink, or tries to get it back.
    fn tend(&mut self) {
        if self.open {
            let result = self.sink.tend();
            return self.note(result);
        }
        self.attempts += 1;
        if self.attempts <= PATIENT_AFTER || self.attempts.is_multiple_of(5) {
            let result = self.sink.open();
            self.note(result);
        }
    }

    fn note(&mut self, result: Result<(), SinkError>) {
        self.open = result.is_ok();
        if self.open {
            self.attempts = 0;
        }
        let lost = result.err().map(|e| e.to_string());
        let opened = self.open;
        self.heard.send_if_modified(|heard| {
            let changed = heard.lost != lost || opened && !heard.opened;
            heard.opened |= opened;
            heard.lost = lost;
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
        fn tend(&mut self) -> Result<(), SinkError> {
            self.there()
        }
    }

    fn until(heard: &watch::Receiver<Heard>, wanted: impl Fn(&Heard) -> bool) {
        wait_for("the player is so far", || {
            let now = heard.borrow().clone();
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
        let heard = player.heard();
        announce(&player, "one");
        until(&heard, |h| h.finished == 1);
        sink.gone.store(true, Ordering::Relaxed);
        announce(&player, "two");
        until(&heard, |h| h.interrupted == 1);
        assert_eq!(heard.borrow().lost.as_deref(), Some("no such device"));
        sink.gone.store(false, Ordering::Relaxed);
        until(&heard, |h| h.lost.is_none());
        announce(&player, "three");
        until(&heard, |h| h.finished == 2);
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
                    let stop = self.stop.recv().expect("told");
                    wait_for("the stop", || stop.load(Ordering::Relaxed));
                }
                Ok(())
            }
            fn end(&mut self) -> Result<(), SinkError> {
                Ok(())
            }
        }
        let steps = Arc::new(AtomicUsize::new(0));
        let (tell, told) = mpsc::channel();
        let sink = Slow {
            steps: Arc::clone(&steps),
            stop: told,
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
