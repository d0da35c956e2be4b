//! Reports as nodes send them, made now.

use super::city::numbers;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use yobiban::clock::{Clock as _, SystemClock};
use yobiban::mqtt::{Publish, Session};
use yobiban::wire::WireTime;
use yobiban::wire::report::Numbers;

/// Numbers of an office, made now.
pub fn fresh(office: &str, seq: u64) -> Numbers {
    let mut numbers = numbers(office);
    let zone = TimeZone::get("Asia/Tokyo").unwrap();
    let now = SystemClock::new().now().wall;
    numbers.seq = seq;
    numbers.at = WireTime::new(now, &zone);
    numbers.day = now.to_zoned(zone).date();
    for queue in &mut numbers.queues {
        queue.as_of = Some(numbers.at);
    }
    numbers
}

/// Publishes an office's numbers as its node does.
pub async fn report(node: &Session, numbers: &Numbers) {
    let topic = format!("yobiban/v1/{}/node/n1/numbers", numbers.office.id);
    let message = Publish::retained(topic, serde_json::to_vec(numbers).unwrap());
    node.publisher.publish(message).await.unwrap();
}

/// Today in Japan, where the calls of the tests are made: a hub takes none of a day to come.
pub fn today() -> jiff::civil::Date {
    let zone = TimeZone::get("Asia/Tokyo").unwrap();
    SystemClock::new().now().wall.to_zoned(zone).date()
}

/// A health report of a machine that is hot and has an issue.
pub fn troubled() -> Value {
    json!({
        "at": "2026-11-24T10:41:07+09:00", "version": "0.1.0", "uptime_s": 273_700,
        "clock": "synchronised",
        "issues": [{
            "kind": "source-silent", "subject": "certificates",
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
