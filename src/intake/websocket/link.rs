//! One WebSocket connection (RFC 6455), within limits.

use super::super::http::Session;
use super::super::{Fault, MAX_PAYLOAD};
use crate::config::Secret;
use crate::errors::plain;
use crate::http_client::Transport;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig as Limits;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// Buffers for reading and writing, in bytes.
const BUFFER: usize = 16 * 1024;

/// An open connection. Dropping it closes it.
pub(in crate::intake) struct Link {
    stream: WebSocketStream<Box<dyn Transport>>,
    limit: std::time::Duration,
}

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::intake) enum Incoming {
    /// A text message.
    Text(String),
    /// Something that is no message, or one of bytes: the connection lives.
    Alive,
    /// The server has closed.
    Closed,
}

impl Link {
    /// Opens a connection; logs in where that is needed.
    ///
    /// # Errors
    /// Why there is none.
    pub(in crate::intake) async fn open(
        session: &mut Session,
        path: &Secret,
    ) -> Result<Self, Fault> {
        let mut may_log_in = session.begin().await?;
        loop {
            let request = session.upgrade(path, &generate_key())?;
            let limit = session.access().timeout;
            let server = session.access().server.clone();
            let limits = Limits::default()
                .read_buffer_size(BUFFER)
                .write_buffer_size(0)
                .max_write_buffer_size(MAX_PAYLOAD + BUFFER)
                .max_message_size(Some(MAX_PAYLOAD))
                .max_frame_size(Some(MAX_PAYLOAD));
            let opened = timeout(limit, async {
                let stream = server.connect().await.map_err(Fault::unreachable)?;
                Ok(client_async_with_config(request, stream, Some(limits)).await)
            });
            let opened = opened.await.map_err(|_| session.too_slow())??;
            match opened {
                Ok((stream, _)) => return Ok(Self { stream, limit }),
                Err(Error::Http(answer))
                    if may_log_in && is_session_over(answer.status().as_u16()) =>
                {
                    may_log_in = false;
                    session.log_in().await?;
                }
                Err(error) => return Err(fault(&error)),
            }
        }
    }

    /// The next message. It may be dropped while it waits.
    ///
    /// # Errors
    /// Why the connection cannot be used any more.
    pub(in crate::intake) async fn next(&mut self) -> Result<Incoming, Fault> {
        match self.stream.next().await {
            Some(Ok(Message::Text(text))) => Ok(Incoming::Text(text.to_string())),
            Some(Ok(Message::Close(_)) | Err(Error::ConnectionClosed)) | None => {
                Ok(Incoming::Closed)
            }
            Some(Ok(_)) => Ok(Incoming::Alive),
            Some(Err(error)) => Err(fault(&error)),
        }
    }

    /// Sends a text.
    ///
    /// # Errors
    /// Why the connection cannot be used any more.
    pub(in crate::intake) async fn send(&mut self, text: String) -> Result<(), Fault> {
        self.write(Message::text(text)).await
    }

    /// Asks the server for a sign of life.
    ///
    /// # Errors
    /// Why the connection cannot be used any more.
    pub(in crate::intake) async fn ping(&mut self) -> Result<(), Fault> {
        self.write(Message::Ping(bytes::Bytes::new())).await
    }

    async fn write(&mut self, message: Message) -> Result<(), Fault> {
        let sent = timeout(self.limit, self.stream.send(message)).await;
        let limit = self.limit.as_secs_f32();
        let sent = sent.map_err(|_| Fault::silent(format!("takes no message within {limit} s")))?;
        sent.map_err(|e| fault(&e))
    }
}

/// Whether a status may mean that a session has ended.
fn is_session_over(status: u16) -> bool {
    matches!(status, 401 | 403 | 300..=399)
}

/// What is wrong; nothing of what the server wrote.
fn fault(error: &Error) -> Fault {
    match error {
        Error::Http(answer) => {
            let status = answer.status().as_u16();
            Fault::unreachable(format!("answered {status}: expected 101, a WebSocket"))
        }
        Error::Io(error) => Fault::unreachable(format!("the connection broke: {}", plain(error))),
        Error::Capacity(_) => {
            let most = MAX_PAYLOAD / 1024;
            Fault::unreadable(format!(
                "a message is too large: expected at most {most} KiB"
            ))
        }
        Error::Utf8(_) => Fault::unreadable("a message is not UTF-8 text"),
        _ => Fault::unreachable("not the WebSocket protocol: expected an address of a WebSocket"),
    }
}
