//! Open data: numbers now, calls of a day, NGSI-LD. Licence CC BY 4.0, readable from any page.

use super::words::{office_level, queue_level};
use super::{Query, Shared, api};
use crate::hub::Hub;
use crate::hub::history::{CallRow, MAX_PAGE};
use crate::hub::live::{OfficeSnap, Snapshot};
use crate::hub::page::Page;
use crate::model::Status;
use crate::wire::report::QueueNumbers;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use jiff::civil::Date;
use serde_json::{Value, json};
use std::sync::Arc;

const LICENCE: &str = "https://creativecommons.org/licenses/by/4.0/";

fn rows(snapshot: &Snapshot) -> impl Iterator<Item = (&OfficeSnap, &QueueNumbers)> {
    snapshot
        .offices
        .iter()
        .flat_map(|o| o.view.queues.iter().map(move |q| (o.as_ref(), q)))
}

pub(super) async fn congestion_json(State(hub): Shared, headers: HeaderMap) -> Response {
    let snapshot = hub.live.current();
    let make = || {
        let queue = |o: &OfficeSnap, q: &QueueNumbers| -> Value {
            let mut value = serde_json::to_value(q).unwrap_or_default();
            if let Some(object) = value.as_object_mut() {
                let level = queue_level(q, o.today, &hub.pages).class();
                object.insert("congestion".to_owned(), level.into());
            }
            value
        };
        let office = |o: &Arc<OfficeSnap>| {
            json!({
                "id": o.view.id.as_str(),
                "name": o.view.name.forms(),
                "online": o.view.online,
                "as_of": o.view.as_of,
                "congestion": office_level(o, &hub.pages).class(),
                "queues": o.view.queues.iter().map(|q| queue(o, q)).collect::<Vec<_>>(),
            })
        };
        let body = json!({
            "licence": LICENCE,
            "offices": snapshot.offices.iter().map(office).collect::<Vec<_>>(),
        });
        Page::json(body.to_string())
    };
    snapshot.congestion[0].get_or_init(make).respond(&headers)
}

#[derive(serde::Serialize)]
struct CongestionRow<'a> {
    office: &'a str,
    office_name: &'a str,
    queue: &'a str,
    queue_name: &'a str,
    lane: &'a str,
    status: &'a str,
    congestion: &'a str,
    fresh: bool,
    as_of: String,
    last_call: &'a str,
    counter: &'a str,
    next: String,
    waiting: Option<u32>,
    on_hold: Option<u32>,
    wait_low_s: Option<u32>,
    wait_high_s: Option<u32>,
}

pub(super) async fn congestion_csv(State(hub): Shared, headers: HeaderMap) -> Response {
    let snapshot = hub.live.current();
    let make = || {
        let rows = rows(&snapshot).map(|(o, q)| CongestionRow {
            office: o.view.id.as_str(),
            office_name: o.view.name.best("ja"),
            queue: q.id.as_str(),
            queue_name: q.name.best("ja"),
            lane: q.lane.as_str(),
            status: q.status.as_str(),
            congestion: queue_level(q, o.today, &hub.pages).class(),
            fresh: q.fresh,
            as_of: q.as_of.map(|t| t.to_string()).unwrap_or_default(),
            last_call: q.last_call.as_ref().map_or("", |c| c.ticket.as_str()),
            counter: q
                .last_call
                .as_ref()
                .and_then(|c| c.counter.as_ref())
                .map_or("", |c| c.as_str()),
            next: q
                .next
                .iter()
                .map(|l| l.as_str())
                .collect::<Vec<_>>()
                .join(" "),
            waiting: q.waiting,
            on_hold: q.on_hold,
            wait_low_s: q.wait.map(|w| w.low),
            wait_high_s: q.wait.map(|w| w.high),
        });
        Page::new(CSV, csv(rows, true))
    };
    snapshot.congestion[1].get_or_init(make).respond(&headers)
}

const CSV: &str = "text/csv; charset=utf-8; header=present";

/// The header of the contract, for a day without calls too.
const CALLS_HEADER: &str = "office,queue,day,epoch,no,ticket,counter,at,kind\n";

/// RFC 4180, but for the line end. Labels are written as they are: a mark against spreadsheets
/// that take `=1+1` for a formula would change the data, and 12 characters hold no harmful one.
fn csv<T: serde::Serialize>(rows: impl IntoIterator<Item = T>, with_header: bool) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .has_headers(with_header)
        .from_writer(Vec::new());
    for row in rows {
        // Writing plain rows into memory fails only when a row is not flat, and these are.
        let _ = writer.serialize(row);
    }
    writer.into_inner().unwrap_or_default()
}

/// `/opendata/calls/{day}.csv`, page by page: a slow download holds no database connection.
pub(super) async fn calls(State(hub): Shared, Path(file): Path<String>) -> Response {
    let day = file.strip_suffix(".csv").filter(|day| day.len() == 10);
    let Some(day) = day.and_then(|day| day.parse::<Date>().ok()) else {
        return api::not_found();
    };
    let Ok(first) = hub.history.page(day, None).await else {
        return api::unavailable("the history does not answer");
    };
    let mut head = CALLS_HEADER.as_bytes().to_vec();
    head.extend(csv(&first, false));
    let more = rest(&first);
    let head = stream::once(async { Ok::<_, crate::hub::history::HistoryError>(head) });
    let tail = stream::try_unfold(more, move |last: Option<CallRow>| {
        let hub: Arc<Hub> = Arc::clone(&hub);
        async move {
            let Some(last) = last else { return Ok(None) };
            // An error here breaks the download off, so that half a day does not look whole.
            let page = hub.history.page(day, Some(&last)).await?;
            let more = rest(&page);
            Ok(Some((csv(&page, false), more)))
        }
    });
    let body = Body::from_stream(futures_util::StreamExt::chain(head, tail));
    let name = format!("attachment; filename=\"calls-{day}.csv\"");
    (
        [
            (header::CONTENT_TYPE, CSV.to_owned()),
            (header::CONTENT_DISPOSITION, name),
            (header::CACHE_CONTROL, "no-cache".to_owned()),
        ],
        body,
    )
        .into_response()
}

/// Where the next page begins, if this one was full.
fn rest(page: &[CallRow]) -> Option<CallRow> {
    (page.len() == MAX_PAGE)
        .then(|| page.last().cloned())
        .flatten()
}

/// NGSI-LD entities of type `QueueMonitor` (Smart Data Models, QueueManagement); the predicted
/// wait bears the names of ACRIS (airport queues), as the model has none.
pub(super) async fn ngsi(State(hub): Shared, query: Query, headers: HeaderMap) -> Response {
    match query.get("type") {
        Some("QueueMonitor") => {}
        Some(_) => return Page::new(NGSI, "[]").respond(&headers),
        None => return api::bad_request("expected ?type=QueueMonitor"),
    }
    let snapshot = hub.live.current();
    let make = || {
        let all: Vec<Value> = rows(&snapshot).map(|(o, q)| entity(o, q)).collect();
        Page::new(NGSI, Value::from(all).to_string())
    };
    snapshot.ngsi.get_or_init(make).respond(&headers)
}

const NGSI: &str = "application/ld+json";

fn entity(office: &OfficeSnap, queue: &QueueNumbers) -> Value {
    let at = queue.as_of.map(|t| t.at.to_string());
    let property = |value: Value| {
        let mut property = json!({ "type": "Property", "value": value });
        if let (Some(at), Some(object)) = (&at, property.as_object_mut()) {
            object.insert("observedAt".to_owned(), at.as_str().into());
        }
        property
    };
    let office_id = &office.view.id;
    let mut entity = json!({
        "@context": [
            "https://raw.githubusercontent.com/smart-data-models/dataModel.QueueManagement/master/context.jsonld",
            "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld"
        ],
        "id": format!("urn:ngsi-ld:QueueMonitor:{office_id}:{}", queue.id),
        "type": "QueueMonitor",
        "officeName": property(office.view.name.best("ja").into()),
        "serviceId": property(queue.id.as_str().into()),
        "serviceName": property(queue.name.best("ja").into()),
        "queueLine": property(queue.lane.as_str().into()),
        "serviceStatus": property(match queue.status {
            Status::Open => "Open",
            Status::Paused => "Suspended",
            Status::Closed => "Closed",
        }.into()),
    });
    let Some(object) = entity.as_object_mut() else {
        return entity;
    };
    if let Some(waiting) = queue.waiting {
        object.insert("ticketsToServe".to_owned(), property(waiting.into()));
    }
    if let Some(last) = &queue.last_call {
        let label = property(last.ticket.as_str().into());
        object.insert("ticketServedLabel".to_owned(), label);
    }
    if let Some(wait) = queue.wait {
        let low = property((wait.low / 60).into());
        let high = property(wait.high.div_ceil(60).into());
        object.insert("projectedMinWaitMinutes".to_owned(), low);
        object.insert("projectedMaxWaitMinutes".to_owned(), high);
    }
    entity
}
