//! One client of an event stream, and what it is sent next.
//!
//! The bytes of an event are made once and shared by all viewers. A viewer that falls behind the
//! ring of publications gets the newest state instead of what it missed.

use crate::hub::content::event::{Event, Packing};
use crate::hub::content::lang::Lang;
use crate::hub::core::Hub;
use crate::hub::live::{Delta, Scope, Snapshot};
use crate::hub::web::data::api;
use crate::hub::web::parts::office_body::office_body;
use crate::hub::web::parts::{base, cards};
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

/// In which form a stream sends the state.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// The JSON of the API.
    Json,
    /// Parts of the page in one language.
    Parts(Lang),
}

/// A place among the viewers, given back when dropped.
pub(super) struct Seat(Arc<Hub>);

impl Seat {
    pub(super) fn take(hub: &Arc<Hub>) -> Option<Self> {
        let before = hub.stats.sse_clients.inc();
        let seat = Self(Arc::clone(hub));
        if usize::try_from(before).is_ok_and(|n| n >= hub.pages.max_viewers) {
            hub.stats.sse_clients_rejected.inc();
            return None;
        }
        Some(seat)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.stats.sse_clients.dec();
    }
}

/// One client of an event stream.
pub(crate) struct Viewer {
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
    last_sent: Instant,
    /// Rings when a comment may be due. Left alone by what is sent meanwhile: to look at the clock
    /// costs less than to set another one at each event.
    ping: std::pin::Pin<Box<Sleep>>,
}

impl Viewer {
    /// A viewer of `scope` who has seen the publication `seen`, if it is of this run.
    pub(super) fn new(
        seat: Seat,
        hub: Arc<Hub>,
        scope: Scope,
        form: Form,
        packing: Packing,
        news: Receiver<Arc<Delta>>,
        seen: Option<u64>,
    ) -> Self {
        Self {
            seat,
            hub,
            scope,
            form,
            packing,
            news,
            seen,
            greeted: false,
            last_sent: Instant::now(),
            ping: Box::pin(sleep(KEEP_ALIVE)),
        }
    }

    /// The next bytes to send; `None` ends the stream. Loses nothing when it is dropped half-way.
    pub(crate) async fn next(&mut self) -> Option<Bytes> {
        if !self.greeted {
            self.greeted = true;
            return Some(self.first());
        }
        loop {
            tokio::select! {
                biased; // random branch selection is measurable here, and pings cannot starve
                news = self.news.recv() => {
                    let event = match news {
                        Ok(delta) => self.catch_up(&delta),
                        Err(RecvError::Lagged(_)) => self.skip(),
                        Err(RecvError::Closed) => return None,
                    };
                    if event.is_some() {
                        self.last_sent = Instant::now();
                        return event;
                    }
                }
                () = self.ping.as_mut() => {
                    let now = Instant::now();
                    let due = self.last_sent + KEEP_ALIVE;
                    if now < due {
                        self.ping.as_mut().reset(due);
                    } else {
                        self.last_sent = now;
                        self.ping.as_mut().reset(now + KEEP_ALIVE);
                        return Some(PING.bytes(self.packing));
                    }
                }
            }
        }
    }

    /// What the viewer has not seen, from the oldest on; the newest state in its place where that
    /// is less to send. So a client that was blocked for a while costs one write, not one for each
    /// change.
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
        self.hub.stats.sse_clients_resynced.inc();
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
                    html.push_str(&cards::cards(hub, snapshot, lang));
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
            (Scope::All, _) if delta.office_list_changed => self.whole(snapshot),
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
                        html.push_str(cards::card(hub, office, lang));
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
        base::as_of_all(hub, snapshot, lang.messages()) + &cards::glance(hub, snapshot, lang)
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
                    let mut html = base::as_of([office.as_ref()], lang.messages());
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
