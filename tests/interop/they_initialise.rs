//! (b) notary or docker initialises; we sign as a delegation's signer, and administer what they made.

use crate::command::run;
use crate::docker;
use crate::keys::KeyFiles;
use crate::notary::Notary;
use crate::ours;
use crate::stack::{Access, Stack};

fn we_sign_what_docker_initialised(access: Access) {
    let stack = Stack::start(access);
    let repository = stack.repository("shop/web");
    let alice = KeyFiles::p256(stack.folder(), "alice");
    docker::add_signer(&stack, "alice", &alice.public, &repository);
    let before = docker::inspect(&stack, &repository);
    let pin = docker::administrative_key(&before, "Root");

    let (one, two) = (
        stack.push(&repository, "1.0", "one"),
        stack.push(&repository, "2.0", "two"),
    );
    let images = [format!("{repository}:1.0"), format!("{repository}:2.0")];
    ours::sign(&stack, &pin, &alice.reference(), &[&images[0], &images[1]]).ok();

    let inspected = docker::inspect(&stack, &repository);
    let alice_alone = vec!["alice".to_owned()];
    assert_eq!(
        docker::signed(&inspected, "1.0"),
        Some((one.hex().to_owned(), alice_alone.clone()))
    );
    assert_eq!(
        docker::signed(&inspected, "2.0"),
        Some((two.hex().to_owned(), alice_alone))
    );
    assert_eq!(
        Notary::new(&stack).tags(&repository, "targets/releases"),
        ["1.0", "2.0"]
    );
    ours::verify(&stack, &pin, &images[0]).ok();
}

#[test]
fn b_docker_initialises_and_we_sign() {
    we_sign_what_docker_initialised(Access::Open);
}

#[test]
fn b_docker_initialises_and_we_sign_with_tokens() {
    we_sign_what_docker_initialised(Access::Tokens);
}

/// notary lists a signer by its certificate: the key signs under the certificate's ID.
#[test]
fn b_notary_delegates_to_certificates_and_we_sign_with_their_keys() {
    let stack = Stack::start(Access::Open);
    let repository = stack.repository("shop/web");
    let (alice, bob) = (
        KeyFiles::p256(stack.folder(), "alice"),
        KeyFiles::rsa(stack.folder(), "bob"),
    );
    let notary = Notary::new(&stack);
    notary.initialise(&repository);
    let certificates = [alice.certificate.as_path(), bob.certificate.as_path()];
    notary.delegate(&repository, "targets/releases", &certificates);
    let pin = notary.root_key_id();

    let image = format!("{repository}:1.0");
    for (signer, content) in [(&alice, "one"), (&bob, "another one")] {
        let pushed = stack.push(&repository, "1.0", content);
        ours::sign(&stack, &pin, &signer.reference(), &[&image]).ok();
        let listed = Notary::new(&stack).list(&repository, "targets/releases");
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].hex, pushed.hex());
        ours::verify(&stack, &pin, &image).ok();
    }
}

/// Without delegations the targets key signs, as docker does.
#[test]
fn b_notary_initialises_without_delegations_and_we_sign_targets() {
    let stack = Stack::start(Access::Open);
    let repository = stack.repository("shop/plain");
    let notary = Notary::new(&stack);
    notary.initialise(&repository);
    let pin = notary.root_key_id();
    let image = format!("{repository}:1.0");
    let pushed = stack.push(&repository, "1.0", "one");
    let key = notary.key_reference("targets");
    let mut sign = ours::on(
        &stack,
        &[
            "sign", &image, "--format", "dct", "--key", &key, "--root", &pin,
        ],
    );
    sign.env(Notary::PASSPHRASE.0, Notary::PASSPHRASE.1);
    run(sign).ok();
    let listed = Notary::new(&stack).list(&repository, "targets");
    assert_eq!((listed.len(), listed[0].hex.as_str()), (1, pushed.hex()));
}

/// What notary signed, we verify; what is only in `targets` does not count once a release role is there.
#[test]
fn b_notary_signs_and_we_verify() {
    let stack = Stack::start(Access::Open);
    let repository = stack.repository("shop/web");
    let alice = KeyFiles::p256(stack.folder(), "alice");
    let notary = Notary::new(&stack);
    notary.initialise(&repository);
    notary.delegate(&repository, "targets/releases", &[&alice.certificate]);
    notary.import(&alice.private, "targets/releases");
    let pin = notary.root_key_id();

    let pushed = stack.push(&repository, "1.0", "one");
    notary
        .add(&repository, "1.0", &pushed, "targets/releases")
        .ok();
    let image = format!("{repository}:1.0");
    ours::verify(&stack, &pin, &image).ok();
    ours::verify(&stack, &pin, &format!("{repository}@{}", pushed.digest)).ok();
    ours::verify(&stack, &pin, &format!("{repository}:2.0"))
        .exits(3)
        .says("not-found");
    stack.push(&repository, "2.0", "two");
    ours::verify(&stack, &pin, &format!("{repository}:2.0"))
        .exits(1)
        .says("unsigned");

    let status = ours::status(&stack, &repository);
    assert_eq!(status["pinned"], false);
    assert_eq!(status["tags"][0]["tag"], "1.0");
    assert_eq!(status["tags"][0]["digest"], pushed.digest);
    assert_eq!(status["tags"][0]["pullable"], true);
}

/// What docker's keys administer and we sign, and what notary signed by certificate: a policy of it allows it.
#[test]
fn b_a_policy_of_what_they_signed_allows_it() {
    let stack = Stack::start(Access::Tokens);
    let (docker, notary) = (
        stack.repository("shop/docker"),
        stack.repository("shop/notary"),
    );
    let alice = KeyFiles::p256(stack.folder(), "alice");
    docker::add_signer(&stack, "alice", &alice.public, &docker);
    let pin = docker::administrative_key(&docker::inspect(&stack, &docker), "Root");
    stack.push(&docker, "1.0", "one");
    ours::sign(
        &stack,
        &pin,
        &alice.reference(),
        &[&format!("{docker}:1.0")],
    )
    .ok();
    let peer = Notary::new(&stack);
    peer.initialise(&notary);
    peer.delegate(&notary, "targets/releases", &[&alice.certificate]);
    peer.import(&alice.private, "targets/releases");
    let pushed = stack.push(&notary, "2.0", "two");
    peer.add(&notary, "2.0", &pushed, "targets/releases").ok();
    stack.push(&notary, "unsigned", "three");

    let policy = stack.folder().join("acr-sign.yaml");
    let file = policy.to_str().expect("temporary folders have plain names");
    let images = [
        format!("{docker}:1.0"),
        format!("{notary}:2.0"),
        format!("{notary}:unsigned"),
    ];
    let [first, second, unsigned] = images.each_ref().map(String::as_str);
    run(ours::on(
        &stack,
        &["policy", "init", first, second, unsigned, "--to", file],
    ))
    .exits(1)
    .says("unsigned");
    let written = std::fs::read_to_string(&policy).expect("a policy was written");
    assert!(
        written.contains(&pin) && written.contains(&peer.root_key_id()),
        "{written}"
    );
    assert!(
        written.contains("\"alice\"") && written.contains("\"releases\""),
        "{written}"
    );
    run(ours::on(
        &stack,
        &["verify", first, second, "--policy", file],
    ))
    .ok();
    run(ours::on(&stack, &["verify", unsigned, "--policy", file]))
        .exits(1)
        .says("unsigned");
}

/// A release role that nobody has published yet cannot be told from one that is hidden.
#[test]
fn b_targets_entries_do_not_count_while_the_release_role_is_unpublished() {
    let stack = Stack::start(Access::Open);
    let repository = stack.repository("shop/web");
    let alice = KeyFiles::p256(stack.folder(), "alice");
    let notary = Notary::new(&stack);
    notary.initialise(&repository);
    let pin = notary.root_key_id();
    let pushed = stack.push(&repository, "1.0", "one");
    notary.add(&repository, "1.0", &pushed, "targets").ok();
    let image = format!("{repository}:1.0");
    ours::verify(&stack, &pin, &image).ok();
    notary.delegate(&repository, "targets/releases", &[&alice.certificate]);
    ours::verify(&stack, &pin, &image)
        .exits(1)
        .says("role-withheld");
}

/// docker's targets key adds a signer through us; docker sees both.
#[test]
fn b_we_add_a_signer_to_what_docker_initialised() {
    let stack = Stack::start(Access::Open);
    let repository = stack.repository("shop/web");
    let (alice, bob) = (
        KeyFiles::p256(stack.folder(), "alice"),
        KeyFiles::p256(stack.folder(), "bob"),
    );
    docker::add_signer(&stack, "alice", &alice.public, &repository);
    let before = docker::inspect(&stack, &repository);
    let pin = docker::administrative_key(&before, "Root");
    let targets = docker::stored_key(&stack, &docker::administrative_key(&before, "Repository"));

    let (key, targets) = (bob.public_reference(), docker::key_reference(&targets));
    let mut add = ours::on(
        &stack,
        &[
            "trust",
            "signer",
            "add",
            "bob",
            &repository,
            "--signer-key",
            &key,
        ],
    );
    add.args(["--targets-key", &targets, "--root", &pin])
        .env(docker::PASSPHRASE.0, docker::PASSPHRASE.1);
    run(add).ok();
    assert_eq!(
        docker::signers(&docker::inspect(&stack, &repository)),
        ["alice", "bob"]
    );

    let image = format!("{repository}:1.0");
    stack.push(&repository, "1.0", "one");
    for signer in [&alice, &bob] {
        ours::sign(&stack, &pin, &signer.reference(), &[&image]).ok();
    }
    let (_, mut signers) =
        docker::signed(&docker::inspect(&stack, &repository), "1.0").expect("it is signed");
    signers.sort();
    assert_eq!(signers, ["alice", "bob"]);
}

/// docker revokes what we signed; `trust revoke` of ours takes out what notary signed.
#[test]
fn b_each_side_takes_back_what_the_other_signed() {
    let stack = Stack::start(Access::Open);
    let repository = stack.repository("shop/web");
    let alice = docker::generate_key(&stack, stack.folder(), "alice");
    docker::add_signer(&stack, "alice", &alice.public, &repository);
    let pin = docker::administrative_key(&docker::inspect(&stack, &repository), "Root");
    let images = [format!("{repository}:1.0"), format!("{repository}:2.0")];
    stack.push(&repository, "1.0", "one");
    stack.push(&repository, "2.0", "two");
    let key = alice.reference();
    let mut sign = ours::on(
        &stack,
        &[
            "sign", &images[0], &images[1], "--format", "dct", "--key", &key,
        ],
    );
    sign.args(["--root", &pin])
        .env(docker::PASSPHRASE.0, docker::PASSPHRASE.1);
    run(sign).ok();

    docker::trust(&stack, &["revoke", "--yes", &images[0]]).ok();
    ours::verify(&stack, &pin, &images[0])
        .exits(1)
        .says("unsigned");
    ours::verify(&stack, &pin, &images[1]).ok();

    let mut revoke = ours::on(
        &stack,
        &["trust", "revoke", &images[1], "--key", &key, "--root", &pin],
    );
    revoke.env(docker::PASSPHRASE.0, docker::PASSPHRASE.1);
    run(revoke).ok();
    assert_eq!(
        docker::signed(&docker::inspect(&stack, &repository), "2.0"),
        None
    );
}
