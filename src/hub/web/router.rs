//! All paths of the hub, and what is true of every answer.

use super::pages::{
    accuracy, find, fleet, forecast, front, install, lite, office, procedures, ticket_page, video,
};
use super::parts::{assets, missing};
use super::route::Route;
use super::{events, headers, routes};
use crate::hub::core::Hub;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use std::sync::Arc;
use std::time::Duration;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

/// An answer must begin within this; streams then go on as long as they like.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// No route reads a body; a request with a longer one is rejected.
const MAX_BODY: usize = 1024;

/// All paths of the hub. Works without a socket, so tests call it as a service.
pub fn router(hub: Arc<Hub>) -> Router {
    let headers = Arc::new(headers::of_every_answer(&hub.web));
    let add = |router: Router<Arc<Hub>>, route: &Route| router.route(route.path, (route.get)());
    let ops = routes::OPS.iter().fold(Router::new(), add);
    let pages = routes::PAGES.iter().fold(Router::new(), add);
    let open = routes::OPEN
        .iter()
        .fold(Router::new(), add)
        .layer(middleware::map_response(open_to_all));
    Router::new()
        .route("/", get(front::front))
        .route("/offices/{office}", get(office::office))
        .route(
            "/offices/{office}/queues/{queue}/tickets/{ticket}",
            get(ticket_page::ticket),
        )
        .route("/find", get(find::find))
        .route("/lite", get(lite::lite))
        .route("/lite/{office}", get(lite::lite_office))
        .route("/live/{lang}", get(events::live_all))
        .route("/live/{lang}/{office}", get(events::live_office))
        .route("/assets/{file}", get(assets::asset))
        .route("/stream", get(video::page))
        .route("/stream/{file}", get(video::file))
        .route("/offices/{office}/forecast", get(forecast::page))
        .route("/procedures", get(procedures::all))
        .route("/procedures/{queue}", get(procedures::one))
        .route("/accuracy", get(accuracy::page))
        .route("/fleet", get(fleet::page))
        .route("/offline", get(install::offline))
        .route("/manifest.webmanifest", get(install::manifest))
        .route("/sw.js", get(install::worker))
        .route("/icon-180.png", get(install::icon))
        .route("/icon-192.png", get(install::icon))
        .route("/icon-512.png", get(install::icon))
        .route("/icon-mask-512.png", get(install::icon))
        .merge(pages)
        .merge(ops)
        .merge(open)
        .fallback(missing::missing)
        .layer(RequestBodyLimitLayer::new(MAX_BODY))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            ANSWER_WITHIN,
        ))
        // Pages and JSON come compressed already; this is for what is made on the fly.
        .layer(
            CompressionLayer::new().compress_when(
                DefaultPredicate::new()
                    .and(NotForContentType::SSE)
                    .and(NotForContentType::const_new("video/"))
                    .and(NotForContentType::const_new("audio/")),
            ),
        )
        .layer(middleware::from_fn_with_state(
            (Arc::clone(&hub), headers),
            finish,
        ))
        .with_state(hub)
}

/// Pages of any origin may read data; each answer names the licence.
async fn open_to_all(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("etag, link, retry-after"),
    );
    let licence = "<https://creativecommons.org/licenses/by/4.0/>; rel=\"license\"";
    headers.append(header::LINK, HeaderValue::from_static(licence));
    response
}

/// Rejects every method that does not only read, and adds the headers of every answer.
async fn finish(
    State((hub, headers)): State<(Arc<Hub>, Arc<HeaderMap>)>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = if headers::only_reads(request.method()) {
        next.run(request).await
    } else {
        headers::read_only()
    };
    for (name, value) in headers.as_ref() {
        response.headers_mut().insert(name, value.clone());
    }
    hub.stats.response(response.status().as_u16());
    response
}
