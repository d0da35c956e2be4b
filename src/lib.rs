//! The call board of a ward office, from the ticketing system to the citizen's phone.
//!
//! This page lists the modules; `ARCHITECTURE.md` describes how a ticket number travels through them.
//!
//! | module | does |
//! |---|---|
//! | [`model`] | office, queue, ticket, call, wait as values |
//! | [`clock`] | reads the clocks; everything else gets the time as an argument |
//! | [`backoff`] | how long to wait before the next attempt |
//! | [`digest`] | digests as text |
//! | [`errors`] | what errors and panics say, for people |
//! | [`files`] | files that are there whole or not at all |
//! | [`topic_filter`] | which topics a filter of MQTT means |
//! | [`shutdown`] | turns SIGTERM and SIGINT into a cancellation token |
//! | [`config`] | reads and checks configuration files |
//! | [`wire`] | topics and payloads of the contract |
//! | [`state`] | `apply(message, now) -> changes` |
//! | [`health`] | the issues of a node: what is wrong now |
//! | [`http_client`] | asks HTTP servers, within limits |
//! | [`jpeg`] | decodes JPEG pictures |
//! | [`store`] | files that survive a power cut |
//! | [`mqtt`] | a connection to a broker that reconnects by itself |
//! | [`frame`] | what boards make and outputs take |
//! | [`feed`] | turns messages of ticketing systems into queue states |
//! | [`source`] | turns what any ticketing system writes into queue states |
//! | [`intake`] | reads files, addresses and streams of ticketing systems |
//! | [`board`] | draws boards |
//! | [`camera`] | reads the digits of a filmed board |
//! | [`output`] | sends frames to monitors, LED panels, windows and files |
//! | [`uplink`] | reports to the hub |
//! | [`hub`] | the server that shows all offices to remote visitors |
//! | [`stream`] | a video of offices in turn |
//! | [`voice`] | announces calls |
//! | [`files`] | replaces files as a whole; limit of open files |
//! | [`machine`] | what the kernel knows about the machine |
//! | [`node`] | the edge node of one office: its state, threads and reports |
//! | [`services`] | joins the parts of a node, and those of a hub |
//! | [`commands`] | the other commands |
//! | [`demo`] | six simulated offices, their nodes and a hub in one process |
//! | [`cli`] | the commands |

pub mod backoff;
pub mod board;
pub mod camera;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod demo;
pub mod digest;
pub mod errors;
pub mod feed;
pub mod files;
pub mod frame;
pub mod health;
pub mod http_client;
pub mod hub;
pub mod intake;
pub mod jpeg;
pub mod machine;
pub mod model;
pub mod mqtt;
pub mod node;
pub mod output;
// Whatever is unused in all tests is found in `it`, which has no such allowance.
#[allow(dead_code)]
#[cfg(test)]
#[path = "../tests/support/patience.rs"]
mod patience;
pub mod services;
pub mod shutdown;
pub mod source;
pub mod state;
pub mod store;
pub mod stream;
pub mod topic_filter;
pub mod uplink;
pub mod voice;
pub mod wire;
