//! What another process on this machine spends, as the kernel counts it (`proc(5)`).

use anyhow::Context as _;
use std::path::PathBuf;
use std::time::Duration;

/// A process.
#[derive(Debug)]
pub(super) struct Process {
    dir: PathBuf,
}

impl Process {
    pub(super) fn new(id: u32) -> Self {
        Self {
            dir: format!("/proc/{id}").into(),
        }
    }

    /// Memory that it holds, in KiB.
    pub(super) fn memory_kib(&self) -> anyhow::Result<u64> {
        let path = self.dir.join("status");
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        text.lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
            .with_context(|| format!("{}: expected VmRSS", path.display()))
    }

    /// Processor time of all its threads that are still there, to the nanosecond.
    pub(super) fn cpu(&self) -> anyhow::Result<Duration> {
        let path = self.dir.join("task");
        let threads =
            std::fs::read_dir(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut nanos = 0;
        for thread in threads {
            let path = thread?.path().join("schedstat");
            // A thread may end while they are counted.
            let Ok(text) = std::fs::read_to_string(&path) else {
                continue;
            };
            let run = text.split_whitespace().next().and_then(|n| n.parse().ok());
            let run: u64 = run.with_context(|| format!("{}: expected times", path.display()))?;
            nanos += run;
        }
        Ok(Duration::from_nanos(nanos))
    }
}
