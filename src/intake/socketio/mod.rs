//! Events of Socket.IO (protocol 5 on Engine.IO 4, over a WebSocket).
//!
//! An event brings its arguments, or is a nudge only: then an address is asked for the state, at once after
//! each connection, at each event and now and then.

mod packet;
#[cfg(test)]
mod tests;

use super::http::{Access, HttpConfig, Poller, Session};
use super::websocket::{Connections, End, Incoming, Link, reconnect, silent};
use super::{Detail, Fault, MIN_EVERY, Outlet};
use crate::config::Secret;
use crate::source::Seen;
use bytes::Bytes;
use packet::Packet;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Between two requests for the state, however many events come.
const BETWEEN: Duration = Duration::from_millis(100);

/// How long a server may take to open the connection and the namespace.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// A Socket.IO server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketIoConfig {
    /// The server, and who asks. `Origin` is the server's own where no header says another.
    pub access: Access,
    /// Path, such as `/socket.io/`, without the query that the protocol needs.
    pub path: Secret,
    /// Namespace: `/` unless the server has others.
    pub namespace: String,
    /// Events that are sent after each connection: JSON lists that begin with a name.
    pub emit: Vec<Secret>,
    /// Names of the events that are looked at.
    pub on: Vec<String>,
    /// The address that is asked at each event; `None` hands on the event's arguments instead: the first one
    /// where there is one only, else a list.
    pub fetch: Option<HttpConfig>,
}

/// Reads a server's events until it is stopped.
pub async fn run(config: SocketIoConfig, mut outlet: Outlet) {
    let mut reader = Reader {
        session: Session::new(&config.access),
        poller: config.fetch.as_ref().map(Poller::new),
        config,
    };
    reconnect(&mut reader, &mut outlet).await;
}

struct Reader {
    session: Session,
    poller: Option<Poller>,
    config: SocketIoConfig,
}

/// A time that is never reached in practice.
const NEVER: Duration = Duration::from_hours(24 * 365);

impl Connections for Reader {
    /// Reads one connection to its end; `alive` becomes true when the namespace was opened.
    async fn read(&mut self, outlet: &mut Outlet, alive: &mut bool) -> Result<End, Fault> {
        let path = format!("{}?EIO=4&transport=websocket", self.config.path.reveal());
        let mut link = Link::open(&mut self.session, &Secret::new(path)).await?;
        let mut silent_after = HANDSHAKE;
        let mut heard = Instant::now();
        let mut fetched = heard;
        let mut due = heard + NEVER;
        loop {
            let next = tokio::select! {
                next = link.next() => next?,
                () = sleep_until(heard + silent_after) => return Err(silent(silent_after)),
                () = sleep_until(due) => {
                    due = self.next_fetch();
                    fetched = Instant::now();
                    if !self.fetch(outlet).await? {
                        return Ok(End::Stopped);
                    }
                    continue;
                }
            };
            heard = Instant::now();
            let text = match next {
                Incoming::Closed => return Ok(End::Closed),
                Incoming::Alive => continue,
                Incoming::Text(text) => text,
            };
            let packet = packet::parse(&text, &self.config.namespace).ok_or_else(|| {
                Fault::unreadable("not the Socket.IO protocol: expected Engine.IO 4")
            })?;
            match packet {
                Packet::Open {
                    silent_after: after,
                } => {
                    silent_after = after;
                    link.send(packet::connect(&self.config.namespace)).await?;
                }
                Packet::Ping => {
                    link.send("3".into()).await?;
                    if *alive {
                        outlet.contact();
                    }
                }
                Packet::Close => return Ok(End::Closed),
                Packet::Rejected => {
                    return Err(Fault::unreachable(
                        "the namespace rejects the connection: expected other credentials or another namespace",
                    ));
                }
                Packet::Connected => {
                    *alive = true;
                    for event in &self.config.emit {
                        link.send(packet::emit(&self.config.namespace, event.reveal()))
                            .await?;
                    }
                    outlet.contact();
                    if self.poller.is_some() {
                        due = heard;
                    }
                }
                Packet::Event { name, arguments } if self.config.on.contains(&name) => {
                    if self.poller.is_some() {
                        due = due.min(heard.max(fetched + BETWEEN));
                        continue;
                    }
                    let payload = payload(arguments);
                    let detail = Detail::Event { name };
                    if !outlet.hand_over(payload, Seen::Live, detail).await {
                        return Ok(End::Stopped);
                    }
                }
                Packet::Event { .. } | Packet::Other => {}
            }
        }
    }

    fn server(&self) -> String {
        self.session.server()
    }
}

impl Reader {
    fn next_fetch(&self) -> Instant {
        let every = self
            .config
            .fetch
            .as_ref()
            .map_or(NEVER, |f| f.every.max(MIN_EVERY));
        Instant::now() + every
    }

    /// Asks for the state; `false` when the kind must end.
    async fn fetch(&mut self, outlet: &mut Outlet) -> Result<bool, Fault> {
        let Some(poller) = &mut self.poller else {
            return Ok(true);
        };
        let polled = poller.poll().await;
        match polled.map_err(|f| f.at("the address of the state"))? {
            Some((payload, detail)) => Ok(outlet.hand_over(payload, Seen::Live, detail).await),
            None => {
                outlet.contact();
                Ok(true)
            }
        }
    }
}

/// The arguments of an event as JSON.
fn payload(mut arguments: Vec<serde_json::Value>) -> Bytes {
    let value = match arguments.len() {
        1 => arguments.remove(0),
        _ => serde_json::Value::Array(arguments),
    };
    Bytes::from(value.to_string())
}
