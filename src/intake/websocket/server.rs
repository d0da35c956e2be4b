//! A WebSocket server for tests.

use crate::http_client::Server;
use futures_util::{SinkExt as _, StreamExt as _};
use std::sync::{Arc, Mutex};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

/// A server on loopback that plays a script on each connection, then waits for the client to close.
pub(in crate::intake) struct WebSocketServer {
    pub(in crate::intake) server: Server,
    log: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

/// One step of a script.
#[derive(Debug, Clone)]
pub(in crate::intake) enum Step {
    Send(String),
    /// Waits for a text.
    Expect(&'static str),
    Close,
    /// Neither reads nor writes any more.
    Hang,
}

impl Drop for WebSocketServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl WebSocketServer {
    pub(in crate::intake) async fn start(
        script: impl Fn(usize) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let log = Arc::new(Mutex::new(Vec::new()));
        let heads = Arc::clone(&log);
        let task = tokio::spawn(async move {
            let mut n = 0;
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(play(stream, script(n), Arc::clone(&heads)));
                n += 1;
            }
        });
        let server = Server {
            tls: false,
            host: "127.0.0.1".into(),
            port,
            ca: None,
        };
        Self { server, log, task }
    }

    /// Paths, origins and cookies of the connections.
    pub(in crate::intake) fn heads(&self) -> Vec<String> {
        self.log.lock().expect("heads").clone()
    }
}

async fn play(stream: TcpStream, script: Vec<Step>, heads: Arc<Mutex<Vec<String>>>) {
    #[allow(clippy::result_large_err)] // the library's type
    let note = |request: &Request, response: Response| {
        let header = |name: &str| {
            let value = request.headers().get(name).and_then(|v| v.to_str().ok());
            value.unwrap_or("-").to_owned()
        };
        let head = format!(
            "{} {} {}",
            request.uri(),
            header("origin"),
            header("authorization")
        );
        heads.lock().expect("heads").push(head);
        Ok(response)
    };
    let Ok(mut socket) = accept_hdr_async(stream, note).await else {
        return;
    };
    for step in script {
        let done = match step {
            Step::Send(text) => socket.send(Message::text(text)).await.is_ok(),
            Step::Expect(text) => expect(&mut socket, text).await,
            Step::Close => {
                let _ = socket.close(None).await;
                return;
            }
            Step::Hang => return std::future::pending().await,
        };
        if !done {
            return;
        }
    }
    while let Some(Ok(_)) = socket.next().await {}
}

async fn expect(socket: &mut WebSocketStream<TcpStream>, expected: &str) -> bool {
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Text(text) = message {
            assert_eq!(text.as_str(), expected);
            return true;
        }
    }
    false
}
