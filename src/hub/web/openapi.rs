//! The OpenAPI document, made from the table of routes and from the types of the answers.

use super::routes::{OPEN, OPS, PAGES, Route};
use super::{Shared, accuracy, api, forecast, opendata, widgets};
use crate::hub::page::Page;
use crate::hub::view::OfficeView;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;
use utoipa::ToSchema;

/// A value in the path or after the `?`.
pub(super) struct Param {
    name: &'static str,
    place: &'static str,
    about: &'static str,
    /// JSON Schema.
    schema: &'static str,
}

impl Param {
    pub(super) const fn path(
        name: &'static str,
        about: &'static str,
        schema: &'static str,
    ) -> Self {
        Self {
            name,
            place: "path",
            about,
            schema,
        }
    }

    pub(super) const fn query(
        name: &'static str,
        about: &'static str,
        schema: &'static str,
    ) -> Self {
        Self {
            name,
            place: "query",
            about,
            schema,
        }
    }

    fn document(&self) -> Value {
        json!({
            "name": self.name,
            "in": self.place,
            "description": self.about,
            "required": self.place == "path",
            "schema": parsed(self.schema),
        })
    }
}

/// What an answer holds.
#[derive(Clone, Copy)]
pub(super) enum Body {
    /// Nothing that is described.
    None,
    /// JSON of a named schema.
    Json(&'static str),
    /// The same, or a page.
    Widget(&'static str),
    /// JSON-LD or JSON of this schema.
    Ld(&'static str),
    Csv,
    Text,
    Events,
    Picture,
    /// RFC 9457.
    Problem,
    /// Any content of this type.
    Any(&'static str),
}

impl Body {
    fn content(self) -> Option<Value> {
        let text = || json!({ "schema": { "type": "string" } });
        let named =
            |name: &str| json!({ "schema": { "$ref": format!("#/components/schemas/{name}") } });
        Some(match self {
            Self::None => return None,
            Self::Json(name) => json!({ "application/json": named(name) }),
            Self::Widget(name) => json!({ "application/json": named(name), "text/html": text() }),
            Self::Ld(schema) => {
                let schema = json!({ "schema": parsed(schema) });
                json!({ "application/ld+json": schema, "application/json": schema })
            }
            Self::Csv => json!({ "text/csv": text() }),
            Self::Text => json!({ "text/plain": text() }),
            Self::Events => json!({ "text/event-stream": text() }),
            Self::Picture => json!({ "image/png": {}, "image/webp": {}, "image/jpeg": {} }),
            Self::Problem => json!({ "application/problem+json": named("Problem") }),
            Self::Any(kind) => json!({ kind: {} }),
        })
    }
}

/// One answer of a route.
pub(super) struct Answer {
    status: u16,
    about: &'static str,
    body: Body,
}

impl Answer {
    pub(super) const fn new(status: u16, about: &'static str, body: Body) -> Self {
        Self {
            status,
            about,
            body,
        }
    }
}

/// The schemas of the table are constants that a test reads.
fn parsed(schema: &str) -> Value {
    serde_json::from_str(schema).unwrap_or_default()
}

fn operation(route: &Route) -> Value {
    let answers: Map<String, Value> = route
        .answers
        .iter()
        .map(|answer| {
            let mut value = json!({ "description": answer.about });
            if let Some(content) = answer.body.content() {
                value["content"] = content;
            }
            (answer.status.to_string(), value)
        })
        .collect();
    let params: Vec<Value> = route.params.iter().map(Param::document).collect();
    let name = route.path.replace(['/', '{', '}', '.', '-'], "_");
    json!({
        "get": {
            "operationId": format!("get{name}"),
            "summary": route.summary,
            "parameters": params,
            "responses": answers,
        }
    })
}

fn schemas() -> Map<String, Value> {
    let mut all = Vec::new();
    macro_rules! add {
        ($($kind:ty),*) => {$(
            all.push((<$kind>::name().into_owned(), <$kind as utoipa::PartialSchema>::schema()));
            <$kind>::schemas(&mut all);
        )*};
    }
    add!(
        OfficeView,
        api::Offices,
        api::Problem,
        opendata::Congestion,
        accuracy::AccuracyList,
        forecast::UsualWeek,
        widgets::WidgetOffice
    );
    let mut schemas: Map<String, Value> = all
        .into_iter()
        .map(|(name, schema)| (name, serde_json::to_value(schema).unwrap_or_default()))
        .collect();
    // Its attributes are values or properties, as asked; the published schema says which.
    let monitor = json!({
        "type": "object",
        "description": "Smart Data Models, dataModel.QueueManagement",
        "required": ["id", "type", "officeName", "serviceId", "serviceName", "serviceStatus",
            "queueLine", "linePriority", "nextTickets"],
        "properties": {
            "id": { "type": "string", "format": "uri" },
            "type": { "const": "QueueMonitor" },
        },
    });
    schemas.insert("QueueMonitor".into(), monitor);
    schemas
}

static DOCUMENT: LazyLock<Page> = LazyLock::new(|| {
    let paths: Map<String, Value> = OPEN
        .iter()
        .chain(PAGES)
        .chain(OPS)
        .map(|route| (route.path.to_owned(), operation(route)))
        .collect();
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "yobiban hub",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Who is called, who waits and how long, at every office of a city",
            "license": {
                "name": "CC BY 4.0 (the data)",
                "url": opendata::LICENCE,
            },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": { "schemas": schemas() },
    });
    Page::json(document.to_string())
});

pub(super) async fn document(State(_): Shared, headers: HeaderMap) -> Response {
    DOCUMENT.respond(&headers)
}
