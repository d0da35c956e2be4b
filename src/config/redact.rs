//! A configuration's text without its secrets, and with them again.
//!
//! A box takes its file from a card that any computer reads, keeps it, and leaves a copy there in
//! which each secret is replaced by [`PLACEHOLDER`]. Whoever changes that copy later need not know
//! the secrets: a placeholder stands for what the box has already. The text around them stays as it
//! was typed.

use super::doc::{Doc, is_secret};
use super::error::ConfigError;
use super::problem::{Problem, ProblemKind};
use std::ops::Range;

/// What stands in place of a secret that a box keeps.
pub const PLACEHOLDER: &str = "(kept by the box)";

/// Which values are secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrecy {
    /// Passwords, keys of videos, and all of `[files]` that is not a certificate.
    All,
    /// The password of `[wifi]`: what the service itself has no use for.
    Wifi,
}

impl Secrecy {
    fn holds(self, path: &[String], text: &str) -> bool {
        let is = |i: usize, name: &str| path.get(i).is_some_and(|key| key == name);
        if is(0, "wifi") {
            return is(1, "password");
        }
        if self == Self::Wifi {
            return false;
        }
        if is(0, "files") {
            return !text.contains("-----BEGIN CERTIFICATE") || text.contains("PRIVATE KEY");
        }
        let last = path.last().map(String::as_str).unwrap_or_default();
        is_secret(last) || (is(0, "stream") && last == "key")
    }
}

/// The text with each secret replaced.
///
/// # Errors
/// [`ConfigError`] when it is not TOML.
pub fn redacted(text: &str, secrecy: Secrecy) -> Result<String, ConfigError> {
    let doc = Doc::parse(text, "")?;
    let mut cuts: Vec<(Range<usize>, String)> = doc
        .texts()
        .into_iter()
        .filter(|(path, value, _)| secrecy.holds(path, value))
        .map(|(_, _, span)| (span, quoted(PLACEHOLDER)))
        .collect();
    Ok(replaced(text, &mut cuts))
}

/// The text with each placeholder replaced by what stands at the same place of `kept`, which may be
/// empty.
///
/// # Errors
/// [`ConfigError`] when the text is not TOML, or a placeholder has no counterpart.
pub fn restored(text: &str, name: &str, kept: &str) -> Result<String, ConfigError> {
    let doc = Doc::parse(text, name)?;
    // What the box keeps was checked once; if it is damaged, nothing is known.
    let known = Doc::parse(kept, "").map(|kept| kept.texts());
    let known = known.unwrap_or_default();
    let mut cuts = Vec::new();
    let mut lost = Vec::new();
    for (path, value, span) in doc.texts() {
        if value.trim() != PLACEHOLDER {
            continue;
        }
        match known.iter().find(|(at, ..)| *at == path) {
            Some((_, secret, _)) => cuts.push((span, quoted(secret))),
            None => lost.push(Problem {
                position: Some(doc.position(span.start)),
                key: path.join("."),
                ..Problem::whole(ProblemKind::LostSecret, "")
            }),
        }
    }
    if !lost.is_empty() {
        return Err(ConfigError::new(name, lost));
    }
    Ok(replaced(text, &mut cuts))
}

/// A value as TOML: a basic string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn replaced(text: &str, cuts: &mut [(Range<usize>, String)]) -> String {
    cuts.sort_by_key(|(span, _)| span.start);
    let mut whole = String::with_capacity(text.len());
    let mut at = 0;
    for (span, with) in cuts {
        whole.push_str(text.get(at..span.start).unwrap_or_default());
        whole.push_str(with);
        at = span.end;
    }
    whole.push_str(text.get(at..).unwrap_or_default());
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPED: &str = "# box 1\n[wifi] # upstairs\nssid = \"hall\"\npassword = 'very \"secret\"'\n\
        [mqtt]\nurl = \"mqtt://h\"\npassword = \"pw\"\n[files]\n\"ca.pem\" = \"\"\"\n-----BEGIN CERTIFICATE-----\n\"\"\"\n\
        \"node.key\" = \"\"\"\n-----BEGIN PRIVATE KEY-----\nx\n\"\"\"\n";

    #[test]
    fn secrets_go_and_everything_else_stays_as_typed() {
        let said = redacted(TYPED, Secrecy::All).expect("TOML");
        for secret in ["very", "\"pw\"", "PRIVATE KEY"] {
            assert!(!said.contains(secret), "{said}");
        }
        for kept in [
            "# box 1\n[wifi] # upstairs\nssid = \"hall\"",
            "BEGIN CERTIFICATE",
            "mqtt://h",
        ] {
            assert!(said.contains(kept), "{said}");
        }
        assert_eq!(said.matches(PLACEHOLDER).count(), 3);
        let said = redacted(TYPED, Secrecy::Wifi).expect("TOML");
        assert!(!said.contains("very") && said.contains("\"pw\"") && said.contains("PRIVATE KEY"));
    }

    #[test]
    fn what_was_wiped_comes_back_though_the_rest_was_changed() {
        let shown = redacted(TYPED, Secrecy::All).expect("TOML");
        let changed = shown.replace("\"hall\"", "\"cellar\"") + "[ssh]\nkeys = []\n";
        let whole = restored(&changed, "yobiban.toml", TYPED).expect("TOML");
        assert!(!whole.contains(PLACEHOLDER), "{whole}");
        let value: toml::Table = whole.parse().expect("TOML");
        assert_eq!(value["wifi"]["ssid"].as_str(), Some("cellar"));
        assert_eq!(value["wifi"]["password"].as_str(), Some("very \"secret\""));
        assert_eq!(
            value["files"]["node.key"].as_str(),
            Some("-----BEGIN PRIVATE KEY-----\nx\n")
        );
        let lost = restored(&shown, "yobiban.toml", "").expect_err("nothing is known");
        assert_eq!(lost.problems().len(), 3);
        assert!(
            lost.to_string()
                .starts_with("yobiban.toml:4:12: wifi.password: "),
            "{lost}"
        );
    }
}
