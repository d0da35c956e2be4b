//! Ports for programs that must be told one before they listen.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the ports that the kernel gives to connections (32768 and above on Linux): whoever connects
/// meanwhile, in this test or another, does not take it.
const FIRST: u32 = 16_384;
const COUNT: u32 = 16_000;

/// A port of loopback where nobody listens. Each call in a process has another one, and processes
/// begin apart from each other.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let begin = std::process::id().wrapping_mul(97);
    loop {
        let n = begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(FIRST + n % COUNT).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
