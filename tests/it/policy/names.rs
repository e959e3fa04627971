//! Names for keys: one may stand wherever a key may.

use acr_sandbox::{KeyKind, Service};
use acr_sign::Exit;

use crate::world::{REPOSITORY, World};

const KEYS: &str = "keys:\n  top: akv:contoso/keys/root\n  targets: akv:contoso/keys/targets\n  release: akv:contoso/keys/release\n  \
                    bob: akv:contoso/keys/bob\n  signer: akv:contoso/certificates/signer\n";

fn world() -> World {
    let world = World::new();
    world.sandbox.vault().create_key("bob", KeyKind::P256);
    world
        .sandbox
        .vault()
        .create_certificate("signer", KeyKind::P256, "CN=signer,O=Contoso,ST=WA,C=US")
        .unwrap();
    world
}

/// Every command that takes a key, in an order in which all succeed.
fn lines(root: &str) -> Vec<(String, &'static str)> {
    let (image, r) = (format!("{REPOSITORY}:1.0"), REPOSITORY);
    vec![
        (
            format!(
                "trust signer add bob {r} --signer-key bob --targets-key targets --root {root}"
            ),
            "akv:contoso/keys/bob",
        ),
        (
            format!("sign {image} --format dct --key release --root {root}"),
            "akv:contoso/keys/release",
        ),
        (
            format!("sign {image} --format dct --key dct=bob --root {root} --role targets/bob"),
            "akv:contoso/keys/bob",
        ),
        (
            format!("sign {image} --format notation --key signer"),
            "akv:contoso/certificates/signer",
        ),
        (
            format!("verify {image} --format dct --root {root} --key release"),
            "akv:contoso/keys/release",
        ),
        (
            format!("verify {image} --format dct --root {root} --key dct=bob"),
            "akv:contoso/keys/bob",
        ),
        (
            format!("verify {image} --format notation --certificate signer"),
            "akv:contoso/certificates/signer",
        ),
        (
            "key show signer".to_owned(),
            "akv:contoso/certificates/signer",
        ),
        (
            format!("trust revoke {image} --key dct=release --root {root}"),
            "akv:contoso/keys/release",
        ),
    ]
}

#[test]
fn a_name_stands_wherever_a_key_may() {
    let world = world();
    let file = world.write("acr-sign.yaml", &format!("version: 1\n{KEYS}"));
    let init = |repository: &str, more: &str| {
        let keys = "--root-key top --targets-key targets --signer release=release";
        let outcome = world.run(&format!(
            "trust init {repository} {keys} --output json {more}"
        ));
        assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
        assert_eq!(outcome.json()["config"], file.as_str());
        outcome
    };
    init("contoso.azurecr.io/shop/second", "--snapshot-key targets");
    let init = init(REPOSITORY, "");
    let root = init.json()["root"]["keyIds"][0]
        .as_str()
        .unwrap()
        .to_owned();
    for (line, _) in lines(&root) {
        let outcome = world.run(&line);
        assert_eq!(outcome.exit, Exit::Done, "{line}: {}", outcome.stderr);
    }
}

#[test]
fn a_name_that_nobody_gave_is_a_mistake_before_anybody_is_asked() {
    let world = world();
    let root = "0".repeat(64);
    let mut init = vec![];
    for (flag, others) in [
        ("--root-key", "--targets-key akv:contoso/keys/targets"),
        ("--targets-key", "--root-key akv:contoso/keys/root"),
        (
            "--snapshot-key",
            "--root-key akv:contoso/keys/root --targets-key akv:contoso/keys/targets",
        ),
        (
            "--signer",
            "--root-key akv:contoso/keys/root --targets-key akv:contoso/keys/targets",
        ),
    ] {
        let name = if flag == "--signer" { "a=none" } else { "none" };
        init.push(format!("trust init {REPOSITORY} {flag} {name} {others}"));
    }
    let unknown = lines(&root)
        .into_iter()
        .filter(|(line, _)| !line.contains("--certificate"));
    let unknown = unknown.map(|(line, key)| {
        let name = key.rsplit('/').next().unwrap();
        ["--signer-key ", "--key ", "--key dct=", "show "]
            .iter()
            .fold(line, |line, flag| {
                line.replace(&format!("{flag}{name}"), &format!("{flag}none"))
            })
    });
    for line in unknown.chain(init) {
        let outcome = world.run(&line);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec!["usage"]),
            "{line}: {}",
            outcome.stderr
        );
        assert!(
            outcome
                .stderr
                .contains("no `acr-sign.yaml` gives this name"),
            "{line}: {}",
            outcome.stderr
        );
    }
    world.write("acr-sign.yaml", &format!("version: 1\n{KEYS}"));
    let outcome = world.run("key show none");
    assert!(
        outcome.stderr.contains("has no such name in `keys`"),
        "{}",
        outcome.stderr
    );
    // A certificate may be a file of that name, which is not there.
    let outcome = world.run(&format!(
        "verify {REPOSITORY}:1.0 --format notation --certificate none"
    ));
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Usage, vec!["config-invalid"]),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains("a name of `keys`"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn the_file_that_is_named_wins_over_the_one_that_is_found() {
    let world = world();
    world.write("acr-sign.yaml", "no file at all");
    std::fs::create_dir(world.folder.path().join("own")).unwrap();
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    std::fs::copy(
        fixtures.join("keys/rsa2048.pem"),
        world.folder.path().join("own/key.pem"),
    )
    .unwrap();
    let named = world.write(
        "own/config.yaml",
        &format!("version: 1\n{KEYS}  local: file:key.pem\n"),
    );
    let broken = world.run("key show local");
    assert_eq!(
        (broken.exit, broken.reasons()),
        (Exit::Usage, vec!["policy-invalid"]),
        "{}",
        broken.stderr
    );
    let outcome = world.run(&format!("key show local --config {named}"));
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    // A reference needs no file, so what lies about is not read.
    assert_eq!(
        world.run("key show akv:contoso/keys/release").exit,
        Exit::Done
    );
    let none = world.run("key show akv:contoso/keys/release --config none.yaml");
    assert_eq!(
        (none.exit, none.reasons()),
        (Exit::Usage, vec!["config-invalid"]),
        "{}",
        none.stderr
    );
}

#[test]
fn the_file_pins_the_root_of_the_commands_that_sign_again() {
    let (world, root) = World::initialised();
    let image = format!("{REPOSITORY}:1.0");
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    let add = format!(
        "trust signer add bob {REPOSITORY} --signer-key release --targets-key targets --output json"
    );
    let revoke = format!("trust revoke {image} --key release");
    for (pin, exit, reasons) in [
        (root.clone(), Exit::Done, vec![]),
        ("0".repeat(64), Exit::Rejected, vec!["untrusted-root"]),
    ] {
        let file = world.write(
            "acr-sign.yaml",
            &format!("version: 1\n{KEYS}sign: {{ formats: [dct], root: [\"{pin}\"] }}\n"),
        );
        let outcome = world.run(&add);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (exit, reasons.clone()),
            "{}",
            outcome.stderr
        );
        assert_eq!(outcome.json()["config"], file.as_str());
        let outcome = world.run(&revoke);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (exit, reasons),
            "{}",
            outcome.stderr
        );
        if exit == Exit::Done {
            assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
        }
    }
    // The gate's pin is never taken from there.
    let gate = world.run(&format!("verify {image} --format dct"));
    assert_eq!(
        (gate.exit, gate.reasons()),
        (Exit::Usage, vec!["root-not-pinned"]),
        "{}",
        gate.stderr
    );
}

#[test]
fn a_named_file_is_the_policy_where_no_flag_says_what_is_trusted() {
    let world = world();
    let image = format!("{REPOSITORY}:1.0");
    let signed = world.run(&format!(
        "sign {image} --format notation --key akv:contoso/certificates/signer"
    ));
    assert_eq!(signed.exit, Exit::Done, "{}", signed.stderr);
    let rule = "verify:\n  - images: [\"**\"]\n    require: [ { notation: { certificates: [signer] } } ]\n";
    let named = world.write("config.yaml", &format!("version: 1\n{KEYS}{rule}"));
    let outcome = world.run(&format!("verify {image} --config {named} --output json"));
    assert_eq!(
        (outcome.exit, &outcome.json()["config"]),
        (Exit::Done, &named.as_str().into()),
        "{}",
        outcome.stderr
    );
    assert_eq!(
        outcome.json()["images"][0]["rule"]["location"]["file"],
        named.as_str()
    );
    // Beside flags only its names count.
    let flags = format!(
        "verify {image} --format notation --certificate signer --config {named} --output json"
    );
    let outcome = world.run(&flags);
    assert_eq!(
        (outcome.exit, &outcome.json()["config"]),
        (Exit::Done, &named.as_str().into()),
        "{}",
        outcome.stderr
    );
    assert!(outcome.json()["images"][0]["rule"].is_null());
    let both = world.run(&format!("verify {image} --policy {named} --config {named}"));
    assert_eq!(both.exit, Exit::Usage);
    world.sandbox.clear_log();
    let other = world.run(&format!(
        "verify {image} --format notation --certificate release --config {named}"
    ));
    assert_eq!(
        (other.exit, other.reasons()),
        (Exit::Usage, vec!["usage"]),
        "{}",
        other.stderr
    );
    assert!(
        other
            .stderr
            .contains("--certificate `release` leads to a bare key"),
        "{}",
        other.stderr
    );
    assert_eq!(world.sandbox.count(Service::Registry), 0);
}

#[test]
fn p13_a_name_that_is_also_a_file_is_neither() {
    let world = world();
    world.write("acr-sign.yaml", &format!("version: 1\n{KEYS}"));
    world.write("signer", "a certificate that the line may mean");
    let line = format!("verify {REPOSITORY}:1.0 --format notation --certificate signer");
    let outcome = world.run_binary(&line, &[]);
    assert_eq!(outcome.exit, Exit::Usage, "{}", outcome.stderr);
    let said = outcome.stderr;
    assert!(
        said.contains("`--certificate signer` is a name of `keys` and a file"),
        "{said}"
    );
    assert!(said.contains("write `./signer`"), "{said}");
    assert_eq!(world.sandbox.log().len(), 0);
}
