//! What a route is: its path, what it takes and answers, and who answers it.

use crate::hub::core::Hub;
use axum::routing::MethodRouter;
use serde_json::{Value, json};
use std::sync::Arc;

/// One route.
pub(crate) struct Route {
    pub(crate) path: &'static str,
    /// One line on what it answers.
    pub(crate) summary: &'static str,
    pub(crate) params: &'static [Param],
    pub(crate) answers: &'static [Answer],
    pub(crate) get: fn() -> MethodRouter<Arc<Hub>>,
}

/// A value in the path or after the `?`.
pub(crate) struct Param {
    name: &'static str,
    place: &'static str,
    about: &'static str,
    /// JSON Schema.
    schema: &'static str,
}

impl Param {
    pub(crate) const fn path(
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

    pub(crate) const fn query(
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

    /// As an OpenAPI parameter.
    pub(super) fn document(&self) -> Value {
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
pub(crate) enum Body {
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
    /// As OpenAPI content; nothing where nothing is described.
    pub(super) fn content(self) -> Option<Value> {
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
pub(crate) struct Answer {
    pub(super) status: u16,
    pub(super) about: &'static str,
    pub(super) body: Body,
}

impl Answer {
    pub(crate) const fn new(status: u16, about: &'static str, body: Body) -> Self {
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
