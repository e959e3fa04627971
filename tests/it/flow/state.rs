//! `verify --state`: what an earlier run saw is not undone by a trust server that shows the past.

use std::{collections::BTreeMap, fs};

use acr_sandbox::{Identity, Options, Sandbox, Service};
use acr_sign::{Exit, timestamp::Timestamp};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    dct::{NOW, TestKey, TrustServer, delegated, listed, owner, signed_by, signed_under, targets},
    world::{Outcome, REPOSITORY, World},
};

const OTHER: &str = "contoso.azurecr.io/web/app";
const LATER: &str = "2030-01-01T00:00:00Z";

/// A signed image, and a place for the memory.
struct Gate {
    world: World,
    root: String,
    state: String,
}

impl Gate {
    fn new() -> Self {
        let (world, root) = World::initialised();
        assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
        world.sandbox.clear_log();
        let state = world.folder.path().join("state.json").display().to_string();
        Self { world, root, state }
    }

    fn verify(&self, tag: &str) -> Outcome {
        self.world.run(&self.line(tag))
    }

    fn line(&self, tag: &str) -> String {
        format!(
            "verify {REPOSITORY}:{tag} --format dct --root {} --state {}",
            self.root, self.state
        )
    }

    fn file(&self) -> String {
        fs::read_to_string(&self.state).unwrap()
    }

    fn allowed(&self, tag: &str) -> Outcome {
        let outcome = self.verify(tag);
        assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
        outcome
    }

    fn rolled_back(&self, tag: &str, said: &str) {
        let before = self.file();
        let outcome = self.verify(tag);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Rejected, vec!["rollback"]),
            "{}",
            outcome.stderr
        );
        assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
        assert_eq!(outcome.stdout, "");
        assert_eq!(self.file(), before, "a run that failed changed the memory");
    }
}

#[test]
fn what_was_verified_is_remembered_and_the_report_says_so() {
    let gate = Gate::new();
    let first = gate.allowed("1.0");
    assert!(
        first
            .stderr
            .contains(&format!("note: `{}` does not exist yet", gate.state)),
        "{}",
        first.stderr
    );
    let document: Value = serde_json::from_str(&gate.file()).unwrap();
    assert_eq!(document["schemaVersion"], 1);
    assert_eq!(
        document["repositories"]
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        [REPOSITORY]
    );
    let seen = &document["repositories"][REPOSITORY];
    let trust = gate.world.sandbox.trust();
    let root = trust.current(REPOSITORY, "root").unwrap();
    assert_eq!(
        BASE64_STANDARD
            .decode(seen["root"].as_str().unwrap())
            .unwrap(),
        root
    );
    let roles = seen["roles"].as_object().unwrap();
    assert_eq!(
        roles.keys().collect::<Vec<_>>(),
        ["snapshot", "targets", "targets/releases", "timestamp"]
    );
    for (role, file) in roles {
        let bytes = trust.current(REPOSITORY, role).unwrap();
        let sha256: String = Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            *file,
            json!({"version": trust.versions(REPOSITORY)[role], "sha256": sha256}),
            "{role}"
        );
    }
    let second = gate
        .world
        .run(&format!("{} --output json", gate.line("1.0")))
        .json();
    assert_eq!(
        second["state"],
        json!({"file": gate.state, "repositories": 1})
    );
    assert!(
        second["notes"][0]
            .as_str()
            .unwrap()
            .ends_with("remembers 1 repository from earlier runs"),
        "{second}"
    );
    assert_eq!(second["warnings"], json!([]));
    assert_eq!(
        serde_json::from_str::<Value>(&gate.file()).unwrap(),
        document
    );
}

#[test]
fn every_role_that_was_looked_at_is_remembered() {
    let gate = Gate::new();
    gate.allowed("1.0");
    let line = format!("{} --signer release", gate.line("1.0"));
    assert_eq!(gate.world.run(&line).exit, Exit::Done);
    let document: Value = serde_json::from_str(&gate.file()).unwrap();
    let roles = document["repositories"][REPOSITORY]["roles"]
        .as_object()
        .unwrap();
    let names = [
        "snapshot",
        "targets",
        "targets/release",
        "targets/releases",
        "timestamp",
    ];
    assert_eq!(roles.keys().collect::<Vec<_>>(), names);
    // A run that does not look at the signer's role does not forget it.
    gate.allowed("1.0");
    assert_eq!(
        serde_json::from_str::<Value>(&gate.file()).unwrap(),
        document
    );
}

#[test]
fn t21_a_replay_is_noticed_with_state_alone_and_does_no_harm_later() {
    let gate = Gate::new();
    let past = gate.world.sandbox.trust().keep();
    assert_eq!(gate.world.sign(&["latest"], &gate.root).exit, Exit::Done);
    let present = gate.world.sandbox.trust().keep();
    gate.allowed("1.0");
    past(gate.world.sandbox.trust());
    let without = gate.world.verify("1.0", &gate.root);
    assert_eq!(
        without.exit,
        Exit::Done,
        "its timestamp still runs: {}",
        without.stderr
    );
    assert!(
        without
            .stderr
            .contains("note: no state is kept between runs"),
        "{}",
        without.stderr
    );
    gate.rolled_back("1.0", "timestamp");
    // T11: what is served again in order is accepted again.
    present(gate.world.sandbox.trust());
    gate.allowed("1.0");
}

#[test]
fn t21_an_old_timestamp_with_an_old_tag_brings_nothing_back() {
    let gate = Gate::new();
    let past = gate.world.sandbox.trust().keep();
    let line = format!(
        "trust revoke {REPOSITORY}:1.0 --key akv:contoso/keys/release --root {}",
        gate.root
    );
    assert_eq!(gate.world.sign(&["latest"], &gate.root).exit, Exit::Done);
    assert_eq!(gate.world.run(&line).exit, Exit::Done);
    gate.allowed("latest");
    assert_eq!(gate.verify("1.0").reasons(), ["unsigned"]);
    past(gate.world.sandbox.trust());
    gate.rolled_back("1.0", "timestamp");
}

#[test]
fn t20_trust_data_that_is_gone_or_made_anew_is_a_rollback() {
    let gate = Gate::new();
    gate.allowed("1.0");
    gate.world.sandbox.trust().remove(REPOSITORY);
    gate.rolled_back("1.0", "had trust data in an earlier run");
    // The same owner begins again: the same root key, and a root of the same version with other bytes.
    let root = gate.world.initialise();
    assert_eq!(gate.world.sign(&["1.0"], &root).exit, Exit::Done);
    assert_eq!(gate.world.verify("1.0", &root).exit, Exit::Done);
    gate.rolled_back(
        "1.0",
        "version 1 of `root` was seen before with other content",
    );
}

#[test]
fn t03_t07_only_a_run_that_allows_everything_remembers() {
    let gate = Gate::new();
    let unsigned = gate
        .world
        .run(&format!("{} {REPOSITORY}:1", gate.line("1.0")));
    assert_eq!(
        (unsigned.exit, unsigned.reasons()),
        (Exit::Rejected, vec!["unsigned"]),
        "{}",
        unsigned.stderr
    );
    assert!(!fs::exists(&gate.state).unwrap());
    gate.allowed("1.0");
    let before = gate.file();
    assert_eq!(gate.world.sign(&["latest"], &gate.root).exit, Exit::Done);
    let unsigned = gate
        .world
        .run(&format!("{} {REPOSITORY}:1", gate.line("1.0")));
    assert_eq!(unsigned.exit, Exit::Rejected);
    assert_eq!(gate.file(), before);
    gate.allowed("1.0");
    assert_ne!(gate.file(), before);
}

#[test]
fn remembering_asks_nothing_more() {
    let gate = Gate::new();
    let asked = || {
        let all = [
            Service::TrustServer,
            Service::Registry,
            Service::Entra,
            Service::Vault,
        ];
        let counts = all.map(|service| gate.world.answered(service).len());
        gate.world.sandbox.clear_log();
        counts
    };
    assert_eq!(gate.world.verify("1.0", &gate.root).exit, Exit::Done);
    let without = asked();
    assert!(without[0] > 0 && without[1] > 0, "{without:?}");
    for _ in 0..2 {
        gate.allowed("1.0");
        assert_eq!(asked(), without);
    }
}

#[test]
fn the_note_stands_where_trust_data_was_judged() {
    let gate = Gate::new();
    let note = "no state is kept between runs";
    let judged = gate.world.verify("1.0", &gate.root);
    assert!(
        judged.stderr.contains(&format!("note: {note}")) && !judged.stderr.contains("warning"),
        "{}",
        judged.stderr
    );
    gate.world
        .sandbox
        .registry()
        .push_image("other", "1", "never signed");
    let line = format!(
        "verify contoso.azurecr.io/other:1 --format dct --root {}",
        gate.root
    );
    assert!(!gate.world.run(&line).stderr.contains(note));
    let policy = gate.world.write(
        "exempt.yaml",
        "version: 1\nverify:\n  - images: [\"**\"]\n    exempt: { reason: vendor, until: 2099-01-01 }\n",
    );
    let exempt = gate
        .world
        .run(&format!("verify {REPOSITORY}:1.0 --policy {policy}"));
    assert_eq!(exempt.exit, Exit::Done, "{}", exempt.stderr);
    assert!(!exempt.stderr.contains(note), "{}", exempt.stderr);
}

#[test]
fn a_memory_of_now_says_nothing_about_another_time() {
    let gate = Gate::new();
    let outcome = gate
        .world
        .run(&format!("{} --at 2027-01-01T00:00:00Z", gate.line("1.0")));
    assert_eq!(outcome.exit, Exit::Usage);
    assert!(
        outcome
            .stderr
            .contains("`--state <FILE>` cannot be used with `--at <TIME>`"),
        "{}",
        outcome.stderr
    );
    assert_eq!(gate.world.sandbox.log().len(), 0);
}

/// A server whose every key the test holds, so that it lies with valid signatures.
struct Liar {
    world: World,
    server: TrustServer,
    tag: Value,
    state: String,
}

impl Liar {
    fn new() -> Self {
        let world = World::of(
            Sandbox::start(Options::default()).unwrap(),
            Identity::ManagedIdentityAppService,
        );
        let image = world.sandbox.registry().push_image("web/app", "1.0", "one");
        let sha256 = BASE64_STANDARD.encode(Sha256::digest(&image.bytes));
        let state = world.folder.path().join("state.json").display().to_string();
        let tag = json!({"hashes": {"sha256": sha256}, "length": image.bytes.len()});
        let key = TestKey::ec(3);
        let server = TrustServer::with(
            &[
                delegated("targets/alice", &[&key]),
                delegated("targets/releases", &[&key]),
            ],
            &[],
        );
        let mut liar = Self {
            world,
            server,
            tag,
            state,
        };
        liar.publish("targets/alice", 1);
        liar.publish("targets/releases", 1);
        liar
    }

    /// The tag in the file of a delegation.
    fn publish(&mut self, role: &str, version: u64) {
        let mut body = targets(version, &[], &[]);
        body["targets"]["1.0"] = self.tag.clone();
        self.server
            .replace(role, &body.to_string(), &[&TestKey::ec(3)]);
    }

    fn next(&mut self) {
        self.server.edit("targets", &[&owner().targets], |_| ());
        for role in ["targets/alice", "targets/releases"] {
            let version = self.server.signed(role)["version"].as_u64().unwrap() + 1;
            self.publish(role, version);
        }
    }

    fn verify(&self) -> Outcome {
        let files = &self.server.server.files;
        let served = files.iter().filter_map(|(name, bytes)| {
            let role = name.strip_suffix(".json")?;
            let current = !role.contains('.') || role.ends_with(".root");
            current.then(|| (role.to_owned(), bytes.clone()))
        });
        self.world.sandbox.trust().load(OTHER, served);
        let pin = self.server.pin;
        let line = format!(
            "verify {OTHER}:1.0 --format dct --signer alice --root {pin} --state {}",
            self.state
        );
        let at: Timestamp = NOW.parse().unwrap();
        let now: Timestamp = acr_sign::Process::real().now;
        self.world.run_at(&line, Some(at.unix() - now.unix()))
    }

    fn remembered(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(&self.state).unwrap()).unwrap()
    }

    fn version(&self, role: &str) -> u64 {
        self.remembered()["repositories"][OTHER]["roles"][role]["version"]
            .as_u64()
            .unwrap()
    }

    /// Puts a file in place of a role's, and vouches for it with the keys of the server.
    fn vouch(&mut self, role: &str, bytes: Vec<u8>) {
        self.server.store(role, 0, bytes);
        match role {
            "timestamp" => {}
            "snapshot" => self.server.make_timestamp(),
            _ => {
                self.server.make_snapshot(LATER);
                self.server.make_timestamp();
            }
        }
    }

    fn signed_again(&self, role: &str, body: &Value) -> Vec<u8> {
        match role {
            "root" => signed_under(&body.to_string(), &[(self.server.pin, &owner().root)]),
            "timestamp" => signed_by(&body.to_string(), &[&self.server.timestamp_key]),
            "snapshot" => signed_by(&body.to_string(), &[&self.server.snapshot_key]),
            "targets" => signed_by(&body.to_string(), &[&owner().targets]),
            _ => signed_by(&body.to_string(), &[&TestKey::ec(3)]),
        }
    }

    /// The next root, with other keys for the roles that the server signs.
    fn rotate(&mut self, seeds: Option<(u8, u8)>) {
        let root = self.server.load().root().keys_of(&"root".parse().unwrap())[0].clone();
        let mut body = self.server.next_root(&[root], 1);
        if let Some((snapshot, timestamp)) = seeds {
            (self.server.snapshot_key, self.server.timestamp_key) =
                (TestKey::ec(snapshot), TestKey::ec(timestamp));
            for (role, key) in [
                ("snapshot", &self.server.snapshot_key),
                ("timestamp", &self.server.timestamp_key),
            ] {
                let id = key.listed().key_id().to_string();
                body["keys"][id.as_str()] = listed(&key.listed());
                body["roles"][role] = json!({"keyids": [id], "threshold": 1});
            }
        }
        self.server
            .put_root(&body, &[(self.server.pin, &owner().root)]);
    }
}

fn rejected(outcome: &Outcome, said: &str) {
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["rollback"]),
        "{said}: {}",
        outcome.stderr
    );
    assert!(outcome.stderr.contains(said), "{said}: {}", outcome.stderr);
}

fn accepted(outcome: &Outcome) {
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
}

#[test]
fn t07_t10_every_role_that_goes_back_is_a_rollback() {
    for role in [
        "timestamp",
        "snapshot",
        "targets",
        "targets/alice",
        "targets/releases",
    ] {
        let mut liar = Liar::new();
        let old: BTreeMap<_, _> = liar.server.server.files.clone();
        liar.next();
        accepted(&liar.verify());
        let remembered = liar.remembered();
        let newer = liar.server.server.files.clone();
        liar.vouch(role, old[&format!("{role}.json")].clone());
        rejected(&liar.verify(), &format!("`{role}` is version "));
        assert_eq!(liar.remembered(), remembered, "{role}");
        liar.server.server.files = newer;
        accepted(&liar.verify());
    }
}

#[test]
fn other_bytes_under_a_version_that_was_seen_are_a_rollback_for_every_role() {
    for role in [
        "root",
        "timestamp",
        "snapshot",
        "targets",
        "targets/alice",
        "targets/releases",
    ] {
        let mut liar = Liar::new();
        accepted(&liar.verify());
        let remembered = liar.remembered();
        let mut body = liar.server.signed(role);
        body["expires"] = "2030-06-01T00:00:00Z".into();
        let bytes = liar.signed_again(role, &body);
        liar.vouch(role, bytes);
        let outcome = liar.verify();
        rejected(
            &outcome,
            &format!("of `{role}` was seen before with other content"),
        );
        // Noticed where the image is judged, not only where what was seen is added: not every run comes to that.
        assert!(
            !outcome.stderr.contains("contradicts"),
            "{role}: {}",
            outcome.stderr
        );
        assert_eq!(liar.remembered(), remembered, "{role}");
        // Nothing else is wrong with it.
        fs::remove_file(&liar.state).unwrap();
        accepted(&liar.verify());
    }
}

#[test]
fn t10_a_delegation_that_was_seen_does_not_leave_the_snapshot() {
    let mut liar = Liar::new();
    accepted(&liar.verify());
    liar.server
        .server
        .files
        .retain(|name, _| !name.starts_with("targets/alice"));
    liar.server.make_snapshot(LATER);
    liar.server.make_timestamp();
    rejected(
        &liar.verify(),
        "`targets/alice` was seen before and is no longer in the snapshot",
    );
}

#[test]
fn t25_new_keys_in_the_root_end_what_a_thief_of_the_old_ones_pushed_ahead() {
    for seeds in [Some((111, 112)), None] {
        let mut liar = Liar::new();
        let fair = liar.server.server.files.clone();
        for role in ["snapshot", "timestamp"] {
            let mut body = liar.server.signed(role);
            body["version"] = json!(1_u64 << 31);
            let bytes = liar.signed_again(role, &body);
            liar.vouch(role, bytes);
        }
        accepted(&liar.verify());
        assert_eq!(liar.version("timestamp"), 1 << 31);
        // The owner goes on from before the theft.
        liar.server.server.files = fair;
        liar.rotate(seeds);
        let outcome = liar.verify();
        if seeds.is_some() {
            accepted(&outcome);
            let version = liar.server.signed("timestamp")["version"].as_u64().unwrap();
            assert_eq!(liar.version("timestamp"), version);
            assert!(version < 100 && liar.version("snapshot") < 100);
            // From here on the new versions count, and the old root is a rollback itself.
            accepted(&liar.verify());
        } else {
            rejected(
                &outcome,
                "`timestamp` is version 5, but version 2147483648 was seen before",
            );
        }
    }
}

#[test]
fn roots_that_followed_one_another_while_nobody_looked_are_walked_from_the_one_remembered() {
    let mut liar = Liar::new();
    accepted(&liar.verify());
    let old = liar.server.server.files.clone();
    for _ in 0..3 {
        liar.rotate(None);
    }
    liar.world.sandbox.clear_log();
    accepted(&liar.verify());
    let root = BASE64_STANDARD
        .decode(
            liar.remembered()["repositories"][OTHER]["root"]
                .as_str()
                .unwrap(),
        )
        .unwrap();
    assert_eq!(root, liar.server.server.files["root.json"]);
    let walked = |log: &[acr_sandbox::Entry]| {
        log.iter()
            .filter(|entry| entry.path.ends_with(".root.json"))
            .count()
    };
    // The pin is met at once; the way down to the remembered version 1 goes through 3 and 2, and not further.
    assert_eq!(walked(&liar.world.answered(Service::TrustServer)), 2);
    liar.world.sandbox.clear_log();
    accepted(&liar.verify());
    assert_eq!(walked(&liar.world.answered(Service::TrustServer)), 0);
    // An older root with everything that belonged to it.
    liar.server.server.files = old;
    rejected(
        &liar.verify(),
        "`root` is version 1, but version 4 was seen before",
    );
}

#[test]
fn a_root_that_the_remembered_one_did_not_vouch_for_is_refused_although_the_pin_holds() {
    let mut liar = Liar::new();
    let first = liar.server.server.files.clone();
    liar.rotate(None);
    accepted(&liar.verify());
    // Another second root, and a third one on top of it: whole, pinned, and not what was seen.
    liar.server.server.files = first;
    let mut body = liar.server.signed("root");
    body["version"] = json!(2);
    body["expires"] = "2031-01-01T00:00:00Z".into();
    liar.server
        .put_root(&body, &[(liar.server.pin, &owner().root)]);
    rejected(
        &liar.verify(),
        "version 2 of `root` was seen before with other content",
    );
}

#[test]
fn t23_first_use_that_is_remembered_is_said_to_be_so() {
    let gate = Gate::new();
    // Another repository, which no run has seen.
    let init = gate.world.run(&format!(
        "trust init {OTHER} --root-key akv:contoso/keys/root --targets-key akv:contoso/keys/targets \
         --signer release=akv:contoso/keys/release --output json"
    ));
    assert_eq!(init.exit, Exit::Done, "{}", init.stderr);
    let root = init.json()["root"]["keyIds"][0]
        .as_str()
        .unwrap()
        .to_owned();
    gate.world
        .sandbox
        .registry()
        .push_image("web/app", "1.0", "other");
    let sign =
        format!("sign {OTHER}:1.0 --format dct --key akv:contoso/keys/release --root {root}");
    assert_eq!(gate.world.run(&sign).exit, Exit::Done);
    let policy = "version: 1\nverify:\n  - images: [\"**\"]\n    require: [ { dct: { trust-on-first-use: true } } ]\n";
    let policy = gate.world.write("policy.yaml", policy);
    let nothing = "because nothing was pinned";
    let remembered = "the root that an earlier run saw is trusted";
    for trust in [
        "--format dct --trust-on-first-use".to_owned(),
        format!("--policy {policy}"),
    ] {
        let _ = fs::remove_file(&gate.state);
        let run = |images: &str| {
            let line = format!(
                "verify {images} {trust} --state {} --output json",
                gate.state
            );
            let outcome = gate.world.run(&line);
            assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
            assert_eq!(outcome.json()["weakened"], json!(["--trust-on-first-use"]));
            outcome.json()["warnings"].clone()
        };
        let said = |repository: &str, what: &str| {
            let until = if what == nothing {
                "the root that the trust server showed was trusted, "
            } else {
                "no root is pinned, so "
            };
            let end = if what == nothing {
                ""
            } else {
                ", as the state file remembers it"
            };
            format!("trust on first use of `{repository}`: {until}{what}{end}")
        };
        let one = format!("{REPOSITORY}:1.0");
        assert_eq!(run(&one), json!([said(REPOSITORY, nothing)]));
        assert_eq!(run(&one), json!([said(REPOSITORY, remembered)]));
        let both = run(&format!("{one} {OTHER}:1.0"));
        assert_eq!(
            both,
            json!([said(REPOSITORY, remembered), said(OTHER, nothing)])
        );
    }
}
