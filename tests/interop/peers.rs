//! The peers among themselves. Where these fail, the stage is wrong, and not what plays on it.

use crate::docker;
use crate::keys::KeyFiles;
use crate::notary::Notary;
use crate::stack::{Access, Stack};

fn notary_and_docker_agree(access: Access) {
    let stack = Stack::start(access);
    let repository = stack.repository("shop/web");
    let alice = KeyFiles::p256(stack.folder(), "alice");
    docker::add_signer(&stack, "alice", &alice.public, &repository);
    let notary = Notary::new(&stack);
    notary.import(&alice.private, "targets/releases");
    let pushed = stack.push_index(&repository, "1.0");
    notary
        .add(&repository, "1.0", &pushed, "targets/releases")
        .ok();
    let inspected = docker::inspect(&stack, &repository);
    assert_eq!(
        docker::signed(&inspected, "1.0"),
        Some((pushed.hex().to_owned(), vec!["Repo Admin".to_owned()]))
    );
    assert_eq!(docker::signers(&inspected), ["alice"]);
}

#[test]
fn notary_and_docker_agree_without_tokens() {
    notary_and_docker_agree(Access::Open);
}

#[test]
fn notary_and_docker_agree_with_tokens() {
    notary_and_docker_agree(Access::Tokens);
}

#[test]
fn notary_rotates_every_key_and_docker_follows() {
    let stack = Stack::start(Access::Open);
    let repository = stack.repository("shop/web");
    let notary = Notary::new(&stack);
    notary.initialise(&repository);
    let key = notary.key_reference("targets");
    assert!(key.ends_with(Notary::PASSPHRASE.0));
    let pushed = stack.push(&repository, "1.0", "one");
    notary.add(&repository, "1.0", &pushed, "targets").ok();
    let before = docker::administrative_key(&docker::inspect(&stack, &repository), "Root");
    notary.rotate_root(&repository);
    notary.run(&["key", "rotate", &repository, "targets"]).ok();
    notary
        .run(&["key", "rotate", &repository, "snapshot", "--server-managed"])
        .ok();
    notary
        .run(&[
            "key",
            "rotate",
            &repository,
            "timestamp",
            "--server-managed",
        ])
        .ok();
    let inspected = docker::inspect(&stack, &repository);
    assert_ne!(docker::administrative_key(&inspected, "Root"), before);
    assert!(docker::signed(&inspected, "1.0").is_some());
    assert_eq!(notary.tags(&repository, "targets"), ["1.0"]);
}
