//! Repositories and signatures that other programs made, hostile ones above all, through the program and a policy: each
//! ends with its exit code and its reason.

use std::{collections::BTreeMap, fs, path::Path};

use acr_sandbox::{Identity, Options, Sandbox};
use acr_sign::{
    Exit,
    format::notation::Verdict as Judged,
    reason::{Explain as _, Reason},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    notation::fixtures::{Set, now},
    world::{Outcome, World},
};

const GUN: &str = "acrsigndemo.azurecr.io/shop/hostile";

fn world(registry: &str) -> World {
    let options = Options {
        registry: registry.into(),
        ..Options::default()
    };
    World::of(
        Sandbox::start(options).unwrap(),
        Identity::ManagedIdentityAppService,
    )
}

/// The files that a trust server offers: name without its ending, and bytes.
fn offered(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut files, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap();
            files.insert(
                name.strip_suffix(".json").unwrap().to_owned(),
                fs::read(&path).unwrap(),
            );
        }
    }
    files
}

/// What a client that saw these files remembers of them, made from the files alone.
fn state(files: &BTreeMap<String, Vec<u8>>) -> String {
    let roles = files
        .iter()
        .filter(|(name, _)| *name != "root" && !name.contains(".root"));
    let roles: BTreeMap<&str, Value> = roles
        .map(|(name, bytes)| {
            let document: Value = serde_json::from_slice(bytes).unwrap();
            let sha256: String = Sha256::digest(bytes)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            (
                name.as_str(),
                json!({"version": document["signed"]["version"], "sha256": sha256}),
            )
        })
        .collect();
    let root = BASE64_STANDARD.encode(&files["root"]);
    json!({"schemaVersion": 1, "repositories": {GUN: {"root": root, "roles": roles}}}).to_string()
}

/// The cases that are not denied for what the trust server offers. No registry can serve the digests that were signed
/// there, so that of these comes `digest-mismatch`: the trust data was accepted, and the tag looked up.
const ACCEPTED: &[&str] = &[
    "ok",
    "ok-extra-fields",
    "ok-method-case",
    "ok-no-sha512",
    "ok-reordered",
    "ok-wildcard-cn",
    "odd-length-long",
    "path-none",
    "path-outside",
    "rollover-ok",
    "rollover-two-steps",
];

fn expected(case: &str) -> (Exit, &'static str) {
    let rejected = |reason| (Exit::Rejected, reason);
    match case {
        case if ACCEPTED.contains(&case) => rejected("digest-mismatch"),
        "bad-targets-content" | "bad-mix-snapshot" => rejected("digest-mismatch"),
        "bad-targets-rehashed"
        | "bad-targets-signer"
        | "bad-targets-unknown-keyid"
        | "bad-no-signatures"
        | "bad-der-signature"
        | "bad-method-unknown"
        | "bad-root-self"
        | "rollover-no-new-sig" => rejected("threshold-not-met"),
        "bad-type-lowercase" | "bad-type-swapped" | "bad-version-zero" | "bad-keyid-content"
        | "bad-missing-sha256" => rejected("malformed"),
        "bad-threshold-duplicate" | "expired-releases" => rejected("role-withheld"),
        "expired-timestamp" | "expired-snapshot" | "expired-targets" | "expired-root"
        | "expired-root-cert" => rejected("expired"),
        "bad-root-cn" | "rollover-no-old-sig" => rejected("untrusted-root"),
        "bad-root-not-cert" => rejected("certificate-unsuitable"),
        "rollback-timestamp"
        | "rollback-targets"
        | "rollback-snapshot"
        | "same-version-other-content"
        | "root-version-back" => rejected("rollback"),
        // A server that does not answer for what it lists may be broken, not hostile.
        "missing-releases-file" | "missing-targets-file" | "rollover-gap" => {
            (Exit::Undecided, "answer-invalid")
        }
        // Longer than the snapshot says: no more is read.
        "bad-length-short" => (Exit::Undecided, "limit-reached"),
        other => panic!("`{other}` is not in the table"),
    }
}

#[test]
fn every_hostile_repository_is_denied_for_its_reason() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dct/e-hostile");
    let world = world("acrsigndemo.azurecr.io");
    world
        .sandbox
        .registry()
        .push_image("shop/hostile", "2.0", "another image");
    let rule =
        format!("{{ images: [{GUN}], require: [{{ dct: {{ trust-on-first-use: true }} }}] }}");
    let policy = world.write("policy.yaml", &format!("version: 1\nverify: [{rule}]\n"));
    let mut seen = 0;
    let mut wrong = Vec::new();
    for entry in fs::read_dir(&cases).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.is_dir() {
            continue;
        }
        let case = folder.file_name().unwrap().to_str().unwrap();
        let verdict: Value =
            serde_json::from_slice(&fs::read(folder.join("verdict.json")).unwrap()).unwrap();
        let at = verdict["verify_at"].as_str().unwrap();
        world
            .sandbox
            .trust()
            .load(GUN, offered(&folder.join("remote")));
        let line = format!("verify {GUN}:2.0 --policy {policy}");
        let before = folder.join("seen-before");
        let outcome = if before.exists() {
            // What remembers takes no other time than the clock's.
            let at = OffsetDateTime::parse(at, &Rfc3339).unwrap();
            let ahead = (at - OffsetDateTime::now_utc()).whole_seconds();
            let state = world.write("state.json", &state(&offered(&before)));
            world.run_at(&format!("{line} --state {state}"), Some(ahead))
        } else {
            world.run_binary(&format!("{line} --at {at}"), &[])
        };
        let (exit, reason) = expected(case);
        if (outcome.exit, outcome.reasons()) != (exit, vec![reason]) || !outcome.stdout.is_empty() {
            wrong.push(format!("{case}: not {exit:?} {reason}: {outcome:?}"));
        }
        if ACCEPTED.contains(&case) && !outcome.stderr.contains("signed `sha256:") {
            wrong.push(format!("{case}: {}", outcome.stderr));
        }
        seen += 1;
    }
    assert_eq!((seen, wrong.join("\n").as_str()), (45, ""));
}

/// An envelope in a manifest that refers to this subject.
pub fn push_signature(
    world: &World,
    repository: &str,
    subject: &Value,
    media_type: &str,
    envelope: &[u8],
) {
    let registry = world.sandbox.registry();
    let blob = registry.push_blob(repository, envelope);
    registry.push_blob(repository, b"{}");
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": "application/vnd.cncf.notary.signature",
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "size": 2,
            "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},
        "layers": [{"mediaType": media_type, "digest": blob, "size": envelope.len()}],
        "subject": {"mediaType": subject["mediaType"], "digest": subject["digest"], "size": subject["size"]},
        "annotations": {"io.cncf.notary.x509chain.thumbprint#S256": json!(["0".repeat(64)]).to_string()},
    });
    registry.push_manifest_bytes(repository, manifest.to_string().as_bytes());
}

/// One signature in a registry of its own, and the name of its image.
pub fn offered_signature(set: &Set, vector: &Value) -> (World, String) {
    let world = world("registry.example.test");
    let registry = world.sandbox.registry();
    let named = vector["subject"]
        .as_str()
        .map_or(&set.index["subject"], |name| &set.index["subjects"][name]);
    let reference = named["registryReference"]
        .as_str()
        .or(set.index["registryReference"].as_str())
        .unwrap();
    let repository = reference
        .split('@')
        .next()
        .unwrap()
        .strip_prefix("registry.example.test/")
        .unwrap();
    let subject = set.file(named["file"].as_str().unwrap_or("subject.json"));
    let (media_type, envelope) = set.envelope(vector);
    registry.put(repository, named["mediaType"].as_str().unwrap(), subject);
    match vector["manifest"].as_str() {
        Some(manifest) => {
            registry.push_blob(repository, &envelope);
            registry.push_blob(repository, b"{}");
            registry.push_manifest_bytes(repository, &set.file(manifest));
        }
        None => push_signature(&world, repository, named, media_type.as_str(), &envelope),
    }
    (world, reference.to_owned())
}

/// The same, judged under the policy of its set.
fn judge(set: &Set, vector: &Value, policy: &str, at: &str) -> Outcome {
    let (world, reference) = offered_signature(set, vector);
    let store = world.folder.path().join("truststore/x509");
    for (name, files) in set.index["trustStores"].as_object().unwrap() {
        let folder = store.join(name.replace(':', "/"));
        fs::create_dir_all(&folder).unwrap();
        for file in files.as_array().unwrap() {
            let file = file.as_str().unwrap();
            fs::write(
                folder.join(file.rsplit('/').next().unwrap()),
                set.file(file),
            )
            .unwrap();
        }
    }
    world.write(
        "trustpolicy.json",
        std::str::from_utf8(&set.file(&format!("policies/{policy}"))).unwrap(),
    );
    let rule = "{ images: [\"**\"], require: [{ notation: { trust-policy: trustpolicy.json, trust-store: truststore } }] }";
    let policy = world.write("policy.yaml", &format!("version: 1\nverify: [{rule}]\n"));
    let host = "--allow-host registry.example.test";
    world.run_binary(
        &format!("verify {reference} --policy {policy} --at {at} {host}"),
        &[],
    )
}

fn every_signature(name: &str) -> usize {
    let set = Set::read(name);
    let at = now().to_string();
    let mut wrong = Vec::new();
    for vector in set.vectors() {
        let policy = vector["policy"].as_str().unwrap();
        let outcome = judge(&set, vector, policy, &at);
        let reasons = outcome.reasons();
        let accepted = vector["expect"] == "accept";
        // The step is held by other tests; here the program must give the very reason that the check has.
        let right = match set.judge(vector, &set.trust(policy), now()) {
            Judged::Verified(_) => {
                accepted && outcome.exit == Exit::Done && outcome.stdout.contains("@sha256:")
            }
            Judged::Exempt(_) => false,
            Judged::Rejected(rejection) => {
                let reason: Reason = rejection.reason();
                !accepted
                    && outcome.exit == Exit::Rejected
                    && reasons == [reason.code()]
                    && outcome.stdout.is_empty()
            }
        };
        if !right {
            wrong.push(format!("{}: {outcome:?}", vector["id"]));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    set.vectors().len()
}

#[test]
fn every_vector_ends_as_it_must_through_a_policy() {
    assert_eq!(every_signature("vectors"), 31);
}

#[test]
fn every_signature_of_notation_ends_as_it_must_through_a_policy() {
    assert_eq!(every_signature("made-by-notation"), 46);
}
