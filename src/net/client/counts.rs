//! Requests made, per purpose.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::net::Purpose;

/// Requests made, per purpose.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Registries.
    pub registry: u64,
    /// Trust servers.
    pub trust_server: u64,
    /// Vaults.
    pub vault: u64,
    /// Entra and identity endpoints.
    pub entra: u64,
    /// Others.
    pub other: u64,
}

/// The same while they are made.
#[derive(Debug, Default)]
pub(super) struct Counters([AtomicU64; 5]);

impl Counters {
    /// One more; whoever a redirect leads to is another.
    pub(super) fn add(&self, purpose: Purpose, hop: usize) {
        let [registry, trust_server, vault, entra, other] = &self.0;
        let counter = match purpose {
            _ if hop > 0 => other,
            Purpose::Registry => registry,
            Purpose::TrustServer => trust_server,
            Purpose::Vault => vault,
            Purpose::Entra => entra,
            Purpose::Other => other,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// So far.
    pub(super) fn read(&self) -> Counts {
        let [registry, trust_server, vault, entra, other] = &self.0;
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts {
            registry: read(registry),
            trust_server: read(trust_server),
            vault: read(vault),
            entra: read(entra),
            other: read(other),
        }
    }
}
