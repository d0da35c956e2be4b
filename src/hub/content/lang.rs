//! Languages of the pages: their words as data, and which one a viewer wants.
//!
//! A language is one TOML file in `assets/web/messages`; adding one is a line in [`FILES`]. A
//! file with a missing or unknown key does not pass the tests.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Every language, the first being the one for viewers who ask for none of them.
const FILES: &[(&str, &str, &str)] = &[
    (
        "ja",
        "日本語",
        include_str!("../../../assets/web/messages/ja.toml"),
    ),
    (
        "ja-x-easy",
        "やさしい日本語",
        include_str!("../../../assets/web/messages/ja-x-easy.toml"),
    ),
    (
        "en",
        "English",
        include_str!("../../../assets/web/messages/en.toml"),
    ),
    (
        "zh-Hans",
        "简体中文",
        include_str!("../../../assets/web/messages/zh-Hans.toml"),
    ),
    (
        "ko",
        "한국어",
        include_str!("../../../assets/web/messages/ko.toml"),
    ),
    (
        "vi",
        "Tiếng Việt",
        include_str!("../../../assets/web/messages/vi.toml"),
    ),
    (
        "pt",
        "Português",
        include_str!("../../../assets/web/messages/pt.toml"),
    ),
];

/// How many languages there are.
pub(crate) const LANGS: usize = FILES.len();

/// One of the languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lang(usize);

macro_rules! messages {
    ($($key:ident)*) => {
        /// The words of one language. `{name}` in a text is filled in by [`fill`].
        #[derive(Debug)]
        pub(crate) struct Messages {
            $(pub(crate) $key: String,)*
        }

        impl Messages {
            /// Reads a file of messages, in which every key is there once and no other.
            ///
            /// By hand and not by a derived visitor: that one is a function of a hundred branches
            /// for each of a hundred fields, and takes the optimiser minutes.
            fn read(text: &str) -> Result<Self, String> {
                let mut words: BTreeMap<String, String> =
                    toml::from_str(text).map_err(|e| e.to_string())?;
                let messages = Self {
                    $($key: take(&mut words, stringify!($key))?,)*
                };
                match words.pop_first() {
                    Some((key, _)) => Err(format!("unknown key {key}")),
                    None => Ok(messages),
                }
            }
        }
    };
}

fn take(words: &mut BTreeMap<String, String>, key: &str) -> Result<String, String> {
    words
        .remove(key)
        .ok_or_else(|| format!("missing key {key}"))
}

messages! {
title title_of as_of as_of_unknown live reload lost offline offline_title offline_hint languages
display large_type high_contrast glance skip_to_content nav nav_offices nav_procedures
my_number my_number_go my_number_hint my_number_placeholder my_number_office
my_number_any kept_title kept_forget kept_note head_queue head_office head_call head_waiting
head_wait head_next head_hold fast_lane people_unit minutes_unit soon counter next on_hold free
busy crowded closed_level unknown_level paused closed last_calls not_open_yet holiday closed_row
last_calls_row not_open_row holiday_row stale stale_unknown no_numbers no_offices boards board_alt board_time board_named
board_dark board_disconnected board_lost board_stale cameras camera_alt no_board all_offices
lite_link full_link open_data licence same_numbers api_link ticket_title ticket_of ahead
ahead_next ahead_at_least ahead_unit ticket_wait come_back come_back_stay called called_at
called_counter passed passed_hint hold_some hold_none not_listed not_listed_hint ticket_closed
ticket_last_calls ticket_checked watch_hint find_title find_none find_none_hint find_choose find_bad
procedures_title procedures_hint quickest quickest_none all_procedures forecast_title
forecast_link forecast_hint forecast_none forecast_unit forecast_later forecast_now_best
forecast_table head_day head_hour head_days hour mon tue wed thu fri sat sun today accuracy_title
accuracy_hint accuracy_none accuracy_line head_tickets head_inside head_above head_error head_mean
widget_more hear_it about about_program about_voice about_voice_origin about_fonts
    not_found not_found_hint stream_title stream_hint }

static ALL: LazyLock<Vec<Messages>> = LazyLock::new(|| {
    FILES
        .iter()
        .map(|(tag, _, text)| match Messages::read(text) {
            Ok(messages) => messages,
            // The files are part of the program and a test reads them all.
            Err(error) => unreachable!("messages/{tag}.toml: {error}"),
        })
        .collect()
});

impl Lang {
    /// All languages.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..LANGS).map(Self)
    }

    /// Its place among [`LANGS`].
    pub(crate) fn index(self) -> usize {
        self.0
    }

    /// Its BCP 47 tag.
    pub(crate) fn tag(self) -> &'static str {
        FILES[self.0].0
    }

    /// Its name in itself.
    pub(crate) fn name(self) -> &'static str {
        FILES[self.0].1
    }

    /// Its words.
    pub(crate) fn messages(self) -> &'static Messages {
        &ALL[self.0]
    }

    /// Whether it is written in Latin letters, which need more room than characters.
    pub(crate) fn is_latin(self) -> bool {
        matches!(self.tag(), "en" | "vi" | "pt")
    }

    /// The language with this tag, else the first with its primary subtag (`en-GB` is `en`).
    pub(crate) fn find(tag: &str) -> Option<Self> {
        let tag = tag.trim();
        let primary = tag.split(['-', '_']).next()?;
        let its = |l: &Self| l.tag().split('-').next().unwrap_or_default();
        Self::all()
            .find(|l| l.tag().eq_ignore_ascii_case(tag))
            .or_else(|| Self::all().find(|l| its(l).eq_ignore_ascii_case(primary)))
    }

    /// What the address says, else what the browser likes best (RFC 9110, `Accept-Language`),
    /// else the first language.
    pub(crate) fn choose(asked: Option<&str>, accept: Option<&str>) -> Self {
        if let Some(lang) = asked.and_then(Self::find) {
            return lang;
        }
        let mut best = (0, Self(0));
        for range in accept.unwrap_or_default().split(',').take(16) {
            let mut parts = range.split(';');
            let Some(lang) = parts.next().and_then(Self::find) else {
                continue;
            };
            let weight = parts
                .find_map(|p| p.trim().strip_prefix("q="))
                .map_or(1000, thousandths);
            if weight > best.0 {
                best = (weight, lang);
            }
        }
        best.1
    }
}

/// A weight such as `0.8` in thousandths; 0 when it is none.
fn thousandths(text: &str) -> u32 {
    let q: f64 = text.trim().parse().unwrap_or(0.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped to 0..=1000
    let q = (q.clamp(0.0, 1.0) * 1000.0) as u32;
    q
}

/// Puts values into a text: `fill("{n}人", &[("n", "3")])`.
pub(crate) fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let Some(end) = rest.find('}') else { break };
        let key = &rest[1..end];
        match values.iter().find(|(k, _)| *k == key) {
            Some((_, value)) => out.push_str(value),
            None => out.push_str(&rest[..=end]),
        }
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_every_message() {
        for lang in Lang::all() {
            assert!(!lang.messages().title.is_empty(), "{}", lang.tag());
        }
    }

    #[test]
    fn the_address_wins_then_the_browser_then_japanese() {
        let check = |asked, accept, tag| {
            assert_eq!(
                Lang::choose(asked, accept).tag(),
                tag,
                "{asked:?} {accept:?}"
            );
        };
        check(None, None, "ja");
        check(Some("en"), Some("ja"), "en");
        check(Some("xx"), Some("en-GB,en;q=0.9"), "en");
        check(None, Some("fr, en;q=0.5, ja;q=0.8"), "ja");
        check(None, Some("fr, *;q=0.1"), "ja");
        check(None, Some("en;q=0"), "ja");
        check(None, Some(";;;q=,,=\u{0}"), "ja");
        check(Some("ja-x-easy"), None, "ja-x-easy");
        check(None, Some("zh-CN,zh;q=0.9"), "zh-Hans");
        check(None, Some("pt-BR"), "pt");
        check(Some("-"), Some("vi"), "vi");
    }

    /// What is filled in: a translation that drops or misspells one would print it as it is.
    fn blanks(text: &str) -> std::collections::BTreeSet<&str> {
        let parts = text.split('{').skip(1);
        parts.filter_map(|p| p.split('}').next()).collect()
    }

    #[test]
    fn every_language_fills_in_the_same_values() {
        let read = |text: &str| toml::from_str::<BTreeMap<String, String>>(text).unwrap();
        let first = read(FILES[0].2);
        for (tag, _, text) in FILES {
            for (key, words) in read(text) {
                assert_eq!(blanks(&words), blanks(&first[&key]), "{tag} {key}");
                let may_be_empty = key.ends_with("_unit");
                assert!(may_be_empty || !words.trim().is_empty(), "{tag} {key}");
            }
        }
    }

    #[test]
    fn values_are_put_in_once() {
        assert_eq!(fill("{a}–{b}分{", &[("a", "{b}"), ("b", "2")]), "{b}–2分{");
        assert_eq!(fill("{unknown}", &[]), "{unknown}");
    }
}
