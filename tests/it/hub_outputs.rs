//! What people in the waiting area can see, as the hub tells it: dark, disconnected, lost, stale.

use crate::support::city::{City, numbers, picture};
use serde_json::json;

/// A health report about one board.
fn health(board: &str, kind: &str, state: &str) -> String {
    json!({
        "at": "2026-11-24T10:42:07+09:00", "version": "0.1.0", "uptime_s": 60,
        "clock": "synchronised",
        "outputs": [{
            "board": board, "kind": kind, "state": state, "connector": "connected",
            "frame_sha256": "ab".repeat(32), "shown_at": "2026-11-24T10:42:07+09:00",
            "facts": {"last_reply": "06", "mode": "1920x1080@60"},
        }],
    })
    .to_string()
}

async fn city_with_a_board() -> City {
    let city = City::awake().await;
    let (bytes, line) = picture(9);
    let mut chuo = numbers("chuo");
    chuo.seq += 1;
    chuo.boards = vec![line];
    city.online("chuo").await;
    city.tell(&chuo).await;
    city.send("chuo/node/n1/board/main", bytes).await;
    city
}

#[tokio::test]
async fn a_board_that_cannot_be_seen_is_marked_in_words_on_its_picture() {
    let city = city_with_a_board().await;
    for (state, words) in [
        ("shown", None),
        ("dark", Some("開庁時間外のため")),
        ("disconnected", Some("電源かケーブルが外れています")),
        ("lost", Some("装置の不具合")),
        ("stale", Some("更新が止まっています")),
        ("shown", None),
        ("a-word-of-2030", None),
    ] {
        let report = health("main", "hdmi", state);
        city.send("chuo/node/n1/health", report).await;
        let page = city.get("/offices/chuo").await;
        let figure = page.text().split("<figure>").nth(1).expect("a picture");
        let figure = figure.split("</figure>").next().unwrap();
        assert_eq!(
            figure.contains("note old"),
            words.is_some(),
            "{state}: {figure}"
        );
        if let Some(words) = words {
            assert!(figure.contains(words), "{state}: {figure}");
        }
    }
}

#[tokio::test]
async fn a_board_without_a_picture_is_named_when_it_cannot_be_seen() {
    let city = city_with_a_board().await;
    city.send("chuo/node/n1/health", health("digits", "serial", "shown"))
        .await;
    let page = city.get("/offices/chuo").await;
    assert!(!page.text().contains("表示盤 digits"), "nothing is wrong");
    city.send("chuo/node/n1/health", health("digits", "serial", "lost"))
        .await;
    let page = city.get("/offices/chuo").await;
    assert!(page.text().contains("表示盤 digits"));
    assert!(page.text().contains("装置の不具合"));
}

#[tokio::test]
async fn the_proof_is_in_the_api_and_the_state_in_the_metrics() {
    let city = city_with_a_board().await;
    city.send("chuo/node/n1/health", health("main", "serial", "shown"))
        .await;
    let office = city.get("/api/v1/offices/chuo").await.json();
    let output = &office["outputs"][0];
    assert_eq!(output["board"], "main");
    assert_eq!(output["state"], "shown");
    assert_eq!(output["frame_sha256"], "ab".repeat(32));
    let metrics = city.get("/metrics").await;
    let of = r#"office="chuo",node="n1",board="main""#;
    for line in [
        format!("yobiban_board_shown{{{of}}} 1"),
        format!("yobiban_board_connected{{{of}}} 1"),
        format!(r#"yobiban_board_info{{{of},kind="serial"}} 1"#),
    ] {
        assert!(metrics.text().contains(&line), "{line}\n{}", metrics.text());
    }
    // Nobody vouches for a board whose node is gone.
    city.send("chuo/node/n1/availability", "offline").await;
    let metrics = city.get("/metrics").await;
    let line = format!("yobiban_board_shown{{{of}}} 0");
    assert!(metrics.text().contains(&line), "{}", metrics.text());
    let office = city.get("/api/v1/offices/chuo").await.json();
    assert_eq!(office["outputs"], json!([]));
}

#[tokio::test]
async fn an_endless_health_report_is_refused() {
    let city = city_with_a_board().await;
    city.send("chuo/node/n1/health", health("main", "hdmi", "shown"))
        .await;
    let before = city.get("/api/v1/offices/chuo").await.json();
    let mut wrong: Vec<String> = Vec::new();
    let base: serde_json::Value =
        serde_json::from_str(&health("main", "hdmi", "lost")).expect("JSON");
    let mut with = |edit: &dyn Fn(&mut serde_json::Value)| {
        let mut report = base.clone();
        edit(&mut report["outputs"]);
        wrong.push(report.to_string());
    };
    with(&|o| o[0]["kind"] = json!("x".repeat(65)));
    with(&|o| o[0]["frame_sha256"] = json!("AB"));
    with(&|o| o[0]["facts"] = json!({"last_reply": "0".repeat(513)}));
    with(&|o| *o = json!([o[0], o[0]]));
    with(&|o| {
        *o = (0..17)
            .map(|i| json!({"board": format!("b{i}"), "kind": "hdmi"}))
            .collect();
    });
    for report in wrong {
        city.send("chuo/node/n1/health", report).await;
        let after = city.get("/api/v1/offices/chuo").await.json();
        assert_eq!(after["outputs"], before["outputs"]);
    }
    assert_eq!(city.hub.stats().rejected("list"), 4);
}
