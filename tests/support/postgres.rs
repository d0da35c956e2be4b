//! PostgreSQL as a child process, in a folder of its own.

use super::skip;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A PostgreSQL server of its own on a Unix socket in a folder.
pub struct Postgres {
    bin: PathBuf,
    dir: tempfile::TempDir,
}

/// PostgreSQL does not run as root: another user's hands.
fn as_user(program: &Path) -> Command {
    let root =
        std::fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0);
    if root {
        let mut command = Command::new("runuser");
        command.args(["-u", "nobody", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

fn run(command: &mut Command) {
    let out = command.current_dir("/").output().unwrap();
    assert!(
        out.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
}

impl Postgres {
    pub fn start() -> Option<Self> {
        let versions = std::fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten();
        let bins = versions.filter_map(|v| Some(v.ok()?.path().join("bin")));
        let Some(bin) = bins.filter(|b| b.join("postgres").is_file()).max() else {
            skip("postgresql is not installed");
            return None;
        };
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let data = dir.path().join("data");
        run(as_user(&bin.join("initdb"))
            .arg("-D")
            .arg(&data)
            .args(["-A", "trust", "-U", "hub", "-N", "-E", "UTF8"]));
        let server = Self { bin, dir };
        server.run();
        Some(server)
    }

    /// Starts it (again) and waits until it answers.
    pub fn run(&self) {
        let options = format!(
            "-c listen_addresses='' -k {} -c fsync=off",
            self.dir.path().display()
        );
        run(as_user(&self.bin.join("pg_ctl"))
            .arg("-D")
            .arg(self.dir.path().join("data"))
            .arg("-l")
            .arg(self.dir.path().join("log"))
            .args(["-w", "-t", "30", "-o", &options, "start"]));
    }

    /// Ends it, and every connection with it.
    pub fn stop(&self) {
        run(as_user(&self.bin.join("pg_ctl"))
            .arg("-D")
            .arg(self.dir.path().join("data"))
            .args(["-w", "-m", "fast", "stop"]));
    }

    pub fn url(&self) -> String {
        let socket = self.dir.path().display().to_string().replace('/', "%2F");
        format!("postgres://hub@{socket}/postgres")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.dir.path().join("data");
        let mut stop = as_user(&self.bin.join("pg_ctl"));
        let _ = stop
            .current_dir("/")
            .arg("-D")
            .arg(data)
            .args(["-m", "immediate", "stop"])
            .output();
    }
}
