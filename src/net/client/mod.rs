//! The one client: sends a request again under the run's deadline. `redirects` decides what an attempt
//! may follow, `exchange` sends and reads, `slots` bounds how much is in flight, and `counts` counts.

mod counts;
mod exchange;
mod growth;
mod redirects;
mod slots;
mod waiting;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use http::StatusCode;
use tokio::time::Instant;

pub use self::counts::Counts;
use self::{counts::Counters, slots::Slots, waiting::Waiting};
use super::{
    Concurrency, ConnectTo, Error, Hosts, Request, Response, Retry, SafeUrl,
    connections::Connections,
    failure::{host, throttled},
    resolve::System,
    retry,
};
use crate::crypto::Mask;

/// How the client is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who may receive what.
    pub hosts: Hosts,
    /// Further CA certificates, PEM.
    pub ca_pem: Vec<Vec<u8>>,
    /// Where to connect for a host.
    pub connect_to: Vec<ConnectTo>,
    /// How often a failed request is sent again.
    pub retries: u32,
    /// How many requests may be in flight at once.
    pub concurrency: Concurrency,
    /// The end of the run.
    pub deadline: std::time::Instant,
    /// Every secret is announced here.
    pub mask: Mask,
}

/// The client; clones share connections and counters.
#[derive(Clone, Debug)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    hosts: Hosts,
    connections: Connections,
    slots: Slots,
    waiting: Waiting,
    retries: u32,
    deadline: Instant,
    mask: Mask,
    counts: Counters,
    skew_seconds: AtomicI64,
}

impl Client {
    /// Sets the client up; reads no network.
    pub fn new(options: Options) -> Result<Self, Error> {
        Self::with_resolver(options, System::default())
    }

    /// The same with what stands for this machine's resolver.
    fn with_resolver(options: Options, system: System) -> Result<Self, Error> {
        Ok(Self(Arc::new(Inner {
            connections: Connections::new(&options.ca_pem, options.connect_to, &Arc::new(system))?,
            slots: Slots::new(options.concurrency),
            waiting: Waiting::default(),
            hosts: options.hosts,
            retries: options.retries,
            deadline: options.deadline.into(),
            mask: options.mask,
            counts: Counters::default(),
            skew_seconds: AtomicI64::new(0),
        })))
    }

    /// Who may receive what.
    pub fn hosts(&self) -> &Hosts {
        &self.0.hosts
    }

    /// How often a failed request is sent again.
    pub fn retries(&self) -> u32 {
        self.0.retries
    }

    /// The end of the run.
    pub fn deadline(&self) -> Instant {
        self.0.deadline
    }

    /// Announces a secret before anything else is done with it.
    pub fn announce(&self, token: &str) {
        self.0.mask.announce(token);
    }

    /// Requests made so far.
    pub fn counts(&self) -> Counts {
        self.0.counts.read()
    }

    /// The hosts that owe an answer now, the one that owes most first.
    pub fn waits_for(&self) -> Vec<String> {
        self.0.waiting.hosts()
    }

    /// How far the clocks of the services are ahead of this machine's, in seconds, by the last answer (K05).
    pub fn skew_seconds(&self) -> i64 {
        self.0.skew_seconds.load(Ordering::Relaxed)
    }

    /// Sends a request; an answer of any status is fine, after retries.
    pub async fn send(&self, request: &Request) -> Result<Response, Error> {
        for attempt in 0.. {
            let last = attempt >= self.0.retries;
            let Ok(outcome) = tokio::time::timeout_at(self.0.deadline, self.attempt(request)).await
            else {
                return Err(Error::Deadline {
                    what: request.what.clone(),
                    host: host(&request.url),
                });
            };
            let wait = match &outcome {
                Ok(response) if retry::again(request, response.status) && !last => {
                    retry::wait(attempt, retry::retry_after(response))
                }
                Err(Error::Unreachable { .. }) if request.retry == Retry::Safe && !last => {
                    retry::wait(attempt, None)
                }
                _ => return outcome,
            };
            // A wait that the clock cannot hold is longer than any run (K04).
            if Instant::now()
                .checked_add(wait)
                .is_none_or(|next| next >= self.0.deadline)
            {
                return self.give_up(request, outcome, wait);
            }
            tracing::debug!(url = %SafeUrl::new(request.url.clone()), ?wait, attempt, "trying again");
            tokio::time::sleep(wait).await;
        }
        Err(Error::Deadline {
            what: request.what.clone(),
            host: host(&request.url),
        })
    }

    /// One attempt, once there is a slot for it.
    async fn attempt(&self, request: &Request) -> Result<Response, Error> {
        let slot = self.0.slots.take(&request.url).await;
        let started = Instant::now();
        let _owed = self.0.waiting.owes(host(&request.url));
        let outcome = self.once(request).await;
        if let Ok(response) = &outcome {
            let throttled = response.status == StatusCode::TOO_MANY_REQUESTS;
            slot.answered(started.elapsed(), throttled);
        }
        outcome
    }

    fn give_up(
        &self,
        request: &Request,
        outcome: Result<Response, Error>,
        wait: Duration,
    ) -> Result<Response, Error> {
        let (what, host) = (request.what.clone(), host(&request.url));
        match outcome {
            Ok(response) if response.status == StatusCode::TOO_MANY_REQUESTS => {
                Err(Error::Throttled {
                    what,
                    host,
                    wait,
                    reason: throttled(request.purpose),
                })
            }
            Ok(response) => Ok(response),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod loopback;

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::{
        loopback::{OK, client, request, server},
        *,
    };

    #[tokio::test]
    async fn k04_a_wait_that_no_clock_holds_ends_the_request() {
        const WAIT: &str = "HTTP/1.1 429 Slow\r\nretry-after: 18446744073709551615\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let (port, asked) = server(&[WAIT]).await;
        let host = format!("127.0.0.1:{port}");
        let answer = client(&host, &[])
            .send(&request(&format!("http://{host}/")))
            .await;
        assert!(matches!(answer, Err(Error::Throttled { .. })), "{answer:?}");
        assert_eq!(asked.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn k04_what_is_not_safe_is_not_repeated() {
        const BROKEN: &str = "HTTP/1.1 500 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let (port, asked) = server(&[BROKEN, OK]).await;
        let host = format!("127.0.0.1:{port}");
        let mut once = request(&format!("http://{host}/"));
        once.retry = Retry::Never;
        let client = client(&host, &[]);
        assert_eq!(
            client.send(&once).await.unwrap().status,
            StatusCode::INTERNAL_SERVER_ERROR
        );
        assert_eq!(asked.lock().unwrap().len(), 1);
        assert_eq!(
            client
                .send(&request(&format!("http://{host}/")))
                .await
                .unwrap()
                .status,
            StatusCode::OK
        );
    }

    #[tokio::test]
    async fn without_resolver_settings_a_name_has_no_address_and_the_cause_is_told() {
        static READ: AtomicU64 = AtomicU64::new(0);
        let read = || {
            READ.fetch_add(1, Ordering::SeqCst);
            Err(std::io::Error::new(
                std::io::ErrorKind::NotFound,
                "no such file",
            ))
        };
        let options = Options {
            hosts: Hosts::default(),
            ca_pem: Vec::new(),
            // It is about another port.
            connect_to: vec!["registry.example:8443=127.0.0.1:1".parse().unwrap()],
            retries: 2,
            concurrency: Concurrency::default(),
            deadline: std::time::Instant::now() + Duration::from_secs(60),
            mask: Mask::default(),
        };
        let system = System {
            read,
            ..System::default()
        };
        let answer = Client::with_resolver(options, system)
            .unwrap()
            .send(&request("https://registry.example/"))
            .await;
        let Err(Error::Dns { host, cause, .. }) = answer else {
            panic!("{answer:?}")
        };
        assert_eq!(host, "registry.example");
        assert_eq!(
            cause.to_string(),
            "the system's resolver settings cannot be read: no such file"
        );
        // Nobody else is asked instead, and nothing is gained by asking again.
        assert_eq!(READ.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn connect_to_with_a_port_needs_no_dns() {
        let (port, asked) = server(&[OK]).await;
        let client = client(
            "unused.example",
            &[format!("registry.invalid:8443=127.0.0.1:{port}")],
        );
        let mut request = request("https://registry.invalid:8443/");
        request.retry = Retry::Never;
        let answer = client.send(&request).await;
        assert!(!matches!(answer, Err(Error::Dns { .. })), "{answer:?}");
        // That a connection came is what counts.
        while asked.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    }
}
