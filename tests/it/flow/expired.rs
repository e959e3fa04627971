//! The base role `targets` once it has expired: whoever holds its key renews it by publishing, and nobody else can.

use acr_sign::Exit;

use crate::world::{Outcome, REPOSITORY, World};

const DAY: i64 = 24 * 60 * 60;
/// Past the three years that a signed role lives.
const EXPIRED: i64 = (3 * 365 + 1) * DAY;
const TARGETS: &str = "akv:contoso/keys/targets";
const RELEASE: &str = "akv:contoso/keys/release";

/// The world later on, for its services and its runs.
struct Later {
    world: World,
    root: String,
    ahead: i64,
}

impl Later {
    /// Trust data with a signer, or without any; `1.0` is signed.
    fn new(signer: bool, ahead: i64) -> Self {
        let world = World::new();
        let root = if signer {
            world.initialise()
        } else {
            let line = format!(
                "trust init {REPOSITORY} --root-key akv:contoso/keys/root --targets-key {TARGETS} --output json"
            );
            let outcome = world.run(&line);
            assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
            outcome.json()["root"]["keyIds"][0]
                .as_str()
                .unwrap()
                .to_owned()
        };
        let key = if signer { RELEASE } else { TARGETS };
        let line = format!("sign {REPOSITORY}:1.0 --format dct --key {key} --root {root}");
        assert_eq!(world.run(&line).exit, Exit::Done);
        world.sandbox.clock().move_to(ahead);
        world.sandbox.clear_log();
        Self { world, root, ahead }
    }

    fn run(&self, line: &str) -> Outcome {
        let line = format!("{line} --root {}", self.root);
        self.world.run_at(&line, Some(self.ahead))
    }

    fn sign(&self, tag: &str, key: &str, more: &str) -> Outcome {
        self.run(&format!(
            "sign {REPOSITORY}:{tag} --format dct --key {key} {more}"
        ))
    }

    fn verify(&self, tag: &str) -> (Exit, Vec<String>) {
        let outcome = self.run(&format!("verify {REPOSITORY}:{tag} --format dct"));
        let reasons = outcome.reasons().into_iter().map(ToOwned::to_owned);
        (outcome.exit, reasons.collect())
    }

    fn status(&self) -> Outcome {
        self.run(&format!("trust status {REPOSITORY} --output json"))
    }
}

fn rejected() -> (Exit, Vec<String>) {
    (Exit::Rejected, vec!["expired".to_owned()])
}

fn allowed() -> (Exit, Vec<String>) {
    (Exit::Done, Vec::new())
}

#[track_caller]
fn done(outcome: &Outcome) {
    assert_eq!(
        outcome.exit,
        Exit::Done,
        "{}\n{}",
        outcome.stdout,
        outcome.stderr
    );
}

#[test]
fn who_signs_with_the_targets_key_renews_it() {
    let later = Later::new(false, EXPIRED);
    assert_eq!(later.verify("1.0"), rejected());
    done(&later.sign("1", TARGETS, "--dry-run"));
    assert_eq!(later.verify("1.0"), rejected());
    done(&later.sign("1", TARGETS, ""));
    assert_eq!(later.world.vault_signatures(), 1);
    assert_eq!(later.verify("1"), allowed());
    assert_eq!(later.verify("1.0"), allowed());
}

#[test]
fn what_is_signed_already_is_renewed_too() {
    let later = Later::new(false, EXPIRED);
    let signed = later.sign("1.0", TARGETS, "");
    done(&signed);
    assert!(signed.stdout.starts_with("signed "), "{}", signed.stdout);
    assert_eq!(later.verify("1.0"), allowed());
}

#[test]
fn the_role_is_renewed_by_its_name_where_others_sign() {
    let later = Later::new(true, EXPIRED);
    done(&later.sign("1", TARGETS, "--role targets"));
    // Now the signer renews the delegations, which have expired as well.
    done(&later.sign("1.0", RELEASE, ""));
    assert_eq!(later.verify("1.0"), allowed());
}

#[test]
fn a_signer_alone_cannot_renew_it_and_is_told_who_can() {
    let later = Later::new(true, EXPIRED);
    for more in ["", "--dry-run", "--force"] {
        let refused = later.sign("1", RELEASE, more);
        assert_eq!(
            (refused.exit, refused.reasons()),
            (Exit::Rejected, vec!["expired"]),
            "{more}: {}",
            refused.stderr
        );
        let fix = format!(
            "`acr-sign sign {REPOSITORY}:TAG --format dct --role targets --key KEY --root KEYID`"
        );
        assert!(refused.stderr.contains(&fix), "{}", refused.stderr);
    }
    assert_eq!(later.world.vault_signatures(), 0);
}

#[test]
fn a_signer_is_added_and_the_role_renewed_at_once() {
    for signer in [false, true] {
        let later = Later::new(signer, EXPIRED);
        let line = format!(
            "trust signer add release {REPOSITORY} --signer-key {RELEASE} --targets-key {TARGETS}"
        );
        done(&later.run(&line));
        assert_eq!(later.world.vault_signatures(), 1);
        done(&later.sign("1", RELEASE, ""));
        assert_eq!(later.verify("1"), allowed());
    }
}

#[test]
fn a_tag_is_revoked_and_the_role_renewed_at_once() {
    let later = Later::new(false, EXPIRED);
    done(&later.sign("1", TARGETS, ""));
    let later = Later::new(false, EXPIRED);
    done(&later.run(&format!("trust revoke {REPOSITORY}:1.0 --key {TARGETS}")));
    assert_eq!(
        later.verify("1.0"),
        (Exit::Rejected, vec!["unsigned".to_owned()])
    );

    let later = Later::new(true, EXPIRED);
    let line = format!("trust revoke {REPOSITORY}:1.0 --key {RELEASE}");
    let alone = later.run(&line);
    assert_eq!(
        (alone.exit, alone.reasons()),
        (Exit::Rejected, vec!["expired"]),
        "{}",
        alone.stderr
    );
}

#[test]
fn it_is_told_months_before() {
    for (days, warned) in [
        (3 * 365 - 120, false),
        (3 * 365 - 60, true),
        (3 * 365 - 1, true),
    ] {
        let later = Later::new(false, days * DAY);
        let outcome = later.status();
        done(&outcome);
        let warnings = outcome.json()["warnings"].to_string();
        let fix = format!("acr-sign sign {REPOSITORY}:TAG --format dct --role targets");
        assert_eq!(warnings.contains(&fix), warned, "{days}: {warnings}");
        if warned {
            // In time, who signs renews it without being told.
            done(&later.sign("1.0", TARGETS, ""));
            assert_eq!(later.status().json()["warnings"].to_string(), "[]");
        }
    }
    let later = Later::new(false, EXPIRED);
    let outcome = later.status();
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["expired"])
    );
    assert!(
        outcome.stderr.contains("--role targets --key KEY"),
        "{}",
        outcome.stderr
    );
}
