//! How the node is, for scripts on the same machine: one small file, `status`, in the service's
//! runtime directory, replaced as a whole.
//!
//! A system on trial is kept or returned from by it (`image/root/usr/lib/yobiban/trial`), so its keys
//! are a contract within this machine, documented in docs/operate.md; what `systemctl status` shows
//! is for people and may be worded anew. The file names boot and process and says how long after the
//! start of the machine it was written: one of an earlier boot, of a process that is gone or of one
//! that hangs is known as such, whatever the wall clock says. The runtime directory is in memory:
//! nothing of this wears the card.

use crate::clock::Now;
use crate::files::replace_synced;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file's name.
const NAME: &str = "status";
/// What its keys mean; raised when a key changes its meaning or goes, not when one is added.
const FORMAT: u32 = 1;
/// Longest time between two writes. A reader may take the process for hanging when the file is three
/// times as old.
const WRITE_EVERY: Duration = Duration::from_secs(5);

/// How the node is at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Vitals {
    /// Whether there is a connection to the broker of the feed.
    pub(crate) connected: bool,
    /// Queues of the office.
    pub(crate) queues: usize,
    /// Those of which this process knows what their source says now
    /// ([`Reading::received_at`](crate::state::Reading::received_at)).
    pub(crate) queues_live: usize,
    /// Those of which a message could be read, be it the broker's copy of an earlier day
    /// ([`OfficeState::readable`](super::office_state::OfficeState::readable)).
    pub(crate) queues_readable: usize,
}

/// Writes the file.
#[derive(Debug)]
pub(crate) struct StatusFile {
    path: PathBuf,
    /// Where the kernel's files are: `/proc`.
    proc: PathBuf,
    /// What was written last, and when by the monotonic clock.
    last: Option<(Vitals, Duration)>,
    /// Whether a failure was said.
    failed: bool,
}

impl StatusFile {
    /// The file of a service; `None` where systemd gave the process no runtime directory.
    pub(crate) fn of_service() -> Option<Self> {
        // systemd sets it for units with RuntimeDirectory= (systemd.exec(5)).
        let dir = std::env::var_os("RUNTIME_DIRECTORY")?;
        Some(Self::new(Path::new(&dir), Path::new("/proc")))
    }

    fn new(dir: &Path, proc: &Path) -> Self {
        Self {
            path: dir.join(NAME),
            proc: proc.to_owned(),
            last: None,
            failed: false,
        }
    }

    /// Writes what is new, or the same after a while; `last_message` is when the newest message that
    /// could be read came, by the monotonic clock. A failure is logged once: boards do without.
    pub(crate) fn tick(&mut self, vitals: Vitals, last_message: Option<Duration>, now: Now) {
        let due = self
            .last
            .is_none_or(|(last, at)| last != vitals || now.since(at) >= WRITE_EVERY);
        if !due {
            return;
        }
        match self.write(vitals, last_message.map(|at| now.since(at))) {
            Ok(()) => {
                self.last = Some((vitals, now.mono));
                self.failed = false;
            }
            Err(e) if !self.failed => {
                tracing::warn!(
                    "cannot write the status file, so a system on trial cannot be kept: {e:#}"
                );
                self.failed = true;
            }
            Err(_) => {}
        }
    }

    /// Takes the file away: a process that stops says nothing any more.
    pub(crate) fn remove(&self) {
        let _ = fs::remove_file(&self.path); // a dead process's file counts for nothing anyway
    }

    fn write(&self, vitals: Vitals, silent: Option<Duration>) -> anyhow::Result<()> {
        use anyhow::Context as _;
        let read = |name: &str| {
            let path = self.proc.join(name);
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        let uptime = read("uptime")?;
        let seconds = uptime.split(['.', ' ']).next().unwrap_or_default();
        let seconds: u64 = seconds
            .parse()
            .with_context(|| format!("uptime is {uptime:?}: expected seconds"))?;
        let boot = read("sys/kernel/random/boot_id")?;
        let text = text(vitals, silent, boot.trim(), std::process::id(), seconds);
        replace_synced(&self.path, text.as_bytes(), 0o644)
    }
}

/// The file's content: `key=value` lines.
fn text(vitals: Vitals, silent: Option<Duration>, boot: &str, pid: u32, uptime_s: u64) -> String {
    let Vitals {
        connected,
        queues,
        queues_live,
        queues_readable,
    } = vitals;
    let silent_s = silent.map_or_else(|| "never".to_owned(), |s| s.as_secs().to_string());
    let connected = if connected { "yes" } else { "no" };
    format!(
        "format={FORMAT}\nversion={}\nboot={boot}\npid={pid}\nuptime_s={uptime_s}\n\
         connected={connected}\nqueues={queues}\nqueues_live={queues_live}\n\
         queues_readable={queues_readable}\nsilent_s={silent_s}\n",
        env!("CARGO_PKG_VERSION")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn at(millis: u64) -> Now {
        Now {
            mono: Duration::from_millis(millis),
            ..Now::at(Timestamp::UNIX_EPOCH)
        }
    }

    /// A machine that started `seconds` ago.
    fn machine(dir: &Path, seconds: u64) {
        fs::create_dir_all(dir.join("sys/kernel/random")).expect("made");
        fs::write(dir.join("sys/kernel/random/boot_id"), "b-o-o-t\n").expect("written");
        fs::write(dir.join("uptime"), format!("{seconds}.37 12.00\n")).expect("written");
    }

    const DOWN: Vitals = Vitals {
        connected: false,
        queues: 3,
        queues_live: 0,
        queues_readable: 0,
    };
    const UP: Vitals = Vitals {
        connected: true,
        queues: 3,
        queues_live: 2,
        queues_readable: 3,
    };

    #[test]
    fn what_is_new_is_written_at_once_and_the_same_every_five_seconds() {
        let dir = tempfile::tempdir().expect("folder");
        let proc = dir.path().join("proc");
        let mut file = StatusFile::new(&dir.path().join("run"), &proc);
        let path = dir.path().join("run/status");
        let seen = || fs::read_to_string(&path).expect("written");
        machine(&proc, 40);
        file.tick(DOWN, None, at(0));
        let pid = std::process::id();
        let version = env!("CARGO_PKG_VERSION");
        let said = |uptime, connected, live, readable, silent| {
            format!(
                "format=1\nversion={version}\nboot=b-o-o-t\npid={pid}\nuptime_s={uptime}\n\
                 connected={connected}\nqueues=3\nqueues_live={live}\n\
                 queues_readable={readable}\nsilent_s={silent}\n"
            )
        };
        assert_eq!(seen(), said(40, "no", 0, 0, "never"));
        machine(&proc, 41);
        let heard = Some(Duration::from_millis(900));
        file.tick(UP, heard, at(1000));
        assert_eq!(seen(), said(41, "yes", 2, 3, "0"));
        machine(&proc, 45);
        file.tick(UP, heard, at(5999));
        assert_eq!(seen(), said(41, "yes", 2, 3, "0"));
        machine(&proc, 46);
        file.tick(UP, heard, at(6000));
        assert_eq!(seen(), said(46, "yes", 2, 3, "5"));
        file.remove();
        assert!(!path.exists());
    }

    #[test]
    fn where_it_cannot_be_written_the_node_goes_on_and_tries_again() {
        let dir = tempfile::tempdir().expect("folder");
        let proc = dir.path().join("proc");
        let mut file = StatusFile::new(dir.path(), &proc);
        file.tick(UP, None, at(0));
        assert!(!dir.path().join(NAME).exists() && file.failed);
        machine(&proc, 7);
        file.tick(UP, None, at(1000));
        assert!(dir.path().join(NAME).exists() && !file.failed);
    }
}
