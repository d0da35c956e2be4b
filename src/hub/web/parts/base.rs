//! What every page has: its head, the languages, links to the other pages, and the time of its
//! numbers.

use super::{assets, labels};
use crate::clock::Now;
use crate::hub::content::lang::{Lang, Messages, fill};
use crate::hub::core::Hub;
use crate::hub::live::{OfficeSnapshot, Snapshot};
use crate::wire::WireTime;
use askama::Template;
use std::fmt;

/// What every page needs.
pub(crate) struct Base {
    pub(crate) lang: &'static str,
    pub(crate) title: String,
    pub(crate) site: String,
    pub(crate) as_of: String,
    pub(crate) latin: bool,
    pub(crate) css: &'static str,
    pub(crate) early: &'static str,
    pub(crate) js: &'static str,
    pub(crate) icon: &'static str,
    /// The event stream that keeps the page current.
    pub(crate) live: Option<String>,
    /// How the script keeps it current.
    pub(crate) refresh: Refresh,
    pub(crate) langs: Vec<LangLink>,
    pub(crate) lite: String,
    /// Which tab is the page's own; `None` for pages beside them.
    pub(crate) tab: Option<Tab>,
}

/// How the script of a page (`app.js`) keeps it current; the word is the one it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refresh {
    /// The event stream brings changed parts of the page.
    Parts,
    /// An event of the stream says when to fetch the page again.
    Fetch,
    /// The page is fetched again now and then.
    Poll,
}

impl fmt::Display for Refresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parts => "parts",
            Self::Fetch => "fetch",
            Self::Poll => "poll",
        })
    }
}

/// The pages that every page leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tab {
    Offices,
    Procedures,
}

/// One language in the header.
pub(crate) struct LangLink {
    pub(crate) tag: &'static str,
    pub(crate) name: &'static str,
    pub(crate) href: String,
    pub(crate) current: bool,
}

/// Links to the same page in every language; `path` ends in nothing or in `?key=value`.
pub(crate) fn lang_links(lang: Lang, path: &str) -> Vec<LangLink> {
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
    pub(crate) fn new(hub: &Hub, lang: Lang, path: &str) -> Self {
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
            refresh: Refresh::Parts,
            langs: lang_links(lang, path),
            lite: format!("/lite?lang={}", lang.tag()),
            tab: None,
        }
    }

    /// The tabs: whether it is the page's own, its address, its word.
    pub(crate) fn tabs<'a>(&self, t: &'a Messages) -> [(bool, String, &'a str); 2] {
        let tab = |tab, path: &str, text| {
            let own = self.tab == Some(tab);
            (own, format!("{path}?lang={}", self.lang), text)
        };
        [
            tab(Tab::Offices, "/", t.nav_offices.as_str()),
            tab(Tab::Procedures, "/procedures", t.nav_procedures.as_str()),
        ]
    }
}

/// The configured title, else the usual one.
pub(crate) fn site(hub: &Hub, lang: Lang) -> String {
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
pub(crate) fn as_of<'a>(
    offices: impl IntoIterator<Item = &'a OfficeSnapshot>,
    t: &Messages,
) -> String {
    let newest = offices
        .into_iter()
        .filter_map(|o| o.view.as_of)
        .max_by_key(|time| time.at);
    as_of_line(newest, t)
}

/// The same for a page of all offices.
pub(crate) fn as_of_all(hub: &Hub, snapshot: &Snapshot, t: &Messages) -> String {
    let times = snapshot.offices.iter().map(|o| own_times(o));
    as_of_line(common_time(times, hub.clock.now()), t)
}

/// The newest time of an office's fresh numbers, and of all of its numbers.
pub(crate) fn own_times(office: &OfficeSnapshot) -> [Option<WireTime>; 2] {
    let fresh = office.view.queues.iter().filter(|q| q.fresh);
    let fresh = fresh.filter_map(|q| q.as_of).max_by_key(|time| time.at);
    [fresh, office.view.as_of]
}

/// The time that a page of several offices bears: at least half of the offices with fresh numbers
/// have theirs from then or later (of all offices, where none are fresh). So no single office
/// moves it for the others, and none beyond the hub's own clock.
pub(crate) fn common_time(
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
    let time = time.map(|time| fill(&t.as_of, &[("time", &labels::clock(time))]));
    print(&AsOf {
        t,
        time,
        live: true,
    })
}

/// A template as text. Formatting into memory cannot fail; if it did, the page would be empty and
/// the log say why.
pub(crate) fn print(template: &impl Template) -> String {
    template.render().unwrap_or_else(|error| {
        tracing::error!(%error, "cannot render a page template");
        String::new()
    })
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
            common_time(times.iter().copied(), now).map(labels::clock)
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
