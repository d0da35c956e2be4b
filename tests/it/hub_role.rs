//! The hub as a service: a line, a socket, an end.

use crate::support::city::numbers;
use yobiban::clock::Now;

#[tokio::test]
async fn a_hub_runs_on_a_line_serves_and_stops_in_time() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use yobiban::hub::Incoming;
    let dir = tempfile::tempdir().unwrap();
    let config =
        crate::support::city::config(&format!("sqlite:{}", dir.path().join("hub.db").display()));
    let (reports, inbox) = tokio::sync::mpsc::channel(8);
    let (up, connected) = tokio::sync::watch::channel(true);
    let (tell, told) = tokio::sync::oneshot::channel();
    let shutdown = tokio_util::sync::CancellationToken::new();
    let line = yobiban::services::hub::BrokerConnection {
        reports: inbox,
        calls: None,
        connected,
    };
    let clock =
        yobiban::clock::ManualClock::new(Now::at(crate::support::city::AT.parse().unwrap()));
    let running = tokio::spawn(yobiban::services::hub::run_on(
        config,
        std::sync::Arc::new(clock),
        shutdown.clone(),
        line,
        |at| {
            let _ = tell.send(at);
        },
    ));
    let address = told.await.unwrap();
    let payload = serde_json::to_vec(&numbers("chuo")).unwrap();
    reports
        .send(Incoming::new("yobiban/v1/chuo/node/n1/numbers", payload))
        .await
        .unwrap();
    let ask = async |path: &str| {
        let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        socket.read_to_string(&mut text).await.unwrap();
        text
    };
    assert!(ask("/readyz").await.starts_with("HTTP/1.1 200"));
    let mut tries = 0;
    while !ask("/api/v1/offices").await.contains("\"chuo\"") {
        tries += 1;
        assert!(tries < 100, "the numbers never came");
    }
    // An open stream and an idle connection must not hold up the end.
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"GET /api/v1/events HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    stream.read_exact(&mut [0; 64]).await.unwrap();
    let idle = tokio::net::TcpStream::connect(address).await.unwrap();
    drop(up);
    shutdown.cancel();
    tokio::time::timeout(crate::support::PATIENCE, running)
        .await
        .expect("stops in time")
        .unwrap()
        .unwrap();
    drop(idle);
}
