//! The hub's HTTP: pages, API, events, pictures, open data.
//!
//! | room | holds |
//! |---|---|
//! | `request`, `route`, `headers` | what a request says, what a route is, what every answer says |
//! | `parts` | what several pages and answers share |
//! | `data` | what programs read: API, open data, NGSI-LD, pictures, sound, metrics |
//! | `pages` | what people read |
//! | `events` | streams of Server-Sent Events |
//! | `routes`, `openapi` | the table of routes for programs, and their document |
//! | `router`, `server` | all paths; sockets |
//!
//! Each may import those above it in this table, never one below: `tests/it/house.rs` holds it to
//! that. Read-only: no route takes a body. Every path is checked into identifiers before it is
//! looked up, so nothing from a path ever reaches a file system. See `docs/http.md`.

mod data;
mod events;
mod headers;
mod openapi;
mod pages;
mod parts;
mod request;
mod route;
mod router;
mod routes;
mod server;

pub use router::router;
pub use server::{Bounds, listen, serve};
