//! What is configured about a board of digits on a serial line.

use crate::model::{Label, QueueId};
use std::path::PathBuf;
use std::time::Duration;

/// A board of digits on a serial line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialConfig {
    /// What it is plugged into.
    pub device: SerialDevice,
    /// Bits a second.
    pub baud: u32,
    /// Bits a character.
    pub framing: Framing,
    /// Who switches the direction of an RS-485 line.
    pub rs485: Rs485,
    /// How frames are made: a name in `assets/serial` or a path ending in `.toml`.
    pub template: String,
    /// Parts of the template that are on.
    pub options: Vec<String>,
    /// Digits of each field, 1 to 12; `None` is what the template says.
    pub digits: Option<usize>,
    /// Everything is sent again this often. Default 10 s.
    pub refresh: Duration,
    /// What stands where; at least one, each address once.
    pub fields: Vec<SerialField>,
    /// Whether new calls blink.
    pub blink: bool,
    /// What stands in place of numbers that are not fresh.
    pub stale: StaleDigits,
    /// What stands where there is no number to show.
    pub idle: IdleDigits,
}

/// What a serial board is plugged into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SerialDevice {
    /// A device file.
    Port(PathBuf),
    /// A device server or a Modbus TCP board.
    Tcp {
        /// Host name or address.
        host: String,
        /// TCP port.
        port: u16,
    },
}

impl std::fmt::Display for SerialDevice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Port(path) => write!(f, "{}", path.display()),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
        }
    }
}

/// Bits of a character on the line, such as `8N1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Framing {
    /// Data bits, 7 or 8.
    pub data_bits: u8,
    /// The bit that guards them.
    pub parity: Parity,
    /// Stop bits, 1 or 2.
    pub stop_bits: u8,
}

/// The bit that guards a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parity {
    /// There is none.
    None,
    /// Makes the number of ones even.
    Even,
    /// Makes the number of ones odd.
    Odd,
}

/// Who switches the direction of a two-wire line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rs485 {
    /// The converter by itself, or there is nothing to switch (RS-232).
    #[default]
    Adapter,
    /// The program, with the line RTS: on while it sends.
    Rts,
    /// The program, with the line RTS: off while it sends.
    RtsInverted,
}

/// One field of a board of digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialField {
    /// Its address on the line.
    pub address: u16,
    pub source: FieldSource,
}

/// Where the number of a field comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldSource {
    /// One number of a queue.
    Queue(QueueId, FieldShow),
    /// The newest call to a counter, whatever its queue.
    Counter(Label),
}

/// Which number of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FieldShow {
    /// The ticket called last.
    #[default]
    Ticket,
    /// The counter it was called to.
    Counter,
    /// People waiting.
    Waiting,
    /// Tickets on hold.
    OnHold,
    /// The longest likely wait, in minutes.
    Wait,
}

/// What stands in place of numbers that are not fresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StaleDigits {
    /// The number and dashes in turn.
    #[default]
    Alternate,
    /// Dashes only.
    Dashes,
}

/// What stands where there is no number to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdleDigits {
    /// Nothing.
    #[default]
    Blank,
    /// Dashes.
    Dashes,
}
