//! What was asked: one entry per request, so that tests can count, order and overlap them.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::watch;

use crate::exchange::Request;

/// The service a request was for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Service {
    /// The registry.
    Registry,
    /// The trust server.
    TrustServer,
    /// The key vault.
    Vault,
    /// Entra's token service.
    Entra,
    /// App Service or IMDS.
    ManagedIdentity,
    /// GitHub's or Azure Pipelines' token service.
    Oidc,
    /// A host that is none of them.
    Other,
}

/// One request as it was received and answered.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Counts from 1.
    pub number: u64,
    /// The service.
    pub service: Service,
    /// Whether it came over HTTP/2.
    pub http2: bool,
    /// The connection it came over.
    pub connection: u64,
    /// The method.
    pub method: String,
    /// The host.
    pub host: String,
    /// The path as sent.
    pub path: String,
    /// The query, decoded.
    pub query: Vec<(String, String)>,
    /// The scheme of the `Authorization` header, if there was one.
    pub authorization: Option<String>,
    /// All header values that a credential could stand in, for tests that look for leaks.
    pub credential: Option<String>,
    /// How many `Accept` headers came.
    pub accept_lines: usize,
    /// Bytes of the body.
    pub body_bytes: usize,
    /// The status of the answer; 0 while it is not answered or if it was cut.
    pub status: u16,
    /// When it was received, as a count of events.
    pub started: u64,
    /// When it was answered, as a count of events; 0 until then.
    pub ended: u64,
}

/// The log of a sandbox.
#[derive(Debug)]
pub(crate) struct Log {
    entries: Mutex<Vec<Entry>>,
    events: AtomicU64,
    paths: watch::Sender<Vec<String>>,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self {
            entries: Mutex::default(),
            events: AtomicU64::new(1),
            paths: watch::Sender::new(Vec::new()),
        }
    }

    /// Notes a request; returns its number.
    pub(crate) fn received(&self, service: Service, connection: u64, request: &Request) -> u64 {
        let credential = request.header("authorization");
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let number = u64::try_from(entries.len())
            .unwrap_or(u64::MAX)
            .saturating_add(1);
        entries.push(Entry {
            number,
            service,
            http2: request.http2,
            connection,
            method: request.method.to_string(),
            host: request.host.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            authorization: credential
                .and_then(|value| value.split(' ').next())
                .map(ToOwned::to_owned),
            credential: credential.map(ToOwned::to_owned),
            accept_lines: request.headers.get_all("accept").iter().count(),
            body_bytes: request.body.len(),
            status: 0,
            started: self.events.fetch_add(1, Ordering::SeqCst),
            ended: 0,
        });
        drop(entries);
        self.paths
            .send_modify(|paths| paths.push(request.path.clone()));
        number
    }

    /// Notes the answer.
    pub(crate) fn answered(&self, number: u64, status: u16) {
        let ended = self.events.fetch_add(1, Ordering::SeqCst);
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.iter_mut().find(|entry| entry.number == number) {
            (entry.status, entry.ended) = (status, ended);
        }
    }

    /// Waits until a request whose path contains `part` has been received.
    pub(crate) async fn until_asked(&self, part: &str) {
        let mut paths = self.paths.subscribe();
        let asked = |paths: &Vec<String>| paths.iter().any(|path| path.contains(part));
        // The sender lives in self, so the wait ends only by being true.
        let _ = paths.wait_for(asked).await;
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn clear(&self) {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        self.paths.send_modify(Vec::clear);
    }
}
