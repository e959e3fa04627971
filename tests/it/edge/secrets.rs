//! No output holds a secret: keys that are read into memory, and what opens them (P06).

use std::path::Path;

use crate::world::{REPOSITORY, World};

/// A line of a PEM file that holds none of the public part: the first of an EC key's, the last whole one of an RSA key's.
fn private_line(pem: &str) -> &str {
    let mut body = pem
        .lines()
        .filter(|line| line.len() == 64 && !line.contains([' ', ':', '-']));
    let first = body.next().unwrap();
    if body.clone().count() > 5 {
        body.next_back().unwrap()
    } else {
        first
    }
}

#[test]
fn p06_keys_in_memory_and_their_passphrases_are_not_told() {
    let (world, root) = World::initialised();
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dct/g-key-formats");
    for file in [
        "p256-pbes2-sha256-aes256.pem",
        "p256-plain-sec1.pem",
        "p384-plain-sec1.pem",
        "rsa2048-plain-pkcs8.pem",
    ] {
        let path = files.join(file);
        let pem = std::fs::read_to_string(&path).unwrap();
        world
            .sandbox
            .vault()
            .set_secret("key", &pem, "application/x-pem-file");
        world
            .sandbox
            .vault()
            .set_secret("phrase", "canary-passphrase", "text/plain");
        for key in [
            format!("file:{}", path.display()),
            format!("file:{}?passphrase-env=CANARY", path.display()),
            "env:CANARY_KEY?passphrase-env=CANARY".to_owned(),
            "akv:contoso/secrets/key".to_owned(),
            "akv:contoso/secrets/key?passphrase=akv:contoso/secrets/phrase".to_owned(),
        ] {
            for line in [
                format!("key show {key}"),
                format!("sign {REPOSITORY}:1.0 --format dct --key {key} --root {root}"),
            ] {
                let further = [
                    ("CANARY", "canary-passphrase"),
                    ("CANARY_KEY", pem.as_str()),
                ];
                let outcome = world.run_telling_no_secret(&line, &further);
                let secret = private_line(&pem);
                assert!(
                    !outcome.stdout.contains(secret) && !outcome.stderr.contains(secret),
                    "{line}"
                );
            }
        }
    }
}
