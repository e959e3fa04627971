//! The fuzz targets over the fixtures, and over damage to them that is the same in every run.

use std::{fs, path::Path};

use acr_sign::format::dct::Memory;

use crate::{
    dct::fixture,
    notation::{fixtures, maker, scene::Scene},
};

#[path = "../../fuzz/targets.rs"]
mod targets;

/// The same numbers in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(sides.max(1)).unwrap()).unwrap()
    }
}

/// What parsers trip over.
const TOKENS: [&[u8]; 16] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"null",
    b"1e400",
    b"-0",
    b",",
    b":",
    b"\0",
    b"\xff",
    b"-----BEGIN PRIVATE KEY-----",
];

fn damaged(seed: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=dice.roll(3) {
        let (start, length) = (dice.roll(bytes.len()), dice.roll(9));
        let end = (start + length).min(bytes.len());
        match dice.roll(5) {
            0 if !bytes.is_empty() => bytes[start] ^= 1 << dice.roll(8),
            1 => drop(bytes.drain(start..end)),
            2 => {
                let copy = bytes[start..end].to_vec();
                bytes.splice(start..start, copy);
            }
            3 => drop(bytes.splice(
                start..start,
                TOKENS[dice.roll(TOKENS.len())].iter().copied(),
            )),
            _ => bytes.truncate(dice.roll(bytes.len() + 1)),
        }
    }
    bytes
}

fn run(target: fn(&[u8]), seeds: &[Vec<u8>], rounds: usize) {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for seed in seeds {
        target(seed);
        for _ in 0..rounds {
            target(&damaged(seed, &mut dice));
        }
    }
}

fn files(folder: &Path, all: &mut Vec<Vec<u8>>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, all)
        } else {
            all.push(fs::read(path).unwrap())
        }
    }
}

fn served() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for case in ["a-simple", "b-delegations", "f-docker"] {
        files(&fixture(case).join("served"), &mut all);
    }
    assert!(all.len() > 30);
    all
}

/// The files of a collection that the targets know the keys of.
fn own() -> Vec<(&'static str, Vec<u8>)> {
    let known = targets::collection::Collection::new(3).unwrap();
    ["root", "timestamp", "snapshot", "targets"]
        .map(|role| (role, known.files[role].clone()))
        .into()
}

#[test]
fn t26_canonical_json_is_read_as_others_read_it() {
    let vectors: serde_json::Value =
        serde_json::from_slice(&fs::read(fixture("vectors.json")).unwrap()).unwrap();
    let mut seeds = served();
    seeds.extend(
        vectors["canonical_json"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["json"].as_str().unwrap().into()),
    );
    run(targets::canonical, &seeds, 60);
}

#[test]
fn t14_no_role_document_panics_or_opens_anything() {
    let seeds: Vec<Vec<u8>> = own()
        .into_iter()
        .zip(0_u8..)
        .map(|((_, file), which)| [&[which], file.as_slice()].concat())
        .collect();
    run(targets::role, &seeds, 150);
    let foreign: Vec<Vec<u8>> = served()
        .iter()
        .zip((0_u8..4).cycle())
        .map(|(file, which)| [&[which], file.as_slice()].concat())
        .collect();
    run(targets::role, &foreign, 3);
}

#[test]
fn t14_no_state_file_panics_or_is_read_otherwise_than_written() {
    let known = targets::collection::Collection::new(3).unwrap();
    let seen = known.load().unwrap().seen();
    let memory: Memory = [(known.gun.clone(), seen)].into_iter().collect();
    run(
        targets::memory,
        &[memory.to_json().unwrap().into_bytes()],
        2_000,
    );
}

#[test]
fn t14_no_server_makes_the_walk_panic() {
    let files: Vec<Vec<u8>> = own().into_iter().map(|(_, file)| file).collect();
    run(targets::walk, &[files.join(&0), served().join(&0)], 150);
}

#[test]
fn g03_no_challenge_panics() {
    let seeds = [
        r#"Bearer realm="https://contoso.azurecr.io/oauth2/token",service="contoso.azurecr.io",scope="repository:web:pull""#,
        r#"bearer realm="https://auth.example/t\"oken",error=insufficient_scope"#,
        "Basic realm=\"x\"",
        "Bearer",
    ];
    run(
        targets::challenge,
        &seeds.map(|seed| seed.as_bytes().to_vec()),
        2_000,
    );
}

#[test]
fn g13_names_are_written_as_they_are_read() {
    let digest = format!("contoso.azurecr.io/web/app:1.0@sha256:{}", "0f".repeat(32));
    let seeds = [
        "alpine",
        "contoso.azurecr.io/web/app:1.0",
        "localhost:5000/a/b__c-d.e:T_g-1",
        "[::1]:5/x",
        &digest,
    ];
    run(
        targets::reference,
        &seeds.map(|seed| seed.as_bytes().to_vec()),
        2_000,
    );
}

#[test]
fn no_key_file_panics() {
    let mut seeds = Vec::new();
    files(&fixture("g-key-formats"), &mut seeds);
    files(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keys"),
        &mut seeds,
    );
    assert!(seeds.len() > 40);
    run(targets::key_file, &seeds, 25);
}

fn envelopes(extension: &str) -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for set in ["vectors", "made-by-notation"] {
        let mut entries: Vec<_> = fs::read_dir(fixtures::folder(set).join("envelopes"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        entries.sort();
        entries.retain(|path| path.extension().is_some_and(|found| found == extension));
        seeds.extend(entries.iter().map(|path| fs::read(path).unwrap()));
    }
    assert!(seeds.len() > 20);
    seeds
}

#[test]
fn n08_no_envelope_panics() {
    run(targets::notation::jws, &envelopes("jws"), 12);
    run(targets::notation::cose, &envelopes("cose"), 12);
}

#[test]
fn n11_no_certificate_panics() {
    let mut seeds = Vec::new();
    files(&fixtures::folder("vectors").join("certs"), &mut seeds);
    let ders: Vec<Vec<u8>> = seeds
        .iter()
        .map(|pem| pem::parse(pem).unwrap().into_contents())
        .collect();
    seeds.push(ders.concat());
    seeds.extend(ders);
    run(targets::notation::chain, &seeds, 60);
}

#[test]
fn no_list_and_no_answer_panics() {
    let scene = Scene::new();
    let list =
        maker::List::of(&scene.root).listing(7, "2026-06-10T00:00:00Z", vec![maker::reason(1)]);
    let answer = maker::Answer::by(&scene.root, maker::good());
    let seeds = [
        list.sign(&scene.root_key),
        answer.sign(&scene.root, &scene.root_key),
    ];
    run(targets::notation::revocation, &seeds, 1_500);
}

#[test]
fn no_timestamp_token_panics() {
    let mut seeds = Vec::new();
    for envelope in envelopes("jws") {
        let envelope: serde_json::Value = serde_json::from_slice(&envelope).unwrap();
        let token = envelope["header"]["io.cncf.notary.timestampSignature"].as_str();
        seeds.extend(token.map(|token| {
            base64::Engine::decode(&base64::engine::general_purpose::STANDARD, token).unwrap()
        }));
    }
    assert!(seeds.len() > 3);
    run(targets::notation::timestamp_token, &seeds, 200);
}

#[test]
fn no_trust_policy_panics() {
    let verdicts =
        fs::read(fixtures::folder("made-by-notation").join("policy-verdicts.json")).unwrap();
    let verdicts: serde_json::Value = serde_json::from_slice(&verdicts).unwrap();
    let documents = verdicts["policies"].as_array().unwrap().iter();
    let mut seeds: Vec<Vec<u8>> = documents
        .map(|one| one["document"].as_str().unwrap().into())
        .collect();
    seeds.push(b"x509.subject: C=NL, S=ZH, O=a\\, b;CN=\\2C".to_vec());
    run(targets::notation::trust_policy, &seeds, 60);
}

#[test]
fn p08_no_manifest_panics_or_changes_by_its_digests() {
    let seeds = [
        "\0apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - &c {image: 'a/x:1'}\n  - <<: *c\n    image: |-\n      b/y\n---\nservices: {web: {image: \"c/z\"}}\n",
        "\u{1}images:\n- name: a/x\n  newTag: '1'\n",
        "\0{\"$schema\": \"deploymentTemplate.json\", \"variables\": {\"i\": \"[concat('a/', 'x')]\"}, \"resources\": [{\"image\": \"[variables('i')]\"}, {\"linuxFxVersion\": \"DOCKER|a/x:1\"}]}",
    ];
    run(
        targets::manifest,
        &seeds.map(|seed| seed.as_bytes().to_vec()),
        1_000,
    );
}
