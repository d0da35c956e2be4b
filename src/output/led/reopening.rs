//! Opens a device when it is available: at the first frame, and again after a failure.

use crate::output::{Connector, DeviceStatus, Frame, Output, OutputError};
use embedded_graphics::primitives::Rectangle;

type Open = Box<dyn FnMut() -> Result<Box<dyn Output>, OutputError> + Send>;

/// An output that waits for its device.
pub struct ReopeningOutput {
    kind: &'static str,
    size: (u32, u32),
    open: Open,
    output: Option<Box<dyn Output>>,
    lit: bool,
}

impl ReopeningOutput {
    /// An output that `open` opens, of a kind and size that are known before.
    pub fn new<O: Output + 'static>(
        kind: &'static str,
        size: (u32, u32),
        mut open: impl FnMut() -> Result<O, OutputError> + Send + 'static,
    ) -> Self {
        Self {
            kind,
            size,
            open: Box::new(move || Ok(Box::new(open()?))),
            output: None,
            lit: true,
        }
    }

    /// The output, opened if it is not; what fails is opened anew the next time.
    fn with<T>(
        &mut self,
        act: impl FnOnce(&mut dyn Output) -> Result<T, OutputError>,
    ) -> Result<T, OutputError> {
        let output = match &mut self.output {
            Some(output) => output,
            None => {
                let mut output = (self.open)()?;
                output.set_lit(self.lit);
                self.output.insert(output)
            }
        };
        let done = act(output.as_mut());
        if done.is_err() {
            self.output = None;
        }
        done
    }
}

impl Output for ReopeningOutput {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn size(&self) -> Option<(u32, u32)> {
        Some(self.size)
    }

    fn present(&mut self, frame: &Frame, damage: &[Rectangle]) -> Result<(), OutputError> {
        self.with(|output| output.present(frame, damage))
    }

    fn poll_device(&mut self) -> Result<bool, OutputError> {
        let there = self.output.is_some();
        let again = self.with(|output| output.poll_device())?;
        // A device that has just come wants the frame.
        Ok(again || !there)
    }

    fn set_lit(&mut self, lit: bool) {
        self.lit = lit;
        if let Some(output) = &mut self.output {
            output.set_lit(lit);
        }
    }

    fn status(&self) -> DeviceStatus {
        self.output.as_ref().map_or_else(
            || DeviceStatus::new(Connector::Disconnected),
            |output| output.status(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Works until it was told to fail.
    struct Device(Arc<AtomicU32>);

    impl Output for Device {
        fn kind(&self) -> &'static str {
            "none"
        }
        fn present(&mut self, _: &Frame, _: &[Rectangle]) -> Result<(), OutputError> {
            match self.0.load(Ordering::Relaxed) {
                0 => Ok(()),
                _ => Err(OutputError::state("pulled")),
            }
        }
        fn status(&self) -> DeviceStatus {
            DeviceStatus::new(Connector::Connected)
        }
    }

    #[test]
    fn a_device_that_comes_later_or_again_gets_the_whole_frame() {
        let broken = Arc::new(AtomicU32::new(1));
        let theirs = Arc::clone(&broken);
        let mut output = ReopeningOutput::new("none", (64, 8), move || {
            match theirs.load(Ordering::Relaxed) {
                0 => Ok(Device(Arc::clone(&theirs))),
                _ => Err(OutputError::state("not there")),
            }
        });
        let frame = Frame::new(64, 8);
        assert!(output.poll_device().is_err());
        assert!(output.present(&frame, &[]).is_err());
        assert_eq!(output.status().connector, Connector::Disconnected);
        broken.store(0, Ordering::Relaxed);
        assert!(output.poll_device().expect("there"), "asks for the frame");
        assert!(!output.poll_device().expect("there"));
        assert_eq!(output.status().connector, Connector::Connected);
        broken.store(1, Ordering::Relaxed);
        assert!(output.present(&frame, &[]).is_err());
        assert!(output.poll_device().is_err());
        broken.store(0, Ordering::Relaxed);
        assert!(output.poll_device().expect("back"), "asks for the frame");
    }
}
