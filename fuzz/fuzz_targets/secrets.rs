//! See `targets/secrets.rs`.
#![no_main]

#[allow(dead_code)] // each binary runs one of them
#[path = "../targets/mod.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::secrets::run(data));
