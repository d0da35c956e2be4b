//! Three NATS servers with JetStream that are one MQTT broker, on free ports of loopback.

use crate::support::{PATIENCE, eventually, free_port, tool};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A cluster that dies with this value.
pub struct Cluster {
    program: PathBuf,
    dir: tempfile::TempDir,
    nodes: Vec<Node>,
}

struct Node {
    config: PathBuf,
    mqtt: SocketAddr,
    child: Option<Child>,
}

impl Cluster {
    /// Three servers; `None` (and "skipped: …" printed) when NATS is not installed.
    pub async fn start() -> Option<Self> {
        const SIZE: usize = 3;
        let program = tool("nats-server")?;
        let dir = tempfile::tempdir().unwrap();
        let ports: Vec<u16> = (0..3 * SIZE).map(|_| free_port()).collect();
        let (clients, rest) = ports.split_at(SIZE);
        let (routes, mqtt) = rest.split_at(SIZE);
        let all: Vec<_> = routes
            .iter()
            .map(|p| format!("\"nats-route://127.0.0.1:{p}\""))
            .collect();
        let nodes = (0..SIZE).map(|n| {
            let store = dir.path().join(format!("store-{n}"));
            let config = dir.path().join(format!("{n}.conf"));
            let text = format!(
                "server_name: n{n}\nlisten: \"127.0.0.1:{}\"\n\
                 jetstream {{ store_dir: \"{}\", max_mem: 64M, max_file: 256M }}\n\
                 cluster {{ name: city, listen: \"127.0.0.1:{}\", routes: [{}] }}\n\
                 mqtt {{ listen: \"127.0.0.1:{}\", ack_wait: \"5s\", stream_replicas: 3 }}\n",
                clients[n],
                store.display(),
                routes[n],
                all.join(", "),
                mqtt[n],
            );
            std::fs::write(&config, text).unwrap();
            Node {
                config,
                mqtt: ([127, 0, 0, 1], mqtt[n]).into(),
                child: None,
            }
        });
        let mut cluster = Self {
            nodes: nodes.collect(),
            program,
            dir,
        };
        for n in 0..SIZE {
            cluster.run(n);
        }
        for n in 0..SIZE {
            cluster.listens(n).await;
        }
        Some(cluster)
    }

    /// Where they speak MQTT.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|n| n.mqtt).collect()
    }

    /// Starts one (again).
    pub fn run(&mut self, n: usize) {
        let log = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(self.dir.path().join(format!("{n}.log")))
            .unwrap();
        let child = Command::new(&self.program)
            .arg("-c")
            .arg(&self.nodes[n].config)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.nodes[n].child = Some(child);
    }

    /// Waits until one speaks MQTT.
    pub async fn listens(&self, n: usize) {
        let address = self.nodes[n].mqtt;
        eventually(PATIENCE, "a NATS server listens", || {
            TcpStream::connect_timeout(&address, Duration::from_millis(50)).ok()
        })
        .await;
    }

    /// Kills one: no goodbye.
    pub fn kill(&mut self, n: usize) {
        if let Some(mut child) = self.nodes[n].child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for n in 0..self.nodes.len() {
            self.kill(n);
            if std::thread::panicking() {
                let log = std::fs::read_to_string(self.dir.path().join(format!("{n}.log")));
                let log = log.unwrap_or_default();
                let last: Vec<_> = log.lines().rev().take(15).collect();
                println!("NATS {n}:\n{}", last.join("\n"));
            }
        }
    }
}
