//! A line with faults: a TCP proxy that cuts, hangs, crawls and refuses when told; a load balancer
//! where it has several targets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What a line does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It works.
    None,
    /// Every connection ends at once, and new ones are taken.
    Cut,
    /// Nothing comes through, and nobody is told (half-open: no FIN, no RST).
    #[allow(dead_code)] // in `system` alone
    Hang,
    /// A few bytes come through in each step of 20 ms.
    #[allow(dead_code)] // in `system` alone
    Crawl(usize),
    /// New connections are closed at once; those that there are go on.
    Refuse,
}

/// A proxy in front of a broker.
pub struct Proxy {
    address: SocketAddr,
    fault: watch::Sender<Fault>,
    connections: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<()>,
}

impl Proxy {
    pub async fn to(target: SocketAddr) -> Self {
        Self::among(vec![target]).await
    }

    /// A load balancer: each connection goes to the next target in turn that takes it.
    pub async fn among(targets: Vec<SocketAddr>) -> Self {
        let targets: Arc<[SocketAddr]> = targets.into();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (fault, faults) = watch::channel(Fault::None);
        let connections = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *faults.borrow() == Fault::Refuse {
                    continue; // dropped: the client sees the end of the connection
                }
                let turn = counted.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(carry(client, Arc::clone(&targets), turn, faults.clone()));
            }
        });
        Self {
            address,
            fault,
            connections,
            task,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on the line does this.
    pub fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }

    /// Connections that were let through so far.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(
    client: TcpStream,
    targets: Arc<[SocketAddr]>,
    turn: u64,
    mut faults: watch::Receiver<Fault>,
) {
    let first = usize::try_from(turn).unwrap() % targets.len();
    let in_turn = targets.iter().cycle().skip(first).take(targets.len());
    let mut server = None;
    for target in in_turn {
        if let Ok(stream) = TcpStream::connect(target).await {
            server = Some(stream);
            break;
        }
    }
    let Some(server) = server else {
        return;
    };
    faults.mark_unchanged();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let mut cut = faults.clone();
    tokio::select! {
        () = one_way(&mut from_client, &mut to_server, faults.clone()) => {}
        () = one_way(&mut from_server, &mut to_client, faults.clone()) => {}
        _ = async {
            while cut.changed().await.is_ok() {
                if *cut.borrow_and_update() == Fault::Cut {
                    break;
                }
            }
        } => {}
    }
}

async fn one_way(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    mut faults: watch::Receiver<Fault>,
) {
    let mut bytes = [0; 16 * 1024];
    loop {
        let Ok(n) = from.read(&mut bytes).await else {
            return;
        };
        if n == 0 {
            return;
        }
        let mut rest = &bytes[..n];
        while !rest.is_empty() {
            let fault = *faults.borrow_and_update();
            let (now, later) = match fault {
                Fault::Hang => {
                    if faults.changed().await.is_err() {
                        return;
                    }
                    continue;
                }
                Fault::Crawl(step) => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    rest.split_at(step.min(rest.len()))
                }
                Fault::None | Fault::Cut | Fault::Refuse => (rest, &[][..]),
            };
            if to.write_all(now).await.is_err() {
                return;
            }
            rest = later;
        }
    }
}
