//! Every row on registries, networks and credentials of the attack list, through the built program and a policy file:
//! how the run ends, for which reason, and what nobody was asked.

mod hosts;
mod images;
mod limits;
mod signatures;

use acr_sandbox::{Entry, KeyKind, Service};
use acr_sign::Exit;

use super::allows::signed_in_both_formats;
use crate::world::{Outcome, REPOSITORY, World};

const IMAGE: &str = "contoso.azurecr.io/shop/web:1.0";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// An image that is signed in both formats, and policies about it.
struct Scene {
    world: World,
    root: String,
}

impl Scene {
    fn new() -> Self {
        let (world, root) = signed_in_both_formats();
        let der = world.sandbox.vault().certificate("signer").unwrap();
        world.write(
            "signer.pem",
            &pem::encode(&pem::Pem::new("CERTIFICATE", der)),
        );
        world.sandbox.clear_log();
        Self { world, root }
    }

    fn dct(&self) -> String {
        format!("{{ dct: {{ roots: [\"{}\"] }} }}", self.root)
    }

    /// By a certificate in a file, so that no vault is asked.
    fn notation(&self) -> String {
        "{ notation: { certificates: [signer.pem] } }".to_owned()
    }

    fn both(&self) -> String {
        format!("{}, {}", self.dct(), self.notation())
    }

    /// `verify` of the built program under a policy that requires this of every image.
    fn gate(&self, members: &str, line: &str) -> Outcome {
        gate(&self.world, members, line)
    }

    /// The same, which must end so, with nothing on standard output.
    #[track_caller]
    fn denied(&self, members: &str, line: &str, exit: Exit, reasons: &[&str]) -> Outcome {
        let outcome = self.gate(members, line);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (exit, reasons.to_vec()),
            "{line}: {}",
            outcome.stderr
        );
        assert_eq!(outcome.stdout, "", "{line}");
        outcome
    }
}

fn gate(world: &World, members: &str, line: &str) -> Outcome {
    let policy = format!("version: 1\nverify:\n  - images: [\"**\"]\n    require: [ {members} ]\n");
    let file = world.write("policy.yaml", &policy);
    world.sandbox.clear_log();
    world.run_binary(&format!("verify {line} --policy {file} --retries 0"), &[])
}

/// Requests to other hosts than the registry and the run's identity.
fn elsewhere(world: &World) -> Vec<Entry> {
    let known = |entry: &Entry| entry.host == "contoso.azurecr.io" || entry.path == "/msi/token";
    world
        .sandbox
        .log()
        .into_iter()
        .filter(|entry| !known(entry))
        .collect()
}

/// Answered requests to the registry whose path contains this.
fn asked(world: &World, path: &str) -> usize {
    world
        .answered(Service::Registry)
        .iter()
        .filter(|entry| entry.path.contains(path))
        .count()
}

/// A certificate in the vault with which the image is signed, too.
fn sign_with(world: &World, name: &str) {
    let subject = format!("CN={name},O=Contoso,ST=WA,C=US");
    world
        .sandbox
        .vault()
        .create_certificate(name, KeyKind::P256, &subject)
        .unwrap();
    let line =
        format!("sign {IMAGE} --format notation --key akv:contoso/certificates/{name} --force");
    let signed = world.run(&line);
    assert_eq!(signed.exit, Exit::Done, "{}", signed.stderr);
}

#[test]
fn what_the_rows_damage_is_allowed_undamaged() {
    let scene = Scene::new();
    let outcome = scene.gate(&scene.both(), IMAGE);
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert_eq!(
        outcome.stdout,
        format!("{IMAGE}@{}\n", scene.world.digest("1.0"))
    );
    scene.denied(
        &scene.both(),
        &format!("{REPOSITORY}:unsigned"),
        Exit::Rejected,
        &["unsigned"],
    );
}
