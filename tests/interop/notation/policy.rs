//! A policy that is written of what notation signed allows it, and what it did not sign gets none.

use super::peer::{Notation, ours};
use super::pki::Signer;
use super::registry::{KINDS, Registry};
use crate::command::run;

#[test]
fn a_policy_of_what_notation_signed_allows_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let alone = Signer::alone(&folder.path().join("alone"), "p-256");
    let chained = Signer::chained(&folder.path().join("chained"), "p-384", &[]);
    for registry in KINDS.map(Registry::start) {
        for (name, signer, envelope) in [("alone", &alone, "jws"), ("chained", &chained, "cose")] {
            let cell = format!("{name} {:?}", registry.kind);
            let seed = cell.replace(' ', "-").to_ascii_lowercase();
            let image = registry.push(folder.path(), &format!("signed-{seed}"));
            let unsigned = registry.push(folder.path(), &format!("unsigned-{seed}"));
            Notation::new(signer, None)
                .sign(&registry, &image, envelope, &[])
                .ok();
            let policy = folder.path().join(&seed).join("acr-sign.yaml");
            std::fs::create_dir(folder.path().join(&seed)).expect("a folder of its own");
            let file = policy.to_str().expect("temporary folders have plain names");
            run(ours(
                &registry,
                &["policy", "init", &image, &unsigned, "--to", file],
            ))
            .exits(1)
            .says("unsigned");
            run(ours(&registry, &["verify", &image, "--policy", file])).ok();
            run(ours(&registry, &["verify", &unsigned, "--policy", file])).exits(1);
            let mut check = crate::ours::binary();
            check.args(["policy", "check", &image, "--policy", file]);
            run(check).ok();
        }
    }
}
