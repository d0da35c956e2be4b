//! One run of an encoder: started, fed at the frame rate, watched, terminated.
//!
//! ffmpeg ends by itself when its receiver goes away, and may hang when it is merely silent; so its
//! own count of frames is watched. Whatever happens, it is gone when [`run_once`] returns.

use super::Yuv;
use super::command::{Codec, PLAYLIST, PROGRAM, arguments, pictures_per_s, secret, secret_options};
use super::inherited_fds::InheritedFds;
use super::sound::Sound;
use crate::config::{StreamAudio, StreamTarget, VideoConfig};
use std::fmt;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::pipe;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

/// An encoder counts its first frame within this, connection and TLS included.
const START_TIMEOUT: Duration = Duration::from_secs(12);

/// An encoder that counts no further frame for this long is stuck: its receiver takes nothing.
const STALL_TIMEOUT: Duration = Duration::from_secs(8);

/// The same for one that writes files: a disk that is busy elsewhere holds it up for seconds (seen
/// on a machine that compiled), and another encoder would be held up as well.
const STALL_TIMEOUT_HLS: Duration = Duration::from_secs(20);

/// How long it may take to close the connection to its receiver; the hub ends within 2 s.
const EXIT_TIMEOUT: Duration = Duration::from_millis(700);

/// Longest line of its messages that is kept, in bytes.
const MAX_LINE: usize = 400;

/// HLS files this old are of another day, not of an interruption.
const STALE_HLS_AFTER: Duration = Duration::from_secs(30);

/// Why an encoder ended.
#[derive(Debug)]
pub(super) enum ExitReason {
    Stopped,
    /// It could not be started.
    NotStarted(io::Error),
    /// It ended by itself, with the last line of its messages.
    Exited(Option<ExitStatus>, String),
    /// It produced no frames any more and was killed, with the last line of its messages.
    Stalled(String),
}

impl fmt::Display for ExitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => write!(f, "stopped"),
            Self::NotStarted(error) if error.kind() == io::ErrorKind::NotFound => {
                write!(f, "{PROGRAM} is not installed")
            }
            Self::NotStarted(error) => write!(f, "cannot start {PROGRAM}: {error}"),
            Self::Exited(Some(status), last_stderr_line) => {
                write!(f, "{PROGRAM} ended, {status}: {last_stderr_line}")
            }
            Self::Exited(None, last_stderr_line) => {
                write!(f, "{PROGRAM} ended: {last_stderr_line}")
            }
            Self::Stalled(last_stderr_line) => write!(
                f,
                "{PROGRAM} made no progress and was killed: {last_stderr_line}"
            ),
        }
    }
}

/// What an encoder wrote last to standard error.
type LastLine = Arc<Mutex<String>>;

/// Runs one encoder until it ends, stands still, or the stream stops; also returns whether it ever
/// produced a frame.
pub(super) async fn run_once(
    config: &VideoConfig,
    codec: Codec,
    picture: watch::Receiver<Yuv>,
    sound: Option<&mut Sound>,
    shutdown: &CancellationToken,
) -> (ExitReason, bool) {
    let sound = sound.filter(|_| config.audio != StreamAudio::None);
    let (mut child, pipe) = match start(config, codec, sound.is_some()) {
        Ok(started) => started,
        Err(error) => return (ExitReason::NotStarted(error), false),
    };
    let (Some(stdin), Some(stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        let error = io::Error::other("its pipes are not there");
        return (ExitReason::NotStarted(error), false);
    };
    tracing::info!(pid = child.id(), codec = codec.name(), "encoder started");
    let (to_frames, frames) = watch::channel(0_u64);
    let last_line = LastLine::default();
    let readers = [
        tokio::spawn(count_frames(stdout, to_frames)),
        tokio::spawn(note_messages(stderr, secret(config), &last_line)),
    ];

    // Each track at its own pace: neither ever waits for the other.
    let pictures = Box::pin(feed(stdin, picture, pictures_per_s(config)));
    let samples = Box::pin(async {
        match pipe.zip(sound) {
            Some((pipe, sound)) => {
                sound.discard();
                sound.feed(pipe).await
            }
            None => std::future::pending().await,
        }
    });
    let produced_frame = frames.clone();
    let stall_timeout = match config.target {
        StreamTarget::Hls { .. } => STALL_TIMEOUT_HLS,
        _ => STALL_TIMEOUT,
    };
    let reason = tokio::select! {
        () = shutdown.cancelled() => ExitReason::Stopped,
        _ = pictures => ExitReason::Exited(None, String::new()),
        _ = samples => ExitReason::Exited(None, String::new()),
        status = child.wait() => ExitReason::Exited(status.ok(), String::new()),
        () = stalled(frames, stall_timeout) => ExitReason::Stalled(String::new()),
    };
    // Both ends of its input are closed now.
    let stuck = matches!(reason, ExitReason::Stalled(_));
    let status = terminate(&mut child, stuck).await;
    for reader in readers {
        // They end with its pipes, unless a child of its own keeps them.
        let _ = timeout(Duration::from_millis(100), reader).await;
    }
    let last_stderr_line = last_line.lock().unwrap_or_else(PoisonError::into_inner);
    let last_stderr_line = last_stderr_line.clone();
    let reason = match reason {
        ExitReason::Exited(..) => ExitReason::Exited(status, last_stderr_line),
        ExitReason::Stalled(_) => ExitReason::Stalled(last_stderr_line),
        other => other,
    };
    let produced_frame = *produced_frame.borrow() > 0;
    (reason, produced_frame)
}

/// Reads the encoder's report of its progress, until it ends.
fn count_frames(stdout: ChildStdout, to: watch::Sender<u64>) -> impl Future<Output = ()> + use<> {
    lines(stdout, move |line| {
        if let Some(n) = line
            .strip_prefix("frame=")
            .and_then(|n| n.trim().parse().ok())
        {
            to.send_if_modified(|old| {
                let grew = n > *old;
                *old = n;
                grew
            });
        }
    })
}

/// Logs what the encoder writes, without the stream's key, until it ends.
fn note_messages(
    stderr: ChildStderr,
    key: Option<&str>,
    last: &LastLine,
) -> impl Future<Output = ()> + use<> {
    let (key, last) = (key.map(str::to_owned), Arc::clone(last));
    lines(stderr, move |line| {
        let line = match &key {
            Some(key) => line.replace(key.as_str(), "***"),
            None => line.to_owned(),
        };
        tracing::debug!(line, "encoder wrote");
        *last.lock().unwrap_or_else(PoisonError::into_inner) = line;
    })
}

fn start(
    config: &VideoConfig,
    codec: Codec,
    sound: bool,
) -> io::Result<(Child, Option<pipe::Sender>)> {
    let mut command = Command::new(PROGRAM);
    if let StreamTarget::Hls { dir } = &config.target {
        clear_stale_hls(dir)?;
        command.current_dir(dir);
    }
    let (fds, writer) = InheritedFds::new(secret_options(config).as_deref(), sound)?;
    let writer = writer
        .map(|pipe| pipe::Sender::from_owned_fd(pipe.into()))
        .transpose()?;
    command
        .args(arguments(config, codec, fds.names()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    Ok((fds.spawn(&mut command)?, writer))
}

/// Makes the folder of an HLS stream, and removes what an earlier day left there. After a short
/// interruption everything stays, and the encoder goes on with the playlist.
fn clear_stale_hls(dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    let old = |path: &Path| {
        std::fs::metadata(path)
            .and_then(|m| m.modified())
            .is_ok_and(|at| at.elapsed().is_ok_and(|age| age > STALE_HLS_AFTER))
    };
    if !old(&dir.join(PLAYLIST)) {
        return Ok(());
    }
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|n| n.to_str())
            .unwrap_or_default();
        if name == PLAYLIST || is_segment(name) {
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Whether a name is that of an HLS segment.
fn is_segment(name: &str) -> bool {
    name.strip_suffix(".ts").is_some_and(|stem| {
        (1..=20).contains(&stem.len()) && stem.bytes().all(|b| b.is_ascii_digit())
    })
}

/// Writes the newest picture, so many a second, until the encoder takes no more.
async fn feed(mut stdin: ChildStdin, picture: watch::Receiver<Yuv>, per_s: u32) -> io::Error {
    let mut tick = interval(Duration::from_secs(1) / per_s.max(1));
    // Pictures are seconds to the encoder: what is late is made up for.
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        tick.tick().await;
        let newest = picture.borrow().clone();
        if let Err(error) = stdin.write_all(newest.bytes()).await {
            return error;
        }
    }
}

/// Waits until no frame is produced for too long.
async fn stalled(mut frames: watch::Receiver<u64>, stall_timeout: Duration) {
    let mut limit = START_TIMEOUT;
    loop {
        let began = Instant::now();
        match timeout(limit, frames.changed()).await {
            Ok(Ok(())) => limit = stall_timeout,
            // It closed its report: it is ending, or never will by itself.
            Ok(Err(_)) => {
                return tokio::time::sleep(stall_timeout.saturating_sub(began.elapsed())).await;
            }
            Err(_) => return,
        }
    }
}

/// Waits for the end of an encoder whose input has ended, and ends it if that takes too long.
async fn terminate(child: &mut Child, at_once: bool) -> Option<ExitStatus> {
    if !at_once && let Ok(status) = timeout(EXIT_TIMEOUT, child.wait()).await {
        return status.ok();
    }
    let _ = child.start_kill(); // it may have ended just now
    child.wait().await.ok()
}

/// Hands on lines, cut to [`MAX_LINE`] bytes, until the pipe ends.
async fn lines(mut from: impl AsyncRead + Unpin, mut to: impl FnMut(&str)) {
    let mut chunk = [0; 1024];
    let mut line = Vec::with_capacity(MAX_LINE);
    while let Ok(n @ 1..) = from.read(&mut chunk).await {
        for byte in &chunk[..n] {
            match byte {
                b'\n' | b'\r' => {
                    if !line.is_empty() {
                        to(&String::from_utf8_lossy(&line));
                    }
                    line.clear();
                }
                _ if line.len() < MAX_LINE => line.push(*byte),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_parts_are_removed() {
        for (name, part) in [
            ("1764034927.ts", true),
            ("0.ts", true),
            (".ts", false),
            ("holiday.ts", false),
            ("1.ts.tmp", false),
            ("123456789012345678901.ts", false),
        ] {
            assert_eq!(is_segment(name), part, "{name}");
        }
    }

    #[tokio::test]
    async fn long_lines_are_cut_and_broken_ones_are_text() {
        let mut got = Vec::new();
        let text = [b"one\r\ntwo\xff\n".as_slice(), &[b'x'; 3000], b"\nend"].concat();
        lines(&text[..], |l| got.push(l.to_owned())).await;
        assert_eq!(got.len(), 3);
        assert_eq!(got[..2], ["one", "two\u{fffd}"]);
        assert_eq!(got[2].len(), MAX_LINE);
    }
}
