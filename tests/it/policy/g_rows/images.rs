//! Which image it is, and which files a run leaves behind: G02, G10, G13, G14.

use std::{collections::BTreeSet, fs, path::Path};

use acr_sandbox::{Action, Fault};
use acr_sign::Exit;
use serde_json::{Value, json};

use super::{IMAGE, MANIFEST, Scene, asked, sign_with};
use crate::{
    policy::signer::Signer,
    world::{REPOSITORY, World},
};

fn pod(image: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: {image}\n")
}

#[test]
fn g02_a_tag_that_moves_after_the_check_is_not_what_is_deployed() {
    let scene = Scene::new();
    let checked = scene.world.digest("1.0");
    let moved = scene
        .world
        .sandbox
        .registry()
        .push_image("shop/web", "moved", "moved");
    let headers = vec![("content-type".to_owned(), MANIFEST.to_owned())];
    let answer = Action::Answer {
        status: 200,
        headers,
        body: moved.bytes.into(),
    };
    // The challenge, the answer to it, and whoever asks from then on.
    for nth in 3..20 {
        scene
            .world
            .sandbox
            .fault(Fault::new(answer.clone()).path("/manifests/1.0").nth(nth));
    }
    let manifest = scene.world.write("pod.yaml", &pod(IMAGE));
    let line = format!("--manifests {manifest} --pin");
    let outcome = scene.gate(&scene.both(), &line);
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert_eq!(asked(&scene.world, "/manifests/1.0"), 1, "resolved once");
    let pinned = format!("{IMAGE}@{checked}");
    assert_eq!(outcome.stdout, format!("{pinned}\n"));
    assert_eq!(fs::read_to_string(&manifest).unwrap(), pod(&pinned));
    // The tag holds another image by now. What was pinned stays what it was, by its digest.
    for members in [scene.notation(), scene.dct(), scene.both()] {
        scene.denied(
            &members,
            IMAGE,
            Exit::Rejected,
            &[if members == scene.notation() {
                "unsigned"
            } else {
                "digest-mismatch"
            }],
        );
        assert_eq!(asked(&scene.world, "/manifests/1.0"), 1);
        let outcome = scene.gate(&members, &line);
        assert_eq!(
            (outcome.exit, outcome.stdout),
            (Exit::Done, format!("{pinned}\n")),
            "{}",
            outcome.stderr
        );
        assert_eq!(asked(&scene.world, "/manifests/1.0"), 0);
    }
}

/// Everything below a folder.
fn tree(folder: &Path) -> BTreeSet<String> {
    let (mut found, mut folders) = (BTreeSet::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            found.insert(path.strip_prefix(folder).unwrap().display().to_string());
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    found
}

const NAMES: [&str; 8] = [
    "../../escaped",
    "/escaped",
    "..\\..\\escaped",
    "C:\\escaped",
    "a/../../escaped",
    "escaped\0",
    "con",
    "-rf escaped",
];

/// An image and a signature of it whose every text is the name of a file somewhere else.
fn hostile(world: &World, name: &str, key: &str) {
    let registry = world.sandbox.registry();
    let annotations = json!({
        "org.opencontainers.image.title": name, "org.opencontainers.image.created": name,
        "io.deis.oras.content.unpack": "true", "org.opencontainers.image.ref.name": name,
    });
    let layer = registry.push_blob("shop/web", name.as_bytes());
    let blob = json!({"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": layer, "size": name.len(), "annotations": annotations, "urls": [format!("file://{name}")]});
    let image = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": blob, "layers": [blob, blob], "annotations": annotations});
    let pushed = registry.push_manifest_bytes("shop/web", image.to_string().as_bytes());
    registry.retag("shop/web", &pushed.digest, "hostile");
    let signed = world.run(&format!(
        "sign {REPOSITORY}:hostile --format notation --key file:{key} --force"
    ));
    assert_eq!(signed.exit, Exit::Done, "{}", signed.stderr);
    // The same signature, in a manifest whose own texts are such names, too.
    let (_, bytes) = registry.referring("shop/web", &pushed.digest).remove(0);
    let mut manifest: Value = serde_json::from_slice(&bytes).unwrap();
    for (annotation, value) in annotations.as_object().unwrap() {
        manifest["annotations"][annotation] = value.clone();
        manifest["layers"][0]["annotations"][annotation] = value.clone();
    }
    registry.push_manifest_bytes("shop/web", manifest.to_string().as_bytes());
    registry.push_referrer(
        "shop/web",
        &pushed,
        "application/vnd.cncf.notary.signature",
        name,
    );
}

#[test]
fn g10_no_file_is_named_after_remote_data() {
    for (number, name) in NAMES.into_iter().enumerate() {
        let (mut world, root) = World::initialised();
        let keys = tempfile::tempdir().unwrap();
        let signer = Signer::named(name);
        let key = keys.path().join("key.pem").display().to_string();
        fs::write(&key, &signer.key_pem).unwrap();
        hostile(&world, name, &key);
        let signed = world.run(&format!(
            "sign {REPOSITORY}:hostile --format dct --key akv:contoso/keys/release --root {root}"
        ));
        assert_eq!(signed.exit, Exit::Done, "{}", signed.stderr);
        // The run's folder, its home and its folder for temporary files lie within one that is looked at as a whole.
        let outside = tempfile::tempdir().unwrap();
        world.folder = tempfile::tempdir_in(outside.path()).unwrap();
        for variable in [
            "HOME",
            "TMPDIR",
            "XDG_CACHE_HOME",
            "XDG_STATE_HOME",
            "USERPROFILE",
            "TEMP",
        ] {
            let folder = outside.path().join(variable.to_ascii_lowercase());
            fs::create_dir(&folder).unwrap();
            world.set(variable, Some(&folder.display().to_string()));
        }
        world.write("root.pem", &signer.root_pem);
        let members = format!(
            "{{ dct: {{ roots: [\"{root}\"] }} }}, {{ notation: {{ certificates: [root.pem], identities: [\"*\"] }} }}"
        );
        let image = format!("{REPOSITORY}:hostile");
        let policy =
            format!("version: 1\nverify:\n  - images: [\"**\"]\n    require: [ {members} ]\n");
        world.write("policy.yaml", &policy);
        world.write("pod.yaml", &pod(&image));
        let run = |line: &str, files: &[&str]| {
            let before = tree(outside.path());
            let outcome = world.run_binary(line, &[]);
            assert_eq!(
                outcome.exit,
                Exit::Done,
                "{name:?} {line}: {}",
                outcome.stderr
            );
            let new: BTreeSet<String> = tree(outside.path()).difference(&before).cloned().collect();
            let own = world.folder.path().file_name().unwrap().to_str().unwrap();
            let named: BTreeSet<String> =
                files.iter().map(|file| format!("{own}/{file}")).collect();
            assert_eq!(new, named, "{name:?} {line}");
        };
        let reports =
            "--report report.json --sarif gate.sarif --junit gate.xml --summary summary.md";
        let files = [
            "report.json",
            "gate.sarif",
            "gate.xml",
            "summary.md",
            "state.json",
            "state.json.lock",
            "pinned.yaml",
        ];
        run(
            &format!(
                "verify --manifests pod.yaml --policy policy.yaml --state state.json --pin-to pinned.yaml {reports}"
            ),
            &files,
        );
        run(&format!("verify {image} --policy policy.yaml"), &[]);
        run(
            &format!("inspect {image} --report shown.json"),
            &["shown.json"],
        );
        // A policy that is made of it names each certificate by what it is.
        let thumbprint = acr_sign::crypto::Certificate::from_der(
            pem::parse(&signer.root_pem).unwrap().contents(),
        );
        let certificate = format!(
            "pins/{}.pem",
            &thumbprint.unwrap().thumbprint_sha256()[..32]
        );
        run(
            &format!("policy init {image} --to made.yaml --certificates pins"),
            &["made.yaml", "pins", &certificate],
        );
        run(&format!("verify {image} --policy made.yaml"), &[]);
        assert!(number < NAMES.len());
    }
}

#[test]
fn g13_signing_refuses_a_tag_that_is_not_the_digest_beside_it() {
    let scene = Scene::new();
    let world = &scene.world;
    let keys =
        "key: { dct: \"akv:contoso/keys/release\", notation: \"akv:contoso/certificates/signer\" }";
    let sign = format!(
        "sign: {{ formats: [dct, notation], {keys}, root: [\"{}\"] }}",
        scene.root
    );
    world.write("acr-sign.yaml", &format!("version: 1\n{sign}\n"));
    let (built, other) = (world.digest("unsigned"), world.digest("1.0"));
    for (name, exit, reason) in [
        (
            format!("{REPOSITORY}:unsigned@{other}"),
            Exit::Rejected,
            "digest-mismatch",
        ),
        (
            format!("{REPOSITORY}:unsigned --digest {other}"),
            Exit::Rejected,
            "digest-mismatch",
        ),
        ("shop/web:unsigned".to_owned(), Exit::Usage, "usage"),
        ("web".to_owned(), Exit::Usage, "usage"),
    ] {
        world.sandbox.clear_log();
        let outcome = world.run_binary(&format!("sign {name}"), &[]);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (exit, vec![reason]),
            "{name}: {}",
            outcome.stderr
        );
        assert_eq!(world.vault_signatures(), 0, "{name}");
        assert!(
            world.sandbox.log().is_empty() || exit == Exit::Rejected,
            "{name}"
        );
    }
    scene.denied(
        &scene.both(),
        &format!("{REPOSITORY}:unsigned"),
        Exit::Rejected,
        &["unsigned"],
    );
    let outcome = world.run_binary(&format!("sign {REPOSITORY}:unsigned@{built}"), &[]);
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert_eq!(
        scene
            .gate(&scene.both(), &format!("{REPOSITORY}:unsigned"))
            .exit,
        Exit::Done
    );
}

#[test]
fn g13_the_gate_judges_the_digest_and_for_trust_data_the_tag_with_it() {
    let scene = Scene::new();
    let (signed, other) = (scene.world.digest("1.0"), scene.world.digest("unsigned"));
    let (dct, notation) = (scene.dct(), scene.notation());
    let wrong = Some("digest-mismatch");
    for (name, members, reason) in [
        (format!("{IMAGE}@{signed}"), &dct, None),
        (format!("{REPOSITORY}@{signed}"), &dct, None),
        (format!("{IMAGE}@{other}"), &dct, wrong),
        (format!("{REPOSITORY}@{other}"), &dct, Some("unsigned")),
        (
            format!("{REPOSITORY}:unsigned@{signed}"),
            &dct,
            Some("unsigned"),
        ),
        (format!("{IMAGE}@{signed}"), &notation, None),
        // Signed is the digest, whatever its name.
        (format!("{REPOSITORY}:unsigned@{signed}"), &notation, None),
        (format!("{IMAGE}@{other}"), &notation, Some("unsigned")),
    ] {
        let outcome = scene.gate(members, &name);
        let exit = if reason.is_none() {
            Exit::Done
        } else {
            Exit::Rejected
        };
        let said = (outcome.exit, outcome.reasons());
        assert_eq!(
            said,
            (exit, reason.into_iter().collect()),
            "{name} {members}: {}",
            outcome.stderr
        );
        // The tag beside a digest is not asked for.
        assert_eq!(
            asked(&scene.world, "/manifests/1.0") + asked(&scene.world, "/manifests/unsigned"),
            0,
            "{name}"
        );
        assert_eq!(
            outcome.stdout,
            if reason.is_none() {
                format!("{name}\n")
            } else {
                String::new()
            }
        );
    }
}

#[test]
fn g14_an_index_and_its_images_are_signed_each_for_itself() {
    let scene = Scene::new();
    let registry = scene.world.sandbox.registry();
    let children = |tag: &str| -> Vec<String> {
        let index: Value = serde_json::from_slice(
            &registry
                .manifest("shop/web", &scene.world.digest(tag))
                .unwrap(),
        )
        .unwrap();
        let digests = index["manifests"]
            .as_array()
            .unwrap()
            .iter()
            .map(|child| child["digest"].as_str().unwrap());
        digests
            .map(|digest| format!("{REPOSITORY}@{digest}"))
            .collect()
    };
    // The index is signed in both formats; a child of it is not.
    let shown = scene.gate(&scene.both(), &format!("{IMAGE} --output json"));
    assert_eq!(shown.exit, Exit::Done, "{}", shown.stderr);
    assert_eq!(shown.json()["images"][0]["mediaType"], super::INDEX);
    for child in children("1.0") {
        for members in [scene.dct(), scene.notation(), scene.both()] {
            scene.denied(&members, &child, Exit::Rejected, &["unsigned"]);
        }
    }
    // The children alone are signed, and the index is not.
    registry.push_index("shop/web", "2.0", "two");
    let images = children("2.0").join(" ");
    let line = format!("sign {images} --format notation --key akv:contoso/certificates/signer");
    assert_eq!(scene.world.run(&line).exit, Exit::Done);
    scene.denied(
        &scene.notation(),
        &format!("{REPOSITORY}:2.0"),
        Exit::Rejected,
        &["unsigned"],
    );
    let outcome = scene.gate(&scene.notation(), &format!("{images} --output json"));
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert_eq!(outcome.json()["images"][1]["mediaType"], MANIFEST);
    // Both where that was asked for.
    sign_with(&scene.world, "other");
    let line = format!(
        "sign {IMAGE} --format notation --key akv:contoso/certificates/signer --recursive --force"
    );
    assert_eq!(scene.world.run(&line).exit, Exit::Done);
    let outcome = scene.gate(
        &scene.notation(),
        &format!("{IMAGE} {}", children("1.0").join(" ")),
    );
    assert_eq!(
        (outcome.exit, outcome.stdout.lines().count()),
        (Exit::Done, 3),
        "{}",
        outcome.stderr
    );
}
