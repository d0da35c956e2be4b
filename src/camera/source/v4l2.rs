//! A device of Video4Linux, such as a camera on USB.
//!
//! It is opened when a picture is wanted and let go at the first error, so that one that was pulled
//! out and plugged in again, or that has changed its format, is begun anew with the next picture.
//! Nothing waits for the device for longer than a slice: it is polled and read without blocking,
//! which the library underneath leaves to its user. Of what the device says of itself only numbers
//! are used: names may be cut within a character, which the library does not expect.

use super::jpeg_splitter::{JpegSplitter, complete};
use super::pixels::{Layout, to_rgb};
use super::{Frame, PATIENCE, SLICE, Source, SourceError};
use crate::camera::picture::Picture;
use crate::config::{PixelWord, V4l2Config};
use crate::errors::plain;
use linuxvideo::controls::Cid;
use linuxvideo::format::{PixFormat, PixelFormat};
use linuxvideo::stream::ReadStream;
use linuxvideo::{BufType, Device, Fract, VideoCaptureDevice};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::time::Duration;

/// More formats than any device lists.
const MAX_FORMATS: usize = 64;
/// More controls.
const MAX_CONTROLS: usize = 256;
/// More buffers than a device has filled while nobody looked.
const MAX_READY: usize = 8;

/// A device that is opened when a picture is wanted.
pub(super) struct DeviceSource {
    config: V4l2Config,
    size: (u32, u32),
    open: Option<Capture>,
    /// Since when a picture is waited for.
    waiting: Option<Duration>,
    /// Controls that were warned of.
    warned: BTreeSet<String>,
}

/// A device that films.
struct Capture {
    stream: ReadStream,
    layout: Layout,
}

/// A picture as the device coded it.
enum CapturedFrame {
    Jpeg(Vec<u8>),
    Rgb(Vec<u8>),
    /// It says so itself, or bytes are missing.
    Damaged,
}

impl DeviceSource {
    pub(super) fn new(config: V4l2Config, size: (u32, u32)) -> Self {
        Self {
            config,
            size,
            open: None,
            waiting: None,
            warned: BTreeSet::new(),
        }
    }

    fn fails(&self, error: impl Into<DeviceError>) -> SourceError {
        let device = self.config.device.display();
        match error.into() {
            DeviceError::Busy => SourceError::Busy(device.to_string()),
            DeviceError::Other(why) => SourceError::Fails(format!("{device} {why}")),
        }
    }

    /// Opens the device, and drops pictures that were taken while nobody looked.
    fn ready(&mut self, first: bool) -> Result<(), SourceError> {
        let Some(filming) = &mut self.open else {
            let opened = self.start().map_err(|error| self.fails(error))?;
            self.open = Some(opened);
            return Ok(());
        };
        if first {
            for _ in 0..MAX_READY {
                if filming.stream.dequeue(|_| Ok(())).is_err() {
                    break; // none is left, or what is wrong shows below
                }
            }
        }
        Ok(())
    }

    fn start(&mut self) -> Result<Capture, DeviceError> {
        let mut device = open(&self.config.device)?;
        let format = choose(&device, self.config.format)?;
        self.fix(&mut device);
        let (width, height) = self.size;
        let wanted = PixFormat::new(width, height, fourcc(format));
        let capture = device.video_capture(wanted)?;
        let layout = layout(&capture, self.size)?;
        let interval = Fract::new(1, self.config.fps);
        if let Err(e) = capture.set_frame_interval(interval) {
            // Its own rate will do, too.
            tracing::debug!(
                "cannot set the frame rate of {}: {e}",
                self.config.device.display()
            );
        }
        let stream = capture.into_stream()?;
        Ok(Capture { stream, layout })
    }

    /// Fixes what the configuration fixes. What the device lacks is one warning.
    fn fix(&mut self, device: &mut Device) {
        /// `V4L2_EXPOSURE_MANUAL` of `V4L2_CID_EXPOSURE_AUTO`.
        const MANUAL: i32 = 1;
        let mut wanted: Vec<(&str, Cid, i32)> = Vec::new();
        if let Some(exposure) = self.config.exposure {
            // In units of 100 µs.
            let units = i32::try_from(exposure.as_micros() / 100).unwrap_or(i32::MAX);
            wanted.push(("auto_exposure", Cid::EXPOSURE_AUTO, MANUAL));
            wanted.push(("exposure_time_absolute", Cid::EXPOSURE_ABSOLUTE, units));
        }
        if let Some(gain) = self.config.gain {
            wanted.push(("gain_automatic", Cid::AUTOGAIN, 0));
            wanted.push(("gain", Cid::GAIN, gain));
        }
        if let Some(kelvin) = self.config.white_balance {
            let cid = Cid::WHITE_BALANCE_TEMPERATURE;
            wanted.push(("white_balance_automatic", Cid::AUTO_WHITE_BALANCE, 0));
            wanted.push(("white_balance_temperature", cid, kelvin));
        }
        let mut named: Vec<(String, Cid)> = Vec::new();
        if !self.config.controls.is_empty() {
            let all = device.controls().take(MAX_CONTROLS).filter_map(Result::ok);
            named.extend(all.map(|c| (word(c.name()), c.id())));
            // The library asks for what follows the first identifier, which is this one.
            named.push(("brightness".to_owned(), Cid::BRIGHTNESS));
        }
        let mut missing = Vec::new();
        for (name, value) in &self.config.controls {
            match named.iter().find(|(found, _)| found == name) {
                Some((_, cid)) => wanted.push((name, *cid, *value)),
                None => missing.push((name.clone(), "is missing".to_owned())),
            }
        }
        for (name, cid, value) in wanted {
            // Many have no automatic gain that could be switched off.
            let may_lack = cid == Cid::AUTOGAIN;
            if let Err(e) = device.write_control_raw(cid, value) {
                let lacks = e.raw_os_error() == Some(Errno::INVAL.raw_os_error());
                if !(lacks && may_lack) {
                    let why = if lacks {
                        "is missing".to_owned()
                    } else {
                        format!("does not take {value}: {}", io_text(&e))
                    };
                    missing.push((name.to_owned(), why));
                }
            }
        }
        for (name, why) in missing {
            if self.warned.insert(name.clone()) {
                let device = self.config.device.display();
                tracing::warn!("{device}: control {name} {why}; keeping the device's own value");
            }
        }
    }

    /// The next picture, if it comes within a slice.
    fn film(&mut self, first: bool) -> Result<Picture, SourceError> {
        self.ready(first)?;
        let Some(filming) = &mut self.open else {
            return Err(SourceError::NotYet); // never: it was opened
        };
        let coded = filming.next(SLICE).map_err(|e| self.fails(e))?;
        let picture = match coded {
            None | Some(CapturedFrame::Damaged) => return Err(SourceError::NotYet),
            Some(CapturedFrame::Jpeg(jpeg)) => Picture::from_jpeg(&jpeg)?,
            Some(CapturedFrame::Rgb(rgb)) => Picture::from_rgb(self.size.0, self.size.1, rgb)?,
        };
        if picture.size() != self.size {
            // The device has changed its mind: it is asked again for the next one.
            self.open = None;
        }
        Ok(picture)
    }
}

impl Source for DeviceSource {
    fn next(&mut self, now: Duration) -> Result<Option<Frame>, SourceError> {
        let first = self.waiting.is_none();
        let since = *self.waiting.get_or_insert(now);
        let result = match self.film(first) {
            Err(SourceError::NotYet) => {
                let waited = now.saturating_sub(since);
                if waited < PATIENCE {
                    return Err(SourceError::NotYet);
                }
                Err(self.fails(format!("sent no picture for {} s", waited.as_secs())))
            }
            result => result,
        };
        self.waiting = None;
        if matches!(result, Err(SourceError::Fails(_) | SourceError::Busy(_))) {
            self.open = None;
        }
        result.map(|picture| Some(Frame { picture, mono: now }))
    }

    fn restart(&mut self) {
        self.open = None;
    }
}

impl Capture {
    fn next(&mut self, limit: Duration) -> io::Result<Option<CapturedFrame>> {
        let limit = Timespec::try_from(limit).map_err(io::Error::other)?;
        let mut fds = [PollFd::new(&self.stream, PollFlags::IN)];
        match poll(&mut fds, Some(&limit)) {
            Ok(0) | Err(Errno::INTR) => return Ok(None),
            Ok(_) => {}
            Err(e) => return Err(e.into()),
        }
        let broken = fds[0].revents().intersects(PollFlags::ERR | PollFlags::HUP);
        let layout = self.layout;
        let taken = self.stream.dequeue(|view| {
            if view.is_error() {
                return Ok(CapturedFrame::Damaged);
            }
            Ok(match layout.word {
                PixelWord::Mjpeg => {
                    // Some fill the rest of the buffer with whatever was there.
                    let picture = JpegSplitter::default().take(&view);
                    picture.map_or(CapturedFrame::Damaged, |jpeg| {
                        CapturedFrame::Jpeg(complete(jpeg))
                    })
                }
                _ => to_rgb(&view, layout).map_or(CapturedFrame::Damaged, CapturedFrame::Rgb),
            })
        });
        match taken {
            Ok(coded) => Ok(Some(coded)),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock && !broken => Ok(None),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Err(Errno::NODEV.into()),
            Err(e) => Err(e),
        }
    }
}

fn open(path: &Path) -> io::Result<Device> {
    let device = Device::open(path)?;
    fcntl_getfl(&device).and_then(|now| fcntl_setfl(&device, now | OFlags::NONBLOCK))?;
    Ok(device)
}

/// The formats of a device in the order of its list, as their four signs.
fn formats(device: &Device) -> Vec<[u8; 4]> {
    let all = device.formats(BufType::VIDEO_CAPTURE).take(MAX_FORMATS);
    all.map_while(Result::ok)
        .map(|f| f.pixel_format().as_fourcc())
        .collect()
}

/// The formats that a device lists, in signs and in the words of the configuration.
///
/// # Errors
/// A message that tells why it cannot be opened.
pub(in crate::camera) fn list(path: &Path) -> Result<String, String> {
    let found = formats(&open(path).map_err(|e| io_text(&e))?);
    Ok(text(&found))
}

fn text(found: &[[u8; 4]]) -> String {
    let signs = |f: &[u8; 4]| String::from_utf8_lossy(f).trim().to_owned();
    let all: Vec<String> = found.iter().map(signs).collect();
    if all.is_empty() {
        "none".into()
    } else {
        all.join(", ")
    }
}

/// The wanted format, or the best of what the device lists.
fn choose(device: &Device, wanted: Option<PixelWord>) -> Result<PixelWord, String> {
    let found = formats(device);
    let listed = |word: PixelWord| found.iter().any(|f| of_fourcc(*f) == Some(word));
    let mut words = PixelWord::WORDS.into_iter().map(|(_, word)| word);
    // WORDS has the best first.
    let best = words.find(|w| wanted.is_none_or(|wanted| *w == wanted) && listed(*w));
    best.ok_or_else(|| {
        let expected = wanted.map_or("mjpeg, yuyv, uyvy, nv12, rgb or bgr", |wanted| {
            let mut words = PixelWord::WORDS.into_iter();
            words
                .find(|(_, w)| *w == wanted)
                .map_or("", |(name, _)| name)
        });
        format!(
            "has the formats {}: expected {expected}; a camera may have several devices",
            text(&found)
        )
    })
}

const fn fourcc(word: PixelWord) -> PixelFormat {
    PixelFormat::from_fourcc(match word {
        PixelWord::Mjpeg => *b"MJPG",
        PixelWord::Yuyv => *b"YUYV",
        PixelWord::Uyvy => *b"UYVY",
        PixelWord::Nv12 => *b"NV12",
        PixelWord::Rgb => *b"RGB3",
        PixelWord::Bgr => *b"BGR3",
    })
}

fn of_fourcc(signs: [u8; 4]) -> Option<PixelWord> {
    let mut words = PixelWord::WORDS.into_iter().map(|(_, word)| word);
    words.find(|word| fourcc(*word).as_fourcc() == signs)
}

/// What the device has agreed to.
fn layout(capture: &VideoCaptureDevice, size: (u32, u32)) -> Result<Layout, String> {
    let format = capture.format();
    let (width, height) = (format.width(), format.height());
    if (width, height) != size {
        return Err(format!(
            "delivers pictures of {width} × {height}: expected {} × {}, as size says",
            size.0, size.1
        ));
    }
    let signs = format.pixel_format().as_fourcc();
    let word = of_fourcc(signs)
        .ok_or_else(|| format!("delivers {}, which it did not offer", text(&[signs])))?;
    let side = |n: u32| usize::try_from(n).map_err(|e| e.to_string());
    Ok(Layout {
        word,
        width: side(width)?,
        height: side(height)?,
        stride: side(format.bytes_per_line())?,
    })
}

/// The name of a control as `v4l2-ctl` tells it: small letters, and one `_` for all between them.
fn word(name: &str) -> String {
    let parts = name.split(|c: char| !c.is_ascii_alphanumeric());
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    parts.join("_").to_ascii_lowercase()
}

/// Why a device gives no pictures.
#[derive(Debug, PartialEq, Eq)]
enum DeviceError {
    /// Another program films with it.
    Busy,
    /// Something else, in words that go on after its name.
    Other(String),
}

impl From<String> for DeviceError {
    fn from(why: String) -> Self {
        Self::Other(why)
    }
}

impl From<io::Error> for DeviceError {
    fn from(error: io::Error) -> Self {
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::BUSY) => Self::Busy,
            _ => Self::Other(io_text(&error)),
        }
    }
}

/// What is wrong, in words that help.
fn io_text(error: &io::Error) -> String {
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::NOENT) => "is missing".into(),
        Some(Errno::NODEV | Errno::NXIO) => "was disconnected".into(),
        Some(Errno::BUSY) => "is used by another program".into(),
        Some(Errno::ACCESS | Errno::PERM) => {
            "permission denied: expected a user of the group video".into()
        }
        Some(Errno::NOTTY) => "is not a Video4Linux device".into(),
        Some(Errno::NOSPC) => "has not enough USB bandwidth: expected a lower frame rate".into(),
        _ => format!("fails: {}", plain(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_controls_are_those_of_v4l2_ctl() {
        for (name, expected) in [
            ("Brightness", "brightness"),
            ("White Balance, Automatic", "white_balance_automatic"),
            ("Exposure Time, Absolute", "exposure_time_absolute"),
            ("Bitmask (32)", "bitmask_32"),
        ] {
            assert_eq!(word(name), expected);
        }
    }

    #[test]
    fn a_camera_that_another_program_uses_is_busy() {
        let error = |errno: Errno| DeviceError::from(io::Error::from(errno));
        assert_eq!(error(Errno::BUSY), DeviceError::Busy);
        assert_eq!(
            error(Errno::NODEV),
            DeviceError::Other("was disconnected".into())
        );
        let device = SourceError::Busy("/dev/video0".into());
        assert_eq!(device.to_string(), "/dev/video0 is used by another program");
    }

    #[test]
    fn what_is_no_camera_is_named() {
        let config = V4l2Config {
            device: "/dev/null".into(),
            format: None,
            fps: 5,
            exposure: None,
            gain: None,
            white_balance: None,
            controls: Vec::new(),
        };
        let mut source = DeviceSource::new(config.clone(), (640, 480));
        let failure = |source: &mut DeviceSource| match source.next(Duration::ZERO) {
            Err(SourceError::Fails(why)) => why,
            _ => panic!("a picture of nothing"),
        };
        let why = failure(&mut source);
        assert_eq!(why, "/dev/null is not a Video4Linux device");
        source.config.device = "/dev/not-there".into();
        assert_eq!(failure(&mut source), "/dev/not-there is missing");
    }
}
