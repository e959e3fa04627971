//! Signing: every algorithm in both envelopes verifies, damage does not, and what is signed is byte
//! for byte what notation signs.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use acr_sign::{
    crypto::{Certificate, PublicKey, Signature, SignatureInvalid},
    format::notation::{
        Answer, Draft, DraftError, Envelope, EnvelopeKind, Publication, RevocationAnswer,
        SignatureManifest, Step, Trust, Verdict, VerifyTimestamp,
        sign::{EnvelopeOptions, SigningKey, prepare},
    },
    oci::{Digest, MediaType},
    reason::{Explain as _, Reason},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::{
    fixtures::Set,
    maker::{
        self, Key, Spec, Token, cbor, cose_chain, cose_header, cose_of, header, integer, ocsp_at,
        p256, rsa, seq, tlv,
    },
    scene::{Scene, at, now, outcome_of, payload, pins, subject, verdict},
};

const NONCE: [u8; 16] = [0x81; 16];

fn options(envelope: EnvelopeKind) -> EnvelopeOptions {
    EnvelopeOptions {
        envelope,
        agent: "acr-sign/0.1.0".to_owned(),
        ..EnvelopeOptions::default()
    }
}

fn begin(
    options: &EnvelopeOptions,
    key: &Key,
    bundle: &[Certificate],
) -> Result<Draft, DraftError> {
    let key = key.public();
    prepare(&subject(), options, signer(&key, bundle), NONCE, now())
}

fn signer<'a>(key: &'a PublicKey, certificates: &'a [Certificate]) -> SigningKey<'a> {
    SigningKey { key, certificates }
}

/// Signs with `key` and expects no other question.
fn sign(options: &EnvelopeOptions, key: &Key, bundle: &[Certificate]) -> Publication {
    let (draft, step) = begin(options, key, bundle).unwrap().step(None).unwrap();
    let Step::Sign(request) = step else {
        panic!("{step:?}")
    };
    assert_eq!(request.key, key.public());
    let signature = Signature(key.sign(request.scheme, &request.message));
    let (_, step) = draft.step(Some(Answer::Signature(signature))).unwrap();
    let Step::Done(publication) = step else {
        panic!("{step:?}")
    };
    *publication
}

#[test]
fn every_algorithm_signs_and_verifies_in_both_envelopes() {
    let root_key = p256(1);
    let root = Spec::ca("root", "root").issue(&root_key, &root_key);
    for (key, name) in [
        (p256(2), "ES256"),
        (maker::p384(), "ES384"),
        (maker::p521(), "ES512"),
        (rsa(2048), "PS256"),
        (rsa(3072), "PS384"),
        (rsa(4096), "PS512"),
    ] {
        let issued = Spec::leaf("signer", "root").issue(&key, &root_key);
        let alone = Spec::leaf("alone", "alone").issue(&key, &key);
        for kind in [EnvelopeKind::Jws, EnvelopeKind::Cose] {
            for (bundle, anchor) in [
                (vec![root.clone(), issued.clone()], root.clone()),
                (vec![alone.clone()], alone.clone()),
            ] {
                let mut options = options(kind);
                options.expiry = Some(Duration::from_secs(3600));
                options.metadata =
                    BTreeMap::from([("build".to_owned(), "größer = <&>".to_owned())]);
                let published = sign(&options, &key, &bundle);
                let trust = Trust::pinned(pins(vec![anchor]))
                    .unwrap()
                    .require_metadata(options.metadata.clone());
                let Verdict::Verified(accepted) = outcome_of(&published.envelope, &trust, now())
                else {
                    panic!("{name} {kind}");
                };
                let envelope = &accepted.envelope;
                assert_eq!(
                    (envelope.kind(), envelope.attributes().algorithm.name()),
                    (kind, name)
                );
                assert_eq!(envelope.attributes().signing_time, now());
                assert_eq!(
                    envelope.attributes().expiry,
                    Some(at("2026-07-01T01:00:00Z"))
                );
                assert_eq!(
                    (published.expires, published.signed_at),
                    (envelope.attributes().expiry, now())
                );
                assert_eq!(envelope.agent(), Some("acr-sign/0.1.0"));
                assert_eq!(
                    (published.timestamp, &published.envelope_type),
                    (None, &kind.media_type())
                );
                let manifest = SignatureManifest::read(&published.manifest, &subject()).unwrap();
                assert!(manifest.envelope.digest.matches(&published.envelope));
                assert_eq!(
                    manifest.thumbprints[0],
                    envelope.leaf().unwrap().thumbprint_sha256()
                );
                assert_eq!(manifest.created, Some(now()));
            }
        }
    }
}

#[test]
fn the_manifest_is_the_new_form_of_the_specification() {
    let scene = Scene::new();
    let published = sign(
        &options(EnvelopeKind::Cose),
        &scene.leaf_key,
        &scene.chain(),
    );
    let (envelope, digest) = (Digest::sha256(&published.envelope), subject().digest);
    let (leaf, root) = (
        scene.leaf.thumbprint_sha256(),
        scene.root.thumbprint_sha256(),
    );
    let expected = format!(
        concat!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","#,
            r#""artifactType":"application/vnd.cncf.notary.signature","#,
            r#""config":{{"mediaType":"application/vnd.oci.empty.v1+json","#,
            r#""digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"data":"e30="}},"#,
            r#""layers":[{{"mediaType":"application/cose","digest":"{}","size":{}}}],"#,
            r#""subject":{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{}","size":5}},"#,
            r#""annotations":{{"io.cncf.notary.x509chain.thumbprint#S256":"[\"{}\",\"{}\"]","#,
            r#""org.opencontainers.image.created":"2026-07-01T00:00:00Z"}}}}"#,
        ),
        envelope,
        published.envelope.len(),
        digest,
        leaf,
        root,
    );
    assert_eq!(std::str::from_utf8(&published.manifest).unwrap(), expected);
    assert_eq!(published.config.as_ref(), b"{}");
    assert_eq!(
        published.annotations["io.cncf.notary.x509chain.thumbprint#S256"],
        format!(r#"["{leaf}","{root}"]"#)
    );
}

/// Where the encoding is fixed, it is that of notation: what we have signed for the same image,
/// time, expiry and metadata is what notation had signed.
#[test]
fn the_signed_bytes_are_those_of_notation() {
    let set = Set::read("made-by-notation");
    let mut compared = 0;
    for vector in set.vectors() {
        let (media_type, bytes) = set.envelope(vector);
        let envelope = Envelope::read(&media_type, &bytes).unwrap();
        let attributes = envelope.attributes();
        let options = EnvelopeOptions {
            envelope: envelope.kind(),
            expiry: attributes.expiry.map(|expiry| {
                Duration::from_secs(
                    u64::try_from(expiry.unix() - attributes.signing_time.unix()).unwrap(),
                )
            }),
            metadata: envelope.payload().metadata.clone(),
            ..EnvelopeOptions::default()
        };
        let key = envelope.leaf().unwrap().public_key().clone();
        let time = attributes.signing_time;
        let draft = prepare(
            &set.subject(vector),
            &options,
            signer(&key, envelope.chain()),
            NONCE,
            time,
        )
        .unwrap();
        let (_, Step::Sign(request)) = draft.step(None).unwrap() else {
            panic!("asks to sign")
        };
        match envelope.kind() {
            EnvelopeKind::Jws => {
                let read: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
                let signed = format!(
                    "{}.{}",
                    read["protected"].as_str().unwrap(),
                    read["payload"].as_str().unwrap()
                );
                assert_eq!(
                    std::str::from_utf8(&request.message).unwrap(),
                    signed,
                    "{}",
                    vector["id"]
                );
            }
            EnvelopeKind::Cose => {
                let parts = request.message.strip_prefix(b"\x84\x6aSignature1").unwrap();
                let payload = vector["facts"]["payload"].as_str().unwrap();
                let tail = [vec![0x40], cbor::bytes(payload.as_bytes())].concat();
                let protected = parts.strip_suffix(tail.as_slice()).unwrap();
                assert!(bytes[2..].starts_with(protected), "{}", vector["id"]);
                assert!(
                    bytes.windows(tail.len() - 1).any(|at| at == &tail[1..]),
                    "{}",
                    vector["id"]
                );
            }
        }
        compared += 1;
    }
    assert_eq!(compared, 46);
}

#[test]
fn k02_a_signature_by_another_key_or_over_other_bytes_is_not_published() {
    let scene = Scene::new();
    for kind in [EnvelopeKind::Jws, EnvelopeKind::Cose] {
        let answered = |signature: &dyn Fn(&[u8]) -> Vec<u8>| {
            let (draft, step) = begin(&options(kind), &scene.leaf_key, &scene.chain())
                .unwrap()
                .step(None)
                .unwrap();
            let Step::Sign(request) = step else {
                panic!("{step:?}")
            };
            draft
                .step(Some(Answer::Signature(Signature(signature(
                    &request.message,
                )))))
                .unwrap_err()
        };
        let scheme = acr_sign::crypto::Scheme::EcdsaSha256;
        let good = |message: &[u8]| scene.leaf_key.sign(scheme, message);
        let flipped = |message: &[u8]| {
            let mut signature = good(message);
            signature[10] ^= 1;
            signature
        };
        let other_key = |message: &[u8]| p256(9).sign(scheme, message);
        let other_bytes = |_: &[u8]| good(b"other");
        let der = |message: &[u8]| acr_sign::crypto::ecdsa_to_der(&good(message)).unwrap();
        for (signature, form) in [
            (&flipped as &dyn Fn(&[u8]) -> Vec<u8>, false),
            (&other_key, false),
            (&other_bytes, false),
            (&der, true),
        ] {
            let error = answered(signature);
            assert_eq!(error.reason(), Reason::VaultAnswerInvalid);
            let DraftError::SignatureInvalid(invalid) = error else {
                panic!("{error:?}")
            };
            assert_eq!(matches!(invalid, SignatureInvalid::Form(..)), form);
        }
    }
}

#[test]
fn what_no_reader_would_accept_is_not_begun() {
    let scene = Scene::new();
    let with = |change: &dyn Fn(&mut EnvelopeOptions)| {
        let mut options = options(EnvelopeKind::Jws);
        change(&mut options);
        begin(&options, &scene.leaf_key, &scene.chain()).unwrap_err()
    };
    let metadata = |name: &str, value: &str| {
        let map = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        with(&|options| options.metadata = map.clone()).to_string()
    };
    assert!(metadata("io.cncf.notary.x", "y").contains("reserved"));
    assert!(metadata("", "y").contains("name"));
    assert!(metadata("x", "").contains("value"));
    assert!(matches!(
        with(&|options| options.expiry = Some(Duration::ZERO)),
        DraftError::Expiry
    ));
    assert!(matches!(
        with(&|options| options.expiry = Some(Duration::from_millis(999))),
        DraftError::Expiry
    ));
    assert!(matches!(
        with(&|options| options.timestamp_root = Some(scene.leaf.clone())),
        DraftError::TimestampRoot
    ));

    let no_root = begin(
        &options(EnvelopeKind::Jws),
        &scene.leaf_key,
        std::slice::from_ref(&scene.leaf),
    )
    .unwrap_err();
    assert_eq!(no_root.reason(), Reason::KeyUnsuitable);
    assert!(no_root.hint().unwrap().contains("--certificate-chain"));
    let server = Spec::new("signer", "root", vec![maker::usage(true, &[0, 2])])
        .issue(&scene.leaf_key, &scene.root_key);
    let unsuitable = begin(
        &options(EnvelopeKind::Jws),
        &scene.leaf_key,
        &[server, scene.root.clone()],
    )
    .unwrap_err();
    assert!(unsuitable.hint().unwrap().contains("key show"));
    let late = prepare(
        &subject(),
        &options(EnvelopeKind::Jws),
        signer(&scene.leaf_key.public(), &scene.chain()),
        NONCE,
        at("2028-01-01T00:00:00Z"),
    );
    assert_eq!(late.unwrap_err().reason(), Reason::KeyExpired);
    let ed25519 = acr_sign::crypto::PublicKey::from_ed25519(&ed25519_point()).unwrap();
    let refused = prepare(
        &subject(),
        &options(EnvelopeKind::Jws),
        signer(&ed25519, &scene.chain()),
        NONCE,
        now(),
    );
    assert!(matches!(
        refused.unwrap_err(),
        DraftError::KeyUnsuitable { .. }
    ));
}

/// The public key of RFC 8032, section 7.1, test 1.
fn ed25519_point() -> [u8; 32] {
    let hex = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let byte = |at: usize| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap();
    std::array::from_fn(byte)
}

struct Clock {
    root_key: Key,
    root: Certificate,
    key: Key,
    certificate: Certificate,
}

fn clock(extensions: Vec<Vec<u8>>) -> Clock {
    let (root_key, key) = (p256(31), p256(32));
    let root = Spec::ca("clock root", "clock root").issue(&root_key, &root_key);
    let mut spec = Spec::tsa("clock", "clock root");
    spec.extensions.extend(extensions);
    let certificate = spec.issue(&key, &root_key);
    Clock {
        root_key,
        root,
        key,
        certificate,
    }
}

fn reply(status: u64, token: &[u8]) -> Vec<u8> {
    seq(&[seq(&[integer(status)]), token.to_vec()])
}

/// Up to the reply of the timestamp authority: the draft, the signature and the query.
fn unstamped(scene: &Scene, clock: &Clock, kind: EnvelopeKind) -> (Draft, Vec<u8>, Vec<u8>) {
    let mut options = options(kind);
    options.timestamp_root = Some(clock.root.clone());
    let (draft, step) = begin(&options, &scene.leaf_key, &scene.chain())
        .unwrap()
        .step(None)
        .unwrap();
    let Step::Sign(request) = step else {
        panic!("{step:?}")
    };
    let signature = scene.leaf_key.sign(request.scheme, &request.message);
    let (draft, step) = draft
        .step(Some(Answer::Signature(Signature(signature.clone()))))
        .unwrap();
    let Step::Timestamp(query) = step else {
        panic!("{step:?}")
    };
    (draft, signature, query.to_vec())
}

fn nonce() -> Vec<u8> {
    tlv(2, &[&[0], &NONCE[..]].concat())
}

#[test]
fn a_stamp_is_asked_for_checked_and_embedded() {
    let (scene, clock) = (Scene::new(), clock(vec![]));
    for kind in [EnvelopeKind::Jws, EnvelopeKind::Cose] {
        let (draft, signature, query) = unstamped(&scene, &clock, kind);
        let digest = <sha2::Sha256 as sha2::Digest>::digest(&signature);
        let imprint = seq(&[
            seq(&[maker::oid("2.16.840.1.101.3.4.2.1"), vec![5, 0]]),
            maker::octets(&digest),
        ]);
        assert_eq!(
            query,
            seq(&[integer(1), imprint, nonce(), vec![1, 1, 0xff]])
        );
        let mut token = Token::over(&signature, &[&clock.certificate]);
        token.after = vec![nonce()];
        let token = token.sign(&clock.key);
        let (_, step) = draft
            .step(Some(Answer::Timestamp(reply(0, &token).into())))
            .unwrap();
        let Step::Done(published) = step else {
            panic!("{step:?}")
        };
        assert_eq!(published.timestamp, Some(at("2026-06-01T00:00:10Z")));
        let mut pins = scene.pins();
        pins.timestamp_roots = vec![clock.root.clone()];
        pins.verify_timestamp = VerifyTimestamp::Always;
        let late = at("2030-01-01T00:00:00Z");
        let Verdict::Verified(accepted) =
            outcome_of(&published.envelope, &Trust::pinned(pins).unwrap(), late)
        else {
            panic!("{kind}");
        };
        assert_eq!(accepted.envelope.token(), Some(token.as_slice()));
    }
}

#[test]
fn replies_that_prove_nothing_end_the_signing() {
    let (scene, clock) = (Scene::new(), clock(vec![]));
    let answered = |answer: &dyn Fn(&[u8]) -> Vec<u8>| {
        let (draft, signature, _) = unstamped(&scene, &clock, EnvelopeKind::Jws);
        let error = draft
            .step(Some(Answer::Timestamp(answer(&signature).into())))
            .unwrap_err();
        format!("{error:?}")
    };
    let token = |message: &[u8], change: &dyn Fn(&mut Token)| {
        let mut token = Token::over(message, &[&clock.certificate]);
        token.after = vec![nonce()];
        change(&mut token);
        token.sign(&clock.key)
    };
    let granted =
        |change: &dyn Fn(&mut Token)| answered(&|signature| reply(0, &token(signature, change)));
    let stranger = |signature: &[u8]| {
        let token = Token {
            after: vec![nonce()],
            ..Token::over(signature, &[&clock.certificate])
        };
        reply(1, &token.sign(&p256(77)))
    };
    let rows = [
        (
            "refused",
            answered(&|_| seq(&[seq(&[integer(2)])])),
            "TimestampReply(Refused(2))",
        ),
        (
            "no reply",
            answered(&|_| b"<html>".to_vec()),
            "TimestampReply(Der)",
        ),
        (
            "longer than is read",
            answered(&|_| vec![0; 1024 * 1024 + 1]),
            "TimestampReply(TooLong)",
        ),
        (
            "granted without a token",
            answered(&|_| seq(&[seq(&[integer(0)])])),
            "TimestampReply(Der)",
        ),
        (
            "over other data",
            answered(&|_| reply(0, &token(b"other", &|_| ()))),
            "TimestampReply(Imprint)",
        ),
        (
            "without a nonce",
            granted(&|token| token.after.clear()),
            "TimestampReply(Nonce)",
        ),
        (
            "another nonce",
            granted(&|token| token.after = vec![integer(7)]),
            "TimestampReply(Nonce)",
        ),
        (
            "another hash",
            granted(&|token| token.hash = "2.16.840.1.101.3.4.2.2"),
            "TimestampReply(Imprint)",
        ),
        (
            "by a stranger",
            answered(&stranger),
            "Timestamp(Timestamp(Signature))",
        ),
        (
            "before the authority",
            granted(&|token| token.at = "2025-01-01T00:00:00Z"),
            "Timestamp(TimestampUntrusted",
        ),
    ];
    for (name, found, expected) in rows {
        assert!(found.starts_with(expected), "{name}: {found}");
    }
}

#[test]
fn n06_a_revoked_authority_ends_the_signing() {
    let scene = Scene::new();
    let clock = clock(vec![ocsp_at(&["http://ocsp.test/"])]);
    let ended = |answer: RevocationAnswer| {
        let (draft, signature, _) = unstamped(&scene, &clock, EnvelopeKind::Jws);
        let mut token = Token::over(&signature, &[&clock.certificate]);
        token.after = vec![nonce()];
        let reply = reply(0, &token.sign(&clock.key));
        let (draft, step) = draft.step(Some(Answer::Timestamp(reply.into()))).unwrap();
        let Step::Revocation(requests) = step else {
            panic!("{step:?}")
        };
        assert_eq!(requests.len(), 1);
        match draft.step(Some(Answer::Revocation(vec![answer]))) {
            Ok((_, Step::Done(_))) => "done".to_owned(),
            Ok(other) => panic!("{other:?}"),
            Err(error) => error.reason().to_string(),
        }
    };
    let of = |verdict| {
        let answer = maker::Answer::by(&clock.root, verdict).sign(&clock.root, &clock.root_key);
        RevocationAnswer::Ocsp(answer.into())
    };
    assert_eq!(ended(of(maker::good())), "done");
    assert_eq!(ended(of(maker::revoked("2026-06-15T00:00:00Z"))), "revoked");
    assert_eq!(
        ended(RevocationAnswer::Failed("down".to_owned())),
        "revocation-unknown"
    );
    let list =
        acr_sign::crypto::Crl::parse(&maker::List::of(&clock.root).sign(&clock.root_key).into())
            .unwrap();
    assert_eq!(
        ended(RevocationAnswer::Crl(Arc::new(list))),
        "revocation-unknown"
    );
}

#[test]
fn answers_that_were_not_asked_for_are_refused() {
    let scene = Scene::new();
    let draft = || begin(&options(EnvelopeKind::Jws), &scene.leaf_key, &scene.chain()).unwrap();
    for answer in [
        Answer::Timestamp(b"x".to_vec().into()),
        Answer::Revocation(vec![]),
    ] {
        assert!(matches!(
            draft().step(Some(answer)).unwrap_err(),
            DraftError::Unasked
        ));
    }
}

/// Every byte of an envelope, with one of its bits turned.
#[test]
fn any_bit_that_is_turned_makes_an_envelope_worthless() {
    let scene = Scene::new();
    let mut jws = scene.jws(&header());
    jws["header"]
        .as_object_mut()
        .unwrap()
        .remove("io.cncf.notary.signingAgent");
    let cose = cose_of(
        &cbor::map(&cose_header()),
        &cbor::map(&cose_chain(&scene.chain())),
        &payload(),
        &scene.leaf_key,
    );
    for envelope in [jws.to_string().into_bytes(), cose] {
        assert_eq!(verdict(&envelope, &scene.trust()), "verified");
        for at in 0..envelope.len() {
            let mut damaged = envelope.clone();
            damaged[at] ^= 1 << (at % 8);
            let found = verdict(&damaged, &scene.trust());
            assert!(
                found != "verified" && found != "exempt",
                "byte {at}: {found}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is signed is read back as it was, and whatever bit of payload or signature is
    /// turned afterwards, the envelope is rejected.
    #[test]
    fn what_is_signed_is_what_is_read(
        pairs in proptest::collection::btree_map("[a-z.]{1,12}", ".{1,20}", 0..4),
        seconds in 1_u64..1_000_000,
        cose in any::<bool>(),
        bit in any::<proptest::sample::Index>(),
    ) {
        let scene = Scene::new();
        let kind = if cose { EnvelopeKind::Cose } else { EnvelopeKind::Jws };
        let mut options = options(kind);
        options.metadata = pairs.clone();
        options.expiry = Some(Duration::from_secs(seconds));
        let published = sign(&options, &scene.leaf_key, &scene.chain());
        let envelope = Envelope::read(&kind.media_type(), &published.envelope).unwrap();
        prop_assert_eq!(&envelope.payload().metadata, &pairs);
        prop_assert_eq!(envelope.payload().target.clone(), subject());
        let expiry = envelope.attributes().expiry.unwrap();
        prop_assert_eq!(expiry.unix() - now().unix(), i64::try_from(seconds).unwrap());

        let damaged = match kind {
            EnvelopeKind::Cose => {
                let mut bytes = published.envelope.to_vec();
                let start = bytes.len() - 66;
                let at = bit.index(64 * 8);
                bytes[start + 2 + at / 8] ^= 1 << (at % 8);
                bytes
            }
            EnvelopeKind::Jws => {
                let mut read: serde_json::Value = serde_json::from_slice(&published.envelope).unwrap();
                let mut payload = URL_SAFE_NO_PAD.decode(read["payload"].as_str().unwrap()).unwrap();
                let at = bit.index(payload.len() * 8);
                payload[at / 8] ^= 1 << (at % 8);
                read["payload"] = URL_SAFE_NO_PAD.encode(payload).into();
                read.to_string().into_bytes()
            }
        };
        let media_type: MediaType = kind.media_type();
        prop_assert!(Envelope::read(&media_type, &damaged).is_err());
    }
}
