//! What an answer means, by its status and media type alone.

use super::super::Fault;
use hyper::StatusCode;

/// The media type that is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// `application/json`, `text/json` or `…+json`.
    Json,
    /// `text/csv` or `text/plain`.
    Csv,
    /// `application/xml`, `text/xml` or `…+xml`.
    Xml,
    /// `text/plain` or `text/html`.
    Text,
    /// This one, in lower case.
    Type(String),
    /// Events: `text/event-stream`.
    Events,
}

impl Expected {
    /// Whether a media type is the expected one.
    pub(super) fn is(&self, found: &str) -> bool {
        match self {
            Self::Json => {
                matches!(found, "application/json" | "text/json") || found.ends_with("+json")
            }
            Self::Csv => matches!(found, "text/csv" | "text/plain" | "application/csv"),
            Self::Xml => matches!(found, "application/xml" | "text/xml") || found.ends_with("+xml"),
            Self::Text => matches!(found, "text/plain" | "text/html"),
            Self::Type(expected) => found == expected,
            Self::Events => found == "text/event-stream",
        }
    }

    /// The name of the type, and the `Accept` header.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv",
            Self::Xml => "application/xml",
            Self::Text => "text/plain",
            Self::Type(expected) => expected,
            Self::Events => "text/event-stream",
        }
    }
}

/// What to do with an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Read its body.
    Read,
    /// Nothing changed since the last answer.
    Unchanged,
    /// The session may have ended: worth one login. Else it is this fault.
    LogIn(Fault),
    /// It is no answer.
    Fault(Fault),
}

/// Judges an answer. `conditional` tells whether the request asked only for what has changed.
pub(super) fn judge(
    status: StatusCode,
    media_type: Option<&str>,
    encoded: bool,
    expected: &Expected,
    conditional: bool,
) -> Verdict {
    let number = status.as_u16();
    let name = expected.name();
    match number {
        200 if media_type.is_some_and(|found| expected.is(found)) && !encoded => Verdict::Read,
        200 if media_type.is_some_and(|found| expected.is(found)) => Verdict::Fault(
            Fault::unreadable("answered with a content encoding: expected none, as requested"),
        ),
        200 => {
            let found = media_type.unwrap_or("no content type");
            Verdict::LogIn(Fault::unreadable(format!(
                "answered {found}: expected {name}"
            )))
        }
        304 if conditional => Verdict::Unchanged,
        304 => Verdict::Fault(Fault::unreadable(
            "answered 304 to an unconditional request: expected 200",
        )),
        // Sessions end with one of these, or with a redirect to the login page.
        401 => Verdict::LogIn(Fault::unreachable(
            "answered 401: expected valid credentials",
        )),
        300..=399 => Verdict::LogIn(Fault::unreachable(format!(
            "answered {number}: redirects are not followed, expected the final address, or a login"
        ))),
        403 => Verdict::LogIn(Fault::unreachable(
            "answered 403: expected credentials that may read this address",
        )),
        404 => Verdict::Fault(Fault::unreachable(
            "answered 404: expected another path in the address",
        )),
        _ => Verdict::Fault(Fault::unreachable(format!(
            "answered {number}: expected 200"
        ))),
    }
}

/// What lets a server say that nothing changed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Validators {
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
}

impl Validators {
    /// Longest that is kept, in bytes.
    const MAX: usize = 1024;

    pub(super) fn new(etag: Option<&str>, last_modified: Option<&str>) -> Self {
        let short = |text: &&str| !text.is_empty() && text.len() <= Self::MAX;
        Self {
            etag: etag.filter(short).map(str::to_owned),
            last_modified: last_modified.filter(short).map(str::to_owned),
        }
    }

    /// The header of a conditional request. The tag goes before the time, which is in seconds: a state may
    /// change twice in one.
    pub(super) fn header(&self) -> Option<(&'static str, &str)> {
        let tag = self.etag.as_deref().map(|tag| ("if-none-match", tag));
        tag.or_else(|| Some(("if-modified-since", self.last_modified.as_deref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::FaultKind;

    fn judged(status: u16, media_type: Option<&str>) -> Verdict {
        let status = StatusCode::from_u16(status).expect("a status");
        judge(status, media_type, false, &Expected::Json, false)
    }

    #[test]
    fn only_200_with_the_expected_type_is_read() {
        for good in ["application/json", "text/json", "application/geo+json"] {
            assert_eq!(judged(200, Some(good)), Verdict::Read);
        }
        let Verdict::LogIn(fault) = judged(200, Some("text/html")) else {
            panic!("a page is no state");
        };
        assert_eq!(fault.text, "answered text/html: expected application/json");
        assert_eq!(fault.kind, FaultKind::Unreadable);
        assert!(matches!(judged(200, None), Verdict::LogIn(_)));
        for status in [301, 302, 303, 307, 401, 403] {
            let Verdict::LogIn(fault) = judged(status, None) else {
                panic!("{status}");
            };
            assert!(fault.text.contains(&status.to_string()), "{fault:?}");
        }
        for status in [201, 204, 206, 304, 400, 404, 500, 503] {
            assert!(
                matches!(judged(status, Some("application/json")), Verdict::Fault(_)),
                "{status}"
            );
        }
        let ok = StatusCode::OK;
        let packed = judge(ok, Some("application/json"), true, &Expected::Json, false);
        assert!(matches!(packed, Verdict::Fault(_)));
    }

    #[test]
    fn unchanged_is_said_only_where_it_was_asked() {
        let status = StatusCode::NOT_MODIFIED;
        let judged = |conditional| judge(status, None, false, &Expected::Json, conditional);
        assert_eq!(judged(true), Verdict::Unchanged);
        assert!(matches!(judged(false), Verdict::Fault(_)));
    }

    #[test]
    fn types_are_known_by_their_names() {
        for (expected, found) in [
            (Expected::Csv, "text/plain"),
            (Expected::Xml, "application/soap+xml"),
            (Expected::Text, "text/html"),
            (
                Expected::Type("application/x-queue".into()),
                "application/x-queue",
            ),
            (Expected::Events, "text/event-stream"),
        ] {
            assert!(expected.is(found) && !expected.is("image/png"), "{found}");
        }
    }

    #[test]
    fn a_tag_goes_before_a_time() {
        let header = |tag, time| {
            let validators = Validators::new(tag, time);
            validators
                .header()
                .map(|(name, value)| format!("{name}: {value}"))
        };
        assert_eq!(
            header(Some("\"a\""), Some("x")).as_deref(),
            Some("if-none-match: \"a\"")
        );
        assert_eq!(
            header(None, Some("x")).as_deref(),
            Some("if-modified-since: x")
        );
        assert_eq!(header(Some(""), Some(&"x".repeat(2000))), None);
    }
}
