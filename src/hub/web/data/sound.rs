//! How a ticket is called, as a WAV file.
//!
//! Only tickets that an office reports are spoken, one at a time: further requests wait, and are
//! answered 503 after a while. Numbers and pages never wait for it.

use crate::hub::core::Hub;
use crate::hub::speech::AnnouncementRequest;
use crate::hub::web::request::{Query, Shared, lang};
use crate::model::{Label, Lane};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

/// Sounds may be cached this long: a ticket may be called, or called elsewhere, at any time.
const CACHE_FOR: &str = "public, max-age=30";

/// The sound of a ticket's call.
pub(crate) async fn call(
    State(hub): Shared,
    Path((office, queue, label)): Path<(String, String, String)>,
    query: Query,
    headers: HeaderMap,
) -> Response {
    let Some(speaker) = hub.speaker() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some(mut request) = announcement_request(&hub, &office, &queue, &label).await else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let lang = match query.get("lang") {
        // Spoken languages are not those of the pages.
        Some(lang) if lang.len() <= 16 => lang,
        _ => lang(&query, &headers).tag(),
    };
    // Easy Japanese is spoken as Japanese, simplified Chinese as Chinese: RFC 5646, the first part.
    lang.split('-')
        .next()
        .unwrap_or_default()
        .clone_into(&mut request.lang);
    let wav = match speaker.speak(request).await {
        Ok(Some(wav)) => wav,
        Ok(None) => return StatusCode::NOT_FOUND.into_response(),
        Err(status) => return (status, [(header::RETRY_AFTER, "5")]).into_response(),
    };
    let head = [
        (header::CONTENT_TYPE, "audio/wav"),
        (header::CACHE_CONTROL, CACHE_FOR),
        (header::VARY, "accept-language"),
    ];
    (head, Body::from(wav)).into_response()
}

/// A ticket that its office reports, as it was or will be called.
async fn announcement_request(
    hub: &Hub,
    office: &str,
    queue: &str,
    label: &str,
) -> Option<AnnouncementRequest> {
    let snapshot = hub.live.current();
    let office = snapshot.office(office)?;
    let queue = office.view.queues.iter().find(|q| q.id.as_str() == queue)?;
    let ticket = Label::new(label).ok()?;
    let last = queue.last_call.as_ref().filter(|c| c.ticket == ticket);
    let counter = match last {
        Some(last) => last.counter.clone(),
        None if queue.next.contains(&ticket) => None,
        None => {
            let call = hub.newest_call(office, &queue.id, ticket.as_str()).await?;
            Label::new(&call.counter).ok()
        }
    };
    Some(AnnouncementRequest {
        ticket,
        counter,
        queue: queue.id.clone(),
        queue_name: queue.name.clone(),
        fast: queue.lane == Lane::Fast,
        lang: String::new(),
    })
}
