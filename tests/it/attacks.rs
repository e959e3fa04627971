//! `docs/attacks.md` against the code: every ID that is cited has a row, and every row names tests that exist.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

const PAGE: &str = "docs/attacks.md";

/// How many tests a row names; `git grep` finds the others.
const NAMED: usize = 3;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The program's sources and tests, those of `tests/it` first.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = [
        "tests/it",
        "tests/interop",
        "tests/host",
        "src",
        "sandbox/src",
    ]
    .map(|folder| root().join(folder))
    .to_vec();
    folders.reverse();
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).unwrap();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|end| end == "rs" || end == "js")
            {
                found.push(path);
            }
        }
    }
    found
}

/// An ID such as `T05`: one of the letters of the page, and two digits.
fn is_id(word: &str) -> bool {
    let mut bytes = word.bytes();
    word.len() == 3
        && bytes
            .next()
            .is_some_and(|letter| b"TNKPGDCLMH".contains(&letter))
        && bytes.all(|byte| byte.is_ascii_digit())
}

fn cited(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| is_id(word))
}

/// The functions of a file whose names begin with IDs, such as `t04_t05_name`.
fn tests(text: &str) -> impl Iterator<Item = (Vec<String>, &str)> {
    text.split("fn ").skip(1).filter_map(|rest| {
        let name = rest.split(['(', '<']).next()?;
        let ids: Vec<String> = name
            .split('_')
            .map(str::to_ascii_uppercase)
            .take_while(|word| is_id(word))
            .collect();
        (!ids.is_empty()).then_some((ids, name))
    })
}

/// The names of all functions, and the titles of the tests of the wrappers: what a row may name.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let functions = text
        .split("fn ")
        .skip(1)
        .filter_map(|rest| rest.split(['(', '<']).next());
    let titles = text
        .split("\ntest('")
        .skip(1)
        .filter_map(|rest| rest.split("', ").next());
    functions.chain(titles)
}

/// The rows of the page: ID, and the names in the last cell.
fn rows(page: &str) -> BTreeMap<&str, Vec<&str>> {
    let table = page.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split(" | ").collect();
        let id = cells.first()?.strip_prefix("| ")?;
        let names = cells.last()?.split('`').skip(1).step_by(2).collect();
        is_id(id).then_some((id, names))
    });
    table.collect()
}

/// The page with the tests that have an ID in their name; what people wrote stays.
fn updated(page: &str, by_id: &BTreeMap<String, Vec<String>>) -> String {
    page.lines()
        .map(|line| {
            let cells: Vec<&str> = line.split(" | ").collect();
            let names = line.get(2..5).and_then(|id| by_id.get(id));
            match (cells.as_slice(), names) {
                ([id, attack, prevents, ..], Some(names)) => {
                    let names = names.iter().take(NAMED).map(|name| format!("`{name}`"));
                    let names = names.collect::<Vec<_>>().join(", ");
                    format!("{id} | {attack} | {prevents} | {names} |\n")
                }
                _ => format!("{line}\n"),
            }
        })
        .collect()
}

#[test]
fn every_attack_that_is_cited_has_a_row_and_every_row_has_its_tests() {
    let (mut ids, mut by_id) = (BTreeSet::new(), BTreeMap::<String, Vec<String>>::new());
    let mut known = BTreeSet::new();
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        ids.extend(cited(&text).map(str::to_owned));
        known.extend(names(&text).map(str::to_owned));
        for (of, name) in tests(&text) {
            for id in of {
                ids.insert(id.clone());
                by_id.entry(id).or_default().push(name.to_owned());
            }
        }
    }
    let path = root().join(PAGE);
    let mut page = fs::read_to_string(&path).unwrap();
    if std::env::var_os("ACR_SIGN_UPDATE").is_some() {
        page = updated(&page, &by_id);
        fs::write(&path, &page).unwrap();
    }
    let rows = rows(&page);
    let missing: Vec<&String> = ids
        .iter()
        .filter(|id| !rows.contains_key(id.as_str()))
        .collect();
    assert!(missing.is_empty(), "{PAGE} has no row for {missing:?}");
    for (id, names) in rows {
        assert!(!names.is_empty(), "{PAGE}: no test for {id}");
        for name in names {
            assert!(
                known.contains(name),
                "{PAGE}: {id} names `{name}`, which does not exist; ACR_SIGN_UPDATE=1 lists the tests that have the ID"
            );
        }
    }
}
