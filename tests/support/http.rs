//! A client for one request at a time: HTTP/1.1, `Connection: close`, bounded in time.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a server answered.
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

/// Asks for a path.
pub async fn get(server: SocketAddr, path: &str) -> Answer {
    get_with(server, path, "").await
}

/// The same with more lines in the head, each with its end.
pub async fn get_with(server: SocketAddr, path: &str, head: &str) -> Answer {
    let asked = async {
        let mut stream = TcpStream::connect(server).await.unwrap();
        let request =
            format!("GET {path} HTTP/1.0\r\nHost: {server}\r\nConnection: close\r\n{head}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        answer
    };
    let answer = tokio::time::timeout(super::PATIENCE, asked)
        .await
        .expect(path);
    let end = answer
        .windows(4)
        .position(|w| w == b"\r\n\r\n")
        .expect("a head");
    let head = String::from_utf8_lossy(&answer[..end]);
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer {
        status,
        body: answer[end + 4..].to_vec(),
    }
}
