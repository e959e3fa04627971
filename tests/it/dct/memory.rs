//! The form of the memory between runs, and what two runs make of one another.

use acr_sign::{
    format::dct::{Gun, Memory, RoleName, Seen, SeenFile, Version},
    oci::{Digest, Reference},
    reason::{Explain as _, Reason},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    publisher::{TestKey, TrustServer, owner, signed_under},
    repository::{delegated, listed, root_key},
    server::{gun, role},
};

const NAME: &str = "contoso.azurecr.io/web/app";

fn server() -> TrustServer {
    let alice = TestKey::ec(3);
    let mut server = TrustServer::with(&[delegated("targets/releases", &[&alice])], &[]);
    server.add("targets/releases", &[("1.0", "one")], &[&alice]);
    server
}

fn memory(seen: Seen) -> Memory {
    [(gun(NAME), seen)].into_iter().collect()
}

/// A file with one member of the document changed.
fn with(edit: impl FnOnce(&mut Value)) -> String {
    let mut document =
        serde_json::from_str(&memory(server().load().seen()).to_json().unwrap()).unwrap();
    edit(&mut document);
    document.to_string()
}

#[test]
fn what_is_written_is_read() {
    let mut whole = Memory::default();
    for name in ["docker.io/library/alpine", NAME, "localhost:5000/x"] {
        whole.add(gun(name), server().load().seen()).unwrap();
    }
    for memory in [Memory::default(), memory(server().load().seen()), whole] {
        let text = memory.to_json().unwrap();
        assert_eq!(Memory::parse(text.as_bytes()).unwrap(), memory, "{text}");
        // Its names are sorted, so that equal memories are equal files.
        assert_eq!(
            format!("{:#}\n", serde_json::from_str::<Value>(&text).unwrap()),
            text
        );
    }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    error.source().map_or(error.to_string(), |cause| {
        format!("{error}: {}", chain(cause))
    })
}

#[test]
fn a_form_that_is_not_exactly_ours_is_refused_with_its_place() {
    let good = with(|_| ());
    assert!(Memory::parse(good.as_bytes()).is_ok());
    let at = |place: &str| format!("repositories.{NAME}{place}");
    let entry =
        |document: &mut Value, edit: &dyn Fn(&mut Value)| edit(&mut document["repositories"][NAME]);
    let of_role = |edit: &dyn Fn(&mut Value)| {
        with(|document| entry(document, &|it| edit(&mut it["roles"]["targets"])))
    };
    let of_entry = |edit: &dyn Fn(&mut Value)| with(|document| entry(document, edit));
    let renamed = |name: &str| {
        with(|document| {
            let repositories = document["repositories"].as_object_mut().unwrap();
            let seen = repositories.remove(NAME).unwrap();
            repositories.insert(name.to_owned(), seen);
        })
    };
    let cases = [
        (
            String::new(),
            "it is not valid JSON: a syntax error at byte 0".to_owned(),
        ),
        (
            good[..good.len() / 2].to_owned(),
            "it is not valid JSON: a syntax error at byte".to_owned(),
        ),
        (
            format!("{good}{good}"),
            "it is not valid JSON: a syntax error at byte".to_owned(),
        ),
        (
            "[]".to_owned(),
            "`the document` is not an object".to_owned(),
        ),
        ("{}".to_owned(), "`schemaVersion` is missing".to_owned()),
        (
            r#"{"schemaVersion":1}"#.to_owned(),
            "`repositories` is missing".to_owned(),
        ),
        (
            r#"{"schemaVersion":1,"schemaVersion":1,"repositories":{}}"#.to_owned(),
            "the name `schemaVersion` appears twice".to_owned(),
        ),
        (
            r#"{"schemaVersion":1.5,"repositories":{}}"#.to_owned(),
            "is not an integer of at most 2^53".to_owned(),
        ),
        (
            r#"{"schemaVersion":1.0,"repositories":{}}"#.to_owned(),
            "`schemaVersion` is not an integer".to_owned(),
        ),
        (
            r#"{"schemaVersion":"1","repositories":{}}"#.to_owned(),
            "`schemaVersion` is not an integer".to_owned(),
        ),
        (
            with(|document| document["schemaVersion"] = 2.into()),
            "`schemaVersion` is 2, and this program reads 1".to_owned(),
        ),
        (
            with(|document| document["note"] = "x".into()),
            "`note` is not a known member".to_owned(),
        ),
        (
            with(|document| document["repositories"] = json!([])),
            "`repositories` is not an object".to_owned(),
        ),
        (
            with(|document| document["repositories"][NAME] = Value::Null),
            format!("`{}` is not an object", at("")),
        ),
        (
            of_entry(&|it| it["x"] = 1.into()),
            format!("`{}` is not a known member", at(".x")),
        ),
        (
            of_entry(&|it| {
                it.as_object_mut().unwrap().remove("root");
            }),
            format!("`{}` is missing", at(".root")),
        ),
        (
            of_entry(&|it| {
                it.as_object_mut().unwrap().remove("roles");
            }),
            format!("`{}` is missing", at(".roles")),
        ),
        (
            of_entry(&|it| it["root"] = 1.into()),
            format!("`{}` is not a string", at(".root")),
        ),
        (
            of_entry(&|it| it["root"] = "e30".into()),
            format!("`{}` is not base64", at(".root")),
        ),
        (
            of_entry(&|it| it["root"] = "e30=\n".into()),
            format!("`{}` is not base64", at(".root")),
        ),
        (
            of_entry(&|it| it["root"] = "".into()),
            format!("`{}` is not a root file", at(".root")),
        ),
        (
            of_entry(&|it| it["root"] = "e30=".into()),
            format!("`{}` is not a root file", at(".root")),
        ),
        (
            of_entry(&|it| it["roles"] = json!([])),
            format!("`{}` is not an object", at(".roles")),
        ),
        (
            of_entry(&|it| it["roles"]["root"] = it["roles"]["targets"].clone()),
            format!(
                "`{}` is not filed under a role other than `root`",
                at(".roles.root")
            ),
        ),
        (
            of_entry(&|it| it["roles"]["Targets"] = it["roles"]["targets"].clone()),
            format!("`{}` is not filed under a role", at(".roles.Targets")),
        ),
        (
            of_entry(&|it| it["roles"]["targets/../x"] = it["roles"]["targets"].clone()),
            format!("`{}` is not filed under a role", at(".roles.targets/../x")),
        ),
        (
            of_role(&|it| it["version"] = 0.into()),
            format!("`{}` is not a version", at(".roles.targets.version")),
        ),
        (
            of_role(&|it| it["version"] = (-1).into()),
            format!("`{}` is not a version", at(".roles.targets.version")),
        ),
        (
            of_role(&|it| it["version"] = "1".into()),
            format!("`{}` is not an integer", at(".roles.targets.version")),
        ),
        (
            of_role(&|it| it["version"] = (1_u64 << 54).into()),
            "is not an integer of at most 2^53".to_owned(),
        ),
        (
            of_role(&|it| it["sha256"] = "ab".into()),
            format!(
                "`{}` is not 64 lower-case hex digits",
                at(".roles.targets.sha256")
            ),
        ),
        (
            of_role(&|it| it["sha256"] = "A".repeat(64).into()),
            format!(
                "`{}` is not 64 lower-case hex digits",
                at(".roles.targets.sha256")
            ),
        ),
        (
            of_role(&|it| it["sha512"] = "ab".into()),
            format!("`{}` is not a known member", at(".roles.targets.sha512")),
        ),
        (
            of_role(&|it| *it = 3.into()),
            format!("`{}` is not an object", at(".roles.targets")),
        ),
        (
            renamed("alpine"),
            "`repositories.alpine` is not filed under the full name of a repository".to_owned(),
        ),
        (
            renamed("contoso.azurecr.io/web:1"),
            "is not filed under the full name of a repository".to_owned(),
        ),
        (
            renamed("contoso.azurecr.io/../web"),
            "is not filed under the full name of a repository".to_owned(),
        ),
        (
            renamed("CONTOSO.azurecr.io/web"),
            "is not filed under the full name of a repository".to_owned(),
        ),
        (
            renamed(""),
            "is not filed under the full name of a repository".to_owned(),
        ),
    ];
    for (text, said) in cases {
        let refused = chain(&Memory::parse(text.as_bytes()).unwrap_err());
        assert!(refused.contains(&said), "{said}: {refused}");
    }
    assert!(Memory::parse(b"\xff").is_err());
}

#[test]
fn sizes_and_counts_are_bounded_when_read_and_when_written() {
    let too_long = vec![b' '; acr_sign::format::dct::MEMORY_LIMIT + 1];
    assert_eq!(
        Memory::parse(&too_long).unwrap_err().to_string(),
        "more than 67108864 bytes"
    );
    let many: String = (0..10_001)
        .map(|number| format!(r#","contoso.azurecr.io/r{number}":null"#))
        .collect();
    let many = format!(r#"{{"schemaVersion":1,"repositories":{{{}}}}}"#, &many[1..]);
    assert_eq!(
        Memory::parse(many.as_bytes()).unwrap_err().to_string(),
        "`repositories` has more than 10000 members"
    );
    let mut seen = server().load().seen();
    let file = seen.roles[&RoleName::TARGETS].clone();
    let fill = |seen: &mut Seen, count: usize| {
        let spare = count - seen.roles.len();
        seen.roles
            .extend((0..spare).map(|number| (role(&format!("targets/r{number}")), file.clone())));
    };
    fill(&mut seen, 1_000);
    let text = memory(seen.clone()).to_json().unwrap();
    assert!(Memory::parse(text.as_bytes()).is_ok());
    seen.roles.insert(role("targets/one-more"), file.clone());
    let said = format!("`repositories.{NAME}.roles` has more than 1000 members");
    assert_eq!(
        memory(seen.clone()).to_json().unwrap_err().to_string(),
        said
    );
    let entry = json!({"version": 1, "sha256": "a".repeat(64)});
    let over = with(|document| {
        document["repositories"][NAME]["roles"] = (0..1_001)
            .map(|n| (format!("targets/r{n}"), entry.clone()))
            .collect();
    });
    assert_eq!(
        Memory::parse(over.as_bytes()).unwrap_err().to_string(),
        said
    );
    let crowd: Memory = (0..10_001)
        .map(|n| {
            (
                gun(&format!("contoso.azurecr.io/r{n}")),
                Seen {
                    root: Vec::new(),
                    roles: [].into(),
                },
            )
        })
        .collect();
    assert_eq!(
        crowd.to_json().unwrap_err().to_string(),
        "`repositories` has more than 10000 members"
    );
}

/// A root of this version, with a timestamp key that follows from `key`, and other bytes for
/// another `variant`.
fn root(version: u64, key: u8, variant: u8) -> Vec<u8> {
    let signer = root_key(NAME, 1, 1);
    let mut body = server().next_root(std::slice::from_ref(&signer), 1);
    body["version"] = version.into();
    body["expires"] = format!("2030-01-01T00:00:0{variant}Z").into();
    let id = TestKey::ec(key).listed();
    body["keys"][id.key_id().to_string()] = listed(&id);
    body["roles"]["timestamp"] = json!({"keyids": [id.key_id().to_string()], "threshold": 1});
    signed_under(&body.to_string(), &[(signer.key_id(), &owner().root)])
}

fn file(version: u64, bytes: u8) -> SeenFile {
    SeenFile {
        version: Version::new(version).unwrap(),
        sha256: Digest::sha256(&[bytes]),
    }
}

fn seen(root: &[u8], files: &[(&str, u64, u8)]) -> Seen {
    let roles = files
        .iter()
        .map(|(name, version, bytes)| (role(name), file(*version, *bytes)))
        .collect();
    Seen {
        root: root.to_vec(),
        roles,
    }
}

#[test]
fn the_higher_version_of_each_role_stays() {
    let root = root(1, 9, 0);
    let one = seen(
        &root,
        &[
            ("timestamp", 7, 1),
            ("snapshot", 3, 1),
            ("targets", 2, 1),
            ("targets/alice", 5, 1),
        ],
    );
    let other = seen(
        &root,
        &[
            ("timestamp", 4, 2),
            ("snapshot", 8, 2),
            ("targets", 2, 1),
            ("targets/bob", 1, 1),
        ],
    );
    let both = seen(
        &root,
        &[
            ("timestamp", 7, 1),
            ("snapshot", 8, 2),
            ("targets", 2, 1),
            ("targets/alice", 5, 1),
            ("targets/bob", 1, 1),
        ],
    );
    assert_eq!(one.merged(&other).unwrap(), both);
    assert_eq!(other.merged(&one).unwrap(), both);
}

#[test]
fn one_version_with_two_contents_is_a_rollback() {
    let (plain, twin) = (root(1, 9, 0), root(1, 9, 1));
    for name in ["timestamp", "snapshot", "targets", "targets/releases"] {
        let refused = seen(&plain, &[(name, 3, 1)])
            .merged(&seen(&plain, &[(name, 3, 2)]))
            .unwrap_err();
        assert_eq!(refused.reason(), Reason::Rollback);
        assert_eq!(
            refused.to_string(),
            format!("version 3 of `{name}` was seen before with other content")
        );
    }
    let mut known = memory(seen(&plain, &[("targets", 3, 1)]));
    let before = known.clone();
    let refused = known
        .add(gun(NAME), seen(&twin, &[("targets", 4, 1)]))
        .unwrap_err();
    assert_eq!(
        (refused.reason(), &refused.gun),
        (Reason::Rollback, &gun(NAME))
    );
    assert_eq!(
        refused.cause.to_string(),
        "version 1 of `root` was seen before with other content"
    );
    assert_eq!(known, before);
}

#[test]
fn t25_a_run_that_saw_the_old_keys_does_not_bring_their_versions_back() {
    let thief = seen(
        &root(1, 9, 0),
        &[("timestamp", 1 << 31, 1), ("targets", 3, 1)],
    );
    let owner = seen(&root(2, 8, 0), &[("timestamp", 5, 2), ("targets", 2, 2)]);
    let both = seen(&root(2, 8, 0), &[("timestamp", 5, 2), ("targets", 3, 1)]);
    assert_eq!(thief.merged(&owner).unwrap(), both);
    assert_eq!(owner.merged(&thief).unwrap(), both);
    // Under the same keys the versions count.
    let same = seen(&root(2, 9, 0), &[("timestamp", 5, 2)]);
    assert_eq!(
        thief.merged(&same).unwrap().roles[&RoleName::TIMESTAMP],
        file(1 << 31, 1)
    );
}

fn any_seen() -> impl Strategy<Value = Seen> {
    let roles = vec![
        "timestamp",
        "snapshot",
        "targets",
        "targets/releases",
        "targets/alice",
    ];
    let files = prop::collection::btree_map(prop::sample::select(roles), (1_u64..4, 0_u8..2), 0..5);
    // The second root has another timestamp key than the first and the third.
    let roots = [root(1, 9, 0), root(2, 8, 0), root(3, 9, 0), root(3, 9, 1)];
    (prop::sample::select(roots.to_vec()), files).prop_map(|(root, files)| Seen {
        root,
        roles: files
            .into_iter()
            .map(|(name, (version, bytes))| (role(name), file(version, bytes)))
            .collect(),
    })
}

proptest! {
    #[test]
    fn merging_asks_not_who_was_first_and_changes_nothing_twice(one in any_seen(), other in any_seen()) {
        prop_assert_eq!(&one.merged(&one).unwrap(), &one);
        match (one.merged(&other), other.merged(&one)) {
            (Ok(merged), Ok(same)) => {
                prop_assert_eq!(&merged, &same);
                prop_assert_eq!(&merged.merged(&one).unwrap(), &merged);
                prop_assert_eq!(&merged.merged(&other).unwrap(), &merged);
                // Nothing that is known falls below what the run under the newer root saw.
                let newer = if merged.root == one.root { &one } else { &other };
                for (role, file) in &newer.roles {
                    prop_assert!(merged.roles[role].version >= file.version);
                }
            }
            (Err(_), Err(_)) => {}
            (one, other) => prop_assert!(false, "{one:?} {other:?}"),
        }
    }

    #[test]
    fn what_is_written_is_what_is_read(all in prop::collection::vec(any_seen(), 0..4)) {
        let memory: Memory = all.into_iter().zip(0..).map(|(seen, n)| (gun(&format!("contoso.azurecr.io/r{n}")), seen)).collect();
        prop_assert_eq!(Memory::parse(memory.to_json().unwrap().as_bytes()).unwrap(), memory);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Memory::parse(&bytes);
    }
}

#[test]
fn every_name_that_an_image_can_have_is_read_again() {
    let names = [
        "alpine",
        "bitnami/redis",
        "index.docker.io/library/alpine",
        "contoso.azurecr.io/a/b__c-d.e",
        "localhost/x",
        "localhost:5000/x",
        "127.0.0.1:5000/a/b",
        "[::1]:5000/x",
        "Contoso.azurecr.io/web",
    ];
    let seen = server().load().seen();
    for name in names {
        let image = Reference::familiar(name).unwrap();
        let memory: Memory = [(Gun::from(&image.repository), seen.clone())]
            .into_iter()
            .collect();
        assert_eq!(
            Memory::parse(memory.to_json().unwrap().as_bytes()).unwrap(),
            memory,
            "{name}"
        );
    }
}

#[test]
fn a_name_is_looked_up_as_it_is_filed() {
    let memory = memory(server().load().seen());
    assert!(memory.seen(&gun(NAME)).is_some());
    assert!(memory.seen(&gun("contoso.azurecr.io/web")).is_none());
    let names: Vec<&Gun> = memory.iter().map(|(gun, _)| gun).collect();
    assert_eq!((memory.len(), names), (1, vec![&gun(NAME)]));
}
