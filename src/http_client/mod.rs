//! HTTP/1.1 as a client: connections with TLS and limits, and answers that are trusted in nothing.
//!
//! Cameras and ticketing systems are asked with it. Redirects are not followed, headers and bodies are
//! bounded, and no error holds a path, a header or a part of a body: there may be a password or a name
//! in it. Time limits are the caller's.

#[cfg(test)]
mod tests;

use crate::config::TlsConfig;
use crate::config::tls::client_config;
use crate::errors::plain;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper::header::{self, HeaderMap};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::future::poll_fn;
use std::path::PathBuf;
use std::pin::Pin;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

/// Most bytes of the headers of an answer, and what is read of its body at a time.
const BUFFER: usize = 64 * 1024;

/// Longest media type that is repeated in an error, in bytes.
const MAX_MEDIA_TYPE: usize = 40;

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Whether it is spoken to by TLS.
    pub tls: bool,
    /// Name or address; an IPv6 address in brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Certificates of the authorities to trust, PEM; `None` is those of the system.
    pub ca: Option<PathBuf>,
}

impl Server {
    /// Host and port, for messages.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The `Host` header: without the port where it is the scheme's own.
    #[must_use]
    pub fn host_header(&self) -> String {
        let default = if self.tls { 443 } else { 80 };
        if self.port == default {
            self.host.clone()
        } else {
            self.name()
        }
    }

    /// Opens a connection below HTTP.
    ///
    /// # Errors
    /// Why there is none, in words that follow the server's name.
    pub async fn connect(&self) -> Result<Box<dyn Transport>, String> {
        let host = self.host.trim_matches(['[', ']']);
        let stream = TcpStream::connect((host, self.port)).await;
        let stream = stream.map_err(|e| format!("cannot connect: {}", plain(&e).to_lowercase()))?;
        if !self.tls {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| "its host name cannot be checked against a certificate".to_owned())?;
        // Read again for each connection, so that a certificate that was renewed is used.
        let files = TlsConfig {
            ca: self.ca.clone(),
            client: None,
        };
        let client = client_config(&files).map_err(|e| format!("tls: {e}"))?;
        let stream = TlsConnector::from(client).connect(name, stream).await;
        let stream = stream.map_err(|e| format!("tls: {}", plain(&e).to_lowercase()))?;
        Ok(Box::new(stream))
    }
}

/// Something to read and write.
pub trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Transport for T {}

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendError {
    /// In words that follow the server's name.
    pub reason: String,
    /// Whether the server closed the connection before it answered: a request over a connection that was
    /// kept open is worth repeating on a new one.
    pub closed: bool,
}

/// A connection for one request after the other. Dropping it closes it.
pub struct Connection {
    sender: http1::SendRequest<String>,
    task: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Connection {
    /// Opens a connection.
    ///
    /// # Errors
    /// Why there is none, in words that follow the server's name.
    pub async fn open(server: &Server) -> Result<Self, String> {
        let stream = server.connect().await?;
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(BUFFER)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|e| format!("no HTTP answer: {}", reason(&e)))?;
        // What it ends with shows where the answer is read.
        let task = tokio::spawn(async move { drop(connection.await) });
        Ok(Self { sender, task })
    }

    /// Sends a request; the answer's headers are there when it returns. Read the body to its end before
    /// the next request.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn send(
        &mut self,
        request: Request<String>,
    ) -> Result<Response<Incoming>, SendError> {
        let wrong = |e: hyper::Error| SendError {
            reason: format!("no HTTP answer: {}", reason(&e)),
            closed: e.is_closed() || e.is_canceled() || e.is_incomplete_message(),
        };
        self.sender.ready().await.map_err(wrong)?;
        self.sender.send_request(request).await.map_err(wrong)
    }
}

/// The next piece of a body; `None` at its end.
///
/// # Errors
/// Why the answer was interrupted.
pub async fn next_chunk(body: &mut Incoming) -> Result<Option<bytes::Bytes>, String> {
    loop {
        let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await;
        match frame {
            None => return Ok(None),
            Some(Err(e)) => return Err(format!("the answer was interrupted: {}", reason(&e))),
            Some(Ok(frame)) => {
                // The other kind of frame are trailers.
                if let Ok(bytes) = frame.into_data() {
                    return Ok(Some(bytes));
                }
            }
        }
    }
}

/// A body as a whole.
///
/// # Errors
/// When it is longer than `max` bytes, or interrupted.
pub async fn whole_body(body: &mut Incoming, max: usize) -> Result<Vec<u8>, String> {
    let too_large = || {
        format!(
            "the answer is too large: expected at most {} KiB",
            max / 1024
        )
    };
    if body.size_hint().lower() > u64::try_from(max).unwrap_or(u64::MAX) {
        return Err(too_large());
    }
    let mut whole = Vec::new();
    while let Some(bytes) = next_chunk(body).await? {
        if whole.len() + bytes.len() > max {
            return Err(too_large());
        }
        whole.extend_from_slice(&bytes);
    }
    Ok(whole)
}

/// The innermost cause, which says most.
#[must_use]
pub fn reason(error: &hyper::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// The media type of an answer in lower case without parameters; `None` where it has none, or one that is
/// none.
#[must_use]
pub fn media_type(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let word = text.split(';').next().unwrap_or_default().trim();
    let good = |c: char| c.is_ascii_alphanumeric() || "/-+._".contains(c);
    if word.is_empty() || word.len() > MAX_MEDIA_TYPE || !word.chars().all(good) {
        return None;
    }
    Some(word.to_ascii_lowercase())
}

/// A parameter of the media type, such as `charset`, without quotes.
#[must_use]
pub fn media_parameter(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    text.split(';').skip(1).find_map(|part| {
        let (key, value) = part.split_once('=')?;
        let is_it = key.trim().eq_ignore_ascii_case(name);
        is_it.then(|| value.trim().trim_matches('"').to_owned())
    })
}
