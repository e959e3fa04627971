//! The hosts that owe an answer, for whoever shows what a run waits for.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// How many answers each host owes.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<BTreeMap<String, usize>>);

/// One answer that is owed; dropping it says that it came, or is not waited for any more.
pub(super) struct Owed<'a> {
    waiting: &'a Waiting,
    host: String,
}

impl Waiting {
    /// From now on `host` owes one answer more.
    pub(super) fn owes(&self, host: String) -> Owed<'_> {
        self.change(|hosts| *hosts.entry(host.clone()).or_default() += 1);
        Owed {
            waiting: self,
            host,
        }
    }

    /// The hosts, the one that owes most first.
    pub(super) fn hosts(&self) -> Vec<String> {
        let mut hosts = Vec::new();
        self.change(|owed| hosts.extend(owed.iter().map(|(host, count)| (*count, host.clone()))));
        hosts.sort_by(|(one, _), (other, _)| other.cmp(one));
        hosts.into_iter().map(|(_, host)| host).collect()
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<String, usize>)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for Owed<'_> {
    fn drop(&mut self) {
        self.waiting.change(|hosts| {
            if let Some(count) = hosts.get_mut(&self.host) {
                *count -= 1;
                if *count == 0 {
                    hosts.remove(&self.host);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_owes_most_is_named_first() {
        let waiting = Waiting::default();
        let one = waiting.owes("a".to_owned());
        let more = ["b", "b"].map(|host| waiting.owes(host.to_owned()));
        assert_eq!(waiting.hosts(), ["b", "a"]);
        drop(more);
        assert_eq!(waiting.hosts(), ["a"]);
        drop(one);
        assert!(waiting.hosts().is_empty());
    }
}
