//! OCSP and CRLs, one case a row, and that nobody is asked for a signature that is not trusted
//! (G18).

use std::sync::Arc;

use acr_sign::{
    crypto::{Certificate, Crl},
    format::notation::{
        Action, Level, Query, RevocationAnswer, RevocationRequest, Trust, TrustedIdentities,
        Verdict, VerificationStep,
    },
    reason::Explain as _,
};

use super::{
    maker::{
        Answer, Key, List, Spec, crl_at, ext, extended, good, header, invalid_since, ocsp_at, p256,
        revoked, tlv, usage,
    },
    revocation_lists::point,
    scene::{Scene, now, pins, step_of},
};

const OCSP_SIGNING: &str = "1.3.6.1.5.5.7.3.9";

pub(super) fn scene(extensions: Vec<Vec<u8>>) -> Scene {
    let mut spec = Spec::leaf("signer", "root");
    spec.extensions.extend(extensions);
    Scene::with_leaf(&spec)
}

/// Runs a verification, answering by address; gives the outcome and what was asked, in order.
pub(super) fn run(
    scene: &Scene,
    trust: &Trust,
    answer: impl Fn(&RevocationRequest) -> RevocationAnswer,
) -> (String, Vec<String>) {
    let mut asked = Vec::new();
    let mut step = step_of(&scene.good_jws(), trust, now());
    for _ in 0..50 {
        match step {
            VerificationStep::Done(Verdict::Verified(accepted)) => {
                return (format!("verified {}", accepted.warnings.len()), asked);
            }
            VerificationStep::Done(Verdict::Exempt(exempted)) => {
                return (format!("exempt {}", exempted.failures.len()), asked);
            }
            VerificationStep::Done(Verdict::Rejected(rejection)) => {
                return (rejection.reason().to_string(), asked);
            }
            VerificationStep::Revocation(verification) => {
                asked.extend(
                    verification
                        .requests()
                        .iter()
                        .map(|request| request.url.clone()),
                );
                let answers = verification.requests().iter().map(&answer).collect();
                step = verification.step(answers);
            }
        }
    }
    panic!("asks for ever: {asked:?}")
}

pub(super) fn ocsp(bytes: Vec<u8>) -> RevocationAnswer {
    RevocationAnswer::Ocsp(bytes.into())
}

pub(super) fn crl(bytes: Vec<u8>) -> RevocationAnswer {
    match Crl::parse(&bytes.into()) {
        Ok(crl) => RevocationAnswer::Crl(Arc::new(crl)),
        Err(invalid) => RevocationAnswer::Failed(invalid.to_string()),
    }
}

pub(super) fn down() -> RevocationAnswer {
    RevocationAnswer::Failed("down".to_owned())
}

pub(super) const URL: &str = "http://ocsp.test/";

#[test]
fn ocsp_answers_each_with_their_meaning() {
    let scene = scene(vec![ocsp_at(&[URL])]);
    let (root, key) = (&scene.root, &scene.root_key);
    let base = Answer::by(root, good());
    let change = |change: &dyn Fn(&mut Answer)| {
        let mut answer = base.clone();
        change(&mut answer);
        answer.sign(root, key)
    };
    let delegate = |spec: Spec, issuer: &Key| {
        let delegate_key = p256(60);
        let certificate = spec.issue(&delegate_key, issuer);
        let mut answer = Answer::by(&certificate, good());
        answer.certificates = vec![certificate.der().to_vec()];
        answer.sign(root, &delegate_key)
    };
    let responder = |usages: &[&str]| {
        Spec::new(
            "responder",
            "root",
            vec![usage(true, &[0]), extended(false, usages)],
        )
    };
    let ended = {
        let mut spec = responder(&[OCSP_SIGNING]);
        spec.until = "2026-06-30T00:00:00Z";
        spec
    };
    let itself = {
        let mut answer = Answer::by(&scene.leaf, good());
        answer.certificates = vec![scene.leaf.der().to_vec()];
        answer.sign(root, &scene.leaf_key)
    };
    let by_key = {
        let hash = <sha1::Sha1 as sha1::Digest>::digest(root.public_key_bits());
        change(&|answer| answer.responder = tlv(0xa2, &super::maker::octets(&hash)))
    };
    let mut damaged = base.sign(root, key);
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    let rows: Vec<(&str, Vec<u8>, &str)> = vec![
        ("good", base.sign(root, key), "verified 0"),
        ("good, responder by key", by_key, "verified 0"),
        (
            "revoked",
            change(&|answer| answer.verdict = revoked("2026-06-15T00:00:00Z")),
            "revoked",
        ),
        (
            "unknown",
            change(&|answer| answer.verdict = vec![0x82, 0]),
            "revocation-unknown",
        ),
        (
            "error status",
            change(&|answer| answer.status = 3),
            "revocation-unknown",
        ),
        (
            "about another certificate",
            change(&|answer| answer.serial = 7),
            "revocation-unknown",
        ),
        (
            "past its end",
            change(&|answer| answer.next = Some("2026-06-30T23:59:59Z")),
            "revocation-unknown",
        ),
        (
            "ends now",
            change(&|answer| answer.next = Some("2026-07-01T00:00:00Z")),
            "verified 0",
        ),
        (
            "without an end",
            change(&|answer| answer.next = None),
            "revocation-unknown",
        ),
        (
            "stale and revoked",
            change(&|answer| {
                answer.next = None;
                answer.verdict = revoked("2026-06-15T00:00:00Z");
            }),
            "revocation-unknown",
        ),
        (
            "five minutes ahead",
            change(&|answer| answer.from = "2026-07-01T00:05:00Z"),
            "verified 0",
        ),
        (
            "more than five minutes ahead",
            change(&|answer| answer.from = "2026-07-01T00:05:01Z"),
            "revocation-unknown",
        ),
        ("signature damaged", damaged, "revocation-unknown"),
        (
            "by a stranger",
            base.sign(root, &p256(61)),
            "revocation-unknown",
        ),
        (
            "issuer's own certificate beside",
            change(&|answer| answer.certificates = vec![root.der().to_vec()]),
            "verified 0",
        ),
        (
            "by a delegate",
            delegate(responder(&[OCSP_SIGNING]), key),
            "verified 0",
        ),
        (
            "by a certificate for something else",
            delegate(responder(&["1.3.6.1.5.5.7.3.3"]), key),
            "revocation-unknown",
        ),
        (
            "by a delegate that ended",
            delegate(ended, key),
            "revocation-unknown",
        ),
        (
            "by a delegate of a stranger",
            delegate(responder(&[OCSP_SIGNING]), &p256(62)),
            "revocation-unknown",
        ),
        ("by the signer itself", itself, "revocation-unknown"),
        (
            "unknown critical extension",
            change(&|answer| answer.extensions = vec![ext("1.2.3", true, b"")]),
            "revocation-unknown",
        ),
        (
            "unknown extension",
            change(&|answer| answer.extensions = vec![ext("1.3.6.1.5.5.7.48.1.2", false, b"")]),
            "verified 0",
        ),
        (
            "unknown critical extension of the entry",
            change(&|answer| answer.single_extensions = vec![ext("1.2.3", true, b"")]),
            "revocation-unknown",
        ),
        (
            "cut",
            base.sign(root, key)[..100].to_vec(),
            "revocation-unknown",
        ),
        (
            "longer than is read",
            vec![0; 64 * 1024 + 1],
            "revocation-unknown",
        ),
        (
            "eleven certificates",
            change(&|answer| answer.certificates = vec![root.der().to_vec(); 11]),
            "revocation-unknown",
        ),
    ];
    for (name, answer, expected) in rows {
        let (found, asked) = run(&scene, &scene.trust(), |_| ocsp(answer.clone()));
        assert_eq!((found.as_str(), asked.len()), (expected, 1), "{name}");
    }
    let (found, _) = run(&scene, &scene.trust(), |_| down());
    assert_eq!(found, "revocation-unknown");
    let long = acr_sign::crypto::ocsp::read(&vec![0; 64 * 1024 + 1], &scene.leaf, root, now());
    assert_eq!(long, Err(acr_sign::crypto::ocsp::InvalidOcsp::TooLong));
    // With notary.x509 nobody vouches for the time, so an invalidity date changes nothing.
    let later = change(&|answer| {
        answer.verdict = revoked("2026-06-15T00:00:00Z");
        answer.single_extensions = vec![invalid_since("2026-06-15T00:00:00Z")];
    });
    assert_eq!(
        run(&scene, &scene.trust(), |_| ocsp(later.clone())).0,
        "revoked"
    );
}

/// Addresses of responders and of lists, what answers, the outcome, and who was asked in which
/// order.
type Order<'a> = (
    &'a [&'a str],
    &'a [&'a str],
    Box<dyn Fn(&str) -> RevocationAnswer + 'a>,
    &'a str,
    &'a [&'a str],
);

#[test]
fn several_responders_are_asked_in_order_and_then_the_lists() {
    let root_key = p256(1);
    let root = Spec::ca("root", "root").issue(&root_key, &root_key);
    let good_answer = || ocsp(Answer::by(&root, good()).sign(&root, &root_key));
    let unknown_answer = || ocsp(Answer::by(&root, vec![0x82, 0]).sign(&root, &root_key));
    let bad_answer =
        || ocsp(Answer::by(&root, revoked("2026-06-15T00:00:00Z")).sign(&root, &root_key));
    let list = || crl(List::of(&root).sign(&root_key));
    let both = ["http://a/", "http://b/"];
    let rows: Vec<Order<'_>> = vec![
        (
            &both,
            &[],
            Box::new(|url| {
                if url.contains("/a/") {
                    down()
                } else {
                    good_answer()
                }
            }),
            "verified 0",
            &["http://a/", "http://b/"],
        ),
        (
            &both,
            &[],
            Box::new(|_| good_answer()),
            "verified 0",
            &["http://a/"],
        ),
        (
            &both,
            &[],
            Box::new(|url| {
                if url.contains("/a/") {
                    unknown_answer()
                } else {
                    good_answer()
                }
            }),
            "revocation-unknown",
            &["http://a/"],
        ),
        (
            &both,
            &["http://c/"],
            Box::new(|url| {
                if url.contains("/c/") {
                    list()
                } else {
                    unknown_answer()
                }
            }),
            "verified 0",
            &["http://a/", "http://c/"],
        ),
        (
            &["http://a/"],
            &["http://c/"],
            Box::new(|url| if url.contains("/c/") { list() } else { down() }),
            "verified 0",
            &["http://a/", "http://c/"],
        ),
        (
            &["http://a/"],
            &["http://c/"],
            Box::new(|_| bad_answer()),
            "revoked",
            &["http://a/"],
        ),
        (
            &["http://a/"],
            &["http://c/"],
            Box::new(|_| good_answer()),
            "verified 0",
            &["http://a/"],
        ),
        (
            &["https://a/"],
            &[],
            Box::new(|_| good_answer()),
            "revocation-unknown",
            &[],
        ),
        (
            &["https://a/", "http://b/"],
            &[],
            Box::new(|_| good_answer()),
            "verified 0",
            &["http://b/"],
        ),
        (
            &["https://a/"],
            &["http://c/"],
            Box::new(|_| list()),
            "verified 0",
            &["http://c/"],
        ),
        (
            &["http://a/"],
            &["http://c/"],
            Box::new(|_| down()),
            "revocation-unknown",
            &["http://a/", "http://c/"],
        ),
        (
            &[],
            &["http://c/", "ldap://d/"],
            Box::new(|_| list()),
            "revocation-unknown",
            &["http://c/"],
        ),
        (
            &[],
            &["ldap://d/", "http://c/"],
            Box::new(|_| list()),
            "revocation-unknown",
            &[],
        ),
        (
            &[],
            &["http://c/", "http://d/"],
            Box::new(|_| list()),
            "verified 0",
            &["http://c/", "http://d/"],
        ),
        (
            &[],
            &["http://c/", "http://d/"],
            Box::new(|url| if url.contains("/c/") { down() } else { list() }),
            "revocation-unknown",
            &["http://c/"],
        ),
        (
            &[],
            &["HTTP://c/"],
            Box::new(|_| list()),
            "verified 0",
            &["HTTP://c/"],
        ),
        (
            &["http://a/"],
            &[],
            Box::new(|_| list()),
            "revocation-unknown",
            &["http://a/"],
        ),
        (
            &[],
            &["http://c/"],
            Box::new(|_| good_answer()),
            "revocation-unknown",
            &["http://c/"],
        ),
        (&[], &[], Box::new(|_| down()), "verified 0", &[]),
    ];
    for (index, (responders, lists, answer, expected, asked)) in rows.into_iter().enumerate() {
        let mut extensions = Vec::new();
        if !responders.is_empty() {
            extensions.push(ocsp_at(responders));
        }
        if !lists.is_empty() {
            extensions.push(crl_at(lists));
        }
        let scene = scene(extensions);
        let (found, really) = run(&scene, &scene.trust(), |request| answer(&request.url));
        let really: Vec<&str> = really.iter().map(String::as_str).collect();
        assert_eq!(
            (found.as_str(), really.as_slice()),
            (expected, asked),
            "row {index}: {responders:?} {lists:?}"
        );
    }
}

#[test]
fn every_certificate_but_the_root_is_asked_about_at_once() {
    let (root_key, middle_key, leaf_key) = (p256(1), p256(2), p256(3));
    let root = Spec::ca("root", "root")
        .with(ocsp_at(&["http://anchor/"]))
        .issue(&root_key, &root_key);
    let mut middle = Spec::ca("middle", "root").with(crl_at(&["http://middle/"]));
    middle.serial = 0x77;
    let middle = middle.issue(&middle_key, &root_key);
    let leaf = Spec::leaf("signer", "middle")
        .with(ocsp_at(&["http://leaf/"]))
        .issue(&leaf_key, &middle_key);
    let chain = [leaf, middle.clone(), root.clone()];
    let bytes = super::maker::jws_of(
        &header().to_string(),
        &super::scene::payload(),
        &chain,
        &leaf_key,
        acr_sign::crypto::Scheme::EcdsaSha256,
    )
    .to_string();
    let trust = Trust::pinned(pins(vec![root.clone()])).unwrap();
    let judge = |list: Vec<u8>| {
        let VerificationStep::Revocation(verification) = step_of(bytes.as_bytes(), &trust, now())
        else {
            panic!("asks")
        };
        let urls: Vec<_> = verification
            .requests()
            .iter()
            .map(|request| request.url.as_str())
            .collect();
        assert_eq!(urls, ["http://leaf/", "http://middle/"]);
        let leaf_answer = ocsp(Answer::by(&middle, good()).sign(&middle, &middle_key));
        match verification.step(vec![leaf_answer, crl(list)]) {
            VerificationStep::Done(Verdict::Verified(_)) => "verified".to_owned(),
            VerificationStep::Done(Verdict::Rejected(rejection)) => rejection.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let list = || List::of(&root);
    assert_eq!(judge(list().sign(&root_key)), "verified");
    let found = judge(
        list()
            .listing(0x77, "2026-06-10T00:00:00Z", vec![])
            .sign(&root_key),
    );
    assert!(
        found.contains("CN=middle") && found.contains("revoked at"),
        "{found}"
    );
    assert_eq!(
        judge(list().with(point(vec![0x82, 1, 0xff])).sign(&root_key)),
        "verified",
        "for CAs only"
    );
    assert!(
        judge(list().with(point(vec![0x81, 1, 0xff])).sign(&root_key))
            .contains("cannot be determined"),
        "for users only"
    );
}

/// G18: a signature that is tampered with or not trusted makes nobody ask anyone.
#[test]
fn g18_nothing_is_asked_before_integrity_and_authenticity_hold() {
    let scene = scene(vec![ocsp_at(&[URL]), crl_at(&["http://crl.test/"])]);
    let stranger = Spec::ca("stranger", "stranger").issue(&p256(9), &p256(9));
    let asked = |bytes: &[u8], trust: &Trust| match step_of(bytes, trust, now()) {
        VerificationStep::Revocation(verification) => verification.requests().len(),
        VerificationStep::Done(_) => 0,
    };
    let trusting = |level: Level, anchor: &Certificate, identity: &str| {
        let mut pins = pins(vec![anchor.clone()]);
        pins.level = level;
        pins.identities = Some(TrustedIdentities::parse(&[identity.to_owned()]).unwrap());
        Trust::pinned(pins).unwrap()
    };
    let mut tampered = scene.jws(&header());
    tampered["payload"] = "e30".into();
    let tampered = tampered.to_string();
    let other = "x509.subject: C=NL, ST=ZH, O=Other";
    for level in [Level::STRICT, Level::PERMISSIVE, Level::AUDIT] {
        assert_eq!(
            asked(&scene.good_jws(), &trusting(level, &scene.root, "*")),
            1,
            "{}",
            level.name()
        );
        assert_eq!(
            asked(&scene.good_jws(), &trusting(level, &stranger, "*")),
            0,
            "{}",
            level.name()
        );
        assert_eq!(
            asked(&scene.good_jws(), &trusting(level, &scene.root, other)),
            0,
            "{}",
            level.name()
        );
        assert_eq!(
            asked(tampered.as_bytes(), &trusting(level, &scene.root, "*")),
            0,
            "{}",
            level.name()
        );
    }
    let off = Level::STRICT.with_revocation(Action::Skip);
    assert_eq!(
        asked(&scene.good_jws(), &trusting(off, &scene.root, "*")),
        0
    );
    // Nobody asked is not good: where revocation decides, a signer that is not trusted is rejected
    // for it.
    let enforcing = Level::AUDIT.with_revocation(Action::Enforce);
    let run_with =
        |level, anchor: &Certificate| run(&scene, &trusting(level, anchor, "*"), |_| down());
    assert_eq!(
        run_with(enforcing, &stranger),
        ("revocation-unknown".to_owned(), vec![])
    );
    assert_eq!(
        run_with(Level::AUDIT, &stranger),
        ("exempt 2".to_owned(), vec![])
    );
    assert_eq!(run_with(Level::PERMISSIVE, &scene.root).0, "verified 1");
    assert_eq!(run_with(Level::STRICT, &scene.root).0, "revocation-unknown");
}

#[test]
fn a_question_fits_into_an_address_and_is_escaped() {
    let scene = scene(vec![ocsp_at(&["http://ocsp.test/path/"])]);
    let VerificationStep::Revocation(verification) =
        step_of(&scene.good_jws(), &scene.trust(), now())
    else {
        panic!("asks")
    };
    let [request] = verification.requests() else {
        panic!("one")
    };
    let url = request.ocsp_get().unwrap();
    let escaped = url.strip_prefix("http://ocsp.test/path/").unwrap();
    assert!(!escaped.contains(['/', '+', '=']), "{escaped}");
    let Query::Ocsp(question) = &request.query else {
        panic!("a question")
    };
    let long = RevocationRequest {
        query: Query::Ocsp(vec![0; 192].into()),
        ..request.clone()
    };
    assert_eq!((long.ocsp_get(), question.len() < 192), (None, true));
    let list = RevocationRequest {
        query: Query::Crl,
        ..request.clone()
    };
    assert_eq!(list.ocsp_get(), None);
}
