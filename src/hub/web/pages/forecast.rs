//! "Shall I go later?": a usual week by hour for each queue of an office.
//!
//! Each cell is the mean of the predicted waits at that hour on past days; its word and shape
//! follow the thresholds of the pages. Nothing is shown for an hour that was never recorded.

use crate::clock::Now;
use crate::hub::content::lang::{Messages, fill};
use crate::hub::content::page::Page;
use crate::hub::core::figures::USUAL_DAYS;
use crate::hub::history::Usual;
use crate::hub::live::OfficeSnapshot;
use crate::hub::web::parts::base::{Base, Tab, print};
use crate::hub::web::parts::json;
use crate::hub::web::parts::labels::{self, Level};
use crate::hub::web::parts::missing::not_found;
use crate::hub::web::request::{Query, Shared, lang};
use crate::model::{Lane, WaitRange};
use crate::wire::report::QueueNumbers;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::tz::{Offset, TimeZone};
use serde::Serialize;
use utoipa::ToSchema;

/// An hour is recommended when its longest likely wait is shorter than now's by this, s: less is
/// not worth a second way.
const WORTH_S: f64 = 300.0;

/// … and when so many days say so.
const ENOUGH_DAYS: u32 = 3;

struct Day {
    name: String,
    today: bool,
}

struct Cell {
    level: Level,
    range: String,
    now: bool,
}

struct Hour {
    name: String,
    cells: Vec<Option<Cell>>,
}

struct Figure {
    day: String,
    hour: String,
    waiting: String,
    range: String,
    days: u32,
}

struct Week {
    id: String,
    name: String,
    fast: bool,
    advice: Option<String>,
    days: Vec<Day>,
    hours: Vec<Hour>,
    figures: Vec<Figure>,
}

#[derive(Template)]
#[template(path = "forecast.html")]
struct Forecast<'a> {
    base: Base,
    t: &'a Messages,
    office: &'a str,
    office_name: &'a str,
    heading: String,
    hint: String,
    levels: [Level; 3],
    queues: Vec<Week>,
}

/// Weekday and hour at an office, 0 Monday to 6 Sunday.
fn moment(office: &OfficeSnapshot, now: Now) -> (i8, i8) {
    let offset = office.view.as_of.map_or(Offset::constant(9), |t| t.offset);
    let time = now.wall.to_zoned(TimeZone::fixed(offset));
    (time.weekday().to_monday_zero_offset(), time.hour())
}

fn minutes(usual: &Usual) -> String {
    labels::minutes(WaitRange::from_estimate(usual.low_s, usual.high_s))
}

fn day_name(weekday: i8, t: &Messages) -> String {
    let names = [&t.mon, &t.tue, &t.wed, &t.thu, &t.fri, &t.sat, &t.sun];
    usize::try_from(weekday)
        .ok()
        .and_then(|i| names.get(i))
        .map_or_else(String::new, |n| (*n).clone())
}

fn hour_name(hour: i8, t: &Messages) -> String {
    fill(&t.hour, &[("hour", &hour.to_string())])
}

/// What can be said about the rest of the day; nothing when too little is known.
fn advice(
    all: &[&Usual],
    queue: &QueueNumbers,
    (weekday, hour): (i8, i8),
    t: &Messages,
) -> Option<String> {
    let known = |u: &&&Usual| u.weekday == weekday && u.days >= ENOUGH_DAYS;
    let at_present = queue.fresh.then_some(queue.wait).flatten()?;
    let best = all
        .iter()
        .filter(known)
        .filter(|u| u.hour > hour)
        .min_by(|a, b| a.high_s.total_cmp(&b.high_s))?;
    if best.high_s + WORTH_S > f64::from(at_present.high) {
        return Some(t.forecast_now_best.clone());
    }
    let values = [("hour", best.hour.to_string()), ("range", minutes(best))];
    Some(fill(
        &t.forecast_later,
        &[("hour", &values[0].1), ("range", &values[1].1)],
    ))
}

fn week(
    all: &[&Usual],
    queue: &QueueNumbers,
    at: (i8, i8),
    pages: &crate::config::PagesConfig,
    lang: crate::hub::content::lang::Lang,
) -> Option<Week> {
    let t = lang.messages();
    let (first, last) = (
        all.iter().map(|u| u.hour).min()?,
        all.iter().map(|u| u.hour).max()?,
    );
    // Monday to Friday always, so that tables of different queues look alike.
    let days: Vec<i8> = (0..7)
        .filter(|d| *d < 5 || all.iter().any(|u| u.weekday == *d))
        .collect();
    let level = |u: &Usual| {
        let high = std::time::Duration::try_from_secs_f64(u.high_s).unwrap_or_default();
        labels::wait_level(high.as_secs(), pages)
    };
    let cell = |day: i8, hour: i8| {
        let usual = all.iter().find(|u| (u.weekday, u.hour) == (day, hour))?;
        Some(Cell {
            level: level(usual),
            range: minutes(usual),
            now: at == (day, hour),
        })
    };
    let figure = |u: &&Usual| Figure {
        day: day_name(u.weekday, t),
        hour: hour_name(u.hour, t),
        waiting: u.waiting.map_or("—".to_owned(), |n| format!("{n:.1}")),
        range: minutes(u),
        days: u.days,
    };
    Some(Week {
        id: queue.id.to_string(),
        name: queue.name.best(lang.tag()).to_owned(),
        fast: queue.lane == Lane::Fast,
        advice: advice(all, queue, at, t),
        hours: (first..=last)
            .map(|hour| Hour {
                name: hour_name(hour, t),
                cells: days.iter().map(|day| cell(*day, hour)).collect(),
            })
            .collect(),
        days: days
            .iter()
            .map(|day| Day {
                name: day_name(*day, t),
                today: *day == at.0,
            })
            .collect(),
        figures: all.iter().map(figure).collect(),
    })
}

pub(crate) async fn page(
    State(hub): Shared,
    Path(id): Path<String>,
    query: Query,
    headers: HeaderMap,
) -> Response {
    let lang = lang(&query, &headers);
    let t = lang.messages();
    let snapshot = hub.live.current();
    let Some(office) = snapshot.office(&id) else {
        return not_found(&hub, lang, &headers);
    };
    let figures = hub.figures(&office.view.id);
    let at = moment(office, hub.clock.now());
    let weeks = office.view.queues.iter().filter_map(|queue| {
        let its = |u: &&Usual| u.queue == queue.id.as_str();
        let all: Vec<&Usual> = figures.usual.iter().filter(its).collect();
        week(&all, queue, at, &hub.pages, lang)
    });
    let office_name = office.view.name.best(lang.tag());
    let mut base = Base::new(&hub, lang, &format!("/offices/{id}/forecast"));
    base.tab = Some(Tab::Offices);
    let heading = fill(&t.forecast_title, &[("office", office_name)]);
    base.title.clone_from(&heading);
    Page::html(print(&Forecast {
        base,
        t,
        office: &id,
        office_name,
        heading,
        hint: fill(&t.forecast_hint, &[("days", &USUAL_DAYS.to_string())]),
        levels: [Level::Free, Level::Busy, Level::Crowded],
        queues: weeks.collect(),
    }))
    .respond(&headers)
}

/// How one queue usually stands in one hour of the week.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UsualHour {
    /// The queue.
    queue: String,
    /// 1 Monday to 7 Sunday (ISO 8601).
    weekday: i8,
    /// 0 to 23 at the office.
    hour: i8,
    /// Mean of the people waiting; `null` where the source shows no such number.
    waiting: Option<f64>,
    /// Mean of the shortest likely waits, s.
    low_s: f64,
    /// Mean of the longest likely waits, s.
    high_s: f64,
    /// `free`, `busy` or `crowded`.
    congestion: &'static str,
    /// Days that were recorded.
    days: u32,
}

/// Answer of `/api/v1/offices/{office}/forecast`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UsualWeek {
    /// Where the data may be used: CC BY 4.0.
    licence: &'static str,
    /// The office.
    office: String,
    /// Days that it is made from.
    days: u16,
    /// Hours that were recorded.
    hours: Vec<UsualHour>,
}

pub(crate) async fn json(
    State(hub): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let snapshot = hub.live.current();
    let Some(office) = snapshot.office(&id) else {
        return json::not_found();
    };
    let figures = hub.figures(&office.view.id);
    let hour = |u: &Usual| {
        let high = std::time::Duration::try_from_secs_f64(u.high_s).unwrap_or_default();
        UsualHour {
            queue: u.queue.clone(),
            weekday: u.weekday + 1,
            hour: u.hour,
            waiting: u.waiting,
            low_s: u.low_s,
            high_s: u.high_s,
            congestion: labels::wait_level(high.as_secs(), &hub.pages).class(),
            days: u.days,
        }
    };
    let answer = UsualWeek {
        licence: json::LICENCE,
        office: id,
        days: USUAL_DAYS,
        hours: figures.usual.iter().map(hour).collect(),
    };
    json::answer(&answer, &headers)
}
