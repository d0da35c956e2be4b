//! The OpenAPI document, made from the table of routes and from the types of the answers.

use super::data::{api, opendata, widgets};
use super::pages::{accuracy, forecast};
use super::parts::json;
use super::route::{Param, Route};
use crate::hub::content::page::Page;
use crate::hub::view::OfficeView;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

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
        json::Problem,
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

/// The document of these routes.
pub(crate) fn document<'a>(routes: impl Iterator<Item = &'a Route>) -> Page {
    let paths: Map<String, Value> = routes
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
                "url": json::LICENCE,
            },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": { "schemas": schemas() },
    });
    Page::json(document.to_string())
}
