//! The integration tests: one binary, one module a subject.
#![allow(missing_docs, unreachable_pub)] // a test binary has no outside
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation
)] // a test may fail and speak

mod any_order;
mod asyncapi;
mod board;
mod board_states;
mod browser;
mod camera;
mod camera_node;
mod camera_sequences;
mod camera_sources;
mod camera_troubles;
mod chaos;
mod cli;
mod cluster;
mod config;
mod day;
mod doctor;
mod emulation;
mod end_to_end;
mod fuzz;
mod hostile;
mod house;
mod hub;
mod hub_database;
mod hub_events;
mod hub_fleet;
mod hub_flood;
mod hub_history;
mod hub_open_data;
mod hub_outputs;
mod hub_pages;
mod hub_registry;
mod hub_role;
mod hub_voice;
mod hub_waits;
mod hub_web;
mod image;
mod kill;
mod led;
mod load;
mod manuals;
mod mqtt;
mod mqtt_acl;
mod mqtt_replay;
mod mqtt_tls;
mod mqtt_uplink;
mod operate;
mod provision;
mod restart;
mod score;
mod secrets;
#[cfg(target_os = "linux")]
mod serial;
#[cfg(target_os = "linux")]
mod serial_modbus;
mod setup;
mod sheet;
mod stream;
mod stream_live;
mod stream_node;
mod stream_page;
mod stream_pictures;
mod stream_privacy;
mod stream_sound;
mod stream_targets;
mod support;
mod units;
mod voice;
mod voice_speech;
