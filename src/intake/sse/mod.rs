//! Events that a server sends: `text/event-stream`, as browsers' `EventSource` reads it.
//!
//! After each connection an address with the whole state may be read, so that what happened in between is
//! not missed. The stream is opened first: what happens while the state is read waits in it.

mod parser;
#[cfg(test)]
mod tests;

use super::http::{Access, Expected, Session, document};
use super::{Detail, Fault, MAX_PAYLOAD, MIN_EVERY, Outlet, retry};
use crate::config::Secret;
use crate::http_client::next_chunk;
use crate::source::Seen;
use bytes::Bytes;
use parser::Parser;
use std::time::Duration;
use tokio::time::timeout;

/// Longest pause that a server can ask for.
const MAX_RETRY: Duration = Duration::from_secs(30);

/// A stream that sends so many bytes without an event is closed: it would never end.
const MAX_WITHOUT_EVENT: usize = 16 * MAX_PAYLOAD;

/// A stream to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SseConfig {
    /// The server, and who asks. Its time limit is that of the answer's head.
    pub access: Access,
    /// Path with query of the stream.
    pub path: Secret,
    /// Names of the events that are handed on; all where it is empty.
    pub events: Vec<String>,
    /// A stream in which nothing comes for so long, not even a comment, is opened again.
    pub silent_after: Duration,
    /// Path with query of the whole state and what it answers, on the same server.
    pub snapshot: Option<(Secret, Expected)>,
}

/// Reads a stream until it is stopped.
pub async fn run(config: SseConfig, mut outlet: Outlet) {
    let stop = outlet.stop();
    let mut stream = Stream {
        session: Session::new(&config.access),
        // The connection of the stream is never free.
        beside: Session::new(&config.access),
        parser: Parser::default(),
        config,
    };
    let mut backoff = retry::backoff();
    let mut first = true;
    loop {
        let mut alive = false;
        let ended = tokio::select! {
            ended = stream.read(&mut outlet, &mut alive) => ended,
            () = stop.cancelled() => return,
        };
        if alive {
            backoff.reset();
            first = true;
        }
        match ended {
            Ok(End::Stopped) => return,
            // Many servers, and what is between, close a connection from time to time.
            Ok(End::Closed) if alive => {}
            Ok(End::Closed) => outlet.fault(stream.at(Fault::unreachable(
                "the stream ended before its first event or comment",
            ))),
            Err(fault) => outlet.fault(stream.at(fault)),
        }
        // The server's own wish counts for the first attempt; counting goes on all the same.
        let pause = backoff.next(fastrand::f64());
        let wanted = stream.parser.retry.filter(|_| first);
        first = false;
        let pause = wanted.map_or(pause, |retry| retry.clamp(MIN_EVERY, MAX_RETRY));
        if !outlet.pause(pause).await {
            return;
        }
    }
}

/// How a stream ended without a fault.
enum End {
    /// The server closed it.
    Closed,
    /// The kind must end.
    Stopped,
}

struct Stream {
    session: Session,
    beside: Session,
    parser: Parser,
    config: SseConfig,
}

impl Stream {
    fn at(&self, fault: Fault) -> Fault {
        fault.at(&self.session.server())
    }

    /// Reads one connection to its end; `alive` becomes true when something came.
    async fn read(&mut self, outlet: &mut Outlet, alive: &mut bool) -> Result<End, Fault> {
        self.parser.begin();
        let mut headers = vec![("cache-control", "no-store".to_owned())];
        if let Ok(id) = String::from_utf8(self.parser.last_id.clone())
            && !id.is_empty()
        {
            headers.push(("last-event-id", id));
        }
        let answer = self
            .session
            .get(&self.config.path, &Expected::Events, headers)
            .await?;
        // Without conditions there is always an answer.
        let Some(mut answer) = answer else {
            return Ok(End::Closed);
        };
        outlet.contact();
        if let Some((path, expected)) = &self.config.snapshot {
            let state = self.beside.get(path, expected, Vec::new()).await;
            if let Some(state) = state.map_err(snapshot)? {
                let body = self
                    .beside
                    .body(state, MAX_PAYLOAD)
                    .await
                    .map_err(snapshot)?;
                let (payload, detail) = document(body, expected).map_err(snapshot)?;
                if !outlet.hand_over(payload, Seen::Live, detail).await {
                    return Ok(End::Stopped);
                }
            }
        }
        let mut without_event = 0;
        loop {
            let next = next_chunk(answer.response.body_mut());
            let next = timeout(self.config.silent_after, next).await;
            let Ok(next) = next else {
                let seconds = self.config.silent_after.as_secs_f32();
                return Err(Fault::silent(format!(
                    "nothing for {seconds} s: expected an event or a comment"
                )));
            };
            let Some(bytes) = next.map_err(Fault::unreachable)? else {
                return Ok(End::Closed);
            };
            *alive = true;
            without_event += bytes.len();
            let left_out = self.parser.left_out;
            for event in self.parser.push(&bytes) {
                without_event = 0;
                if !self.config.events.is_empty() && !self.config.events.contains(&event.name) {
                    continue;
                }
                let detail = Detail::Event { name: event.name };
                if !outlet
                    .hand_over(Bytes::from(event.data), Seen::Live, detail)
                    .await
                {
                    return Ok(End::Stopped);
                }
            }
            if without_event > MAX_WITHOUT_EVENT {
                let most = MAX_WITHOUT_EVENT / 1024 / 1024;
                return Err(Fault::unreadable(format!("{most} MiB without an event")));
            }
            if self.parser.left_out > left_out || self.parser.is_too_large() {
                let most = MAX_PAYLOAD / 1024;
                outlet.fault(self.at(Fault::unreadable(format!(
                    "an event is too large: expected at most {most} KiB"
                ))));
            } else {
                outlet.contact();
            }
        }
    }
}

fn snapshot(fault: Fault) -> Fault {
    fault.at("the address of the whole state")
}
