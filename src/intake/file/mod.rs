//! Files that ticketing systems write: a log that grows, or a state that is replaced.
//!
//! The file may be on a disk of its own, on a network drive or in a drop folder, and may be renamed,
//! emptied, or missing for a while. It is looked at again and again, because change notifications do not
//! cross network drives. A thread of its own reads it: a network drive that is away can block for minutes.

mod follow;
#[cfg(test)]
mod follow_tests;
mod position;
mod replaced;
mod split;
mod target;
#[cfg(test)]
mod tests;

pub use super::decode::Encoding;
pub use position::{FileId, Position};

use super::{Detail, Fault, MIN_EVERY, Outlet, retry};
use crate::source::Seen;
use bytes::Bytes;
use follow::{Follower, Look};
use replaced::{Replaced, Verdict};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How much of a growing file is read at the first look, in bytes: more than the busiest office writes in
/// a day. A file may hold years.
pub const LOOK_BACK: u64 = 4 * 1024 * 1024;

/// A file system that does not answer for so long is unreachable.
const STALL: Duration = Duration::from_secs(10);

/// What is written between two looks further apart than this is no longer live.
const GAP: Duration = Duration::from_secs(30);

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Lines are appended.
    Follow,
    /// The whole file is written again.
    Replaced,
}

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileConfig {
    /// Which. The name may hold one `*` where each day has a file of its own; names are then in the order of
    /// time.
    pub path: PathBuf,
    /// How it is written.
    pub mode: Mode,
    /// How often it is looked at, at least [`MIN_EVERY`].
    pub every: Duration,
    /// How it is encoded, where it has no byte order mark.
    pub encoding: Encoding,
    /// Whether the first line names the columns; it is then put before the lines of each payload.
    pub header: bool,
}

impl FileConfig {
    /// A file to which lines are appended, once a second, in UTF-8.
    #[must_use]
    pub fn follow(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            mode: Mode::Follow,
            every: Duration::from_secs(1),
            encoding: Encoding::Utf8,
            header: false,
        }
    }

    /// A file that is replaced, otherwise the same.
    #[must_use]
    pub fn replaced(path: &Path) -> Self {
        Self {
            mode: Mode::Replaced,
            ..Self::follow(path)
        }
    }
}

/// Reads a file until it is stopped. `from` is where a growing file was left by the run before; without
/// it, what is there already is handed on as [`Seen::Backlog`].
pub async fn run(config: FileConfig, from: Option<Position>, mut outlet: Outlet) {
    let every = config.every.max(MIN_EVERY);
    let shown = config.path.display().to_string();
    let (ask, mut answers) = match reader(config, from) {
        Ok(reader) => reader,
        Err(e) => {
            return outlet.fault(Fault::unreachable(format!(
                "{shown}: no thread to read it: {e}"
            )));
        }
    };
    let mut backoff = retry::backoff();
    let mut last = outlet.now().mono;
    loop {
        let gap = outlet.now().since(last) > GAP;
        if ask.send(gap).is_err() {
            return;
        }
        let Some(found) = answer(&mut answers, &shown, &mut outlet).await else {
            return;
        };
        last = outlet.now().mono;
        if let Some((text, seen, detail)) = found.payload
            && !outlet.hand_over(Bytes::from(text), seen, detail).await
        {
            return;
        }
        let pause = match found.fault {
            Some(fault) => {
                outlet.fault(fault);
                // A file that is not there yet is noticed in time.
                backoff
                    .next(fastrand::f64())
                    .min(every.max(Duration::from_secs(1)))
            }
            None => {
                backoff.reset();
                outlet.contact();
                every
            }
        };
        if !found.more && !outlet.pause(pause).await {
            return;
        }
    }
}

/// What the reading thread found.
#[derive(Default)]
struct Found {
    payload: Option<(String, Seen, Detail)>,
    more: bool,
    fault: Option<Fault>,
}

impl From<Look> for Found {
    fn from(look: Look) -> Self {
        let payload = look.batch.map(|batch| {
            let detail = Detail::Lines {
                position: batch.position,
                skipped: batch.skipped,
                malformed: batch.malformed,
            };
            (batch.text, batch.seen, detail)
        });
        Self {
            payload,
            more: look.more,
            fault: look.fault,
        }
    }
}

impl From<Result<(Verdict, String), Fault>> for Found {
    fn from(look: Result<(Verdict, String), Fault>) -> Self {
        match look {
            Ok((Verdict::New, text)) => Self {
                payload: Some((text, Seen::Live, Detail::Document { media_type: None })),
                ..Self::default()
            },
            Ok(_) => Self::default(),
            Err(fault) => Self {
                fault: Some(fault),
                ..Self::default()
            },
        }
    }
}

type Asker = std::sync::mpsc::Sender<bool>;

/// Starts the thread that reads. It ends with its asker.
fn reader(
    config: FileConfig,
    from: Option<Position>,
) -> std::io::Result<(Asker, mpsc::Receiver<Found>)> {
    let (ask, asked) = std::sync::mpsc::channel();
    let (answer, answers) = mpsc::channel(1);
    let mut look: Box<dyn FnMut(bool) -> Found + Send> = match config.mode {
        Mode::Follow => {
            let mut follower = Follower::new(&config, from);
            Box::new(move |gap| follower.look(gap).into())
        }
        Mode::Replaced => {
            let mut replaced = Replaced::new(&config);
            Box::new(move |_| replaced.look().into())
        }
    };
    std::thread::Builder::new()
        .name("file-source".into())
        .spawn(move || {
            while let Ok(gap) = asked.recv() {
                if answer.blocking_send(look(gap)).is_err() {
                    return;
                }
            }
        })?;
    Ok((ask, answers))
}

/// Waits for the thread, and says when the file system does not answer; `None` when the kind must end.
async fn answer(
    answers: &mut mpsc::Receiver<Found>,
    shown: &str,
    outlet: &mut Outlet,
) -> Option<Found> {
    let stop = outlet.stop();
    loop {
        tokio::select! {
            found = timeout(STALL, answers.recv()) => match found {
                Ok(found) => return found,
                Err(_) => outlet.fault(Fault::unreachable(format!(
                    "{shown}: the file system has not answered for {} s",
                    STALL.as_secs()
                ))),
            },
            () = stop.cancelled() => return None,
        }
    }
}
