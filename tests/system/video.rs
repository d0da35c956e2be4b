//! A video and those who receive it: ffmpeg as a server that records, and what is in a recording.

use crate::support::PATIENCE;
use crate::support::streams::now;
use embedded_graphics::draw_target::DrawTarget as _;
use embedded_graphics::geometry::{OriginDimensions as _, Point};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::primitives::Rectangle;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::subscriber::DefaultGuard;
use yobiban::clock::ManualClock;
use yobiban::config::StreamConfig;
use yobiban::output::Frame;
use yobiban::stream::{Composer, Sound, StreamContent, Yuv, run};

/// Nothing else on the machine says this.
pub const KEY: &str = "q7r2-geheim-x9=k";

/// Least likeness of picture and drawing, in dB. Measured: 54 for the right picture, 24 for the
/// same board with one other number.
pub const LIKE: f64 = 38.0;

/// A server that records what it is sent.
pub struct Receiver {
    child: Child,
    file: PathBuf,
}

impl Receiver {
    /// An RTMP server at a port, for the key [`KEY`].
    pub fn rtmp(ffmpeg: &Path, port: u16, file: PathBuf) -> Self {
        let from = format!("rtmp://127.0.0.1:{port}/live2/{KEY}");
        let options = "-listen 1 -fflags nobuffer -analyzeduration 500000 -f flv";
        Self::start(ffmpeg, options, &from, "flv", file)
    }

    /// ffmpeg that reads `from` with `options`, and writes a file of this format.
    pub fn start(ffmpeg: &Path, options: &str, from: &str, format: &str, file: PathBuf) -> Self {
        let child = Command::new(ffmpeg)
            .args("-hide_banner -loglevel error -y".split(' '))
            .args(options.split(' '))
            .args(["-i", from])
            .args("-c copy -flush_packets 1 -f".split(' '))
            .arg(format)
            .arg(&file)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, file }
    }

    pub fn bytes(&self) -> u64 {
        fs::metadata(&self.file).map_or(0, |m| m.len())
    }

    /// Waits until so much is recorded.
    pub async fn records(&self, bytes: u64, limit: Duration) {
        let what = format!("{bytes} bytes of the stream, {} are there", self.bytes());
        crate::support::eventually(limit, &what, || (self.bytes() > bytes).then_some(())).await;
    }

    /// Sends it a signal, such as `STOP`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &pid])
            .status();
        assert!(sent.unwrap().success());
    }

    pub fn kill(mut self) -> PathBuf {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.file.clone()
    }

    /// Lets it write its last packet.
    pub async fn stop(mut self) -> PathBuf {
        self.signal("INT");
        // The stream runs on this thread too, and must go on meanwhile.
        for _ in 0..40 {
            if self.child.try_wait().unwrap().is_some() {
                break;
            }
            pause(Duration::from_millis(50)).await;
        }
        self.file.clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Keeps all that is logged.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Keeps what this thread logs from now on, which is all of a test on one thread.
    pub fn here() -> (Self, DefaultGuard) {
        /// While a process has one subscriber only, tracing-core 0.1 asks that of the thread which
        /// comes to a line first, and keeps its answer for all: other tests' threads would silence
        /// lines here. With a second one it asks them all.
        static SECOND: Once = Once::new();
        SECOND.call_once(|| {
            // Refused only where there is one already.
            let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
        });
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter("debug")
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// What was logged until now.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Runs a program on `FILE`: what it said on standard output and standard error.
pub fn out(program: &Path, arguments: &str, file: &Path) -> (Vec<u8>, String) {
    let mut all: Vec<&str> = arguments.split(' ').collect();
    let file = file.to_str().unwrap();
    for argument in &mut all {
        if *argument == "FILE" {
            *argument = file;
        }
    }
    let out = Command::new(program)
        .args(all)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (
        out.stdout,
        String::from_utf8_lossy(&out.stderr).into_owned(),
    )
}

/// Peak signal to noise of two planes of brightness, in dB.
pub fn psnr(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let sum: f64 = a
        .iter()
        .zip(b)
        .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
        .sum();
    20.0 * 255f64.log10() - 10.0 * (sum / a.len() as f64).max(1e-9).log10()
}

/// The brightness of what is drawn for these news.
pub fn drawn(config: &StreamConfig, news: &StreamContent) -> Vec<u8> {
    let mut composer = Composer::new(config).unwrap();
    brightness(composer.compose(news, now()).unwrap())
}

/// The brightness of the last picture of a recording.
pub fn last_picture(ffmpeg: &Path, file: &Path, (width, height): (u32, u32)) -> Vec<u8> {
    let (pictures, _) = out(
        ffmpeg,
        "-nostdin -v error -i FILE -map 0:v -f rawvideo -pix_fmt yuv420p -",
        file,
    );
    let size = (width * height) as usize;
    let last = pictures.rchunks_exact(size * 3 / 2).next();
    last.expect("a picture")[..size].to_vec()
}

/// What is wrong with a recording, as far as it was written whole.
pub fn check_recording(ffmpeg: &Path, ffprobe: &Path, file: &Path) {
    let (_, errors) = out(ffmpeg, "-nostdin -v error -i FILE -f null -", file);
    assert_eq!(errors, "", "the recording decodes");
    let (streams, _) = out(
        ffprobe,
        "-v error -show_entries stream=codec_name,width,height,sample_rate -of csv=p=0 FILE",
        file,
    );
    let streams = String::from_utf8(streams).unwrap();
    assert!(streams.contains("h264,1280,720"), "{streams}");
    assert!(streams.contains("aac,44100"), "{streams}");
    let keys = key_frames(ffprobe, file);
    assert!(keys.len() >= 2, "{keys:?}");
}

/// When the key frames of a recording are, in seconds: two apart, also where its end is cut off.
pub fn key_frames(ffprobe: &Path, file: &Path) -> Vec<f64> {
    let (packets, _) = out(
        ffprobe,
        "-v error -select_streams v -show_entries packet=pts_time,flags -of csv=p=0 FILE",
        file,
    );
    let packets = String::from_utf8(packets).unwrap();
    let keys: Vec<f64> = packets
        .lines()
        .filter(|l| l.contains(",K"))
        .map(|l| l.split(',').next().unwrap().parse().unwrap())
        .collect();
    for pair in keys.windows(2) {
        assert!((pair[1] - pair[0] - 2.0).abs() < 0.01, "{keys:?}");
    }
    keys
}

/// A picture file as a frame.
pub fn frame(file: &[u8]) -> Frame {
    let picture = image::load_from_memory(file).unwrap().into_rgb8();
    let mut frame = Frame::new(picture.width(), picture.height());
    let all = Rectangle::new(Point::zero(), frame.size());
    let colors = picture
        .pixels()
        .map(|p| Rgb888::new(p.0[0], p.0[1], p.0[2]));
    let Ok(()) = frame.fill_contiguous(&all, colors);
    frame
}

/// The brightness of a frame, as it is in a video.
pub fn brightness(frame: &Frame) -> Vec<u8> {
    let pixels = (frame.width() * frame.height()) as usize;
    Yuv::from_frame(frame).bytes()[..pixels].to_vec()
}

/// Lets time pass in small steps.
pub async fn pause(for_: Duration) {
    let until = Instant::now() + for_;
    while Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A stream that runs.
pub struct Sent {
    pub news: watch::Sender<Arc<StreamContent>>,
    shutdown: CancellationToken,
    running: JoinHandle<()>,
}

impl Sent {
    /// Begins to send.
    pub fn start(config: &StreamConfig, news: StreamContent, sound: Option<Sound>) -> Self {
        let (to_news, from_news) = watch::channel(Arc::new(news));
        let shutdown = CancellationToken::new();
        let clock = Arc::new(ManualClock::new(now()));
        let sent = run(config.clone(), from_news, sound, clock, shutdown.clone());
        let running = tokio::spawn(async move { sent.await.unwrap() });
        Self {
            news: to_news,
            shutdown,
            running,
        }
    }

    /// Ends, in time.
    pub async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(PATIENCE, self.running)
            .await
            .expect("ends in time")
            .unwrap();
    }
}
