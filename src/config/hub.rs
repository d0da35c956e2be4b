//! A hub's file, checked.

use super::address;
use super::check::Check;
use super::doc::At;
use super::mqtt::SecretKeys;
use super::problem::ProblemKind;
use super::raw::{RawHttp, RawHub, RawSite};
use super::stream::Voice;
use super::{ClosedDays, HubConfig, PagesConfig, Secret, WebConfig};
use crate::model::{Name, OfficeId};
use jiff::civil::Weekday;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Only this machine, until somebody says otherwise; a proxy with TLS belongs in front.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
/// The history's file, beside the configuration; in the state directory of a service that has one.
const STORE_URL: &str = "sqlite:hub.db";
/// Days that times are kept: a year and a month, so that a month can be held against last year's.
pub(super) const RETENTION_DAYS: u16 = 400;
/// Title of the pages.
const TITLE: [(&str, &str); 2] = [("ja", "区役所窓口の混雑状況"), ("en", "Ward office queues")];

impl Check<'_> {
    /// Checks everything; problems are collected, so `None` comes with at least one.
    pub(super) fn hub(&mut self, raw: &RawHub) -> Option<HubConfig> {
        let top = At::root();
        let mqtt = self.mqtt(&top.key("mqtt"), raw.mqtt.as_ref());
        let listen = self.listen(
            &top.key("http").key("listen"),
            raw.http.as_ref().and_then(|h| h.listen.as_deref()),
        );
        let at = top.key("store");
        let store = raw.store.clone().unwrap_or_default();
        let keys = SecretKeys {
            base: "url",
            inline: store.url.as_deref(),
            file: store.url_file.as_deref(),
            credential: store.url_credential.as_deref(),
        };
        let default = keys.inline.or(keys.file).or(keys.credential).is_none();
        let url = if default {
            // Beside the configuration a service may not write.
            let kept = self.around.state.as_ref();
            Some(kept.map_or_else(
                || Secret::new(STORE_URL),
                |dir| Secret::new(format!("sqlite:{}", dir.join("hub.db").display())),
            ))
        } else {
            self.secret(&at, keys)
        };
        let store_url = url.and_then(|url| self.store_url(&at, &url));
        let retention_days = self.count(
            &at.key("retention_days"),
            store.retention_days,
            RETENTION_DAYS.into(),
            1..=3650,
        );
        let page = raw.site.clone().unwrap_or_default();
        let at = top.key("site");
        let title = match &page.title {
            Some(title) => self.name(&at.key("title"), Some(title)),
            None => Some(Name::new(TITLE)),
        };
        let http = raw.http.clone().unwrap_or_default();
        let pages = self.pages(&page, &http);
        let web = self.web(&http);
        let order = self.order(&at.key("order"), page.order.as_deref().unwrap_or_default());
        let streams = self.streams(
            raw.stream.as_deref().unwrap_or_default(),
            Voice::of(raw.voice.as_ref()),
        );
        let voice = raw.voice.as_ref().map(|raw| self.hub_voice(raw));
        Some(HubConfig {
            mqtt: mqtt?,
            listen,
            store_url: store_url?,
            retention_days: u16::try_from(retention_days).unwrap_or(RETENTION_DAYS),
            order,
            title: title?,
            pages,
            web,
            streams,
            voice,
        })
    }

    fn pages(&mut self, page: &RawSite, http: &RawHttp) -> PagesConfig {
        /// More people than an office holds.
        const MAX_WAITING: usize = 10_000;
        /// More than one machine serves.
        const MAX_OPEN: usize = 1_000_000;
        const DAY: Duration = Duration::from_secs(24 * 3600);
        let defaults = PagesConfig::default();
        let at = At::root().key("site");
        let busy_wait = self.duration(
            &at.key("busy_wait"),
            page.busy_wait.as_ref(),
            defaults.busy_wait,
            Duration::from_secs(60)..=DAY,
        );
        let crowded_wait = self.duration(
            &at.key("crowded_wait"),
            page.crowded_wait.as_ref(),
            defaults.crowded_wait.max(busy_wait),
            busy_wait..=DAY,
        );
        let mut people = |key: &str, raw: Option<i64>, default: u32, least: u32| {
            let n = self.count(
                &at.key(key),
                raw,
                default.max(least) as usize,
                least as usize..=MAX_WAITING,
            );
            u32::try_from(n).unwrap_or(default)
        };
        let busy_waiting = people("busy_waiting", page.busy_waiting, defaults.busy_waiting, 1);
        let crowded_waiting = people(
            "crowded_waiting",
            page.crowded_waiting,
            defaults.crowded_waiting,
            busy_waiting,
        );
        let at = At::root().key("http");
        let max_viewers = self.count(
            &at.key("max_viewers"),
            http.max_viewers,
            defaults.max_viewers,
            1..=MAX_OPEN,
        );
        PagesConfig {
            busy_wait,
            crowded_wait,
            busy_waiting,
            crowded_waiting,
            max_viewers,
            max_connections: self.count(
                &at.key("max_connections"),
                http.max_connections,
                defaults.max_connections.max(max_viewers),
                max_viewers..=MAX_OPEN,
            ),
            closed: self.closed(page),
        }
    }

    fn closed(&mut self, page: &RawSite) -> ClosedDays {
        /// A list of holidays for some years.
        const MAX_DATES: usize = 400;
        let mut closed = ClosedDays::default();
        if let Some(raw) = &page.closed_weekdays {
            let at = At::root().key("site").key("closed_weekdays");
            closed.weekdays.clear();
            for (i, word) in raw.iter().enumerate() {
                match weekday(word) {
                    Some(day) if !closed.weekdays.contains(&day) => closed.weekdays.push(day),
                    Some(_) => self.wrong_as(
                        &at.index(i),
                        ProblemKind::Duplicate,
                        "twice: expected each day once",
                    ),
                    None => self.wrong(
                        &at.index(i),
                        "expected one of mon, tue, wed, thu, fri, sat, sun",
                    ),
                }
            }
        }
        let at = At::root().key("site").key("closed_days");
        let raw = page.closed_days.as_deref().unwrap_or_default();
        if raw.len() > MAX_DATES {
            self.wrong_as(
                &at,
                ProblemKind::TooMany,
                format_args!("expected at most {MAX_DATES} days"),
            );
        }
        for (i, day) in raw.iter().enumerate().take(MAX_DATES) {
            match day.parse() {
                Ok(day) => {
                    closed.dates.insert(day);
                }
                Err(_) => self.wrong(&at.index(i), "expected a date such as 2027-01-01"),
            }
        }
        closed
    }

    fn web(&mut self, http: &RawHttp) -> WebConfig {
        /// More than a city has sites; the list goes out with every answer.
        const MAX_ORIGINS: usize = 16;
        let at = At::root().key("http").key("frame_ancestors");
        let raw = http.frame_ancestors.as_deref().unwrap_or_default();
        if raw.len() > MAX_ORIGINS {
            self.wrong_as(
                &at,
                ProblemKind::TooMany,
                format_args!("expected at most {MAX_ORIGINS} origins"),
            );
        }
        let mut frame_ancestors: Vec<String> = Vec::new();
        for (i, text) in raw.iter().enumerate().take(MAX_ORIGINS) {
            let at = at.index(i);
            match origin(text) {
                Some(origin) if frame_ancestors.contains(&origin) => {
                    self.wrong_as(&at, ProblemKind::Duplicate, "twice: expected each origin once");
                }
                Some(origin) => frame_ancestors.push(origin),
                None => self.wrong(
                    &at,
                    "not an origin: expected https://HOST[:PORT] without a path, or http:// for tests",
                ),
            }
        }
        WebConfig {
            hsts: http.hsts.unwrap_or(false),
            frame_ancestors,
            fleet_token: self.fleet_token(http),
        }
    }

    fn fleet_token(&mut self, http: &RawHttp) -> Option<Secret> {
        /// Nobody guesses so many over the net (NIST SP 800-63B, 5.1.1.2, asks for 8 at least).
        const LEAST: usize = 16;
        let at = At::root().key("http");
        let keys = SecretKeys {
            base: "fleet_token",
            inline: http.fleet_token.as_deref(),
            file: http.fleet_token_file.as_deref(),
            credential: http.fleet_token_credential.as_deref(),
        };
        keys.inline.or(keys.file).or(keys.credential)?;
        let token = self.secret(&at, keys)?;
        if token.reveal().len() < LEAST {
            let key = at.key("fleet_token");
            self.wrong(
                &key,
                format_args!("too short: expected at least {LEAST} characters"),
            );
            return None;
        }
        Some(token)
    }

    fn listen(&mut self, at: &At, raw: Option<&str>) -> SocketAddr {
        let Some(raw) = raw else { return LISTEN };
        raw.parse().unwrap_or_else(|_| {
            self.wrong(
                at,
                "expected an IP address and port, such as 127.0.0.1:8080 or [::]:8080",
            );
            LISTEN
        })
    }

    /// Makes the file of a SQLite address one seen from the folder of the configuration.
    fn store_url(&mut self, at: &At, url: &Secret) -> Option<Secret> {
        let text = url.reveal();
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            if let Some(why) = raw_signs(text) {
                let key = self.store_key(at);
                self.wrong(&key, why);
                return None;
            }
            if url::Url::parse(text).is_ok_and(|u| u.has_host()) {
                if let Some(why) = address::flaw(address::typed_host(text)) {
                    let key = self.store_key(at);
                    self.wrong(&key, why);
                    return None;
                }
                return Some(url.clone());
            }
        } else if let Some(file) = text.strip_prefix("sqlite:") {
            let file = file.strip_prefix("//").unwrap_or(file);
            if file.starts_with(":memory:") {
                return Some(url.clone());
            }
            if !file.is_empty() && !file.starts_with('?') {
                let path = self.around.dir.join(file);
                if let Some(path) = path.to_str() {
                    return Some(Secret::new(format!("sqlite:{path}")));
                }
            }
        }
        let key = self.store_key(at);
        self.wrong(
            &key,
            "not the address of a database: expected sqlite:FILE or postgres://USER@HOST/NAME",
        );
        None
    }

    /// Where the address of the database was given.
    fn store_key(&self, at: &At) -> At {
        ["url", "url_file", "url_credential"]
            .into_iter()
            .map(|key| at.key(key))
            .find(|at| self.doc.position_of(at).is_some() && self.doc.text_at(at).is_some())
            .unwrap_or_else(|| at.key("url"))
    }

    pub(super) fn order(&mut self, at: &At, raw: &[String]) -> Vec<OfficeId> {
        let mut order: Vec<OfficeId> = Vec::new();
        for (i, id) in raw.iter().enumerate() {
            let at = at.index(i);
            let Some(id) = self.id(&at, Some(id)) else {
                continue;
            };
            if order.contains(&id) {
                self.wrong_as(
                    &at,
                    ProblemKind::Duplicate,
                    "twice: expected each office once",
                );
            } else {
                order.push(id);
            }
        }
        order
    }
}

/// Says how to write the signs of a password that end a part of an address.
fn raw_signs(text: &str) -> Option<&'static str> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    // Before the parameters, if there is a path before them.
    let whole = match rest.split_once('?') {
        Some((whole, _)) if whole.contains(['/', '@']) => whole,
        _ => rest,
    };
    let place = whole.split(['/', '?']).next().unwrap_or_default();
    // An @ belongs between user and host, once; a # nowhere.
    let raw = rest.contains('#')
        || place.matches('@').count() > 1
        || whole.matches('@').count() > place.matches('@').count();
    raw.then_some(
        "a sign that ends a part of the address: expected it percent-encoded in user name and \
         password: @ as %40, # as %23, / as %2F, ? as %3F, : as %3A, % as %25",
    )
}

fn weekday(word: &str) -> Option<Weekday> {
    Some(match word {
        "mon" => Weekday::Monday,
        "tue" => Weekday::Tuesday,
        "wed" => Weekday::Wednesday,
        "thu" => Weekday::Thursday,
        "fri" => Weekday::Friday,
        "sat" => Weekday::Saturday,
        "sun" => Weekday::Sunday,
        _ => return None,
    })
}

/// An origin as a `Content-Security-Policy` names it; `None` for anything that is more or less
/// than one, such as a path, a wildcard or a user name. Hosts are plain names and addresses, so
/// that nothing of the file can end the directive.
fn origin(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    let bare = matches!(url.scheme(), "https" | "http")
        && url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '[' | ']' | ':');
    let host = url.host_str()?;
    if !bare || text.ends_with('/') || !host.chars().all(plain) {
        return None;
    }
    Some(url.origin().ascii_serialization())
}
