//! Which file of a package uses which, and which room uses which. A room is a file or a folder directly under `src`.
//! Re-exports are followed: who uses a name uses the file that defines it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::paths::{Import, Paths};

/// A module's path from the root of its package; the root itself is empty.
type Module = Vec<String>;

/// More steps than any chain of re-exports has; a circle of them ends here.
const RE_EXPORTS: usize = 16;

/// One package, read from its folder `src`.
#[derive(Debug, Default)]
pub struct Graph {
    modules: BTreeMap<Module, Source>,
}

#[derive(Debug)]
struct Source {
    file: String,
    text: String,
    paths: Paths,
}

/// From, to, and the names that are used.
pub type Edges = BTreeMap<(String, String), BTreeSet<String>>;

impl Graph {
    /// Reads the folder `src` of a package; files are named from `root` on.
    pub fn of_folder(root: &Path, src: &str) -> Self {
        let mut files = Vec::new();
        read(&root.join(src), "", &mut files);
        Self::of(src, files)
    }

    /// Takes the names of files below `src`, with their text.
    fn of(src: &str, files: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut graph = Self::default();
        for (name, text) in files {
            let paths = Paths::of(&text);
            let file = format!("{src}/{name}");
            graph
                .modules
                .insert(module(&name), Source { file, text, paths });
        }
        let for_tests: Vec<Module> = graph
            .modules
            .iter()
            .flat_map(|(parent, source)| {
                let children = source.paths.modules.iter().filter(|(_, tests)| **tests);
                children.map(|(name, _)| [parent.as_slice(), std::slice::from_ref(name)].concat())
            })
            .collect();
        let is_for_tests =
            |module: &Module| for_tests.iter().any(|tests| module.starts_with(tests));
        graph.modules.retain(|module, _| !is_for_tests(module));
        graph
    }

    pub fn rooms(&self) -> BTreeSet<String> {
        self.modules.keys().filter_map(room).collect()
    }

    /// The files of these rooms, without the tests at their end.
    pub fn code_of(&self, rooms: &BTreeSet<String>) -> impl Iterator<Item = (&str, &str)> {
        let files = self.modules.iter();
        files
            .filter(|(module, _)| room(module).is_some_and(|room| rooms.contains(&room)))
            .map(|(_, source)| {
                let code = source.text.split("#[cfg(test)]").next().unwrap_or_default();
                (source.file.as_str(), code)
            })
    }

    pub fn room_edges(&self) -> Edges {
        let mut edges = Edges::new();
        for (module, source) in &self.modules {
            let Some(from) = room(module) else { continue };
            for path in self.named(module, source) {
                // A name that the root re-exports belongs to the room that it comes from.
                let in_a_room = self.modules.contains_key(path.get(..1).unwrap_or_default());
                let target = if in_a_room {
                    path.clone()
                } else {
                    self.defining(&path).unwrap_or_default()
                };
                if let Some(to) = room(&target)
                    && to != from
                {
                    let used = format!("{}: {}", source.file, path.join("::"));
                    edges.entry((from.clone(), to)).or_default().insert(used);
                }
            }
        }
        edges
    }

    /// What a `mod.rs` or the root re-exports it only shows; that does not count as use.
    pub fn file_edges(&self) -> Edges {
        let mut edges = Edges::new();
        for (module, source) in &self.modules {
            for path in self.named(module, source) {
                let Some(target) = self.defining(&path) else {
                    continue;
                };
                if target != *module {
                    let to = self.modules[&target].file.clone();
                    let name = path.last().cloned().unwrap_or_default();
                    edges
                        .entry((source.file.clone(), to))
                        .or_default()
                        .insert(name);
                }
            }
        }
        edges
    }

    /// The paths that a module names, from the root on, without those of other packages.
    fn named(&self, module: &Module, source: &Source) -> BTreeSet<Module> {
        let shows = source.file.ends_with("mod.rs") || module.is_empty();
        let imports = source.paths.imports.iter();
        let used = imports.filter(|import| !(import.public && shows));
        let used = used.map(|import| (&import.segments, &import.inside));
        let mentions = source.paths.mentions.iter();
        let mentioned = mentions.map(|mention| (&mention.segments, &mention.inside));
        used.chain(mentioned)
            .filter_map(|(segments, inside)| self.absolute(module, inside, segments))
            .collect()
    }

    fn absolute(&self, module: &Module, inside: &[String], segments: &[String]) -> Option<Module> {
        let mut scope = [module.as_slice(), inside].concat();
        let mut rest = segments;
        let first = rest.first()?.as_str();
        if first == "crate" {
            return Some(rest[1..].to_vec());
        }
        if first != "super" && first != "self" {
            return self.relative(module, &scope, rest);
        }
        while let [first, then @ ..] = rest {
            match first.as_str() {
                "super" => drop(scope.pop()?),
                "self" => {}
                _ => break,
            }
            rest = then;
        }
        Some([scope.as_slice(), rest].concat())
    }

    /// A path that begins with a name: one that the file imports, or a module below it; else another package.
    fn relative(&self, module: &Module, scope: &Module, segments: &[String]) -> Option<Module> {
        let (first, rest) = segments.split_first()?;
        let imports = &self.modules.get(module)?.paths.imports;
        let named = |import: &&Import| import.name.as_ref() == Some(first);
        // `use draft::draft` does not name itself: its first part is the module.
        let other = |import: &&Import| import.segments.first() != Some(first);
        if let Some(import) = imports.iter().find(|import| named(import) && other(import)) {
            let start = self.absolute(module, &import.inside, &import.segments)?;
            return Some([start.as_slice(), rest].concat());
        }
        let path = [scope.as_slice(), segments].concat();
        let child = self.modules.contains_key(path.get(..=scope.len())?);
        child.then_some(path)
    }

    /// The module whose file defines what a path from the root names, or the last one on the way to it.
    fn defining(&self, path: &[String]) -> Option<Module> {
        let found = self.follow(path, RE_EXPORTS);
        found.or_else(|| Some(self.deepest(path)?.0.to_vec()))
    }

    fn deepest<'a>(&self, path: &'a [String]) -> Option<(&'a [String], &'a [String])> {
        (0..=path.len())
            .rev()
            .map(|end| path.split_at(end))
            .find(|(module, _)| self.modules.contains_key(*module))
    }

    fn follow(&self, path: &[String], steps: usize) -> Option<Module> {
        let steps = steps.checked_sub(1)?;
        let (module, rest) = self.deepest(path)?;
        let module = module.to_vec();
        let paths = &self.modules.get(&module)?.paths;
        let Some((name, after)) = rest.split_first() else {
            return Some(module);
        };
        if paths.defined.contains(name) {
            return Some(module);
        }
        paths.imports.iter().find_map(|import| {
            let rest = match &import.name {
                Some(imported) if imported == name => after,
                None if import.glob => rest,
                _ => return None,
            };
            let start = self.absolute(&module, &import.inside, &import.segments)?;
            self.follow(&[start.as_slice(), rest].concat(), steps)
        })
    }
}

/// Groups of nodes each of which uses, at some distance, each other one of its group.
pub fn circles(edges: &Edges) -> Vec<BTreeSet<String>> {
    let mut after: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, to) in edges.keys() {
        after.entry(from).or_default().insert(to);
    }
    let reached: BTreeMap<&str, BTreeSet<&str>> = after
        .keys()
        .map(|start| {
            let mut seen = BTreeSet::new();
            let mut next = vec![*start];
            while let Some(node) = next.pop() {
                for to in after.get(node).into_iter().flatten() {
                    if seen.insert(*to) {
                        next.push(to);
                    }
                }
            }
            (*start, seen)
        })
        .collect();
    let mut found: BTreeSet<BTreeSet<String>> = BTreeSet::new();
    for (node, seen) in reached.iter().filter(|(node, seen)| seen.contains(*node)) {
        let back = |other: &&&str| reached.get(**other).is_some_and(|seen| seen.contains(node));
        found.insert(
            seen.iter()
                .filter(back)
                .map(|&name| name.to_owned())
                .collect(),
        );
    }
    found.into_iter().collect()
}

fn module(file: &str) -> Module {
    let mut names: Module = file
        .trim_end_matches(".rs")
        .split('/')
        .map(str::to_owned)
        .collect();
    if names
        .last()
        .is_some_and(|name| matches!(name.as_str(), "mod" | "lib"))
    {
        names.pop();
    }
    names
}

fn room(module: &Module) -> Option<String> {
    module.first().filter(|name| *name != "main").cloned()
}

fn read(folder: &Path, prefix: &str, files: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            read(&entry.path(), &format!("{name}/"), files);
        } else if name.ends_with(".rs") {
            files.push((name, std::fs::read_to_string(entry.path()).unwrap()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Edges, Graph, circles};

    fn graph<const N: usize>(files: [(&str, &str); N]) -> Graph {
        Graph::of(
            "src",
            files.map(|(name, text)| (name.to_owned(), text.to_owned())),
        )
    }

    fn shown(edges: &Edges) -> Vec<String> {
        edges
            .keys()
            .map(|(from, to)| format!("{from} -> {to}").replace("src/", ""))
            .collect()
    }

    #[test]
    fn names_are_followed_to_the_file_that_defines_them() {
        let graph = graph([
            ("lib.rs", "mod net; mod run; pub use net::Client;"),
            (
                "net/mod.rs",
                "mod client; mod retry; pub use client::*; pub use self::retry::Plan as Retry;",
            ),
            (
                "net/client.rs",
                "use super::Retry; pub struct Client; fn f() { super::super::run::run() }",
            ),
            ("net/retry.rs", "pub struct Plan;"),
            (
                "run.rs",
                "use crate::{Client, net}; pub fn run() { net::Retry::new(); std::fs::read(); }",
            ),
        ]);
        assert_eq!(
            shown(&graph.file_edges()),
            [
                "net/client.rs -> net/retry.rs",
                "net/client.rs -> run.rs",
                "run.rs -> net/client.rs",
                "run.rs -> net/mod.rs",
                "run.rs -> net/retry.rs",
            ]
        );
        assert_eq!(shown(&graph.room_edges()), ["net -> run", "run -> net"]);
    }

    #[test]
    fn what_a_mod_rs_uses_itself_counts_and_what_it_shows_does_not() {
        let graph = graph([
            (
                "a/mod.rs",
                "mod b; mod c; pub use b::B; use c::C; pub const LIMIT: u8 = 1;",
            ),
            ("a/b.rs", "use super::{C, LIMIT}; pub struct B;"),
            ("a/c.rs", "pub struct C;"),
        ]);
        assert_eq!(
            shown(&graph.file_edges()),
            [
                "a/b.rs -> a/c.rs",
                "a/b.rs -> a/mod.rs",
                "a/mod.rs -> a/c.rs"
            ]
        );
    }

    #[test]
    fn modules_within_a_file_are_part_of_it() {
        let graph = graph([
            (
                "a.rs",
                "mod inner { use super::super::b::B; use crate::b; fn f() { b::g(); super::f() } } fn f() {}",
            ),
            ("b.rs", "pub struct B; pub fn g() { crate::a::inner::f() }"),
            ("main.rs", "use package::run; fn main() { run() }"),
        ]);
        assert_eq!(shown(&graph.file_edges()), ["a.rs -> b.rs", "b.rs -> a.rs"]);
    }

    #[test]
    fn files_of_tests_are_left_out() {
        let graph = graph([
            ("a.rs", "#[cfg(test)] mod checks;"),
            ("a/checks.rs", "use crate::b::B;"),
            ("b.rs", "use crate::a::A;"),
        ]);
        assert_eq!(shown(&graph.file_edges()), ["b.rs -> a.rs"]);
    }

    #[test]
    fn circles_of_any_length_are_found() {
        let edges = |pairs: &[(&str, &str)]| -> Edges {
            let pair = |(a, b): &(&str, &str)| (((*a).to_owned(), (*b).to_owned()), [].into());
            pairs.iter().map(pair).collect()
        };
        for (pairs, found) in [
            (vec![("a", "b"), ("b", "c"), ("a", "c")], vec![]),
            (vec![("a", "b"), ("b", "a"), ("c", "a")], vec!["a b"]),
            (
                vec![
                    ("a", "b"),
                    ("b", "c"),
                    ("c", "a"),
                    ("c", "d"),
                    ("d", "e"),
                    ("e", "d"),
                ],
                vec!["a b c", "d e"],
            ),
        ] {
            let circles: Vec<String> = circles(&edges(&pairs))
                .into_iter()
                .map(|names| names.into_iter().collect::<Vec<_>>().join(" "))
                .collect();
            assert_eq!(circles, found, "{pairs:?}");
        }
    }
}
