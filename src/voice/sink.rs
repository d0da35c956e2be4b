//! Where sound goes: the trait, and the sinks that need no device.

use super::sound::Pcm;
use super::wav;
use crate::files::{self, Durability};
use crate::model::QueueId;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Files of announcements that are kept; the oldest go first. A busy day has 2,000 calls of 600 kB.
const MOST_FILES: usize = 500;

/// A sink that does not take sound.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SinkError(pub String);

/// Takes sound at [`RATE`](super::RATE), one channel. All calls come from one thread.
pub trait Sink: Send {
    /// Makes it ready. Called before an announcement, and again and again while it is lost.
    ///
    /// # Errors
    /// [`SinkError`] when there is no device, in words for an installer.
    fn open(&mut self) -> Result<(), SinkError>;

    /// Begins an announcement with this name.
    ///
    /// # Errors
    /// [`SinkError`] when the device is lost.
    fn begin(&mut self, name: &str) -> Result<(), SinkError>;

    /// Plays samples; a device blocks for about as long as they last.
    ///
    /// # Errors
    /// [`SinkError`] when the device is lost.
    fn play(&mut self, samples: &[i16]) -> Result<(), SinkError>;

    /// Fills the gap with silence while the next sound is made; called every 20 ms then.
    ///
    /// # Errors
    /// [`SinkError`] when the device is lost.
    fn fill_gap(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    /// Waits until all of it was heard.
    ///
    /// # Errors
    /// [`SinkError`] when the device is lost.
    fn end(&mut self) -> Result<(), SinkError>;

    /// How often to call [`keep_alive`](Self::keep_alive); the default is every second.
    fn keep_alive_interval(&self) -> Duration {
        Duration::from_secs(1)
    }

    /// Keeps the device alive, or checks it, while nothing is played.
    ///
    /// # Errors
    /// [`SinkError`] when the device is lost.
    fn keep_alive(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    /// Ends at once, whatever was to be heard yet.
    fn stop(&mut self) {}
}

/// Discards all sound at once.
#[derive(Debug, Clone, Copy, Default)]
pub struct NullSink;

impl Sink for NullSink {
    fn open(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    fn begin(&mut self, _: &str) -> Result<(), SinkError> {
        Ok(())
    }

    fn play(&mut self, _: &[i16]) -> Result<(), SinkError> {
        Ok(())
    }

    fn end(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Slows a sink down to real time, as a loudspeaker would: the same sound goes to a video.
pub struct RealTimeSink {
    sink: Box<dyn Sink>,
    /// When all that was played will have been heard.
    until: Option<Instant>,
}

impl RealTimeSink {
    /// Slows down this one.
    #[must_use]
    pub fn new(sink: Box<dyn Sink>) -> Self {
        Self { sink, until: None }
    }
}

impl Sink for RealTimeSink {
    fn open(&mut self) -> Result<(), SinkError> {
        self.sink.open()
    }

    fn begin(&mut self, name: &str) -> Result<(), SinkError> {
        self.sink.begin(name)
    }

    fn play(&mut self, samples: &[i16]) -> Result<(), SinkError> {
        self.sink.play(samples)?;
        let now = Instant::now();
        let seconds = samples.len() as f64 / f64::from(super::RATE);
        let until =
            self.until.map_or(now, |until| until.max(now)) + Duration::from_secs_f64(seconds);
        self.until = Some(until);
        // A thread may wake up for no reason.
        while let Some(rest) = until
            .checked_duration_since(Instant::now())
            .filter(|r| !r.is_zero())
        {
            std::thread::park_timeout(rest);
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), SinkError> {
        self.sink.end()
    }

    fn keep_alive(&mut self) -> Result<(), SinkError> {
        self.sink.keep_alive()
    }

    fn stop(&mut self) {
        self.sink.stop();
    }
}

/// Writes a WAV file for each announcement, whole or not at all.
#[derive(Debug)]
pub struct WavFolder {
    dir: PathBuf,
    name: String,
    samples: Vec<i16>,
}

impl WavFolder {
    /// Files in this folder.
    #[must_use]
    pub fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            name: String::new(),
            samples: Vec::new(),
        }
    }

    fn error(&self, e: &io::Error) -> SinkError {
        SinkError(format!("cannot write into {}: {e}", self.dir.display()))
    }

    fn write(&mut self) -> io::Result<()> {
        let pcm = Pcm::new(std::mem::take(&mut self.samples));
        let path = self.dir.join(format!("{}.wav", self.name));
        files::replace(
            &path,
            &wav::bytes(&pcm),
            Durability::Cached,
            files::ORDINARY,
        )?;
        let mut files: Vec<PathBuf> = fs::read_dir(&self.dir)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| is_ours(path))
            .collect();
        // Names begin with their time.
        files.sort();
        for oldest in files.iter().take(files.len().saturating_sub(MOST_FILES)) {
            fs::remove_file(oldest)?;
        }
        Ok(())
    }
}

/// The name of an announcement's file, such as `20261124T104207.120-certificates-311-A042`.
#[must_use]
pub fn file_name(at: &jiff::Zoned, queue: &QueueId, no: u64, ticket: &str) -> String {
    let usual = |c: char| if c.is_alphanumeric() { c } else { '_' };
    let ticket: String = ticket.chars().map(usual).collect();
    format!("{}-{queue}-{no}-{ticket}", at.strftime("%Y%m%dT%H%M%S%.3f"))
}

fn is_ours(path: &Path) -> bool {
    let name = path
        .file_name()
        .and_then(|n| n.to_str())
        .unwrap_or_default();
    let digits = name.bytes().take_while(u8::is_ascii_digit).count();
    digits == 8 && name.as_bytes().get(8) == Some(&b'T') && name.ends_with(".wav")
}

impl Sink for WavFolder {
    fn open(&mut self) -> Result<(), SinkError> {
        fs::create_dir_all(&self.dir).map_err(|e| self.error(&e))
    }

    fn begin(&mut self, name: &str) -> Result<(), SinkError> {
        name.clone_into(&mut self.name);
        self.samples.clear();
        Ok(())
    }

    fn play(&mut self, samples: &[i16]) -> Result<(), SinkError> {
        self.samples.extend_from_slice(samples);
        Ok(())
    }

    fn end(&mut self) -> Result<(), SinkError> {
        self.write().map_err(|e| self.error(&e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sink_in_time_takes_as_long_as_its_samples_last() {
        let dir = tempfile::tempdir().unwrap();
        let mut sink = RealTimeSink::new(Box::new(WavFolder::new(dir.path().to_owned())));
        sink.open().unwrap();
        sink.begin("20261124T104207.120-a").unwrap();
        let begin = Instant::now();
        for _ in 0..10 {
            sink.play(&[7; 480]).unwrap();
        }
        assert!(begin.elapsed() >= Duration::from_millis(100));
        sink.end().unwrap();
        let file = fs::read(dir.path().join("20261124T104207.120-a.wav")).unwrap();
        assert_eq!(wav::exact(&file).unwrap().samples(), [7; 4800]);
    }

    #[test]
    fn a_file_for_each_announcement_and_not_more_than_the_newest() {
        let dir = tempfile::tempdir().unwrap();
        let mut sink = WavFolder::new(dir.path().join("calls"));
        sink.open().unwrap();
        fs::write(dir.path().join("calls/other.wav"), b"").unwrap();
        let begin: jiff::Zoned = "2026-11-24T10:42:07.120+09:00[Asia/Tokyo]".parse().unwrap();
        let queue = QueueId::new("certificates").unwrap();
        for i in 0..MOST_FILES as u64 + 3 {
            let at = &begin + jiff::SignedDuration::from_secs(i64::try_from(i).unwrap());
            sink.begin(&file_name(&at, &queue, i, "A/42")).unwrap();
            sink.play(&[1, 2]).unwrap();
            sink.play(&[3]).unwrap();
            sink.end().unwrap();
        }
        let mut names: Vec<String> = fs::read_dir(dir.path().join("calls"))
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names.len(), MOST_FILES + 1);
        assert_eq!(names[0], "20261124T104210.120-certificates-3-A_42.wav");
        let newest = fs::read(dir.path().join("calls").join(&names[MOST_FILES - 1])).unwrap();
        assert_eq!(wav::exact(&newest).unwrap().samples(), [1, 2, 3]);
    }
}
