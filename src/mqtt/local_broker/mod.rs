//! An in-process broker: sessions behave as at a real one, without a port or a network. For the demo,
//! and for tests of what uses a session.
//!
//! [`core`] has the rules; here its clients wait for events.

mod core;

use super::event::Event;
use super::fault::{ConnectionError, ConnectionErrorKind};
use super::outbox::{Publish, Qos};
use core::{ConnectionId, Core, SessionTakenOver};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Where the sessions of one process meet; cheap to clone. It ends with the last clone.
#[derive(Clone, Default)]
pub struct LocalBroker {
    /// Held for a look-up, never while waiting.
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    core: Core,
    wakers: HashMap<ConnectionId, Arc<Notify>>,
    /// Whether it was logged that messages find no room.
    drop_logged: bool,
}

impl fmt::Debug for LocalBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalBroker").finish_non_exhaustive()
    }
}

impl LocalBroker {
    /// A broker without clients.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Connects a client of this identifier; `window` messages may wait for its acknowledgement,
    /// and every `keep_alive` it gets a sign of life.
    pub(super) fn open(
        &self,
        client_id: &str,
        will: Option<Publish>,
        window: u16,
        keep_alive: Duration,
    ) -> (LocalClient, LocalEvents) {
        let waker = Arc::new(Notify::new());
        let id = self.with(|shared| {
            let id = shared.core.connect(client_id, will, usize::from(window));
            shared.wakers.insert(id, Arc::clone(&waker));
            id
        });
        let client = LocalClient {
            broker: self.clone(),
            id,
        };
        let events = LocalEvents {
            broker: self.clone(),
            id,
            waker,
            keep_alive,
        };
        (client, events)
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something, then wakes the clients that got events.
    fn with<T>(&self, act: impl FnOnce(&mut Shared) -> T) -> T {
        let mut shared = self.shared();
        let result = act(&mut shared);
        for id in shared.core.take_ready() {
            if let Some(waker) = shared.wakers.get(&id) {
                waker.notify_one();
            }
        }
        if shared.core.dropped() > 0 && !std::mem::replace(&mut shared.drop_logged, true) {
            tracing::warn!("the in-process broker drops messages for a client that reads none");
        }
        result
    }
}

/// A client's commands to the broker.
pub(super) struct LocalClient {
    broker: LocalBroker,
    id: ConnectionId,
}

impl LocalClient {
    pub(super) fn publish(&self, publish: &Publish) {
        let publish = publish.clone();
        self.broker
            .with(|shared| shared.core.publish(self.id, publish));
    }

    pub(super) fn subscribe(&self, filter: &str, qos: Qos) {
        self.broker
            .with(|shared| shared.core.subscribe(self.id, filter, qos));
    }

    pub(super) fn acknowledge(&self, pkid: u16) {
        self.broker
            .with(|shared| shared.core.acknowledge(self.id, pkid));
    }

    pub(super) fn disconnect(&self) {
        self.broker.with(|shared| shared.core.disconnect(self.id));
    }
}

/// A client's events. The client disconnects when this is dropped.
pub(super) struct LocalEvents {
    broker: LocalBroker,
    id: ConnectionId,
    waker: Arc<Notify>,
    keep_alive: Duration,
}

impl LocalEvents {
    /// The next thing that happens, or a sign of life.
    pub(super) async fn poll(&mut self) -> Result<Event, ConnectionError> {
        loop {
            let next = self.broker.shared().core.next(self.id);
            if let Some(event) = next.map_err(|SessionTakenOver| taken_over())? {
                return Ok(event);
            }
            // A broker answers pings; the in-process broker is always there.
            if tokio::time::timeout(self.keep_alive, self.waker.notified())
                .await
                .is_err()
            {
                return Ok(Event::OtherPacket);
            }
        }
    }
}

impl Drop for LocalEvents {
    fn drop(&mut self) {
        self.broker.with(|shared| {
            shared.wakers.remove(&self.id);
            shared.core.remove(self.id);
        });
    }
}

fn taken_over() -> ConnectionError {
    ConnectionError::new(
        ConnectionErrorKind::Network,
        "another client came with this identifier",
    )
}
