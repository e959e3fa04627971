//! The sandbox's clock: the machine's, moved by as much as a test says.

use std::sync::atomic::{AtomicI64, Ordering};

use time::{Duration, OffsetDateTime};

/// A clock that can be moved.
#[derive(Debug, Default)]
pub struct Clock {
    seconds: AtomicI64,
}

impl Clock {
    /// The time of the services.
    pub fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + Duration::seconds(self.seconds.load(Ordering::SeqCst))
    }

    /// Moves the clock to so many seconds after the machine's.
    pub fn move_to(&self, seconds_ahead: i64) {
        self.seconds.store(seconds_ahead, Ordering::SeqCst);
    }
}
