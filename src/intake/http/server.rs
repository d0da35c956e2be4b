//! A server for tests, which answers as it is told.

use crate::http_client::Server;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What follows a request.
#[derive(Debug, Clone)]
pub(in crate::intake) enum Reply {
    /// These bytes; the connection stays open.
    Keep(Vec<u8>),
    /// These bytes, then the connection is closed.
    Close(Vec<u8>),
    /// These bytes again and again, until the client closes.
    Endless(Vec<u8>, Vec<u8>),
    /// These bytes, then nothing.
    Hang(Vec<u8>),
}

impl Reply {
    /// A whole answer with other header lines.
    pub(in crate::intake) fn of(status: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        let text = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
        Self::Keep(text.into_bytes())
    }

    /// JSON.
    pub(in crate::intake) fn json(body: &str) -> Self {
        Self::of("200 OK", "content-type: application/json\r\n", body)
    }
}

/// A server on loopback. It ends when it is dropped.
pub(in crate::intake) struct TestServer {
    pub(in crate::intake) server: Server,
    requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<usize>>,
    task: JoinHandle<()>,
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl TestServer {
    /// Answers the `n`th request (from 0) as `reply` says.
    pub(in crate::intake) async fn start(
        reply: impl Fn(usize, &str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(Mutex::new(0));
        let (log, count, reply) = (
            Arc::clone(&requests),
            Arc::clone(&connections),
            Arc::new(reply),
        );
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *count.lock().expect("a count") += 1;
                let (log, reply) = (Arc::clone(&log), Arc::clone(&reply));
                tokio::spawn(async move { serve(stream, &log, &*reply).await });
            }
        });
        let server = Server {
            tls: false,
            host: "127.0.0.1".into(),
            port,
            ca: None,
        };
        Self {
            server,
            requests,
            connections,
            task,
        }
    }

    /// All requests, heads with bodies.
    pub(in crate::intake) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("requests").clone()
    }

    pub(in crate::intake) fn connections(&self) -> usize {
        *self.connections.lock().expect("a count")
    }
}

async fn serve(
    mut stream: TcpStream,
    log: &Mutex<Vec<String>>,
    reply: &(dyn Fn(usize, &str) -> Reply + Send + Sync),
) {
    while let Some(request) = request(&mut stream).await {
        let n = {
            let mut log = log.lock().expect("requests");
            log.push(request.clone());
            log.len() - 1
        };
        let sent = match reply(n, &request) {
            Reply::Keep(bytes) => stream.write_all(&bytes).await,
            Reply::Close(bytes) => {
                let _ = stream.write_all(&bytes).await;
                return;
            }
            Reply::Endless(first, again) => {
                let mut sent = stream.write_all(&first).await;
                while sent.is_ok() {
                    sent = stream.write_all(&again).await;
                }
                sent
            }
            Reply::Hang(bytes) => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.read(&mut [0; 1]).await;
                return;
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Reads one request; `None` when the client has closed.
async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut text = Vec::new();
    loop {
        let whole = String::from_utf8_lossy(&text).into_owned();
        if let Some((head, body)) = whole.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|l| l.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |l| l.parse().expect("a length"));
            if body.len() >= length {
                return Some(whole);
            }
        }
        let mut buffer = [0; 1024];
        match stream.read(&mut buffer).await {
            Ok(n) if n > 0 => text.extend_from_slice(&buffer[..n]),
            _ => return None,
        }
    }
}
