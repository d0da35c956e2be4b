//! How a board wants its frames: the files in `assets/serial` and those of installers.
//!
//! A template that was read is checked: every frame it can make is bounded, every check sum covers
//! parts that are there. Errors name the file, the key and what is expected.

use super::checksum::Sum;
use super::digits::Digits;
use super::raw::{AddressForm, Expect, Function, SumForm};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Says what is wrong with a frame template.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The file cannot be read.
    #[error("cannot read frame template {}: expected a path, or one of stx, pipe, modbus", path.display())]
    Read {
        path: PathBuf,
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
}

/// An error at a key of a file.
pub(super) fn wrong(file: &str, key: &str, problem: impl Into<String>) -> TemplateError {
    TemplateError::Wrong {
        file: file.to_owned(),
        key: key.to_owned(),
        problem: problem.into(),
    }
}
