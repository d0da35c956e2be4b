//! The byte stream to a board. It records received bytes, so that replies can be reported.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_serial::SerialStream;

/// Bytes of an answer that are kept; whoever sends more is no board of digits.
pub(super) const MAX_RECEIVED: usize = 64;

/// A byte stream and the bytes received since the last request.
pub(super) struct Transport {
    pub(super) io: Io,
    /// At most [`MAX_RECEIVED`] bytes.
    pub(super) received: Vec<u8>,
}

/// Where the bytes come from and go to.
pub(super) enum Io {
    Serial(SerialStream),
    Tcp(TcpStream),
}

/// One end for us and one for the Modbus client; both are used by one thread, in turn.
#[derive(Clone)]
pub(super) struct SharedTransport(Arc<Mutex<Transport>>);

impl std::fmt::Debug for SharedTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedTransport")
    }
}

impl SharedTransport {
    pub(super) fn new(io: Io) -> Self {
        Self(Arc::new(Mutex::new(Transport {
            io,
            received: Vec::new(),
        })))
    }

    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Transport) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl AsyncRead for SharedTransport {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.with(|transport| {
            let before = buf.filled().len();
            let read = match &mut transport.io {
                Io::Serial(port) => Pin::new(port).poll_read(cx, buf),
                Io::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            };
            let room = MAX_RECEIVED.saturating_sub(transport.received.len());
            transport
                .received
                .extend(buf.filled()[before..].iter().take(room));
            read
        })
    }
}

impl AsyncWrite for SharedTransport {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.with(|transport| match &mut transport.io {
            Io::Serial(port) => Pin::new(port).poll_write(cx, bytes),
            Io::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
        })
    }

    /// Nothing is kept back here; `tcdrain` would wait without a limit.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
