//! What reports and `inspect` show of Notary Project signatures that were not judged, or not looked at.

use acr_sandbox::{Action, Fault, KeyKind};
use acr_sign::Exit;

use super::notation_files;
use crate::world::World;

const IMAGE: &str = "contoso.azurecr.io/shop/web:1.0";

/// With an image that one certificate of the vault signed.
fn signed() -> World {
    let world = World::new();
    let subject = "CN=signer,O=Contoso,ST=WA,C=US";
    world
        .sandbox
        .vault()
        .create_certificate("signer", KeyKind::P256, subject)
        .unwrap();
    let outcome = world.run(&format!(
        "sign {IMAGE} --format notation --key akv:contoso/certificates/signer"
    ));
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    world
}

#[test]
fn n01_inspect_says_that_more_is_listed_than_it_shows() {
    let world = signed();
    let digest = world.digest("1.0");
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
    for (more, told) in [(49, false), (1, true)] {
        for number in 0..more {
            world.sandbox.registry().push_referrer(
                "shop/web",
                &image,
                "application/vnd.cncf.notary.signature",
                &format!("{more} {number}"),
            );
        }
        let outcome = world.run(&format!("inspect {IMAGE} --output json"));
        assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
        let document = outcome.json();
        assert_eq!(
            document["images"][0]["signatures"]
                .as_array()
                .unwrap()
                .len(),
            50
        );
        let said = document["warnings"]
            .to_string()
            .contains("are listed than the 50 that are checked");
        assert_eq!(said, told, "{}", document["warnings"]);
    }
}

#[test]
fn what_could_not_be_judged_is_shown_as_not_judged() {
    let world = signed();
    // A store that holds something else is of no use for anybody.
    let (folder, flags) = notation_files(&world, "strict", "signer");
    std::fs::write(
        folder.path().join("truststore/x509/ca/own/notes.txt"),
        "no certificate",
    )
    .unwrap();
    let outcome = world.run(&format!(
        "verify {IMAGE} --format notation {flags} --output json"
    ));
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Usage, vec!["config-invalid"]),
        "{}",
        outcome.stderr
    );
    let image = outcome.json()["images"][0].clone();
    assert_eq!(
        (&image["status"], &image["signatures"][0]["status"]),
        (&"undecided".into(), &"undecided".into())
    );
    assert_eq!(image["signatures"][0]["reason"], "config-invalid");
    // Nor is one judged that is not there.
    world
        .sandbox
        .fault(Fault::new(Action::Status(404)).path("/blobs/"));
    let shown = world.run(&format!("inspect {IMAGE} --output json"));
    assert_eq!(shown.exit, Exit::Done, "{}", shown.stderr);
    let signature = &shown.json()["images"][0]["signatures"][0];
    assert_eq!(
        (&signature["status"], &signature["reason"]),
        (&"undecided".into(), &"not-found".into())
    );
}
