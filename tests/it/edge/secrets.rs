//! No output holds a secret: keys that are read into memory, and what opens them (P06).

use std::path::Path;

use acr_sandbox::{Action, Fault, Identity, Service};
use acr_sign::Exit;
use base64::{Engine as _, prelude::*};
use serde_json::json;

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

type Encode = fn(&str) -> String;

/// In which spellings a service may send back what it got.
const SPELLINGS: &[(&str, Encode)] = &[
    ("raw", |text| format!("cannot handle: {text}")),
    ("json", |text| {
        json!({"errors": [{"code": "X", "message": text}]}).to_string()
    }),
    ("json in json", |text| {
        let inner = json!({"sent": text}).to_string();
        json!({"errors": [{"code": "X", "message": inner}]}).to_string()
    }),
    ("percent", |text| {
        url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
    }),
    ("lower percent", |text| {
        text.bytes().map(|byte| format!("%{byte:02x}")).collect()
    }),
    ("base64", |text| BASE64_STANDARD.encode(text)),
    ("base64, shifted", |text| {
        BASE64_STANDARD.encode(format!("x{text}"))
    }),
    ("base64url", |text| {
        BASE64_URL_SAFE_NO_PAD.encode(format!("xy{text}"))
    }),
    ("hex", |text| {
        text.bytes().map(|byte| format!("{byte:02X}")).collect()
    }),
    ("html", |text| {
        text.replace('&', "&amp;")
            .replace('+', "&#43;")
            .replace('/', "&#x2f;")
            .replace('=', "&#61;")
    }),
    ("unicode escapes", |text| {
        text.encode_utf16()
            .map(|unit| format!("\\u{unit:04x}"))
            .collect()
    }),
];

/// No spelling of the secret stands in what a run said or wrote.
fn hidden(secret: &str, said: &[String], context: &str) {
    let unescaped: Vec<String> = said.iter().map(|text| text.replace("\\\\", "\\")).collect();
    for (spelling, encode) in SPELLINGS {
        let encoded = encode(secret);
        let encoded = encoded.strip_prefix("cannot handle: ").unwrap_or(&encoded);
        // The ends of base64 depend on what stands around it.
        let core = encoded
            .get(4..encoded.len().saturating_sub(4))
            .unwrap_or_default();
        let core = if spelling.starts_with("base64") {
            core
        } else {
            encoded
        };
        for text in said.iter().chain(&unescaped) {
            assert!(!text.contains(core), "{context}: {spelling}: {text}");
        }
    }
    for text in said {
        assert!(!text.contains(secret), "{context}: {text}");
    }
}

#[test]
fn p06_a_service_that_repeats_what_it_got_shows_no_secret() {
    const TOKEN: &str = "id+token/Canary=0123456789==";
    for (spelling, encode) in SPELLINGS {
        let encode = *encode;
        for (service, path, identity) in [
            (Service::Registry, "/oauth2/token", None),
            (
                Service::Entra,
                "/oauth2/v2.0/token",
                Some(Identity::ClientSecret),
            ),
            (
                Service::Registry,
                "/oauth2/exchange",
                Some(Identity::ClientSecret),
            ),
        ] {
            let mut world = World::with(identity.unwrap_or(Identity::Imds));
            let mut more = "--retries 0 -vv --report report.json --summary summary.md --sarif r.sarif --junit r.xml".to_owned();
            if identity.is_none() {
                more.push_str(" --registry-auth docker-config --auth none");
                let auth = BASE64_STANDARD.encode("00000000-0000-0000-0000-000000000000:");
                let config = json!({"auths": {"contoso.azurecr.io": {"auth": auth, "identitytoken": TOKEN}}});
                world.write("config.json", &config.to_string());
                let folder = world.folder.path().display().to_string();
                world.set("DOCKER_CONFIG", Some(&folder));
            }
            world.sandbox.fault(
                Fault::new(Action::Echo {
                    status: 400,
                    encode,
                })
                .service(service)
                .path(path),
            );
            let outcome = world.run_binary(
                &format!(
                    "verify {REPOSITORY}:1.0 --format dct --root {} {more}",
                    "0".repeat(64)
                ),
                &[],
            );
            assert_eq!(
                outcome.exit,
                Exit::Undecided,
                "{spelling} {path}: {}",
                outcome.stderr
            );
            let mut said = vec![outcome.stdout, outcome.stderr];
            for file in ["report.json", "summary.md", "r.sarif", "r.xml"] {
                said.push(
                    std::fs::read_to_string(world.folder.path().join(file)).unwrap_or_default(),
                );
            }
            let context = format!("{spelling} {path}");
            hidden(TOKEN, &said, &context);
            hidden("sandbox-client-secret", &said, &context);
        }
    }
}
