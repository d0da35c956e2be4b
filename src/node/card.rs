//! What a start found out about the card's file, for the service that shows it.

use crate::config::{ConfigError, Problem};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// How it went with the card's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CardFile {
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
pub struct CardStatus {
    pub card: CardFile,
    /// Whether the box has something to work by, of now or of before.
    pub configured: bool,
    /// What is wrong with the file, in its order.
    #[serde(default)]
    pub problems: Vec<Problem>,
    /// Why it could not be taken over.
    #[serde(default)]
    pub failed: String,
}

impl CardStatus {
    pub(crate) fn new(card: CardFile) -> Self {
        Self {
            card,
            configured: false,
            problems: Vec::new(),
            failed: String::new(),
        }
    }

    pub(crate) fn wrong(error: &ConfigError) -> Self {
        Self {
            problems: error.problems().to_vec(),
            ..Self::new(CardFile::Wrong)
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
                "yobiban-setup did not finish: cannot read {}: {e}",
                path.display()
            ),
            ..Self::new(CardFile::Failed)
        })
    }
}
