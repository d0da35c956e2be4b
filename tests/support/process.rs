//! The program as a process of its own: what it logs, what it weighs, how it ends.

use super::{eventually, http};
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A process that dies with this value.
pub struct Process {
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
}

impl Process {
    /// Starts it; what it says on both outputs is kept.
    pub fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let keep = |from: Box<dyn Read + Send>| {
            let said = Arc::clone(&said);
            std::thread::spawn(move || {
                for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
                    let line = String::from_utf8_lossy(&line).into_owned();
                    said.lock().unwrap().push(line);
                }
            });
        };
        keep(Box::new(child.stdout.take().unwrap()));
        keep(Box::new(child.stderr.take().unwrap()));
        Self { child, said }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything it said so far.
    pub fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    /// How many of its lines hold a text.
    pub fn says(&self, text: &str) -> usize {
        self.said().iter().filter(|l| l.contains(text)).count()
    }

    /// Where a hub serves its pages.
    pub async fn pages(&self) -> SocketAddr {
        eventually(super::PATIENCE, "pages are served", || {
            self.said().iter().find_map(|line| {
                let (_, address) = line.split_once("pages are served address=")?;
                address.split(' ').next()?.parse().ok()
            })
        })
        .await
    }

    /// Memory that is its own and in use, in KiB (`VmRSS`).
    pub fn memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Ends it without a chance to do anything about it.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to end, and says how long that took.
    pub async fn stop(&mut self) -> Duration {
        let begin = Instant::now();
        let status = Command::new("kill").arg(self.id().to_string()).status();
        assert!(status.unwrap().success());
        let child = &mut self.child;
        let ended = || child.try_wait().unwrap();
        let code = eventually(super::PATIENCE, "the process ends", ended).await;
        assert_eq!(code.code(), Some(0));
        begin.elapsed()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let said = self.said();
            let last = said.len().saturating_sub(60);
            println!("{}", said[last..].join("\n"));
        }
        self.kill();
    }
}

/// The value of one line of the metrics.
pub async fn metric(hub: SocketAddr, line: &str) -> u64 {
    let metrics = http::get(hub, "/metrics").await.text();
    let found = metrics
        .lines()
        .find_map(|l| l.strip_prefix(line)?.strip_prefix(' '));
    let value = found.unwrap_or_else(|| panic!("no metric {line}"));
    value.parse().unwrap()
}
