//! Benchmarks; figures and limits in `docs/performance.md`.

mod board;
mod camera;
#[cfg(all(feature = "hdmi", target_os = "linux"))]
mod copy;
mod state;

fn main() {
    divan::main();
}
