//! Open data against what others published: schemas and readers.

use crate::support::city::{City, picture};
use crate::support::open_data::{run, served, venv};
use crate::support::root;
use serde_json::Value;
use tokio::process::Command;

/// NGSI-LD answers against the published schema of QueueMonitor, CSV with Python's reader.
#[tokio::test(flavor = "multi_thread")]
async fn answers_are_valid_by_published_schemas_and_readers() {
    let Some(python) = venv("python") else { return };
    let (city, base) = served().await;
    let mut check = Command::new(python);
    check.arg(root().join("tests/opendata/check.py")).arg(&base);
    let (good, text) = run(&mut check).await;
    println!("{text}");
    assert!(good, "{text}");
    city.stop().await;
}

/// A path of the document with values that are there.
fn filled(path: &str) -> String {
    let image = picture(40).1.sha256;
    path.replace("{office}", "chuo")
        .replace("{node}", "n1")
        .replace("{board}", "main")
        .replace("{sha256}", &image)
        .replace("{id}", "urn:ngsi-ld:QueueMonitor:chuo:moving")
        .replace("{queue}", "certificates")
        .replace("{ticket}", "A042")
        .replace("widgets/{file}", "widgets/chuo.json")
        .replace("{file}", "2026-11-24.csv")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_route_answers_as_documented() {
    let (city, _) = served().await;
    let document = city.get("/api/v1/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() >= 20, "{}", paths.len());
    for (path, item) in paths {
        let query = if path == "/ngsi-ld/v1/entities" {
            "?type=QueueMonitor"
        } else {
            ""
        };
        let url = format!("{}{query}", filled(path));
        let answers = &item["get"]["responses"];
        let kinds = answers["200"]["content"].as_object().unwrap();
        let documented = |kind: &str| kinds.keys().any(|k| kind.starts_with(k.as_str()));
        if path.ends_with("/events") {
            let answer = city.open(&url, &[]).await;
            assert_eq!(answer.status(), 200, "{url}");
            let kind = answer.headers()["content-type"].to_str().unwrap();
            assert!(documented(kind), "{url}: {kind}");
            continue;
        }
        let answer = city.get(&url).await;
        assert_eq!(answer.status, 200, "{url}");
        assert!(documented(answer.header("content-type")), "{url}");
        let closed = ["/healthz", "/readyz", "/metrics", "/about"];
        let open = !closed.contains(&path.as_str()) && !path.ends_with("/call.wav");
        let allowed = answer.headers.get("access-control-allow-origin");
        assert_eq!(allowed.is_some(), open, "{url}");
        if open {
            assert_eq!(answer.header("access-control-allow-origin"), "*", "{url}");
            let licence = "<https://creativecommons.org/licenses/by/4.0/>; rel=\"license\"";
            let mut links = answer.headers.get_all("link").iter();
            assert!(links.any(|l| l == licence), "{url}");
            assert!(answers.get("304").is_some(), "{url}");
            let tag = answer.header("etag").to_owned();
            assert!(!tag.is_empty(), "{url}");
            let again = city.get_with(&url, &[("if-none-match", &tag)]).await;
            assert_eq!(again.status, 304, "{url}");
            assert!(again.body.is_empty(), "{url}");
        }
        if answers.get("404").is_some() {
            let wrong = url
                .replace("chuo", "nowhere")
                .replace("2026-11-24", "2026-13-99");
            let wrong = wrong.replace(&picture(40).1.sha256, &"0".repeat(64));
            assert_eq!(city.get(&wrong).await.status, 404, "{wrong}");
        }
    }
    // Every reference leads somewhere.
    let text = document.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(
            document["components"]["schemas"].get(name).is_some(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn entities_come_normalised_and_as_key_values() {
    let city = City::awake().await;
    let base = "/ngsi-ld/v1/entities";
    let one = format!("{base}/urn:ngsi-ld:QueueMonitor:chuo:certificates");
    let normal = city.get(&one).await.json();
    assert_eq!(normal["nextTickets"]["value"].as_array().unwrap().len(), 12);
    assert_eq!(normal["ticketsOnHold"]["value"], 1);
    assert_eq!(normal["ProjectedWaitTime"]["value"], 690);
    assert_eq!(normal["ProjectedWaitTime"]["unitCode"], "SEC");
    assert_eq!(normal["projectedMinWaitMinutes"]["value"], 8);
    assert_eq!(normal["projectedMaxWaitMinutes"]["value"], 15);
    assert_eq!(
        normal["ticketServedLabel"]["observedAt"],
        "2026-11-24T01:42:07Z"
    );
    let values = city.get(&format!("{one}?options=keyValues")).await;
    assert_eq!(values.header("content-type"), "application/ld+json");
    assert_eq!(values.json()["ProjectedWaitTime"], 690);
    assert_eq!(values.json()["queueLine"], "standard");
    let plain = city.get_with(&one, &[("accept", "application/json")]).await;
    assert_eq!(plain.header("content-type"), "application/json");
    assert!(plain.json().get("@context").is_none());
    let links: Vec<_> = plain.headers.get_all("link").iter().collect();
    assert!(
        links
            .iter()
            .any(|l| l.to_str().unwrap().contains("json-ld#context")),
        "{links:?}"
    );

    let all = city.get(&format!("{base}?type=QueueMonitor")).await.json();
    assert_eq!(all.as_array().unwrap().len(), 30);
    let some = city
        .get(&format!("{base}?type=QueueMonitor&limit=4&offset=28"))
        .await
        .json();
    assert_eq!(some.as_array().unwrap().len(), 2);
    assert_eq!(some[0], all[28]);
    let named = city
        .get(&format!("{base}?id=urn:ngsi-ld:QueueMonitor:chuo:koseki,x"))
        .await
        .json();
    assert_eq!(named.as_array().unwrap().len(), 1);
    for bad in [
        "?type=QueueMonitor&limit=x",
        "?type=QueueMonitor&options=xml",
        "?limit=3",
    ] {
        assert_eq!(city.get(&format!("{base}{bad}")).await.status, 400, "{bad}");
    }
    assert_eq!(city.get(&format!("{base}/urn:x")).await.status, 404);
}

#[tokio::test]
async fn widgets_are_a_page_for_a_frame_and_words_in_json() {
    let city = City::awake().await;
    let words = city.get("/widgets/chuo.json?lang=en").await.json();
    assert_eq!(words["word"], "Busy");
    assert_eq!(words["mark"], "■");
    assert_eq!(words["queues"][0]["wait"], "8–15 min");
    assert_eq!(words["page"], "/offices/chuo?lang=en");
    let page = city.get("/widgets/chuo").await;
    assert!(page.text().contains("A042") && page.text().contains("target=\"_blank\""));
    assert_eq!(city.get("/widgets/nowhere").await.status, 404);
    let stale: Value = city.get("/widgets/midori.json").await.json();
    assert!(stale["note"].as_str().unwrap().contains("10:18"));
}
