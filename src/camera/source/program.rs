//! Pictures that a program writes: `rpicam-vid --codec mjpeg`, on its standard output.
//!
//! It runs for as long as it writes pictures: one that ends or stands still is started again, and it
//! does not outlive the node.

use super::frame_reader::{FrameProducer, FrameReader, LatestFrame};
use super::jpeg_splitter::JpegSplitter;
use super::{PATIENCE, Source, SourceError};
use crate::config::RpicamConfig;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Longest line of its messages that is kept, in characters.
const LINE: usize = 200;

/// The program's own default of 50 smears thin segments.
const QUALITY: &str = "90";

/// How long the kernel may take to end it.
const END: Duration = Duration::from_secs(1);

/// Films with a Raspberry Pi's camera.
///
/// # Errors
/// [`SourceError::Io`] when no thread can be had.
pub(super) fn open(
    config: &RpicamConfig,
    size: (u32, u32),
) -> Result<Box<dyn Source>, SourceError> {
    let program = config.program.display().to_string();
    let program_source = CameraProgram {
        program: config.program.clone(),
        arguments: arguments(config, size),
    };
    Ok(Box::new(FrameReader::start(&program, program_source)?))
}

/// The arguments of the program (rpicam-apps: "options").
fn arguments(config: &RpicamConfig, (width, height): (u32, u32)) -> Vec<String> {
    let mut arguments: Vec<String> = ["--nopreview", "--timeout", "0", "--codec", "mjpeg"]
        .map(str::to_owned)
        .into();
    let mut option = |key: &str, value: String| arguments.extend([format!("--{key}"), value]);
    option("camera", config.camera.to_string());
    option("width", width.to_string());
    option("height", height.to_string());
    option("framerate", config.fps.to_string());
    option("quality", QUALITY.into());
    if let Some(exposure) = config.exposure {
        option("shutter", exposure.as_micros().to_string());
    }
    if let Some(gain) = config.gain {
        option("gain", gain.to_string());
    }
    if let Some([red, blue]) = config.awb_gains {
        option("awbgains", format!("{red},{blue}"));
    }
    // Each picture is handed on when it is there.
    arguments.extend(["--flush", "--output", "-"].map(str::to_owned));
    arguments
}

/// One run of the program.
struct CameraProgram {
    program: PathBuf,
    arguments: Vec<String>,
}

impl FrameProducer for CameraProgram {
    async fn run_once(&mut self, latest: &LatestFrame, stop: &CancellationToken) -> String {
        let name = self.program.display();
        let mut child = match start(&self.program, &self.arguments) {
            Ok(child) => child,
            Err(why) => return format!("{name} {why}"),
        };
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return format!("{name} has no output");
        };
        tracing::info!(pid = child.id(), "camera program {name} started");
        let last = Arc::new(Mutex::new(String::new()));
        let messages = tokio::spawn(listen(stderr, Arc::clone(&last)));
        let ends = tokio::select! {
            () = stop.cancelled() => false,
            stalled = take(stdout, latest) => !stalled,
        };
        // One that closed its output may need a moment to end.
        let by_itself = match ends {
            true => timeout(END, child.wait()).await.ok().and_then(Result::ok),
            false => None,
        };
        let _ = timeout(END, child.kill()).await; // it may have ended just now
        let _ = timeout(Duration::from_millis(100), messages).await;
        let last = last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let last_line = if last.is_empty() {
            last
        } else {
            format!(": {last}")
        };
        match by_itself {
            Some(status) => format!("{name} ended, {status}{last_line}"),
            None => format!(
                "{name} wrote no picture for {} s and was ended{last_line}",
                PATIENCE.as_secs()
            ),
        }
    }
}

/// Starts the program so that it ends with the thread that started it.
fn start(program: &Path, arguments: &[String]) -> Result<Child, String> {
    let found = find(program).ok_or("is not installed: expected the package rpicam-apps")?;
    let mut command = match find(Path::new("setpriv")) {
        // One whose pipe is closed ends at its next picture; this also ends one that hangs.
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "KILL", "--"]).arg(found);
            command
        }
        None => Command::new(found),
    };
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| format!("cannot be started: {e}"))
}

/// Where a program is: in one of the folders of `PATH`, unless it is a path itself.
fn find(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return program.is_file().then(|| program.to_owned());
    }
    let path: OsString = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|dir| dir.join(program))
        .find(|file| file.is_file())
}

/// Hands out pictures until there are no more; whether the program stood still.
async fn take(mut from: ChildStdout, latest: &LatestFrame) -> bool {
    let mut splitter = JpegSplitter::default();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let next = async {
            loop {
                match from.read(&mut chunk).await {
                    Ok(n @ 1..) => {
                        if let Some(picture) = splitter.take(&chunk[..n]) {
                            return Some(picture);
                        }
                    }
                    _ => return None,
                }
            }
        };
        match timeout(PATIENCE, next).await {
            Ok(Some(picture)) => latest.put(picture),
            Ok(None) => return false,
            Err(_) => return true,
        }
    }
}

/// Keeps the last line of its messages.
async fn listen(mut from: ChildStderr, last: Arc<Mutex<String>>) {
    let mut chunk = [0; 1024];
    let mut line = String::new();
    while let Ok(n @ 1..) = from.read(&mut chunk).await {
        for c in String::from_utf8_lossy(&chunk[..n]).chars() {
            if c == '\n' {
                if !line.trim().is_empty() {
                    tracing::debug!(line, "camera program wrote");
                    *last.lock().unwrap_or_else(PoisonError::into_inner) = line.trim().to_owned();
                }
                line.clear();
            } else if !c.is_control() && line.len() < LINE {
                line.push(c);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_fixed_is_told_to_the_program() {
        let mut config = RpicamConfig {
            program: "rpicam-vid".into(),
            camera: 1,
            fps: 10,
            exposure: None,
            gain: None,
            awb_gains: None,
        };
        let joined = |config: &RpicamConfig| arguments(config, (1280, 720)).join(" ");
        let plain = "--nopreview --timeout 0 --codec mjpeg --camera 1 --width 1280 --height 720 \
                     --framerate 10 --quality 90";
        assert_eq!(joined(&config), format!("{plain} --flush --output -"));
        config.exposure = Some(Duration::from_millis(20));
        config.gain = Some(2.5);
        config.awb_gains = Some([1.8, 1.5]);
        let fixed = "--shutter 20000 --gain 2.5 --awbgains 1.8,1.5";
        assert_eq!(
            joined(&config),
            format!("{plain} {fixed} --flush --output -")
        );
    }
}
