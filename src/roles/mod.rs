//! Composition roots: each role joins the parts and owns their lives.
//!
//! A role receives its configuration, clock and shutdown, starts its tasks, and ends when all of
//! them have ended. Anything may be imported here; nothing imports this.

#[cfg(feature = "demo")]
pub mod demo;
pub mod doctor;
pub mod draw;
pub mod hub;
pub mod node;
pub mod replay;
pub mod score;

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

/// Where a measurement wants to be told of [`Drawn`] messages; told ones are dropped when full.
pub type Probe = mpsc::Sender<Drawn>;

/// What glows on a board that is drawn for panels of light points: its pictures show that.
fn glowing(board: &BoardConfig) -> Option<Points> {
    let led = board.layout.as_deref() == Some("led");
    led.then_some(match board.output {
        OutputConfig::Max7219(_) => Points::Red,
        _ => Points::Rgb,
    })
}
