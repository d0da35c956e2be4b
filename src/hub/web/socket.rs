//! A connection that does not wait for ever for the other side.
//!
//! Two limits that HTTP libraries leave to the socket: a client that opens a connection and asks
//! nothing, and one that asks and then takes nothing of the answer. Both would hold their place
//! until somebody restarts something. Knows no HTTP.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::hub::stats::Stats;

/// A stream under the two limits. Gives up with [`io::ErrorKind::TimedOut`], and counts it.
pub(super) struct Patient<S> {
    inner: S,
    /// Runs until the first byte of an answer is written.
    opening: Option<Pin<Box<Sleep>>>,
    /// Runs while the other side takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    take_within: Duration,
    stats: Arc<Stats>,
}

impl<S> Patient<S> {
    /// Expects the first answer to begin within `begin_within`, and every later piece to be taken
    /// within `take_within`.
    pub(super) fn new(
        inner: S,
        begin_within: Duration,
        take_within: Duration,
        stats: Arc<Stats>,
    ) -> Self {
        Self {
            inner,
            opening: Some(Box::pin(sleep(begin_within))),
            stalled: None,
            take_within,
            stats,
        }
    }

    /// The result of a write: whoever takes something begins anew.
    fn written<T>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.opening = None;
            self.stalled = None;
            return result;
        }
        let limit = self.take_within;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(stalled.as_mut().poll(cx));
        self.stats.connections_stalled.inc();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.inner).poll_read(cx, buf);
        if result.is_pending()
            && let Some(opening) = &mut self.opening
        {
            ready!(opening.as_mut().poll(cx));
            self.stats.connections_silent.inc();
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.written(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.written(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
