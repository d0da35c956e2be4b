//! One relay: announced calls to closings of a contact, in a thread of its own.
//!
//! Whatever happens to the line, the node goes on: it is opened again every ten seconds, and the
//! issue says why it is not there.

use super::pause::pause;
use super::status::Relays;
use crate::clock::Clock;
use crate::config::RelayConfig;
use crate::health::with_causes;
use crate::output::hal::{HalError, Line};
use crate::output::relay::{Pulses, Relay};
use crate::state::{LoggedCall, Snapshot};
use anyhow::Context as _;
use embedded_hal::digital::OutputPin;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often a line that cannot be used is tried again.
const REOPEN_EVERY: Duration = Duration::from_secs(10);

/// Starts the thread of a relay.
pub(crate) fn start(
    config: &RelayConfig,
    snapshots: &watch::Receiver<Arc<Snapshot>>,
    relays: &Relays,
    clock: &Arc<dyn Clock>,
    shutdown: &CancellationToken,
) -> anyhow::Result<JoinHandle<()>> {
    let lamp = Lamp {
        config: config.clone(),
        snapshots: snapshots.clone(),
        relays: relays.clone(),
        clock: Arc::clone(clock),
        handled: 0,
    };
    let shutdown = shutdown.clone();
    let (backend, gpio) = (config.backend, config.gpio);
    let open = move || Line::open(backend, gpio).map_err(|e: HalError| with_causes(&e));
    std::thread::Builder::new()
        .name(format!("relay-{}", config.id))
        .spawn(move || lamp.run(&shutdown, open))
        .with_context(|| format!("cannot start relay {}", config.id))
}

/// Everything a relay's thread owns, but the line.
struct Lamp {
    config: RelayConfig,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    relays: Relays,
    clock: Arc<dyn Clock>,
    /// Index of the newest call that was taken from a log.
    handled: u64,
}

impl Lamp {
    fn run<P: OutputPin>(
        mut self,
        shutdown: &CancellationToken,
        mut open: impl FnMut() -> Result<P, String>,
    ) {
        let pulses = Pulses {
            active_low: self.config.active_low,
            pulse: self.config.pulse,
            pause: self.config.min_gap,
        };
        let mut relay: Option<Relay<P>> = None;
        let mut open_at = Duration::ZERO;
        while !shutdown.is_cancelled() {
            let now = self.clock.now().mono;
            if relay.is_none() && now >= open_at {
                let gpio = self.config.gpio;
                let taken = open().and_then(|pin| {
                    Relay::new(pin, pulses).map_err(|e| format!("cannot drive line {gpio}: {e:?}"))
                });
                match taken {
                    Ok(new) => {
                        relay = Some(new);
                        self.relays.set(&self.config.id, None);
                    }
                    Err(why) => {
                        open_at = now + REOPEN_EVERY;
                        self.relays.set(&self.config.id, Some(why));
                    }
                }
            }
            let calls = self.new_calls();
            let next = match &mut relay {
                Some(relay) => {
                    let merged = relay.merged();
                    (0..calls).for_each(|_| relay.call());
                    let merged = relay.merged() - merged;
                    self.relays
                        .update(&self.config.id, |status| status.merged += merged);
                    relay.tick(now)
                }
                // Calls without a line are gone: a flash ten seconds later is of no use.
                None => Ok(Some(open_at.saturating_sub(now))),
            };
            let wait = match next {
                Ok(wait) => wait.unwrap_or(REOPEN_EVERY),
                Err(e) => {
                    let gpio = self.config.gpio;
                    let why = format!("cannot drive line {gpio}: {e:?}");
                    self.relays.set(&self.config.id, Some(why));
                    relay = None;
                    open_at = now + REOPEN_EVERY;
                    REOPEN_EVERY
                }
            };
            if !pause(shutdown, &mut self.snapshots, wait) {
                break; // whoever knew the calls is gone
            }
        }
    }

    /// How many calls are to be shown that were not yet.
    fn new_calls(&mut self) -> usize {
        let snapshot = Arc::clone(&self.snapshots.borrow_and_update());
        let handled = self.handled;
        let mine = |call: &&LoggedCall| {
            let queues = self.config.queues.as_ref();
            call.index > handled
                && call.announce
                && queues.is_none_or(|queues| queues.contains(&call.queue))
        };
        let calls = snapshot.log.iter().filter(mine).count();
        self.handled = snapshot
            .log
            .last()
            .map_or(handled, |c| c.index.max(handled));
        calls
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::model::{BoardId, QueueId, QueueState, Source};
    use crate::patience::{PATIENCE, eventually};
    use crate::state::{Office, QueueSettings, Settings};
    use crate::wire::feed::FeedMessage;
    use embedded_hal::digital::{ErrorKind, ErrorType};
    use std::sync::mpsc;
    use std::time::Instant;

    /// A line that tells its levels.
    struct Pin(mpsc::Sender<bool>);

    impl ErrorType for Pin {
        type Error = ErrorKind;
    }

    impl OutputPin for Pin {
        fn set_low(&mut self) -> Result<(), ErrorKind> {
            let _ = self.0.send(false);
            Ok(())
        }
        fn set_high(&mut self) -> Result<(), ErrorKind> {
            let _ = self.0.send(true);
            Ok(())
        }
    }

    fn lamp(
        id: &BoardId,
        queues: Option<Vec<QueueId>>,
        snapshots: watch::Receiver<Arc<Snapshot>>,
        relays: &Relays,
        clock: &SystemClock,
    ) -> Lamp {
        Lamp {
            config: RelayConfig {
                id: id.clone(),
                gpio: 17,
                active_low: false,
                pulse: Duration::from_millis(50),
                min_gap: Duration::from_millis(50),
                queues,
                backend: crate::config::GpioBackend::Auto,
            },
            snapshots,
            relays: relays.clone(),
            clock: Arc::new(clock.clone()),
            handled: 0,
        }
    }

    fn message(office: &mut Office, queue: &str, seq: u64, calls: u64, clock: &SystemClock) {
        let now = clock.now();
        let at = now.wall;
        let calls: Vec<String> = (1..=calls)
            .rev()
            .map(|no| {
                format!(
                    r#"{{"no": {no}, "ticket": "A{no:03}", "counter": "3", "at": "{at}", "kind": "recall"}}"#
                )
            })
            .collect();
        let day = at.to_zoned(office.snapshot(now).zone).date();
        let text = format!(
            r#"{{"seq": {seq}, "at": "{at}", "day": "{day}", "status": "open", "waiting": 1,
                "on_hold": 0, "calls": [{}]}}"#,
            calls.join(",")
        );
        let message = FeedMessage::decode(text.as_bytes()).expect("message");
        let id = QueueId::new(queue).expect("id");
        office
            .apply(&id, QueueState::from(message), Source::Feed, now)
            .expect("accepted");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn calls_of_its_queues_close_it_once_each_after_the_line_came_back() {
        let clock = SystemClock::new();
        let queue = |id: &str| QueueSettings {
            id: QueueId::new(id).expect("id"),
            name: Default::default(),
            lane: Default::default(),
        };
        let mut office = Office::new(Settings::new(vec![queue("moving"), queue("koseki")]));
        let (sender, snapshots) = watch::channel(Arc::new(office.snapshot(clock.now())));
        let relays = Relays::default();
        let id = BoardId::new("lamp").expect("id");
        let queues = Some(vec![QueueId::new("moving").expect("id")]);
        let lamp = lamp(&id, queues, snapshots, &relays, &clock);
        let (levels, seen) = mpsc::channel();
        let stop = CancellationToken::new();
        let end = stop.clone();
        let thread = std::thread::spawn(move || {
            lamp.run(&end, || Ok(Pin(levels.clone())));
        });
        message(&mut office, "koseki", 1, 2, &clock);
        message(&mut office, "moving", 1, 2, &clock);
        sender.send_replace(Arc::new(office.snapshot(clock.now())));
        let begin = Instant::now();
        let level = || seen.recv_timeout(PATIENCE).expect("a level");
        assert!(!level(), "open at first");
        let levels: Vec<bool> = (0..4).map(|_| level()).collect();
        assert_eq!(levels, [true, false, true, false]);
        assert!(
            begin.elapsed() >= Duration::from_millis(150),
            "two pulses and a pause"
        );
        stop.cancel();
        thread.join().expect("ends");
        assert_eq!(
            seen.try_iter().collect::<Vec<_>>(),
            [false],
            "open at the end"
        );
        assert_eq!(relays.failed(&id), None);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_line_that_is_not_there_is_an_issue_and_holds_nobody_up() {
        let clock = SystemClock::new();
        let office = Office::new(Settings::new(vec![]));
        let (_sender, snapshots) = watch::channel(Arc::new(office.snapshot(clock.now())));
        let relays = Relays::default();
        let id = BoardId::new("lamp").expect("id");
        let lamp = lamp(&id, None, snapshots, &relays, &clock);
        let stop = CancellationToken::new();
        let end = stop.clone();
        let thread = std::thread::spawn(move || {
            lamp.run(&end, || Err::<Pin, _>("no such line".to_owned()));
        });
        eventually(PATIENCE, "the issue", || {
            relays.failed(&id).as_deref() == Some("no such line")
        })
        .await;
        stop.cancel();
        thread.join().expect("ends");
    }
}
