//! The output of boards that are only sent to the hub.

use super::{Connector, DeviceStatus, Frame, Output, OutputError};
use embedded_graphics::primitives::Rectangle;

/// Shows nothing and is always there.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoOutput;

impl Output for NoOutput {
    fn kind(&self) -> &'static str {
        "none"
    }

    fn present(&mut self, _: &Frame, _: &[Rectangle]) -> Result<(), OutputError> {
        Ok(())
    }

    fn status(&self) -> DeviceStatus {
        DeviceStatus::new(Connector::Connected)
    }
}
