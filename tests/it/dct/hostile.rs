//! The 45 repositories that were shown to the real client, each with our verdict and the very check
//! that gives it.

use std::fs;

use acr_sign::format::dct::{
    DelegationState, Rejection, RoleName, RootTrust, Seen, TrustedSet, lookup,
};
use serde_json::Value;

use super::{
    fixtures::root_key_ids,
    server::{Server, at, fixture, gun, load},
};

enum Verdict {
    Accepted,
    /// Valid, but `targets/releases` is not, so that `targets` does not count: ours differs from
    /// docker's.
    Withheld(DelegationState),
    Rejected(fn(&Rejection) -> bool),
}

macro_rules! rejected {
    ($pattern:pat $(if $guard:expr)?) => {
        Verdict::Rejected(|rejection| matches!(rejection, $pattern $(if $guard)?))
    };
}

const TARGETS: RoleName = RoleName::TARGETS;
const SNAPSHOT: RoleName = RoleName::SNAPSHOT;
const TIMESTAMP: RoleName = RoleName::TIMESTAMP;
const ROOT: RoleName = RoleName::ROOT;

fn table() -> Vec<(&'static str, Verdict)> {
    use acr_sign::format::dct::CertificateFault as Fault;
    vec![
        ("ok", Verdict::Accepted),
        ("ok-reordered", Verdict::Accepted),
        ("ok-extra-fields", Verdict::Accepted),
        ("ok-method-case", Verdict::Accepted),
        ("ok-wildcard-cn", Verdict::Accepted),
        ("ok-no-sha512", Verdict::Accepted),
        (
            "bad-targets-content",
            rejected!(Rejection::HashMismatch { role, .. } if *role == TARGETS),
        ),
        (
            "bad-targets-rehashed",
            rejected!(Rejection::BelowThreshold { role, valid: 0, .. } if *role == TARGETS),
        ),
        (
            "bad-targets-signer",
            rejected!(Rejection::BelowThreshold { role, valid: 0, .. } if *role == TARGETS),
        ),
        (
            "bad-targets-unknown-keyid",
            rejected!(Rejection::BelowThreshold { role, valid: 0, .. } if *role == TARGETS),
        ),
        (
            "bad-no-signatures",
            rejected!(Rejection::NoSignatures { role } if *role == TARGETS),
        ),
        (
            "bad-der-signature",
            rejected!(Rejection::BelowThreshold { role, valid: 0, .. } if *role == TARGETS),
        ),
        (
            "bad-method-unknown",
            rejected!(Rejection::BelowThreshold { role, valid: 0, .. } if *role == TARGETS),
        ),
        (
            "bad-type-lowercase",
            rejected!(Rejection::WrongType { role, found, .. } if *role == TARGETS && found == "targets"),
        ),
        (
            "bad-type-swapped",
            rejected!(Rejection::WrongType { role, found, .. } if *role == SNAPSHOT && found == "Timestamp"),
        ),
        (
            "bad-version-zero",
            rejected!(Rejection::InvalidVersion { role, found } if *role == TARGETS && found == "0"),
        ),
        (
            "bad-keyid-content",
            rejected!(Rejection::KeyIdMismatch { role, .. } if *role == ROOT),
        ),
        (
            "bad-threshold-duplicate",
            Verdict::Withheld(DelegationState::BelowThreshold),
        ),
        (
            "bad-missing-sha256",
            rejected!(Rejection::HashMissing { role, described } if *role == SNAPSHOT && described == "targets"),
        ),
        (
            "bad-length-short",
            rejected!(Rejection::TooLong { role, limit, found } if *role == TARGETS && limit + 1 == *found),
        ),
        ("odd-length-long", Verdict::Accepted),
        (
            "bad-mix-snapshot",
            rejected!(Rejection::HashMismatch { role, .. } if *role == SNAPSHOT),
        ),
        (
            "expired-timestamp",
            rejected!(Rejection::Expired { role, .. } if *role == TIMESTAMP),
        ),
        (
            "expired-snapshot",
            rejected!(Rejection::Expired { role, .. } if *role == SNAPSHOT),
        ),
        (
            "expired-targets",
            rejected!(Rejection::Expired { role, .. } if *role == TARGETS),
        ),
        (
            "expired-root",
            rejected!(Rejection::Expired { role, .. } if *role == ROOT),
        ),
        (
            "expired-releases",
            Verdict::Withheld(DelegationState::Expired),
        ),
        (
            "expired-root-cert",
            rejected!(Rejection::RootCertificate {
                fault: Fault::Expired { .. },
                ..
            }),
        ),
        (
            "bad-root-cn",
            rejected!(Rejection::RootCertificate {
                fault: Fault::OtherName { .. },
                ..
            }),
        ),
        (
            "bad-root-not-cert",
            rejected!(Rejection::RootCertificate {
                fault: Fault::Bare,
                ..
            }),
        ),
        (
            "bad-root-self",
            rejected!(Rejection::BelowThreshold { role, valid: 0, .. } if *role == ROOT),
        ),
        ("path-outside", Verdict::Accepted),
        ("path-none", Verdict::Accepted),
        (
            "missing-releases-file",
            rejected!(Rejection::NotServed { file } if file.starts_with("targets/releases.")),
        ),
        (
            "missing-targets-file",
            rejected!(Rejection::NotServed { file } if file.starts_with("targets.")),
        ),
        (
            "rollback-timestamp",
            rejected!(Rejection::Rollback { role, .. } if *role == TIMESTAMP),
        ),
        (
            "rollback-targets",
            rejected!(Rejection::Rollback { role, .. } if *role == TARGETS),
        ),
        (
            "rollback-snapshot",
            rejected!(Rejection::Rollback { role, .. } if *role == SNAPSHOT),
        ),
        // With memory; without it this is a valid repository, see below.
        (
            "same-version-other-content",
            rejected!(Rejection::SameVersionOtherContent { .. }),
        ),
        ("rollover-ok", Verdict::Accepted),
        (
            "rollover-no-old-sig",
            rejected!(Rejection::RootNotVouched { valid: 0, .. }),
        ),
        (
            "rollover-no-new-sig",
            rejected!(Rejection::BelowThreshold { role, valid: 0, .. } if *role == ROOT),
        ),
        ("rollover-two-steps", Verdict::Accepted),
        (
            "rollover-gap",
            rejected!(Rejection::NotServed { file } if file == "2.root.json"),
        ),
        (
            "root-version-back",
            rejected!(Rejection::Rollback { role, .. } if *role == ROOT),
        ),
    ]
}

struct Hostile {
    verdict: Value,
    remote: Server,
    seen_before: Option<Server>,
}

impl Hostile {
    fn read(name: &str) -> Self {
        let folder = fixture("e-hostile").join(name);
        let verdict =
            serde_json::from_slice(&fs::read(folder.join("verdict.json")).unwrap()).unwrap();
        let before = folder.join("seen-before");
        let seen_before = before.exists().then(|| Server::folder(&before));
        Self {
            verdict,
            remote: Server::folder(&folder.join("remote")),
            seen_before,
        }
    }

    fn load(
        &self,
        server: &Server,
        trust: RootTrust,
        seen: Option<Seen>,
    ) -> Result<TrustedSet, Rejection> {
        let text = |name: &str| self.verdict[name].as_str().unwrap().to_owned();
        load(
            server,
            &gun(&text("gun")),
            trust,
            seen,
            at(&text("verify_at")),
        )
    }

    /// What the client did: first use, or what it had seen.
    fn replay(&self) -> Result<TrustedSet, Rejection> {
        self.load(&self.remote, RootTrust::FirstUse, self.seen())
    }

    fn seen(&self) -> Option<Seen> {
        let before = self.seen_before.as_ref()?;
        Some(self.load(before, RootTrust::FirstUse, None).unwrap().seen())
    }

    /// The rows that the client printed in docker's order.
    fn docker_rows(&self) -> Vec<(String, String, u64, String)> {
        let output = &self.verdict["client"]["notary list -r targets/releases,targets (docker order)"]
            ["stdout"];
        let rows = output.as_str().unwrap().lines().skip(2);
        let row = |line: &str| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            (
                columns[0].to_owned(),
                columns[1].to_owned(),
                columns[2].parse().unwrap(),
                columns[3].to_owned(),
            )
        };
        rows.map(row).collect()
    }
}

#[test]
fn every_hostile_repository_gets_its_verdict() {
    let table = table();
    assert_eq!(table.len(), 45);
    for (name, verdict) in table {
        let case = Hostile::read(name);
        let result = if name.starts_with("rollback-") {
            // The makers wrote root 1 anew for each stage, which alone is a rollback for us. The
            // row is about another role, so let the memory hold the root that is served.
            let other_root = case.replay().unwrap_err();
            assert!(
                matches!(other_root, Rejection::SameVersionOtherContent { ref role, .. } if *role == ROOT),
                "{name}"
            );
            let seen = Seen {
                root: case.remote.files["root.json"].clone(),
                ..case.seen().unwrap()
            };
            case.load(&case.remote, RootTrust::FirstUse, Some(seen))
        } else {
            case.replay()
        };
        match (verdict, result) {
            (Verdict::Accepted, Ok(set)) => {
                assert_eq!(case.verdict["verdict"], "accept", "{name}");
                let rows = case.docker_rows();
                assert!(!rows.is_empty(), "{name}");
                for (tag, digest, length, role) in rows {
                    let found = lookup::pull(&set, &tag).unwrap();
                    assert_eq!(
                        (found.entry.digest.hex(), found.entry.length),
                        (&*digest, length),
                        "{name} {tag}"
                    );
                    assert_eq!(found.role.as_str(), role, "{name} {tag}");
                }
            }
            (Verdict::Withheld(state), Ok(set)) => {
                assert_eq!(case.verdict["verdict"], "accept", "{name}");
                assert_eq!(set.withheld().unwrap().state, state, "{name}");
                for (tag, ..) in case.docker_rows() {
                    let rejected = lookup::pull(&set, &tag).unwrap_err();
                    assert!(
                        matches!(rejected, Rejection::RoleWithheld { state: found, .. } if found == state),
                        "{name}"
                    );
                }
            }
            (Verdict::Rejected(expected), Err(rejection)) => {
                assert!(expected(&rejection), "{name}: {rejection:?}");
                // The one row where a memory makes us stricter than the client was.
                let stricter = name == "same-version-other-content";
                assert_eq!(
                    case.verdict["verdict"],
                    if stricter { "accept" } else { "reject" },
                    "{name}"
                );
            }
            (_, result) => panic!("{name}: {:?}", result.map(|set| set.gun().to_string())),
        }
    }
}

#[test]
fn same_version_with_other_content_is_valid_without_a_memory() {
    let case = Hostile::read("same-version-other-content");
    assert!(case.load(&case.remote, RootTrust::FirstUse, None).is_ok());
}

#[test]
fn t33_the_new_root_key_is_no_pin_for_what_the_old_one_did_not_sign() {
    // The pin of the older root: its file is asked for, and the link to it is what is judged.
    let case = Hostile::read("rollover-no-old-sig");
    let before = case.seen_before.as_ref().unwrap();
    let pins = root_key_ids(&before.files["root.json"]);
    let mut remote = Server::folder(&fixture("e-hostile/rollover-no-old-sig/remote"));
    remote.files.insert(
        "1.root.json".to_owned(),
        before.files["1.root.json"].clone(),
    );
    let rejected = case.load(&remote, RootTrust::Keys(pins), None).unwrap_err();
    assert!(
        matches!(rejected, Rejection::RootNotVouched { valid: 0, .. }),
        "{rejected}"
    );
}

#[test]
fn t03_a_rejected_root_leaves_the_memory_as_it_was() {
    let good = Hostile::read("rollover-ok");
    let bad = Hostile::read("rollover-no-old-sig");
    let before = bad.seen_before.as_ref().unwrap();
    let seen = bad.load(before, RootTrust::FirstUse, None).unwrap().seen();
    for _ in 0..2 {
        assert!(
            bad.load(&bad.remote, RootTrust::FirstUse, Some(seen.clone()))
                .is_err()
        );
    }
    assert_eq!(
        seen,
        bad.load(before, RootTrust::FirstUse, Some(seen.clone()))
            .unwrap()
            .seen()
    );
    assert!(good.replay().is_ok());
}
