//! The call board of a ward office, from the ticketing system to the citizen's phone.
//!
//! This page is the map; see `ARCHITECTURE.md` for the way a number travels.
//!
//! | module | does |
//! |---|---|
//! | [`model`] | office, queue, ticket, call, wait as values |
//! | [`clock`] | time as a value handed in |
//! | [`shutdown`] | signals to a token |
//! | [`config`] | what the user typed, checked into what is built |
//! | [`wire`] | topics and payloads of the contract |
//! | [`state`] | `apply(message, now) -> changes` |
//! | [`health`] | what is wrong right now |
//! | [`jpeg`] | JPEG pictures to pixels |
//! | [`store`] | what survives a power cut |
//! | [`mqtt`] | a session with a broker that comes back by itself |
//! | [`feed`] | payloads and foreign systems to queue states |
//! | [`board`] | a view to pixels |
//! | [`camera`] | reads an old board in a picture |
//! | [`output`] | frames to files, windows, devices |
//! | [`uplink`] | reports to the hub |
//! | [`hub`] | all offices for remote viewers |
//! | [`stream`] | offices in turn as a video |
//! | [`roles`] | node, hub, demo: the parts joined |
//! | [`cli`] | the commands |

pub mod board;
pub mod camera;
pub mod cli;
pub mod clock;
pub mod config;
pub mod feed;
pub mod health;
pub mod hub;
pub mod jpeg;
pub mod model;
pub mod mqtt;
pub mod output;
// Whatever is unused in all tests is found in `it`, which has no such allowance.
#[allow(dead_code)]
#[cfg(test)]
#[path = "../tests/support/patience.rs"]
mod patience;
pub mod roles;
pub mod shutdown;
pub mod state;
pub mod store;
pub mod stream;
pub mod uplink;
pub mod voice;
pub mod wire;
