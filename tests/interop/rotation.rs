//! (c) notary rotates the keys of a collection; we follow from the first root key, and go on signing.

use crate::docker;
use crate::keys::KeyFiles;
use crate::notary::Notary;
use crate::ours;
use crate::stack::{Access, Stack};

#[test]
fn c_every_rotation_is_followed_from_the_first_root_key() {
    let stack = Stack::start(Access::Open);
    let repository = stack.repository("shop/web");
    let alice = KeyFiles::p256(stack.folder(), "alice");
    let notary = Notary::new(&stack);
    notary.initialise(&repository);
    notary.delegate(&repository, "targets/releases", &[&alice.certificate]);
    let canonical = notary.root_key_id();
    let listed = docker::administrative_key(&docker::inspect(&stack, &repository), "Root");
    assert_ne!(canonical, listed);

    let mut tags = Vec::new();
    let mut sign_one_more = |tag: &str| {
        let image = format!("{repository}:{tag}");
        stack.push(&repository, tag, tag);
        ours::sign(&stack, &canonical, &alice.reference(), &[&image]).ok();
        tags.push(tag.to_owned());
        tags.sort();
        assert_eq!(
            notary.tags(&repository, "targets/releases"),
            tags,
            "after {tag}"
        );
        for tag in &tags {
            let image = format!("{repository}:{tag}");
            ours::verify(&stack, &canonical, &image).ok();
            ours::verify(&stack, &listed, &image).ok();
        }
    };

    sign_one_more("before");
    notary.rotate_root(&repository);
    sign_one_more("root");
    notary.run(&["key", "rotate", &repository, "targets"]).ok();
    sign_one_more("targets");
    notary
        .run(&["key", "rotate", &repository, "snapshot", "--server-managed"])
        .ok();
    sign_one_more("snapshot");
    notary
        .run(&[
            "key",
            "rotate",
            &repository,
            "timestamp",
            "--server-managed",
        ])
        .ok();
    sign_one_more("timestamp");
    notary.rotate_root(&repository);
    sign_one_more("root-again");

    let now = docker::administrative_key(&docker::inspect(&stack, &repository), "Root");
    assert_ne!(now, listed);
    ours::verify(&stack, &now, &format!("{repository}:before")).ok();
}

/// A root that never led to this collection opens nothing, whoever names it.
#[test]
fn c_the_root_of_another_collection_does_not_fit() {
    let stack = Stack::start(Access::Open);
    let (ours_repository, theirs) = (stack.repository("shop/web"), stack.repository("shop/other"));
    let notary = Notary::new(&stack);
    notary.initialise(&ours_repository);
    let stranger = Notary::new(&stack);
    stranger.initialise(&theirs);
    let pushed = stack.push(&ours_repository, "1.0", "one");
    notary.add(&ours_repository, "1.0", &pushed, "targets").ok();
    let image = format!("{ours_repository}:1.0");
    ours::verify(&stack, &notary.root_key_id(), &image).ok();
    ours::verify(&stack, &stranger.root_key_id(), &image)
        .exits(1)
        .says("untrusted-root");
}
