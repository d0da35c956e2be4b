//! `[mqtt]` and `[uplink]`: one connection to a broker; and secrets, wherever they come from.

use super::check::{Check, is_line};
use super::doc::At;
use super::pem::Found;
use super::problem::ProblemKind;
use super::raw::RawMqtt;
use super::secret::Line;
use super::text::{Text, read_text};
use super::tls::{self, TlsError};
use super::{MqttConfig, Secret, TlsConfig};
use crate::wire::topic::DEFAULT_ROOT;
use rustls::RootCertStore;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

/// Longest silence before a ping, unless configured.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// Below 5 s pings crowd a slow line; over 1 h a dead line goes unnoticed.
const KEEP_ALIVE_BOUNDS: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(3600));

/// Longest root, in bytes: leaves room for the levels below within MQTT's 65,535.
const MAX_ROOT: usize = 200;

/// The three ways to give a secret: in the file, in another file, as systemd credential.
pub(super) struct SecretKeys<'a> {
    /// The key's name, such as `password`; the others end in `_file` and `_credential`.
    pub(super) base: &'a str,
    pub(super) inline: Option<&'a str>,
    pub(super) file: Option<&'a str>,
    pub(super) credential: Option<&'a str>,
}

impl Check<'_> {
    /// A connection that must be there.
    pub(super) fn mqtt(&mut self, at: &At, raw: Option<&RawMqtt>) -> Option<MqttConfig> {
        let raw = match raw {
            Some(raw) => raw,
            None => &RawMqtt::default(),
        };
        let server = self.broker(&at.key("url"), raw.url.as_deref());
        let secure = server.as_ref().is_some_and(|(_, _, secure)| *secure);
        let tls = self.tls(at, raw, secure);
        let root = self.topic_root(&at.key("root"), raw.root.as_deref());
        let username = raw
            .username
            .as_deref()
            .and_then(|name| self.line(&at.key("username"), name, 256));
        let password = self.secret(
            at,
            SecretKeys {
                base: "password",
                inline: raw.password.as_deref(),
                file: raw.password_file.as_deref(),
                credential: raw.password_credential.as_deref(),
            },
        );
        if password.is_some() && raw.username.is_none() {
            self.missing(&at.key("username"), "a user name beside the password");
        }
        let client_id = raw
            .client_id
            .as_deref()
            .and_then(|id| self.line(&at.key("client_id"), id, 128));
        let keep_alive = self.duration(
            &at.key("keep_alive"),
            raw.keep_alive.as_ref(),
            KEEP_ALIVE,
            KEEP_ALIVE_BOUNDS.0..=KEEP_ALIVE_BOUNDS.1,
        );
        let (host, port, _) = server?;
        Some(MqttConfig {
            host,
            port,
            tls: secure.then_some(tls),
            root,
            username,
            password,
            client_id,
            keep_alive,
        })
    }

    /// Host, port, and whether TLS is asked for.
    fn broker(&mut self, at: &At, raw: Option<&str>) -> Option<(String, u16, bool)> {
        const EXPECTED: &str = "mqtt://HOST[:PORT] or mqtts://HOST[:PORT]";
        let Some(raw) = raw else {
            self.missing(at, format_args!("the broker's address, {EXPECTED}"));
            return None;
        };
        let url = match Url::parse(raw) {
            Ok(url) if matches!(url.scheme(), "mqtt" | "mqtts") => url,
            Ok(url) if raw.contains("://") => {
                let scheme = url.scheme();
                self.wrong(
                    at,
                    format_args!("unknown scheme {scheme}: expected {EXPECTED}"),
                );
                return None;
            }
            _ => {
                self.wrong(at, format_args!("not an address: expected {EXPECTED}"));
                return None;
            }
        };
        if !url.username().is_empty() || url.password().is_some() {
            let keys = "username and password_file";
            self.wrong(
                at,
                format_args!("user name or password in the address: expected them in {keys}"),
            );
            return None;
        }
        let secure = url.scheme() == "mqtts";
        let port = url.port().unwrap_or(if secure { 8883 } else { 1883 });
        let bare =
            matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        if !url.has_host() || port == 0 || !bare {
            self.wrong(at, format_args!("expected {EXPECTED}, nothing else"));
            return None;
        }
        let host = self.host_of(at, raw.trim())?;
        Some((host, port, secure))
    }

    fn tls(&mut self, at: &At, raw: &RawMqtt, secure: bool) -> TlsConfig {
        let plain = !secure && raw.url.as_deref().is_some_and(|u| u.starts_with("mqtt:"));
        let mut given = |key: &str, file: &Option<String>| {
            let file = file.clone()?;
            let at = at.key(key);
            if plain {
                self.wrong_as(
                    &at,
                    ProblemKind::Unwanted,
                    "only with TLS: expected an address that begins with mqtts://",
                );
                return None;
            }
            Some((at, file))
        };
        let ca = given("ca", &raw.ca);
        let cert = given("cert", &raw.cert);
        let key = given("key", &raw.key);
        match (&raw.cert, &raw.key) {
            (Some(_), None) => self.missing(&at.key("key"), "the private key beside cert"),
            (None, Some(_)) => self.missing(&at.key("cert"), "the certificate beside key"),
            _ => {}
        }
        let ca = ca.and_then(|(at, file)| self.loaded(&at, &file, tls::authorities));
        let cert = cert.and_then(|(at, file)| self.loaded(&at, &file, tls::chain));
        let key_at = at.key("key");
        let key = key.and_then(|(at, file)| self.loaded(&at, &file, tls::key));
        let client = cert.zip(key).map(|((cert, chain), (key, own))| {
            // What is in order here connects later: the same is made of it then.
            if let Err(error) = tls::client(RootCertStore::empty(), Some((chain, own))) {
                self.wrong_as(&key_at, ProblemKind::BadFile, error);
            }
            (cert, key)
        });
        TlsConfig {
            ca: ca.map(|(path, _)| path),
            client,
        }
    }

    /// A PEM file with those who may sign another's certificate.
    pub(super) fn authorities(&mut self, at: &At, file: &str) -> Option<PathBuf> {
        self.loaded(at, file, tls::authorities)
            .map(|(path, _)| path)
    }

    /// The same for a program that reads the file itself, and knows no byte order mark.
    pub(super) fn foreign_authorities(&mut self, at: &At, file: &str) -> Option<PathBuf> {
        let path = self.path(at, file)?;
        if tls::authorities(&path).is_ok_and(|found| found.bom) {
            self.wrong_as(
                at,
                ProblemKind::BadFile,
                "a byte order mark in front: expected it saved as UTF-8 without one (ffmpeg reads this file)",
            );
            return None;
        }
        self.authorities(at, file)
    }

    /// What a PEM file holds, by the loader that reads it at work.
    fn loaded<T>(
        &mut self,
        at: &At,
        file: &str,
        load: impl FnOnce(&Path) -> Result<Found<T>, TlsError>,
    ) -> Option<(PathBuf, T)> {
        let path = self.path(at, file)?;
        match load(&path) {
            Ok(Found { found, bom }) => {
                if bom {
                    self.note(at, "a byte order mark in front is ignored");
                }
                Some((path, found))
            }
            Err(TlsError::File { problem, path }) => {
                match problem {
                    tls::Problem::Unreadable(why) => {
                        let detail = format_args!("{}: {why}", path.display());
                        self.wrong_as(at, ProblemKind::Unreadable, detail);
                    }
                    problem => self.wrong_as(at, ProblemKind::BadFile, problem),
                }
                None
            }
            Err(error) => {
                self.wrong_as(at, ProblemKind::BadFile, error);
                None
            }
        }
    }

    fn topic_root(&mut self, at: &At, raw: Option<&str>) -> String {
        let root = raw.unwrap_or(DEFAULT_ROOT);
        let good = is_line(root, MAX_ROOT)
            && !root.starts_with('$')
            && root
                .split('/')
                .all(|level| !level.is_empty() && !level.contains(['+', '#']));
        if !good {
            self.wrong(
                at,
                "expected topic levels such as yobiban/v1, without +, # and empty levels",
            );
        }
        root.to_owned()
    }

    fn line(&mut self, at: &At, raw: &str, max: usize) -> Option<String> {
        let good = is_line(raw, max);
        if !good {
            self.wrong(at, format_args!("expected 1 to {max} printable characters"));
        }
        good.then(|| raw.to_owned())
    }

    /// A secret from at most one of its three places.
    pub(super) fn secret(&mut self, at: &At, keys: SecretKeys<'_>) -> Option<Secret> {
        let base = keys.base;
        let (file_key, credential_key) = (format!("{base}_file"), format!("{base}_credential"));
        let given = [
            keys.inline.map(|_| base),
            keys.file.map(|_| file_key.as_str()),
            keys.credential.map(|_| credential_key.as_str()),
        ];
        let mut given = given.into_iter().flatten();
        if let (Some(first), Some(second)) = (given.next(), given.next()) {
            self.wrong_as(
                &at.key(second),
                ProblemKind::Unwanted,
                format_args!("beside {first}: expected only one of them"),
            );
            return None;
        }
        let (key, line) = if let Some(text) = keys.inline {
            let text = text.trim_end_matches(['\n', '\r']).to_owned();
            (
                at.key(base),
                Line {
                    text,
                    blanks: false,
                },
            )
        } else {
            let (key, text) = if let Some(file) = keys.file {
                let key = at.key(&file_key);
                let (_, text) = self.file(&key, file)?;
                (key, text)
            } else {
                let key = at.key(&credential_key);
                let text = self.credential(&key, keys.credential?)?;
                (key, text)
            };
            if text.bom {
                self.note(&key, "a byte order mark in front of it is ignored");
            }
            let line = Line::of(&text.text);
            if line.blanks {
                self.note(
                    &key,
                    format_args!(
                        "blanks at its end are ignored; if they belong to it, write it as {base} in \
                         the file itself"
                    ),
                );
            }
            (key, line)
        };
        if !is_line(&line.text, 4096) {
            self.wrong(&key, format_args!("no {base} there: expected one line"));
            return None;
        }
        Some(Secret::new(line.text))
    }

    fn credential(&mut self, at: &At, name: &str) -> Option<Text> {
        if name.is_empty() || name.contains('/') || name.starts_with('.') {
            self.wrong(
                at,
                "not the name of a credential: expected one as in LoadCredential=NAME:FILE",
            );
            return None;
        }
        let Some(dir) = self.around.credentials.clone() else {
            self.wrong(
                at,
                "no credentials here: expected a systemd unit with LoadCredential=NAME:FILE",
            );
            return None;
        };
        let read = read_text(&dir.join(name), 4096);
        if let Err(error) = &read {
            self.unread(at, "the credential", error);
        }
        read.ok()
    }
}
