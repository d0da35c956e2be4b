//! The pages: first page and office, and the parts of them that open pages exchange.

use super::words::{self, Card, Level, Wait};
use super::{Query, Shared, assets};
use crate::clock::Now;
use crate::hub::Hub;
use crate::hub::lang::{Lang, Messages, fill};
use crate::hub::live::{OfficeSnap, Snapshot};
use crate::hub::page::Page;
use crate::wire::WireTime;
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;

/// What every page needs.
pub(super) struct Base {
    pub(super) lang: &'static str,
    pub(super) title: String,
    pub(super) site: String,
    pub(super) as_of: String,
    pub(super) latin: bool,
    pub(super) css: &'static str,
    pub(super) early: &'static str,
    pub(super) js: &'static str,
    pub(super) icon: &'static str,
    /// The event stream that keeps the page current.
    pub(super) live: Option<String>,
    /// How the script keeps it current: `parts` and `fetch` follow the stream, `poll` asks.
    pub(super) how: &'static str,
    pub(super) langs: Vec<LangLink>,
    pub(super) lite: String,
    /// Which of [`tabs`](Self::tabs) the page belongs to.
    pub(super) tab: usize,
}

/// One language in the header.
pub(super) struct LangLink {
    pub(super) tag: &'static str,
    pub(super) name: &'static str,
    pub(super) href: String,
    pub(super) current: bool,
}

/// Links to the same page in every language; `path` ends in nothing or in `?key=value`.
pub(super) fn lang_links(lang: Lang, path: &str) -> Vec<LangLink> {
    let glue = if path.contains('?') { '&' } else { '?' };
    Lang::all()
        .map(|l| LangLink {
            tag: l.tag(),
            name: l.name(),
            href: format!("{path}{glue}lang={}", l.tag()),
            current: l == lang,
        })
        .collect()
}

impl Base {
    pub(super) fn new(hub: &Hub, lang: Lang, path: &str) -> Self {
        let site = site(hub, lang);
        Self {
            lang: lang.tag(),
            title: site.clone(),
            site,
            as_of: String::new(),
            latin: lang.is_latin(),
            css: assets::css(),
            early: assets::early(),
            js: assets::js(),
            icon: assets::icon(),
            live: None,
            how: "parts",
            langs: lang_links(lang, path),
            lite: format!("/lite?lang={}", lang.tag()),
            tab: usize::MAX,
        }
    }

    /// The pages that every page leads to: place, address, word.
    pub(super) fn tabs<'a>(&self, t: &'a Messages) -> [(usize, String, &'a str); 2] {
        let lang = self.lang;
        [
            (0, format!("/?lang={lang}"), &t.nav_offices),
            (1, format!("/procedures?lang={lang}"), &t.nav_procedures),
        ]
    }
}

/// The configured title, else the usual one.
pub(super) fn site(hub: &Hub, lang: Lang) -> String {
    match hub.title.get(lang.tag()) {
        Some(title) => title.to_owned(),
        None => lang.messages().title.clone(),
    }
}

#[derive(Template)]
#[template(path = "as_of.html")]
struct AsOf<'a> {
    t: &'a Messages,
    time: Option<String>,
    live: bool,
}

/// The line under the title: of when the newest numbers are.
pub(super) fn as_of<'a>(offices: impl IntoIterator<Item = &'a OfficeSnap>, t: &Messages) -> String {
    let newest = offices
        .into_iter()
        .filter_map(|o| o.view.as_of)
        .max_by_key(|time| time.at);
    as_of_line(newest, t)
}

/// The same for a page of all offices.
pub(super) fn as_of_all(hub: &Hub, snapshot: &Snapshot, t: &Messages) -> String {
    let times = snapshot.offices.iter().map(|o| own_times(o));
    as_of_line(common_time(times, hub.clock.now()), t)
}

/// The newest time of an office's fresh numbers, and of all of its numbers.
pub(super) fn own_times(office: &OfficeSnap) -> [Option<WireTime>; 2] {
    let fresh = office.view.queues.iter().filter(|q| q.fresh);
    let fresh = fresh.filter_map(|q| q.as_of).max_by_key(|time| time.at);
    [fresh, office.view.as_of]
}

/// The time that a page of several offices bears: at least half of the offices with fresh numbers
/// have theirs from then or later (of all offices, where none are fresh). So no single office
/// moves it for the others, and none beyond the hub's own clock.
pub(super) fn common_time(
    offices: impl Iterator<Item = [Option<WireTime>; 2]>,
    now: Now,
) -> Option<WireTime> {
    let (fresh, all): (Vec<_>, Vec<_>) = offices.map(|[fresh, all]| (fresh, all)).unzip();
    let mut times: Vec<WireTime> = fresh.into_iter().flatten().collect();
    if times.is_empty() {
        times = all.into_iter().flatten().collect();
    }
    if now.synced {
        for time in &mut times {
            time.at = time.at.min(now.wall);
        }
    }
    times.sort_by_key(|time| time.at);
    times.get(times.len().saturating_sub(1) / 2).copied()
}

fn as_of_line(time: Option<WireTime>, t: &Messages) -> String {
    let time = time.map(|time| fill(&t.as_of, &[("time", &words::clock(time))]));
    print(&AsOf {
        t,
        time,
        live: true,
    })
}

/// A template as text. Formatting into memory cannot fail; a page with nothing is told apart.
pub(super) fn print(template: &impl Template) -> String {
    template.render().unwrap_or_else(|error| {
        tracing::error!(%error, "cannot render a page template");
        String::new()
    })
}

#[derive(Template)]
#[template(path = "card.html")]
struct CardPart<'a> {
    t: &'a Messages,
    lang: &'static str,
    card: Card,
}

/// An office's card, made once for each of its states and languages.
pub(super) fn card<'a>(hub: &Hub, office: &'a OfficeSnap, lang: Lang) -> &'a str {
    office.card.get(lang, || {
        print(&CardPart {
            t: lang.messages(),
            lang: lang.tag(),
            card: words::card(office, lang.tag(), lang.messages(), &hub.pages),
        })
    })
}

#[derive(Template)]
#[template(path = "cards.html")]
struct Cards<'a> {
    t: &'a Messages,
    cards: Vec<&'a str>,
}

/// All cards, in order.
pub(super) fn cards(hub: &Hub, snapshot: &Snapshot, lang: Lang) -> String {
    print(&Cards {
        t: lang.messages(),
        cards: snapshot
            .offices
            .iter()
            .map(|o| card(hub, o, lang))
            .collect(),
    })
}

struct Glance {
    id: String,
    name: String,
    level: Level,
}

#[derive(Template)]
#[template(path = "glance.html")]
struct GlancePart<'a> {
    t: &'a Messages,
    offices: Vec<Glance>,
}

/// With more offices than this, a list of them is no glance any more.
const MAX_GLANCE: usize = 40;

/// Every office's congestion in a few lines, each a link to its card.
pub(super) fn glance(hub: &Hub, snapshot: &Snapshot, lang: Lang) -> String {
    let offices = match snapshot.offices.len() {
        2..=MAX_GLANCE => &snapshot.offices[..],
        _ => &[],
    };
    let glance = |o: &OfficeSnap| Glance {
        id: o.view.id.to_string(),
        name: o.view.name.best(lang.tag()).to_owned(),
        level: words::office_level(o, &hub.pages),
    };
    print(&GlancePart {
        t: lang.messages(),
        offices: offices.iter().map(|o| glance(o)).collect(),
    })
}

struct OfficeOption {
    id: String,
    name: String,
}

#[derive(Template)]
#[template(path = "front.html")]
struct Front<'a> {
    base: Base,
    t: &'a Messages,
    offices: Vec<OfficeOption>,
    glance: String,
    cards: String,
}

pub(super) async fn front(State(hub): Shared, query: Query, headers: HeaderMap) -> Response {
    let lang = super::lang(&query, &headers);
    let snapshot = hub.live.current();
    let make = || {
        let t = lang.messages();
        let mut base = Base::new(&hub, lang, "/");
        base.tab = 0;
        base.as_of = as_of_all(&hub, &snapshot, t);
        base.live = Some(format!(
            "/live/{}?since={}",
            lang.tag(),
            hub.live.id(snapshot.version)
        ));
        let option = |o: &OfficeSnap| OfficeOption {
            id: o.view.id.to_string(),
            name: o.view.name.best(lang.tag()).to_owned(),
        };
        Page::html(print(&Front {
            base,
            t,
            offices: snapshot.offices.iter().map(|o| option(o)).collect(),
            glance: glance(&hub, &snapshot, lang),
            cards: cards(&hub, &snapshot, lang),
        }))
    };
    snapshot.front.get(lang, make).respond(&headers)
}

#[derive(Template)]
#[template(path = "error.html")]
struct Error<'a> {
    base: Base,
    t: &'a Messages,
    heading: &'a str,
    hint: &'a str,
}

/// The page that says that there is none.
pub(super) fn not_found(hub: &Hub, lang: Lang, headers: &HeaderMap) -> Response {
    let t = lang.messages();
    let mut base = Base::new(hub, lang, "/");
    base.title.clone_from(&t.not_found);
    Page::html(print(&Error {
        base,
        t,
        heading: &t.not_found,
        hint: &t.not_found_hint,
    }))
    .respond_as(StatusCode::NOT_FOUND, headers)
}

pub(super) async fn missing(
    State(hub): Shared,
    uri: Uri,
    query: Query,
    headers: HeaderMap,
) -> Response {
    let machine = ["/api/", "/opendata/", "/ngsi-ld/", "/widgets/"];
    if machine.iter().any(|prefix| uri.path().starts_with(prefix)) {
        return super::api::not_found();
    }
    let lang = super::lang(&query, &headers);
    not_found(&hub, lang, &headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_office_sets_the_time_of_the_front_page_for_the_others() {
        let time = |clock: &str| -> Option<WireTime> {
            let text = format!("\"2026-11-24T{clock}+09:00\"");
            Some(serde_json::from_str(&text).unwrap())
        };
        let now = Now::at("2026-11-24T10:42:07+09:00".parse().unwrap());
        let shown = |times: &[[Option<WireTime>; 2]]| {
            common_time(times.iter().copied(), now).map(words::clock)
        };
        let fresh = |clock| [time(clock), time(clock)];
        let stale = |clock| [None, time(clock)];
        let shown = |times: &[_]| shown(times).unwrap_or_default();
        let honest = [fresh("10:41:50"), fresh("10:41:58"), stale("10:18:00")];
        assert_eq!(shown(&honest), "10:41");
        for liar in [fresh("10:44:06"), fresh("23:59:00"), fresh("00:00:00")] {
            let mut all = honest.to_vec();
            all.push(liar);
            assert_eq!(shown(&all), "10:41");
        }
        assert_eq!(
            shown(&[fresh("10:44:06")]),
            "10:42",
            "not beyond the hub's clock"
        );
        assert_eq!(shown(&[stale("10:18:00"), stale("10:20:00")]), "10:18");
        assert_eq!(shown(&[]), "");
    }
}
