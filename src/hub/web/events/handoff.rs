//! A stream of events that has taken its connection over from HTTP.
//!
//! Once its head is sent, an endless answer needs nothing that an HTTP library keeps: no buffer for
//! the next request, no encoder, no state of a parser. So the connection is taken out of the
//! library and goes on as a socket and a [`Viewer`], which is what lets one hub hold tens of
//! thousands. The answer ends with the connection (RFC 9112, section 6.3, the last case), as
//! HTTP/1.0 proxies such as nginx expect too.

use super::viewer::Viewer;
use crate::hub::stats::Stats;
use axum::body::Body;
use axum::http::{Response, header};
use bytes::Bytes;
use futures_util::stream;
use jiff::fmt::rfc2822::DateTimePrinter;
use std::convert::Infallible;
use std::future::Future as _;
use std::io::{self, ErrorKind};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio::io::ReadBuf;
use tokio::net::TcpStream;

/// Hands a viewer from a route to the server, in the extensions of the answer. If the server does
/// not take it, its events are the answer's body.
#[derive(Clone)]
pub(crate) struct StreamHandoff(Arc<Mutex<Option<Viewer>>>);

impl StreamHandoff {
    /// An answer that is a stream of events.
    pub(crate) fn answer(viewer: Viewer) -> Response<Body> {
        let handoff = Self(Arc::new(Mutex::new(Some(viewer))));
        let from = handoff.clone();
        let events = stream::unfold(None, move |viewer: Option<Viewer>| {
            let from = from.clone();
            async move {
                let mut viewer = match viewer {
                    Some(viewer) => viewer,
                    None => from.take()?,
                };
                let bytes = viewer.next().await?;
                Some((Ok::<Bytes, Infallible>(bytes), Some(viewer)))
            }
        });
        let mut answer = Response::new(Body::from_stream(events));
        answer.extensions_mut().insert(handoff);
        answer
    }

    /// Takes the viewer of an answer, once.
    pub(crate) fn take(&self) -> Option<Viewer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The head of an answer that ends with its connection, as bytes.
pub(crate) fn head<B>(answer: &Response<B>, now: jiff::Timestamp) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {}\r\n", answer.status()).into_bytes();
    for (name, value) in answer.headers() {
        line(&mut head, name.as_str(), value.as_bytes());
    }
    // RFC 9110, section 6.6.1: a server with a clock sends the date.
    if let Ok(now) = DateTimePrinter::new().timestamp_to_rfc9110_string(&now) {
        line(&mut head, header::DATE.as_str(), now.as_bytes());
    }
    line(&mut head, header::CONNECTION.as_str(), b"close");
    head.extend_from_slice(b"\r\n");
    head
}

fn line(head: &mut Vec<u8>, name: &str, value: &[u8]) {
    head.extend_from_slice(name.as_bytes());
    head.extend_from_slice(b": ");
    head.extend_from_slice(value);
    head.extend_from_slice(b"\r\n");
}

/// Sends a viewer its events until it disconnects, stops reading, or the stream ends.
pub(crate) async fn serve_stream(
    socket: TcpStream,
    head: Vec<u8>,
    mut viewer: Viewer,
    write_timeout: Duration,
    stats: Arc<Stats>,
) {
    let mut open = write(&socket, &head, write_timeout, &stats).await;
    drop(head);
    // Whether the other side may have closed; a client that sends more is not looked at again.
    let mut listens = true;
    while open.is_ok() {
        let event = {
            let mut next = pin!(viewer.next());
            std::future::poll_fn(|cx| {
                if let Poll::Ready(event) = next.as_mut().poll(cx) {
                    return Poll::Ready(event);
                }
                let mut byte = [0];
                let peeked = listens.then(|| socket.poll_peek(cx, &mut ReadBuf::new(&mut byte)));
                match peeked {
                    None | Some(Poll::Pending) => {}
                    Some(Poll::Ready(Ok(1..))) => listens = false,
                    Some(Poll::Ready(Ok(0) | Err(_))) => return Poll::Ready(None),
                }
                Poll::Pending
            })
            .await
        };
        let Some(event) = event else { return };
        open = write(&socket, &event, write_timeout, &stats).await;
    }
}

/// Writes all bytes; a client that reads none for `write_timeout` is given up and counted.
async fn write(
    socket: &TcpStream,
    mut bytes: &[u8],
    write_timeout: Duration,
    stats: &Stats,
) -> io::Result<()> {
    while !bytes.is_empty() {
        match socket.try_write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(n) => bytes = bytes.get(n..).unwrap_or_default(),
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                // Few are slow; the others' tasks need no room for a clock.
                let room = Box::pin(tokio::time::timeout(write_timeout, socket.writable()));
                let Ok(room) = room.await else {
                    stats.connections_write_timeout.inc();
                    return Err(ErrorKind::TimedOut.into());
                };
                room?;
            }
            Err(e) => return Err(e),
        }
    }
    Ok(())
}
