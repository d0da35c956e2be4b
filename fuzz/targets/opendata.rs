//! Names and labels through the hub to everybody who reads them: one text a record, in the order
//! office (Japanese, English), queue (Japanese, English), ticket, counter, fact, next tickets.
//!
//! What a reader of CSV (RFC 4180), JSON, events or metrics gets equals what went in, and pages
//! have the same bones whatever the texts are.

use super::hub::Town;
use super::{html, records};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use yobiban::model::Label;
use yobiban::wire;
use yobiban::wire::report::Numbers;

thread_local! {
    static TOWN: Town = town();
}

fn town() -> Town {
    let town = Town::new("opendata");
    town.tell("chuo/node/n1/availability", "online");
    town
}

/// Texts of one office.
#[derive(Clone)]
struct Texts {
    office: [String; 2],
    queue: [String; 2],
    ticket: String,
    counter: String,
    fact: String,
    next: Vec<String>,
}

/// Reports texts and reads them back.
pub fn run(data: &[u8]) {
    let Some(texts) = texts(data) else { return };
    let numbers = texts.numbers();
    let Ok(read) = wire::decode::<Numbers>(numbers.to_string().as_bytes()) else {
        return; // refused: the registry's target
    };
    let harmless = texts.harmless();
    TOWN.with(|town| {
        let pages = |texts: &Texts| {
            town.tell("chuo/node/n1/numbers", texts.numbers().to_string());
            town.tell("chuo/node/n1/health", texts.health().to_string());
            let paths = ["/", "/offices/chuo?lang=en", "/lite", "/lite/chuo"];
            paths.map(|path| html::bones(town.get(path).text()))
        };
        let plain = pages(&harmless);
        town.tell("chuo/node/n1/numbers", "");
        let found = pages(&texts);
        assert_eq!(found, plain, "a text changed the bones of a page");
        csv(town, &read);
        json_answers(town, &read);
        metrics(town.get("/metrics").text(), &texts);
        let label = path(&texts.ticket);
        let page = town.get(&format!("/find?ticket={label}&office={label}"));
        html::bones(page.text());
        town.tell("chuo/node/n1/numbers", "");
        town.tell("chuo/node/n1/health", "");
    });
}

fn texts(data: &[u8]) -> Option<Texts> {
    let mut texts = records(data).map(|r| String::from_utf8_lossy(r).into_owned());
    let mut label = || {
        let text = texts.next()?;
        Some((Label::new(&text).is_ok(), text))
    };
    let office = [label()?.1, label()?.1];
    let queue = [label()?.1, label()?.1];
    let ticket = label().filter(|(good, _)| *good)?.1;
    let counter = label()?;
    let counter = if counter.0 { counter.1 } else { String::new() };
    let fact = label()?.1;
    let next = std::iter::from_fn(label)
        .filter(|(good, _)| *good)
        .map(|(_, text)| text);
    Some(Texts {
        office,
        queue,
        ticket,
        counter,
        fact,
        next: next.collect(),
    })
}

impl Texts {
    /// The same with nothing to escape in it; what is blank stays so.
    fn harmless(&self) -> Self {
        let plain = |text: &String, plain: &str| {
            if text.trim().is_empty() {
                text.clone()
            } else {
                plain.to_owned()
            }
        };
        Self {
            office: self.office.each_ref().map(|t| plain(t, "Office")),
            queue: self.queue.each_ref().map(|t| plain(t, "Queue")),
            ticket: plain(&self.ticket, "A042"),
            counter: plain(&self.counter, "3"),
            fact: plain(&self.fact, "06"),
            next: self.next.iter().map(|t| plain(t, "A043")).collect(),
        }
    }

    fn numbers(&self) -> Value {
        let at = "2026-11-24T10:42:07+09:00";
        json!({
            "seq": 1, "at": at, "day": "2026-11-24",
            "office": {"id": "chuo", "name": {"ja": self.office[0], "en": self.office[1]}},
            "queues": [{
                "id": "certificates", "name": {"ja": self.queue[0], "en": self.queue[1]},
                "lane": "standard", "status": "open", "as_of": at, "fresh": true, "source": "feed",
                "last_call": {"no": 1, "ticket": self.ticket, "counter": self.counter, "at": at},
                "next": self.next, "waiting": 2, "on_hold": 0, "wait": {"low": 60, "high": 120},
            }],
        })
    }

    fn health(&self) -> Value {
        let short: String = self.fact.chars().take(16).collect();
        json!({
            "at": "2026-11-24T10:42:07+09:00", "version": self.fact, "uptime_s": 60,
            "clock": "synchronised", "counts": {short.clone(): 1},
            "issues": [{"kind": self.fact, "about": self.fact, "text": self.fact,
                        "since": "2026-11-24T10:42:07+09:00"}],
            "outputs": [{"board": "main", "kind": short, "state": "lost", "connector": short,
                         "frame_sha256": null, "facts": {"last_reply": self.fact}}],
        })
    }
}

/// Reads the table as RFC 4180 says and compares it with the report.
fn csv(town: &Town, read: &Numbers) {
    let answer = town.get("/opendata/congestion.csv");
    let rows = rfc4180(answer.text());
    assert_eq!(rows.len(), 2, "{}", answer.text());
    let row: BTreeMap<&str, &str> = rows[0]
        .iter()
        .map(String::as_str)
        .zip(rows[1].iter().map(String::as_str))
        .collect();
    assert_eq!(rows[0].len(), rows[1].len());
    let queue = &read.queues[0];
    let last = queue.last_call.as_ref().expect("sent");
    let next: Vec<&str> = queue.next.iter().map(Label::as_str).collect();
    let counter = last.counter.as_ref().map_or("", Label::as_str);
    for (column, wanted) in [
        ("office_name", read.office.name.best("ja")),
        ("queue_name", queue.name.best("ja")),
        ("last_call", last.ticket.as_str()),
        ("counter", counter),
        ("next", &next.join(" ")),
        ("waiting", "2"),
    ] {
        assert_eq!(row[column], wanted, "{column}");
    }
}

/// The fields of a table, read strictly: a quote begins a field or is doubled within one.
fn rfc4180(text: &str) -> Vec<Vec<String>> {
    let mut rows = vec![Vec::new()];
    let mut chars = text.chars().peekable();
    let mut field = String::new();
    let mut closed = false;
    while let Some(c) = chars.next() {
        let row = rows.last_mut().expect("never empty");
        match c {
            '"' if field.is_empty() && !closed => loop {
                match chars.next().expect("an open quote") {
                    '"' if chars.next_if_eq(&'"').is_some() => field.push('"'),
                    '"' => {
                        closed = true;
                        break;
                    }
                    c => field.push(c),
                }
            },
            '\r' => assert_eq!(chars.peek(), Some(&'\n'), "a bare carriage return"),
            ',' | '\n' => {
                row.push(std::mem::take(&mut field));
                closed = false;
                if c == '\n' && chars.peek().is_some() {
                    rows.push(Vec::new());
                }
            }
            c => {
                assert!(!closed && c != '"', "a bare {c:?} in {text:?}");
                field.push(c);
            }
        }
    }
    rows
}

fn json_answers(town: &Town, read: &Numbers) {
    let name = read.office.name.best("ja");
    let ticket = read.queues[0]
        .last_call
        .as_ref()
        .expect("sent")
        .ticket
        .as_str();
    let json = |path: &str| -> Value {
        serde_json::from_slice(&town.get(path).body).unwrap_or_else(|e| panic!("{path}: {e}"))
    };
    let office = json("/api/v1/offices/chuo");
    assert_eq!(office["name"], json!(read.office.name.forms()));
    assert_eq!(office["queues"][0]["last_call"]["ticket"], ticket);
    let office = &json("/opendata/congestion.json")["offices"][0];
    assert_eq!(office["name"], json!(read.office.name.forms()));
    assert_eq!(office["queues"][0]["last_call"]["ticket"], ticket);
    let entity = &json("/ngsi-ld/v1/entities?type=QueueMonitor")[0];
    assert_eq!(entity["officeName"]["value"], name);
    assert_eq!(
        entity["serviceName"]["value"],
        read.queues[0].name.best("ja")
    );
    assert_eq!(entity["ticketServedLabel"]["value"], ticket);
    for (path, html) in [("/api/v1/events", false), ("/live/ja/chuo", true)] {
        let answer = town.get(path);
        let data = event(answer.text());
        if html {
            html::bones(&data);
        } else {
            let whole: Value = serde_json::from_str(&data).expect("one JSON");
            assert_eq!(
                whole["offices"][0]["queues"][0]["last_call"]["ticket"],
                ticket
            );
        }
    }
}

/// The data of the first event of a stream.
fn event(stream: &str) -> String {
    let mut data = Vec::new();
    for line in stream.split('\n') {
        match line.split_once(':') {
            Some(("data", text)) => data.push(text.strip_prefix(' ').unwrap_or(text)),
            Some(("id" | "retry" | "", _)) => {}
            None if line.is_empty() => {}
            _ => panic!("no line of a stream of events: {line:?}"),
        }
    }
    data.join("\n")
}

/// Every line of the metrics is a comment or a sample, and what a device answered is in none: labels
/// whose values never repeat would make series without end.
fn metrics(text: &str, texts: &Texts) {
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let (name, rest) = line.split_once(['{', ' ']).expect("a sample");
        assert!(
            name.starts_with("yobiban_") || name.starts_with("process_"),
            "{line}"
        );
        let value = if line[name.len()..].starts_with('{') {
            let (labels, value) = labels(rest);
            // What a machine is and runs may be called the same.
            let told = |(name, value): &(String, String)| {
                let known = ["model", "version"].contains(&name.as_str());
                !known && texts.fact.len() > 8 && *value == texts.fact
            };
            assert!(!labels.iter().any(told), "{line}");
            value
        } else {
            rest
        };
        assert!(value.trim().parse::<f64>().is_ok(), "{line}");
    }
}

/// The labels of a sample, from after its brace, and what follows them.
fn labels(mut rest: &str) -> (Vec<(String, String)>, &str) {
    let mut found = Vec::new();
    loop {
        let (name, after) = rest.split_once("=\"").expect("a label");
        let mut value = String::new();
        let mut chars = after.char_indices();
        let end = loop {
            match chars.next().expect("an open label") {
                (at, '"') => break at,
                (_, '\\') => match chars.next().expect("an escape").1 {
                    'n' => value.push('\n'),
                    c @ ('\\' | '"') => value.push(c),
                    c => panic!("no escape: {c}"),
                },
                (_, c) => value.push(c),
            }
        };
        found.push((name.to_owned(), value));
        rest = &after[end + 1..];
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => {
                return (
                    found,
                    rest.strip_prefix('}').expect("the end of the labels"),
                );
            }
        }
    }
}

/// A text as part of a path.
fn path(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02X}")).collect()
}
