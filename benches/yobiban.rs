//! Benchmarks; figures and limits in `docs/performance.md`.
#![allow(missing_docs)]

mod board;
mod state;

fn main() {
    divan::main();
}
