//! The page of all nodes, and what the metrics tell of them.

use crate::support::city::{City, FLEET_TOKEN, config, numbers, picture};
use crate::support::reports::troubled;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use yobiban::config::WebConfig;

async fn city() -> City {
    let city = City::awake().await;
    let (bytes, line) = picture(9);
    let mut chuo = numbers("chuo");
    chuo.seq += 1;
    chuo.boards = vec![line];
    city.online("chuo").await;
    city.tell(&chuo).await;
    city.send("chuo/node/n1/board/main", bytes).await;
    city.send("chuo/node/n1/health", troubled().to_string())
        .await;
    city
}

fn basic(token: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("it:{token}")))
}

#[tokio::test]
async fn nobody_sees_the_nodes_without_the_token() {
    let city = city().await;
    let asked = city.get("/fleet").await;
    assert_eq!(asked.status, 401);
    assert!(asked.header("www-authenticate").starts_with("Basic realm="));
    assert!(!asked.text().contains("n1"), "{}", asked.text());
    for wrong in ["", "wrong", &FLEET_TOKEN[1..], "Bearer"] {
        let shown = city
            .get_with("/fleet", &[("authorization", &basic(wrong))])
            .await;
        assert_eq!(shown.status, 401, "{wrong}");
    }
    for right in [basic(FLEET_TOKEN), format!("Bearer {FLEET_TOKEN}")] {
        let shown = city.get_with("/fleet", &[("authorization", &right)]).await;
        assert_eq!(shown.status, 200);
        assert_eq!(shown.header("cache-control"), "no-store");
        assert!(!shown.text().contains(FLEET_TOKEN));
    }
    // Where no token is configured there is no such page.
    let dir = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", dir.path().join("hub.db").display());
    let bare = yobiban::config::HubConfig {
        web: WebConfig::default(),
        ..config(&store)
    };
    let bare = City::with(bare, dir).await;
    assert_eq!(bare.get("/fleet").await.status, 404);
}

#[tokio::test]
async fn what_is_wrong_comes_first_and_in_words() {
    let city = city().await;
    let shown = |lang: &'static str| {
        let city = &city;
        let auth = basic(FLEET_TOKEN);
        async move {
            let path = format!("/fleet?lang={lang}");
            city.get_with(&path, &[("authorization", &auth)])
                .await
                .text()
                .to_owned()
        }
    };
    let ja = shown("ja").await;
    let card = |page: &str, node: &str| {
        let begin = page.find(&format!("h-{node}")).expect(node);
        let end = page[begin..].find("</section>").unwrap();
        page[begin..begin + end].to_owned()
    };
    let chuo = card(&ja, "chuo-n1");
    for words in [
        "要確認",
        "発券システムから番号が届いていません",
        "nothing heard for &#60;187&#62; s",
        "未接続または電源切",
        "3日4時間",
        "81 °C",
        "Raspberry Pi 4 Model B Rev 1.4",
        "1500 MB",
        "/images/",
        "0.1.0",
    ] {
        assert!(chuo.contains(words), "{words}: {chuo}");
    }
    let en = shown("vi").await;
    for words in [
        "needs attention",
        "disconnected or switched off",
        "3 d 4 h",
        "Temperature",
    ] {
        assert!(en.contains(words), "{words}: {en}");
    }
    // A node that is gone is the first of all.
    city.send("midori/node/n1/availability", "offline").await;
    let ja = shown("ja").await;
    let first = ja.find("応答なし").expect("one is away");
    assert!(first < ja.find("発券システムから").unwrap());
    assert!(ja.find("h-midori-n1").unwrap() < ja.find("h-chuo-n1").unwrap());
}

#[tokio::test]
async fn the_metrics_tell_of_every_machine() {
    let city = city().await;
    let text = city.get("/metrics").await.text().to_owned();
    let of = r#"{office="chuo",node="n1"}"#;
    for line in [
        format!("yobiban_node_temperature_celsius{of} 81"),
        format!("yobiban_node_throttled{of} 1"),
        format!("yobiban_node_undervoltage{of} 0"),
        format!("yobiban_node_disk_written_bytes_total{of} 73400320"),
        format!("yobiban_node_disk_life_used_ratio{of} 0.1"),
        format!("yobiban_node_clock_synchronized{of} 1"),
        r#"yobiban_node_issues{office="chuo",node="n1",issue="source-silent"} 1"#.into(),
        r#"yobiban_node_info{office="chuo",node="n1",version="0.1.0",model="Raspberry Pi 4 Model B Rev 1.4"} 1"#.into(),
    ] {
        assert!(text.contains(&line), "{line}\n{text}");
    }
}

#[tokio::test]
async fn a_machine_that_tells_too_much_is_cut_or_refused() {
    let city = city().await;
    let mut long = troubled();
    long["at"] = "2026-11-24T10:42:00+09:00".into();
    long["issues"][0]["text"] = "あ".repeat(5000).into();
    city.send("chuo/node/n1/health", long.to_string()).await;
    let page = city
        .get_with("/fleet", &[("authorization", &basic(FLEET_TOKEN))])
        .await;
    let times = page.text().matches('あ').count();
    assert!((300..400).contains(&times), "{times}");
    let refused = |text: &str| {
        text.lines()
            .filter(|l| l.starts_with("yobiban_hub_messages_rejected_total"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let before = refused(city.get("/metrics").await.text());
    long["machine"]["model"] = "x".repeat(500).into();
    city.send("chuo/node/n1/health", long.to_string()).await;
    assert_ne!(before, refused(city.get("/metrics").await.text()));
}

#[tokio::test]
async fn two_machines_that_take_turns_are_said_though_neither_of_them_knows() {
    let city = city().await;
    let page = |lang: &'static str| {
        let city = &city;
        async move {
            let path = format!("/fleet?lang={lang}");
            let auth = [("authorization", &*basic(FLEET_TOKEN))];
            city.get_with(&path, &auth).await.text().to_owned()
        }
    };
    let says = |id: &str, seq: u64| {
        let json = serde_json::json!({"id": id, "seq": seq}).to_string();
        let city = &city;
        async move { city.send("chuo/node/n1/instance", json).await }
    };
    let gauge = r#"yobiban_node_identity_shared{office="chuo",node="n1"}"#;
    let words = [
        "端末が2台動いています",
        "Two machines report under this identity",
    ];
    // One box in place of another, restarted a few times.
    for (id, seq) in [("a", 1), ("b", 1), ("c", 1), ("c", 2)] {
        says(id, seq).await;
    }
    assert!(!page("en").await.contains(words[1]));
    assert!(
        city.get("/metrics")
            .await
            .text()
            .contains(&format!("{gauge} 0"))
    );
    for (id, seq) in [("d", 1), ("c", 3), ("d", 2)] {
        says(id, seq).await;
    }
    assert!(page("ja").await.contains(words[0]));
    assert!(page("en").await.contains(words[1]));
    assert!(
        city.get("/metrics")
            .await
            .text()
            .contains(&format!("{gauge} 1"))
    );
    // Where the node says so itself, it is said once.
    let mut health = troubled();
    health["at"] = "2026-11-24T10:42:00+09:00".into();
    health["issues"][0]["kind"] = "identity-shared".into();
    health["issues"][0]["subject"] = "".into();
    city.send("chuo/node/n1/health", health.to_string()).await;
    let ja = page("ja").await;
    assert_eq!(ja.matches("端末が2台動いています").count(), 1, "{ja}");
    city.send("chuo/node/n1/health", troubled().to_string())
        .await;
    assert!(page("en").await.contains(words[1]));
    // One of them is gone.
    city.clock.advance(std::time::Duration::from_secs(91));
    city.hub.tick();
    assert!(!page("en").await.contains(words[1]));
    // What is none is refused; what is cleared is forgotten.
    let refused = async || {
        let text = city.get("/metrics").await.text().to_owned();
        text.lines()
            .filter(|l| l.starts_with("yobiban_hub_messages_rejected_total"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let before = refused().await;
    city.send("chuo/node/n1/instance", r#"{"id": "<b>", "seq": 1}"#)
        .await;
    assert_ne!(before, refused().await);
    city.send("chuo/node/n1/instance", "").await;
}

#[tokio::test]
async fn a_hub_whose_line_comes_and_goes_counts_its_connections() {
    let city = city().await;
    let count = async || {
        let text = city.get("/metrics").await.text().to_owned();
        let line = text
            .lines()
            .find_map(|l| l.strip_prefix("yobiban_hub_broker_connections_total "));
        line.and_then(|n| n.parse::<u64>().ok()).expect("the count")
    };
    let before = count().await;
    for up in [false, true, true, false, true] {
        city.hub.set_connected(up);
    }
    assert_eq!(count().await, before + 2);
}
