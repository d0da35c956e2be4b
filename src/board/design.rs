//! Layouts and colours as data: the files in `assets/boards` and those of installers.
//!
//! A design that was read is checked: every length is positive and bounded, every pair of colours
//! can be told apart. Errors name the file, the key and what is expected.

use super::theme::Theme;
use crate::config::asset;
use serde::{Deserialize, Deserializer, de};
use std::path::{Path, PathBuf};

static DARK: &str = include_str!("../../assets/boards/dark.toml");
static LIGHT: &str = include_str!("../../assets/boards/light.toml");

/// The designs in the program, by the names the configuration knows.
pub const NAMES: [&str; 2] = ["dark", "light"];

/// Largest design file that is read, in bytes; the built-in ones have 5 kB.
const MAX_FILE: u64 = 256 * 1024;

/// Longest length in a design in units of 1/1080: far beyond any screen.
const MAX_LENGTH: u16 = 8000;

/// Says what is wrong with a board's design.
#[derive(Debug, thiserror::Error)]
pub enum BoardError {
    /// The file cannot be read.
    #[error("cannot read board layout {}: expected a path, or one of {NAMES:?}", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    /// A font of the package is not there.
    #[error("cannot read font {}: expected the files of the package: install it again", path.display())]
    Font {
        path: PathBuf,
        source: std::io::Error,
    },
    /// Not TOML, or a key is unknown, missing or wrong.
    #[error("board layout {file}: at {key}: {problem}")]
    Wrong {
        /// Which file or built-in design.
        file: String,
        /// Path of the key; `.` is the whole file.
        key: String,
        /// What was found and what was expected.
        problem: String,
    },
}

/// Everything that a file says about a board.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Design {
    pub(super) theme: Theme,
    /// For screens that are wider than high.
    pub(super) landscape: Geometry,
    /// For screens that are higher than wide.
    pub(super) portrait: Geometry,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDesign {
    colors: Theme,
    landscape: Option<Geometry>,
    portrait: Option<Geometry>,
}

/// A length in units of 1/1080 of the short side, 1 to 8000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Units(pub(super) u16);

impl<'de> Deserialize<'de> for Units {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let units = i64::deserialize(d)?;
        u16::try_from(units)
            .ok()
            .filter(|u| (1..=MAX_LENGTH).contains(u))
            .map(Self)
            .ok_or_else(|| {
                de::Error::custom(format_args!(
                    "{units}: expected a length from 1 to {MAX_LENGTH}"
                ))
            })
    }
}

/// Where things stand on a screen of one orientation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Geometry {
    /// Left and right of everything.
    pub(super) margin: Units,
    /// Height of the head.
    pub(super) header: Units,
    /// Height of the foot.
    pub(super) footer: Units,
    /// Between rows and panel, and above and below both.
    pub(super) gap: Units,
    /// Height of the column headings.
    pub(super) heads: Units,
    /// Width (landscape) or height (portrait) of the panel.
    pub(super) panel: Units,
    /// Height of the panel's title.
    pub(super) caption: Units,
    /// Height of an earlier call.
    pub(super) recent: Units,
    /// Earlier calls beside each other.
    #[serde(deserialize_with = "columns")]
    pub(super) recent_columns: u16,
    /// Greatest height of a row.
    pub(super) row: Units,
    /// Places for one, two, … calls that stand out.
    #[serde(deserialize_with = "places")]
    pub(super) places: Vec<Place>,
    /// Arrangements by number of queues.
    #[serde(deserialize_with = "rows")]
    pub(super) rows: Vec<Rows>,
    /// Shares of a row's width in a table.
    pub(super) table: Columns,
    /// Shares of a card's width.
    pub(super) card: CardColumns,
    /// Character sizes.
    pub(super) text: Sizes,
}

/// The places of calls that stand out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    /// Height of one.
    pub(super) height: Units,
    /// How many beside each other.
    #[serde(deserialize_with = "columns")]
    pub(super) columns: u16,
}

/// An arrangement of queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rows {
    /// Up to so many queues.
    #[serde(deserialize_with = "queues")]
    pub(super) queues: u16,
    /// Columns of queues.
    #[serde(deserialize_with = "columns")]
    pub(super) columns: u16,
    pub(super) style: Style,
}

/// How a queue is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Style {
    /// One line with a column for each number.
    Table,
    /// Three short lines.
    Cards,
}

/// Shares of a table row's width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Columns {
    pub(super) name: Units,
    pub(super) ticket: Units,
    pub(super) counter: Units,
    pub(super) next: Units,
    pub(super) waiting: Units,
    pub(super) wait: Units,
}

/// Shares of a card's width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CardColumns {
    pub(super) ticket: Units,
    pub(super) counter: Units,
    pub(super) waiting: Units,
    pub(super) wait: Units,
}

/// Character sizes, as height of the em.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sizes {
    pub(super) office: Units,
    pub(super) date: Units,
    pub(super) clock: Units,
    pub(super) heading: Units,
    pub(super) name: Units,
    pub(super) english: Units,
    pub(super) ticket: Units,
    pub(super) counter: Units,
    pub(super) next: Units,
    pub(super) waiting: Units,
    pub(super) wait: Units,
    pub(super) unit: Units,
    pub(super) small: Units,
    pub(super) notice: Units,
    pub(super) recent: Units,
}

fn bounded<'de, D: Deserializer<'de>>(d: D, most: u16) -> Result<u16, D::Error> {
    let n = i64::deserialize(d)?;
    u16::try_from(n)
        .ok()
        .filter(|n| (1..=most).contains(n))
        .ok_or_else(|| de::Error::custom(format_args!("{n}: expected 1 to {most}")))
}

fn columns<'de, D: Deserializer<'de>>(d: D) -> Result<u16, D::Error> {
    bounded(d, 8)
}

fn queues<'de, D: Deserializer<'de>>(d: D) -> Result<u16, D::Error> {
    bounded(d, 64)
}

fn places<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Place>, D::Error> {
    let places = Vec::<Place>::deserialize(d)?;
    if places.is_empty() || places.len() > 16 {
        return Err(de::Error::custom(format_args!(
            "{} places: expected 1 to 16",
            places.len()
        )));
    }
    Ok(places)
}

fn rows<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Rows>, D::Error> {
    let rows = Vec::<Rows>::deserialize(d)?;
    if rows.is_empty() || !rows.is_sorted_by(|a, b| a.queues < b.queues) {
        return Err(de::Error::custom(
            "expected at least one arrangement, and `queues` growing from one to the next",
        ));
    }
    Ok(rows)
}

impl Design {
    /// A design by its name, or from a file; `None` is the default.
    pub(super) fn load(name: Option<&str>) -> Result<Self, BoardError> {
        match name {
            None | Some("dark") => Self::parse("dark", DARK),
            Some("light") => Self::parse("light", LIGHT),
            Some(path) => {
                let path = Path::new(path);
                let text = asset::read(path, MAX_FILE).map_err(|source| BoardError::Read {
                    path: path.to_owned(),
                    source,
                })?;
                Self::parse(&path.display().to_string(), &text)
            }
        }
    }

    fn parse(file: &str, text: &str) -> Result<Self, BoardError> {
        let raw = parse_raw(file, text)?;
        if let Some(pair) = raw.colors.pairs().iter().find(|p| p.contrast < p.least) {
            return Err(BoardError::Wrong {
                file: file.into(),
                key: format!("colors.{}", pair.ink),
                problem: format!(
                    "contrast {:.1}:1 on colors.{}: expected at least {}:1",
                    pair.contrast, pair.ground, pair.least
                ),
            });
        }
        let (landscape, portrait) = match (raw.landscape, raw.portrait) {
            (Some(landscape), Some(portrait)) => (landscape, portrait),
            (landscape, portrait) => {
                let own = parse_raw("dark", DARK)?;
                let missing = |key: &str| BoardError::Wrong {
                    file: "dark".into(),
                    key: key.into(),
                    problem: "expected a table".into(),
                };
                (
                    landscape
                        .or(own.landscape)
                        .ok_or_else(|| missing("landscape"))?,
                    portrait
                        .or(own.portrait)
                        .ok_or_else(|| missing("portrait"))?,
                )
            }
        };
        Ok(Self {
            theme: raw.colors,
            landscape,
            portrait,
        })
    }
}

fn parse_raw(file: &str, text: &str) -> Result<RawDesign, BoardError> {
    asset::parse(text).map_err(|asset::Wrong { key, problem }| BoardError::Wrong {
        file: file.into(),
        key,
        problem,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_designs_can_be_read_and_have_contrast() {
        for name in NAMES {
            let design = Design::load(Some(name)).expect(name);
            for pair in design.theme.pairs() {
                assert!(pair.contrast >= pair.least, "{name}: {pair:?}");
            }
        }
        assert_eq!(
            Design::load(None).expect("default"),
            Design::load(Some("dark")).expect("dark")
        );
    }

    #[test]
    fn wrong_designs_name_file_key_and_what_is_expected() {
        let check = |from: &str, to: &str, key: &str, expected: &str| {
            let text = DARK.replacen(from, to, 1);
            assert_ne!(text, DARK, "{from}");
            let error = Design::parse("my.toml", &text).expect_err(to).to_string();
            assert!(
                error.starts_with(&format!("board layout my.toml: at {key}: ")),
                "{error}"
            );
            assert!(error.contains(expected), "{error}");
        };
        check(
            "#ffffff",
            "white",
            "colors.text",
            "expected a colour as \"#rrggbb\"",
        );
        check(
            "#ffffff",
            "#５５５５５５",
            "colors.text",
            "expected a colour",
        );
        check("#ffffff", "#7f7f7f", "colors.text", "expected at least 7:1");
        check("ground =", "grnd =", "colors.grnd", "unknown field `grnd`");
        check(
            "margin = 48",
            "margin = -3",
            "landscape.margin",
            "expected a length from 1 to 8000",
        );
        check(
            "margin = 48",
            "margin = \"wide\"",
            "landscape.margin",
            "expected",
        );
        check("queues = 16", "queues = 5", "landscape.rows", "growing");
        check(
            "style = \"table\"",
            "style = \"list\"",
            "landscape.rows[0].style",
            "expected `table` or `cards`",
        );
        check(
            "columns = 2",
            "columns = 0",
            "landscape.rows[1].columns",
            "expected 1 to 8",
        );
        check("[colors]", "[colors", ".", "");
    }

    #[test]
    fn a_missing_file_is_named_and_so_are_the_built_in_designs() {
        let error = Design::load(Some("/no/such/board.toml"))
            .expect_err("no file")
            .to_string();
        assert!(error.contains("/no/such/board.toml"), "{error}");
        assert!(error.contains("\"light\""), "{error}");
    }
}
