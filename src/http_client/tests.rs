//! What is taken from an answer, whatever a server writes.

use super::*;
use hyper::header::HeaderValue;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

fn typed(text: &str) -> HeaderMap {
    let value = HeaderValue::from_str(text).expect("a header");
    HeaderMap::from_iter([(header::CONTENT_TYPE, value)])
}

#[test]
fn a_media_type_is_one_word_with_parameters_behind_it() {
    let found = |text: &str| media_type(&typed(text));
    assert_eq!(
        found("Application/JSON; charset=utf-8").as_deref(),
        Some("application/json")
    );
    assert_eq!(found("text/html").as_deref(), Some("text/html"));
    for none in ["", ";charset=a", "Yamada Hanako", &"a".repeat(41)] {
        assert_eq!(found(none), None, "{none}");
    }
    assert_eq!(media_type(&HeaderMap::new()), None);
    let charset = |text: &str| media_parameter(&typed(text), "charset");
    assert_eq!(
        charset("text/csv; header=present; Charset=\"Shift_JIS\"").as_deref(),
        Some("Shift_JIS")
    );
    assert_eq!(charset("text/csv; charset"), None);
}

#[test]
fn a_host_header_has_the_port_where_it_is_not_the_usual_one() {
    let server = |tls, port| Server {
        tls,
        host: "[::1]".into(),
        port,
        ca: None,
    };
    assert_eq!(server(false, 80).host_header(), "[::1]");
    assert_eq!(server(true, 443).host_header(), "[::1]");
    assert_eq!(server(true, 80).host_header(), "[::1]:80");
    assert_eq!(server(false, 8080).name(), "[::1]:8080");
}

/// A server that answers each connection with the same bytes, then closes it.
async fn lying(answer: &'static [u8]) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer).await;
        }
    });
    Server {
        tls: false,
        host: "127.0.0.1".into(),
        port,
        ca: None,
    }
}

async fn body_of(answer: &'static [u8]) -> Result<Vec<u8>, String> {
    let server = lying(answer).await;
    let mut connection = Connection::open(&server).await?;
    let request = Request::get("/").body(String::new()).expect("a request");
    let mut response = connection.send(request).await.map_err(|e| e.reason)?;
    whole_body(response.body_mut(), 8).await
}

#[tokio::test]
async fn bodies_are_bounded_and_must_be_whole() {
    let good = body_of(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n12345678").await;
    assert_eq!(good.as_deref(), Ok(&b"12345678"[..]));
    for (answer, expected) in [
        (
            &b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"[..],
            "too large",
        ),
        (b"HTTP/1.1 200 OK\r\n\r\n123456789", "too large"),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n1234",
            "interrupted",
        ),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n1234",
            "interrupted",
        ),
        (b"SSH-2.0-OpenSSH\r\n", "no HTTP answer"),
    ] {
        let why = body_of(answer).await.expect_err(expected);
        assert!(why.contains(expected), "{why}");
        assert!(!why.contains("1234"), "{why}");
    }
}

#[tokio::test]
async fn a_connection_closed_before_the_answer_is_told_apart() {
    let server = lying(b"").await;
    let mut connection = Connection::open(&server).await.expect("a connection");
    let request = Request::get("/").body(String::new()).expect("a request");
    let error = connection.send(request).await.expect_err("no answer");
    assert!(error.closed, "{error:?}");
}
