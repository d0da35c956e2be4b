//! Sockets: accepts, bounds, and ends in order.

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// A request's head must arrive within this: slow senders must not fill the connections.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// Largest head of a request, in bytes: addresses and cookies of honest browsers stay far below.
const HEAD_BYTES: usize = 16 * 1024;

/// Open requests may take this long after shutdown; streams end by themselves at once.
const DRAIN: Duration = Duration::from_secs(1);

/// After a failed accept (no file descriptors left), others get time to close theirs.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves a router until `shutdown`, at most `max_connections` at a time; others wait to be
/// accepted.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    max_connections: usize,
    shutdown: CancellationToken,
) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX))
        .keep_alive_interval(Some(Duration::from_secs(30)));
    let seats = Arc::new(Semaphore::new(max_connections.min(Semaphore::MAX_PERMITS)));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = async {
                let seat = Arc::clone(&seats).acquire_owned().await.ok()?;
                Some((listener.accept().await, seat))
            } => accepted,
        };
        let (stream, seat) = match accepted {
            Some((Ok((stream, _)), seat)) => (stream, seat),
            Some((Err(error), _)) => {
                tracing::debug!(%error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
            None => break,
        };
        let _ = stream.set_nodelay(true); // events are small and must not wait for more
        let service = TowerToHyperService::new(router.clone());
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection.into_owned());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::trace!(error, "a connection ended early");
            }
            drop(seat);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(DRAIN, graceful.shutdown()).await;
}
