//! The page of all nodes, and what the metrics tell of them.

use crate::support::city::{City, FLEET_TOKEN, config, numbers, picture};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use yobiban::config::WebConfig;

/// A health report of a machine that is hot and has an issue.
pub fn troubled() -> Value {
    json!({
        "at": "2026-11-24T10:41:07+09:00", "version": "0.1.0", "uptime_s": 273_700,
        "clock": "synchronised",
        "issues": [{
            "kind": "source-silent", "about": "certificates",
            "since": "2026-11-24T10:39:00+09:00", "text": "nothing heard for <187> s",
        }],
        "outputs": [{
            "board": "main", "kind": "hdmi", "state": "disconnected", "connector": "disconnected",
            "frame_sha256": null, "facts": {"mode": "1920x1080@60"},
        }],
        "machine": {
            "model": "Raspberry Pi 4 Model B Rev 1.4", "temperature_c": 81, "throttled": true,
            "undervoltage": false, "disk_free": 1_500_000_000, "disk_written": 73_400_320,
            "disk_worn": 10, "memory_free": 200_000_000,
        },
    })
}

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
        "needs a look",
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
        format!("yobiban_node_disk_written_bytes{of} 73400320"),
        r#"yobiban_node_issue{office="chuo",node="n1",kind="source-silent",about="certificates"} 1"#.into(),
        r#"yobiban_node_info{office="chuo",node="n1",version="0.1.0",clock="synchronised",model="Raspberry Pi 4 Model B Rev 1.4"} 1"#.into(),
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
            .filter(|l| l.starts_with("yobiban_hub_refused"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let before = refused(city.get("/metrics").await.text());
    long["machine"]["model"] = "x".repeat(500).into();
    city.send("chuo/node/n1/health", long.to_string()).await;
    assert_ne!(before, refused(city.get("/metrics").await.text()));
}
