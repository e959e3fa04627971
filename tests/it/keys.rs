//! Key files of other programs: all are read, none with a wrong passphrase.

use std::path::PathBuf;

use acr_sign::{
    crypto::{PublicKey, Scheme, Secret, Signer},
    format::dct::Key,
    keys::{KeyFileError, KeyReference, LocalSigner, read},
};
use serde_json::Value;

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

#[test]
fn every_key_file_of_notary_and_openssl_is_read() {
    let folder = folder("dct/g-key-formats");
    let index: Value = serde_json::from_slice(&std::fs::read(folder.join("index.json")).unwrap()).unwrap();
    let passphrase = Secret::new(index["passphrase"].as_str().unwrap().to_owned());
    let files = index["keys"].as_array().unwrap();
    assert!(files.len() > 25);
    for file in files {
        let name = file["file"].as_str().unwrap();
        let bytes = std::fs::read(folder.join(name)).unwrap();
        let encrypted = String::from_utf8_lossy(&bytes).contains("ENCRYPTED");
        let read_in = read(&bytes, Some(&passphrase)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let listed = Key::from_public_key(read_in.key.public_key());
        assert_eq!(listed.key_id().to_string(), file["key_id"].as_str().unwrap(), "{name}");
        if encrypted {
            assert_eq!(read(&bytes, None).unwrap_err(), KeyFileError::PassphraseMissing, "{name}");
            let wrong = Secret::new("wrong".into());
            assert_eq!(read(&bytes, Some(&wrong)).unwrap_err(), KeyFileError::PassphraseWrong, "{name}");
        } else {
            assert!(read(&bytes, None).is_ok(), "{name}");
        }
    }
}

#[test]
fn every_pkcs12_form_is_read() {
    let folder = folder("keys");
    let public = PublicKey::from_pem(&std::fs::read_to_string(folder.join("key.pub")).unwrap()).unwrap();
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "p12") {
            continue;
        }
        count += 1;
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(&path).unwrap();
        let empty = name.starts_with("empty") || name.starts_with("null") || name == "unencrypted-no-mac.p12";
        let given = Secret::new("given".into());
        let file =
            read(&bytes, if empty { None } else { Some(&given) }).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(*file.key.public_key(), public, "{name}");
        assert_eq!(file.certificates.len(), 1, "{name}");
        assert_eq!(*file.certificates[0].public_key(), public, "{name}");
        if !name.starts_with("unencrypted-no") {
            let wrong = Secret::new("wrong".into());
            assert_eq!(read(&bytes, Some(&wrong)).unwrap_err(), KeyFileError::PassphraseWrong, "{name}");
        }
    }
    assert_eq!(count, 10);
    let null = std::fs::read(folder.join("null-password-3des.p12")).unwrap();
    let empty = Secret::new(String::new());
    assert_eq!(read(&null, Some(&empty)).unwrap_err(), KeyFileError::PassphraseWrong);
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
        let key = read(&std::fs::read(folder.join(file)).unwrap(), Some(&passphrase)).unwrap().key;
        let signer = LocalSigner::new(file.to_owned(), key, Vec::new());
        let signature = signer.sign(scheme, b"message").await.unwrap();
        let public = signer.public_key();
        assert!(public.verify(scheme, b"message", &signature.0).is_ok(), "{file}");
        assert!(public.verify(scheme, b"massage", &signature.0).is_err(), "{file}");
        for bit in [0, 7, signature.0.len() * 8 - 1] {
            let mut flipped = signature.0.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(public.verify(scheme, b"message", &flipped).is_err(), "{file} bit {bit}");
        }
        let mut longer = signature.0.clone();
        longer.push(0);
        assert!(public.verify(scheme, b"message", &longer).is_err(), "{file}");
    }
}

#[test]
fn t14_keys_that_are_none() {
    for length in [0, 31, 33] {
        assert!(PublicKey::from_ed25519(&vec![1; length]).is_err(), "{length}");
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
    assert!(PublicKey::from_ec_coordinates(acr_sign::crypto::KeyKind::EcP256, &[1; 32], &[1; 32]).is_err());
}

#[test]
fn a_printed_reference_holds_no_passphrase_variable() {
    let reference: KeyReference = "file:key.pem?passphrase-env=SECRET_NAME".parse().unwrap();
    assert_eq!(reference.to_string(), "file:key.pem");
}
