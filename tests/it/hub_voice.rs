//! "My number" to be heard: who may ask for what, and what the page shows.

use crate::support::city::{City, numbers};
use crate::support::dictionary::dictionary;
use std::sync::{Arc, Mutex};
use yobiban::hub::{AnnouncementRequest, Speaker};

const MINE: &str = "/offices/chuo/queues/certificates/tickets";

/// A label that is next in the queue, and the one that was called last.
fn labels() -> (String, String, String) {
    let numbers = numbers("chuo");
    let queue = &numbers.queues[0];
    assert_eq!(queue.id.as_str(), "certificates");
    let last = queue.last_call.as_ref().unwrap();
    let counter = last.counter.as_ref().unwrap().to_string();
    (queue.next[0].to_string(), last.ticket.to_string(), counter)
}

#[tokio::test]
async fn a_ticket_is_heard_as_it_is_called_and_nothing_else_is() {
    let city = City::awake().await;
    let (next, called, counter) = labels();
    let page = city.get(&format!("{MINE}/{next}")).await;
    assert!(!page.text().contains("<audio"), "nobody speaks");
    let sound = format!("{MINE}/{next}/call.wav");
    assert_eq!(city.get(&sound).await.status, 404);

    let heard: Arc<Mutex<Vec<AnnouncementRequest>>> = Arc::default();
    let keep = Arc::clone(&heard);
    city.hub.speak_with(Speaker::new(move |asked| {
        keep.lock().unwrap().push(asked.clone());
        (asked.lang != "xx").then(|| b"RIFF".as_slice().into())
    }));
    let page = city.get(&format!("{MINE}/{next}?lang=en")).await;
    let source = format!("src=\"{MINE}/{next}/call.wav?lang=en\"");
    assert!(page.text().contains(&source), "{}", page.text());
    let answer = city.get(&format!("{sound}?lang=vi")).await;
    assert_eq!(
        (answer.status.as_u16(), &*answer.body),
        (200, b"RIFF".as_slice())
    );
    assert_eq!(answer.header("content-type"), "audio/wav");
    assert_eq!(
        city.get(&format!("{MINE}/{called}/call.wav")).await.status,
        200
    );
    for wrong in [
        format!("{MINE}/Z999/call.wav"),
        format!("{MINE}/{next}/call.wav?lang=xx"),
        format!("/offices/nowhere/queues/certificates/tickets/{next}/call.wav"),
        format!("/offices/chuo/queues/nothing/tickets/{next}/call.wav"),
    ] {
        assert_eq!(city.get(&wrong).await.status, 404, "{wrong}");
    }
    let heard = heard.lock().unwrap().clone();
    let short = |a: &AnnouncementRequest| {
        let counter = a.counter.as_ref().map(ToString::to_string);
        (a.ticket.to_string(), counter, a.lang.clone())
    };
    let heard: Vec<_> = heard.iter().map(short).collect();
    assert_eq!(heard[0], (next.clone(), None, "vi".into()));
    assert_eq!(heard[1], (called, Some(counter), "ja".into()));
    assert_eq!(heard.len(), 3, "others are not even asked for");
    let other = city.get(&format!("{MINE}/Z999")).await;
    assert!(!other.text().contains("<audio"));
}

#[tokio::test]
async fn the_page_about_names_the_voice() {
    let city = City::awake().await;
    for lang in ["ja", "en"] {
        let page = city.get(&format!("/about?lang={lang}")).await;
        assert_eq!(page.status, 200);
        assert!(page.text().contains("Nagoya Institute of Technology"));
        assert!(
            page.text()
                .contains("https://creativecommons.org/licenses/by/3.0/")
        );
    }
    assert!(city.get("/").await.text().contains("/about?lang=ja"));
}

/// With the real voice.
#[tokio::test]
async fn the_hub_speaks_as_its_configuration_says() {
    let Some(dictionary) = dictionary() else {
        return;
    };
    let city = City::awake().await;
    let (next, ..) = labels();
    let config = yobiban::config::SpeechConfig {
        dictionary,
        ..yobiban::config::SpeechConfig::default()
    };
    city.hub.speak_with(yobiban::services::hub::speaker(config));
    let answer = city.get(&format!("{MINE}/{next}/call.wav?lang=en")).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.starts_with(b"RIFF"));
    let rate = u32::from_le_bytes(answer.body[24..28].try_into().unwrap());
    let seconds = (answer.body.len() - 44) as f64 / f64::from(rate * 2);
    assert!(
        rate == 24_000 && (4.0..9.0).contains(&seconds),
        "{seconds} s of {rate} Hz"
    );
}
