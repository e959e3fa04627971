//! What one reading may cost: aliases and expressions can make a small text large, and the run has a deadline.

use std::cell::Cell;

use super::{Problem, at::At};

/// Nodes that are parsed and read for one file.
const STEPS: usize = 2_000_000;
/// Collections inside of collections.
pub(super) const DEPTH: usize = 128;
/// Steps between two looks at the clock.
const BETWEEN: usize = 1024;

/// Work done so far for one file.
pub(super) struct Work<'a> {
    steps: Cell<usize>,
    depth: Cell<usize>,
    is_over: &'a dyn Fn() -> bool,
}

impl<'a> Work<'a> {
    pub(super) fn new(is_over: &'a dyn Fn() -> bool) -> Self {
        Self {
            steps: Cell::new(0),
            depth: Cell::new(0),
            is_over,
        }
    }

    /// Counts one step, and ends the work where it is too much or too late.
    pub(super) fn step(&self, at: At) -> Result<(), Problem> {
        self.steps_of(1, at)
    }

    pub(super) fn steps_of(&self, count: usize, at: At) -> Result<(), Problem> {
        let before = self.steps.get();
        let now = before.saturating_add(count);
        self.steps.set(now);
        if now > STEPS {
            return Err(Problem::too_large(at));
        }
        if before / BETWEEN != now / BETWEEN && (self.is_over)() {
            return Err(Problem::out_of_time(at));
        }
        Ok(())
    }

    /// Does something one level deeper.
    pub(super) fn deeper<T>(
        &self,
        at: At,
        work: impl FnOnce() -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        self.step(at)?;
        if self.depth.get() >= DEPTH {
            return Err(Problem::too_large(at));
        }
        self.depth.set(self.depth.get() + 1);
        let done = work();
        self.depth.set(self.depth.get() - 1);
        done
    }

    pub(super) fn steps(&self) -> usize {
        self.steps.get()
    }
}
