//! Every `az` command that the documentation and the program's hints show, through azure-cli's own parser: what people
//! paste must at least be a command. Whether it mends what it is said to mend is shown against the sandbox.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Ran, run};
use crate::stack::{peers, script};

fn az_commands(arguments: &[PathBuf]) -> Ran {
    let mut python = Command::new(peers().join("az-venv/bin/python"));
    python.arg(script("az_commands.py")).args(arguments);
    python.current_dir(env!("CARGO_MANIFEST_DIR"));
    run(python)
}

/// The files below a folder, in order.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("it can be listed").path())
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            files(&path, found);
        } else if path
            .extension()
            .is_some_and(|kind| kind == "md" || kind == "txt")
        {
            found.push(path);
        }
    }
}

#[test]
fn az_takes_every_command_that_is_shown() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut shown = vec![root.join("README.md")];
    for folder in ["docs", "tests/it/snapshots"] {
        files(&root.join(folder), &mut shown);
    }
    let ran = az_commands(&shown).ok();
    let checked = ran
        .stdout
        .split(' ')
        .next()
        .and_then(|count| count.parse::<usize>().ok());
    assert!(checked.is_some_and(|count| count > 40), "{}", ran.stdout);
}

#[test]
fn az_refuses_commands_that_are_wrong() {
    az_commands(&["--self-test".into()])
        .ok()
        .says("4 right and 8 wrong commands");
}
