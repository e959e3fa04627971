//! Misbehaviour by script: which request it strikes, and what happens instead of the good answer.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;

use crate::{exchange::Request, log::Service};

/// What happens to a request that a fault strikes.
#[derive(Clone, Debug)]
pub enum Action {
    /// This status with an empty body.
    Status(u16),
    /// This answer.
    Answer {
        /// The status.
        status: u16,
        /// Headers.
        headers: Vec<(String, String)>,
        /// The body.
        body: Bytes,
    },
    /// This status with `Retry-After`.
    RetryAfter {
        /// The status.
        status: u16,
        /// The header's value.
        value: String,
    },
    /// This status, and in the body what was sent: the credential and the body of the request, so encoded.
    Echo {
        /// The status.
        status: u16,
        /// How what was sent comes back.
        encode: fn(&str) -> String,
    },
    /// The good answer, later.
    Delay(Duration),
    /// The good answer, ended by closing the connection after so many bytes of the body.
    Cut(usize),
    /// The good answer with a shorter body and a header that agrees.
    Truncate(usize),
    /// The good answer with another body.
    Body(Bytes),
    /// The good answer with one bit of the last byte of its body flipped.
    FlipBit,
    /// A redirect.
    Redirect {
        /// The status.
        status: u16,
        /// Where to.
        location: String,
    },
    /// The good answer's head, and a body that never ends.
    Endless,
    /// A vault's signature under the `kid` of another version.
    WrongKid,
    /// The good answer with one text in its body replaced by another, wherever it stands.
    Replace {
        /// The text.
        from: String,
        /// What stands in its place.
        to: String,
    },
    /// From now on tokens issued so far are refused; the request itself is answered in that light.
    RefuseToken,
    /// The good answer, held until a request whose path contains this was received (at most 10 seconds, then 504).
    HoldUntil(String),
    /// The connection is closed before a byte is answered.
    Close,
}

/// A fault: which requests, and what happens.
#[derive(Clone, Debug)]
pub struct Fault {
    service: Option<Service>,
    method: Option<String>,
    host: Option<String>,
    path: Option<String>,
    first: usize,
    times: usize,
    action: Action,
    seen: usize,
}

impl Fault {
    /// A fault that strikes every request.
    pub fn new(action: Action) -> Self {
        Self {
            service: None,
            method: None,
            host: None,
            path: None,
            first: 1,
            times: usize::MAX,
            action,
            seen: 0,
        }
    }

    /// Only requests for this service.
    #[must_use]
    pub fn service(mut self, service: Service) -> Self {
        self.service = Some(service);
        self
    }

    /// Only requests with this method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Only requests for this host.
    #[must_use]
    pub fn host(mut self, host: &str) -> Self {
        self.host = Some(host.to_owned());
        self
    }

    /// Only requests whose path contains this.
    #[must_use]
    pub fn path(mut self, part: &str) -> Self {
        self.path = Some(part.to_owned());
        self
    }

    /// Only the n-th matching request (from 1).
    #[must_use]
    pub fn nth(mut self, n: usize) -> Self {
        (self.first, self.times) = (n, 1);
        self
    }

    /// Only the first so many matching requests.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    fn strikes(&mut self, service: Service, request: &Request) -> bool {
        let matches = self.service.is_none_or(|wanted| wanted == service)
            && self
                .method
                .as_ref()
                .is_none_or(|method| request.method == method.as_str())
            && self.host.as_ref().is_none_or(|host| request.host == *host)
            && self
                .path
                .as_ref()
                .is_none_or(|part| request.path.contains(part));
        if matches {
            self.seen += 1;
        }
        matches && self.seen >= self.first && self.seen - self.first < self.times
    }
}

/// The script of a sandbox.
#[derive(Debug, Default)]
pub(crate) struct Script(Mutex<Vec<Fault>>);

impl Script {
    pub(crate) fn add(&self, fault: Fault) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(fault);
    }

    pub(crate) fn clear(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// What strikes this request, if anything: the first fault that does; all count it.
    pub(crate) fn action(&self, service: Service, request: &Request) -> Option<Action> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut action = None;
        for fault in faults.iter_mut() {
            if fault.strikes(service, request) && action.is_none() {
                action = Some(fault.action.clone());
            }
        }
        action
    }
}
