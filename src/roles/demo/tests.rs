use super::*;
use crate::clock::SystemClock;
use crate::mqtt::Subscription;
use crate::wire::feed::FeedMessage;
use crate::wire::topic::{Topic, feed_filter};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A node that draws nothing, but tells at once what it would have drawn.
async fn node(config: NodeConfig, stop: CancellationToken, probe: Probe) -> anyhow::Result<()> {
    let id = format!("stand-in-{}", config.office);
    let feed = Subscription::new(feed_filter(&config.mqtt.root, &config.office));
    let options = SessionOptions::new(&config.mqtt, "feed", id).subscribe(feed);
    let mut session = mqtt::spawn(options, stop.clone());
    while let Some(message) = session.inbox.recv().await {
        let Some(Topic::Feed(office, queue)) = Topic::parse(&config.mqtt.root, &message.topic)
        else {
            continue;
        };
        if let Ok(state) = FeedMessage::decode(&message.payload) {
            let at = Instant::now();
            let seq = state.seq;
            let _ = probe.try_send(Drawn {
                office,
                queue,
                seq,
                at,
            });
        }
    }
    Ok(())
}

/// A hub that has numbers of everybody from the beginning.
async fn hub(
    config: HubConfig,
    stop: CancellationToken,
    ready: oneshot::Sender<SocketAddr>,
) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind(config.listen).await?;
    let _ = ready.send(listener.local_addr()?);
    let office = |id: &crate::model::OfficeId| serde_json::json!({"id": id.as_str(), "queues": [{"id": "a", "as_of": "now"}]});
    let offices: Vec<_> = config.order.iter().map(office).collect();
    let body = serde_json::json!({ "offices": offices }).to_string();
    let serve = async {
        loop {
            let (mut socket, _) = listener.accept().await?;
            let mut request = [0; 1024];
            let _ = socket.read(&mut request).await?;
            socket
                .write_all(format!("HTTP/1.0 200 OK\r\n\r\n{body}").as_bytes())
                .await?;
        }
    };
    stop.run_until_cancelled(serve).await.unwrap_or(Ok(()))
}

#[tokio::test]
async fn the_demo_says_ready_once_and_sums_up() {
    let any = ([127, 0, 0, 1], 0).into();
    let args = DemoArgs {
        listen: any,
        mqtt: any,
        speed: 60.0,
        for_: Some(Duration::from_secs(2)),
        seed: 1,
        out: None,
    };
    let mut out = Vec::new();
    let clock = Arc::new(SystemClock::new());
    run(args, clock, node, hub, &mut out, CancellationToken::new())
        .await
        .unwrap();
    let out = String::from_utf8(out).unwrap();
    let ready: Vec<_> = out.lines().filter(|l| l.starts_with("ready ")).collect();
    assert_eq!(ready.len(), 1, "{out}");
    assert!(ready[0].starts_with("ready http://127.0.0.1:"), "{out}");
    let summary = out.lines().last().unwrap();
    assert!(
        summary.starts_with("played 2.") && summary.contains("99th percentile"),
        "{out}"
    );
    let folder = out
        .lines()
        .next()
        .unwrap()
        .strip_prefix("boards in ")
        .unwrap();
    assert!(
        !std::path::Path::new(folder).exists(),
        "its own folder is removed"
    );
}
