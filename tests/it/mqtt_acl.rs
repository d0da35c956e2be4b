//! The access list that comes along, on a real broker with certificates on both sides: a node
//! writes its own reports and nothing else.

use crate::mqtt::{start, up};
use crate::mqtt_tls::{authority, issue, tls};
use crate::support::{self, mosquitto::Mosquitto};
use crate::support::{PATIENCE, eventually};
use std::sync::Arc;
use yobiban::mqtt::{Publish, PublishError, Session, Subscription};

const CLIENTS: [&str; 3] = ["chuo-n1", "chuo-tickets", "hub"];

/// A broker with our access list; names come from certificates.
async fn broker() -> Option<(Mosquitto, tempfile::TempDir)> {
    let files = tempfile::tempdir().unwrap();
    let authority = authority();
    let dir = files.path();
    std::fs::write(dir.join("ca.pem"), authority.pem()).unwrap();
    issue(&authority, dir, "broker", "localhost", false);
    for name in CLIENTS {
        issue(&authority, dir, name, name, false);
    }
    let acl = support::root().join("assets/mosquitto/acl.example");
    let broker = Mosquitto::start_with(|_| {
        // A limit, as in the example: without one Mosquitto 2.0 ends the connection of a client
        // whose publish it refused (it compares its queue with a limit of 0).
        format!(
            "max_queued_messages 10000\nallow_anonymous false\nacl_file {}\nrequire_certificate true\n\
             use_identity_as_username true\ncafile {1}/ca.pem\ncertfile {1}/broker.pem\n\
             keyfile {1}/broker.key\n",
            acl.display(),
            dir.display()
        )
    })
    .await?;
    Some((broker, files))
}

async fn client(
    broker: &Mosquitto,
    files: &tempfile::TempDir,
    name: &str,
    filter: Option<&str>,
) -> Session {
    let mut options = tls(broker.address(), files.path(), name);
    options.client_id = format!("test-{name}");
    if let Some(filter) = filter {
        options = options.subscribe(Subscription::new(filter));
    }
    let mut session = start(options);
    up(&mut session).await;
    session
}

async fn publish(session: &Session, topic: &str) -> Result<(), PublishError> {
    session.publisher.publish(Publish::new(topic, "x")).await
}

#[tokio::test]
async fn each_client_may_write_its_own_topics_and_no_others() {
    let Some((broker, files)) = broker().await else {
        return;
    };
    let node = client(&broker, &files, "chuo-n1", None).await;
    let tickets = client(&broker, &files, "chuo-tickets", None).await;
    let hub = client(&broker, &files, "hub", None).await;
    let own = "yobiban/v1/chuo/node/n1/numbers";
    let feed = "yobiban/v1/chuo/feed/certificates";
    assert_eq!(publish(&node, own).await, Ok(()));
    assert_eq!(publish(&tickets, feed).await, Ok(()));
    for (session, topic) in [
        (&node, "yobiban/v1/chuo/node/n2/numbers"),
        (&node, "yobiban/v1/inage/node/n1/numbers"),
        (&node, feed),
        (&node, "yobiban/v1/chuo/node"),
        (&node, "elsewhere"),
        (&tickets, own),
        (&tickets, "yobiban/v1/inage/feed/certificates"),
        (&hub, own),
        (&hub, feed),
    ] {
        let answer = publish(session, topic).await;
        assert!(
            matches!(answer, Err(PublishError::Rejected(_))),
            "{topic}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn each_client_reads_what_it_needs_and_no_more() {
    let Some((broker, files)) = broker().await else {
        return;
    };
    let mut node = client(&broker, &files, "chuo-n1", Some("yobiban/v1/chuo/feed/+")).await;
    let mut hub = client(&broker, &files, "hub", Some("yobiban/v1/+/node/#")).await;
    let mut tickets = client(&broker, &files, "chuo-tickets", Some("yobiban/v1/#")).await;
    let feed = "yobiban/v1/chuo/feed/certificates";
    let own = "yobiban/v1/chuo/node/n1/numbers";
    publish(&tickets, feed).await.unwrap();
    publish(&node, own).await.unwrap();
    let within = crate::support::PATIENCE;
    let heard = tokio::time::timeout(within, node.inbox.recv()).await;
    assert_eq!(heard.unwrap().unwrap().topic, feed);
    let heard = tokio::time::timeout(within, hub.inbox.recv()).await;
    assert_eq!(heard.unwrap().unwrap().topic, own);
    // Whoever subscribes to everything hears nothing of it: the broker checks each message.
    publish(&node, own).await.unwrap();
    assert!(tickets.inbox.try_recv().is_err());
    assert!(node.inbox.try_recv().is_err(), "not its own report");
}

#[tokio::test]
async fn nobody_gets_in_without_a_certificate() {
    let Some((broker, files)) = broker().await else {
        return;
    };
    let mut options = tls(broker.address(), files.path(), "hub");
    if let Some(tls) = &mut options.broker.tls {
        tls.client = None;
    }
    let session = start(options);
    let stats = Arc::clone(&session.stats);
    let tried = || stats.view().failed_attempts >= 5;
    eventually(PATIENCE, "it was tried five times", tried).await;
    assert_eq!(stats.view().sessions, 0, "no certificate, no line");
}

#[tokio::test]
async fn a_node_reads_which_machine_reports_in_its_name_and_not_in_anothers() {
    let Some((broker, files)) = broker().await else {
        return;
    };
    let filter = Some("yobiban/v1/chuo/node/+/instance");
    let mut node = client(&broker, &files, "chuo-n1", filter).await;
    let mut tickets = client(&broker, &files, "chuo-tickets", filter).await;
    let own = "yobiban/v1/chuo/node/n1/instance";
    let others = publish(&node, "yobiban/v1/chuo/node/n2/instance").await;
    assert!(matches!(others, Err(PublishError::Rejected(_))));
    publish(&node, own).await.unwrap();
    let heard = tokio::time::timeout(crate::support::PATIENCE, node.inbox.recv()).await;
    assert_eq!(heard.unwrap().unwrap().topic, own);
    publish(&node, own).await.unwrap();
    assert!(tickets.inbox.try_recv().is_err());
}
