//! The tests that need the machine for themselves: emulated computers, a browser, broken lines,
//! kills, a cluster, videos to real receivers, thousands of viewers, and whatever measures.
//!
//! `cargo test --test system` runs them, one after the other. `cargo test` alone does not; `.ci/run`
//! runs a smoke of each kind (`.ci/smoke`), `.ci/system` all.
#![allow(unreachable_pub)] // a test binary has no outside
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation
)] // a test may fail and speak

mod alone;
mod animation;
mod browser;
mod camera_weight;
mod chaos;
mod cluster;
mod emulation;
mod hub_flood;
mod kill;
mod load;
mod nats;
mod open_data;
mod speech;
mod stop;
mod stream_live;
mod stream_node;
mod stream_page;
mod stream_privacy;
mod stream_sound;
mod stream_targets;
// Whatever is unused in both targets is found in `it`, which has no such allowance.
#[allow(dead_code, unused_imports)]
#[path = "../support/mod.rs"]
mod support;
mod video;
