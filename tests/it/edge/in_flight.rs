//! How many requests are in flight at once: one bound over everything that a run does, and one that is found out
//! for each host (K04).

use std::time::Duration;

use acr_sandbox::{Entry, KeyKind, Service};
use acr_sign::Exit;

use crate::world::World;

/// The most requests that had been received and not answered at one time.
fn peak(entries: &[Entry]) -> usize {
    let mut events: Vec<(u64, bool)> = entries
        .iter()
        .flat_map(|entry| [(entry.started, true), (entry.ended, false)])
        .filter(|(event, _)| *event > 0)
        .collect();
    events.sort_unstable();
    let (mut now, mut most) = (0_usize, 0);
    for (_, begins) in events {
        now = if begins {
            now + 1
        } else {
            now.saturating_sub(1)
        };
        most = most.max(now);
    }
    most
}

/// A world with so many repositories of one image each; gives their references as well.
fn world(repositories: usize) -> (World, String) {
    let world = World::new();
    world.sandbox.vault().create_certificate(
        "signer",
        KeyKind::P256,
        "CN=signer,O=Contoso,ST=WA,C=US",
    );
    let images: Vec<String> = (0..repositories)
        .map(|number| {
            let name = format!("shop/app{number}");
            world.sandbox.registry().push_image(&name, "1", &name);
            format!("contoso.azurecr.io/{name}:1")
        })
        .collect();
    (world, images.join(" "))
}

/// A gate over all images, none of which is signed: reading is all it does.
fn gate(world: &World, images: &str, more: &str) -> Vec<Entry> {
    let outcome = world.run(&format!(
        "verify {images} --format notation --certificate akv:contoso/certificates/signer --timeout 120s {more}"
    ));
    assert_eq!(outcome.exit, Exit::Rejected, "{}", outcome.stderr);
    assert!(
        outcome.reasons().iter().all(|reason| *reason == "unsigned"),
        "{}",
        outcome.stderr
    );
    let mut entries = world.sandbox.log();
    entries.retain(|entry| entry.service == Service::Registry);
    entries
}

#[test]
fn k04_one_bound_holds_over_all_repositories_and_formats() {
    let (world, images) = world(6);
    world.sandbox.set_latency(Duration::from_millis(10));
    let sign = format!("sign {images} --format notation --key akv:contoso/certificates/signer");
    for bound in [8, 3, 1] {
        world.sandbox.clear_log();
        let outcome = world.run(&format!("{sign} --force --concurrency {bound}"));
        assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
        let peak = peak(&world.sandbox.log());
        assert!(peak <= bound, "{peak} at once, where {bound} may be");
        assert!(bound < 8 || peak > 3, "only {peak} at once");
    }
}

#[test]
fn k04_auto_grows_while_the_registry_keeps_up() {
    let (world, images) = world(150);
    world.sandbox.set_latency(Duration::from_millis(50));
    let peak = peak(&gate(&world, &images, ""));
    assert!((17..=64).contains(&peak), "{peak} at once");
}

#[test]
fn k04_auto_gives_way_to_a_registry_that_throttles() {
    let (world, images) = world(150);
    world.sandbox.set_capacity(64, Duration::from_millis(20));
    world.sandbox.throttle_above(20);
    let entries = gate(&world, &images, "");
    let refused = entries.iter().filter(|entry| entry.status == 429).count();
    assert!(refused > 0, "the bound was never met");
    // The last doubling, and a few for each small step that was tried afterwards.
    assert!(
        refused < entries.len() / 5,
        "{refused} of {} refused",
        entries.len()
    );
    assert!(peak(&entries) <= 32, "{} at once", peak(&entries));
}

#[test]
fn k04_auto_does_not_pile_up_requests_at_a_registry_that_slows_down() {
    let (world, images) = world(30);
    // Eight at once are as many as it works on: more only wait there. They take long, so that what this machine is
    // busy with makes no difference.
    world.sandbox.set_capacity(8, Duration::from_millis(400));
    let peak = peak(&gate(&world, &images, ""));
    assert!(peak <= 32, "{peak} at once");
}
