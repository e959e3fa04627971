//! What a reading may cost: as much more as the file is longer, within bounds, and not after the deadline.

use std::{cell::Cell, fs};

use acr_sign::{
    Exit,
    manifests::{Options, Parameters, read},
    reason::{Explain as _, Reason},
};

use super::reading;
use crate::world::World;

fn many(count: usize) -> String {
    let mut text = "apiVersion: apps.example.test/v1\nkind: Many\nspec:\n".to_owned();
    for number in 0..count {
        text.push_str(&format!("  - image: a.azurecr.io/app-{number}:1\n"));
    }
    text
}

#[test]
fn work_grows_with_the_file() {
    let small = reading("x.yaml", &many(2_000)).unwrap();
    let large = reading("x.yaml", &many(20_000)).unwrap();
    assert_eq!((small.found.len(), large.found.len()), (2_000, 20_000));
    assert!(
        large.steps <= 10 * small.steps,
        "{} {}",
        small.steps,
        large.steps
    );
}

#[test]
fn the_bound_on_images_ends_the_reading() {
    let parameters = Parameters::default();
    let options = Options {
        images: 100,
        ..Options::new(&parameters)
    };
    let error = read("x.yaml", &many(20_000), &options).unwrap_err();
    assert_eq!(error.problem.line, 104);
    assert!(
        error.to_string().contains("more than 100 images"),
        "{error}"
    );
    assert!(read("x.yaml", &many(100), &options).is_ok());
}

/// Whatever a file is, the clock is looked at while it is read, and ends it.
#[test]
fn the_deadline_ends_the_reading_of_every_kind() {
    let list =
        |name: &str, item: &str| format!("{name}:\n{}", format!("- {item}\n").repeat(20_000));
    let volumes = "    - {type: bind, source: a, target: b}\n".repeat(20_000);
    let resources = "{\"type\": \"a/b\", \"x\": 1},".repeat(20_000);
    for (file, text) in [
        ("x.yaml", many(20_000)),
        ("x.yaml", list("a", "{b: c}")),
        ("kustomization.yaml", list("resources", "a.yaml")),
        (
            "x.yaml",
            "- {op: remove, path: /metadata/labels/x}\n".repeat(20_000),
        ),
        (
            "compose.yaml",
            format!("services:\n  a:\n    image: a\n    volumes:\n{volumes}"),
        ),
        (
            "x.json",
            format!(
                "{{\"contentVersion\": \"1\", \"resources\": [{}]}}",
                resources.trim_end_matches(',')
            ),
        ),
    ] {
        let parameters = Parameters::default();
        let asked = Cell::new(0);
        let is_over = || {
            asked.set(asked.get() + 1);
            asked.get() > 10
        };
        let options = Options {
            is_over: &is_over,
            ..Options::new(&parameters)
        };
        let error = read(file, &text, &options).map(|_| ()).unwrap_err();
        assert_eq!(error.reason(), Reason::Timeout, "{file}: {error}");
        assert_eq!(asked.get(), 11, "{file}");
    }
}

#[test]
fn a_run_whose_time_is_over_reads_no_manifests() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.yaml");
    fs::write(&path, many(5_000)).unwrap();
    let outcome = world.run(&format!(
        "verify --timeout 1ms --manifests {} --format dct --root {}",
        path.display(),
        "0".repeat(64)
    ));
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["timeout"]),
        "{}",
        outcome.stderr
    );
    assert_eq!(world.sandbox.log().len(), 0);
}

/// Values of ARM that double each other, and expressions inside of each other.
#[test]
fn expressions_make_no_endless_work() {
    let mut variables = vec!["\"v0\": \"x\"".to_owned()];
    for level in 1..30 {
        let before = format!("variables('v{}')", level - 1);
        variables.push(format!("\"v{level}\": \"[concat({before}, {before})]\""));
    }
    variables
        .push("\"a\": \"[join(variables('b'), '')]\", \"b\": [\"[variables('a')]\"]".to_owned());
    let deep = format!("[{}'x'{}]", "concat(".repeat(5_000), ")".repeat(5_000));
    for image in ["[variables('v29')]", "[variables('a')]", deep.as_str()] {
        let text = format!(
            "{{\"contentVersion\": \"1\", \"variables\": {{{}}}, \"resources\": [{{\"type\": \"a/b\", \"image\": \"{image}\"}}]}}",
            variables.join(", ")
        );
        assert!(reading("x.json", &text).is_err());
    }
}
