//! Images with several signatures: which count, which are looked at, and how many.

use acr_sandbox::{Action, Fault};
use acr_sign::Exit;

use super::notation_gate::{IMAGE, TYPE, pinned, registry_requests, signed, verify, world};
use crate::world::REPOSITORY;

#[test]
fn n03_what_arrives_damaged_is_not_found_out() {
    let world = signed();
    for (path, action) in [
        ("/manifests/sha256:", Action::FlipBit),
        ("/blobs/", Action::FlipBit),
        ("/blobs/", Action::Status(404)),
        ("/referrers/", Action::Status(500)),
    ] {
        world.sandbox.clear_faults();
        world
            .sandbox
            .fault(Fault::new(action.clone()).method("GET").path(path));
        let outcome = pinned(&world, "--retries 0");
        assert_eq!(
            outcome.exit,
            Exit::Undecided,
            "{path} {action:?}: {}",
            outcome.stderr
        );
        assert!(outcome.stdout.is_empty());
    }
}

#[test]
fn n01_n02_junk_does_not_hide_a_good_signature_and_is_looked_at_with_a_bound() {
    let world = signed();
    let digest = world.sandbox.registry().digest("shop/web", "1.0").unwrap();
    let bytes = world
        .sandbox
        .registry()
        .manifest("shop/web", &digest)
        .unwrap();
    let image = acr_sandbox::Pushed {
        digest,
        bytes,
        media_type: "application/vnd.oci.image.index.v1+json".into(),
    };
    for number in 0..500 {
        world
            .sandbox
            .registry()
            .push_referrer("shop/web", &image, TYPE, &number.to_string());
    }
    world.sandbox.clear_log();
    let outcome = pinned(&world, "--quiet");
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    // The image, five pages, and one manifest for each of fifty, with one envelope.
    assert!(
        registry_requests(&world) <= 1 + 6 + 50 + 1,
        "{}",
        registry_requests(&world)
    );
    let outcome = verify(&world, "--certificate akv:contoso/certificates/other");
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["limit-reached"])
    );
}

#[test]
fn n01_a_list_without_end_is_not_found_out_although_it_shows_no_signature() {
    let world = signed();
    let empty = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    for page in 0..100 {
        let headers = vec![
            (
                "content-type".to_owned(),
                "application/vnd.oci.image.index.v1+json".to_owned(),
            ),
            (
                "link".to_owned(),
                format!("</v2/shop/web/referrers/sha256:0?page={page}>; rel=\"next\""),
            ),
        ];
        let action = Action::Answer {
            status: 200,
            headers,
            body: empty.into(),
        };
        world
            .sandbox
            .fault(Fault::new(action).path("/referrers/").nth(page + 1));
    }
    let outcome = pinned(&world, "");
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["limit-reached"]),
        "{}",
        outcome.stderr
    );
}

#[test]
fn of_signatures_that_fail_alike_the_newest_is_told() {
    let world = world();
    for ahead in [0, 60, 120] {
        let line = format!(
            "sign {IMAGE} --format notation --key akv:contoso/certificates/signer --force --expiry 1h"
        );
        assert_eq!(world.run_at(&line, Some(ahead)).exit, Exit::Done);
    }
    let line = format!(
        "verify {IMAGE} --format notation --certificate akv:contoso/certificates/signer --output json"
    );
    let image = world.run_at(&line, Some(7_200)).json()["images"][0].clone();
    let ends: Vec<&str> = image["signatures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["expiresAt"].as_str().unwrap())
        .collect();
    assert!(ends.is_sorted_by(|newer, older| newer > older), "{ends:?}");
    let message = image["message"].as_str().unwrap();
    assert!(
        message.contains(ends[0]) && message.contains("2 more signatures are not accepted"),
        "{message}"
    );
}

#[test]
fn of_signatures_that_fail_what_may_yet_be_good_is_told_and_else_what_came_furthest() {
    let world = world();
    let key = "--format notation --key akv:contoso/certificates/signer --force";
    // The older one carries what is asked for, and has ended; the newer one lacks it.
    for (ahead, more) in [(0, "--expiry 1h --annotation team=shop"), (60, "")] {
        assert_eq!(
            world
                .run_at(&format!("sign {IMAGE} {key} {more}"), Some(ahead))
                .exit,
            Exit::Done
        );
    }
    let trust =
        "--format notation --certificate akv:contoso/certificates/signer --annotation team=shop";
    let line = format!("verify {IMAGE} {trust} --retries 0");
    let outcome = world.run_at(&line, Some(7_200));
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["expired"]),
        "{}",
        outcome.stderr
    );
    for nth in [1, 2] {
        world.sandbox.clear_faults();
        world.sandbox.fault(
            Fault::new(Action::Status(403))
                .method("GET")
                .path("/blobs/")
                .nth(nth),
        );
        let outcome = world.run_at(&line, Some(7_200));
        assert_eq!(
            (outcome.exit, outcome.reasons().len()),
            (Exit::Undecided, 1),
            "{nth}: {}",
            outcome.stderr
        );
    }
}

#[test]
fn images_with_many_signatures_share_what_is_asked_at_once() {
    let world = world();
    let images: Vec<String> = (0..4)
        .map(|number| format!("{REPOSITORY}:t{number}"))
        .collect();
    for number in 0..4 {
        world.sandbox.registry().push_image(
            "shop/web",
            &format!("t{number}"),
            &format!("image {number}"),
        );
    }
    let images = images.join(" ");
    for _ in 0..6 {
        let line =
            format!("sign {images} --format notation --key akv:contoso/certificates/other --force");
        assert_eq!(world.run(&line).exit, Exit::Done);
    }
    world.sandbox.clear_log();
    world
        .sandbox
        .set_latency(std::time::Duration::from_millis(20));
    let trust = "--format notation --certificate akv:contoso/certificates/signer --concurrency 4";
    let outcome = world.run(&format!("verify {images} {trust}"));
    assert_eq!(
        (outcome.exit, outcome.reasons().len()),
        (Exit::Rejected, 4),
        "{}",
        outcome.stderr
    );
    let asked = world.sandbox.log();
    let asked: Vec<_> = asked
        .iter()
        .filter(|entry| entry.path.starts_with("/v2/shop/"))
        .collect();
    let in_flight = |at: u64| {
        asked
            .iter()
            .filter(|entry| entry.started <= at && at < entry.ended)
            .count()
    };
    let most = asked
        .iter()
        .map(|entry| in_flight(entry.started))
        .max()
        .unwrap();
    assert!((2..=4).contains(&most), "{most} of {} at once", asked.len());
}
