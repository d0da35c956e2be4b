//! Offices in short: the card of each, and a few lines on all of them.

use super::base::print;
use super::labels::{self, Card, Level, Wait};
use crate::hub::content::lang::{Lang, Messages};
use crate::hub::core::Hub;
use crate::hub::live::{OfficeSnapshot, Snapshot};
use askama::Template;

#[derive(Template)]
#[template(path = "card.html")]
struct CardPart<'a> {
    t: &'a Messages,
    lang: &'static str,
    card: Card,
}

/// An office's card, made once for each of its states and languages.
pub(crate) fn card<'a>(hub: &Hub, office: &'a OfficeSnapshot, lang: Lang) -> &'a str {
    office.card.get(lang, || {
        print(&CardPart {
            t: lang.messages(),
            lang: lang.tag(),
            card: labels::card(office, lang.tag(), lang.messages(), &hub.pages),
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
pub(crate) fn cards(hub: &Hub, snapshot: &Snapshot, lang: Lang) -> String {
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
pub(crate) fn glance(hub: &Hub, snapshot: &Snapshot, lang: Lang) -> String {
    let offices = match snapshot.offices.len() {
        2..=MAX_GLANCE => &snapshot.offices[..],
        _ => &[],
    };
    let glance = |o: &OfficeSnapshot| Glance {
        id: o.view.id.to_string(),
        name: o.view.name.best(lang.tag()).to_owned(),
        level: labels::office_level(o, &hub.pages),
    };
    print(&GlancePart {
        t: lang.messages(),
        offices: offices.iter().map(|o| glance(o)).collect(),
    })
}
