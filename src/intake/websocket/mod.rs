//! Text messages of a WebSocket.
//!
//! After each connection texts may be sent, such as a subscription, and an address with the whole state may
//! be read. A server that is silent is asked for a sign of life before the connection is given up.

mod link;
#[cfg(test)]
mod server;
#[cfg(test)]
mod tests;

pub(super) use link::{Incoming, Link};
#[cfg(test)]
pub(super) use server::{Step, WebSocketServer};

use super::http::{Access, HttpConfig, Poller, Session};
use super::{Detail, Fault, Outlet, retry};
use crate::backoff::Backoff;
use crate::config::Secret;
use crate::source::Seen;
use bytes::Bytes;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// A WebSocket to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSocketConfig {
    /// The server, and who asks. `Origin` is the server's own where no header says another.
    pub access: Access,
    /// Path with query.
    pub path: Secret,
    /// Texts that are sent after each connection.
    pub send: Vec<Secret>,
    /// A connection on which nothing comes for so long, not even the answer to a ping, is opened again.
    pub silent_after: Duration,
    /// The whole state, read after each connection.
    pub snapshot: Option<HttpConfig>,
}

/// Reads a WebSocket until it is stopped.
pub async fn run(config: WebSocketConfig, mut outlet: Outlet) {
    let mut reader = Reader {
        session: Session::new(&config.access),
        config,
    };
    reconnect(&mut reader, &mut outlet).await;
}

/// How a connection ended without a fault.
pub(super) enum End {
    /// The server closed it.
    Closed,
    /// The kind must end.
    Stopped,
}

/// What is read connection by connection.
pub(super) trait Connections {
    /// Reads one connection to its end; `alive` becomes true once the server proved to speak the
    /// protocol.
    async fn read(&mut self, outlet: &mut Outlet, alive: &mut bool) -> Result<End, Fault>;

    /// The server's name, for faults.
    fn server(&self) -> String;
}

/// Reads one connection after the other until the kind must end, with pauses between them.
pub(super) async fn reconnect(connections: &mut impl Connections, outlet: &mut Outlet) {
    let stop = outlet.stop();
    let mut backoff = retry::backoff();
    loop {
        let mut alive = false;
        let ended = tokio::select! {
            ended = connections.read(outlet, &mut alive) => ended,
            () = stop.cancelled() => return,
        };
        let place = connections.server();
        let Some(pause) = after(ended, alive, &place, &mut backoff, outlet) else {
            return;
        };
        if !outlet.pause(pause).await {
            return;
        }
    }
}

/// What follows the end of a connection that was `alive` or not: a pause, or nothing more.
fn after(
    ended: Result<End, Fault>,
    alive: bool,
    place: &str,
    backoff: &mut Backoff,
    outlet: &mut Outlet,
) -> Option<Duration> {
    if alive {
        backoff.reset();
    }
    match ended {
        Ok(End::Stopped) => return None,
        Ok(End::Closed) if alive => {}
        Ok(End::Closed) => outlet.fault(
            Fault::unreachable("the server closed the connection before its first message")
                .at(place),
        ),
        Err(fault) => outlet.fault(fault.at(place)),
    }
    Some(backoff.next(fastrand::f64()))
}

struct Reader {
    session: Session,
    config: WebSocketConfig,
}

impl Connections for Reader {
    /// Reads one connection to its end; `alive` becomes true when something came.
    async fn read(&mut self, outlet: &mut Outlet, alive: &mut bool) -> Result<End, Fault> {
        let mut link = Link::open(&mut self.session, &self.config.path).await?;
        for text in &self.config.send {
            link.send(text.reveal().to_owned()).await?;
        }
        outlet.contact();
        if let Some(snapshot) = &self.config.snapshot {
            // A new one each time, so that the state is handed on even if it is the same.
            let polled = Poller::new(snapshot).poll().await;
            let polled = polled.map_err(|f| f.at("the address of the whole state"))?;
            if let Some((payload, detail)) = polled
                && !outlet.hand_over(payload, Seen::Live, detail).await
            {
                return Ok(End::Stopped);
            }
        }
        let half = self.config.silent_after / 2;
        let mut heard = Instant::now();
        let mut asked = false;
        loop {
            let wake = heard + if asked { half * 2 } else { half };
            let next = tokio::select! {
                next = link.next() => next?,
                () = sleep_until(wake) => {
                    if asked {
                        return Err(silent(self.config.silent_after));
                    }
                    asked = true;
                    link.ping().await?;
                    continue;
                }
            };
            (heard, asked, *alive) = (Instant::now(), false, true);
            match next {
                Incoming::Closed => return Ok(End::Closed),
                Incoming::Alive => outlet.contact(),
                Incoming::Text(text) => {
                    let detail = Detail::Event {
                        name: "message".into(),
                    };
                    if !outlet
                        .hand_over(Bytes::from(text), Seen::Live, detail)
                        .await
                    {
                        return Ok(End::Stopped);
                    }
                }
            }
        }
    }

    fn server(&self) -> String {
        self.session.server()
    }
}

/// Nothing came for so long.
pub(super) fn silent(time: Duration) -> Fault {
    let seconds = time.as_secs_f32();
    Fault::silent(format!(
        "nothing for {seconds} s: expected a message or the answer to a ping"
    ))
}
