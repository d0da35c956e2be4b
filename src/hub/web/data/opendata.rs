//! Open data: numbers now, calls and waits of a day, usual weeks. Licence CC BY 4.0, readable from
//! any page.

use crate::hub::content::page::{Page, is_known};
use crate::hub::core::Hub;
use crate::hub::history::{CallRow, HistoryError, MAX_PAGE, WaitRow};
use crate::hub::live::{OfficeSnapshot, Snapshot};
use crate::hub::web::parts::json;
use crate::hub::web::parts::labels::{office_level, queue_level};
use crate::hub::web::request::Shared;
use crate::wire::WireTime;
use crate::wire::report::QueueNumbers;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use jiff::civil::Date;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

pub(crate) const LICENCE: &str = "https://creativecommons.org/licenses/by/4.0/";

/// Every queue with its office.
pub(crate) fn rows(snapshot: &Snapshot) -> impl Iterator<Item = (&OfficeSnapshot, &QueueNumbers)> {
    snapshot
        .offices
        .iter()
        .flat_map(|o| o.view.queues.iter().map(move |q| (o.as_ref(), q)))
}

/// One queue with a word for how busy it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CongestionQueue {
    #[serde(flatten)]
    numbers: QueueNumbers,
    /// `free`, `busy`, `crowded`, `closed` or `unknown`.
    congestion: &'static str,
}

/// One office with a word for how busy it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CongestionOffice {
    /// Its identifier.
    id: String,
    /// Its name by language.
    name: BTreeMap<String, String>,
    /// Whether one of its nodes is online.
    online: bool,
    /// The moment the newest numbers are of; `null` before the first numbers of a source.
    #[schema(value_type = Option<String>, format = DateTime)]
    as_of: Option<WireTime>,
    /// As its busiest open queue.
    congestion: &'static str,
    /// Its queues in the order of the board.
    queues: Vec<CongestionQueue>,
}

/// Answer of `/opendata/congestion.json`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Congestion {
    /// Where the data may be used: CC BY 4.0.
    licence: &'static str,
    /// In the order of the pages.
    offices: Vec<CongestionOffice>,
}

pub(crate) async fn congestion_json(State(hub): Shared, headers: HeaderMap) -> Response {
    let snapshot = hub.live.current();
    let make = || {
        let queue = |o: &OfficeSnapshot, q: &QueueNumbers| CongestionQueue {
            numbers: q.clone(),
            congestion: queue_level(q, o.today, &hub.pages).class(),
        };
        let office = |o: &Arc<OfficeSnapshot>| CongestionOffice {
            id: o.view.id.to_string(),
            name: o.view.name.forms().clone(),
            online: o.view.online,
            as_of: o.view.as_of,
            congestion: office_level(o, &hub.pages).class(),
            queues: o.view.queues.iter().map(|q| queue(o, q)).collect(),
        };
        let all = Congestion {
            licence: LICENCE,
            offices: snapshot.offices.iter().map(office).collect(),
        };
        Page::json(serde_json::to_vec(&all).unwrap_or_default())
    };
    snapshot.congestion[0].get_or_init(make).respond(&headers)
}

#[derive(Serialize)]
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

pub(crate) async fn congestion_csv(State(hub): Shared, headers: HeaderMap) -> Response {
    let snapshot = hub.live.current();
    let make = || {
        let rows = rows(&snapshot).map(|(o, q)| {
            let last = q.last_shown();
            let next: Vec<&str> = q.next.iter().map(|l| l.as_str()).collect();
            CongestionRow {
                office: o.view.id.as_str(),
                office_name: o.view.name.best("ja"),
                queue: q.id.as_str(),
                queue_name: q.name.best("ja"),
                lane: q.lane.as_str(),
                status: q.status.as_str(),
                congestion: queue_level(q, o.today, &hub.pages).class(),
                fresh: q.fresh,
                as_of: q.as_of.map(|t| t.to_string()).unwrap_or_default(),
                last_call: last.map_or("", |(ticket, _)| ticket.as_str()),
                counter: last
                    .and_then(|(_, counter)| counter)
                    .map_or("", |c| c.as_str()),
                next: next.join(" "),
                waiting: q.waiting,
                on_hold: q.on_hold,
                wait_low_s: q.wait.map(|w| w.low),
                wait_high_s: q.wait.map(|w| w.high),
            }
        });
        Page::new(CSV, csv(rows, CONGESTION_HEADER))
    };
    snapshot.congestion[1].get_or_init(make).respond(&headers)
}

#[derive(Serialize)]
struct UsualRow<'a> {
    office: &'a str,
    queue: &'a str,
    weekday: i8,
    hour: i8,
    waiting: Option<f64>,
    low_s: f64,
    high_s: f64,
    days: u32,
}

/// `/opendata/usual.csv`: the usual week of every queue.
pub(crate) async fn usual_csv(State(hub): Shared, headers: HeaderMap) -> Response {
    let snapshot = hub.live.current();
    let mut body = USUAL_HEADER.as_bytes().to_vec();
    for office in &snapshot.offices {
        let figures = hub.figures(&office.view.id);
        let rows = figures.usual.iter().map(|u| UsualRow {
            office: office.view.id.as_str(),
            queue: &u.queue,
            weekday: u.weekday + 1, // ISO 8601: Monday is 1
            hour: u.hour,
            waiting: u.waiting,
            low_s: u.low_s,
            high_s: u.high_s,
            days: u.days,
        });
        body.extend(csv(rows, ""));
    }
    Page::new(CSV, body).respond(&headers)
}

const CSV: &str = "text/csv; charset=utf-8; header=present";

/// Headers are there without a row too.
const CONGESTION_HEADER: &str = "office,office_name,queue,queue_name,lane,status,congestion,fresh,\
    as_of,last_call,counter,next,waiting,on_hold,wait_low_s,wait_high_s\r\n";
const USUAL_HEADER: &str = "office,queue,weekday,hour,waiting,low_s,high_s,days\r\n";
const WAITS_HEADER: &str =
    "office,queue,day,lane,epoch,no,told_at,low_s,high_s,called_at,wait_s\r\n";
/// That of the contract.
const CALLS_HEADER: &str = "office,queue,day,epoch,no,ticket,counter,at,kind\r\n";

/// RFC 4180. Labels are written as they are: a mark against spreadsheets that take `=1+1` for a
/// formula would change the data, and 12 characters hold no harmful one.
fn csv<T: Serialize>(rows: impl IntoIterator<Item = T>, header: &str) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .has_headers(false)
        .terminator(csv::Terminator::CRLF)
        .from_writer(header.as_bytes().to_vec());
    for row in rows {
        // Writing plain rows into memory fails only when a row is not flat, and these are.
        let _ = writer.serialize(row);
    }
    writer.into_inner().unwrap_or_default()
}

/// A kind of rows that a day is made of.
trait Daily: Serialize + Clone + Send + Sync + Sized + 'static {
    const NAME: &'static str;
    const HEADER: &'static str;

    fn page(
        hub: &Hub,
        day: Date,
        after: Option<&Self>,
    ) -> impl Future<Output = Result<Vec<Self>, HistoryError>> + Send;
}

impl Daily for CallRow {
    const NAME: &'static str = "calls";
    const HEADER: &'static str = CALLS_HEADER;

    async fn page(hub: &Hub, day: Date, after: Option<&Self>) -> Result<Vec<Self>, HistoryError> {
        hub.history.page(day, after).await
    }
}

impl Daily for WaitRow {
    const NAME: &'static str = "waits";
    const HEADER: &'static str = WAITS_HEADER;

    async fn page(hub: &Hub, day: Date, after: Option<&Self>) -> Result<Vec<Self>, HistoryError> {
        hub.history.waits_page(day, after).await
    }
}

pub(crate) async fn calls(hub: Shared, file: Path<String>, headers: HeaderMap) -> Response {
    day::<CallRow>(hub, file, headers).await
}

pub(crate) async fn waits(hub: Shared, file: Path<String>, headers: HeaderMap) -> Response {
    day::<WaitRow>(hub, file, headers).await
}

/// `{day}.csv`, page by page: a slow download holds no database connection.
async fn day<T: Daily>(
    State(hub): Shared,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Response {
    let day = file.strip_suffix(".csv").filter(|day| day.len() == 10);
    let Some(day) = day.and_then(|day| day.parse::<Date>().ok()) else {
        return json::not_found();
    };
    let away = || json::unavailable("the history database does not answer");
    let Ok([calls, labels, waits]) = hub.history.stamp(day).await else {
        return away();
    };
    let etag = format!("W/\"{}-{day}-{calls}-{labels}-{waits}\"", T::NAME);
    let head = [
        (header::CACHE_CONTROL, "no-cache".to_owned()),
        (header::ETAG, etag.clone()),
    ];
    if is_known(&headers, &etag) {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    let Ok(first) = T::page(&hub, day, None).await else {
        return away();
    };
    let begin = csv(&first, T::HEADER);
    let more = rest(&first);
    let begin = stream::once(async { Ok::<_, HistoryError>(begin) });
    let tail = stream::try_unfold(more, move |last: Option<T>| {
        let hub: Arc<Hub> = Arc::clone(&hub);
        async move {
            let Some(last) = last else { return Ok(None) };
            // An error here breaks the download off, so that half a day does not look whole.
            let page = T::page(&hub, day, Some(&last)).await?;
            let more = rest(&page);
            Ok(Some((csv(&page, ""), more)))
        }
    });
    let body = Body::from_stream(futures_util::StreamExt::chain(begin, tail));
    let name = format!("attachment; filename=\"{}-{day}.csv\"", T::NAME);
    let kind = [
        (header::CONTENT_TYPE, CSV.to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    (head, kind, body).into_response()
}

/// Where the next page begins, if this one was full.
fn rest<T: Clone>(page: &[T]) -> Option<T> {
    (page.len() == MAX_PAGE)
        .then(|| page.last().cloned())
        .flatten()
}
