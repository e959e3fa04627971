//! N09, N11, D02: certificate and chain rules, one damage a row; and chains out of unordered
//! bundles.

use acr_sign::{
    crypto::{Certificate, Scheme},
    format::notation::{BundleFault, chain_of},
};

use super::{
    maker::{
        Key, Spec, basic, ext, extended, header, jws_of, octets, oid, p256, p384, rsa, seq, usage,
    },
    scene::{at, now, payload, pins, verdict},
};

const CODE_SIGNING: &str = "1.3.6.1.5.5.7.3.3";

fn leaf(extensions: Vec<Vec<u8>>) -> Spec {
    Spec::new("signer", "root", extensions)
}

fn root(extensions: Vec<Vec<u8>>) -> Spec {
    Spec::new("root", "root", extensions)
}

/// The verdict on a chain of leaf, intermediates and root with these rules, each issued by the
/// next.
fn of(specs: &[Spec]) -> String {
    let keys: Vec<Key> = (0..specs.len())
        .map(|index| p256(20 + u8::try_from(index).unwrap()))
        .collect();
    let chain: Vec<Certificate> = specs
        .iter()
        .enumerate()
        .map(|(index, spec)| spec.issue(&keys[index], keys.get(index + 1).unwrap_or(&keys[index])))
        .collect();
    judged(&chain, &keys[0])
}

fn judged(chain: &[Certificate], key: &Key) -> String {
    let trust = acr_sign::format::notation::Trust::pinned(pins(chain.to_vec())).unwrap();
    let jws = jws_of(
        &header().to_string(),
        &payload(),
        chain,
        key,
        Scheme::EcdsaSha256,
    );
    let found = verdict(jws.to_string().as_bytes(), &trust);
    match found.split_once("fault: ") {
        Some((before, fault)) => {
            let index = before
                .split("index: ")
                .nth(1)
                .unwrap()
                .split(',')
                .next()
                .unwrap();
            format!("{index} {}", fault.strip_suffix(" })").unwrap())
        }
        None => found,
    }
}

#[test]
fn n11_leaf_rules() {
    let good_root = || Spec::ca("root", "root");
    let rows: Vec<(&str, Spec, &str)> = vec![
        ("key usage alone", leaf(vec![usage(true, &[0])]), "verified"),
        (
            "no CA, said so",
            leaf(vec![basic(true, false, None), usage(true, &[0])]),
            "verified",
        ),
        (
            "nonRepudiation too",
            leaf(vec![usage(true, &[0, 1])]),
            "verified",
        ),
        (
            "codeSigning",
            leaf(vec![usage(true, &[0]), extended(true, &[CODE_SIGNING])]),
            "verified",
        ),
        (
            "a CA",
            leaf(vec![basic(true, true, None), usage(true, &[0])]),
            "0 LeafIsCa",
        ),
        (
            "no key usage",
            leaf(vec![extended(false, &[CODE_SIGNING])]),
            "0 NoKeyUsage",
        ),
        (
            "key usage not critical",
            leaf(vec![usage(false, &[0])]),
            "0 KeyUsageNotCritical",
        ),
        (
            "no digitalSignature",
            leaf(vec![usage(true, &[1])]),
            r#"0 KeyUsageMissing("digitalSignature")"#,
        ),
        (
            "keyEncipherment",
            leaf(vec![usage(true, &[0, 2])]),
            r#"0 KeyUsageForbidden("keyEncipherment")"#,
        ),
        (
            "dataEncipherment",
            leaf(vec![usage(true, &[0, 3])]),
            r#"0 KeyUsageForbidden("dataEncipherment")"#,
        ),
        (
            "keyAgreement",
            leaf(vec![usage(true, &[0, 4])]),
            r#"0 KeyUsageForbidden("keyAgreement")"#,
        ),
        (
            "keyCertSign",
            leaf(vec![usage(true, &[0, 5])]),
            r#"0 KeyUsageForbidden("keyCertSign")"#,
        ),
        (
            "cRLSign",
            leaf(vec![usage(true, &[0, 6])]),
            r#"0 KeyUsageForbidden("cRLSign")"#,
        ),
        (
            "encipherOnly",
            leaf(vec![usage(true, &[0, 7])]),
            r#"0 KeyUsageForbidden("encipherOnly")"#,
        ),
        (
            "decipherOnly",
            leaf(vec![usage(true, &[0, 8])]),
            r#"0 KeyUsageForbidden("decipherOnly")"#,
        ),
    ];
    for (name, leaf, expected) in rows {
        assert_eq!(of(&[leaf, good_root()]), expected, "{name}");
    }
    for forbidden in [
        "2.5.29.37.0",
        "1.3.6.1.5.5.7.3.1",
        "1.3.6.1.5.5.7.3.2",
        "1.3.6.1.5.5.7.3.4",
        "1.3.6.1.5.5.7.3.8",
        "1.3.6.1.5.5.7.3.9",
    ] {
        let leaf = leaf(vec![
            usage(true, &[0]),
            extended(false, &[CODE_SIGNING, forbidden]),
        ]);
        let found = of(&[leaf, good_root()]);
        assert!(
            found.starts_with("0 ExtendedKeyUsageForbidden"),
            "{forbidden}: {found}"
        );
        assert!(found.contains(forbidden), "{found}");
    }
}

#[test]
fn n11_ca_rules() {
    let leaf = || Spec::leaf("signer", "root");
    let rows: Vec<(&str, Spec, &str)> = vec![
        (
            "no basic constraints",
            root(vec![usage(true, &[5])]),
            "1 NotCa",
        ),
        (
            "basic constraints not critical",
            root(vec![basic(false, true, None), usage(true, &[5])]),
            "1 NotCa",
        ),
        (
            "no CA",
            root(vec![basic(true, false, None), usage(true, &[5])]),
            "1 NotCa",
        ),
        (
            "no key usage",
            root(vec![basic(true, true, None)]),
            "1 NoKeyUsage",
        ),
        (
            "key usage not critical",
            root(vec![basic(true, true, None), usage(false, &[5])]),
            "1 KeyUsageNotCritical",
        ),
        (
            "no keyCertSign",
            root(vec![basic(true, true, None), usage(true, &[0])]),
            r#"1 KeyUsageMissing("keyCertSign")"#,
        ),
        (
            "path length 0 above a leaf",
            root(vec![basic(true, true, Some(0)), usage(true, &[5])]),
            "verified",
        ),
    ];
    for (name, root, expected) in rows {
        assert_eq!(of(&[leaf(), root]), expected, "{name}");
    }
    let below = |path| root(vec![basic(true, true, Some(path)), usage(true, &[5])]);
    let two = |path| {
        [
            Spec::leaf("signer", "middle"),
            Spec::ca("middle", "root"),
            below(path),
        ]
    };
    assert_eq!(of(&two(0)), "2 PathLength { allowed: 0, found: 1 }");
    assert_eq!(of(&two(1)), "verified");
}

/// A CA that was made for something else may not name signers, at whatever level (N14).
#[test]
fn n14_a_ca_issues_only_what_its_usages_say() {
    const TLS: &str = "1.3.6.1.5.5.7.3.1";
    const CLIENT: &str = "1.3.6.1.5.5.7.3.2";
    const MAIL: &str = "1.3.6.1.5.5.7.3.4";
    const TIME: &str = "1.3.6.1.5.5.7.3.8";
    const ANY: &str = "2.5.29.37.0";
    let chain = |lower: Option<&[&str]>, upper: Option<&[&str]>, top: Option<&[&str]>| {
        let with = |spec: Spec, usages: Option<&[&str]>| match usages {
            Some(usages) => spec.with(extended(false, usages)),
            None => spec,
        };
        of(&[
            leaf(vec![usage(true, &[0]), extended(false, &[CODE_SIGNING])]).under("lower"),
            with(Spec::ca("lower", "upper"), lower),
            with(Spec::ca("upper", "root"), upper),
            with(Spec::ca("root", "root"), top),
        ])
    };
    let refused = |level: usize| format!(r#"{level} NotForPurpose("codeSigning")"#);
    for allowed in [
        None,
        Some(&[CODE_SIGNING][..]),
        Some(&[ANY]),
        Some(&[TLS, CODE_SIGNING]),
        Some(&[MAIL, ANY]),
    ] {
        assert_eq!(chain(allowed, None, None), "verified", "{allowed:?}");
        assert_eq!(chain(None, allowed, None), "verified", "{allowed:?}");
        assert_eq!(chain(allowed, allowed, allowed), "verified", "{allowed:?}");
    }
    for other in [&[TLS][..], &[CLIENT, MAIL], &[TIME], &["1.2.3.4"]] {
        assert_eq!(chain(Some(other), None, None), refused(1), "{other:?}");
        assert_eq!(chain(None, Some(other), None), refused(2), "{other:?}");
        assert_eq!(chain(Some(&[CODE_SIGNING]), Some(other), None), refused(2));
        // What a root is trusted for is said by whoever trusts it.
        assert_eq!(chain(None, None, Some(other)), "verified", "{other:?}");
    }
    let critical = [
        leaf(vec![usage(true, &[0])]).under("lower"),
        Spec::ca("lower", "root").with(extended(true, &[TLS])),
        Spec::ca("root", "root"),
    ];
    assert_eq!(of(&critical), refused(1));
    let twice = [
        leaf(vec![usage(true, &[0])]).under("lower"),
        Spec::ca("lower", "root")
            .with(extended(false, &[CODE_SIGNING]))
            .with(extended(false, &[TLS])),
        Spec::ca("root", "root"),
    ];
    assert!(of(&twice).starts_with("1 Extension"), "{}", of(&twice));
}

#[test]
fn n11_chain_rules() {
    let (root_key, leaf_key, other_key) = (p256(1), p256(2), p256(3));
    let root = Spec::ca("root", "root").issue(&root_key, &root_key);
    let middle = Spec::ca("middle", "root").issue(&other_key, &root_key);
    let leaf = Spec::leaf("signer", "middle").issue(&leaf_key, &other_key);
    let direct = Spec::leaf("signer", "root").issue(&leaf_key, &root_key);
    let forged = Spec::leaf("signer", "root").issue(&leaf_key, &other_key);
    let alone = Spec::leaf("alone", "alone").issue(&leaf_key, &leaf_key);
    let alone_ca = Spec::ca("alone", "alone").issue(&leaf_key, &leaf_key);
    let same_name = Spec::leaf("root", "root").issue(&leaf_key, &root_key);
    let other_root = Spec::ca("root", "root").issue(&other_key, &other_key);
    let rows: Vec<(&str, Vec<&Certificate>, &str)> = vec![
        (
            "leaf, middle, root",
            vec![&leaf, &middle, &root],
            "verified",
        ),
        (
            "leaf and root of one name",
            vec![&same_name, &root],
            "verified",
        ),
        ("self-signed leaf", vec![&alone], "verified"),
        ("self-signed CA", vec![&alone_ca], "0 LeafIsCa"),
        ("no root", vec![&leaf, &middle], "1 NoRoot"),
        ("leaf alone", vec![&leaf], "0 NoRoot"),
        ("no middle", vec![&leaf, &root], "0 NotIssuedByNext"),
        (
            "other order",
            vec![&leaf, &root, &middle],
            "0 NotIssuedByNext",
        ),
        (
            "forged signature",
            vec![&forged, &root],
            "0 NotIssuedByNext",
        ),
        (
            "same subject, other key",
            vec![&direct, &other_root],
            "0 NotIssuedByNext",
        ),
        (
            "root twice",
            vec![&direct, &root, &root],
            "1 SelfSignedInside",
        ),
        (
            "self-signed leaf before a root",
            vec![&alone, &root],
            "0 SelfSignedInside",
        ),
    ];
    for (name, chain, expected) in rows {
        let chain: Vec<_> = chain.into_iter().cloned().collect();
        let found = judged(&chain, &leaf_key);
        assert!(found.starts_with(expected), "{name}: {found}");
    }
}

#[test]
fn n09_keys_that_no_algorithm_is_for_are_refused() {
    let root_key = p256(1);
    let root = Spec::ca("root", "root").issue(&root_key, &root_key);
    for (key, alg, scheme, expected) in [
        (rsa(2048), "PS256", Scheme::RsaPssSha256, "verified"),
        (rsa(3072), "PS384", Scheme::RsaPssSha384, "verified"),
        (
            rsa(2048),
            "PS384",
            Scheme::RsaPssSha384,
            "AlgorithmMismatch",
        ),
        (
            rsa(3072),
            "PS256",
            Scheme::RsaPssSha256,
            "AlgorithmMismatch",
        ),
        (
            rsa(2048),
            "PS256",
            Scheme::RsaPkcs1Sha256,
            "SignatureInvalid(Mismatch)",
        ),
        (p384(), "ES384", Scheme::EcdsaSha384, "verified"),
        (p384(), "ES256", Scheme::EcdsaSha256, "AlgorithmMismatch"),
    ] {
        let leaf = Spec::leaf("signer", "root").issue(&key, &root_key);
        let mut header = header();
        header["alg"] = alg.into();
        let chain = [leaf, root.clone()];
        let jws = jws_of(&header.to_string(), &payload(), &chain, &key, scheme);
        let trust = acr_sign::format::notation::Trust::pinned(pins(vec![root.clone()])).unwrap();
        let found = verdict(jws.to_string().as_bytes(), &trust);
        assert!(found.starts_with(expected), "{alg} {scheme:?}: {found}");
    }
}

#[test]
fn d02_extensions_that_are_not_checked_are_refused() {
    let constraints = |critical| ext("2.5.29.30", critical, &seq(&[]));
    let unknown = |critical| ext("1.2.3.4", critical, b"x");
    let leaf = || Spec::leaf("signer", "root");
    let root = || Spec::ca("root", "root");
    assert_eq!(
        of(&[leaf().with(unknown(true)), root()]),
        "0 UnknownExtension"
    );
    assert_eq!(
        of(&[leaf(), root().with(unknown(true))]),
        "1 UnknownExtension"
    );
    assert_eq!(of(&[leaf().with(unknown(false)), root()]), "verified");
    assert_eq!(
        of(&[leaf(), root().with(constraints(true))]),
        "1 NameConstraints"
    );
    assert_eq!(
        of(&[leaf(), root().with(constraints(false))]),
        "1 NameConstraints"
    );
    assert_eq!(
        of(&[leaf(), root().with(ext("2.5.29.36", true, &seq(&[])))]),
        "1 UnknownExtension"
    );

    // What cannot be read is not absent: a leaf with a broken extended key usage is not one
    // without.
    let broken = |id| ext(id, false, &octets(b"x"));
    for (id, spec) in [
        ("2.5.29.37", leaf().with(broken("2.5.29.37"))),
        ("2.5.29.19", leaf().with(broken("2.5.29.19"))),
        (
            "2.5.29.15",
            Spec::new(
                "signer",
                "root",
                vec![ext("2.5.29.15", true, &octets(b"x"))],
            ),
        ),
    ] {
        let found = of(&[spec, root()]);
        assert!(
            found.starts_with("0 Extension(InvalidExtension"),
            "{id}: {found}"
        );
    }
    let twice = leaf()
        .with(extended(false, &[CODE_SIGNING]))
        .with(extended(false, &[CODE_SIGNING]));
    assert!(of(&[twice, root()]).starts_with("0 Extension(InvalidExtension"));

    let mut two = leaf();
    two.inner = Some(seq(&[oid("1.2.840.10045.4.3.3")]));
    assert_eq!(of(&[two, root()]), "0 TwoAlgorithms");
    let mut sha1 = leaf();
    sha1.stated = Some(seq(&[oid("1.2.840.10045.4.1")]));
    assert_eq!(of(&[sha1, root()]), "0 Sha1");
}

#[test]
fn eleven_certificates_are_too_many_and_ten_are_not() {
    let chain = |length: usize| {
        let name = |index: usize| format!("ca {index}");
        let mut specs = vec![Spec::leaf("signer", "ca 1")];
        specs.extend(
            (1..length).map(|index| Spec::ca(&name(index), &name((index + 1).min(length - 1)))),
        );
        of(&specs)
    };
    assert_eq!(chain(10), "verified");
    assert_eq!(chain(11), "Envelope(ChainLength(11))");
}

#[test]
fn a_chain_is_found_in_any_order_and_beside_strangers() {
    let (root_key, middle_key, leaf_key) = (p256(1), p256(2), p256(3));
    let root = Spec::ca("root", "root").issue(&root_key, &root_key);
    let middle = Spec::ca("middle", "root").issue(&middle_key, &root_key);
    let leaf = Spec::leaf("signer", "middle").issue(&leaf_key, &middle_key);
    let stranger = Spec::leaf("stranger", "stranger").issue(&p256(4), &p256(4));
    // A CA of the same name with another key must not be taken for the issuer.
    let namesake = Spec::ca("middle", "root").issue(&p256(5), &root_key);
    let key = leaf_key.public();
    let chain = vec![leaf.clone(), middle.clone(), root.clone()];
    let all = [&stranger, &root, &namesake, &leaf, &middle];
    for turn in 0..all.len() {
        let bundle: Vec<_> = (0..all.len())
            .map(|index| all[(index + turn) % all.len()].clone())
            .collect();
        assert_eq!(
            chain_of(&key, &bundle, now()).unwrap(),
            chain,
            "turned by {turn}"
        );
    }
    let fault = |bundle: &[&Certificate], at| {
        let bundle: Vec<_> = bundle
            .iter()
            .map(|certificate| (*certificate).clone())
            .collect();
        chain_of(&key, &bundle, at).unwrap_err()
    };
    assert_eq!(fault(&[&root, &stranger], now()), BundleFault::NoLeaf(2));
    assert_eq!(fault(&[], now()), BundleFault::NoLeaf(0));
    let missing = |fault| match fault {
        BundleFault::NoRoot { missing, .. } => missing,
        other => panic!("{other:?}"),
    };
    assert!(missing(fault(&[&leaf, &root], now())).contains("CN=middle"));
    assert!(missing(fault(&[&leaf, &middle], now())).contains("CN=root"));
    let ended = fault(&[&leaf, &middle, &root], at("2027-01-01T00:00:01Z"));
    assert!(matches!(ended, BundleFault::NotValid { .. }), "{ended:?}");
    let early = fault(&[&leaf, &middle, &root], at("2025-12-31T23:59:59Z"));
    assert!(matches!(early, BundleFault::NotValid { .. }), "{early:?}");
    assert!(chain_of(&key, &chain, at("2027-01-01T00:00:00Z")).is_ok());
    assert_eq!(fault(&vec![&stranger; 33], now()), BundleFault::TooMany(33));

    // The renewed certificate of the same key is taken where the first has ended.
    let mut old = Spec::leaf("signer", "middle");
    old.until = "2026-02-01T00:00:00Z";
    let old = old.issue(&leaf_key, &middle_key);
    let bundle = [old, leaf.clone(), middle, root];
    assert_eq!(chain_of(&key, &bundle, now()).unwrap()[0], leaf);
}

#[test]
fn cross_signed_issuers_lead_to_a_root_without_endless_work() {
    let (one, two, leaf_key) = (p256(1), p256(2), p256(3));
    let cross_one = Spec::ca("one", "two").issue(&one, &two);
    let cross_two = Spec::ca("two", "one").issue(&two, &one);
    let root = Spec::ca("two", "two").issue(&two, &two);
    let leaf = Spec::leaf("signer", "one").issue(&leaf_key, &one);
    let key = leaf_key.public();
    let circle = [leaf.clone(), cross_one.clone(), cross_two.clone()];
    assert!(matches!(
        chain_of(&key, &circle, now()),
        Err(BundleFault::NoRoot { .. })
    ));
    let bundle = [leaf.clone(), cross_one.clone(), cross_two, root.clone()];
    assert_eq!(
        chain_of(&key, &bundle, now()).unwrap(),
        [leaf, cross_one, root]
    );
}
