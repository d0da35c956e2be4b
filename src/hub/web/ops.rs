//! For those who run the hub: is it alive, is it ready, what did it count.

use super::Shared;
use crate::hub::metrics::Observed;
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
    let offices = hub.live.current();
    let observed = {
        let core = hub.core();
        hub.stats.observe(&Observed {
            nodes: &core.registry,
            offices: &offices.offices,
            order: &hub.order,
            broker_connected: core.line,
            write_queue: hub.history.backlog(),
            database_up: hub.history.is_usable(),
        })
    };
    // Writing it takes longest, and needs no lock.
    let text = hub.stats.encode(&observed);
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
