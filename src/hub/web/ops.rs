//! For those who run the hub: is it alive, is it ready, what did it count.

use super::Shared;
use crate::hub::moment::Moment;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

/// Alive: the process answers.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Ready: the database takes calls and the broker is heard.
pub(super) async fn readyz(State(hub): Shared) -> Response {
    let word = |up: bool| if up { "up" } else { "down" };
    let line = hub.core().line;
    let history = hub.history.is_usable();
    let status = if line && history {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let text = format!("broker {}\nhistory {}\n", word(line), word(history));
    (status, [(header::CACHE_CONTROL, "no-store")], text).into_response()
}

/// OpenMetrics text.
pub(super) async fn metrics(State(hub): Shared) -> Response {
    let text = {
        let core = hub.core();
        hub.stats.encode(&Moment {
            offices: &core.registry,
            line: core.line,
            backlog: hub.history.backlog(),
            usable: hub.history.is_usable(),
        })
    };
    match text {
        Ok(text) => (
            [(
                header::CONTENT_TYPE,
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
            )],
            text,
        )
            .into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
