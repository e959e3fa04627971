//! The map in `src/lib.rs`, held by reading the code: which room may use which, which are pure, and that no files use each
//! other in a circle.

mod graph;
mod map;
mod paths;

use std::{collections::BTreeSet, path::Path, sync::LazyLock};

use self::{
    graph::{Edges, Graph, circles},
    map::Map,
};

static PRODUCT: LazyLock<Graph> = LazyLock::new(|| graph_of("src"));
static SANDBOX: LazyLock<Graph> = LazyLock::new(|| graph_of("sandbox/src"));

fn graph_of(folder: &str) -> Graph {
    Graph::of_folder(Path::new(env!("CARGO_MANIFEST_DIR")), folder)
}

fn map() -> Map {
    Map::of(include_str!("../../../src/lib.rs"))
}

#[test]
fn the_map_names_every_room() {
    let named: BTreeSet<String> = map().rooms.into_keys().collect();
    assert_eq!(named, PRODUCT.rooms());
}

#[test]
fn contributing_shows_the_map() {
    let page = include_str!("../../../CONTRIBUTING.md");
    for (name, room) in map().rooms {
        let row = format!("| `{name}` | {} |", room.purpose);
        assert!(page.contains(&row), "CONTRIBUTING.md has no row {row}");
    }
}

#[test]
fn each_room_uses_only_what_the_map_allows() {
    let map = map();
    let mut wrong: Edges = PRODUCT.room_edges();
    wrong.retain(|(from, to), _| !map.rooms[from].uses.contains(to));
    assert!(
        wrong.is_empty(),
        "not allowed by the map in src/lib.rs: {wrong:#?}"
    );
}

#[test]
fn the_map_has_no_circles() {
    let rooms = map().rooms;
    let allowed = rooms.iter().flat_map(|(from, room)| {
        let edge = |to: &String| ((from.clone(), to.clone()), BTreeSet::new());
        room.uses.iter().map(edge)
    });
    assert_eq!(circles(&allowed.collect()), [] as [BTreeSet<String>; 0]);
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let mut edges = PRODUCT.file_edges();
    edges.extend(SANDBOX.file_edges());
    let circles = circles(&edges);
    edges.retain(|(from, to), _| {
        let within = |circle: &BTreeSet<String>| circle.contains(from) && circle.contains(to);
        circles.iter().any(within)
    });
    assert!(edges.is_empty(), "files that use each other: {edges:#?}");
}

#[test]
fn pure_rooms_touch_nothing() {
    let impure = [
        "async fn",
        "tokio",
        "reqwest",
        "std::fs",
        "std::env",
        "SystemTime",
        "now_utc",
        "println!",
        "std::net::Tcp",
        "std::process",
    ];
    let pure = map().rooms.into_iter().filter(|(_, room)| room.is_pure);
    let pure: BTreeSet<String> = pure.map(|(name, _)| name).collect();
    assert_eq!(pure.len(), 6, "{pure:?}");
    for (file, code) in PRODUCT.code_of(&pure) {
        for name in impure {
            let named = code
                .lines()
                .any(|line| line.contains(name) && !line.trim_start().starts_with("//"));
            assert!(!named, "{file} names {name}");
        }
    }
}
