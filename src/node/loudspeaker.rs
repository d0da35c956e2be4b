//! Where a node's voice goes: a device of ALSA, files, or nowhere.

use crate::config::VoiceOutput;
#[cfg(target_os = "linux")]
use crate::output::alsa::{Alsa, AlsaError, BUFFER};
use crate::voice::{NullSink, Pcm, RATE, Sink, SinkError, WavFolder};
use std::time::Duration;

/// Silence after the last sample of a device that is let go.
#[cfg(target_os = "linux")]
const AFTER: Duration = Duration::from_millis(100);

/// The sink of a configuration.
pub(crate) fn sink(output: &VoiceOutput) -> Box<dyn Sink> {
    match output {
        VoiceOutput::None => Box::new(NullSink),
        VoiceOutput::Wav { dir } => Box::new(WavFolder::new(dir.clone())),
        #[cfg(target_os = "linux")]
        VoiceOutput::Alsa { device, keep_open } => Box::new(Loudspeaker {
            alsa: Alsa::new(device, RATE),
            keep_open: *keep_open,
            looked: 0,
        }),
        #[cfg(not(target_os = "linux"))]
        VoiceOutput::Alsa { .. } => Box::new(NoLoudspeaker),
    }
}

/// A device of ALSA as a sink.
#[cfg(target_os = "linux")]
struct Loudspeaker {
    alsa: Alsa,
    keep_open: bool,
    /// Times that it was to be looked after since it was last looked at.
    looked: u32,
}

#[cfg(target_os = "linux")]
impl Loudspeaker {
    /// A device that is not kept open is looked at this seldom: some click when they are opened.
    const LOOK_EVERY: u32 = 10;

    fn result(result: Result<(), AlsaError>) -> Result<(), SinkError> {
        result.map_err(|e| SinkError(e.to_string()))
    }
}

#[cfg(target_os = "linux")]
impl Sink for Loudspeaker {
    fn open(&mut self) -> Result<(), SinkError> {
        if self.keep_open {
            return Self::result(self.alsa.open());
        }
        Self::result(self.alsa.check())
    }

    fn begin(&mut self, _: &str) -> Result<(), SinkError> {
        Self::result(self.alsa.open())
    }

    fn play(&mut self, samples: &[i16]) -> Result<(), SinkError> {
        Self::result(self.alsa.write(samples))
    }

    fn fill_gap(&mut self) -> Result<(), SinkError> {
        Self::result(self.alsa.silence())
    }

    fn end(&mut self) -> Result<(), SinkError> {
        if self.keep_open {
            // What was written before has been heard when this has gone in.
            return Self::result(self.alsa.write(Pcm::silence(BUFFER).samples()));
        }
        // Some drivers cut the last samples when they are told to stop.
        Self::result(self.alsa.write(Pcm::silence(AFTER).samples()))?;
        Self::result(self.alsa.drain())
    }

    fn keep_alive(&mut self) -> Result<(), SinkError> {
        if self.keep_open {
            return Self::result(self.alsa.silence());
        }
        self.looked += 1;
        if self.looked < Self::LOOK_EVERY {
            return Ok(());
        }
        self.looked = 0;
        Self::result(self.alsa.check())
    }

    fn keep_alive_interval(&self) -> Duration {
        // Less than half of what is kept in the device's buffer.
        Duration::from_millis(if self.keep_open { 40 } else { 1000 })
    }

    fn stop(&mut self) {
        self.alsa.close();
    }
}

/// What stands in for a device where there is no ALSA.
#[cfg(not(target_os = "linux"))]
struct NoLoudspeaker;

#[cfg(not(target_os = "linux"))]
impl Sink for NoLoudspeaker {
    fn open(&mut self) -> Result<(), SinkError> {
        Err(SinkError(
            "this system has no ALSA: expected Linux".to_owned(),
        ))
    }
    fn begin(&mut self, _: &str) -> Result<(), SinkError> {
        self.open()
    }
    fn play(&mut self, _: &[i16]) -> Result<(), SinkError> {
        self.open()
    }
    fn end(&mut self) -> Result<(), SinkError> {
        self.open()
    }
}
