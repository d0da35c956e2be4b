//! Panels of light points: how they are driven, and what they look like.

#[cfg(target_os = "linux")]
mod arrangement;
#[cfg(target_os = "linux")]
pub mod hub75;
#[cfg(target_os = "linux")]
pub mod max7219;
pub mod preview;
mod reopening;

pub use reopening::ReopeningOutput;
