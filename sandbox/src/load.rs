//! A registry that can do only so much at once: it becomes slow, or says so.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::Semaphore;

/// What the registry bears.
#[derive(Debug)]
pub(crate) struct Load {
    in_flight: AtomicUsize,
    most: AtomicUsize,
    capacity: Mutex<Option<(Arc<Semaphore>, Duration)>>,
}

/// A request that is worked on.
#[derive(Debug)]
pub(crate) struct Work<'a>(&'a Load);

impl Load {
    pub(crate) fn new() -> Self {
        Self {
            in_flight: AtomicUsize::new(0),
            most: AtomicUsize::new(usize::MAX),
            capacity: Mutex::new(None),
        }
    }

    pub(crate) fn set_capacity(&self, requests: usize, latency: Duration) {
        let mut capacity = self.capacity.lock().unwrap_or_else(PoisonError::into_inner);
        *capacity = Some((Arc::new(Semaphore::new(requests)), latency));
    }

    pub(crate) fn throttle_above(&self, requests: usize) {
        self.most.store(requests, Ordering::SeqCst);
    }

    /// A request comes in; `None` where it is one too many.
    pub(crate) fn begin(&self) -> Option<Work<'_>> {
        let before = self.in_flight.fetch_add(1, Ordering::SeqCst);
        let work = Work(self);
        (before < self.most.load(Ordering::SeqCst)).then_some(work)
    }
}

impl Work<'_> {
    /// Waits for its turn, and takes as long as a request takes.
    pub(crate) async fn done(&self) {
        let capacity = self.0.capacity.lock();
        let capacity = capacity.unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((turns, latency)) = capacity {
            // Nobody closes the semaphore.
            let _turn = turns.acquire_owned().await;
            tokio::time::sleep(latency).await;
        }
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}
