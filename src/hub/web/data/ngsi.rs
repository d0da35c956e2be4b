//! NGSI-LD: entities of type `QueueMonitor` (Smart Data Models, QueueManagement), normalised or as
//! key-values.
//!
//! The model has no wait. `ProjectedWaitTime` (seconds, the middle of the range) is the name of
//! ACRIS, the airports' recommendation for waits, as Smart Data Models maps it; the two ends bear
//! the names that airports' interfaces give them. What is next and what is on hold are attributes
//! of our own, in NGSI-LD's default context.

use super::opendata::rows;
use crate::hub::content::page::Page;
use crate::hub::live::OfficeSnapshot;
use crate::hub::web::parts::json;
use crate::hub::web::request::{Query, Shared};
use crate::model::{Lane, Status};
use crate::wire::report::QueueNumbers;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use serde_json::{Map, Value, json};

const LD: &str = "application/ld+json";
const JSON: &str = "application/json";

/// The terms' meanings. NGSI-LD wants its own context last.
const CONTEXT: [&str; 3] = [
    "https://raw.githubusercontent.com/smart-data-models/dataModel.QueueManagement/master/context.jsonld",
    "https://raw.githubusercontent.com/smart-data-models/dataModel.ACRIS/master/context.jsonld",
    "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld",
];

/// A body of plain JSON names one context beside it (NGSI-LD API, section 6.3.5).
const CONTEXT_LINK: &str = "<https://raw.githubusercontent.com/smart-data-models/dataModel.QueueManagement/master/context.jsonld>; rel=\"http://www.w3.org/ns/json-ld#context\"; type=\"application/ld+json\"";

/// How entities are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Form {
    key_values: bool,
    /// The context is within the body.
    ld: bool,
}

impl Form {
    fn requested(query: &Query, headers: &HeaderMap) -> Option<Self> {
        let mut key_values = false;
        let words = query.get("options").unwrap_or_default().split(',');
        for word in words.chain(query.get("format")) {
            match word {
                "keyValues" | "simplified" => key_values = true,
                "normalized" | "" => {}
                _ => return None,
            }
        }
        let accept = headers.get(header::ACCEPT);
        let accept = accept.and_then(|v| v.to_str().ok()).unwrap_or_default();
        let ld = accept.contains(LD) || !accept.contains(JSON);
        Some(Self { key_values, ld })
    }

    fn index(self) -> usize {
        usize::from(self.key_values) * 2 + usize::from(self.ld)
    }

    fn page(self, body: &Value) -> Page {
        Page::new(if self.ld { LD } else { JSON }, body.to_string())
    }

    fn finish(self, mut response: Response) -> Response {
        if !self.ld {
            let link = HeaderValue::from_static(CONTEXT_LINK);
            response.headers_mut().append(header::LINK, link);
        }
        response
    }
}

/// A number among the values after the `?`; `None` when it is none.
fn number(query: &Query, key: &str, default: usize) -> Option<usize> {
    query
        .get(key)
        .map_or(Some(default), |text| text.parse().ok())
}

/// `/ngsi-ld/v1/entities?type=QueueMonitor`, with `id` (several by comma), `limit`, `offset`.
pub(crate) async fn entities(State(hub): Shared, query: Query, headers: HeaderMap) -> Response {
    let Some(form) = Form::requested(&query, &headers) else {
        return json::bad_request("options: expected keyValues or normalized");
    };
    let ids = query.get("id");
    let (Some(limit), Some(offset)) = (
        number(&query, "limit", usize::MAX),
        number(&query, "offset", 0),
    ) else {
        return json::bad_request("limit and offset: expected whole numbers");
    };
    match query.get("type") {
        Some(types) if types.split(',').any(|t| t == "QueueMonitor") => {}
        Some(_) => return form.finish(form.page(&json!([])).respond(&headers)),
        None if ids.is_some() => {}
        None => return json::bad_request("expected ?type=QueueMonitor"),
    }
    let snapshot = hub.live.current();
    let some = |wanted: Option<&str>| -> Value {
        let all = rows(&snapshot);
        let found = all.filter(|(o, q)| {
            wanted.is_none_or(|ids| {
                let own = urn(o, q);
                ids.split(',').any(|id| id == own)
            })
        });
        let found = found.skip(offset).take(limit);
        found.map(|(o, q)| entity(o, q, form)).collect()
    };
    if ids.is_none() && limit == usize::MAX && offset == 0 {
        let page = snapshot.ngsi[form.index()].get_or_init(|| form.page(&some(None)));
        return form.finish(page.respond(&headers));
    }
    form.finish(form.page(&some(ids)).respond(&headers))
}

/// `/ngsi-ld/v1/entities/{id}`.
pub(crate) async fn one(
    State(hub): Shared,
    Path(id): Path<String>,
    query: Query,
    headers: HeaderMap,
) -> Response {
    let Some(form) = Form::requested(&query, &headers) else {
        return json::bad_request("options: expected keyValues or normalized");
    };
    let snapshot = hub.live.current();
    match rows(&snapshot).find(|(o, q)| urn(o, q) == id) {
        Some((o, q)) => form.finish(form.page(&entity(o, q, form)).respond(&headers)),
        None => json::not_found(),
    }
}

fn urn(office: &OfficeSnapshot, queue: &QueueNumbers) -> String {
    format!("urn:ngsi-ld:QueueMonitor:{}:{}", office.view.id, queue.id)
}

/// What an attribute is, and its unit (UN/CEFACT code) if it has one.
type Attribute = (&'static str, Value, Option<&'static str>);

fn attributes(office: &OfficeSnapshot, queue: &QueueNumbers) -> Vec<Attribute> {
    let status = match queue.status {
        Status::Open => "Open",
        Status::Paused => "Suspended",
        Status::Closed => "Closed",
    };
    let next: Vec<&str> = queue.next.iter().map(|l| l.as_str()).collect();
    let mut all: Vec<Attribute> = vec![
        ("officeName", office.view.name.best("ja").into(), None),
        ("serviceId", queue.id.as_str().into(), None),
        ("serviceName", queue.name.best("ja").into(), None),
        ("queueLine", queue.lane.as_str().into(), None),
        (
            "linePriority",
            i32::from(queue.lane == Lane::Fast).into(),
            None,
        ),
        ("serviceStatus", status.into(), None),
        ("nextTickets", next.into(), None),
    ];
    if let Some(on_hold) = queue.on_hold {
        all.push(("ticketsOnHold", on_hold.into(), None));
    }
    if let Some(waiting) = queue.waiting {
        all.push(("ticketsToServe", waiting.into(), None));
    }
    if let Some((ticket, _)) = queue.last_shown() {
        all.push(("ticketServedLabel", ticket.as_str().into(), None));
    }
    if let Some(wait) = queue.wait {
        let middle = u32::midpoint(wait.low, wait.high);
        let (low, high) = (wait.low / 60, wait.high.div_ceil(60));
        all.push(("ProjectedWaitTime", middle.into(), Some("SEC")));
        all.push(("projectedMinWaitMinutes", low.into(), Some("MIN")));
        all.push(("projectedMaxWaitMinutes", high.into(), Some("MIN")));
    }
    all
}

fn entity(office: &OfficeSnapshot, queue: &QueueNumbers, form: Form) -> Value {
    let at = queue.as_of.map(|t| t.at.to_string());
    let mut entity = Map::new();
    entity.insert("id".into(), urn(office, queue).into());
    entity.insert("type".into(), "QueueMonitor".into());
    for (name, value, unit) in attributes(office, queue) {
        let value = if form.key_values {
            value
        } else {
            let mut property = json!({ "type": "Property", "value": value });
            if let Some(at) = &at {
                property["observedAt"] = at.as_str().into();
            }
            if let Some(unit) = unit {
                property["unitCode"] = unit.into();
            }
            property
        };
        entity.insert(name.into(), value);
    }
    if form.ld {
        entity.insert("@context".into(), json!(CONTEXT));
    }
    Value::Object(entity)
}
