//! The bound on requests in flight: every request of a run takes a slot, whatever repository, image or format it is
//! for. It is given back when the answer has been read, and not held while a retry waits.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use super::growth::Growth;
use crate::net::{Concurrency, failure::host};

/// The slots of one client.
#[derive(Debug)]
pub(super) enum Slots {
    /// One bound over all hosts.
    Fixed(Arc<Semaphore>),
    /// One for each host, which grows and shrinks.
    Auto(Mutex<HashMap<String, Arc<Window>>>),
}

/// The slots for one host.
#[derive(Debug)]
pub(super) struct Window {
    free: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    growth: Growth,
    /// Slots that are taken away as soon as they are given back.
    owed: usize,
}

/// A slot; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Slot {
    permit: Option<OwnedSemaphorePermit>,
    /// The window it belongs to, and the window's generation when it was taken.
    window: Option<(Arc<Window>, u64)>,
}

impl Slots {
    pub(super) fn new(concurrency: Concurrency) -> Self {
        match concurrency {
            Concurrency::Auto => Self::Auto(Mutex::default()),
            Concurrency::Fixed(_) => Self::Fixed(Arc::new(Semaphore::new(concurrency.most()))),
        }
    }

    /// Waits for a slot, in the order of asking.
    pub(super) async fn take(&self, url: &Url) -> Slot {
        let window = match self {
            Self::Fixed(free) => {
                return Slot {
                    permit: free.clone().acquire_owned().await.ok(),
                    window: None,
                };
            }
            Self::Auto(windows) => windows
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(host(url))
                .or_insert_with(|| Arc::new(Window::new()))
                .clone(),
        };
        // Nobody closes the semaphore.
        let permit = window.free.clone().acquire_owned().await.ok();
        let generation = window.taken();
        Slot {
            permit,
            window: Some((window, generation)),
        }
    }
}

impl Window {
    fn new() -> Self {
        let growth = Growth::default();
        Self {
            free: Arc::new(Semaphore::new(growth.limit())),
            state: Mutex::new(State { growth, owed: 0 }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A slot was taken: all may be in use now. Gives the generation.
    fn taken(&self) -> u64 {
        let mut state = self.state();
        if self.free.available_permits() == 0 {
            state.growth.full();
        }
        state.growth.generation()
    }

    fn answered(&self, generation: u64, took: Duration, throttled: bool) {
        let mut state = self.state();
        let before = state.growth.limit();
        state.growth.answered(generation, took, throttled);
        let after = state.growth.limit();
        if after < before {
            let gone = self.free.forget_permits(before - after);
            state.owed += before - after - gone;
        } else {
            let kept = state.owed.min(after - before);
            state.owed -= kept;
            self.free.add_permits(after - before - kept);
        }
    }
}

impl Slot {
    /// The answer was read: what that says about the host.
    pub(super) fn answered(&self, took: Duration, throttled: bool) {
        if let Some((window, generation)) = &self.window {
            window.answered(*generation, took, throttled);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let (Some(permit), Some((window, _))) = (self.permit.take(), &self.window) {
            let mut state = window.state();
            if state.owed > 0 {
                state.owed -= 1;
                permit.forget();
            }
        }
    }
}
