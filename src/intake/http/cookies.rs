//! The cookies of one server.

use crate::config::Secret;

/// Most cookies that are kept, and most bytes of one: more than a session needs.
const LIMITS: (usize, usize) = (20, 4096);

/// Cookies of the server that set them (RFC 6265), for as long as the program runs.
///
/// `Domain` and `Path` are not looked at: nothing is sent to another server, and the addresses that are asked
/// are all of one program.
#[derive(Debug, Default)]
pub(super) struct Cookies {
    kept: Vec<(String, Secret)>,
}

impl Cookies {
    /// Takes a `Set-Cookie` header. `tls` tells whether the connection is secure.
    pub(super) fn set(&mut self, header: &str, tls: bool) {
        let (most, longest) = LIMITS;
        let mut parts = header.split(';');
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            return;
        };
        let (name, value) = (name.trim(), value.trim());
        let clean = |text: &str| text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
        if name.is_empty() || header.len() > longest || !clean(name) || !clean(value) {
            return;
        }
        let mut ended = false;
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            match key.trim().to_ascii_lowercase().as_str() {
                "secure" if !tls => return,
                // A date is in the past in practice: it is how a session is ended.
                "expires" => ended |= value.contains(" 1970 ") || value.contains("-1970 "),
                "max-age" => ended |= value.trim().parse::<i64>().is_ok_and(|age| age <= 0),
                _ => {}
            }
        }
        self.kept.retain(|(kept, _)| kept != name);
        if !ended && self.kept.len() < most {
            self.kept.push((name.to_owned(), Secret::new(value)));
        }
    }

    /// The `Cookie` header; `None` without cookies.
    pub(super) fn header(&self) -> Option<Secret> {
        if self.kept.is_empty() {
            return None;
        }
        let pairs = self
            .kept
            .iter()
            .map(|(name, value)| format!("{name}={}", value.reveal()));
        Some(Secret::new(pairs.collect::<Vec<_>>().join("; ")))
    }

    /// Forgets all, before a new login.
    pub(super) fn clear(&mut self) {
        self.kept.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(headers: &[&str], tls: bool) -> String {
        let mut cookies = Cookies::default();
        for header in headers {
            cookies.set(header, tls);
        }
        cookies
            .header()
            .map_or_else(String::new, |h| h.reveal().to_owned())
    }

    #[test]
    fn a_cookie_is_sent_again_until_it_ends() {
        let session = "session=eyJh.bGci==; HttpOnly; Path=/; SameSite=Lax";
        assert_eq!(kept(&[session], false), "session=eyJh.bGci==");
        assert_eq!(
            kept(&[session, "session=2", "lang=en"], false),
            "session=2; lang=en"
        );
        assert_eq!(kept(&[session, "session=; Max-Age=0"], false), "");
        assert_eq!(
            kept(
                &[session, "session=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT"],
                false
            ),
            ""
        );
    }

    #[test]
    fn what_is_no_cookie_of_this_connection_is_not_kept() {
        assert_eq!(kept(&["a=1; Secure"], false), "");
        assert_eq!(kept(&["a=1; secure"], true), "a=1");
        let long = format!("a={}", "x".repeat(5000));
        for none in ["", "a", "=1", "a=1\r\nHost: b", long.as_str()] {
            assert_eq!(kept(&[none], true), "", "{none}");
        }
        let many: Vec<String> = (0..50).map(|n| format!("c{n}=1")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(kept(&many, true).split("; ").count(), 20);
    }

    #[test]
    fn cookies_are_not_printed() {
        let mut cookies = Cookies::default();
        cookies.set("session=verysecret", true);
        assert!(!format!("{cookies:?}").contains("verysecret"));
    }
}
