//! Keys of configurations that were written before the names of 0.1.0: read as the keys that took
//! their place, each with a warning. To be removed in 0.2.
//!
//! A card stays in its device for years, so that an update must read what an installer wrote long
//! ago. The rows of [`NODE`] and [`HUB`] are all there is to it: the parsed document is changed
//! before its tables are read, and values keep their places, so that every other message names the
//! line and the key that the user typed.

use super::doc::{At, Doc};
use std::fmt;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// One change of a name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    /// The table in which it is, by its keys from the top, without the indices of lists.
    pub(super) table: &'static [&'static str],
    pub(super) what: What,
}

/// What has another name.
#[derive(Debug, Clone, Copy)]
pub(super) enum What {
    /// A key. The new one may lie in a table of that table.
    Key {
        old: &'static str,
        new: &'static [&'static str],
    },
    /// A text that stands for a choice. The key is that of today.
    Word {
        key: &'static str,
        old: &'static str,
        new: &'static str,
    },
}

const fn key(
    table: &'static [&'static str],
    old: &'static str,
    new: &'static [&'static str],
) -> Change {
    let what = What::Key { old, new };
    Change { table, what }
}

const fn word(
    table: &'static [&'static str],
    key: &'static str,
    old: &'static str,
    new: &'static str,
) -> Change {
    let what = What::Word { key, old, new };
    Change { table, what }
}

/// Of a node's file, keys before their words.
pub(super) const NODE: &[Change] = &[
    key(&["office"], "zone", &["timezone"]),
    key(&["feed"], "line_grace", &["disconnect_grace"]),
    key(&["feed"], "old_call_after", &["max_announce_age"]),
    key(&["board"], "on", &["lit_hours"]),
    key(&["board", "calls"], "min_show", &["min_highlight"]),
    key(&["board", "calls"], "max_show", &["max_highlight"]),
    key(&["board", "calls"], "places", &["max_highlighted"]),
    key(
        &["board", "calls"],
        "crowded_places",
        &["max_highlighted_peak"],
    ),
    key(&["board", "calls"], "recent", &["recent_calls"]),
    key(&["relay"], "pause", &["min_gap"]),
    key(&["camera"], "follow", &["max_drift_px"]),
    key(&["camera"], "every", &["interval"]),
    key(&["camera"], "agree", &["confirmations"]),
    key(&["camera"], "picture_every", &["picture_interval"]),
    key(&["camera", "field"], "places", &["max_digits"]),
    key(&["camera", "source"], "user", &["username"]),
    key(&["voice", "hours"], "speak", &["detail"]),
    word(&["voice", "hours"], "detail", "nothing", "off"),
    key(&["voice"], "four", &["reading", "four"]),
    key(&["voice"], "seven", &["reading", "seven"]),
    key(&["voice"], "zero", &["reading", "zero"]),
    word(&["voice"], "digits", "single", "digit-by-digit"),
];

/// Of a hub's file, keys before their words.
pub(super) const HUB: &[Change] = &[
    key(&["voice"], "four", &["reading", "four"]),
    key(&["voice"], "seven", &["reading", "seven"]),
    key(&["voice"], "zero", &["reading", "zero"]),
    word(&["voice"], "digits", "single", "digit-by-digit"),
    key(&[], "page", &["site"]),
    key(&["http"], "embed_from", &["frame_ancestors"]),
    key(&["http"], "behind_tls", &["hsts"]),
    key(&["store"], "keep_days", &["retention_days"]),
];

/// An old name that was found in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldName {
    /// Line in the file, from 1.
    pub line: usize,
    /// What was typed, with the keys of its tables, such as `board[0].on`; of a word with its value,
    /// such as `voice.digits = "single"`.
    pub old: String,
    /// What to write instead, in the same table.
    pub new: String,
}

impl OldName {
    /// What to do about it, for readers of Japanese; to be put behind the line.
    #[must_use]
    pub fn in_japanese(&self) -> String {
        let Self { old, new, .. } = self;
        format!(
            "{old} は古い名前です。{new} に書き換えてください（0.2 までは古い名前でも動きます）。"
        )
    }
}

/// What to do about it, in English; to be put behind the line.
impl fmt::Display for OldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { old, new, .. } = self;
        write!(
            f,
            "{old} was renamed: write {new} (the old name is accepted until 0.2)"
        )
    }
}

/// An old name beside the new one.
#[derive(Debug, Clone)]
pub(super) struct Both {
    /// Where the old one is.
    pub(super) at: At,
    /// The new one, as in [`OldName::new`].
    pub(super) new: String,
}

/// What a file says under old names.
#[derive(Debug, Clone, Default)]
pub(super) struct Outcome {
    /// What was read under its new name, in the order of the file.
    pub(super) read: Vec<OldName>,
    /// What was not, because the new name is there too.
    pub(super) both: Vec<Both>,
}

/// Gives everything in a document its new name. An old name beside the new one stays where it is.
pub(super) fn apply(doc: &mut Doc<'_>, changes: &[Change]) -> Outcome {
    let mut outcome = Outcome::default();
    for change in changes {
        let mut places = Vec::new();
        tables(doc.table(), change.table, &At::root(), &mut places);
        for at in places {
            match change.what {
                What::Key { old, new } => rename(doc, &at, old, new, &mut outcome),
                What::Word { key, old, new } => reword(doc, &at, (key, old, new), &mut outcome),
            }
        }
    }
    outcome.read.sort_by_key(|name| name.line);
    outcome
}

/// The places of all tables with these keys.
fn tables(table: &DeTable<'_>, keys: &[&str], at: &At, into: &mut Vec<At>) {
    let Some((key, rest)) = keys.split_first() else {
        into.push(at.clone());
        return;
    };
    let Some(value) = table.get(*key) else {
        return;
    };
    let at = at.key(key);
    match value.get_ref() {
        DeValue::Table(table) => tables(table, rest, &at, into),
        DeValue::Array(all) => {
            for (i, value) in all.iter().enumerate() {
                if let DeValue::Table(table) = value.get_ref() {
                    tables(table, rest, &at.index(i), into);
                }
            }
        }
        _ => {}
    }
}

fn rename(doc: &mut Doc<'_>, at: &At, old: &str, new: &[&'static str], outcome: &mut Outcome) {
    let place = at.key(old);
    let Some(line) = doc.line_of_key(&place) else {
        return;
    };
    let written = new.join(".");
    let to = new.iter().fold(at.clone(), |at, key| at.key(key));
    if doc.is_there(&to) {
        let new = written;
        outcome.both.push(Both { at: place, new });
        return;
    }
    let moved = doc.table_at(at).and_then(|table| move_key(table, old, new));
    if moved.is_some() {
        let typed = doc.typed(&place);
        outcome.read.push(OldName {
            line,
            old: typed.to_string(),
            new: written,
        });
        doc.note_move(typed, to);
    }
}

/// Moves a value to another key of its table, or of a table in it, which is made where there is none.
/// What keeps the place of the new name taken is left alone, for the checks to find.
fn move_key(table: &mut DeTable<'_>, old: &str, new: &[&'static str]) -> Option<()> {
    let (last, between) = new.split_last()?;
    // Nothing is taken out before it is sure where it goes.
    let mut inner = &*table;
    for key in between {
        match inner.get(*key).map(Spanned::get_ref) {
            Some(DeValue::Table(next)) => inner = next,
            Some(_) => return None,
            None => break,
        }
    }
    let (name, value) = table.remove_entry(old)?;
    let span = name.span();
    let mut into = table;
    for key in between {
        let entry = into
            .entry(Spanned::new(span.clone(), DeString::Borrowed(key)))
            .or_insert_with(|| Spanned::new(value.span(), DeValue::Table(DeTable::new())));
        into = match entry.get_mut() {
            DeValue::Table(next) => next,
            _ => return None,
        };
    }
    into.insert(Spanned::new(span, DeString::Borrowed(last)), value);
    Some(())
}

fn reword(
    doc: &mut Doc<'_>,
    at: &At,
    (key, old, new): (&str, &str, &'static str),
    outcome: &mut Outcome,
) {
    let place = at.key(key);
    let Some((line, _)) = doc.position_of(&place) else {
        return;
    };
    let value = doc.table_at(at).and_then(|table| table.get_mut(key));
    let Some(value) = value.filter(|value| value.get_ref().as_str() == Some(old)) else {
        return;
    };
    *value.get_mut() = DeValue::String(DeString::Borrowed(new));
    let place = doc.typed(&place);
    outcome.read.push(OldName {
        line,
        old: format!("{place} = \"{old}\""),
        new: format!("{key} = \"{new}\""),
    });
}

#[cfg(test)]
#[path = "old_keys_tests.rs"]
mod tests;
