//! The bytes of a line, with those that came kept for whoever asks what was answered.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_serial::SerialStream;

/// Bytes of an answer that are kept; whoever sends more is no board of digits.
pub(super) const HEARD_MOST: usize = 64;

/// What comes in and goes out, and the bytes that came since somebody last asked.
pub(super) struct Wire {
    pub(super) io: Io,
    /// At most [`HEARD_MOST`] bytes.
    pub(super) heard: Vec<u8>,
}

/// Where the bytes come from and go to.
pub(super) enum Io {
    Serial(SerialStream),
    Tcp(TcpStream),
}

/// One end for us and one for the Modbus client; both are used by one thread, in turn.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<Wire>>);

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

impl Shared {
    pub(super) fn new(io: Io) -> Self {
        Self(Arc::new(Mutex::new(Wire {
            io,
            heard: Vec::new(),
        })))
    }

    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Wire) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl AsyncRead for Shared {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.with(|wire| {
            let before = buf.filled().len();
            let read = match &mut wire.io {
                Io::Serial(port) => Pin::new(port).poll_read(cx, buf),
                Io::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            };
            let room = HEARD_MOST.saturating_sub(wire.heard.len());
            wire.heard.extend(buf.filled()[before..].iter().take(room));
            read
        })
    }
}

impl AsyncWrite for Shared {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.with(|wire| match &mut wire.io {
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
