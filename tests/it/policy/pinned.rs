//! Signatures that notation made, under demands as a policy file states them: certificates, identities, timestamps.

use acr_sign::Exit;

use super::hostile::offered_signature;
use crate::{
    notation::fixtures::{Set, now},
    world::{Outcome, World},
};

const CA: &str = "certificates: [certs/root-rsa.pem, certs/root-ec.pem], identities: [\"*\"]";
const CLOCKS: &str = "timestamp-roots: [certs/tsa-root-ec.pem, certs/tsa-root-rsa.pem]";

/// One signature of the set, and the certificates of the set beside the policy.
struct Stage {
    world: World,
    image: String,
}

impl Stage {
    fn new(set: &Set, id: &str) -> Self {
        let vector = set
            .vectors()
            .iter()
            .find(|vector| vector["id"] == id)
            .unwrap();
        let (world, image) = offered_signature(set, vector);
        std::fs::create_dir(world.folder.path().join("certs")).unwrap();
        for files in set.index["trustStores"].as_object().unwrap().values() {
            for file in files.as_array().unwrap() {
                let file = file.as_str().unwrap();
                world.write(file, std::str::from_utf8(&set.file(file)).unwrap());
            }
        }
        Self { world, image }
    }

    fn verify(&self, members: &str) -> Outcome {
        let rule = format!("{{ images: [\"**\"], require: [{{ notation: {{ {members} }} }}] }}");
        let policy = self
            .world
            .write("policy.yaml", &format!("version: 1\nverify: [{rule}]\n"));
        let (image, at) = (&self.image, now());
        self.world.run(&format!(
            "verify {image} --policy {policy} --at {at} --allow-host registry.example.test"
        ))
    }
}

#[test]
fn timestamp_roots_demand_a_timestamp_of_each_signature_and_let_it_prove_the_time() {
    let set = Set::read("made-by-notation");
    let stamped = "timestamp-roots: [certs/tsa-root-rsa.pem]";
    let of_another = "timestamp-roots: [certs/tsa-root-ec.pem]";
    for (id, more, expected) in [
        ("timestamp-jws", "", None),
        ("timestamp-jws", stamped, None),
        ("timestamp-jws", CLOCKS, None),
        ("timestamp-jws", of_another, Some("timestamp-invalid")),
        // It counts without one, and no longer once one is demanded, although its certificates have not ended.
        ("on-index-jws", "", None),
        ("on-index-jws", CLOCKS, Some("timestamp-invalid")),
        // The signer's certificate has ended since.
        ("brief-leaf-timestamped-jws", "", Some("expired")),
        ("brief-leaf-timestamped-jws", CLOCKS, None),
        ("brief-leaf-timestamped-jws", stamped, None),
        (
            "brief-leaf-timestamped-jws",
            of_another,
            Some("timestamp-invalid"),
        ),
        ("brief-leaf-timestamped-cose", of_another, None),
        (
            "brief-leaf-timestamped-cose",
            stamped,
            Some("timestamp-invalid"),
        ),
        // Roots of signers are no roots of clocks, and whose clock it was decides.
        (
            "brief-leaf-timestamped-jws",
            "timestamp-roots: [certs/root-ec.pem]",
            Some("timestamp-invalid"),
        ),
        (
            "brief-leaf-stranger-token-cose",
            CLOCKS,
            Some("timestamp-invalid"),
        ),
        ("brief-leaf-timestamped-jws", "level: permissive", None),
        ("brief-leaf-plain-jws", CLOCKS, Some("timestamp-invalid")),
    ] {
        let outcome = Stage::new(&set, id).verify(&format!("{CA}, {more}"));
        let exit = if expected.is_some() {
            Exit::Rejected
        } else {
            Exit::Done
        };
        let said = (outcome.exit, outcome.reasons());
        assert_eq!(
            said,
            (exit, expected.into_iter().collect()),
            "{id} {more}: {}",
            outcome.stderr
        );
    }
}
