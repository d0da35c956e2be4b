//! Requests to the hub: path and query on the first line, a header on each further one.
//!
//! Every answer bears the strict headers, none is an inner error, and nothing of the request comes
//! back as markup.

use super::html;
use super::hub::{Answer, Town};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};

thread_local! {
    static TOWN: Town = town();
}

/// One office with one queue.
fn town() -> Town {
    let town = Town::new("http");
    town.tell("chuo/node/n1/availability", "online");
    town.tell(
        "chuo/node/n1/numbers",
        r#"{"seq":1,"at":"2026-11-24T10:42:07+09:00","day":"2026-11-24",
        "office":{"id":"chuo","name":{"ja":"中央区","en":"Chuo"}},"queues":[{"id":"certificates",
        "name":{"ja":"証明書"},"lane":"standard","status":"open","as_of":"2026-11-24T10:42:07+09:00",
        "fresh":true,"source":"feed","last_call":{"no":3,"ticket":"A042","counter":"3",
        "at":"2026-11-24T10:42:07+09:00"},"next":["A043","A044"],"waiting":2,"on_hold":0,
        "wait":{"low":480,"high":900}}]}"#,
    );
    town
}

/// Asks.
pub fn run(data: &[u8]) {
    let Some(request) = request(data) else { return };
    TOWN.with(|town| {
        let answer = town.ask(request);
        check(&answer);
    });
}

fn request(data: &[u8]) -> Option<Request<Body>> {
    let mut lines = data.split(|b| *b == b'\n');
    let first = lines.next()?;
    let (method, path) = match first.iter().position(|b| *b == b' ') {
        Some(end) => (Method::from_bytes(&first[..end]).ok()?, &first[end + 1..]),
        None => (Method::GET, first),
    };
    let mut request = Request::builder().method(method).uri(path);
    for line in lines.take(16) {
        let colon = line.iter().position(|b| *b == b':')?;
        request = request.header(&line[..colon], line[colon + 1..].trim_ascii());
    }
    request.body(Body::empty()).ok()
}

fn check(answer: &Answer) {
    assert_ne!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    for header in [
        "content-security-policy",
        "x-content-type-options",
        "x-frame-options",
    ] {
        assert!(answer.headers.contains_key(header), "without {header}");
    }
    // What is packed is what is sent plain otherwise.
    if answer.headers.contains_key("content-encoding") {
        return;
    }
    if answer.is("text/html") {
        html::bones(answer.text());
    }
    if answer.is("application/json") && !answer.body.is_empty() {
        let json = serde_json::from_slice::<serde_json::Value>(&answer.body);
        json.unwrap_or_else(|e| panic!("no JSON: {e}: {}", answer.text()));
    }
}
