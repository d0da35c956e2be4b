//! How a ticket is called, to be heard: one WAV file, made by whoever the hub was given for it.
//!
//! Only tickets that an office speaks of are spoken, one at a time: whoever asks for more waits, and
//! is then asked to come back later. Numbers and pages never wait for it.

use super::mine::called;
use super::{Query, Shared};
use crate::hub::Hub;
use crate::model::{Label, Lane, Name};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// A request waits for its turn this long: a sentence takes a tenth of a second.
const TURN_WITHIN: Duration = Duration::from_secs(3);

/// Sounds may be kept this long: a ticket may be called, or called elsewhere, at any time.
const KEPT: &str = "public, max-age=30";

/// What is to be heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The label.
    pub ticket: Label,
    /// Where to, when it was called.
    pub counter: Option<Label>,
    /// The queue's identifier.
    pub queue: crate::model::QueueId,
    /// The queue's name.
    pub queue_name: Name,
    /// Whether the queue is a fast lane.
    pub fast: bool,
    /// The viewer's language.
    pub lang: String,
}

/// Makes a WAV file of a call; blocks for as long as that takes. `None` when it cannot be spoken.
type Make = dyn Fn(&Asked) -> Option<Bytes> + Send + Sync;

/// Speaks how tickets are called.
#[derive(Clone)]
pub struct Speaker {
    make: Arc<Make>,
    turn: Arc<Semaphore>,
}

impl fmt::Debug for Speaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Speaker").finish_non_exhaustive()
    }
}

impl Speaker {
    /// Speaks with this.
    #[must_use]
    pub fn new(make: impl Fn(&Asked) -> Option<Bytes> + Send + Sync + 'static) -> Self {
        Self {
            make: Arc::new(make),
            turn: Arc::new(Semaphore::new(1)),
        }
    }

    async fn speak(&self, asked: Asked) -> Result<Option<Bytes>, StatusCode> {
        let turn = Arc::clone(&self.turn).acquire_owned();
        let turn = match tokio::time::timeout(TURN_WITHIN, turn).await {
            Ok(Ok(turn)) => turn,
            Ok(Err(_)) | Err(_) => return Err(StatusCode::SERVICE_UNAVAILABLE),
        };
        let make = Arc::clone(&self.make);
        let made = tokio::task::spawn_blocking(move || {
            let _turn = turn; // until it is made, also when the viewer has gone
            make(&asked)
        });
        made.await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl Hub {
    /// Lets viewers hear how tickets are called; the first speaker stays.
    pub fn speak_with(&self, speaker: Speaker) {
        let _ = self.speaker.set(speaker);
    }

    pub(super) fn speaker(&self) -> Option<&Speaker> {
        self.speaker.get()
    }
}

/// The sound of a ticket's call.
pub(super) async fn call(
    State(hub): Shared,
    Path((office, queue, label)): Path<(String, String, String)>,
    query: Query,
    headers: HeaderMap,
) -> Response {
    let Some(speaker) = hub.speaker() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some(mut asked) = asked(&hub, &office, &queue, &label).await else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let lang = match query.get("lang") {
        // Spoken languages are not those of the pages.
        Some(lang) if lang.len() <= 16 => lang,
        _ => super::lang(&query, &headers).tag(),
    };
    // Easy Japanese is spoken as Japanese, simplified Chinese as Chinese: RFC 5646, the first part.
    lang.split('-')
        .next()
        .unwrap_or_default()
        .clone_into(&mut asked.lang);
    let wav = match speaker.speak(asked).await {
        Ok(Some(wav)) => wav,
        Ok(None) => return StatusCode::NOT_FOUND.into_response(),
        Err(status) => return (status, [(header::RETRY_AFTER, "5")]).into_response(),
    };
    let head = [
        (header::CONTENT_TYPE, "audio/wav"),
        (header::CACHE_CONTROL, KEPT),
        (header::VARY, "accept-language"),
    ];
    (head, Body::from(wav)).into_response()
}

/// A ticket that its office speaks of, as it was or will be called.
async fn asked(hub: &Hub, office: &str, queue: &str, label: &str) -> Option<Asked> {
    let snapshot = hub.live.current();
    let office = snapshot.office(office)?;
    let queue = office.view.queues.iter().find(|q| q.id.as_str() == queue)?;
    let ticket = Label::new(label).ok()?;
    let last = queue.last_call.as_ref().filter(|c| c.ticket == ticket);
    let counter = match last {
        Some(last) => last.counter.clone(),
        None if queue.next.contains(&ticket) => None,
        None => {
            let call = called(hub, office, &queue.id, ticket.as_str()).await?;
            Label::new(&call.counter).ok()
        }
    };
    Some(Asked {
        ticket,
        counter,
        queue: queue.id.clone(),
        queue_name: queue.name.clone(),
        fast: queue.lane == Lane::Fast,
        lang: String::new(),
    })
}
