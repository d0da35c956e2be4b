//! Liveness, readiness and metrics, for operators.

use crate::hub::metrics::Observed;
use crate::hub::web::request::Shared;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use std::sync::PoisonError;

/// Alive: the process answers.
pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

/// Ready: the database takes calls and the hub is connected to its broker.
pub(crate) async fn readyz(State(hub): Shared) -> Response {
    let word = |up: bool| if up { "up" } else { "down" };
    let broker = hub.state().broker_connected;
    let history = hub.history.is_usable();
    let status = if broker && history {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let text = format!("broker {}\nhistory {}\n", word(broker), word(history));
    (status, [(header::CACHE_CONTROL, "no-store")], text).into_response()
}

/// OpenMetrics text.
pub(crate) async fn metrics(State(hub): Shared) -> Response {
    let offices = hub.live.current();
    let observed = {
        let state = hub.state();
        let mut names = hub
            .metric_names
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Observed {
            nodes: &state.registry,
            offices: &offices.offices,
            order: &hub.order,
            broker_connected: state.broker_connected,
            write_queue: hub.history.backlog(),
            database_up: hub.history.is_usable(),
        }
        .registry(&mut names)
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
