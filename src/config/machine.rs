//! What a node's file says of the box itself: `[wifi]`, `[network]`, `[ssh]`, `[time]`, `[update]`
//! and `[files]`. Only boxes made from the image act on it, at their start.
//!
//! Everything here ends in files of other programs, so each text is checked for what could end a
//! line or a quotation there.

use super::Secret;
use super::address;
use super::check::{Check, is_line};
use super::doc::At;
use super::problem::ProblemKind;
use super::raw::{RawNetwork, RawNode, RawWifi};
use std::collections::BTreeMap;
use std::net::IpAddr;
use url::Url;

/// Time servers unless configured: Japan's national standard, and a public service in Japan.
const TIME_SERVERS: [&str; 2] = ["ntp.nict.jp", "ntp.jst.mfeed.ad.jp"];

/// A box has few files and fewer people.
const MAX_FILES: usize = 16;
const MAX_KEYS: usize = 16;
/// A file of more is no certificate.
const MAX_FILE_BYTES: usize = 64 * 1024;
/// What resolvers look at (MAXNS of resolv.conf(5)).
const MAX_DNS: usize = 3;
const MAX_TIME_SERVERS: usize = 4;

/// What a box is told of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineConfig {
    /// The wireless network; `None` is the cable.
    pub wifi: Option<Wifi>,
    /// A fixed address; `None` is what the network gives.
    pub address: Option<Wired>,
    /// Public keys of those who may log in, one line each; empty is nobody.
    pub ssh_keys: Vec<String>,
    /// Time servers, by name or address; never empty.
    pub time_servers: Vec<String>,
    /// A page whose `Date:` is believed where no time server answers.
    pub time_http: Option<String>,
    /// Where the newest signed bundle is.
    pub update_url: Option<String>,
    /// Files to keep beside the configuration, by name.
    pub files: BTreeMap<String, Secret>,
}

/// A wireless network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wifi {
    /// Its name, 1 to 32 bytes.
    pub ssid: String,
    /// 8 to 63 printable ASCII characters; `None` is an open network.
    pub password: Option<Secret>,
    /// Two capital letters (ISO 3166).
    pub country: String,
    /// Whether it does not say its name.
    pub hidden: bool,
}

/// A fixed address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wired {
    pub address: IpAddr,
    /// Bits of the network's part.
    pub prefix: u8,
    pub gateway: Option<IpAddr>,
    /// Name servers.
    pub dns: Vec<IpAddr>,
}

impl Check<'_> {
    /// Checks what is said of the box.
    pub(super) fn machine(&mut self, raw: &RawNode) -> MachineConfig {
        let top = At::root();
        let ssh = raw.ssh.as_ref().map(|ssh| ssh.keys.as_deref());
        let time = raw.time.as_ref();
        let servers = time.and_then(|t| t.servers.as_deref());
        let http = time.and_then(|t| t.http.as_deref());
        MachineConfig {
            wifi: raw
                .wifi
                .as_ref()
                .and_then(|raw| self.wifi(&top.key("wifi"), raw)),
            address: raw
                .network
                .as_ref()
                .and_then(|raw| self.network(&top.key("network"), raw)),
            ssh_keys: match ssh {
                Some(keys) => self.ssh_keys(&top.key("ssh").key("keys"), keys),
                None => Vec::new(),
            },
            time_servers: self.time_servers(&top.key("time").key("servers"), servers),
            time_http: http.and_then(|raw| self.link(&top.key("time").key("http"), raw)),
            update_url: raw
                .update
                .as_ref()
                .and_then(|raw| self.update(&top.key("update").key("url"), raw.url.as_deref())),
            files: self.texts(&top.key("files"), raw.files.as_ref()),
        }
    }

    fn wifi(&mut self, at: &At, raw: &RawWifi) -> Option<Wifi> {
        let Some(ssid) = raw.ssid.as_deref() else {
            self.missing(&at.key("ssid"), "the name of the wireless network");
            return None;
        };
        // IEEE 802.11: at most 32 bytes.
        if !is_line(ssid, 32) || ssid.len() > 32 {
            self.wrong(&at.key("ssid"), "expected 1 to 32 bytes");
        }
        let password = raw.password.as_deref();
        let good =
            |p: &str| (8..=63).contains(&p.len()) && p.bytes().all(|b| (32..127).contains(&b));
        if password.is_some_and(|p| !good(p)) {
            self.wrong(
                &at.key("password"),
                "expected 8 to 63 letters, digits and signs of ASCII",
            );
        }
        let country = raw.country.as_deref().unwrap_or("JP");
        if country.len() != 2 || !country.bytes().all(|b| b.is_ascii_uppercase()) {
            self.wrong(
                &at.key("country"),
                "expected two capital letters such as JP",
            );
        }
        Some(Wifi {
            ssid: ssid.to_owned(),
            password: password.map(Secret::new),
            country: country.to_owned(),
            hidden: raw.hidden.unwrap_or(false),
        })
    }

    fn network(&mut self, at: &At, raw: &RawNetwork) -> Option<Wired> {
        let Some(address) = raw.address.as_deref() else {
            self.missing(&at.key("address"), "an address such as \"192.0.2.20/24\"");
            return None;
        };
        let split = address.split_once('/').and_then(|(ip, prefix)| {
            let (ip, prefix) = (ip.parse::<IpAddr>().ok()?, prefix.parse::<u8>().ok()?);
            let most = if ip.is_ipv4() { 32 } else { 128 };
            (1..=most).contains(&prefix).then_some((ip, prefix))
        });
        if split.is_none() {
            let typed = address.split_once('/').map_or(address, |(ip, _)| ip);
            if let Some(why) = address::flaw(typed) {
                self.wrong(&at.key("address"), why);
                return None;
            }
            self.wrong(
                &at.key("address"),
                "expected an address with the length of its network, such as \"192.0.2.20/24\"",
            );
        }
        let gateway = raw
            .gateway
            .as_deref()
            .and_then(|raw| self.ip(&at.key("gateway"), raw));
        let listed = raw.dns.as_deref().unwrap_or_default();
        if listed.len() > MAX_DNS {
            self.wrong_as(
                &at.key("dns"),
                ProblemKind::TooMany,
                format_args!("expected at most {MAX_DNS} name servers"),
            );
        }
        let mut dns = Vec::new();
        for (i, raw) in listed.iter().enumerate().take(MAX_DNS) {
            dns.extend(self.ip(&at.key("dns").index(i), raw));
        }
        let (address, prefix) = split?;
        Some(Wired {
            address,
            prefix,
            gateway,
            dns,
        })
    }

    fn ip(&mut self, at: &At, raw: &str) -> Option<IpAddr> {
        let ip = raw.parse().ok();
        if ip.is_none() {
            let why = address::flaw(raw);
            self.wrong(
                at,
                why.as_deref()
                    .unwrap_or("expected an IP address such as \"192.0.2.1\""),
            );
        }
        ip
    }

    fn ssh_keys(&mut self, at: &At, raw: Option<&[String]>) -> Vec<String> {
        const EXPECTED: &str = "a public key in one line, such as \"ssh-ed25519 AAAA… name\"";
        const KINDS: [&str; 4] = ["ssh-ed25519", "ssh-rsa", "ecdsa-", "sk-"];
        let Some(raw) = raw else {
            self.missing(at, format_args!("a list of keys, each {EXPECTED}"));
            return Vec::new();
        };
        if raw.len() > MAX_KEYS {
            self.wrong_as(
                at,
                ProblemKind::TooMany,
                format_args!("expected at most {MAX_KEYS} keys"),
            );
        }
        let mut keys = Vec::new();
        for (i, key) in raw.iter().enumerate().take(MAX_KEYS) {
            let mut words = key.split_ascii_whitespace();
            let kind = words.next().unwrap_or_default();
            let body = words.next().unwrap_or_default();
            let good = is_line(key, 2000)
                && KINDS.iter().any(|k| kind.starts_with(k))
                && body.starts_with("AAAA");
            if good {
                keys.push(key.trim().to_owned());
            } else if key.contains("PRIVATE KEY") {
                self.wrong(
                    &at.index(i),
                    format_args!("a private key: expected {EXPECTED}"),
                );
            } else {
                self.wrong(&at.index(i), format_args!("expected {EXPECTED}"));
            }
        }
        keys
    }

    fn time_servers(&mut self, at: &At, raw: Option<&[String]>) -> Vec<String> {
        let Some(raw) = raw else {
            return TIME_SERVERS.map(str::to_owned).to_vec();
        };
        if raw.is_empty() || raw.len() > MAX_TIME_SERVERS {
            self.wrong(
                at,
                format_args!("expected 1 to {MAX_TIME_SERVERS} time servers"),
            );
        }
        for (i, name) in raw.iter().enumerate() {
            if name.parse::<IpAddr>().is_ok() {
                continue;
            }
            if name.starts_with('[') {
                self.wrong(&at.index(i), "expected an address without brackets");
            } else if let Err(why) = address::host(name) {
                self.wrong(
                    &at.index(i),
                    format_args!(
                        "expected a host name or an address such as \"ntp.nict.jp\": {why}"
                    ),
                );
            }
        }
        raw.to_vec()
    }

    fn link(&mut self, at: &At, raw: &str) -> Option<String> {
        let good = raw.len() <= 500
            && !raw.contains(['"', '\'', '\\', '$', '`', ' '])
            && Url::parse(raw)
                .is_ok_and(|u| matches!(u.scheme(), "http" | "https") && u.has_host());
        if !good {
            self.wrong(at, "expected an http or https address");
            return None;
        }
        self.web_host(at, raw)?;
        Some(raw.to_owned())
    }

    fn update(&mut self, at: &At, raw: Option<&str>) -> Option<String> {
        let Some(raw) = raw else {
            self.missing(
                at,
                "the bundle's address, such as https://updates.example.jp/yobiban.raucb",
            );
            return None;
        };
        self.link(at, raw)
    }

    fn texts(
        &mut self,
        at: &At,
        raw: Option<&BTreeMap<String, String>>,
    ) -> BTreeMap<String, Secret> {
        let mut files = BTreeMap::new();
        let Some(raw) = raw else { return files };
        if raw.len() > MAX_FILES {
            self.wrong_as(
                at,
                ProblemKind::TooMany,
                format_args!("expected at most {MAX_FILES} files"),
            );
        }
        for (name, text) in raw.iter().take(MAX_FILES) {
            let at = at.key(name);
            let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
            let taken = ["yobiban.toml", "node.toml"].contains(&name.as_str());
            if name.is_empty()
                || name.len() > 64
                || name.starts_with('.')
                || taken
                || !name.bytes().all(plain)
            {
                self.wrong(
                    &at,
                    "not a file's name: expected letters, digits, . - and _",
                );
            } else if text.len() > MAX_FILE_BYTES {
                self.wrong(
                    &at,
                    format_args!("expected at most {} KiB", MAX_FILE_BYTES / 1024),
                );
            } else {
                files.insert(name.clone(), Secret::new(text));
            }
        }
        files
    }
}
