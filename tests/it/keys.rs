//! Key files of other programs: all are read, none with a wrong passphrase.

use std::path::PathBuf;

use acr_sign::{
    crypto::{PublicKey, Scheme, Secret, Signer},
    format::dct::Key,
    keys::{KeyFileError, KeyReference, LocalSigner, read},
};
use serde_json::Value;

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

#[test]
fn every_key_file_of_notary_and_openssl_is_read() {
    let folder = folder("dct/g-key-formats");
    let index: Value =
        serde_json::from_slice(&std::fs::read(folder.join("index.json")).unwrap()).unwrap();
    let passphrase = Secret::new(index["passphrase"].as_str().unwrap().to_owned());
    let files = index["keys"].as_array().unwrap();
    assert!(files.len() > 25);
    for file in files {
        let name = file["file"].as_str().unwrap();
        let bytes = std::fs::read(folder.join(name)).unwrap();
        let encrypted = String::from_utf8_lossy(&bytes).contains("ENCRYPTED");
        let read_in =
            read(&bytes, Some(&passphrase)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let listed = Key::from_public_key(read_in.key.public_key());
        assert_eq!(
            listed.key_id().to_string(),
            file["key_id"].as_str().unwrap(),
            "{name}"
        );
        if encrypted {
            assert_eq!(
                read(&bytes, None).unwrap_err(),
                KeyFileError::PassphraseMissing,
                "{name}"
            );
            let wrong = Secret::new("wrong".into());
            assert_eq!(
                read(&bytes, Some(&wrong)).unwrap_err(),
                KeyFileError::PassphraseWrong,
                "{name}"
            );
        } else {
            assert!(read(&bytes, None).is_ok(), "{name}");
        }
    }
}

#[test]
fn every_pkcs12_form_is_read() {
    let folder = folder("keys");
    let public =
        PublicKey::from_pem(&std::fs::read_to_string(folder.join("key.pub")).unwrap()).unwrap();
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "p12") {
            continue;
        }
        count += 1;
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(&path).unwrap();
        let empty = name.starts_with("empty")
            || name.starts_with("null")
            || name == "unencrypted-no-mac.p12";
        let given = Secret::new("given".into());
        let file = read(&bytes, if empty { None } else { Some(&given) })
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(*file.key.public_key(), public, "{name}");
        assert_eq!(file.certificates.len(), 1, "{name}");
        assert_eq!(*file.certificates[0].public_key(), public, "{name}");
        if !name.starts_with("unencrypted-no") {
            let wrong = Secret::new("wrong".into());
            assert_eq!(
                read(&bytes, Some(&wrong)).unwrap_err(),
                KeyFileError::PassphraseWrong,
                "{name}"
            );
        }
    }
    assert_eq!(count, 10);
    let null = std::fs::read(folder.join("null-password-3des.p12")).unwrap();
    let empty = Secret::new(String::new());
    assert_eq!(
        read(&null, Some(&empty)).unwrap_err(),
        KeyFileError::PassphraseWrong
    );
}

#[tokio::test]
async fn local_keys_of_every_kind_sign_what_verifies() {
    let folder = folder("dct/g-key-formats");
    for (file, scheme) in [
        ("p256-plain-pkcs8.pem", Scheme::EcdsaSha256),
        ("p384-plain-pkcs8.pem", Scheme::EcdsaSha256),
        ("p384-plain-sec1.pem", Scheme::EcdsaSha384),
        ("p521-plain-pkcs8.pem", Scheme::EcdsaSha256),
        ("p521-plain-sec1.pem", Scheme::EcdsaSha512),
        ("rsa2048-plain-pkcs1.pem", Scheme::RsaPssSha256),
        ("rsa2048-plain-pkcs8.pem", Scheme::RsaPkcs1Sha256),
        ("ed25519-rfc8410.pem", Scheme::Ed25519),
    ] {
        let passphrase = Secret::new("kfs-passphrase".into());
        let key = read(
            &std::fs::read(folder.join(file)).unwrap(),
            Some(&passphrase),
        )
        .unwrap()
        .key;
        let signer = LocalSigner::new(file.to_owned(), key, Vec::new());
        let signature = signer.sign(scheme, b"message").await.unwrap();
        let public = signer.public_key();
        assert!(
            public.verify(scheme, b"message", &signature.0).is_ok(),
            "{file}"
        );
        assert!(
            public.verify(scheme, b"massage", &signature.0).is_err(),
            "{file}"
        );
        for bit in [0, 7, signature.0.len() * 8 - 1] {
            let mut flipped = signature.0.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(
                public.verify(scheme, b"message", &flipped).is_err(),
                "{file} bit {bit}"
            );
        }
        let mut longer = signature.0.clone();
        longer.push(0);
        assert!(
            public.verify(scheme, b"message", &longer).is_err(),
            "{file}"
        );
    }
}

#[test]
fn t14_keys_that_are_none() {
    for length in [0, 31, 33] {
        assert!(
            PublicKey::from_ed25519(&vec![1; length]).is_err(),
            "{length}"
        );
    }
    // Points of small order, under which one signature fits many messages (D03); y = p + 3 spells y = 3.
    let (mut identity, mut other_spelling) = ([0; 32], [0xff; 32]);
    identity[0] = 1;
    (other_spelling[0], other_spelling[31]) = (0xf0, 0x7f);
    for point in [[0; 32], identity, other_spelling] {
        assert!(PublicKey::from_ed25519(&point).is_err(), "{point:?}");
    }
    let n = [0xff; 256];
    assert!(PublicKey::from_rsa_components(&n, &[1]).is_err());
    assert!(PublicKey::from_rsa_components(&n, &[2]).is_err());
    assert!(PublicKey::from_rsa_components(&n[..128], &[1, 0, 1]).is_err());
    assert!(
        PublicKey::from_ec_coordinates(acr_sign::crypto::KeyKind::EcP256, &[1; 32], &[1; 32])
            .is_err()
    );
}

#[test]
fn a_printed_reference_holds_no_passphrase_variable() {
    let reference: KeyReference = "file:key.pem?passphrase-env=SECRET_NAME".parse().unwrap();
    assert_eq!(reference.to_string(), "file:key.pem");
}

#[test]
fn encryption_that_is_not_read_is_told_apart_from_a_wrong_passphrase() {
    let folder = folder("keys/refused");
    let read_with = |file: &str, passphrase: &str| {
        read(
            &std::fs::read(folder.join(file)).unwrap(),
            Some(&Secret::new(passphrase.into())),
        )
        .map(|_| ())
    };
    for passphrase in ["given", "wrong"] {
        for file in [
            "pbes2-camellia-256.pem",
            "pbes1-md5-des.pem",
            "dek-camellia-256.pem",
        ] {
            assert_eq!(
                read_with(file, passphrase),
                Err(KeyFileError::Encryption),
                "{file}"
            );
        }
        assert_eq!(
            read_with("pbes2-10000001-rounds.pem", passphrase),
            Err(KeyFileError::Costs)
        );
    }
    assert_eq!(read_with("pbes2-scrypt.pem", "given"), Ok(()));
    assert_eq!(
        read_with("pbes2-scrypt.pem", "wrong"),
        Err(KeyFileError::PassphraseWrong)
    );
}

#[test]
fn scrypt_that_costs_too_much_is_not_begun() {
    let bytes = std::fs::read(folder("keys/refused").join("pbes2-scrypt.pem")).unwrap();
    let given = Secret::new("given".into());
    let block = pem::parse(bytes).unwrap();
    // N = 2^14, r = 8, p = 1.
    let at = block
        .contents()
        .windows(10)
        .position(|bytes| bytes == [2, 2, 0x40, 0, 2, 1, 8, 2, 1, 1])
        .unwrap();
    for (place, value, costs) in [(6, 127, true), (9, 17, true), (9, 16, false)] {
        let mut raised = block.contents().to_vec();
        raised[at + place] = value;
        let raised = pem::encode(&pem::Pem::new("ENCRYPTED PRIVATE KEY", raised));
        // N · r · 128 = 266,338,304 bytes are allowed; twice that are not.
        let raised = if place == 6 {
            raised_twice(&raised, at)
        } else {
            raised
        };
        let error = read(raised.as_bytes(), Some(&given)).unwrap_err();
        assert_eq!(
            error == KeyFileError::Costs,
            costs,
            "{place} {value}: {error}"
        );
    }
}

/// The same with a larger N: 2^14 as two bytes becomes 2^14 + 2^13, which no scrypt takes, but costs more.
fn raised_twice(pem: &str, at: usize) -> String {
    let mut contents = pem::parse(pem).unwrap().into_contents();
    contents[at + 2] = 0x7f;
    pem::encode(&pem::Pem::new("ENCRYPTED PRIVATE KEY", contents))
}

#[test]
fn an_ec_key_that_names_two_curves_is_refused() {
    const P256: &[u8] = &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
    const P384: &[u8] = &[6, 5, 0x2b, 0x81, 4, 0, 0x22];
    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        let head = if length < 128 {
            vec![tag, length]
        } else {
            vec![tag, 0x81, length]
        };
        [head, content.to_vec()].concat()
    }
    let bytes = std::fs::read(folder("dct/g-key-formats").join("p256-plain-sec1.pem")).unwrap();
    let inside = pem::parse(bytes).unwrap().into_contents();
    assert!(
        inside.windows(P256.len()).any(|part| part == P256),
        "the inner key names its curve"
    );
    for (around, good) in [(P256, true), (P384, false)] {
        let algorithm = der(
            0x30,
            &[&[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1], around].concat(),
        );
        let pkcs8 = der(0x30, &[vec![2, 1, 0], algorithm, der(4, &inside)].concat());
        let pem = pem::encode(&pem::Pem::new("PRIVATE KEY", pkcs8));
        let outcome = read(pem.as_bytes(), None);
        assert_eq!(outcome.is_ok(), good, "{outcome:?}");
        assert!(good || outcome.unwrap_err() == KeyFileError::Unsupported);
    }
}
