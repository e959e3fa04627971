//! Any bit flipped in signature, message or key is refused, for every kind of key and each of its schemes.

use std::{path::Path, sync::LazyLock};

use acr_sign::{
    crypto::{KeyKind, PublicKey, Scheme, ecdsa_from_der, ecdsa_to_der},
    keys::{PrivateKey, read},
};
use proptest::{collection::vec, prelude::*, sample::Index};

const KEYS: [(&str, &[Scheme]); 5] = [
    (
        "p256-plain-pkcs8.pem",
        &[
            Scheme::EcdsaSha256,
            Scheme::EcdsaSha384,
            Scheme::EcdsaSha512,
        ],
    ),
    (
        "p384-plain-pkcs8.pem",
        &[
            Scheme::EcdsaSha256,
            Scheme::EcdsaSha384,
            Scheme::EcdsaSha512,
        ],
    ),
    (
        "p521-plain-pkcs8.pem",
        &[
            Scheme::EcdsaSha256,
            Scheme::EcdsaSha384,
            Scheme::EcdsaSha512,
        ],
    ),
    (
        "rsa2048-plain-pkcs8.pem",
        &[
            Scheme::RsaPssSha256,
            Scheme::RsaPssSha512,
            Scheme::RsaPkcs1Sha256,
        ],
    ),
    ("ed25519-rfc8410.pem", &[Scheme::Ed25519]),
];

static PRIVATE: LazyLock<Vec<PrivateKey>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dct/g-key-formats");
    let key = |name: &str| {
        read(&std::fs::read(folder.join(name)).unwrap(), None)
            .unwrap()
            .key
    };
    KEYS.iter().map(|(name, _)| key(name)).collect()
});

fn flipped(bytes: &[u8], at: Index) -> Vec<u8> {
    let bit = at.index(bytes.len() * 8);
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_flipped_bit_is_refused(
        which in 0..KEYS.len(), scheme: Index, message in vec(any::<u8>(), 1..200), at: Index,
    ) {
        let (key, scheme) = (&PRIVATE[which], *scheme.get(KEYS[which].1));
        let (public, signature) = (key.public_key(), key.sign(scheme, &message).unwrap());
        prop_assert_eq!(public.verify(scheme, &message, &signature), Ok(()));
        prop_assert!(public.verify(scheme, &message, &flipped(&signature, at)).is_err());
        prop_assert!(public.verify(scheme, &flipped(&message, at), &signature).is_err());
        // A key with a flipped bit is no key, or (RSA's optional NULL aside) another one.
        if let Ok(other) = PublicKey::from_spki_der(&flipped(public.spki_der(), at)) {
            prop_assert!(other == *public || other.verify(scheme, &message, &signature).is_err());
        }
        for (_, schemes) in KEYS {
            for foreign in schemes.iter().filter(|foreign| **foreign != scheme) {
                prop_assert!(public.verify(*foreign, &message, &signature).is_err());
            }
        }
    }

    #[test]
    fn k03_der_and_back(curve in 0..3_usize, bytes in vec(any::<u8>(), 132), zeros in 0..66_usize) {
        let kind = [KeyKind::EcP256, KeyKind::EcP384, KeyKind::EcP521][curve];
        let length = kind.coordinate_length().unwrap();
        let mut raw = bytes[..2 * length].to_vec();
        raw[..zeros.min(length)].fill(0);
        let der = ecdsa_to_der(&raw).unwrap();
        prop_assert_eq!(ecdsa_from_der(kind, &der), Some(raw));
        prop_assert_eq!(ecdsa_from_der(kind, &[der.as_slice(), &[0]].concat()), None);
    }

    #[test]
    fn t14_no_bytes_panic(bytes in vec(any::<u8>(), 0..300)) {
        let _ = PublicKey::from_spki_der(&bytes);
        let _ = PublicKey::from_ed25519(&bytes);
        let _ = read(&bytes, None);
    }
}
