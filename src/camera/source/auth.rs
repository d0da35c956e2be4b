//! HTTP authentication at a camera: Digest (RFC 7616) where it offers it, else Basic (RFC 7617).
//!
//! Credentials are sent only after a challenge, and never the password itself where Digest will do.
//! Builds header texts only; knows no connection.

use crate::config::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::Sha256;
use sha2::digest::Digest;
use std::fmt::Write as _;

/// The challenge of a camera.
#[derive(Clone)]
pub(super) enum Challenge {
    Basic,
    Digest(DigestChallenge),
}

/// The parameters of a Digest challenge.
#[derive(Clone, Default)]
pub(super) struct DigestChallenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    /// Whether it knows `qop=auth`.
    auth: bool,
    sha256: bool,
    session: bool,
    /// How often the nonce was used.
    count: u32,
}

impl Challenge {
    /// The best that the camera offers in its `WWW-Authenticate` headers.
    pub(super) fn parse(headers: &[&str]) -> Option<Self> {
        let digests = headers
            .iter()
            .filter_map(|header| DigestChallenge::parse(header));
        // A camera that offers both kinds means the better one.
        if let Some(digest) = digests.max_by_key(|digest| digest.sha256) {
            return Some(Self::Digest(digest));
        }
        let basic = |header: &&str| scheme(header).0.eq_ignore_ascii_case("basic");
        headers.iter().any(basic).then_some(Self::Basic)
    }

    /// The `Authorization` header of a GET.
    pub(super) fn authorization(&mut self, user: &str, password: &Secret, path: &str) -> String {
        match self {
            Self::Basic => {
                let text = format!("{user}:{}", password.reveal());
                format!("Basic {}", BASE64.encode(text))
            }
            Self::Digest(digest) => {
                let cnonce = format!("{:016x}", fastrand::u64(..));
                digest.authorization(user, password, path, &cnonce)
            }
        }
    }
}

/// The word that a header begins with, and the rest.
fn scheme(header: &str) -> (&str, &str) {
    let header = header.trim();
    header.split_once(' ').unwrap_or((header, ""))
}

impl DigestChallenge {
    fn parse(header: &str) -> Option<Self> {
        let (scheme, rest) = scheme(header);
        if !scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let mut digest = Self::default();
        for (key, value) in parts(rest) {
            match key.to_ascii_lowercase().as_str() {
                "realm" => digest.realm = value.into(),
                "nonce" => digest.nonce = value.into(),
                "opaque" => digest.opaque = Some(value.into()),
                "qop" => digest.auth = value.split(',').any(|q| q.trim() == "auth"),
                "algorithm" => {
                    let name = value.to_ascii_lowercase();
                    let base = name.strip_suffix("-sess").unwrap_or(&name);
                    digest.session = base.len() < name.len();
                    digest.sha256 = base == "sha-256";
                    if !digest.sha256 && base != "md5" {
                        return None;
                    }
                }
                _ => {}
            }
        }
        (!digest.nonce.is_empty()).then_some(digest)
    }

    fn authorization(&mut self, user: &str, password: &Secret, path: &str, cnonce: &str) -> String {
        self.count = self.count.wrapping_add(1);
        let count = format!("{:08x}", self.count);
        let (realm, nonce) = (&self.realm, &self.nonce);
        let mut ha1 = self.hash(&format!("{user}:{realm}:{}", password.reveal()));
        if self.session {
            ha1 = self.hash(&format!("{ha1}:{nonce}:{cnonce}"));
        }
        let ha2 = self.hash(&format!("GET:{path}"));
        let response = if self.auth {
            self.hash(&format!("{ha1}:{nonce}:{count}:{cnonce}:auth:{ha2}"))
        } else {
            self.hash(&format!("{ha1}:{nonce}:{ha2}"))
        };
        let algorithm = match (self.sha256, self.session) {
            (false, false) => "MD5",
            (false, true) => "MD5-sess",
            (true, false) => "SHA-256",
            (true, true) => "SHA-256-sess",
        };
        let mut header = format!(
            "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{path}\", \
             algorithm={algorithm}, response=\"{response}\""
        );
        // Writing to a text cannot fail.
        if self.auth || self.session {
            let _ = write!(header, ", cnonce=\"{cnonce}\"");
        }
        if self.auth {
            let _ = write!(header, ", qop=auth, nc={count}");
        }
        if let Some(opaque) = &self.opaque {
            let _ = write!(header, ", opaque=\"{opaque}\"");
        }
        header
    }

    fn hash(&self, text: &str) -> String {
        if self.sha256 {
            hex::encode(Sha256::digest(text))
        } else {
            hex::encode(md5::Md5::digest(text))
        }
    }
}

/// `key=value` and `key="value"`, separated by commas. What is no such part ends the list, as do
/// escaped signs, which no camera sends.
fn parts(mut rest: &str) -> Vec<(&str, &str)> {
    /// More than RFC 7616 knows.
    const MAX_PARTS: usize = 16;
    let mut parts = Vec::new();
    while parts.len() < MAX_PARTS {
        rest = rest.trim_start_matches([' ', ',']);
        let Some((key, after)) = rest.split_once('=') else {
            break;
        };
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => match quoted.split_once('"') {
                Some((value, next)) if !value.contains('\\') => (value, next),
                _ => break,
            },
            None => after.split_once(',').unwrap_or((after, "")),
        };
        parts.push((key.trim(), value.trim()));
        rest = next;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(headers: &[&str]) -> Option<Challenge> {
        Challenge::parse(headers)
    }

    fn digest_of(header: &str) -> DigestChallenge {
        DigestChallenge::parse(header).expect("a challenge")
    }

    #[test]
    fn the_examples_of_the_standards_come_out() {
        // RFC 7617, 2.
        let mut basic = challenge(&["Basic realm=\"WallyWorld\""]).expect("basic");
        let secret = Secret::new("open sesame");
        let header = basic.authorization("Aladdin", &secret, "/");
        assert_eq!(header, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        // RFC 7616, 3.9.1.
        let rest = "realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
            nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
            opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            (
                "SHA-256",
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
        ] {
            let mut digest = digest_of(&format!("Digest algorithm={algorithm}, {rest}"));
            let secret = Secret::new("Circle of Life");
            let header = digest.authorization("Mufasa", &secret, "/dir/index.html", cnonce);
            assert!(
                header.contains(&format!("response=\"{response}\"")),
                "{header}"
            );
            assert!(header.contains(", nc=00000001, opaque="), "{header}");
            let again = digest.authorization("Mufasa", &secret, "/dir/index.html", cnonce);
            assert!(again.contains("nc=00000002"), "{again}");
        }
        // RFC 2069, as corrected: no qop.
        let mut old = digest_of(
            "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", \
             opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
        );
        let header = old.authorization(
            "Mufasa",
            &Secret::new("CircleOfLife"),
            "/dir/index.html",
            cnonce,
        );
        assert!(header.contains("response=\"1949323746fe6a43ef61f9606e7febea\""));
        assert!(!header.contains("nc="), "{header}");
    }

    #[test]
    fn the_best_way_is_chosen_and_what_is_none_is_not() {
        let digest = "Digest realm=\"a\", nonce=\"b\", algorithm=MD5";
        let better = "digest realm=\"a\", nonce=\"b\", algorithm=SHA-256";
        let sha256 = |c| {
            matches!(
                c,
                Some(Challenge::Digest(DigestChallenge { sha256: true, .. }))
            )
        };
        assert!(sha256(challenge(&["Basic realm=\"a\"", better, digest])));
        let found = challenge(&["Basic realm=\"a\"", digest]);
        assert!(matches!(found, Some(Challenge::Digest(_))));
        for nothing in [
            "",
            "Bearer",
            "Digest",
            "Digest realm=\"a\"",
            "Digest nonce=\"",
            "Digest nonce=\"a\\\"b\"",
            "Digest nonce=\"a\", algorithm=SHA-512-256",
        ] {
            assert!(challenge(&[nothing]).is_none(), "{nothing}");
        }
        let many = format!("Digest {}", "a=b,".repeat(10_000));
        assert!(challenge(&[&many]).is_none());
    }
}
