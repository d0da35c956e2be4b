//! The integration tests: one binary, one module a subject.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)] // tests speak to developers

mod board;
mod board_states;
