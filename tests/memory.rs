//! How much memory large work takes, counted by the allocator and not by a clock or the machine. Each test runs
//! in a process of its own, so that nothing else is counted.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test fails by panicking, and says what it counted"
)]

#[path = "../benches/collection/mod.rs"]
mod collection;
#[path = "it/world.rs"]
#[allow(
    dead_code,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "shared with the other tests"
)]
mod world;

use std::process::Command;

use acr_sign::{
    Exit, Process,
    manifests::{Options, Parameters, SIZE_LIMIT, read},
    run,
};
use peak_alloc::PeakAlloc;

use self::{
    collection::Collection,
    world::{REPOSITORY, World},
};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

const ALONE: &str = "ACR_SIGN_TEST_ALONE";
const LINE: &str = "ACR_SIGN_TEST_LINE";
const MB: usize = 1_000_000;

/// Runs one test of this program again, in a process with these variables.
fn alone(test: &str, variables: &[(String, String)]) {
    let own = std::env::current_exe().unwrap();
    let mut command = Command::new(own);
    command
        .args(["--exact", test, "--nocapture"])
        .env(ALONE, "1")
        .envs(variables.iter().cloned());
    assert!(command.status().unwrap().success(), "{test}");
}

/// The most that was allocated while `work` ran.
fn peak(work: impl FnOnce()) -> usize {
    HEAP.reset_peak_usage();
    work();
    HEAP.peak_usage()
}

#[test]
fn one_more_tag_in_60_000_takes_less_than_150_mb() {
    if std::env::var_os(ALONE).is_none() {
        return alone("one_more_tag_in_60_000_takes_less_than_150_mb", &[]);
    }
    let collection = Collection::new(60_000).unwrap();
    let bytes = collection.files["targets"].len();
    let verify = peak(|| assert!(collection.load().is_some()));
    let sign = peak(|| assert_eq!(collection.sign_one_more(), Some(2)));
    println!(
        "60,000 tags, {bytes} bytes: at most {} kB to verify, {} kB to sign one more",
        verify / 1000,
        sign / 1000
    );
    assert!(bytes > 5 * MB, "{bytes}");
    assert!(sign < 150 * MB && verify < 150 * MB, "{verify} {sign}");
}

#[test]
fn signing_1_000_images_takes_less_than_40_mb() {
    if let Ok(line) = std::env::var(LINE) {
        let arguments = std::iter::once("acr-sign").chain(line.split_whitespace());
        let mut exit = Exit::Undecided;
        let sign = peak(|| {
            let mut process = Process {
                stdout: Box::new(std::io::sink()),
                ..Process::real()
            };
            exit = run(arguments.map(Into::into), &mut process);
        });
        println!("1,000 images: at most {} kB", sign / 1000);
        assert_eq!(exit, Exit::Done);
        // The program itself, its stacks and what the allocator keeps take the rest of 40 MB.
        return assert!(sign < 20 * MB, "{sign}");
    }
    let (world, root) = World::initialised();
    let digest = world.sandbox.registry().digest("shop/web", "1.0").unwrap();
    let tags: Vec<String> = (0..1_000).map(|number| format!("t{number}")).collect();
    for tag in &tags {
        world.sandbox.registry().retag("shop/web", &digest, tag);
    }
    let images: Vec<String> = tags
        .iter()
        .map(|tag| format!("{REPOSITORY}:{tag}"))
        .collect();
    let line = format!(
        "sign {} --format dct --key akv:contoso/keys/release --root {root}",
        images.join(" ")
    );
    let mut variables = world.environment.clone();
    variables.push((LINE.to_owned(), line));
    alone("signing_1_000_images_takes_less_than_40_mb", &variables);
    assert_eq!(world.verify("t999", &root).exit, Exit::Done);
}

/// Each as large as a manifest may be.
#[test]
fn hostile_manifests_take_less_than_300_mb() {
    if std::env::var_os(ALONE).is_none() {
        return alone("hostile_manifests_take_less_than_300_mb", &[]);
    }
    let size = usize::try_from(SIZE_LIMIT).unwrap();
    let filled = |before: &str, piece: &str| {
        let mut text = before.to_owned();
        while text.len() + piece.len() < size {
            text.push_str(piece);
        }
        text
    };
    let head = "apiVersion: x.test/v1\nkind: X\nspec:\n";
    for (file, text) in [
        ("x.yaml", filled(head, "- image: a.azurecr.io/app:1\n")),
        ("x.yaml", filled(head, "- {}\n")),
        ("x.yaml", filled(head, "- {a: {}}\n")),
        ("x.yaml", filled(head, "- &a x\n")),
        ("x.yaml", filled(head, "- 'x'\n")),
        ("x.yaml", filled("a: [", "[],")),
        ("x.yaml", filled("a: \"", "\\u00e4")),
        ("x.json", filled("", "{\"a\":{}}")),
        ("kustomization.yaml", filled("resources:\n", "- a\n")),
        ("compose.yaml", filled("services:\n", "  ? a\n")),
    ] {
        let parameters = Parameters::default();
        let most = peak(|| {
            let _ = read(file, &text, &Options::new(&parameters));
        });
        println!("{file}: {} kB", most / 1000);
        assert!(most < 300 * MB, "{file}: {most}");
    }
}
