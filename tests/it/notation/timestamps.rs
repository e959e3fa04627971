//! Timestamp tokens, one damage a row; N13 at the edges; revoked authorities (N06).

use acr_sign::{
    crypto::Certificate,
    format::notation::{
        Envelope, RevocationAnswer, Trust, Verdict, VerificationStep, VerifyTimestamp,
    },
    oci::MediaType,
    reason::{Explain as _, Reason},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    maker::{
        Answer, Key, Spec, TOKEN, Token, basic, cbor, cose_chain, cose_header, cose_of, crl_at,
        ext, extended, good, header, integer, ocsp_at, oid, p256, revoked, rsa, seq, set, time,
        tlv, usage,
    },
    scene::{Scene, at, now, outcome_of, payload, step_of, verdict},
};

/// An authority with a root of its own.
struct Authority {
    root_key: Key,
    root: Certificate,
    key: Key,
    certificate: Certificate,
}

impl Authority {
    fn new(leaf: &Spec) -> Self {
        Self::with(leaf, p256(32))
    }

    fn with(leaf: &Spec, key: Key) -> Self {
        let root_key = p256(31);
        let root = Spec::ca("clock root", "clock root").issue(&root_key, &root_key);
        let certificate = leaf.issue(&key, &root_key);
        Self {
            root_key,
            root,
            key,
            certificate,
        }
    }

    fn plain() -> Self {
        Self::new(&Spec::tsa("clock", "clock root"))
    }

    fn token(&self, signature: &[u8]) -> Token {
        Token::over(signature, &[&self.certificate])
    }

    fn trust(&self, scene: &Scene, when: VerifyTimestamp) -> Trust {
        let mut pins = scene.pins();
        pins.timestamp_roots = vec![self.root.clone()];
        pins.verify_timestamp = when;
        Trust::pinned(pins).unwrap()
    }
}

fn signature(envelope: &Value) -> Vec<u8> {
    let media_type = MediaType::new("application/jose+json");
    Envelope::read(&media_type, envelope.to_string().as_bytes())
        .unwrap()
        .signature()
        .to_vec()
}

fn stamped(envelope: &Value, token: &[u8]) -> Vec<u8> {
    let mut envelope = envelope.clone();
    envelope["header"][TOKEN] = json!(STANDARD.encode(token));
    envelope.to_string().into_bytes()
}

#[test]
fn tokens_each_break_one_rule() {
    let scene = Scene::new();
    let authority = Authority::plain();
    let jws = scene.jws(&header());
    let base = authority.token(&signature(&jws));
    let attribute = |id: &str, value: Vec<u8>| seq(&[oid(id), set(&[value])]);
    let change = |change: &dyn Fn(&mut Token)| {
        let mut token = base.clone();
        change(&mut token);
        token.sign(&authority.key)
    };
    let damaged = |at: usize| {
        let mut token = base.sign(&authority.key);
        let length = token.len();
        token[length - at] ^= 1;
        token
    };
    let stranger = Authority::with(&Spec::tsa("clock", "clock root"), p256(40));
    let rows: Vec<(&str, Vec<u8>, &str)> = vec![
        ("nothing", base.sign(&authority.key), "verified"),
        (
            "over other data",
            change(&|token| token.message = b"other".to_vec()),
            "Timestamp(Imprint)",
        ),
        (
            "SHA-384",
            change(&|token| token.hash = "2.16.840.1.101.3.4.2.2"),
            "verified",
        ),
        (
            "SHA-512",
            change(&|token| token.hash = "2.16.840.1.101.3.4.2.3"),
            "verified",
        ),
        (
            "SHA-1",
            change(&|token| token.hash = "1.3.14.3.2.26"),
            "Timestamp(Hash)",
        ),
        (
            "version 2",
            change(&|token| token.version = 2),
            "Timestamp(Der)",
        ),
        (
            "other content type",
            change(&|token| token.content_type = "1.2.840.113549.1.7.1"),
            "Timestamp(Signature)",
        ),
        (
            "other digest",
            change(&|token| token.damaged_digest = true),
            "Timestamp(Signature)",
        ),
        (
            "no signing certificate",
            change(&|token| token.names_certificate = false),
            "Timestamp(Signature)",
        ),
        (
            "another certificate's hash",
            change(&|token| token.certificate_hash = Some(vec![0; 32])),
            "Timestamp(Signature)",
        ),
        (
            "no certificate",
            change(&|token| token.certificates.clear()),
            "Timestamp(Signature)",
        ),
        (
            "signed with another key",
            base.sign(&stranger.key),
            "Timestamp(Signature)",
        ),
        ("signature damaged", damaged(1), "Timestamp(Signature)"),
        (
            "an attribute twice",
            change(&|token| {
                token.attributes.push(attribute(
                    "1.2.840.113549.1.9.3",
                    oid("1.2.840.113549.1.9.16.1.4"),
                ))
            }),
            "Timestamp(Signature)",
        ),
        (
            "signing time in validity",
            change(&|token| {
                token.attributes.push(attribute(
                    "1.2.840.113549.1.9.5",
                    time("2026-06-01T00:00:10Z"),
                ))
            }),
            "verified",
        ),
        (
            "signing time outside",
            change(&|token| {
                token.attributes.push(attribute(
                    "1.2.840.113549.1.9.5",
                    time("2028-06-01T00:00:10Z"),
                ))
            }),
            "TimestampAuthorityEnded",
        ),
        (
            "unknown critical extension",
            change(&|token| token.after.push(tlv(0xa1, &ext("1.2.3", true, b"")))),
            "Timestamp(Critical(",
        ),
        (
            "unknown extension",
            change(&|token| token.after.push(tlv(0xa1, &ext("1.2.3", false, b"")))),
            "verified",
        ),
        (
            "stamped before the leaf began",
            change(&|token| token.at = "2025-12-31T23:59:59Z"),
            "TimestampUntrusted",
        ),
        (
            "33 certificates",
            change(&|token| token.certificates.extend(vec![vec![0x30, 0]; 32])),
            "Timestamp(TooLong)",
        ),
        ("not a token", b"0\0".to_vec(), "Timestamp(Der)"),
        ("nothing at all", Vec::new(), "Timestamp(Der)"),
        (
            "bytes after the end",
            [base.sign(&authority.key), vec![0]].concat(),
            "Timestamp(Der)",
        ),
    ];
    let trust = authority.trust(&scene, VerifyTimestamp::Always);
    for (name, token, expected) in rows {
        let found = verdict(&stamped(&jws, &token), &trust);
        assert!(found.starts_with(expected), "{name}: {found}");
    }
    // Indefinite lengths, as some authorities write them.
    let token = base.sign(&authority.key);
    let inner = &token[4..];
    let indefinite = [&[0x30, 0x80], inner, &[0, 0]].concat();
    assert_eq!(verdict(&stamped(&jws, &indefinite), &trust), "verified");
}

#[test]
fn n11_authorities_keep_the_rules_of_authorities() {
    const STAMPING: &str = "1.3.6.1.5.5.7.3.8";
    let scene = Scene::new();
    let jws = scene.jws(&header());
    let new = |extensions| Spec::new("clock", "clock root", extensions);
    let rows: Vec<(&str, Spec, &str)> = vec![
        (
            "key usage not critical",
            new(vec![usage(false, &[0]), extended(true, &[STAMPING])]),
            "verified",
        ),
        (
            "no extended key usage",
            new(vec![usage(true, &[0])]),
            "NotForTimestamps",
        ),
        (
            "not critical",
            new(vec![usage(true, &[0]), extended(false, &[STAMPING])]),
            "NotForTimestamps",
        ),
        (
            "for more",
            new(vec![
                usage(true, &[0]),
                extended(true, &[STAMPING, "1.3.6.1.5.5.7.3.3"]),
            ]),
            "NotForTimestamps",
        ),
        (
            "for something else",
            new(vec![
                usage(true, &[0]),
                extended(true, &["1.3.6.1.5.5.7.3.3"]),
            ]),
            "NotForTimestamps",
        ),
        (
            "no key usage",
            new(vec![extended(true, &[STAMPING])]),
            "NoKeyUsage",
        ),
        (
            "a CA",
            new(vec![
                basic(true, true, None),
                usage(true, &[0]),
                extended(true, &[STAMPING]),
            ]),
            "LeafIsCa",
        ),
    ];
    for (name, leaf, expected) in rows {
        let authority = Authority::new(&leaf);
        let token = authority.token(&signature(&jws)).sign(&authority.key);
        let found = verdict(
            &stamped(&jws, &token),
            &authority.trust(&scene, VerifyTimestamp::Always),
        );
        assert!(found.contains(expected), "{name}: {found}");
        assert!(
            expected == "verified" || found.starts_with("TimestampCertificate"),
            "{name}: {found}"
        );
    }
    let authority = Authority::with(&Spec::tsa("clock", "clock root"), rsa(2048));
    let token = authority.token(&signature(&jws)).sign(&authority.key);
    assert_eq!(
        verdict(
            &stamped(&jws, &token),
            &authority.trust(&scene, VerifyTimestamp::Always)
        ),
        "verified"
    );
}

#[test]
fn only_named_roots_vouch_for_authorities() {
    let scene = Scene::new();
    let authority = Authority::plain();
    let jws = scene.jws(&header());
    let token = authority.token(&signature(&jws));
    // The root beside the token is not trusted for being there.
    let mut with_root = token.clone();
    with_root.certificates.push(authority.root.der().to_vec());
    let namesake = Spec::ca("clock root", "clock root").issue(&p256(50), &p256(50));
    let mut pins = scene.pins();
    pins.timestamp_roots = vec![namesake];
    let other = Trust::pinned(pins).unwrap();
    for token in [token.sign(&authority.key), with_root.sign(&authority.key)] {
        assert!(verdict(&stamped(&jws, &token), &other).starts_with("TimestampUntrusted"));
        assert_eq!(
            verdict(
                &stamped(&jws, &token),
                &authority.trust(&scene, VerifyTimestamp::Always)
            ),
            "verified"
        );
    }
    // An intermediate comes with the token.
    let (middle_key, leaf_key) = (p256(51), p256(52));
    let middle = Spec::ca("clock middle", "clock root").issue(&middle_key, &authority.root_key);
    let leaf = Spec::tsa("clock", "clock middle").issue(&leaf_key, &middle_key);
    let trust = authority.trust(&scene, VerifyTimestamp::Always);
    let with = Token::over(&signature(&jws), &[&leaf, &middle]).sign(&leaf_key);
    assert_eq!(verdict(&stamped(&jws, &with), &trust), "verified");
    let lacking = Token::over(&signature(&jws), &[&leaf]).sign(&leaf_key);
    assert!(verdict(&stamped(&jws, &lacking), &trust).starts_with("TimestampUntrusted"));
}

/// A CA that was made for something else may not name authorities (N14).
#[test]
fn n14_a_ca_of_an_authority_issues_only_what_its_usages_say() {
    let scene = Scene::new();
    let jws = scene.jws(&header());
    let authority = Authority::plain();
    let trust = authority.trust(&scene, VerifyTimestamp::Always);
    let (middle_key, leaf_key) = (p256(51), p256(52));
    let judge = |usages: &[&str]| {
        let middle = Spec::ca("clock middle", "clock root").with(extended(false, usages));
        let middle = middle.issue(&middle_key, &authority.root_key);
        let leaf = Spec::tsa("clock", "clock middle").issue(&leaf_key, &middle_key);
        let token = Token::over(&signature(&jws), &[&leaf, &middle]).sign(&leaf_key);
        verdict(&stamped(&jws, &token), &trust)
    };
    for allowed in [&["1.3.6.1.5.5.7.3.8"][..], &["2.5.29.37.0"]] {
        assert_eq!(judge(allowed), "verified", "{allowed:?}");
    }
    for other in [
        &["1.3.6.1.5.5.7.3.3"][..],
        &["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"],
        &["1.2.3.4"],
    ] {
        let found = judge(other);
        assert!(
            found.contains("NotForPurpose(\"timeStamping\")"),
            "{other:?} {found}"
        );
    }
}

/// The authority's own certificate, by the time of the token and by the time that its signer
/// states.
#[test]
fn n13_an_authority_that_had_ended_does_not_vouch() {
    let scene = Scene::new();
    let jws = scene.jws(&header());
    let mut spec = Spec::tsa("clock", "clock root");
    (spec.from, spec.until) = ("2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z");
    let authority = Authority::new(&spec);
    let trust = authority.trust(&scene, VerifyTimestamp::Always);
    let judge = |at: &'static str, stated: Option<&str>| {
        let mut token = authority.token(&signature(&jws));
        token.at = at;
        let attribute = |stated| seq(&[oid("1.2.840.113549.1.9.5"), set(&[time(stated)])]);
        token.attributes.extend(stated.map(attribute));
        verdict(&stamped(&jws, &token.sign(&authority.key)), &trust)
    };
    assert_eq!(judge("2026-06-02T00:00:00Z", None), "verified");
    assert_eq!(
        judge("2026-06-02T00:00:00Z", Some("2026-06-01T00:00:00Z")),
        "verified"
    );
    for (at, stated) in [
        ("2026-06-02T00:00:01Z", None),
        ("2026-06-02T00:00:01Z", Some("2026-06-01T12:00:00Z")),
        ("2026-05-31T23:59:59Z", Some("2026-06-01T12:00:00Z")),
        ("2026-06-01T12:00:00Z", Some("2026-06-02T00:00:01Z")),
    ] {
        assert!(
            judge(at, stated).starts_with("TimestampAuthorityEnded"),
            "{at} {stated:?}"
        );
    }
}

/// A leaf that ended, stamped in its last second and around it; with the accuracy that the token
/// states.
#[test]
fn n13_the_stamp_must_lie_in_validity_by_its_accuracy() {
    let mut spec = Spec::leaf("signer", "root");
    (spec.from, spec.until) = ("2026-06-01T00:00:00Z", "2026-06-01T00:01:00Z");
    let scene = Scene::with_leaf(&spec);
    let mut authority_spec = Spec::tsa("clock", "clock root");
    authority_spec.from = "2026-01-01T00:00:00Z";
    let authority = Authority::new(&authority_spec);
    let jws = scene.jws(&header());
    let second = || seq(&[integer(1)]);
    let half = || seq(&[tlv(0x80, &[1, 0xf4])]);
    let rows: Vec<(&'static str, Vec<u8>, &'static str, &str)> = vec![
        ("2026-06-01T00:00:00Z", vec![], "1.2.3", "verified"),
        ("2026-05-31T23:59:59Z", vec![], "1.2.3", "SignedOutside"),
        ("2026-06-01T00:01:00Z", vec![], "1.2.3", "verified"),
        ("2026-06-01T00:01:01Z", vec![], "1.2.3", "SignedOutside"),
        ("2026-06-01T00:01:00Z", second(), "1.2.3", "SignedOutside"),
        ("2026-06-01T00:00:59Z", second(), "1.2.3", "verified"),
        ("2026-06-01T00:00:00Z", half(), "1.2.3", "SignedOutside"),
        ("2026-06-01T00:00:01Z", half(), "1.2.3", "verified"),
        (
            "2026-06-01T00:01:00Z",
            vec![],
            "0.4.0.2023.1.1",
            "SignedOutside",
        ),
        ("2026-06-01T00:00:59Z", vec![], "0.4.0.2023.1.1", "verified"),
        (
            "2026-06-01T00:00:59.5Z",
            vec![],
            "0.4.0.2023.1.1",
            "SignedOutside",
        ),
    ];
    for (time, accuracy, policy, expected) in rows {
        let mut token = authority.token(&signature(&jws));
        (token.at, token.policy) = (time, policy);
        token.after = vec![accuracy];
        let envelope = stamped(&jws, &token.sign(&authority.key));
        for when in [VerifyTimestamp::Always, VerifyTimestamp::AfterCertExpiry] {
            let found = verdict(&envelope, &authority.trust(&scene, when));
            assert!(
                found.starts_with(expected),
                "{time} {policy} {when:?}: {found}"
            );
        }
    }
}

#[test]
fn when_a_stamp_is_needed_and_when_it_is_ignored() {
    let scene = Scene::new();
    let authority = Authority::plain();
    let jws = scene.jws(&header());
    let plain = jws.to_string().into_bytes();
    let broken = stamped(&jws, b"broken");
    let fine = stamped(
        &jws,
        &authority.token(&signature(&jws)).sign(&authority.key),
    );
    let late = at("2028-01-01T00:00:00Z");
    let (always, after) = (
        authority.trust(&scene, VerifyTimestamp::Always),
        authority.trust(&scene, VerifyTimestamp::AfterCertExpiry),
    );
    let judge = |bytes: &[u8], trust: &Trust, at| match outcome_of(bytes, trust, at) {
        Verdict::Verified(accepted) => format!("verified {}", accepted.timestamp.is_some()),
        Verdict::Rejected(rejection) => rejection.reason().to_string(),
        Verdict::Exempt(_) => "exempt".to_owned(),
    };
    assert_eq!(judge(&plain, &always, now()), "timestamp-invalid");
    assert_eq!(judge(&plain, &after, now()), "verified false");
    assert_eq!(judge(&broken, &after, now()), "verified false");
    assert_eq!(judge(&broken, &scene.trust(), now()), "verified false");
    assert_eq!(judge(&fine, &always, now()), "verified true");
    assert_eq!(judge(&plain, &scene.trust(), late), "expired");
    assert_eq!(judge(&plain, &after, late), "timestamp-invalid");
    assert_eq!(judge(&fine, &after, late), "verified true");
    assert_eq!(judge(&fine, &scene.trust(), late), "expired");
    // A stamp carries a signature past its certificates: nothing ends it.
    let Verdict::Verified(accepted) = outcome_of(&fine, &after, late) else {
        panic!("verified")
    };
    assert_eq!(accepted.verified.expires(), None);
    assert_eq!(
        accepted.verified.signers()[0].signed_at,
        Some(at("2026-06-01T00:00:10Z"))
    );
}

#[test]
fn the_stamp_of_a_cose_envelope_is_over_its_signature_too() {
    let scene = Scene::new();
    let authority = Authority::plain();
    let protected = cbor::map(&cose_header());
    let chain = cose_chain(&scene.chain());
    let plain = cose_of(&protected, &cbor::map(&chain), &payload(), &scene.leaf_key);
    let signature = Envelope::read(&MediaType::new("application/cose"), &plain)
        .unwrap()
        .signature()
        .to_vec();
    let with = |message: &[u8]| {
        let token = authority.token(message).sign(&authority.key);
        let unprotected = [
            chain.clone(),
            vec![(cbor::text(TOKEN), cbor::bytes(&token))],
        ]
        .concat();
        cose_of(
            &protected,
            &cbor::map(&unprotected),
            &payload(),
            &scene.leaf_key,
        )
    };
    let trust = authority.trust(&scene, VerifyTimestamp::Always);
    // ECDSA here is deterministic, so the stamped envelope has the signature of the plain one.
    assert_eq!(verdict(&with(&signature), &trust), "verified");
    assert_eq!(verdict(&with(&plain), &trust), "Timestamp(Imprint)");
}

/// N06: the authority's certificate is asked about as the signer's is.
#[test]
fn n06_a_revoked_authority_does_not_vouch() {
    let scene = Scene::new();
    let spec = Spec::tsa("clock", "clock root")
        .with(ocsp_at(&["http://ocsp.test/"]))
        .with(crl_at(&["ldap://x"]));
    let authority = Authority::new(&spec);
    let jws = scene.jws(&header());
    let bytes = stamped(
        &jws,
        &authority.token(&signature(&jws)).sign(&authority.key),
    );
    let trust = authority.trust(&scene, VerifyTimestamp::Always);
    let judge = |verdict: Option<Vec<u8>>| {
        let VerificationStep::Revocation(verification) = step_of(&bytes, &trust, now()) else {
            panic!("asks")
        };
        assert_eq!(verification.requests().len(), 1);
        let answer = match verdict {
            Some(verdict) => {
                let answer =
                    Answer::by(&authority.root, verdict).sign(&authority.root, &authority.root_key);
                RevocationAnswer::Ocsp(answer.into())
            }
            None => RevocationAnswer::Failed("down".to_owned()),
        };
        let VerificationStep::Done(outcome) = verification.step(vec![answer]) else {
            panic!("done")
        };
        match outcome {
            Verdict::Rejected(rejection) => rejection.reason().to_string(),
            Verdict::Verified(_) | Verdict::Exempt(_) => "verified".to_owned(),
        }
    };
    assert_eq!(judge(Some(good())), "verified");
    assert_eq!(
        judge(Some(revoked("2026-06-15T00:00:00Z"))),
        Reason::Revoked.to_string()
    );
    assert_eq!(judge(None), Reason::RevocationUnknown.to_string());

    // Where that is only recorded, the stamp proves nothing all the same.
    let mut pins = scene.pins();
    pins.timestamp_roots = vec![authority.root.clone()];
    pins.level = acr_sign::format::notation::Level::PERMISSIVE;
    let VerificationStep::Revocation(verification) =
        step_of(&bytes, &Trust::pinned(pins).unwrap(), now())
    else {
        panic!("asks")
    };
    let answer = Answer::by(&authority.root, revoked("2026-06-15T00:00:00Z"));
    let answer = RevocationAnswer::Ocsp(answer.sign(&authority.root, &authority.root_key).into());
    let VerificationStep::Done(Verdict::Verified(accepted)) = verification.step(vec![answer])
    else {
        panic!("verified")
    };
    assert_eq!((accepted.timestamp, accepted.warnings.len()), (None, 1));
    assert_eq!(
        accepted.verified.signers()[0].signed_at,
        Some(at("2026-06-01T00:00:00Z"))
    );
    assert_eq!(
        accepted.verified.expires(),
        Some(at("2027-01-01T00:00:00Z"))
    );
}
