//! Sockets: accepts, bounds, and ends in order.
//!
//! HTTP/1.1 only. Browsers speak HTTP/2 to the proxy that does TLS; here it would add ways to hold
//! a place without asking for anything.

mod timeout_stream;

use crate::hub::core::Hub;
use crate::hub::web::events::{StreamHandoff, Viewer, head, serve_stream};
use crate::hub::web::router::router;
use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::http::{Method, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::future::{Future as _, pending, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;
use timeout_stream::TimeoutStream;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Largest head of a request, in bytes: addresses and cookies of honest browsers stay far below.
const HEAD_BYTES: usize = 16 * 1024;

/// What the kernel keeps of an answer that the client does not read, in bytes (it doubles this for
/// its own books). Enough for 300 kB/s over a line of 100 ms, and for any proxy in the same
/// building; without it the kernel lets each slow viewer hold up to 4 MB.
const SEND_BUFFER: u32 = 16 * 1024;

/// Connections that wait to be accepted: a burst after an outage, all viewers at once.
const BACKLOG: u32 = 4_096;

/// Open requests may take this long after shutdown; streams end by themselves at once.
const DRAIN: Duration = Duration::from_secs(1);

/// After a failed accept (no file descriptors left), others get time to close theirs.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Limits on clients: how many, and how slow.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Connections at a time; others wait to be accepted.
    pub connections: usize,
    /// A request's head must arrive within this, from the opening of the connection or the end of
    /// the answer before: silent and slow senders must not fill the connections.
    pub head_timeout: Duration,
    /// Each write of an answer must make progress within this; slower clients are disconnected, and
    /// may reconnect.
    pub write_timeout: Duration,
}

impl Bounds {
    /// The usual limits for so many connections.
    #[must_use]
    pub fn new(connections: usize) -> Self {
        Self {
            connections,
            head_timeout: Duration::from_secs(10),
            // A third of what the kernel keeps in a minute: 180 bytes a second.
            write_timeout: Duration::from_secs(60),
        }
    }
}

/// Binds an address for [`serve`], with bounds on what the kernel keeps for each connection.
///
/// # Errors
/// When the address is in use, or not of this machine.
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
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(bounds.head_timeout)
        .max_buf_size(HEAD_BYTES);
    let server = Arc::new(Server {
        router: TowerToHyperService::new(router(Arc::clone(&hub))),
        hub,
        http,
        write_timeout: bounds.write_timeout,
        tasks: TaskTracker::new(),
        shutdown,
    });
    let seats = Arc::new(Semaphore::new(
        bounds.connections.min(Semaphore::MAX_PERMITS),
    ));
    loop {
        let accepted = tokio::select! {
            () = server.shutdown.cancelled() => break,
            accepted = async {
                let seat = Arc::clone(&seats).acquire_owned().await.ok()?;
                Some((listener.accept().await, seat))
            } => accepted,
        };
        let (stream, seat) = match accepted {
            Some((Ok((stream, _)), seat)) => (stream, seat),
            Some((Err(error), _)) => {
                tracing::debug!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
            None => break,
        };
        let _ = stream.set_nodelay(true); // events are small and must not wait for more
        server
            .tasks
            .spawn(Arc::clone(&server).receive(stream, seat));
    }
    drop(listener);
    server.hub.live.close();
    server.tasks.close();
    let _ = tokio::time::timeout(DRAIN, server.tasks.wait()).await;
}

/// What all connections share.
struct Server {
    hub: Arc<Hub>,
    router: TowerToHyperService<Router>,
    http: http1::Builder,
    write_timeout: Duration,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

/// The head of an answer, and the viewer whose events are its body.
type DetachedStream = (Vec<u8>, Viewer);

impl Server {
    /// Answers the requests of a connection, until it closes or becomes an event stream.
    async fn receive(self: Arc<Self>, stream: TcpStream, seat: OwnedSemaphorePermit) {
        let stream = TimeoutStream::new(stream, self.write_timeout, Arc::clone(&self.hub.stats));
        let detached = Arc::new(Mutex::new(None::<DetachedStream>));
        let service = service_fn(|request| self.answer(request, Arc::clone(&detached)));
        let mut connection = self.http.serve_connection(TokioIo::new(stream), service);
        let mut stopped = pin!(self.shutdown.cancelled());
        let mut stopping = false;
        let viewer = poll_fn(|cx| {
            if !stopping && stopped.as_mut().poll(cx).is_ready() {
                stopping = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
            let ended = Pin::new(&mut connection).poll(cx);
            let detached = detached
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            match (detached, ended) {
                (Some(detached), _) => Poll::Ready(Ok(Some(detached))),
                (None, ended) => ended.map_ok(|()| None),
            }
        })
        .await;
        match viewer {
            Ok(Some((head, viewer))) => {
                let stream = connection.into_parts().io.into_inner().into_inner();
                let stats = Arc::clone(&self.hub.stats);
                let serve = serve_stream(stream, head, viewer, self.write_timeout, stats);
                // In a task of its own, so that nothing of this one is kept for hours.
                self.tasks.spawn(async move {
                    serve.await;
                    drop(seat);
                });
            }
            Ok(None) => {}
            Err(error) => {
                if error.is_timeout() {
                    self.hub.stats.connections_idle_closed.inc();
                }
                tracing::trace!(%error, "connection closed early");
            }
        }
    }

    /// Answers one request. One that is answered by events leaves them in `detached` and never
    /// comes to its end here.
    async fn answer(
        &self,
        request: Request<Incoming>,
        detached: Arc<Mutex<Option<DetachedStream>>>,
    ) -> Result<Response<Body>, Infallible> {
        let takes = request.method() == Method::GET && request.body().is_end_stream();
        let mut answer = self.router.call(request).await?;
        let handoff = answer.extensions_mut().remove::<StreamHandoff>();
        if takes && let Some(viewer) = handoff.and_then(|h| h.take()) {
            let head = head(&answer, self.hub.clock.now().wall);
            *detached.lock().unwrap_or_else(PoisonError::into_inner) = Some((head, viewer));
            return pending().await;
        }
        Ok(answer)
    }
}
