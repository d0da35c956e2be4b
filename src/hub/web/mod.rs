//! The hub's HTTP: pages, API, events, pictures, open data.
//!
//! Read-only: no route takes a body. Every path is checked into identifiers before it is looked
//! up, so nothing from a path ever reaches a file system. See `docs/http.md`.

mod about;
mod accuracy;
mod api;
mod assets;
mod events;
mod find;
mod fleet;
mod fleet_words;
mod forecast;
mod front;
mod headers;
mod install;
mod lite;
mod mine;
mod ngsi;
mod office;
mod openapi;
mod opendata;
mod ops;
mod pictures;
mod procedures;
mod routes;
mod serve;
mod socket;
mod sound;
mod ticket;
mod typed;
mod video;
mod viewer;
mod widgets;
mod words;

pub(super) use headers::standing;
pub use serve::{Bounds, listen, serve};
pub use sound::{Asked, Speaker};

use super::Hub;
use super::lang::Lang;
use axum::Router;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

/// An answer must begin within this; streams then go on as long as they like.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// No route reads a body; whoever sends one is stopped early.
const MAX_BODY: usize = 1024;

type Shared = State<Arc<Hub>>;

/// All paths of the hub. Works without a socket, so tests call it as a service.
pub fn router(hub: Arc<Hub>) -> Router {
    let add =
        |router: Router<Arc<Hub>>, route: &routes::Route| router.route(route.path, (route.get)());
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
            get(mine::ticket),
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
        .fallback(front::missing)
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
        .layer(middleware::from_fn_with_state(Arc::clone(&hub), finish))
        .with_state(hub)
}

/// Data may be read from any page, and says what may be done with it.
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

/// Refuses what does not only read, before any route sees it, and signs every answer.
async fn finish(State(hub): Shared, request: Request, next: Next) -> Response {
    let mut response = if headers::only_reads(request.method()) {
        next.run(request).await
    } else {
        headers::read_only()
    };
    for (name, value) in &hub.headers {
        response.headers_mut().insert(name, value.clone());
    }
    hub.stats.response(response.status().as_u16());
    response
}

/// Values after the `?` at most; no route reads more than six.
const MAX_QUERY: usize = 16;

/// The values after the `?`, as far as the hub reads them. Never fails: what cannot be decoded is
/// read as well as can be. Doubled keys: the last counts.
struct Query(HashMap<String, String>);

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = url::form_urlencoded::parse(query.as_bytes()).take(MAX_QUERY);
        Ok(Self(
            pairs
                .map(|(k, v)| (k.into_owned(), v.into_owned()))
                .collect(),
        ))
    }
}

impl Query {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }
}

/// The viewer's language.
fn lang(query: &Query, headers: &HeaderMap) -> Lang {
    let accept = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|v| v.to_str().ok());
    Lang::choose(query.get("lang"), accept)
}
