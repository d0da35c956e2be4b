//! A camera on the network: a picture each time one is asked for, or a stream of them.
//!
//! Which of the two tells the answer: `multipart/x-mixed-replace` goes on, anything else is one
//! picture. Pictures are cut at their own markers, so that boundaries and lengths may be as wrong as
//! they are in many cameras. What answers may be anything: time and size are limited, redirects are
//! not followed, and messages hold neither path nor password nor more of the answer than a word.

use super::auth::Challenge;
use super::frame_reader::{FrameProducer, FrameReader, LatestFrame};
use super::jpeg_splitter::{JpegSplitter, MAX_BYTES};
use super::{PATIENCE, Source, SourceError};
use crate::config::tls::client_config;
use crate::config::{HttpCameraConfig, TlsConfig};
use crate::errors::plain;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper::header::{self, HeaderMap};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

/// Name, line and TLS together; a camera that needs longer is on no usable line.
const CONNECT: Duration = Duration::from_secs(4);

/// From the request to the end of the answer's headers; some take a picture first.
const ANSWER: Duration = Duration::from_secs(5);

/// Headers of an answer, and what is read of its body at a time.
const BUFFER: usize = 64 * 1024;

/// Films with a camera on the network.
///
/// # Errors
/// [`SourceError::Io`] when no thread can be had.
pub(super) fn open(config: &HttpCameraConfig) -> Result<Box<dyn Source>, SourceError> {
    let what = format!("{}:{}", config.host, config.port);
    let camera = HttpCamera {
        config: config.clone(),
        challenge: None,
    };
    Ok(Box::new(FrameReader::start(&what, camera)?))
}

struct HttpCamera {
    config: HttpCameraConfig,
    /// The challenge for authentication, once the camera sent one.
    challenge: Option<Challenge>,
}

/// An answer whose headers are there; dropping it closes the connection.
struct HttpResponse {
    response: Response<Incoming>,
    connection_task: JoinHandle<()>,
}

impl Drop for HttpResponse {
    fn drop(&mut self) {
        self.connection_task.abort();
    }
}

impl FrameProducer for HttpCamera {
    async fn run_once(&mut self, latest: &LatestFrame, stop: &CancellationToken) -> String {
        let what = format!("{}:{}", self.config.host, self.config.port);
        tokio::select! {
            () = stop.cancelled() => format!("{what}: restarted"),
            why = self.serve(latest) => format!("{what}: {why}"),
        }
    }
}

impl HttpCamera {
    /// Hands out pictures until something is wrong.
    async fn serve(&mut self, latest: &LatestFrame) -> String {
        loop {
            latest.wanted().await;
            if let Err(why) = self.fetch(latest).await {
                return why;
            }
        }
    }

    /// Sends one request, and hands out the pictures of its answer.
    async fn fetch(&mut self, latest: &LatestFrame) -> Result<(), String> {
        let mut answer = self.authorized_response().await?;
        let headers = answer.response.headers();
        let kind = media_type(headers);
        let goes_on = kind == "multipart/x-mixed-replace";
        let mut pictures = Pictures::default();
        loop {
            let body = answer.response.body_mut();
            let next = timeout(PATIENCE, pictures.next(body)).await;
            let next = next.map_err(|_| format!("no picture for {} s", PATIENCE.as_secs()))?;
            match next? {
                Some(picture) => latest.put(picture),
                None if pictures.splitter.is_within() => {
                    return Err("the answer ended within a picture".into());
                }
                None if pictures.count > 0 => return Err("the stream ended".into()),
                None => {
                    return Err(format!(
                        "answered {kind}: expected a JPEG picture, or multipart/x-mixed-replace"
                    ));
                }
            }
            if !goes_on {
                return Ok(());
            }
        }
    }

    /// The answer to a request, authenticated where the camera demands it.
    async fn authorized_response(&mut self) -> Result<HttpResponse, String> {
        let answer = self.request().await?;
        if answer.response.status() != StatusCode::UNAUTHORIZED {
            return check_status(answer);
        }
        if self.config.login.is_none() {
            return Err("requires a user and password: expected them in the configuration".into());
        }
        let headers = answer.response.headers().get_all(header::WWW_AUTHENTICATE);
        let challenges: Vec<&str> = headers.iter().filter_map(|h| h.to_str().ok()).collect();
        self.challenge = Challenge::parse(&challenges);
        if self.challenge.is_none() {
            return Err("unsupported authentication scheme (supported: Digest, Basic)".into());
        }
        drop(answer);
        let answer = self.request().await?;
        if answer.response.status() == StatusCode::UNAUTHORIZED {
            self.challenge = None;
            return Err("rejected user and password".into());
        }
        check_status(answer)
    }

    /// One request on a connection of its own.
    async fn request(&mut self) -> Result<HttpResponse, String> {
        let config = &self.config;
        let path = config.path.reveal();
        let default = if config.tls { 443 } else { 80 };
        let host = if config.port == default {
            config.host.clone()
        } else {
            format!("{}:{}", config.host, config.port)
        };
        let mut request = Request::get(path)
            .header(header::HOST, host)
            .header(header::USER_AGENT, "yobiban")
            .header(header::ACCEPT, "image/jpeg, multipart/x-mixed-replace")
            .header(header::CONNECTION, "close");
        if let (Some(challenge), Some((user, password))) = (&mut self.challenge, &config.login) {
            let authorization = challenge.authorization(user, password, path);
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request
            .body(String::new())
            .map_err(|_| "its authentication challenge cannot be answered".to_owned())?;
        let stream = timeout(CONNECT, connect(config)).await;
        let stream =
            stream.map_err(|_| format!("no connection within {} s", CONNECT.as_secs()))??;
        let sent = timeout(ANSWER, exchange(stream, request)).await;
        sent.map_err(|_| format!("no answer within {} s", ANSWER.as_secs()))?
    }
}

/// Rejects every status but success.
fn check_status(answer: HttpResponse) -> Result<HttpResponse, String> {
    let status = answer.response.status();
    if status.is_success() {
        Ok(answer)
    } else if status.is_redirection() {
        Err(format!(
            "answered {status}: redirects are not followed, expected the picture's own address"
        ))
    } else {
        Err(format!("answered {status}"))
    }
}

/// Something to read and write.
trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Transport for T {}

async fn connect(config: &HttpCameraConfig) -> Result<Box<dyn Transport>, String> {
    let host = config.host.trim_matches(['[', ']']);
    let stream = TcpStream::connect((host, config.port)).await;
    let stream = stream.map_err(|e| format!("cannot connect: {}", plain(&e).to_lowercase()))?;
    if !config.tls {
        return Ok(Box::new(stream));
    }
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| "its host name cannot be checked against a certificate".to_owned())?;
    // Read anew for each connection, so that a certificate that was renewed is used.
    let files = TlsConfig {
        ca: config.ca.clone(),
        client: None,
    };
    let client = client_config(&files).map_err(|e| format!("tls: {e}"))?;
    let stream = TlsConnector::from(client).connect(name, stream).await;
    let stream = stream.map_err(|e| format!("tls: {}", plain(&e).to_lowercase()))?;
    Ok(Box::new(stream))
}

async fn exchange(
    stream: Box<dyn Transport>,
    request: Request<String>,
) -> Result<HttpResponse, String> {
    let wrong = |e: hyper::Error| format!("no HTTP answer: {}", reason(&e));
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(BUFFER)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(wrong)?;
    // What it ends with shows where the answer is read.
    let connection_task = tokio::spawn(async move { drop(connection.await) });
    match sender.send_request(request).await {
        Ok(response) => Ok(HttpResponse {
            response,
            connection_task,
        }),
        Err(e) => {
            connection_task.abort();
            Err(wrong(e))
        }
    }
}

/// The innermost cause, which says most.
fn reason(error: &hyper::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// The kind of an answer: one word without what follows it, or `nothing`.
fn media_type(headers: &HeaderMap) -> String {
    /// Longer than any kind of picture.
    const MAX: usize = 40;
    let text = headers.get(header::CONTENT_TYPE);
    let text = text.and_then(|t| t.to_str().ok()).unwrap_or_default();
    let word = text.split(';').next().unwrap_or_default().trim();
    let good = |c: char| c.is_ascii_alphanumeric() || "/-+._".contains(c);
    if word.is_empty() || word.len() > MAX || !word.chars().all(good) {
        return "no content type".into();
    }
    word.to_ascii_lowercase()
}

/// The pictures of an answer.
#[derive(Default)]
struct Pictures {
    splitter: JpegSplitter,
    /// Bytes since the last picture.
    since: usize,
    count: u64,
}

impl Pictures {
    /// The next one; `None` when the answer has ended.
    async fn next(&mut self, body: &mut Incoming) -> Result<Option<Vec<u8>>, String> {
        loop {
            let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await;
            let frame = match frame {
                None => return Ok(None),
                Some(Err(_)) if self.splitter.is_within() => {
                    return Err("the answer ended within a picture".into());
                }
                Some(Err(e)) => return Err(format!("the answer was interrupted: {}", reason(&e))),
                Some(Ok(frame)) => frame,
            };
            let Ok(bytes) = frame.into_data() else {
                continue; // trailers
            };
            self.since += bytes.len();
            if let Some(picture) = self.splitter.take(&bytes) {
                self.since = 0;
                self.count += 1;
                return Ok(Some(picture));
            }
            if self.since > MAX_BYTES {
                let megabytes = MAX_BYTES / 1024 / 1024;
                return Err(format!("{megabytes} MiB without the end of a picture"));
            }
        }
    }
}
