//! Connections that follow the events.

use super::figures::Figures;
use anyhow::{Context as _, bail};
use futures_util::future::try_join_all;
use memchr::memmem;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use url::{Host, Position, Url};

/// Connections opened at a time: less than servers let wait.
const AT_ONCE: usize = 200;

/// A viewer must be greeted within this.
const GREETED_WITHIN: Duration = Duration::from_secs(20);

/// A marker is a letter and so many digits.
const DIGITS: usize = 7;

/// How a call is found in the bytes of an event, as the label of its ticket.
pub(super) fn marker(no: usize) -> String {
    format!("L{no:0DIGITS$}")
}

/// The number of the newest call in some bytes.
fn newest(finder: &memmem::Finder<'_>, bytes: &[u8]) -> Option<usize> {
    let numbers = finder.find_iter(bytes).filter_map(|at| {
        let digits = bytes.get(at + 2..at + 2 + DIGITS)?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    });
    numbers.max()
}

const EXPECTED: &str = "expected http://HOST[:PORT]/PATH, without user and password";

/// Takes the address of a server of events as typed.
///
/// # Errors
/// When it is none; it may hold a password, so it is not repeated.
pub fn url(typed: &str) -> anyhow::Result<Url> {
    let url = Url::parse(typed).ok().filter(|url| {
        let named = !url.username().is_empty() || url.password().is_some();
        url.scheme() == "http" && url.has_host() && !named
    });
    url.with_context(|| format!("not an address: {EXPECTED}"))
}

/// The address behind a URL, and what to call the host.
pub(super) async fn address(url: &Url) -> anyhow::Result<(SocketAddr, String)> {
    let port = url.port_or_known_default().unwrap_or(80);
    let (host, ip) = match url.host() {
        Some(Host::Ipv4(ip)) => (ip.to_string(), Some(ip.into())),
        Some(Host::Ipv6(ip)) => (format!("[{ip}]"), Some(ip.into())),
        Some(Host::Domain(name)) => (name.to_owned(), None),
        None => bail!("no host: {EXPECTED}"),
    };
    let address = match ip {
        Some(ip) => SocketAddr::new(ip, port),
        None => tokio::net::lookup_host((host.as_str(), port))
            .await?
            .next()
            .with_context(|| format!("{host} has no address"))?,
    };
    Ok((address, format!("{host}:{port}")))
}

/// Viewers who are connected.
pub(super) struct Viewers {
    lost: Arc<AtomicUsize>,
    /// Held so that they end with it.
    #[allow(dead_code)]
    tasks: JoinSet<()>,
}

impl Viewers {
    /// Connects them, each greeted by the server.
    pub(super) async fn open(
        url: &Url,
        count: usize,
        figures: &Arc<Figures>,
    ) -> anyhow::Result<Self> {
        let (address, host) = address(url).await?;
        let path = &url[Position::BeforePath..Position::AfterQuery];
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: {host}\r\naccept: text/event-stream\r\n\r\n");
        let lost = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        while tasks.len() < count {
            let some = (count - tasks.len()).min(AT_ONCE);
            let greeted = (0..some).map(|_| timeout(GREETED_WITHIN, greeted(address, &request)));
            for viewer in try_join_all(greeted)
                .await
                .context("a viewer received no answer within 20 s")?
            {
                let (viewer, figures) = (viewer?, Arc::clone(figures));
                let lost = Arc::clone(&lost);
                tasks.spawn(async move {
                    viewer.follow(&figures).await;
                    lost.fetch_add(1, Ordering::Relaxed);
                });
            }
        }
        Ok(Self { lost, tasks })
    }

    /// How many connections ended.
    pub(super) fn lost(&self) -> usize {
        self.lost.load(Ordering::Relaxed)
    }
}

struct Viewer {
    stream: TcpStream,
    /// The newest call it has.
    newest: usize,
    /// The end of what was read, in which a marker may begin.
    tail: ([u8; DIGITS + 1], usize),
}

/// Connects one viewer and reads the beginning of the answer.
async fn greeted(address: SocketAddr, request: &str) -> anyhow::Result<Viewer> {
    let mut stream = TcpStream::connect(address)
        .await
        .with_context(|| format!("cannot connect to {address}"))?;
    stream.write_all(request.as_bytes()).await?;
    let viewer = Viewer {
        stream,
        newest: 0,
        tail: ([0; DIGITS + 1], 0),
    };
    viewer.stream.readable().await?;
    let mut first = [0; 12];
    let n = viewer.stream.peek(&mut first).await?;
    let first = first.get(..n).unwrap_or_default();
    if !b"HTTP/1.1 200".starts_with(first) && !first.starts_with(b"HTTP/1.1 200") {
        bail!(
            "a viewer received the answer {:?}",
            String::from_utf8_lossy(first)
        );
    }
    Ok(viewer)
}

impl Viewer {
    /// Reads until the connection ends.
    async fn follow(mut self, figures: &Figures) {
        let finder = memmem::Finder::new(b"\"L");
        while self.stream.readable().await.is_ok() {
            if !self.read(&finder, figures) {
                return;
            }
        }
    }

    /// Reads what is there, into memory that no viewer keeps; whether there may be more.
    fn read(&mut self, finder: &memmem::Finder<'_>, figures: &Figures) -> bool {
        let mut bytes = [0; 8 * 1024];
        loop {
            let (tail, kept) = self.tail;
            let Some((front, room)) = bytes.split_at_mut_checked(kept) else {
                return false;
            };
            front.copy_from_slice(tail.get(..kept).unwrap_or_default());
            let n = match self.stream.try_read(room) {
                Ok(0) => return false,
                Ok(n) => n,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return true,
                Err(_) => return false,
            };
            let read = bytes.get(..kept + n).unwrap_or_default();
            if let Some(no) = newest(finder, read)
                && no > self.newest
            {
                figures.heard(self.newest, no);
                self.newest = no;
            }
            // A marker that is cut ends in the next piece.
            let keep = read.len().min(DIGITS + 1);
            if let Some(end) = read.get(read.len() - keep..) {
                let mut tail = [0; DIGITS + 1];
                tail[..keep].copy_from_slice(end);
                self.tail = (tail, keep);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_call_is_found_in_any_bytes() {
        let finder = memmem::Finder::new(b"\"L");
        let found = |text: &str| newest(&finder, text.as_bytes());
        assert_eq!(
            found(&format!("\"{}\",\"{}\"", marker(7), marker(3))),
            Some(7)
        );
        assert_eq!(found("\"L000001"), None, "cut");
        assert_eq!(found("\"Label00\" \"L1\""), None);
        assert_eq!(found(""), None);
        assert!(marker(1_234_567).len() <= 12, "the longest label");
    }
}
