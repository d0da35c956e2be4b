//! The integration tests, one module a subject: in the process, and against real brokers and
//! databases. What needs the machine for itself is in `tests/system`.
#![allow(unreachable_pub)] // a test binary has no outside
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation
)] // a test may fail and speak

mod alerts;
mod any_order;
mod asyncapi;
mod board;
mod board_states;
mod broker_limits;
mod camera;
mod camera_node;
mod camera_sequences;
mod camera_sources;
mod camera_troubles;
mod circles;
mod cli;
mod config;
mod day;
mod dependencies;
mod doctor;
mod end_to_end;
mod evidence;
mod fuzz;
mod hostile;
mod house;
mod hub;
mod hub_calls;
mod hub_database;
mod hub_events;
mod hub_evidence;
mod hub_fleet;
mod hub_history;
mod hub_hostile;
mod hub_open_data;
mod hub_outputs;
mod hub_pages;
mod hub_registry;
mod hub_role;
mod hub_voice;
mod hub_waits;
mod hub_web;
mod identity;
mod image;
mod inputs;
mod led;
mod load;
mod manuals;
mod metrics;
mod mqtt;
mod mqtt_acl;
mod mqtt_exchange;
mod mqtt_replay;
mod mqtt_tls;
mod mqtt_uplink;
mod old_keys;
mod old_names;
mod operate;
mod personal;
mod provision;
mod restart;
mod score;
mod secrets;
mod secrets_commands;
#[cfg(target_os = "linux")]
mod serial;
#[cfg(target_os = "linux")]
mod serial_modbus;
mod setup;
mod sheet;
mod source_days;
mod stop;
mod stream;
mod stream_pictures;
#[path = "../support/mod.rs"]
mod support;
mod trial;
mod undrawable;
mod units;
mod upgrade;
mod voice;
mod voice_speech;
mod wording;
mod words;
mod wrong_clocks;
