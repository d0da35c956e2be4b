//! How a board wants its frames: the files in `assets/serial` and those of installers.
//!
//! A template that was read is checked: every frame it can make is bounded, every check sum covers
//! parts that are there. Errors name the file, the key and what is expected.

use super::checksum::Sum;
use super::digits::Digits;
use super::parse::TemplateParser;
use super::raw::{AddressForm, Expect, Function, RawTemplate, SumForm};
use crate::config::{SerialConfig, asset};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The templates in the program, by the names the configuration knows.
const BUILT_IN: [(&str, &str); 3] = [
    ("stx", include_str!("../../../assets/serial/stx.toml")),
    ("pipe", include_str!("../../../assets/serial/pipe.toml")),
    ("modbus", include_str!("../../../assets/serial/modbus.toml")),
];

/// Largest template file that is read, in bytes; the built-in ones have 2 kB.
const MAX_FILE: u64 = 64 * 1024;
/// The highest unit of a Modbus line (MODBUS over Serial Line V1.02, 2.2).
const MAX_UNIT: u16 = 247;

/// Says what is wrong with a frame template.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The file cannot be read.
    #[error("cannot read frame template {}: expected a path, or one of stx, pipe, modbus", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML, or a key is unknown, missing or wrong.
    #[error("frame template {file}: at {key}: {problem}")]
    Wrong {
        /// Which file or built-in template.
        file: String,
        /// Path of the key; `.` is the whole file.
        key: String,
        /// What was found and what was expected.
        problem: String,
    },
}

/// How frames are made and what is answered to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    /// What a board answers; `None` is nothing. Of frames only.
    pub(super) reply: Option<Vec<Expect>>,
    /// How long an answer may take.
    pub(super) timeout: Duration,
    /// How often a frame is sent again without one.
    pub(super) repeats: u8,
    /// Rest between frames.
    pub(super) pause: Duration,
    /// What is sent.
    pub(super) body: Body,
}

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    /// Frames of parts.
    Frame(Vec<Part>),
    /// Registers.
    Modbus(Modbus),
}

/// A part of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// The same in every frame, but for one that blinks.
    Literal {
        /// What it is.
        bytes: Vec<u8>,
        /// What it is while the field blinks.
        blink: Option<Vec<u8>>,
    },
    /// Whom it is for.
    Address(AddressForm, u8),
    /// What is to be seen.
    Digits(Digits),
    /// Guards the parts from the first to the second, counted from 0, both included.
    Sum(Sum, SumForm, usize, usize),
}

/// Digits in registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Modbus {
    /// `None` is the field's address.
    pub(super) unit: Option<u8>,
    /// The first register of the field with address 1, or of each.
    pub(super) first: u16,
    /// Registers from one field to the next, where a unit has several.
    pub(super) stride: u16,
    pub(super) function: Function,
    /// What a register holds, by character.
    pub(super) codes: BTreeMap<u8, u16>,
    pub(super) digits: Digits,
}

impl Template {
    /// Reads the template of a board and checks that it can be used for all its fields.
    pub(super) fn load(config: &SerialConfig) -> Result<Self, TemplateError> {
        let name = config.template.as_str();
        let mut template = match BUILT_IN.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => Self::parse(name, text, &config.options)?,
            None => {
                let path = Path::new(name);
                let text = asset::read(path, MAX_FILE).map_err(|source| TemplateError::Read {
                    path: path.to_owned(),
                    source,
                })?;
                Self::parse(name, &text, &config.options)?
            }
        };
        if let Some(width) = config.digits {
            template.widen(width);
        }
        template.check_addresses(name, config)?;
        Ok(template)
    }

    /// Whether boards blink by themselves.
    pub(super) fn blinks(&self) -> bool {
        match &self.body {
            Body::Frame(parts) => parts
                .iter()
                .any(|p| matches!(p, Part::Literal { blink: Some(_), .. })),
            Body::Modbus(_) => false,
        }
    }

    /// Whether answers are expected, so that silence means something.
    pub(super) fn is_answered(&self) -> bool {
        matches!(self.body, Body::Modbus(_)) || self.reply.is_some()
    }

    fn widen(&mut self, width: usize) {
        match &mut self.body {
            Body::Frame(parts) => {
                for part in parts {
                    if let Part::Digits(digits) = part {
                        digits.width = width;
                    }
                }
            }
            Body::Modbus(modbus) => {
                if usize::from(modbus.stride) == modbus.digits.width {
                    modbus.stride = u16::try_from(width).unwrap_or(u16::MAX);
                }
                modbus.digits.width = width;
            }
        }
    }

    fn check_addresses(&self, file: &str, config: &SerialConfig) -> Result<(), TemplateError> {
        for field in &config.fields {
            let (low, high) = match &self.body {
                Body::Modbus(Modbus { unit: None, .. }) => (1, MAX_UNIT),
                Body::Modbus(modbus) => {
                    let width = modbus.digits.width;
                    let room = 0x1_0000 - usize::from(modbus.first);
                    let fields = room.saturating_sub(width) / usize::from(modbus.stride) + 1;
                    (1, u16::try_from(fields).unwrap_or(u16::MAX))
                }
                Body::Frame(parts) => {
                    let most = |part: &Part| match part {
                        Part::Address(AddressForm::Byte, _) => Some(255),
                        Part::Address(AddressForm::Ascii, width) => {
                            Some(10u32.pow(u32::from(*width)) - 1)
                        }
                        Part::Address(AddressForm::Hex, width) => {
                            Some(16u32.pow(u32::from(*width)) - 1)
                        }
                        _ => None,
                    };
                    let most = parts.iter().filter_map(most).min().unwrap_or(u32::MAX);
                    (0, u16::try_from(most).unwrap_or(u16::MAX))
                }
            };
            if !(low..=high).contains(&field.address) {
                let problem = format!(
                    "a field has address {}: expected {low} to {high}",
                    field.address
                );
                return Err(wrong(file, ".", problem));
            }
        }
        Ok(())
    }

    fn parse(file: &str, text: &str, options: &[String]) -> Result<Self, TemplateError> {
        let raw: RawTemplate = asset::parse(text).map_err(|e| wrong(file, &e.key, e.problem))?;
        TemplateParser { file, options }.template(raw)
    }
}

/// An error at a key of a file.
pub(super) fn wrong(file: &str, key: &str, problem: impl Into<String>) -> TemplateError {
    TemplateError::Wrong {
        file: file.to_owned(),
        key: key.to_owned(),
        problem: problem.into(),
    }
}
