//! An exchange of messages within the process: sessions at it behave as at a broker, and there is
//! no broker, no port and no network. For the demo, and for tests of what stands behind a session.
//!
//! [`core`] has the rules; here its clients wait for what they have to hear.

mod core;

use super::fault::{LineError, LineErrorKind};
use super::options::{Availability, SessionOptions};
use super::outbox::{Publish, Qos};
use super::wire::Event;
use core::{Core, Replaced, Seat};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Where the sessions of one process meet; cheap to clone. It ends with the last clone.
#[derive(Clone, Default)]
pub struct Exchange {
    /// Held for a look-up, never while waiting.
    desk: Arc<Mutex<Desk>>,
}

#[derive(Default)]
struct Desk {
    core: Core,
    bells: HashMap<Seat, Arc<Notify>>,
    /// Whether it was said that messages find no room.
    overflowed: bool,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").finish_non_exhaustive()
    }
}

impl Exchange {
    /// An exchange without clients.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a client in.
    pub(super) fn open(&self, options: &SessionOptions) -> (Asking, Listening) {
        let will = options.availability.clone().map(|availability| {
            let Availability { topic, offline, .. } = availability;
            Publish::retained(topic, offline)
        });
        let bell = Arc::new(Notify::new());
        let window = usize::from(options.receive_maximum);
        let seat = self.with(|desk| {
            let seat = desk.core.connect(&options.client_id, will, window);
            desk.bells.insert(seat, Arc::clone(&bell));
            seat
        });
        let asking = Asking {
            exchange: self.clone(),
            seat,
        };
        let listening = Listening {
            exchange: self.clone(),
            seat,
            bell,
            keep_alive: options.broker.keep_alive,
        };
        (asking, listening)
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something, and rings for those who have something to hear then.
    fn with<T>(&self, act: impl FnOnce(&mut Desk) -> T) -> T {
        let mut desk = self.desk();
        let result = act(&mut desk);
        for seat in desk.core.take_woken() {
            if let Some(bell) = desk.bells.get(&seat) {
                bell.notify_one();
            }
        }
        if desk.core.dropped() > 0 && !std::mem::replace(&mut desk.overflowed, true) {
            tracing::warn!("the exchange drops messages for a client that takes none");
        }
        result
    }
}

/// What a client asks of the exchange.
pub(super) struct Asking {
    exchange: Exchange,
    seat: Seat,
}

impl Asking {
    pub(super) fn publish(&self, publish: &Publish) {
        let publish = publish.clone();
        self.exchange
            .with(|desk| desk.core.publish(self.seat, publish));
    }

    pub(super) fn subscribe(&self, filter: &str, qos: Qos) {
        self.exchange
            .with(|desk| desk.core.subscribe(self.seat, filter, qos));
    }

    pub(super) fn acknowledge(&self, pkid: u16) {
        self.exchange
            .with(|desk| desk.core.acknowledge(self.seat, pkid));
    }

    pub(super) fn disconnect(&self) {
        self.exchange.with(|desk| desk.core.disconnect(self.seat));
    }
}

/// What a client hears from the exchange. The client is gone with it.
pub(super) struct Listening {
    exchange: Exchange,
    seat: Seat,
    bell: Arc<Notify>,
    keep_alive: Duration,
}

impl Listening {
    /// The next thing that happens, or a sign of life.
    pub(super) async fn poll(&mut self) -> Result<Event, LineError> {
        loop {
            let next = self.exchange.desk().core.next(self.seat);
            if let Some(event) = next.map_err(|Replaced| replaced())? {
                return Ok(event);
            }
            // A broker answers pings; that the exchange is there needs no question.
            if tokio::time::timeout(self.keep_alive, self.bell.notified())
                .await
                .is_err()
            {
                return Ok(Event::Heard);
            }
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.exchange.with(|desk| {
            desk.bells.remove(&self.seat);
            desk.core.leave(self.seat);
        });
    }
}

fn replaced() -> LineError {
    LineError::new(
        LineErrorKind::Network,
        "another client came with this identifier",
    )
}
