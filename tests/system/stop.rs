//! How long the program takes to end where what it is joined to hangs.

use crate::alone::alone;
use crate::support::process::Process;
use crate::support::{node_toml, yobiban};
use sqlx::{AnyConnection, Connection as _};
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The two seconds that the parts give each other, with room for an unoptimised build.
const ENDS_WITHIN: Duration = Duration::from_secs(8);

fn start(role: &str, config: &Path) -> Process {
    let mut command = yobiban();
    command.args([role, "--config"]).arg(config);
    Process::start(command)
}

#[tokio::test(flavor = "multi_thread")]
async fn node_and_hub_end_within_seconds_whatever_hangs() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    // It takes connections and never says a word.
    let broker = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = broker.local_addr().unwrap();
    let board = "[[board]]\nid = \"main\"\nsize = [640, 360]\noutput = { kind = \"none\" }\n";
    let node = dir.path().join("node.toml");
    std::fs::write(&node, node_toml(address, board)).unwrap();
    let database = format!("sqlite:{}", dir.path().join("hub.db").display());
    let hub = dir.path().join("hub.toml");
    let text = format!(
        "[mqtt]\nurl = \"mqtt://{address}\"\n[http]\nlisten = \"127.0.0.1:0\"\n[store]\nurl = \"{database}\"\n"
    );
    std::fs::write(&hub, text).unwrap();
    sqlx::any::install_default_drivers();
    std::fs::File::create(dir.path().join("hub.db")).unwrap();
    let mut other = AnyConnection::connect(&database).await.unwrap();
    let lock = sqlx::query("BEGIN EXCLUSIVE").execute(&mut other);
    lock.await.unwrap();

    let (mut node, mut hub) = (start("node", &node), start("hub", &hub));
    let pages = hub.pages().await;
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(broker.accept().await.unwrap());
    }
    let mut viewer = TcpStream::connect(pages).await.unwrap();
    let ask = b"GET /api/v1/events HTTP/1.1\r\nhost: x\r\n\r\n";
    viewer.write_all(ask).await.unwrap();
    viewer.read_exact(&mut [0; 64]).await.unwrap();
    let _idle = TcpStream::connect(pages).await.unwrap();
    for (who, process) in [("node", &mut node), ("hub", &mut hub)] {
        let took = process.stop().await;
        println!("the {who} ended within {took:?}");
        assert!(took < ENDS_WITHIN, "{who}: {took:?}");
    }
}
