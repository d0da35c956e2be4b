//! Benchmarks; figures and limits in `docs/performance.md`.

fn main() {
    divan::main();
}
