//! Requests to one server: credentials, cookies, a login that is repeated when a session has ended.

use super::answer::{Expected, Validators, Verdict, judge};
use super::cookies::Cookies;
use crate::config::Secret;
use crate::http_client::{Connection, Server, media_parameter, media_type, whole_body};
use crate::intake::Fault;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// From the first packet to the last byte of an answer, where the configuration says nothing else.
pub const TIMEOUT: Duration = Duration::from_secs(5);

/// Most bytes of the answer to a login.
const MAX_LOGIN: usize = 64 * 1024;

/// A server, and who asks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Where it is.
    pub server: Server,
    /// Credentials of each request.
    pub auth: Auth,
    /// Other headers of each request.
    pub headers: Vec<(String, Secret)>,
    /// What begins a session.
    pub login: Option<Login>,
    /// From the first packet to the last byte of an answer: [`TIMEOUT`].
    pub timeout: Duration,
}

impl Access {
    /// Asks a server without credentials.
    #[must_use]
    pub fn open(server: Server) -> Self {
        Self {
            server,
            auth: Auth::None,
            headers: Vec::new(),
            login: None,
            timeout: TIMEOUT,
        }
    }
}

/// Credentials that are part of each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// None.
    None,
    /// User and password (RFC 7617).
    Basic {
        /// User name, without `:`.
        user: String,
        /// Password.
        password: Secret,
    },
    /// A token (RFC 6750).
    Bearer(Secret),
    /// A header of the server's own, such as `X-Api-Key`.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: Secret,
    },
}

/// The request that begins a session. It is sent before the first request, and once again when an answer
/// shows that the session has ended: 401, 403, a redirect, or another media type than expected. Cookies that
/// it sets are sent to this server only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Path with query, on the same server.
    pub path: Secret,
    /// How the request is made.
    pub body: LoginBody,
    /// Where the answer, in JSON, holds a token for later requests: a JSON Pointer (RFC 6901).
    pub token: Option<String>,
}

/// How a login is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginBody {
    /// GET, without a body.
    Get,
    /// POST of a form.
    Form(Vec<(String, Secret)>),
    /// POST of JSON.
    Json(Secret),
}

impl LoginBody {
    /// Method, media type and text.
    fn parts(&self) -> (Method, Option<&'static str>, String) {
        match self {
            Self::Get => (Method::GET, None, String::new()),
            Self::Form(fields) => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                for (name, value) in fields {
                    form.append_pair(name, value.reveal());
                }
                let media = "application/x-www-form-urlencoded";
                (Method::POST, Some(media), form.finish())
            }
            Self::Json(text) => {
                let media = "application/json";
                (Method::POST, Some(media), text.reveal().to_owned())
            }
        }
    }
}

/// The token of a login's answer. The error does not hold the answer.
fn token_of(answer: &[u8], pointer: &str) -> Result<Secret, Fault> {
    let wrong = || {
        let text =
            format!("the answer to the login has no token at {pointer}: expected a text in JSON");
        Fault::unreadable(text)
    };
    let tree: serde_json::Value = serde_json::from_slice(answer).map_err(|_| wrong())?;
    let token = tree.pointer(pointer).and_then(|value| value.as_str());
    token
        .filter(|t| !t.is_empty())
        .map(Secret::new)
        .ok_or_else(wrong)
}

/// A text as header that is not printed.
fn secret_header(text: &str) -> Result<HeaderValue, Fault> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        Fault::unreadable(
            "a credential cannot be sent in a header: expected printable ASCII characters",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Requests to one server, over one connection that is kept open.
pub(in crate::intake) struct Session {
    access: Access,
    cookies: Cookies,
    token: Option<Secret>,
    logged_in: bool,
    connection: Option<Connection>,
}

/// An answer of the expected type whose body is to be read.
pub(in crate::intake) struct Answer {
    pub(in crate::intake) response: Response<Incoming>,
    connection: Connection,
    deadline: Instant,
}

/// A body with its type.
pub(in crate::intake) struct Body {
    pub(in crate::intake) bytes: Vec<u8>,
    pub(in crate::intake) media_type: Option<String>,
    pub(in crate::intake) charset: Option<String>,
    pub(super) validators: Validators,
}

impl Session {
    pub(in crate::intake) fn new(access: &Access) -> Self {
        Self {
            access: access.clone(),
            cookies: Cookies::default(),
            token: None,
            logged_in: false,
            connection: None,
        }
    }

    /// Name and port, for messages.
    pub(in crate::intake) fn server(&self) -> String {
        self.access.server.name()
    }

    /// Logs in where that is due; whether it may be repeated when the session proves to have ended.
    ///
    /// # Errors
    /// Why the login failed.
    pub(in crate::intake) async fn begin(&mut self) -> Result<bool, Fault> {
        let Some(_) = self.access.login else {
            return Ok(false);
        };
        if self.logged_in {
            return Ok(true);
        }
        self.log_in().await?;
        Ok(false)
    }

    /// The server, and how long it may take.
    pub(in crate::intake) fn access(&self) -> &Access {
        &self.access
    }

    /// The request that opens a WebSocket (RFC 6455, 4.1), with everything that belongs to the session. Many
    /// servers accept none without an origin.
    ///
    /// # Errors
    /// When a header cannot be made.
    pub(in crate::intake) fn upgrade(
        &self,
        path: &Secret,
        key: &str,
    ) -> Result<Request<()>, Fault> {
        let mut request = self
            .request(Method::GET, path, "*/*", String::new())?
            .map(|_| ());
        let server = &self.access.server;
        let scheme = if server.tls { "wss" } else { "ws" };
        let uri = format!("{scheme}://{}{}", server.host_header(), path.reveal());
        *request.uri_mut() = uri.parse().map_err(|_| {
            Fault::unreadable("the request cannot be made: expected a path of ASCII characters")
        })?;
        let headers = request.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(
            header::SEC_WEBSOCKET_VERSION,
            HeaderValue::from_static("13"),
        );
        headers.insert(header::SEC_WEBSOCKET_KEY, secret_header(key)?);
        if !headers.contains_key(header::ORIGIN) {
            let server = &self.access.server;
            let scheme = if server.tls { "https" } else { "http" };
            let origin = secret_header(&format!("{scheme}://{}", server.host_header()))?;
            headers.insert(header::ORIGIN, origin);
        }
        Ok(request)
    }

    /// Gets an address; `None` when nothing changed since the answer of the validators.
    ///
    /// # Errors
    /// Why there is no answer of the expected type.
    pub(in crate::intake) async fn get(
        &mut self,
        path: &Secret,
        expected: &Expected,
        mut headers: Vec<(&'static str, String)>,
    ) -> Result<Option<Answer>, Fault> {
        let mut may_log_in = self.begin().await?;
        loop {
            let accept = expected.name();
            let mut request = self.request(Method::GET, path, accept, String::new())?;
            for (name, value) in &headers {
                let value = HeaderValue::from_bytes(value.as_bytes());
                let value = value.map_err(|_| Fault::unreadable("a value for a header is none"))?;
                request.headers_mut().insert(*name, value);
            }
            let conditional = headers.iter().any(|(name, _)| name.starts_with("if-"));
            let answer = self.exchange(request).await?;
            let head = answer.response.headers();
            let encoded = head
                .get(header::CONTENT_ENCODING)
                .is_some_and(|encoding| encoding != "identity");
            let media = media_type(head);
            let status = answer.response.status();
            match judge(status, media.as_deref(), encoded, expected, conditional) {
                Verdict::Read => return Ok(Some(answer)),
                Verdict::Unchanged => {
                    self.connection = Some(answer.connection);
                    return Ok(None);
                }
                Verdict::LogIn(_) if may_log_in => {
                    may_log_in = false;
                    headers.retain(|(name, _)| !name.starts_with("if-"));
                    drop(answer);
                    self.log_in().await?;
                }
                Verdict::LogIn(fault) | Verdict::Fault(fault) => return Err(fault),
            }
        }
    }

    /// Reads an answer as a whole, and keeps its connection.
    ///
    /// # Errors
    /// When it is too large, too slow or interrupted.
    pub(in crate::intake) async fn body(
        &mut self,
        mut answer: Answer,
        most: usize,
    ) -> Result<Body, Fault> {
        let read = timeout_at(
            answer.deadline,
            whole_body(answer.response.body_mut(), most),
        )
        .await;
        let read = read.map_err(|_| self.too_slow())?;
        let bytes = read.map_err(Fault::unreadable)?;
        let head = answer.response.headers();
        let text = |name| head.get(name).and_then(|value| value.to_str().ok());
        let body = Body {
            bytes,
            media_type: media_type(head),
            charset: media_parameter(head, "charset"),
            validators: Validators::new(text(header::ETAG), text(header::LAST_MODIFIED)),
        };
        self.connection = Some(answer.connection);
        Ok(body)
    }

    pub(in crate::intake) fn too_slow(&self) -> Fault {
        let limit = self.access.timeout.as_secs_f32();
        Fault::unreachable(format!("no whole answer within {limit} s"))
    }

    /// A request with everything that belongs to the session.
    fn request(
        &self,
        method: Method,
        path: &Secret,
        accept: &str,
        body: String,
    ) -> Result<Request<String>, Fault> {
        let wrong = || {
            Fault::unreadable(
                "the request cannot be made: expected a path and headers of ASCII characters",
            )
        };
        let mut request = Request::builder()
            .method(method)
            .uri(path.reveal())
            .header(header::HOST, self.access.server.host_header())
            .header(header::USER_AGENT, "yobiban")
            .header(header::ACCEPT, accept)
            .body(body)
            .map_err(|_| wrong())?;
        let headers = request.headers_mut();
        self.authorize(headers)?;
        for (name, value) in &self.access.headers {
            let name = header::HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
            headers.insert(name, secret_header(value.reveal())?);
        }
        if let Some(cookies) = self.cookies.header() {
            headers.insert(header::COOKIE, secret_header(cookies.reveal())?);
        }
        Ok(request)
    }

    fn authorize(&self, headers: &mut HeaderMap) -> Result<(), Fault> {
        let bearer = |token: &Secret| secret_header(&format!("Bearer {}", token.reveal()));
        match (&self.token, &self.access.auth) {
            (Some(token), _) | (None, Auth::Bearer(token)) => {
                headers.insert(header::AUTHORIZATION, bearer(token)?);
            }
            (None, Auth::Basic { user, password }) => {
                let text = BASE64.encode(format!("{user}:{}", password.reveal()));
                let value = secret_header(&format!("Basic {text}"))?;
                headers.insert(header::AUTHORIZATION, value);
            }
            (None, Auth::None | Auth::Header { .. }) => {}
        }
        if let Auth::Header { name, value } = &self.access.auth {
            let name = header::HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
                Fault::unreadable("the name of a header is none: expected ASCII letters")
            })?;
            headers.insert(name, secret_header(value.reveal())?);
        }
        Ok(())
    }

    /// Sends a request over the connection that is kept, or over a new one, and takes cookies.
    async fn exchange(&mut self, request: Request<String>) -> Result<Answer, Fault> {
        let deadline = Instant::now() + self.access.timeout;
        let kept = self.connection.take();
        let sent = timeout_at(deadline, send(&self.access.server, kept, request)).await;
        let (response, connection) = sent
            .map_err(|_| self.too_slow())?
            .map_err(Fault::unreachable)?;
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            if let Ok(cookie) = cookie.to_str() {
                self.cookies.set(cookie, self.access.server.tls);
            }
        }
        Ok(Answer {
            response,
            connection,
            deadline,
        })
    }

    /// Begins a new session.
    ///
    /// # Errors
    /// Why the login failed.
    pub(in crate::intake) async fn log_in(&mut self) -> Result<(), Fault> {
        let Some(login) = self.access.login.clone() else {
            return Ok(());
        };
        self.logged_in = false;
        self.token = None;
        self.cookies.clear();
        let (method, media, body) = login.body.parts();
        let accept = if login.token.is_some() {
            "application/json"
        } else {
            "*/*"
        };
        let mut request = self.request(method, &login.path, accept, body)?;
        if let Some(media) = media {
            let media = HeaderValue::from_static(media);
            request.headers_mut().insert(header::CONTENT_TYPE, media);
        }
        let answer = self.exchange(request).await?;
        let status = answer.response.status();
        // A page that says welcome is often reached by a redirect.
        if !status.is_success() && !status.is_redirection() {
            let number = status.as_u16();
            return Err(Fault::unreachable(format!(
                "the login was answered {number}: expected valid credentials and the address of the login"
            )));
        }
        let read = self.body(answer, MAX_LOGIN).await;
        if let Some(pointer) = &login.token {
            self.token = Some(token_of(&read?.bytes, pointer)?);
        }
        self.logged_in = true;
        Ok(())
    }
}

/// Sends a request over a connection that was kept, else over a new one. A server may close a connection
/// while the request is under way: a GET is sent once more then.
async fn send(
    server: &Server,
    kept: Option<Connection>,
    request: Request<String>,
) -> Result<(Response<Incoming>, Connection), String> {
    let again = (request.method() == Method::GET).then(|| request.clone());
    let was_kept = kept.is_some();
    let mut connection = match kept {
        Some(connection) => connection,
        None => Connection::open(server).await?,
    };
    let error = match connection.send(request).await {
        Ok(response) => return Ok((response, connection)),
        Err(error) => error,
    };
    match again {
        Some(request) if was_kept && error.closed => {
            let mut connection = Connection::open(server).await?;
            let response = connection.send(request).await.map_err(|e| e.reason)?;
            Ok((response, connection))
        }
        _ => Err(error.reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_by_its_pointer() {
        let answer = br#"{"statusCode":200,"token":"eyJh","user":{"name":"Hanako"}}"#;
        assert_eq!(
            token_of(answer, "/token").expect("a token").reveal(),
            "eyJh"
        );
        for (answer, pointer) in [
            (&answer[..], "/user"),
            (answer, "/nothing"),
            (b"<html>Hanako</html>", "/token"),
            (br#"{"token":""}"#, "/token"),
        ] {
            let fault = token_of(answer, pointer).expect_err("no token");
            assert!(
                fault.text.contains(pointer) && !fault.text.contains("Hanako"),
                "{fault:?}"
            );
        }
    }

    #[test]
    fn a_form_is_encoded_and_secrets_are_not_printed() {
        let form = LoginBody::Form(vec![
            ("user".into(), Secret::new("a&b")),
            ("pass".into(), Secret::new("ひみつ =")),
        ]);
        let (method, _, body) = form.parts();
        assert_eq!(method, Method::POST);
        assert_eq!(body, "user=a%26b&pass=%E3%81%B2%E3%81%BF%E3%81%A4+%3D");
        assert!(!format!("{form:?}").contains("a&b"));
        assert!(secret_header("a\nb").is_err());
    }
}
