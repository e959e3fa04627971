//! How many requests a host gets at once where nobody said it: as TCP finds the capacity of a path, by doubling
//! until something says that it is enough, then by small steps.

use std::time::Duration;

use crate::net::Concurrency;

/// What is known about one host. Answers are judged in rounds of as many as may be in flight.
#[derive(Debug)]
pub(super) struct Growth {
    limit: usize,
    /// The limit before it last grew.
    previous: usize,
    /// Doubles until the host has throttled or become slower once.
    doubling: bool,
    /// Counts the times that the limit was halved: a 429 to a request from before says nothing new.
    generation: u64,
    /// Whether the first round is over: connections are opened in it, so its answers are no measure.
    warm: bool,
    /// The mean of the fastest round so far.
    fastest: Option<Duration>,
    round: Round,
}

#[derive(Debug, Default)]
struct Round {
    answers: u32,
    took: Duration,
    /// Whether all that was allowed was in flight: else the round says nothing about a higher limit.
    full: bool,
}

impl Default for Growth {
    fn default() -> Self {
        Self {
            limit: Concurrency::START,
            previous: Concurrency::START,
            doubling: true,
            generation: 0,
            warm: false,
            fastest: None,
            round: Round::default(),
        }
    }
}

impl Growth {
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// As many requests are in flight as may be.
    pub(super) fn full(&mut self) {
        self.round.full = true;
    }

    /// A request of this generation was answered.
    pub(super) fn answered(&mut self, generation: u64, took: Duration, throttled: bool) {
        if throttled {
            if generation == self.generation {
                self.halve();
            }
            return;
        }
        self.round.answers += 1;
        self.round.took += took;
        if usize::try_from(self.round.answers).is_ok_and(|answers| answers >= self.limit) {
            let round = std::mem::take(&mut self.round);
            self.judge(round.took / round.answers.max(1), round.full);
        }
    }

    fn halve(&mut self) {
        self.limit = (self.limit / 2).max(1);
        self.previous = self.limit;
        self.doubling = false;
        self.generation += 1;
        self.round = Round::default();
    }

    fn judge(&mut self, mean: Duration, full: bool) {
        if !std::mem::replace(&mut self.warm, true) {
            return;
        }
        let fastest = self.fastest.map_or(mean, |fastest| fastest.min(mean));
        self.fastest = Some(fastest);
        // Answers of one kind differ by less than this; with twice the requests at a host that is busy already they
        // take twice as long.
        if mean > fastest.mul_f32(1.5) {
            // The last step brought nothing.
            self.limit = self.previous;
            self.doubling = false;
        } else if full && self.limit < Concurrency::CEILING {
            self.previous = self.limit;
            let step = if self.doubling { self.limit } else { 1 };
            self.limit = (self.limit + step).min(Concurrency::CEILING);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: Duration = Duration::from_millis(20);

    /// A round of full use in which every answer takes so long.
    fn round(growth: &mut Growth, took: Duration) {
        growth.full();
        for _ in 0..growth.limit() {
            growth.answered(growth.generation(), took, false);
        }
    }

    /// After the first round.
    fn warm() -> Growth {
        let mut growth = Growth::default();
        round(&mut growth, FAST * 10);
        growth
    }

    #[test]
    fn k04_it_grows_to_the_ceiling_while_answers_come_as_fast() {
        let mut growth = Growth::default();
        let mut limits = vec![growth.limit()];
        for _ in 0..6 {
            round(&mut growth, FAST);
            limits.push(growth.limit());
        }
        assert_eq!(limits, [8, 8, 16, 32, 64, 64, 64]);
    }

    #[test]
    fn k04_a_round_that_was_not_full_says_nothing() {
        let mut growth = Growth::default();
        for _ in 0..100 {
            growth.answered(0, FAST, false);
        }
        assert_eq!(growth.limit(), 8);
    }

    #[test]
    fn k04_it_stops_where_answers_come_slower() {
        let mut growth = warm();
        round(&mut growth, FAST);
        assert_eq!(growth.limit(), 16);
        // The host works on eight at once: with twice as many each waits as long again.
        round(&mut growth, FAST * 2);
        assert_eq!(growth.limit(), 8);
        for _ in 0..20 {
            let took = FAST * u32::try_from(growth.limit()).unwrap() / 8;
            round(&mut growth, took.max(FAST));
        }
        assert!((8..=13).contains(&growth.limit()), "{}", growth.limit());
    }

    #[test]
    fn k04_a_429_halves_once_for_all_requests_that_were_in_flight() {
        let mut growth = warm();
        round(&mut growth, FAST);
        round(&mut growth, FAST);
        assert_eq!(growth.limit(), 32);
        for _ in 0..10 {
            growth.answered(0, FAST, true);
        }
        assert_eq!((growth.limit(), growth.generation()), (16, 1));
        // Requests from after that are new evidence.
        growth.answered(1, FAST, true);
        assert_eq!(growth.limit(), 8);
        for generation in 2..10 {
            growth.answered(generation, FAST, true);
        }
        assert_eq!(growth.limit(), 1);
        // From now on it grows step by step.
        round(&mut growth, FAST);
        round(&mut growth, FAST);
        assert_eq!(growth.limit(), 3);
    }
}
