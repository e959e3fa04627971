//! Lists of referrers that do not say what an entry is, as some registries give them: the manifest says it then.

use acr_sandbox::{KeyKind, Service};
use acr_sign::Exit;
use serde_json::{Value, json};

use crate::world::{Outcome, REPOSITORY, World};

const SUBJECT: &str = "CN=signer,O=Contoso,ST=WA,C=US";
const KEY: &str = "akv:contoso/certificates/signer";

/// How a registry lists what refers to an image.
const LISTS: [fn(&mut Value); 5] = [
    |entry| {
        entry.as_object_mut().unwrap().remove("artifactType");
    },
    |entry| entry["artifactType"] = json!(""),
    |entry| entry["artifactType"] = Value::Null,
    |entry| {
        let members = entry.as_object_mut().unwrap();
        members.remove("artifactType");
        members.remove("annotations");
    },
    |entry| {
        entry["artifactType"] = json!("");
        entry["annotations"] = json!({});
    },
];

fn world(list: fn(&mut Value)) -> World {
    let world = World::new();
    let vault = world.sandbox.vault();
    vault
        .create_certificate("signer", KeyKind::P256, SUBJECT)
        .unwrap();
    world.sandbox.registry().referrers().rewrite_entries(list);
    world
}

fn sign(world: &World) -> Outcome {
    world.run(&format!(
        "sign {REPOSITORY}:1.0 --format notation --key {KEY}"
    ))
}

fn verify(world: &World) -> Outcome {
    world.run(&format!(
        "verify {REPOSITORY}:1.0 --format notation --certificate {KEY}"
    ))
}

/// Attaches what is no signature.
fn attach(world: &World, count: usize) {
    let registry = world.sandbox.registry();
    let subject = registry.push_index("shop/web", "1.0", "one");
    for number in 0..count {
        let seed = format!("sbom {number}");
        registry.push_referrer("shop/web", &subject, "application/spdx+json", &seed);
    }
}

fn signatures(world: &World) -> usize {
    let registry = world.sandbox.registry();
    registry.referring("shop/web", &world.digest("1.0")).len()
}

#[test]
fn an_image_is_signed_once_and_verified() {
    for list in LISTS {
        let world = world(list);
        assert_eq!(verify(&world).reasons(), ["unsigned"]);
        let signed = sign(&world);
        assert_eq!(signed.exit, Exit::Done, "{}", signed.stderr);
        assert_eq!(verify(&world).exit, Exit::Done, "{}", verify(&world).stderr);
        let again = sign(&world);
        assert!(
            again.stdout.starts_with("already-signed "),
            "{}",
            again.stdout
        );
        assert_eq!(signatures(&world), 1);
        let shown = world.run(&format!("inspect {REPOSITORY}:1.0 --output json"));
        assert_eq!(
            shown.json()["images"][0]["signatures"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
    }
}

#[test]
fn what_is_no_signature_hides_none_and_is_none() {
    for list in LISTS {
        let world = world(list);
        // Without a filter the registry lists what it has.
        world.sandbox.registry().referrers().set_filters(false);
        attach(&world, 20);
        assert_eq!(verify(&world).reasons(), ["unsigned"]);
        assert_eq!(sign(&world).exit, Exit::Done);
        let allowed = verify(&world);
        assert_eq!(allowed.exit, Exit::Done, "{}", allowed.stderr);
        assert_eq!(sign(&world).exit, Exit::Done);
        assert_eq!(signatures(&world), 21);
    }
}

#[test]
fn no_more_than_fifty_are_fetched() {
    let world = world(LISTS[0]);
    world.sandbox.registry().referrers().set_filters(false);
    attach(&world, 70);
    world.sandbox.clear_log();
    let outcome = verify(&world);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["limit-reached"]),
        "{}",
        outcome.stderr
    );
    let manifests = world.answered(Service::Registry).into_iter();
    let manifests = manifests.filter(|entry| entry.path.contains("/manifests/sha256:"));
    assert!(manifests.count() <= 51);
    // A signature that the list describes is checked before what it does not describe.
    let stated: fn(&mut Value) = |entry| {
        if entry["artifactType"] == json!("application/spdx+json") {
            entry.as_object_mut().unwrap().remove("artifactType");
        }
    };
    world.sandbox.registry().referrers().rewrite_entries(stated);
    assert_eq!(sign(&world).exit, Exit::Done);
    assert_eq!(verify(&world).exit, Exit::Done);
}
