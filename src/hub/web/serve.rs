//! Sockets: accepts, bounds, and ends in order.
//!
//! HTTP/1.1 only. Browsers speak HTTP/2 to the proxy that does TLS; here it would add ways to hold
//! a place without asking for anything.

use super::socket::Patient;
use crate::hub::Hub;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Largest head of a request, in bytes: addresses and cookies of honest browsers stay far below.
const HEAD_BYTES: usize = 16 * 1024;

/// What the kernel keeps of an answer that is not taken, in bytes (it doubles this for its own
/// books). Enough for 300 kB/s over a line of 100 ms, and for any proxy in the same house; without
/// it the kernel lets each slow viewer hold up to 4 MB.
const SEND_BUFFER: u32 = 16 * 1024;

/// Connections that wait to be accepted: a burst after an outage, all viewers at once.
const BACKLOG: u32 = 4_096;

/// Open requests may take this long after shutdown; streams end by themselves at once.
const DRAIN: Duration = Duration::from_secs(1);

/// After a failed accept (no file descriptors left), others get time to close theirs.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long and how many clients are waited for.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Connections at a time; others wait to be accepted.
    pub connections: usize,
    /// A request's head must arrive within this, from the opening of the connection or the end of
    /// the answer before: silent and slow senders must not fill the connections.
    pub head_within: Duration,
    /// Some of an answer must be taken within this; slower readers are cut off, and may come back.
    pub take_within: Duration,
}

impl Bounds {
    /// The usual patience with so many connections.
    #[must_use]
    pub fn new(connections: usize) -> Self {
        Self {
            connections,
            head_within: Duration::from_secs(10),
            // A third of what the kernel keeps in a minute: 180 bytes a second.
            take_within: Duration::from_secs(60),
        }
    }
}

/// Binds an address for [`serve`], with bounds on what the kernel keeps for each connection.
///
/// # Errors
/// When the address is taken, or not ours.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?; // what is accepted inherits it
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves a hub until `shutdown`.
pub async fn serve(
    listener: TcpListener,
    hub: Arc<Hub>,
    bounds: Bounds,
    shutdown: CancellationToken,
) {
    let stats = Arc::clone(&hub.stats);
    let router = super::router(hub);
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head_within)
        .max_buf_size(HEAD_BYTES);
    let seats = Arc::new(Semaphore::new(
        bounds.connections.min(Semaphore::MAX_PERMITS),
    ));
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
        let stats = Arc::clone(&stats);
        let stream = Patient::new(stream, bounds.take_within, Arc::clone(&stats));
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                if error.is_timeout() {
                    stats.connections_silent.inc();
                }
                tracing::trace!(%error, "a connection ended early");
            }
            drop(seat);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(DRAIN, graceful.shutdown()).await;
}
