//! Composition roots: each role joins the parts and owns their lives.
//!
//! A role receives its configuration, clock and shutdown, starts its tasks, and ends when all of
//! them have ended. Anything may be imported here; nothing imports this.

pub mod camera;
pub mod demo;
pub mod doctor;
pub mod draw;
mod drawable;
mod files;
pub mod goodbye;
pub mod hub;
pub mod line;
pub mod load;
mod machine;
pub mod node;
pub mod provision;
mod replace;
pub mod replay;
pub mod say;
pub mod score;
pub mod setup;

pub use drawable::undrawable;

use crate::board::Row;
use crate::config::{BoardConfig, OutputConfig};
use crate::model::{OfficeId, QueueId};
use crate::output::led::preview::Points;
use std::time::Instant;
use tokio::sync::mpsc;

/// Tells that the pixels of a board hold a message.
#[derive(Debug, Clone)]
pub struct Drawn {
    /// The office of the board.
    pub office: OfficeId,
    /// The queue of the message.
    pub queue: QueueId,
    /// The message's sequence number.
    pub seq: u64,
    /// When the frame was ready and handed to the output.
    pub at: Instant,
}

/// Tells that a node took a message into its state.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The office of the node.
    pub office: OfficeId,
    /// The queue of the message.
    pub queue: QueueId,
    /// The message's sequence number.
    pub seq: u64,
}

/// Tells what a board says from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The office of the board.
    pub office: OfficeId,
    /// Its rows.
    pub rows: Vec<Row>,
    /// Queue and ticket of every call in its panel, those that stand out and earlier ones.
    pub calls: Vec<(String, String)>,
}

/// Where measurements and tests of a node want to be told what it does. Nobody waits for them: what
/// a full channel does not take is not told.
#[derive(Debug, Clone, Default)]
pub struct Probe {
    /// Hears of messages on a board.
    pub drawn: Option<mpsc::Sender<Drawn>>,
    /// Hears of messages in the state.
    pub taken: Option<mpsc::Sender<Taken>>,
    /// Hears what boards say.
    pub said: Option<mpsc::Sender<Said>>,
}

/// Tells somebody who may not be there, or too slow.
fn tell<T>(who: Option<&mpsc::Sender<T>>, what: impl FnOnce() -> T) {
    if let Some(who) = who {
        let _ = who.try_send(what()); // full: the measurement loses, not the board
    }
}

/// What glows on a board that is drawn for panels of light points: its pictures show that.
fn glowing(board: &BoardConfig) -> Option<Points> {
    let led = board.layout.as_deref() == Some("led");
    led.then_some(match board.output {
        OutputConfig::Max7219(_) => Points::Red,
        _ => Points::Rgb,
    })
}
