//! Ports for servers that bind their own: each is given out once, and none is one that the kernel gives to a
//! connection, which might take it between the look and the server's start.

use std::{
    net::{Ipv4Addr, TcpListener},
    sync::atomic::{AtomicU32, Ordering},
};

/// Below the ports that Linux gives to connections (32768 and up).
const PORTS: std::ops::Range<u32> = 12_000..32_000;

/// A port of loopback that nothing listens on.
pub(crate) fn free_port() -> u16 {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    // Another run at the same time begins elsewhere.
    let first = std::process::id().wrapping_mul(97);
    for _ in PORTS {
        let next =
            first.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed)) % (PORTS.end - PORTS.start);
        let port = u16::try_from(PORTS.start + next).expect("it is in the range");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("every port is taken")
}
