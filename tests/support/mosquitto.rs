//! Mosquitto as a child process, on a free port of loopback, with a configuration of its own.

use super::{eventually, free_port, tool};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A broker that dies with this value.
pub struct Mosquitto {
    program: PathBuf,
    config: PathBuf,
    dir: tempfile::TempDir,
    address: SocketAddr,
    child: Option<Child>,
}

impl Mosquitto {
    /// Prepares a broker that lets everybody in; `None` (and "skipped: …" printed) when Mosquitto
    /// is not installed.
    pub async fn start() -> Option<Self> {
        Self::start_with(|_| "allow_anonymous true\n".into()).await
    }

    /// Prepares a broker with these lines in its configuration, made knowing its directory.
    pub async fn start_with(lines: impl FnOnce(&std::path::Path) -> String) -> Option<Self> {
        Self::prepare("persistence false", lines).await
    }

    /// The same for one that keeps what is retained on its disk.
    pub async fn start_keeping(lines: impl FnOnce(&std::path::Path) -> String) -> Option<Self> {
        Self::prepare("persistence true", lines).await
    }

    async fn prepare(
        persistence: &str,
        lines: impl FnOnce(&std::path::Path) -> String,
    ) -> Option<Self> {
        let program = tool("mosquitto")?;
        let dir = tempfile::tempdir().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let config = dir.path().join("mosquitto.conf");
        let mut file = std::fs::File::create(&config).unwrap();
        writeln!(file, "listener {} 127.0.0.1", address.port()).unwrap();
        writeln!(file, "max_queued_messages 0\n{persistence}\nuser root").unwrap();
        file.write_all(lines(dir.path()).as_bytes()).unwrap();
        let mut broker = Self {
            program,
            config,
            dir,
            address,
            child: None,
        };
        broker.run().await;
        Some(broker)
    }

    /// Where it listens, also while it is stopped.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts it (again) and waits until it listens.
    pub async fn run(&mut self) {
        let log = std::fs::File::create(self.dir.path().join("log")).unwrap();
        let child = Command::new(&self.program)
            .arg("-c")
            .arg(&self.config)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let address = self.address;
        eventually(super::PATIENCE, "mosquitto listens", || {
            TcpStream::connect_timeout(&address, Duration::from_millis(50)).ok()
        })
        .await;
    }

    /// Kills it: no goodbye, everything in its memory is gone.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Lets it hang without closing its connections, or go on.
    pub fn freeze(&self, frozen: bool) {
        self.signal(if frozen { "-STOP" } else { "-CONT" });
    }

    /// Lets it read its access list again.
    pub fn reload(&self) {
        self.signal("-HUP");
    }

    /// Lets it write what it keeps to its disk, and waits for that.
    pub async fn save(&self) {
        let file = self.dir.path().join("mosquitto.db");
        let _ = std::fs::remove_file(&file);
        self.signal("-USR1");
        eventually(super::PATIENCE, "mosquitto keeps its state", || {
            file.is_file().then_some(())
        })
        .await;
    }

    fn signal(&self, signal: &str) {
        if let Some(child) = &self.child {
            let id = child.id().to_string();
            Command::new("kill").args([signal, &id]).status().unwrap();
        }
    }

    /// What it said.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("mosquitto: {}", self.log());
        }
        self.kill();
    }
}
