//! `source` of a `[[camera]]` on the network: its address, and who asks.

use super::check::{Check, is_line};
use super::doc::At;
use super::mqtt::SecretKeys;
use super::problem::ProblemKind;
use super::raw::RawCameraSource;
use super::secret::Secret;
use std::path::PathBuf;
use url::Url;

/// A camera on the network. Its path may hold a key, so it prints masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpCameraConfig {
    /// Whether it is spoken to by TLS.
    pub tls: bool,
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Path with query.
    pub path: Secret,
    /// Certificates of the authorities to trust, PEM; `None` is those of the system.
    pub ca: Option<PathBuf>,
    /// User name and password.
    pub login: Option<(String, Secret)>,
}

impl Check<'_> {
    pub(super) fn http_camera(
        &mut self,
        at: &At,
        raw: &RawCameraSource,
    ) -> Option<HttpCameraConfig> {
        let url = self.picture_url(&at.key("url"), raw.url.as_deref());
        let tls = url.as_ref().is_some_and(|u| u.scheme() == "https");
        let ca = raw.ca.as_deref().and_then(|ca| {
            let at = at.key("ca");
            if url.is_some() && !tls {
                self.wrong_as(
                    &at,
                    ProblemKind::Unwanted,
                    "only with TLS: expected an address that begins with https://",
                );
                return None;
            }
            self.authorities(&at, ca)
        });
        let login = self.login(at, raw);
        let url = url?;
        if let Some(typed) = raw.url.as_deref() {
            self.web_host(&at.key("url"), typed)?;
        }
        let mut path = url.path().to_owned();
        if let Some(query) = url.query() {
            path = format!("{path}?{query}");
        }
        Some(HttpCameraConfig {
            tls,
            host: url.host_str()?.to_owned(),
            port: url.port_or_known_default()?,
            path: Secret::new(path),
            ca,
            login,
        })
    }

    fn picture_url(&mut self, at: &At, raw: Option<&str>) -> Option<Url> {
        const EXPECTED: &str = "http://HOST[:PORT]/PATH or https://HOST[:PORT]/PATH";
        let Some(text) = raw else {
            self.missing(at, format_args!("the address of its picture, {EXPECTED}"));
            return None;
        };
        let good = |u: &Url| matches!(u.scheme(), "http" | "https") && u.has_host();
        let Some(url) = Url::parse(text).ok().filter(good) else {
            self.wrong(at, format_args!("expected {EXPECTED}"));
            return None;
        };
        if !url.username().is_empty() || url.password().is_some() {
            self.wrong(
                at,
                "user name or password in the address: expected them in username and password_file",
            );
            return None;
        }
        Some(url)
    }

    /// User name and password, both or neither.
    fn login(&mut self, at: &At, raw: &RawCameraSource) -> Option<(String, Secret)> {
        let password = self.secret(
            at,
            SecretKeys {
                base: "password",
                inline: raw.password.as_deref(),
                file: raw.password_file.as_deref(),
                credential: raw.password_credential.as_deref(),
            },
        );
        let any_password = raw.password.is_some()
            || raw.password_file.is_some()
            || raw.password_credential.is_some();
        let user = raw.username.as_deref();
        if user.is_some_and(|user| !is_line(user, 128) || user.contains([':', '"', '\\'])) {
            self.wrong(
                &at.key("username"),
                "expected 1 to 128 printable characters without : \" \\",
            );
        }
        match (user, any_password) {
            (None, true) => self.missing(&at.key("username"), "a user name beside the password"),
            (Some(_), false) => {
                self.missing(&at.key("password_file"), "the file that holds the password");
            }
            _ => {}
        }
        user.map(str::to_owned).zip(password)
    }
}
