//! Ports for whoever must know theirs before anybody listens there.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// A port that nobody has, and below those that systems give to whoever asks for any: it
/// stays free until somebody asks for this one.
pub(crate) fn free_port() -> u16 {
    static ASKED: AtomicU16 = AtomicU16::new(0);
    // Test programs that run at the same time begin at different places.
    let first = (std::process::id() % 1_000) as u16 * 16;
    let ports = (0..1_000).map(|_| 10_000 + (first + ASKED.fetch_add(1, Ordering::Relaxed)) % 16_000);
    let mut free = ports.filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.next().expect("a free port")
}
