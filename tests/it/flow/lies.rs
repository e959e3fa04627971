//! Trust servers that lie: nothing that they show is vouched for (T32), and no failed request is taken for
//! the end of the chain of roots (T19).

use acr_sandbox::{Action, Fault, Identity, KeyKind, Options, Sandbox};
use acr_sign::{Exit, timestamp::Timestamp};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    dct::{NOW, TestKey, TrustServer, delegated, targets},
    world::{Outcome, REPOSITORY, World},
};

const OTHER: &str = "contoso.azurecr.io/shop/other";
const ROLES: [&str; 6] = [
    "root",
    "timestamp",
    "snapshot",
    "targets",
    "targets/release",
    "targets/releases",
];

/// A role with the bytes of its file.
type File = (String, Vec<u8>);
type Files = Vec<File>;

/// Every command that signs a role again.
fn commands(root: &str) -> [String; 4] {
    let key = "--key akv:contoso/keys/release";
    [
        format!("sign {REPOSITORY}:latest --format dct {key} --root {root}"),
        format!("sign {REPOSITORY}:latest --format dct {key} --root {root} --force"),
        format!("trust revoke {REPOSITORY}:1.0 {key} --key akv:contoso/keys/targets --root {root}"),
        format!(
            "trust signer add bob {REPOSITORY} --signer-key akv:contoso/keys/bob --targets-key akv:contoso/keys/targets --root {root}"
        ),
    ]
}

/// Two versions of every file, and another repository whose signer has the same key.
struct Liar {
    world: World,
    root: String,
    older: Files,
    newer: Files,
    foreign: Files,
}

fn files(world: &World, repository: &str) -> Files {
    let file = |role: &str| {
        Some((
            role.to_owned(),
            world.sandbox.trust().current(repository, role)?,
        ))
    };
    ROLES.into_iter().filter_map(file).collect()
}

impl Liar {
    fn new() -> Self {
        let (world, root) = World::initialised();
        for name in ["bob", "carol", "thief"] {
            world.sandbox.vault().create_key(name, KeyKind::P256);
        }
        assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
        let older = files(&world, REPOSITORY);
        let add = format!(
            "trust signer add carol {REPOSITORY} --signer-key akv:contoso/keys/carol --targets-key akv:contoso/keys/targets --root {root}"
        );
        assert_eq!(world.run(&add).exit, Exit::Done);
        world
            .sandbox
            .registry()
            .push_image("shop/web", "1.0", "newer");
        assert_eq!(world.sign(&["1.0", "1"], &root).exit, Exit::Done);
        let newer = files(&world, REPOSITORY);
        world
            .sandbox
            .registry()
            .push_image("shop/other", "evil", "evil");
        let init = format!(
            "trust init {OTHER} --root-key akv:contoso/keys/thief --targets-key akv:contoso/keys/thief \
             --signer release=akv:contoso/keys/release --output json"
        );
        let foreign_root = world.run(&init).json()["root"]["keyIds"][0]
            .as_str()
            .unwrap()
            .to_owned();
        let sign = format!(
            "sign {OTHER}:evil --format dct --key akv:contoso/keys/release --root {foreign_root}"
        );
        assert_eq!(world.run(&sign).exit, Exit::Done);
        let foreign = files(&world, OTHER);
        assert_eq!((older.len(), newer.len(), foreign.len()), (6, 6, 6));
        Self {
            world,
            root,
            older,
            newer,
            foreign,
        }
    }

    /// The newer files, with those of `roles` from elsewhere.
    fn show(&self, from: &[File], roles: &[&str]) {
        let choose = |(role, bytes): &File| {
            let other = from
                .iter()
                .find(|(name, _)| name == role && roles.contains(&name.as_str()));
            (
                role.clone(),
                other.map_or(bytes, |(_, other)| other).clone(),
            )
        };
        self.world
            .sandbox
            .trust()
            .load(REPOSITORY, self.newer.iter().map(choose));
    }
}

#[test]
fn t32_no_command_signs_again_what_a_lying_server_shows() {
    let liar = Liar::new();
    let all_but_root = &ROLES[1..];
    let lies: [(&str, &Files, &[&str]); 7] = [
        ("the set of another repository", &liar.foreign, &ROLES),
        (
            "all but the root of another repository",
            &liar.foreign,
            all_but_root,
        ),
        (
            "the targets of another repository, which list our key",
            &liar.foreign,
            &["targets"],
        ),
        (
            "the releases of another repository, signed with our key",
            &liar.foreign,
            &["targets", "targets/releases", "targets/release"],
        ),
        (
            "our own older files",
            &liar.older,
            &["targets", "targets/releases", "targets/release"],
        ),
        (
            "our own older snapshot",
            &liar.older,
            &["snapshot", "targets", "targets/releases", "targets/release"],
        ),
        ("our own older timestamp", &liar.older, &["timestamp"]),
    ];
    for (lie, from, roles) in lies {
        liar.show(from, roles);
        for command in commands(&liar.root) {
            liar.world.sandbox.clear_log();
            let outcome = liar.world.run(&command);
            // A file longer than the older timestamp states is not even read to its end.
            let longer = lie == "our own older timestamp" && outcome.reasons() == ["limit-reached"];
            assert!(
                outcome.exit == Exit::Rejected || longer,
                "{lie}: {command}: {}",
                outcome.stderr
            );
            assert_eq!(liar.world.vault_signatures(), 0, "{lie}: {command}");
            let posted = liar
                .world
                .sandbox
                .log()
                .iter()
                .any(|entry| entry.method == "POST" && entry.path.contains("_trust"));
            assert!(!posted, "{lie}: {command}");
        }
        let gate = liar.world.verify("1.0", &liar.root);
        assert!(
            gate.exit != Exit::Done && gate.stdout.is_empty(),
            "{lie}: {}",
            gate.stderr
        );
    }
    // The same files untouched are taken.
    liar.show(&[], &[]);
    assert_eq!(liar.world.verify("1.0", &liar.root).exit, Exit::Done);
}

#[test]
fn t32_without_a_pin_no_command_that_signs_again_asks_anything() {
    let (world, _) = World::initialised();
    for command in commands("x") {
        let line = command.replace(" --root x", "");
        let outcome = world.run(&line);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec!["root-not-pinned"]),
            "{line}"
        );
        assert!(
            outcome.stderr.contains("acr-sign trust status"),
            "{line}: {}",
            outcome.stderr
        );
    }
    assert_eq!(world.sandbox.log().len(), 0);
}

#[test]
fn t19_a_failed_fetch_of_an_older_root_is_never_the_end_of_the_walk() {
    // A collection whose root keys were rotated twice up to version 6; the pin is the first key.
    let folder =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dct/c-rotations");
    let case: Value =
        serde_json::from_slice(&std::fs::read(folder.join("case.json")).unwrap()).unwrap();
    let (repository, at) = (
        case["gun"].as_str().unwrap(),
        case["verify_at"].as_str().unwrap(),
    );
    let served = |version: &Value, role: &str| {
        std::fs::read(folder.join(format!("served/{version}.{role}.json"))).unwrap()
    };
    let current = case["steps"].as_array().unwrap().last().unwrap()["current"]
        .as_object()
        .unwrap()
        .clone();
    let older = (1..=6).map(|version| (format!("{version}.root"), served(&version.into(), "root")));
    let files = current
        .iter()
        .map(|(role, version)| (role.clone(), served(version, role)));
    let registry = repository.split('/').next().unwrap().to_owned();
    let sandbox = Sandbox::start(Options {
        registry,
        ..Options::default()
    })
    .unwrap();
    let world = World::of(sandbox, Identity::ManagedIdentityAppService);
    world.sandbox.trust().load(repository, files.chain(older));
    let root: Value = serde_json::from_slice(&served(&1.into(), "root")).unwrap();
    let pin = root["signed"]["roles"]["root"]["keyids"][0]
        .as_str()
        .unwrap();
    let status = |retries: &str| {
        world.run(&format!(
            "trust status {repository} --root {pin} --at {at} --retries {retries}"
        ))
    };
    let good = status("0");
    assert_eq!(good.exit, Exit::Done, "{}", good.stderr);
    for (action, reason) in [
        (Action::Status(500), "registry-unreachable"),
        (Action::Status(403), "content-trust-disabled"),
        (Action::Status(404), "answer-invalid"),
        (Action::Close, "registry-unreachable"),
        (Action::Cut(20), "registry-unreachable"),
        (Action::Truncate(200), "malformed"),
    ] {
        world.sandbox.clear_faults();
        world
            .sandbox
            .fault(Fault::new(action.clone()).path("/4.root.json"));
        let outcome = status("0");
        assert_eq!(
            outcome.reasons(),
            [reason],
            "{action:?}: {}",
            outcome.stderr
        );
        assert_ne!(outcome.exit, Exit::Done, "{action:?}");
    }
}

#[test]
fn t32_what_one_signer_delegates_further_does_not_speak_for_another() {
    const APP: &str = "contoso.azurecr.io/web/app";
    let world = World::of(
        Sandbox::start(Options::default()).unwrap(),
        Identity::ManagedIdentityAppService,
    );
    let image = world
        .sandbox
        .registry()
        .push_image("web/app", "1.0", "withdrawn");
    let (alice, bob) = (TestKey::ec(3), TestKey::ec(4));
    let named = world.write("alice.pub", &alice.public().pem());
    let holding = |version: u64, bytes: &[u8]| {
        let mut body = targets(version, &[], &[]);
        let sha256 = BASE64_STANDARD.encode(Sha256::digest(bytes));
        body["targets"]["1.0"] = json!({"hashes": {"sha256": sha256}, "length": bytes.len()});
        body.to_string()
    };
    let verify = |server: &TrustServer| -> Outcome {
        let current = server.server.files.iter().filter_map(|(name, bytes)| {
            let role = name
                .strip_suffix(".json")
                .filter(|role| !role.contains('.') || role.ends_with(".root"))?;
            Some((role.to_owned(), bytes.clone()))
        });
        world.sandbox.trust().load(APP, current);
        let line = format!(
            "verify {APP}:1.0 --format dct --root {} --key file:{named}",
            server.pin
        );
        let (at, now) = (
            NOW.parse::<Timestamp>().unwrap(),
            acr_sign::Process::real().now,
        );
        world.run_at(&line, Some(at.unix() - now.unix()))
    };
    let list = [
        delegated("targets/alice", &[&alice]),
        delegated("targets/releases", &[&alice, &bob]),
    ];
    let mut server = TrustServer::with(&list, &[]);
    server.replace(
        "targets/releases",
        &targets(1, &[], &[]).to_string(),
        &[&bob],
    );
    let older = holding(1, &image.bytes);
    server.replace("targets/alice", &older, &[&alice]);
    assert_eq!(verify(&server).exit, Exit::Done);
    // Alice took it back. Bob, who releases too, publishes her older file below the role that he may sign.
    server.replace("targets/alice", &holding(2, b"mended"), &[&alice]);
    let below = delegated("targets/releases/old", &[&alice]);
    server.replace(
        "targets/releases",
        &targets(2, &[], &[below]).to_string(),
        &[&bob],
    );
    server.replace("targets/releases/old", &older, &[&alice]);
    let outcome = verify(&server);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["digest-mismatch"]),
        "{}",
        outcome.stdout
    );
    // So it is where her own role says nothing of the tag.
    server.replace(
        "targets/alice",
        &targets(3, &[], &[]).to_string(),
        &[&alice],
    );
    let outcome = verify(&server);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["untrusted-key"]),
        "{}",
        outcome.stdout
    );
}
