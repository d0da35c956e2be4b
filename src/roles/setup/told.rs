//! What a start found out about the card's file, for the service that shows it.

use crate::config::ConfigError;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// How it went with the card's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Card {
    /// It is new, and the box works by it from now on.
    Taken,
    /// It is what the box works by.
    Same,
    /// There is none.
    Missing,
    /// It cannot be used.
    Wrong,
    /// It could not be taken over, for a reason that is not in it.
    Failed,
}

/// What a start found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// How it went.
    pub card: Card,
    /// Whether the box has something to work by, of now or of before.
    pub configured: bool,
    /// What is wrong with the file, in its order.
    #[serde(default)]
    pub problems: Vec<Wrong>,
    /// Why it could not be taken over.
    #[serde(default)]
    pub failed: String,
}

/// One thing that is wrong with the file; the fields of [`crate::config::Problem`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrong {
    /// Line and column, both from 1.
    pub position: Option<(usize, usize)>,
    /// The key; empty for the file as a whole.
    pub key: String,
    /// What stands there, secrets masked.
    pub found: Option<String>,
    /// What is wrong and what is expected.
    pub message: String,
    /// What may have been meant.
    pub hint: Option<String>,
}

impl Told {
    pub(super) fn new(card: Card) -> Self {
        Self {
            card,
            configured: false,
            problems: Vec::new(),
            failed: String::new(),
        }
    }

    pub(super) fn wrong(error: &ConfigError) -> Self {
        let wrong = |p: &crate::config::Problem| Wrong {
            position: p.position,
            key: p.key.clone(),
            found: p.found.clone(),
            message: p.message.clone(),
            hint: p.hint.clone(),
        };
        Self {
            problems: error.problems().iter().map(wrong).collect(),
            ..Self::new(Card::Wrong)
        }
    }

    /// Reads what a start left. A start that left nothing has failed, which is no reason to show no
    /// numbers where there is a configuration to work by.
    #[must_use]
    pub fn load(path: &Path, configuration: &Path) -> Self {
        let read = std::fs::read(path)
            .map_err(|e| e.to_string())
            .and_then(|text| serde_json::from_slice(&text).map_err(|e| e.to_string()));
        read.unwrap_or_else(|e| Self {
            configured: configuration.is_file(),
            failed: format!(
                "yobiban-setup did not come to its end: cannot read {}: {e}",
                path.display()
            ),
            ..Self::new(Card::Failed)
        })
    }
}
