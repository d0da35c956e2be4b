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
use crate::config::HttpCameraConfig;
use crate::http_client::{Connection, Server, media_type, next_chunk};
use hyper::body::Incoming;
use hyper::header;
use hyper::{Request, Response, StatusCode};
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Name, line and TLS together; a camera that needs longer is on no usable line.
const CONNECT: Duration = Duration::from_secs(4);

/// From the request to the end of the answer's headers; some take a picture first.
const ANSWER: Duration = Duration::from_secs(5);

/// Films with a camera on the network.
///
/// # Errors
/// [`SourceError::Io`] when no thread can be had.
pub(super) fn open(config: &HttpCameraConfig) -> Result<Box<dyn Source>, SourceError> {
    let what = format!("{}:{}", config.host, config.port);
    let camera = HttpCamera {
        server: Server {
            tls: config.tls,
            host: config.host.clone(),
            port: config.port,
            ca: config.ca.clone(),
        },
        config: config.clone(),
        challenge: None,
    };
    Ok(Box::new(FrameReader::start(&what, camera)?))
}

struct HttpCamera {
    server: Server,
    config: HttpCameraConfig,
    /// The challenge for authentication, once the camera sent one.
    challenge: Option<Challenge>,
}

/// An answer whose headers are there; dropping it closes the connection.
struct HttpResponse {
    response: Response<Incoming>,
    _connection: Connection,
}

impl FrameProducer for HttpCamera {
    async fn run_once(&mut self, latest: &LatestFrame, stop: &CancellationToken) -> String {
        let what = self.server.name();
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
        let kind = media_type(answer.response.headers());
        let kind = kind.unwrap_or_else(|| "no content type".into());
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
        let mut request = Request::get(path)
            .header(header::HOST, self.server.host_header())
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
        let connection = timeout(CONNECT, Connection::open(&self.server)).await;
        let mut connection =
            connection.map_err(|_| format!("no connection within {} s", CONNECT.as_secs()))??;
        let response = timeout(ANSWER, connection.send(request)).await;
        let response = response.map_err(|_| format!("no answer within {} s", ANSWER.as_secs()))?;
        Ok(HttpResponse {
            response: response.map_err(|e| e.reason)?,
            _connection: connection,
        })
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
            let bytes = match next_chunk(body).await {
                Ok(None) => return Ok(None),
                Err(_) if self.splitter.is_within() => {
                    return Err("the answer ended within a picture".into());
                }
                Err(why) => return Err(why),
                Ok(Some(bytes)) => bytes,
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
