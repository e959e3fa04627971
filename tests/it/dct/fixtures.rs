//! Each step of the cases that notary and docker made, held against what they said about it.

use std::{cell::RefCell, collections::BTreeMap, fs};

use acr_sign::{
    crypto::{Certificate, PublicKey},
    format::dct::{FileMeta, Gun, Key, KeyId, Rejection, RoleName, RootTrust, TrustedSet, lookup},
    oci::Digest,
    timestamp::Timestamp,
};
use serde_json::{Value, json};

use super::server::{Server, at, fixture, gun, load, read_folder, walk};

/// One recorded case.
pub struct Case {
    description: Value,
    folder: String,
    files: BTreeMap<String, Vec<u8>>,
}

impl Case {
    pub fn read(folder: &str) -> Self {
        let description =
            serde_json::from_slice(&fs::read(fixture(folder).join("case.json")).unwrap()).unwrap();
        let mut files = BTreeMap::new();
        read_folder(&fixture(folder).join("served"), "", &mut files);
        Self {
            description,
            folder: folder.to_owned(),
            files,
        }
    }

    pub fn gun(&self) -> Gun {
        gun(self.description["gun"].as_str().unwrap())
    }

    pub fn now(&self) -> Timestamp {
        at(self.description["verify_at"].as_str().unwrap())
    }

    pub fn steps(&self) -> &[Value] {
        self.description["steps"].as_array().unwrap()
    }

    /// The server as it was after a step.
    pub fn server(&self, step: &Value) -> Server {
        let mut files = BTreeMap::new();
        for (role, version) in step["current"].as_object().unwrap() {
            files.insert(
                format!("{role}.json"),
                self.files[&format!("{version}.{role}.json")].clone(),
            );
        }
        for (name, bytes) in &self.files {
            let (_, role) = name.strip_suffix(".json").unwrap().split_once('.').unwrap();
            files.insert(
                format!("{role}.{}.json", Digest::sha256(bytes).hex()),
                bytes.clone(),
            );
            if role == "root" {
                files.insert(name.clone(), bytes.clone());
            }
        }
        Server {
            files,
            ignore_hashes: false,
            asked: RefCell::default(),
        }
    }

    fn expected(&self, step: &Value) -> Value {
        let name = format!(
            "{:02}-{}.json",
            step["n"].as_u64().unwrap(),
            step["name"].as_str().unwrap()
        );
        serde_json::from_slice(&fs::read(fixture(&self.folder).join("expect").join(name)).unwrap())
            .unwrap()
    }
}

/// The IDs of the keys that sign the root in a root file.
pub fn root_key_ids(bytes: &[u8]) -> Vec<KeyId> {
    let root: Value = serde_json::from_slice(bytes).unwrap();
    let ids = root["signed"]["roles"]["root"]["keyids"]
        .as_array()
        .unwrap();
    ids.iter()
        .map(|id| id.as_str().unwrap().parse().unwrap())
        .collect()
}

fn targets_by_role(set: &TrustedSet) -> Value {
    let mut tags = json!({});
    for role in set.loaded() {
        for (tag, meta) in set.entries(&role) {
            let mut entry =
                json!({ "length": meta.length, "sha256": meta.digest().unwrap().hex() });
            if let Some(custom) = &meta.custom {
                let text = acr_sign::format::dct::canonical::canonical(custom);
                entry["custom"] = serde_json::from_slice(&text).unwrap();
            }
            tags[tag][role.as_str()] = entry;
        }
    }
    tags
}

fn check_pulls(set: &TrustedSet, expected: &Value, name: &str) {
    for (tag, wanted) in expected["docker_pull"].as_object().unwrap() {
        let found = lookup::pull(set, tag).unwrap();
        assert_eq!(
            found.entry.digest.to_string(),
            wanted["digest"].as_str().unwrap(),
            "{name} {tag}"
        );
        assert_eq!(
            found.entry.length,
            wanted["length"].as_u64().unwrap(),
            "{name} {tag}"
        );
        assert_eq!(
            found.role.as_str(),
            wanted["role"].as_str().unwrap(),
            "{name} {tag}"
        );
    }
    for (tag, why) in expected
        .get("docker_refuses")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let Rejection::NotReleased { role, .. } = lookup::pull(set, tag).unwrap_err() else {
            panic!("{name} {tag}")
        };
        assert_eq!(
            why.as_str().unwrap(),
            format!("found first in {role}"),
            "{name} {tag}"
        );
    }
}

fn replay(folder: &str) {
    let case = Case::read(folder);
    let mut seen = None;
    for step in case.steps() {
        let name = format!("{folder} {}", step["name"]);
        let server = case.server(step);
        let expected = case.expected(step);
        let pins = root_key_ids(&server.files["root.json"]);
        let set = load(
            &server,
            &case.gun(),
            RootTrust::Keys(pins),
            seen,
            case.now(),
        )
        .unwrap();
        let tags = &expected["targets_by_role"];
        // The case with 2,000 tags lists what is pulled only.
        if folder != "d-many" {
            assert_eq!(targets_by_role(&set), *tags, "{name}");
            let all: usize = tags.as_object().unwrap().len();
            let pulled = expected["docker_pull"].as_object().unwrap().len();
            let refused = expected["docker_refuses"].as_object().unwrap().len();
            assert_eq!(pulled + refused, all, "{name}");
        }
        check_pulls(&set, &expected, &name);
        assert!(matches!(
            lookup::pull(&set, "no-such-tag"),
            Err(Rejection::Unsigned { .. } | Rejection::RoleWithheld { .. })
        ));
        for (role, version) in expected
            .get("versions")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let loaded = set
                .targets(&role.parse().unwrap())
                .map(|targets| targets.version.get());
            let found = match role.as_str() {
                "root" => Some(set.root().version.get()),
                "snapshot" => set.snapshot().map(|file| file.version.get()),
                "timestamp" => set.timestamp().map(|file| file.version.get()),
                _ => loaded,
            };
            assert_eq!(found, version.as_u64(), "{name} {role}");
        }
        // The next step of the same repository is newer than this one, and this one is newer than
        // the last.
        seen = Some(set.seen());
    }
}

#[test]
fn a_simple_is_what_notary_says() {
    replay("a-simple");
}

#[test]
fn b_delegations_is_what_notary_says() {
    replay("b-delegations");
}

#[test]
fn c_rotations_is_what_notary_says() {
    replay("c-rotations");
}

#[test]
fn d_many_is_what_notary_says() {
    replay("d-many");
}

#[test]
fn f_docker_is_what_docker_says() {
    replay("f-docker");
}

#[test]
fn the_first_pin_still_leads_to_the_last_root() {
    let case = Case::read("c-rotations");
    let first = case.server(&case.steps()[0]);
    let server = case.server(case.steps().last().unwrap());
    let pins = root_key_ids(&first.files["root.json"]);
    let set = walk(
        &server,
        &case.gun(),
        RootTrust::Keys(pins),
        None,
        case.now(),
    )
    .unwrap();
    assert_eq!(set.root().version.get(), 6);
    // Root keys changed in versions 4 and 6, so version 3 is the newest that the first key signed
    // alone.
    assert_eq!(
        *server.asked.borrow(),
        ["root.json", "5.root.json", "4.root.json", "3.root.json"]
    );
}

#[test]
fn a_pin_in_the_served_root_needs_no_further_fetch() {
    let case = Case::read("c-rotations");
    let server = case.server(case.steps().last().unwrap());
    let pins = root_key_ids(&server.files["root.json"]);
    walk(
        &server,
        &case.gun(),
        RootTrust::Keys(pins),
        None,
        case.now(),
    )
    .unwrap();
    assert_eq!(*server.asked.borrow(), ["root.json"]);
}

#[test]
fn a_canonical_key_id_is_a_pin_too() {
    let case = Case::read("a-simple");
    let server = case.server(&case.steps()[0]);
    let canonical = "ce8ced66fa52600c263e2908bd2c0b99a8efb85e2154cabcbdd1a60ecd6a857d"
        .parse()
        .unwrap();
    assert!(!root_key_ids(&server.files["root.json"]).contains(&canonical));
    walk(
        &server,
        &case.gun(),
        RootTrust::Keys(vec![canonical]),
        None,
        case.now(),
    )
    .unwrap();
}

#[test]
fn what_is_read_is_written_in_the_exact_go_form() {
    for folder in ["a-simple", "b-delegations", "c-rotations", "f-docker"] {
        let case = Case::read(folder);
        for step in case.steps() {
            let server = case.server(step);
            let pins = root_key_ids(&server.files["root.json"]);
            let set = load(
                &server,
                &case.gun(),
                RootTrust::Keys(pins),
                None,
                case.now(),
            )
            .unwrap();
            let written = |value: &_| {
                String::from_utf8(acr_sign::format::dct::canonical::go_form(value)).unwrap()
            };
            let served = |role: &str| {
                String::from_utf8(server.files[&format!("{role}.json")].clone()).unwrap()
            };
            let begins = |role: &str, value| {
                let prefix = format!("{{\"signed\":{},\"signatures\":[", written(&value));
                // The client writes its local zone into some times; we write UTC when we sign anew.
                assert!(
                    served(role).starts_with(&prefix),
                    "{folder} {role}\n{prefix}\n{}",
                    served(role)
                );
            };
            begins("root", set.root().value());
            begins("snapshot", set.snapshot().unwrap().value());
            for role in set.loaded() {
                begins(role.as_str(), set.targets(&role).unwrap().value());
            }
        }
    }
}

#[test]
fn key_ids_are_those_of_notary() {
    let vectors: Value =
        serde_json::from_slice(&fs::read(fixture("vectors.json")).unwrap()).unwrap();
    let keys = vectors["key_ids"].as_array().unwrap();
    assert!(keys.len() >= 5);
    for vector in keys {
        let public = base64::Engine::decode(
            &base64::engine::general_purpose::STANDARD,
            vector["public"].as_str().unwrap(),
        )
        .unwrap();
        let key = Key::new(vector["keytype"].as_str().unwrap(), &public);
        assert_eq!(key.key_id().to_string(), vector["key_id"].as_str().unwrap());
        let canonical = vector.get("canonical_key_id").unwrap_or(&vector["key_id"]);
        assert_eq!(key.canonical_id().to_string(), canonical.as_str().unwrap());
        let bare = Key::from_public_key(&key.public_key().unwrap());
        assert_eq!(bare.key_id(), key.canonical_id());
    }
}

#[test]
fn t21_the_end_of_the_timestamp_is_known_and_holds() {
    let case = Case::read("a-simple");
    let server = case.server(case.steps().last().unwrap());
    let trust = || RootTrust::Keys(root_key_ids(&server.files["root.json"]));
    let load_at = |now| load(&server, &case.gun(), trust(), None, now);
    let set = load_at(case.now()).unwrap();
    let end = set.timestamp().unwrap().expires;
    assert_eq!(set.expires(&[RoleName::TARGETS]), end);
    assert!(load_at(Timestamp::from_unix(end.unix() - 1).unwrap()).is_ok());
    let Err(Rejection::Expired { role, expires }) = load_at(end) else {
        panic!("accepted at its end")
    };
    assert_eq!((role, expires), (RoleName::TIMESTAMP, end));
}

#[test]
fn t21_an_older_set_than_was_seen_is_a_rollback() {
    let case = Case::read("a-simple");
    let [.., older, newer] = case.steps() else {
        panic!("two steps")
    };
    let newer = case.server(newer);
    let trust = || RootTrust::Keys(root_key_ids(&newer.files["root.json"]));
    let seen = load(&newer, &case.gun(), trust(), None, case.now())
        .unwrap()
        .seen();
    let rejected = load(
        &case.server(older),
        &case.gun(),
        trust(),
        Some(seen),
        case.now(),
    )
    .unwrap_err();
    assert!(
        matches!(&rejected, Rejection::Rollback { role, .. } if *role == RoleName::TIMESTAMP),
        "{rejected}"
    );
}

#[test]
fn t23_a_wrong_pin_is_an_untrusted_root() {
    let case = Case::read("a-simple");
    let server = case.server(case.steps().last().unwrap());
    let wrong = RootTrust::Keys(vec![KeyId::of(b"another")]);
    let rejected = walk(&server, &case.gun(), wrong, None, case.now()).unwrap_err();
    assert!(
        matches!(rejected, Rejection::PinNotMet { .. }),
        "{rejected}"
    );
    let first_use = walk(&server, &case.gun(), RootTrust::FirstUse, None, case.now());
    assert_eq!(first_use.unwrap().root().version.get(), 2);
}

#[test]
fn b_delegations_lists_a_certificate_and_a_bare_key() {
    let case = Case::read("b-delegations");
    let server = case.server(case.steps().last().unwrap());
    let trust = RootTrust::Keys(root_key_ids(&server.files["root.json"]));
    let set = load(&server, &case.gun(), trust, None, case.now()).unwrap();
    let targets = set.targets(&RoleName::TARGETS).unwrap();
    let keys = |name: &str| targets.keys_of(targets.delegation(&name.parse().unwrap()).unwrap());
    let certificates: Vec<Certificate> = keys("targets/bob")[0].certificates().unwrap();
    assert_eq!(certificates.len(), 1);
    let bob: PublicKey = certificates[0].public_key().clone();
    assert_eq!(set.signers(&"targets/bob".parse().unwrap())[0].key, bob);
    assert!(keys("targets/alice")[0].certificates().unwrap().is_empty());
    let digest = set
        .targets(&RoleName::RELEASES)
        .unwrap()
        .target("2.0")
        .and_then(FileMeta::digest);
    assert_eq!(
        digest,
        lookup::pull(&set, "2.0")
            .ok()
            .map(|found| found.entry.digest)
    );
}
