//! The routes that programs use: one table that the router and the OpenAPI document are made of, so
//! that neither can know a route that the other does not.

use super::data::{api, ngsi, opendata, ops, pictures, sound, widgets};
use super::pages::{about, accuracy, forecast};
use super::request::Shared;
use super::route::{Answer, Body, Param, Route};
use super::{events, openapi};
use crate::hub::content::page::Page;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use std::sync::LazyLock;

const OFFICE: Param = Param::path(
    "office",
    "Identifier of an office",
    r#"{"type":"string","pattern":"^[a-z0-9][a-z0-9-]{0,31}$","examples":["chuo"]}"#,
);
const LANG: Param = Param::query(
    "lang",
    "BCP 47 tag of the words' language; else `Accept-Language` counts",
    r#"{"type":"string","examples":["ja"]}"#,
);
const SINCE: Param = Param::query(
    "since",
    "Identifier of the last event seen; `Last-Event-ID` does the same",
    r#"{"type":"string"}"#,
);
const DAY_FILE: Param = Param::path(
    "file",
    "A business day, `YYYY-MM-DD.csv`",
    r#"{"type":"string","pattern":"^[0-9]{4}-[0-9]{2}-[0-9]{2}\\.csv$","examples":["2026-11-24.csv"]}"#,
);
const OPTIONS: Param = Param::query(
    "options",
    "How entities are written",
    r#"{"type":"string","enum":["normalized","keyValues"]}"#,
);
const URN: &str = r#"{"type":"string","examples":["urn:ngsi-ld:QueueMonitor:chuo:certificates"]}"#;
const COUNT: &str = r#"{"type":"integer","minimum":0,"maximum":1000000}"#;

const UNCHANGED: Answer = Answer::new(
    304,
    "Unchanged since the entity tag that was sent",
    Body::None,
);
const MISSING: Answer = Answer::new(404, "Not found", Body::Problem);
const WRONG: Answer = Answer::new(400, "The request is invalid", Body::Problem);
const AWAY: Answer = Answer::new(
    503,
    "The history is unavailable, or there are too many viewers",
    Body::Problem,
);

const fn ok(about: &'static str, body: Body) -> Answer {
    Answer::new(200, about, body)
}

const ENTITIES: Body =
    Body::Ld(r##"{"type":"array","items":{"$ref":"#/components/schemas/QueueMonitor"}}"##);
const ENTITY: Body = Body::Ld(r##"{"$ref":"#/components/schemas/QueueMonitor"}"##);

/// Routes that may be read from any page.
pub(crate) const OPEN: &[Route] = &[
    Route {
        path: "/api/v1/offices",
        summary: "Every office with its queues and pictures",
        params: &[],
        answers: &[ok("All offices", Body::Json("Offices")), UNCHANGED],
        get: || get(api::offices),
    },
    Route {
        path: "/api/v1/offices/{office}",
        summary: "One office",
        params: &[OFFICE],
        answers: &[
            ok("The office", Body::Json("OfficeView")),
            UNCHANGED,
            MISSING,
        ],
        get: || get(api::office),
    },
    Route {
        path: "/api/v1/offices/{office}/forecast",
        summary: "A usual week of one office by hour",
        params: &[OFFICE],
        answers: &[ok("The week", Body::Json("UsualWeek")), UNCHANGED, MISSING],
        get: || get(forecast::json),
    },
    Route {
        path: "/api/v1/accuracy",
        summary: "How accurate the predicted waits were",
        params: &[],
        answers: &[
            ok("By office and queue", Body::Json("AccuracyList")),
            UNCHANGED,
        ],
        get: || get(accuracy::json),
    },
    Route {
        path: "/api/v1/events",
        summary: "Server-Sent Events: all offices, then what changes",
        params: &[SINCE],
        answers: &[ok("An endless stream of events", Body::Events), AWAY],
        get: || get(events::all),
    },
    Route {
        path: "/api/v1/offices/{office}/events",
        summary: "Server-Sent Events of one office",
        params: &[OFFICE, SINCE],
        answers: &[
            ok("An endless stream of events", Body::Events),
            MISSING,
            AWAY,
        ],
        get: || get(events::office),
    },
    Route {
        path: "/api/v1/openapi.json",
        summary: "This document",
        params: &[],
        answers: &[ok("OpenAPI 3.1", Body::Any("application/json")), UNCHANGED],
        get: || get(document),
    },
    Route {
        path: "/opendata/congestion.json",
        summary: "Numbers now, with a word for how busy it is",
        params: &[],
        answers: &[ok("All offices", Body::Json("Congestion")), UNCHANGED],
        get: || get(opendata::congestion_json),
    },
    Route {
        path: "/opendata/congestion.csv",
        summary: "Numbers now, a line a queue",
        params: &[],
        answers: &[ok("RFC 4180 with a header", Body::Csv), UNCHANGED],
        get: || get(opendata::congestion_csv),
    },
    Route {
        path: "/opendata/usual.csv",
        summary: "A usual week by hour, a line a queue and hour",
        params: &[],
        answers: &[ok("RFC 4180 with a header", Body::Csv), UNCHANGED],
        get: || get(opendata::usual_csv),
    },
    Route {
        path: "/opendata/calls/{file}",
        summary: "All calls of a day; tickets are named on that day only",
        params: &[DAY_FILE],
        answers: &[
            ok("RFC 4180 with a header", Body::Csv),
            UNCHANGED,
            MISSING,
            AWAY,
        ],
        get: || get(opendata::calls),
    },
    Route {
        path: "/opendata/waits/{file}",
        summary: "Predicted and actual waits, a line a ticket, without the ticket",
        params: &[DAY_FILE],
        answers: &[
            ok("RFC 4180 with a header", Body::Csv),
            UNCHANGED,
            MISSING,
            AWAY,
        ],
        get: || get(opendata::waits),
    },
    Route {
        path: "/ngsi-ld/v1/entities",
        summary: "NGSI-LD entities of type QueueMonitor",
        params: &[
            Param::query(
                "type",
                "`QueueMonitor`; needed unless `id` is there",
                r#"{"type":"string","examples":["QueueMonitor"]}"#,
            ),
            Param::query("id", "Identifiers, separated by commas", URN),
            Param::query("limit", "Maximum number of entities", COUNT),
            Param::query("offset", "Number of entities to skip", COUNT),
            OPTIONS,
        ],
        answers: &[ok("The entities", ENTITIES), UNCHANGED, WRONG],
        get: || get(ngsi::entities),
    },
    Route {
        path: "/ngsi-ld/v1/entities/{id}",
        summary: "One NGSI-LD entity",
        params: &[Param::path("id", "Its identifier", URN), OPTIONS],
        answers: &[ok("The entity", ENTITY), UNCHANGED, WRONG, MISSING],
        get: || get(ngsi::one),
    },
    Route {
        path: "/widgets/{file}",
        summary: "An office for other sites: `{office}.json` in words, `{office}` as a page for a frame",
        params: &[
            Param::path(
                "file",
                "An office, with `.json` or without",
                r#"{"type":"string","pattern":"^[a-z0-9][a-z0-9-]{0,31}(\\.json)?$","examples":["chuo.json"]}"#,
            ),
            LANG,
        ],
        answers: &[
            ok("The office", Body::Widget("WidgetOffice")),
            UNCHANGED,
            MISSING,
        ],
        get: || get(widgets::widget),
    },
    Route {
        path: "/boards/{office}/{node}/{board}",
        summary: "The newest picture of a board",
        params: &[
            OFFICE,
            Param::path(
                "node",
                "Identifier of a node",
                r#"{"type":"string","pattern":"^[a-z0-9][a-z0-9-]{0,31}$","examples":["n1"]}"#,
            ),
            Param::path(
                "board",
                "Identifier of a board",
                r#"{"type":"string","pattern":"^[a-z0-9][a-z0-9-]{0,31}$","examples":["main"]}"#,
            ),
        ],
        answers: &[
            ok("The picture", Body::Picture),
            UNCHANGED,
            Answer::new(404, "Not found", Body::None),
        ],
        get: || get(pictures::board),
    },
    Route {
        path: "/images/{sha256}",
        summary: "A picture by the SHA-256 of its bytes; never changes",
        params: &[Param::path(
            "sha256",
            "64 hexadecimal digits",
            r#"{"type":"string","pattern":"^[0-9a-f]{64}$"}"#,
        )],
        answers: &[
            ok("The picture", Body::Picture),
            UNCHANGED,
            Answer::new(404, "Not found", Body::None),
        ],
        get: || get(pictures::image),
    },
];

/// Routes of the pages that a program may want as well; other sites have them through a link only.
pub(crate) const PAGES: &[Route] = &[
    Route {
        path: "/offices/{office}/queues/{queue}/tickets/{ticket}/call.wav",
        summary: "The spoken call of a ticket; 16 bits, one channel, 24 kHz",
        params: &[
            OFFICE,
            Param::path(
                "queue",
                "Identifier of a queue",
                r#"{"type":"string","pattern":"^[a-z0-9][a-z0-9-]{0,31}$","examples":["certificates"]}"#,
            ),
            Param::path(
                "ticket",
                "A ticket that its office reports: called, or due next",
                r#"{"type":"string","minLength":1,"maxLength":12,"examples":["A042"]}"#,
            ),
            LANG,
        ],
        answers: &[
            ok("The sound", Body::Any("audio/wav")),
            Answer::new(
                404,
                "There is no voice, or the ticket is unknown",
                Body::None,
            ),
            Answer::new(503, "Too many requests: see `Retry-After`", Body::None),
        ],
        get: || get(sound::call),
    },
    Route {
        path: "/about",
        summary: "Version and attributions (voice, typeface)",
        params: &[LANG],
        answers: &[ok("A page", Body::Any("text/html")), UNCHANGED],
        get: || get(about::page),
    },
];

/// Routes for operators.
pub(crate) const OPS: &[Route] = &[
    Route {
        path: "/healthz",
        summary: "The process answers",
        params: &[],
        answers: &[ok("It does", Body::Text)],
        get: || get(ops::healthz),
    },
    Route {
        path: "/readyz",
        summary: "Whether the hub is connected to its broker and the database accepts calls",
        params: &[],
        answers: &[
            ok("Both", Body::Text),
            Answer::new(503, "One of them fails; the answer names it", Body::Text),
        ],
        get: || get(ops::readyz),
    },
    Route {
        path: "/metrics",
        summary: "OpenMetrics",
        params: &[],
        answers: &[ok(
            "Metrics of the hub and its nodes",
            Body::Any("application/openmetrics-text"),
        )],
        get: || get(ops::metrics),
    },
];

/// The OpenAPI document of all routes of these tables.
static DOCUMENT: LazyLock<Page> =
    LazyLock::new(|| openapi::document(OPEN.iter().chain(PAGES).chain(OPS)));

async fn document(State(_): Shared, headers: HeaderMap) -> Response {
    DOCUMENT.respond(&headers)
}
