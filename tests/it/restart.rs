//! A node that starts again without any network: what it kept is on the board, and nothing else.

use crate::end_to_end::{ROOT, node_config};
use crate::support::mosquitto::Mosquitto;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use yobiban::clock::{ManualClock, Now};
use yobiban::commands::broker_url;
use yobiban::config::NodeConfig;
use yobiban::mqtt::{self, Publish, SessionOptions};
use yobiban::node::{BoardContents, Probe};
use yobiban::services;

const LIMIT: Duration = crate::support::PATIENCE;

fn at(time: &str) -> Now {
    Now::at(format!("{time}+09:00").parse().unwrap())
}

/// A node at work, and what its board says.
struct Node {
    stop: CancellationToken,
    said: mpsc::Receiver<BoardContents>,
    clock: ManualClock,
    task: tokio::task::JoinHandle<anyhow::Result<()>>,
}

impl Node {
    fn start(config: &NodeConfig, now: Now) -> Self {
        let stop = CancellationToken::new();
        let (to_said, said) = mpsc::channel(1000);
        let probe = Probe {
            contents: Some(to_said),
            ..Probe::default()
        };
        let clock = ManualClock::new(now);
        let shared = Arc::new(clock.clone());
        let task = tokio::spawn(services::node::run(
            config.clone(),
            shared,
            stop.clone(),
            probe,
        ));
        Self {
            stop,
            said,
            clock,
            task,
        }
    }

    /// Waits until the board says something that satisfies.
    async fn until(&mut self, wanted: impl Fn(&BoardContents) -> bool) -> BoardContents {
        let mut last = None;
        let found = timeout(LIMIT, async {
            loop {
                let said = self.said.recv().await.unwrap();
                if wanted(&said) {
                    return said;
                }
                last = Some(said);
            }
        });
        found
            .await
            .unwrap_or_else(|_| panic!("last said: {last:?}"))
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }
}

/// The tickets of the rows and those of the panel.
fn tickets(said: &BoardContents) -> (Vec<&str>, Vec<&str>) {
    let rows = said.rows.iter().filter_map(|r| r.last.as_ref());
    let rows = rows.map(|(ticket, _)| ticket.as_str()).collect();
    (rows, said.calls.iter().map(|(_, t)| t.as_str()).collect())
}

fn message(waiting: u32) -> String {
    format!(
        r#"{{"seq": {waiting}, "at": "2026-11-24T10:42:07+09:00", "day": "2026-11-24",
        "status": "open", "waiting": {waiting}, "on_hold": 0, "next": ["A043"], "calls": [
        {{"no": 2, "ticket": "A042", "counter": "3", "at": "2026-11-24T10:42:05+09:00", "kind": "call"}},
        {{"no": 1, "ticket": "A041", "counter": "1", "at": "2026-11-24T10:30:00+09:00", "kind": "call"}}
        ]}}"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_numbers_are_there_before_any_network_and_gone_the_next_morning() {
    let Some(mut broker) = Mosquitto::start().await else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let config = node_config("chuo", broker.address(), dir.path());
    let mut node = Node::start(&config, at("2026-11-24T10:42:08"));
    let options = broker_url::parse(&format!("mqtt://{}", broker.address())).unwrap();
    let source = mqtt::spawn(
        SessionOptions::new(&options, "test", "source"),
        CancellationToken::new(),
    );
    let topic = format!("{ROOT}/chuo/feed/certificates");
    source
        .publisher
        .enqueue(Publish::retained(topic, message(12)))
        .await
        .unwrap();
    let said = node.until(|said| said.rows[0].waiting == Some(12)).await;
    // Both calls are in the panel; the one of twelve minutes ago does not stand out.
    assert_eq!(tickets(&said), (vec!["A042"], vec!["A042", "A041"]));
    node.stop().await;
    broker.kill();

    // Cut short: its time on the glass was not over, and it is still new.
    let mut node = Node::start(&config, at("2026-11-24T10:42:50"));
    let said = node.until(|_| true).await;
    assert_eq!(said.rows[0].waiting, Some(12));
    assert_eq!(tickets(&said), (vec!["A042"], vec!["A042", "A041"]));
    // It is shown for its time, then listed; the node keeps that it was.
    node.clock.advance(Duration::from_secs(31));
    node.stop().await;

    let mut node = Node::start(&config, at("2026-11-24T16:00:00"));
    let said = node.until(|_| true).await;
    assert_eq!(tickets(&said), (vec!["A042"], vec!["A042", "A041"]));
    node.stop().await;

    // The next morning: no number of yesterday, not even in the panel.
    let mut node = Node::start(&config, at("2026-11-25T08:00:00"));
    let said = node.until(|_| true).await;
    assert_eq!(tickets(&said), (vec![], vec![]));
    assert_eq!((said.rows[0].waiting, said.rows[0].next.len()), (None, 0));
    node.stop().await;

    // A clock that nobody set knows no morning: the numbers stay, with their time.
    let unknown = Now {
        synced: false,
        ..Now::at("1970-01-01T00:00:10Z".parse().unwrap())
    };
    let mut node = Node::start(&config, unknown);
    let said = node.until(|_| true).await;
    assert_eq!(tickets(&said).0, ["A042"]);
    // Then the clock is set, and the board tells the day at once.
    let mono = unknown.mono;
    node.clock.set(Now {
        mono,
        ..at("2026-11-25T08:00:00")
    });
    node.until(|said| said.rows[0].last.is_none()).await;
    node.stop().await;
}
