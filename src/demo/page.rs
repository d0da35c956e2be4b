//! Whether the hub's page has numbers of everybody: asks it as a viewer would.

use crate::model::OfficeId;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longest time for an answer.
const ANSWER: Duration = Duration::from_secs(2);

/// Largest answer that is read, bytes: six offices take 20 kB.
const MAX_ANSWER: u64 = 4 * 1024 * 1024;

/// Whether every one of these offices has numbers of all its queues.
pub(super) async fn complete(hub: SocketAddr, offices: &[OfficeId]) -> bool {
    let answer = tokio::time::timeout(ANSWER, get(hub, "/api/v1/offices")).await;
    matches!(answer, Ok(Ok(json)) if has_all(&json, offices))
}

/// HTTP/1.0 keeps it at one answer a connection, whole and without chunks.
async fn get(hub: SocketAddr, path: &str) -> std::io::Result<Value> {
    let mut socket = TcpStream::connect(hub).await?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: {hub}\r\nAccept: application/json\r\n\r\n");
    socket.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    socket.take(MAX_ANSWER).read_to_end(&mut answer).await?;
    let body = answer
        .windows(4)
        .position(|w| w == b"\r\n\r\n")
        .map_or(&[][..], |end| &answer[end + 4..]);
    Ok(serde_json::from_slice(body)?)
}

fn has_all(json: &Value, offices: &[OfficeId]) -> bool {
    let known = json.get("offices").and_then(Value::as_array);
    let known = known.map(Vec::as_slice).unwrap_or_default();
    offices.iter().all(|id| {
        let office = known.iter().find(|o| o["id"] == id.as_str());
        let queues = office.and_then(|o| o["queues"].as_array());
        queues.is_some_and(|queues| {
            !queues.is_empty() && queues.iter().all(|queue| queue["as_of"].is_string())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_page_is_complete_when_every_queue_of_every_office_has_numbers() {
        let offices = ["chuo", "inage"].map(|id| OfficeId::new(id).unwrap());
        let queue = |as_of: Value| json!({"id": "moving", "as_of": as_of});
        let office = |id: &str, queues: Vec<Value>| json!({"id": id, "queues": queues});
        let there = || queue("2026-11-24T10:42:07+09:00".into());
        let all = |second: Vec<Value>| json!({"offices": [office("chuo", vec![there()]), office("inage", second)]});
        assert!(has_all(&all(vec![there(), there()]), &offices));
        assert!(!has_all(&all(vec![there(), queue(Value::Null)]), &offices));
        assert!(!has_all(&all(vec![]), &offices));
        assert!(!has_all(
            &json!({"offices": [office("chuo", vec![there()])]}),
            &offices
        ));
        assert!(!has_all(&json!({}), &offices));
    }
}
