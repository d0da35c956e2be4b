//! `source` of a `[[camera]]`: where its pictures come from, and what of the camera stays fixed.

use super::camera_http::HttpCameraConfig;
use super::check::Check;
use super::doc::At;
use super::problem::ProblemKind;
use super::raw::RawCameraSource;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// Pictures a second of a device unless configured: an old board changes far more slowly, and a slow
/// rate leaves room for a long exposure.
const FPS: usize = 5;
/// Exposures: V4L2 counts in 100 µs; above, a hand that moves is a smear.
const EXPOSURE: RangeInclusive<Duration> = Duration::from_micros(100)..=Duration::from_secs(1);
/// Most controls of a device that are fixed by name.
const MAX_CONTROLS: usize = 32;
/// Program that films with a Raspberry Pi's camera.
const RPICAM: &str = "rpicam-vid";

/// Where pictures come from.
#[derive(Debug, Clone, PartialEq)]
pub enum CameraSource {
    /// The JPEG pictures of a folder, by name.
    Folder { path: PathBuf },
    /// A device of Video4Linux, such as a camera on USB.
    V4l2(V4l2Config),
    /// The camera of a Raspberry Pi, by a program of its own.
    Rpicam(RpicamConfig),
    /// A camera on the network.
    Http(HttpCameraConfig),
}

/// A device of Video4Linux.
#[derive(Debug, Clone, PartialEq)]
pub struct V4l2Config {
    /// Its device file, best below `/dev/v4l/by-id`.
    pub device: PathBuf,
    /// How it is to code its pictures; `None` is what suits best of what it has.
    pub format: Option<PixelWord>,
    /// Pictures a second it is asked for, 1 to 60.
    pub fps: u32,
    /// Fixed exposure; `None` leaves it to the device.
    pub exposure: Option<Duration>,
    /// Fixed gain, in the device's own steps.
    pub gain: Option<i32>,
    /// Fixed white balance in kelvin.
    pub white_balance: Option<i32>,
    /// Further controls by name, as `v4l2-ctl --list-ctrls` tells them.
    pub controls: Vec<(String, i32)>,
}

/// How a device codes its pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PixelWord {
    /// A JPEG each.
    Mjpeg,
    /// Brightness of each pixel, colour of every second, in one plane.
    Yuyv,
    /// … in the other order.
    Uyvy,
    /// Brightness, then colours of every second pixel of every second row.
    Nv12,
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red.
    Bgr,
}

impl PixelWord {
    /// The words for them, best first: a JPEG passes any cable in time.
    pub const WORDS: [(&'static str, Self); 6] = [
        ("mjpeg", Self::Mjpeg),
        ("yuyv", Self::Yuyv),
        ("uyvy", Self::Uyvy),
        ("nv12", Self::Nv12),
        ("rgb", Self::Rgb),
        ("bgr", Self::Bgr),
    ];
}

/// The camera of a Raspberry Pi.
#[derive(Debug, Clone, PartialEq)]
pub struct RpicamConfig {
    /// The program, by name or by path.
    pub program: PathBuf,
    /// Which camera, from 0.
    pub camera: u32,
    /// Pictures a second, 1 to 60.
    pub fps: u32,
    /// Fixed exposure; `None` leaves it to the program.
    pub exposure: Option<Duration>,
    /// Fixed analogue gain, 1 to 64.
    pub gain: Option<f32>,
    /// Fixed white balance: gains of red and blue, 0.1 to 32.
    pub awb_gains: Option<[f32; 2]>,
}

/// Keys of one kind, which the others must not have.
type Given<'a> = (&'a str, bool, &'a [&'a str]);

impl Check<'_> {
    pub(super) fn camera_source(
        &mut self,
        at: &At,
        raw: Option<&RawCameraSource>,
    ) -> Option<CameraSource> {
        const KINDS: [(&str, &str); 4] = [
            ("v4l2", "v4l2"),
            ("rpicam", "rpicam"),
            ("http", "http"),
            ("folder", "folder"),
        ];
        let Some(raw) = raw else {
            self.missing(
                at,
                "a source, such as { kind = \"v4l2\", device = \"/dev/video0\" }",
            );
            return None;
        };
        let Some(kind) = raw.kind.as_deref() else {
            self.missing(&at.key("kind"), "v4l2, rpicam, http or folder");
            return None;
        };
        let kind = self.word(&at.key("kind"), kind, &KINDS)?;
        self.only_of_kind(at, raw, kind);
        match kind {
            "folder" => {
                let Some(path) = raw.path.as_deref() else {
                    self.missing(&at.key("path"), "a folder of pictures");
                    return None;
                };
                let path = self.path(&at.key("path"), path)?;
                Some(CameraSource::Folder { path })
            }
            "v4l2" => self.v4l2(at, raw).map(CameraSource::V4l2),
            "rpicam" => self.rpicam(at, raw).map(CameraSource::Rpicam),
            _ => self.http_camera(at, raw).map(CameraSource::Http),
        }
    }

    /// Names keys that say nothing to this kind: they would seem to work.
    fn only_of_kind(&mut self, at: &At, raw: &RawCameraSource, kind: &str) {
        let given: [Given<'_>; 16] = [
            ("path", raw.path.is_some(), &["folder"]),
            ("device", raw.device.is_some(), &["v4l2"]),
            ("format", raw.format.is_some(), &["v4l2"]),
            ("white_balance", raw.white_balance.is_some(), &["v4l2"]),
            ("controls", raw.controls.is_some(), &["v4l2"]),
            ("fps", raw.fps.is_some(), &["v4l2", "rpicam"]),
            ("exposure", raw.exposure.is_some(), &["v4l2", "rpicam"]),
            ("gain", raw.gain.is_some(), &["v4l2", "rpicam"]),
            ("awb_gains", raw.awb_gains.is_some(), &["rpicam"]),
            ("camera", raw.camera.is_some(), &["rpicam"]),
            ("program", raw.program.is_some(), &["rpicam"]),
            ("url", raw.url.is_some(), &["http"]),
            ("ca", raw.ca.is_some(), &["http"]),
            ("username", raw.username.is_some(), &["http"]),
            ("password", raw.password.is_some(), &["http"]),
            (
                "password_file",
                raw.password_file.is_some() || raw.password_credential.is_some(),
                &["http"],
            ),
        ];
        for (key, is_given, kinds) in given {
            if is_given && !kinds.contains(&kind) {
                let kinds = kinds.join(" or ");
                self.wrong_as(
                    &at.key(key),
                    ProblemKind::Unwanted,
                    format_args!("not used by kind {kind}: expected it with {kinds} only"),
                );
            }
        }
    }

    fn v4l2(&mut self, at: &At, raw: &RawCameraSource) -> Option<V4l2Config> {
        let device = match raw.device.as_deref() {
            Some(device) => self.path(&at.key("device"), device),
            None => {
                self.missing(
                    &at.key("device"),
                    "a device file, best one below /dev/v4l/by-id",
                );
                None
            }
        };
        let format = raw.format.as_deref().unwrap_or("auto");
        let words: Vec<_> = std::iter::once(("auto", None))
            .chain(PixelWord::WORDS.map(|(word, format)| (word, Some(format))))
            .collect();
        let format = self.word(&at.key("format"), format, &words);
        let fps = self.count(&at.key("fps"), raw.fps, FPS, 1..=60);
        let exposure = self.exposure(at, raw);
        let gain = raw.gain.map(|gain| {
            let whole = gain.fract() == 0.0 && (0.0..=65_535.0).contains(&gain);
            if !whole {
                self.wrong(
                    &at.key("gain"),
                    "expected a whole number from 0 to 65535, in the device's own steps",
                );
            }
            whole_number(gain)
        });
        let white_balance = raw.white_balance.map(|kelvin| {
            let kelvin = usize::try_from(kelvin).unwrap_or(0);
            let checked = self.count(
                &at.key("white_balance"),
                Some(i64::try_from(kelvin).unwrap_or(0)),
                5000,
                1000..=20_000,
            );
            i32::try_from(checked).unwrap_or(5000)
        });
        let controls = self.controls(&at.key("controls"), raw);
        Some(V4l2Config {
            device: device?,
            format: format?,
            fps: u32::try_from(fps).ok()?,
            exposure,
            gain,
            white_balance,
            controls,
        })
    }

    fn controls(&mut self, at: &At, raw: &RawCameraSource) -> Vec<(String, i32)> {
        let Some(raw) = &raw.controls else {
            return Vec::new();
        };
        if raw.len() > MAX_CONTROLS {
            self.wrong_as(
                at,
                ProblemKind::TooMany,
                format_args!("expected at most {MAX_CONTROLS} controls"),
            );
        }
        let mut controls = Vec::new();
        for (name, value) in raw.iter().take(MAX_CONTROLS) {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            let at = at.key(name);
            if name.is_empty() || name.len() > 32 || !name.bytes().all(plain) {
                self.wrong(
                    &at,
                    "not the name of a control: expected one as v4l2-ctl --list-ctrls tells it",
                );
                continue;
            }
            match i32::try_from(*value) {
                Ok(value) => controls.push((name.clone(), value)),
                Err(_) => self.wrong(&at, "expected a whole number of 32 bits"),
            }
        }
        controls
    }

    fn rpicam(&mut self, at: &At, raw: &RawCameraSource) -> Option<RpicamConfig> {
        let program = raw.program.as_deref().unwrap_or(RPICAM);
        let program = if program.contains('/') || program.is_empty() {
            self.path(&at.key("program"), program)
        } else {
            Some(PathBuf::from(program))
        };
        let camera = self.count(&at.key("camera"), raw.camera, 0, 0..=7);
        let fps = self.count(&at.key("fps"), raw.fps, FPS, 1..=60);
        let exposure = self.exposure(at, raw);
        if let Some(gain) = raw.gain
            && !(1.0..=64.0).contains(&gain)
        {
            self.wrong(&at.key("gain"), "expected a number from 1 to 64");
        }
        let awb_gains = match raw.awb_gains.as_deref() {
            None => None,
            Some(&[red, blue]) if [red, blue].iter().all(|g| (0.1..=32.0).contains(g)) => {
                Some([red, blue].map(narrow))
            }
            Some(_) => {
                self.wrong(
                    &at.key("awb_gains"),
                    "expected the gains of red and blue, 0.1 to 32 each, such as [1.8, 1.5]",
                );
                None
            }
        };
        Some(RpicamConfig {
            program: program?,
            camera: u32::try_from(camera).ok()?,
            fps: u32::try_from(fps).ok()?,
            exposure,
            gain: raw.gain.map(narrow),
            awb_gains,
        })
    }

    fn exposure(&mut self, at: &At, raw: &RawCameraSource) -> Option<Duration> {
        let at = at.key("exposure");
        let raw = raw.exposure.as_ref()?;
        Some(self.duration(&at, Some(raw), *EXPOSURE.start(), EXPOSURE))
    }
}

/// The nearest that the program can be told.
#[allow(clippy::cast_possible_truncation)] // within bounds, or an error was noted
fn narrow(value: f64) -> f32 {
    value as f32
}

/// A number that was looked at before.
#[allow(clippy::cast_possible_truncation)] // within bounds, or an error was noted
fn whole_number(value: f64) -> i32 {
    value as i32
}
