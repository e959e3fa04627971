//! The map of rooms, as the documentation of `src/lib.rs` has it.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug)]
pub struct Map {
    pub rooms: BTreeMap<String, Room>,
}

#[derive(Debug, Eq, PartialEq)]
pub struct Room {
    /// What it is for, without the full stop.
    pub purpose: String,
    pub is_pure: bool,
    pub uses: BTreeSet<String>,
}

impl Map {
    /// Reads items of the form ``- `NAME`: PURPOSE. Uses `NAME`, `NAME`.``, which may take several lines.
    pub fn of(text: &str) -> Self {
        let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
        let mut items: Vec<String> = Vec::new();
        for line in lines {
            if line.starts_with(" - `") {
                items.push(line.trim().to_owned());
            } else if let Some(item) = items.last_mut() {
                *item += " ";
                *item += line.trim();
            }
        }
        let rooms = items.iter().map(|item| room(item)).collect();
        Self { rooms }
    }
}

fn room(item: &str) -> (String, Room) {
    let (name, rest) = item[3..].split_once("`: ").unwrap();
    let (purpose, uses) = rest.split_once(". Uses ").unwrap_or((rest, ""));
    let purpose = purpose.trim_end().trim_end_matches('.').to_owned();
    let room = Room {
        is_pure: purpose.ends_with("; pure"),
        purpose,
        // Every other part stands between backticks.
        uses: uses
            .split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect(),
    };
    (name.to_owned(), room)
}

#[cfg(test)]
mod tests {
    use super::{Map, Room};

    #[test]
    fn items_are_read_over_several_lines() {
        let map = Map::of(
            "//! A package.\n//!\n//! - `a`: what it is\n//!   for; pure.\n//!   Uses `b`,\n//!   `c`.\n//! - `b`: less.\n\nmod a;\n",
        );
        let room = |purpose: &str, is_pure, uses: &[&str]| Room {
            purpose: purpose.to_owned(),
            is_pure,
            uses: uses.iter().map(|&name| name.to_owned()).collect(),
        };
        assert_eq!(
            map.rooms.into_iter().collect::<Vec<_>>(),
            [
                (
                    "a".to_owned(),
                    room("what it is for; pure", true, &["b", "c"])
                ),
                ("b".to_owned(), room("less", false, &[])),
            ]
        );
    }
}
