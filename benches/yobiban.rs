//! Benchmarks; figures and limits in `docs/performance.md`.
#![allow(missing_docs)]

mod state;

fn main() {
    divan::main();
}
