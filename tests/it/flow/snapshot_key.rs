//! Trust data whose snapshot its owner signs: every command that publishes takes the key, and says so where it lacks it.

use acr_sandbox::KeyKind;
use acr_sign::Exit;

use crate::world::{Outcome, REPOSITORY, World};

const RELEASE: &str = "akv:contoso/keys/release";

/// Trust data with this snapshot key, and the root key ID.
fn initialised(kind: KeyKind, snapshot: &str) -> (World, String) {
    let world = World::new();
    if snapshot == "snap" {
        world.sandbox.vault().create_key(snapshot, kind);
    }
    let outcome = world.run(&format!(
        "trust init {REPOSITORY} --root-key akv:contoso/keys/root --targets-key akv:contoso/keys/targets \
         --signer release={RELEASE} --snapshot-key akv:contoso/keys/{snapshot}"
    ));
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert!(
        outcome.stdout.contains("--snapshot-key"),
        "{}",
        outcome.stdout
    );
    let root = outcome
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("root key  "))
        .unwrap()
        .to_owned();
    world.sandbox.clear_log();
    (world, root)
}

/// What publishes, without the snapshot key.
fn lines(root: &str) -> Vec<String> {
    vec![
        format!("sign {REPOSITORY}:1.0 --format dct --key {RELEASE} --root {root}"),
        format!(
            "trust signer add other {REPOSITORY} --signer-key akv:contoso/keys/root \
             --targets-key akv:contoso/keys/targets --root {root}"
        ),
        format!("trust revoke {REPOSITORY}:1.0 --key {RELEASE} --root {root}"),
    ]
}

#[track_caller]
fn refused(outcome: &Outcome) {
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Usage, vec!["usage"]),
        "{}",
        outcome.stderr
    );
    for part in [
        "`--snapshot-key KEY`",
        "`notary -s https://contoso.azurecr.io key rotate contoso.azurecr.io/shop/web snapshot -r`",
    ] {
        assert!(outcome.stderr.contains(part), "{part}: {}", outcome.stderr);
    }
}

#[test]
fn every_command_that_publishes_takes_the_snapshot_key() {
    for (kind, snapshot) in [
        (KeyKind::P256, "snap"),
        (KeyKind::Rsa(2048), "snap"),
        (KeyKind::P256, "targets"),
    ] {
        let (world, root) = initialised(kind, snapshot);
        for line in lines(&root) {
            let line = format!("{line} --snapshot-key akv:contoso/keys/{snapshot}");
            let outcome = world.run(&line);
            assert_eq!(outcome.exit, Exit::Done, "{line}: {}", outcome.stderr);
            if line.starts_with("sign") {
                assert_eq!(world.verify("1.0", &root).exit, Exit::Done);
            }
        }
    }
}

#[test]
fn a_key_that_cannot_be_the_servers_is_asked_for_before_the_vault_is() {
    for (kind, snapshot) in [(KeyKind::Rsa(2048), "snap"), (KeyKind::P256, "targets")] {
        let (world, root) = initialised(kind, snapshot);
        let before = world.sandbox.trust().current(REPOSITORY, "snapshot");
        for more in ["", "--dry-run"] {
            let line = &lines(&root)[0];
            refused(&world.run(&format!("{line} {more}")));
        }
        assert_eq!(world.vault_signatures(), 0, "{snapshot}");
        assert_eq!(
            world.sandbox.trust().current(REPOSITORY, "snapshot"),
            before
        );
    }
}

#[test]
fn a_key_that_the_server_lacks_is_named() {
    let (world, root) = initialised(KeyKind::P256, "snap");
    let before = world.sandbox.trust().current(REPOSITORY, "snapshot");
    let shown = world
        .run("key show akv:contoso/keys/snap --output json")
        .json();
    let id = shown["dct"]["keyId"].as_str().unwrap().to_owned();
    for line in lines(&root).iter().take(2) {
        let outcome = world.run(line);
        refused(&outcome);
        assert!(outcome.stderr.contains(&id), "{}", outcome.stderr);
    }
    assert_eq!(
        world.sandbox.trust().current(REPOSITORY, "snapshot"),
        before
    );
}

#[test]
fn other_formats_do_not_take_it() {
    let (world, _) = initialised(KeyKind::P256, "snap");
    let outcome = world.run(&format!(
        "sign {REPOSITORY}:1.0 --format notation --key {RELEASE} --snapshot-key akv:contoso/keys/snap"
    ));
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Usage, vec!["usage"])
    );
}
