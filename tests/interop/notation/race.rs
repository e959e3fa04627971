//! Two of us sign one image at the same time where there is no Referrers API: nothing is lost.

use super::peer::{Notation, ours};
use super::pki::Signer;
use super::registry::{Kind, Registry};
use crate::command::run;
use crate::stack::peer;

#[test]
fn g15_two_signers_at_once_lose_nothing() {
    const ROUNDS: usize = 20;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let registry = Registry::start(Kind::TagSchema);
    let signers = ["one", "two"].map(|name| Signer::alone(&folder.path().join(name), "p-256"));
    for round in 0..ROUNDS {
        let image = registry.push(folder.path(), &format!("round-{round}"));
        let children = signers.iter().map(|signer| {
            let key = format!("file:{}", signer.both.display());
            let mut command = ours(
                &registry,
                &[
                    "sign", &image, "--format", "notation", "--key", &key, "--quiet",
                ],
            );
            command.spawn().expect("it starts")
        });
        for mut child in children.collect::<Vec<_>>() {
            assert!(child.wait().expect("it ends").success(), "round {round}");
        }
        let mut crane = std::process::Command::new(peer("crane"));
        let digest = image.rsplit('@').next().expect("it has a digest");
        let tag = format!(
            "{}/shop/web:{}",
            registry.host,
            digest.replacen(':', "-", 1)
        );
        crane.args(["manifest", "--insecure", &tag]);
        let index = run(crane).ok().json();
        assert_eq!(
            index["manifests"].as_array().map(Vec::len),
            Some(2),
            "round {round}: {index}"
        );
        for signer in &signers {
            Notation::new(signer, None).verify(&image, &[]).ok();
        }
    }
}
