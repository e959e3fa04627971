//! How many members of `at-least` can be counted when no key counts twice: the largest assignment of keys to members.

use std::collections::BTreeMap;

/// The most members that can each be given a key of its own; each member lists the keys that it may take.
pub(super) fn largest<K: Ord>(members: &[Vec<K>]) -> usize {
    let mut numbers: BTreeMap<&K, usize> = BTreeMap::new();
    for key in members.iter().flatten() {
        let next = numbers.len();
        numbers.entry(key).or_insert(next);
    }
    let edges: Vec<Vec<usize>> = members
        .iter()
        .map(|keys| {
            keys.iter()
                .filter_map(|key| numbers.get(key).copied())
                .collect()
        })
        .collect();
    let mut holder: Vec<Option<usize>> = vec![None; numbers.len()];
    (0..edges.len())
        .filter(|member| {
            give(
                *member,
                &edges,
                &mut holder,
                &mut vec![false; numbers.len()],
            )
        })
        .count()
}

/// Gives `member` a key, moving others to another of theirs where need be; each key is tried once.
fn give(
    member: usize,
    edges: &[Vec<usize>],
    holder: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    for &key in edges.get(member).into_iter().flatten() {
        if tried.get(key).copied().unwrap_or(true) {
            continue;
        }
        if let Some(tried) = tried.get_mut(key) {
            *tried = true;
        }
        let free = match holder.get(key).copied().flatten() {
            None => true,
            Some(other) => give(other, edges, holder, tried),
        };
        if free {
            if let Some(holder) = holder.get_mut(key) {
                *holder = Some(member);
            }
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_assignment_counts() {
        for (members, expected) in [
            (vec![], 0),
            (vec![vec![]], 0),
            (vec![vec![1]], 1),
            (vec![vec![1], vec![1]], 1),
            (vec![vec![1], vec![2]], 2),
            (vec![vec![1, 1], vec![1]], 1),
            // Whoever comes first must not keep the only key of the next.
            (vec![vec![1, 2], vec![1]], 2),
            (vec![vec![1, 2], vec![2, 3], vec![1]], 3),
            (vec![vec![1, 2], vec![1], vec![2]], 2),
            (vec![vec![3, 1], vec![1, 2], vec![3], vec![2, 1]], 3),
            (vec![vec![1, 2, 3], vec![1, 2, 3], vec![1], vec![2]], 3),
        ] {
            assert_eq!(largest(&members), expected, "{members:?}");
        }
    }

    #[test]
    fn it_is_the_largest_of_all_assignments() {
        // Three members over three keys, every way: against trying all assignments.
        fn best(members: &[Vec<u8>], used: u8) -> usize {
            let Some((first, rest)) = members.split_first() else {
                return 0;
            };
            let without = best(rest, used);
            let with = first
                .iter()
                .filter(|key| used & (1 << **key) == 0)
                .map(|key| 1 + best(rest, used | (1 << key)));
            with.chain([without]).max().unwrap()
        }
        let keys = |mask: usize| {
            (0..3_u8)
                .filter(|key| mask & (1 << key) != 0)
                .collect::<Vec<u8>>()
        };
        for number in 0..8 * 8 * 8 {
            let members = vec![keys(number & 7), keys((number >> 3) & 7), keys(number >> 6)];
            assert_eq!(largest(&members), best(&members, 0), "{members:?}");
        }
    }
}
