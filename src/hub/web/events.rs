//! Server-Sent Events: the state, then what changes of it.
//!
//! The bytes of an event are made once and shared by all viewers. A viewer who falls behind the
//! ring of publications gets the newest state instead of what it missed. An event's id names the
//! run and the publication: who comes back with the newest one misses nothing and gets nothing
//! twice; any other gets the whole state.

use super::office::office_body;
use super::viewer::Boarding;
use super::{Query, Shared, api, front};
use crate::hub::Hub;
use crate::hub::event::{Event, Packing};
use crate::hub::lang::Lang;
use crate::hub::live::{Delta, Scope, Snapshot};
use crate::hub::page::accepts_gzip;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::{Instant, Sleep, sleep};

/// A comment this often keeps proxies from closing a quiet stream (nginx: 60 s).
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// Clients wait 3 s before they come back.
static HELLO: LazyLock<Event> = LazyLock::new(|| Event::raw("retry: 3000\n\n"));
static PING: LazyLock<Event> = LazyLock::new(|| Event::raw(":\n\n"));

/// How a stream tells the state.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// The JSON of the API.
    Json,
    /// Parts of the page in one language.
    Parts(Lang),
}

pub(super) async fn all(State(hub): Shared, query: Query, headers: HeaderMap) -> Response {
    open(hub, Scope::All, Form::Json, &query, &headers)
}

pub(super) async fn office(
    State(hub): Shared,
    Path(id): Path<String>,
    query: Query,
    headers: HeaderMap,
) -> Response {
    open_office(hub, &id, Form::Json, &query, &headers)
}

pub(super) async fn live_all(
    State(hub): Shared,
    Path(tag): Path<String>,
    query: Query,
    headers: HeaderMap,
) -> Response {
    match Lang::find(&tag) {
        Some(lang) => open(hub, Scope::All, Form::Parts(lang), &query, &headers),
        None => api::not_found(),
    }
}

pub(super) async fn live_office(
    State(hub): Shared,
    Path((tag, id)): Path<(String, String)>,
    query: Query,
    headers: HeaderMap,
) -> Response {
    match Lang::find(&tag) {
        Some(lang) => open_office(hub, &id, Form::Parts(lang), &query, &headers),
        None => api::not_found(),
    }
}

fn open_office(
    hub: Arc<Hub>,
    id: &str,
    form: Form,
    query: &Query,
    headers: &HeaderMap,
) -> Response {
    let Some(id) = hub.live.current().office(id).map(|o| o.view.id.clone()) else {
        return api::not_found();
    };
    open(hub, Scope::Office(id), form, query, headers)
}

fn open(hub: Arc<Hub>, scope: Scope, form: Form, query: &Query, headers: &HeaderMap) -> Response {
    let Some(seat) = Seat::take(&hub) else {
        return api::unavailable("too many viewers");
    };
    // A page tells what it was made from by `since`; later the browser tells what it saw last.
    let last = headers.get("last-event-id").and_then(|v| v.to_str().ok());
    let seen = last
        .or_else(|| query.get("since"))
        .and_then(|id| hub.live.version(id));
    // Followed before the state is read: nothing falls between.
    let news = hub.live.follow(&scope);
    let packing = if accepts_gzip(headers) {
        Packing::Gzip
    } else {
        Packing::Plain
    };
    let viewer = Viewer {
        seat,
        hub,
        scope,
        form,
        packing,
        news,
        seen,
        greeted: false,
        told: Instant::now(),
        ping: Box::pin(sleep(KEEP_ALIVE)),
    };
    let mut answer = Boarding::answer(viewer);
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // nginx would otherwise hold events back to fill its buffer.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
        (header::VARY, "accept-encoding"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if packing == Packing::Gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    answer
}

/// A place among the viewers, given back when dropped.
struct Seat(Arc<Hub>);

impl Seat {
    fn take(hub: &Arc<Hub>) -> Option<Self> {
        let before = hub.stats.viewers.inc();
        let seat = Self(Arc::clone(hub));
        if usize::try_from(before).is_ok_and(|n| n >= hub.pages.max_viewers) {
            hub.stats.viewers_refused.inc();
            return None;
        }
        Some(seat)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.stats.viewers.dec();
    }
}

/// One who follows the numbers.
pub(super) struct Viewer {
    #[allow(dead_code)] // held for its drop
    seat: Seat,
    hub: Arc<Hub>,
    scope: Scope,
    form: Form,
    packing: Packing,
    news: Receiver<Arc<Delta>>,
    /// The newest publication the viewer has.
    seen: Option<u64>,
    greeted: bool,
    /// When something was sent last.
    told: Instant,
    /// Rings when a comment may be due. Left alone by what is sent meanwhile: to look at the clock
    /// costs less than to set another one at each event.
    ping: std::pin::Pin<Box<Sleep>>,
}

impl Viewer {
    /// The next bytes to send; `None` ends the stream. Loses nothing when it is dropped half-way.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        if !self.greeted {
            self.greeted = true;
            return Some(self.first());
        }
        loop {
            tokio::select! {
                biased; // drawing lots costs more than the pings could ever need
                news = self.news.recv() => {
                    let event = match news {
                        Ok(delta) => self.catch_up(&delta),
                        Err(RecvError::Lagged(_)) => self.skip(),
                        Err(RecvError::Closed) => return None,
                    };
                    if event.is_some() {
                        self.told = Instant::now();
                        return event;
                    }
                }
                () = self.ping.as_mut() => {
                    let now = Instant::now();
                    let due = self.told + KEEP_ALIVE;
                    if now < due {
                        self.ping.as_mut().reset(due);
                    } else {
                        self.told = now;
                        self.ping.as_mut().reset(now + KEEP_ALIVE);
                        return Some(PING.bytes(self.packing));
                    }
                }
            }
        }
    }

    /// What the viewer has not seen, from the oldest on; the newest state in its place where that is
    /// less to send. Whoever was away for a while so costs one write, not one for each change.
    fn catch_up(&mut self, oldest: &Delta) -> Option<Bytes> {
        let mut events = Events::None;
        let mut add = |viewer: &mut Self, delta: &Delta| {
            let version = delta.snapshot.version;
            if viewer.seen.is_none_or(|seen| seen < version) {
                viewer.seen = Some(version);
                if let Some(event) = viewer.change(delta) {
                    events.add(event);
                }
            }
        };
        add(self, oldest);
        while self
            .seen
            .is_none_or(|seen| self.hub.live.has_newer_than(seen))
        {
            match self.news.try_recv() {
                Ok(delta) => add(self, &delta),
                Err(TryRecvError::Lagged(_)) => return self.skip(),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        match events {
            Events::None => None,
            Events::One(event) => Some(event),
            Events::More(all) => {
                let newest = self.hub.live.current();
                match self.whole(&newest) {
                    Some(whole) if whole.len() <= all.len() => self.skip(),
                    _ => Some(all.into()),
                }
            }
        }
    }

    /// The newest state, in place of what was missed.
    fn skip(&mut self) -> Option<Bytes> {
        self.hub.stats.viewers_skipped.inc();
        let snapshot = self.hub.live.current();
        self.seen = Some(snapshot.version);
        self.whole(&snapshot)
    }

    /// The greeting, with the whole state unless the viewer has it.
    fn first(&mut self) -> Bytes {
        let snapshot = self.hub.live.current();
        let newest = match &self.scope {
            Scope::All => snapshot.version,
            Scope::Office(id) => snapshot.office(id.as_str()).map_or(0, |o| o.version),
        };
        let current = self
            .seen
            .is_some_and(|v| v >= newest && v <= snapshot.version);
        self.seen = Some(snapshot.version);
        let mut out = self.packing.head().to_vec();
        out.extend_from_slice(&HELLO.bytes(self.packing));
        if !current && let Some(event) = self.whole(&snapshot) {
            out.extend_from_slice(&event);
        }
        out.into()
    }

    fn whole(&self, snapshot: &Snapshot) -> Option<Bytes> {
        let hub = &self.hub;
        match (&self.scope, self.form) {
            (Scope::All, Form::Json) => {
                let make = || {
                    let mut json = api::list(&snapshot.offices);
                    json.extend_from_slice(br#","whole":true}"#);
                    Event::new(&hub.live.id(snapshot.version), &json)
                };
                Some(snapshot.event.get_or_init(make).bytes(self.packing))
            }
            (Scope::All, Form::Parts(lang)) => {
                let make = || {
                    let mut html = self.top(snapshot, lang);
                    html.push_str(r#"<div id="offices" class="cards">"#);
                    html.push_str(&front::cards(hub, snapshot, lang));
                    html.push_str("</div>");
                    Event::new(&hub.live.id(snapshot.version), html.as_bytes())
                };
                Some(snapshot.fragment.get(lang, make).bytes(self.packing))
            }
            (Scope::Office(id), form) => self.office(snapshot, id.as_str(), form),
        }
    }

    fn change(&self, delta: &Delta) -> Option<Bytes> {
        let snapshot = &delta.snapshot;
        let hub = &self.hub;
        match (&self.scope, self.form) {
            (Scope::All, _) if delta.relisted => self.whole(snapshot),
            (Scope::All, Form::Json) => {
                let make = || {
                    let mut json = api::list(&delta.changed);
                    json.extend_from_slice(br#","whole":false}"#);
                    Event::new(&hub.live.id(snapshot.version), &json)
                };
                Some(delta.event.get_or_init(make).bytes(self.packing))
            }
            (Scope::All, Form::Parts(lang)) => {
                let make = || {
                    let mut html = self.top(snapshot, lang);
                    for office in &delta.changed {
                        html.push_str(front::card(hub, office, lang));
                    }
                    Event::new(&hub.live.id(snapshot.version), html.as_bytes())
                };
                Some(delta.fragment.get(lang, make).bytes(self.packing))
            }
            (Scope::Office(id), form) => self.office(snapshot, id.as_str(), form),
        }
    }

    /// The parts of the first page that follow every change.
    fn top(&self, snapshot: &Snapshot, lang: Lang) -> String {
        let hub = &self.hub;
        front::as_of_all(hub, snapshot, lang.messages()) + &front::glance(hub, snapshot, lang)
    }

    /// The whole state of one office; nothing when it is gone.
    fn office(&self, snapshot: &Snapshot, id: &str, form: Form) -> Option<Bytes> {
        let hub = &self.hub;
        let office = snapshot.office(id)?;
        let name = hub.live.id(office.version);
        let event = match form {
            Form::Json => office
                .event
                .get_or_init(|| Event::new(&name, office.json())),
            Form::Parts(lang) => {
                let make = || {
                    let mut html = front::as_of([office.as_ref()], lang.messages());
                    html.push_str(&office_body(hub, office, lang));
                    Event::new(&name, html.as_bytes())
                };
                office.fragment.get(lang, make)
            }
        };
        Some(event.bytes(self.packing))
    }
}

/// Events one after the other; one alone is not copied.
enum Events {
    None,
    One(Bytes),
    More(Vec<u8>),
}

impl Events {
    fn add(&mut self, event: Bytes) {
        *self = match std::mem::replace(self, Self::None) {
            Self::None => Self::One(event),
            Self::One(first) => Self::More([first, event].concat()),
            Self::More(mut all) => {
                all.extend_from_slice(&event);
                Self::More(all)
            }
        };
    }
}
