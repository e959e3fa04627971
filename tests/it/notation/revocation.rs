//! OCSP and CRLs (reference §9), one case a row, and that nobody is asked for a signature that is not trusted
//! (G18).

use std::sync::Arc;

use acr_sign::{
    crypto::{Certificate, Crl},
    format::notation::{
        Action, Level, Outcome, Query, RevocationAnswer, RevocationRequest, Step, Trust, TrustedIdentities,
    },
    reason::Explain as _,
};

use super::{
    maker::{
        Answer, Key, List, Spec, crl_at, ext, extended, freshest, good, header, integer, invalid_since, ocsp_at, p256,
        reason, revoked, seq, tlv, usage,
    },
    scene::{Scene, now, pins, step_of},
};

const OCSP_SIGNING: &str = "1.3.6.1.5.5.7.3.9";

fn scene(extensions: Vec<Vec<u8>>) -> Scene {
    let mut spec = Spec::leaf("signer", "root");
    spec.extensions.extend(extensions);
    Scene::with_leaf(&spec)
}

/// Runs a verification, answering by address; gives the outcome and what was asked, in order.
fn run(scene: &Scene, trust: &Trust, answer: impl Fn(&RevocationRequest) -> RevocationAnswer) -> (String, Vec<String>) {
    let mut asked = Vec::new();
    let mut step = step_of(&scene.good_jws(), trust, now());
    for _ in 0..50 {
        match step {
            Step::Done(Outcome::Verified(accepted)) => {
                return (format!("verified {}", accepted.warnings.len()), asked);
            }
            Step::Done(Outcome::Exempt(exempted)) => return (format!("exempt {}", exempted.failures.len()), asked),
            Step::Done(Outcome::Rejected(rejection)) => return (rejection.reason().to_string(), asked),
            Step::Revocation(verification) => {
                asked.extend(verification.requests().iter().map(|request| request.url.clone()));
                let answers = verification.requests().iter().map(&answer).collect();
                step = verification.step(answers);
            }
        }
    }
    panic!("asks for ever: {asked:?}")
}

fn ocsp(bytes: Vec<u8>) -> RevocationAnswer {
    RevocationAnswer::Ocsp(bytes.into())
}

fn crl(bytes: Vec<u8>) -> RevocationAnswer {
    match Crl::parse(&bytes.into()) {
        Ok(crl) => RevocationAnswer::Crl(Arc::new(crl)),
        Err(invalid) => RevocationAnswer::Failed(invalid.to_string()),
    }
}

fn down() -> RevocationAnswer {
    RevocationAnswer::Failed("down".to_owned())
}

const URL: &str = "http://ocsp.test/";

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
    let responder = |usages: &[&str]| Spec::new("responder", "root", vec![usage(true, &[0]), extended(false, usages)]);
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
        ("revoked", change(&|answer| answer.verdict = revoked("2026-06-15T00:00:00Z")), "revoked"),
        ("unknown", change(&|answer| answer.verdict = vec![0x82, 0]), "revocation-unknown"),
        ("error status", change(&|answer| answer.status = 3), "revocation-unknown"),
        ("about another certificate", change(&|answer| answer.serial = 7), "revocation-unknown"),
        ("past its end", change(&|answer| answer.next = Some("2026-06-30T23:59:59Z")), "revocation-unknown"),
        ("ends now", change(&|answer| answer.next = Some("2026-07-01T00:00:00Z")), "verified 0"),
        ("without an end", change(&|answer| answer.next = None), "revocation-unknown"),
        (
            "stale and revoked",
            change(&|answer| {
                answer.next = None;
                answer.verdict = revoked("2026-06-15T00:00:00Z");
            }),
            "revocation-unknown",
        ),
        ("five minutes ahead", change(&|answer| answer.from = "2026-07-01T00:05:00Z"), "verified 0"),
        ("more than five minutes ahead", change(&|answer| answer.from = "2026-07-01T00:05:01Z"), "revocation-unknown"),
        ("signature damaged", damaged, "revocation-unknown"),
        ("by a stranger", base.sign(root, &p256(61)), "revocation-unknown"),
        (
            "issuer's own certificate beside",
            change(&|answer| answer.certificates = vec![root.der().to_vec()]),
            "verified 0",
        ),
        ("by a delegate", delegate(responder(&[OCSP_SIGNING]), key), "verified 0"),
        ("by a certificate for something else", delegate(responder(&["1.3.6.1.5.5.7.3.3"]), key), "revocation-unknown"),
        ("by a delegate that ended", delegate(ended, key), "revocation-unknown"),
        ("by a delegate of a stranger", delegate(responder(&[OCSP_SIGNING]), &p256(62)), "revocation-unknown"),
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
        ("cut", base.sign(root, key)[..100].to_vec(), "revocation-unknown"),
        ("longer than is read", vec![0; 64 * 1024 + 1], "revocation-unknown"),
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
    assert_eq!(run(&scene, &scene.trust(), |_| ocsp(later.clone())).0, "revoked");
}

/// Addresses of responders and of lists, what answers, the outcome, and who was asked in which order.
type Order<'a> = (&'a [&'a str], &'a [&'a str], Box<dyn Fn(&str) -> RevocationAnswer + 'a>, &'a str, &'a [&'a str]);

#[test]
fn several_responders_are_asked_in_order_and_then_the_lists() {
    let root_key = p256(1);
    let root = Spec::ca("root", "root").issue(&root_key, &root_key);
    let good_answer = || ocsp(Answer::by(&root, good()).sign(&root, &root_key));
    let unknown_answer = || ocsp(Answer::by(&root, vec![0x82, 0]).sign(&root, &root_key));
    let bad_answer = || ocsp(Answer::by(&root, revoked("2026-06-15T00:00:00Z")).sign(&root, &root_key));
    let list = || crl(List::of(&root).sign(&root_key));
    let both = ["http://a/", "http://b/"];
    let rows: Vec<Order<'_>> = vec![
        (
            &both,
            &[],
            Box::new(|url| if url.contains("/a/") { down() } else { good_answer() }),
            "verified 0",
            &["http://a/", "http://b/"],
        ),
        (&both, &[], Box::new(|_| good_answer()), "verified 0", &["http://a/"]),
        (
            &both,
            &[],
            Box::new(|url| if url.contains("/a/") { unknown_answer() } else { good_answer() }),
            "revocation-unknown",
            &["http://a/"],
        ),
        (
            &both,
            &["http://c/"],
            Box::new(|url| if url.contains("/c/") { list() } else { unknown_answer() }),
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
        (&["http://a/"], &["http://c/"], Box::new(|_| bad_answer()), "revoked", &["http://a/"]),
        (&["http://a/"], &["http://c/"], Box::new(|_| good_answer()), "verified 0", &["http://a/"]),
        (&["https://a/"], &[], Box::new(|_| good_answer()), "revocation-unknown", &[]),
        (&["https://a/", "http://b/"], &[], Box::new(|_| good_answer()), "verified 0", &["http://b/"]),
        (&["https://a/"], &["http://c/"], Box::new(|_| list()), "verified 0", &["http://c/"]),
        (&["http://a/"], &["http://c/"], Box::new(|_| down()), "revocation-unknown", &["http://a/", "http://c/"]),
        (&[], &["http://c/", "ldap://d/"], Box::new(|_| list()), "revocation-unknown", &["http://c/"]),
        (&[], &["ldap://d/", "http://c/"], Box::new(|_| list()), "revocation-unknown", &[]),
        (&[], &["http://c/", "http://d/"], Box::new(|_| list()), "verified 0", &["http://c/", "http://d/"]),
        (
            &[],
            &["http://c/", "http://d/"],
            Box::new(|url| if url.contains("/c/") { down() } else { list() }),
            "revocation-unknown",
            &["http://c/"],
        ),
        (&[], &["HTTP://c/"], Box::new(|_| list()), "verified 0", &["HTTP://c/"]),
        (&["http://a/"], &[], Box::new(|_| list()), "revocation-unknown", &["http://a/"]),
        (&[], &["http://c/"], Box::new(|_| good_answer()), "revocation-unknown", &["http://c/"]),
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
        assert_eq!((found.as_str(), really.as_slice()), (expected, asked), "row {index}: {responders:?} {lists:?}");
    }
}

fn point(flags: Vec<u8>) -> Vec<u8> {
    ext("2.5.29.28", true, &seq(&[flags]))
}

#[test]
fn lists_each_with_their_meaning() {
    let scene = scene(vec![crl_at(&["http://crl.test/"])]);
    let (root, key) = (&scene.root, &scene.root_key);
    let list = || List::of(root);
    let of = |extensions| list().listing(0x1234, "2026-06-10T00:00:00Z", extensions);
    let change = |change: &dyn Fn(&mut List)| {
        let mut list = list();
        change(&mut list);
        list.sign(key)
    };
    let rows: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty", list().sign(key), "verified 0"),
        ("others", list().listing(7, "2026-06-10T00:00:00Z", vec![reason(1)]).sign(key), "verified 0"),
        ("listed", of(vec![]).sign(key), "revoked"),
        ("key compromise", of(vec![reason(1)]).sign(key), "revoked"),
        ("on hold", of(vec![reason(6)]).sign(key), "revoked"),
        ("removed from the list", of(vec![reason(8)]).sign(key), "verified 0"),
        ("revoked in the future", list().listing(0x1234, "2026-12-10T00:00:00Z", vec![]).sign(key), "revoked"),
        (
            "unknown critical entry extension",
            of(vec![ext("2.5.29.29", true, &seq(&[]))]).sign(key),
            "revocation-unknown",
        ),
        (
            "of another entry",
            list().listing(7, "2026-06-10T00:00:00Z", vec![ext("2.5.29.29", true, &seq(&[]))]).sign(key),
            "verified 0",
        ),
        ("past its end", change(&|list| list.next = Some("2026-06-30T23:59:59Z")), "revocation-unknown"),
        ("ends now", change(&|list| list.next = Some("2026-07-01T00:00:00Z")), "verified 0"),
        ("without an end", change(&|list| list.next = None), "revocation-unknown"),
        (
            "past its end, and listed",
            {
                let mut list = of(vec![]);
                list.next = Some("2026-06-30T23:59:59Z");
                list.sign(key)
            },
            "revocation-unknown",
        ),
        ("five minutes ahead", change(&|list| list.from = "2026-07-01T00:05:00Z"), "verified 0"),
        ("more than five minutes ahead", change(&|list| list.from = "2026-07-01T00:05:01Z"), "revocation-unknown"),
        ("no number", change(&|list| list.extensions.clear()), "verified 0"),
        ("by a stranger", list().sign(&p256(61)), "revocation-unknown"),
        ("of another issuer", change(&|list| list.issuer = super::maker::named("other")), "revocation-unknown"),
        ("unknown critical extension", list().with(ext("1.2.3", true, b"")).sign(key), "revocation-unknown"),
        ("unknown extension", list().with(ext("1.2.3", false, b"")).sign(key), "verified 0"),
        ("for users only", list().with(point(vec![0x81, 1, 0xff])).sign(key), "verified 0"),
        ("for CAs only", list().with(point(vec![0x82, 1, 0xff])).sign(key), "revocation-unknown"),
        ("some reasons only", list().with(point(vec![0x83, 2, 5, 0x60])).sign(key), "revocation-unknown"),
        ("indirect", list().with(point(vec![0x84, 1, 0xff])).sign(key), "revocation-unknown"),
        ("attribute certificates only", list().with(point(vec![0x85, 1, 0xff])).sign(key), "revocation-unknown"),
        ("a delta in its place", list().with(ext("2.5.29.27", true, &integer(4))).sign(key), "revocation-unknown"),
        ("PEM", b"-----BEGIN X509 CRL-----".to_vec(), "revocation-unknown"),
        ("cut", list().sign(key)[..100].to_vec(), "revocation-unknown"),
        ("trailing bytes", [list().sign(key), vec![0]].concat(), "revocation-unknown"),
    ];
    for (name, bytes, expected) in rows {
        let (found, asked) = run(&scene, &scene.trust(), |_| crl(bytes.clone()));
        assert_eq!((found.as_str(), asked.len()), (expected, 1), "{name}");
    }
    assert!(Crl::parse(&vec![0; 32 * 1024 * 1024 + 1].into()).unwrap_err().to_string().contains("bytes"));
}

#[test]
fn deltas_amend_a_list_and_nothing_else() {
    let scene = scene(vec![crl_at(&["http://crl.test/"])]);
    let (root, key) = (&scene.root, &scene.root_key);
    let base = || List::of(root).with(freshest(&["http://delta.test/"]));
    let numbered = |number: Option<u64>, of: Option<u64>| {
        let mut list = List::of(root);
        list.extensions.clear();
        list.extensions.extend(number.map(|number| ext("2.5.29.20", false, &integer(number))));
        list.extensions.extend(of.map(|of| ext("2.5.29.27", true, &integer(of))));
        list
    };
    let delta = || numbered(Some(6), Some(5));
    let (early, late) = ("2026-06-10T00:00:00Z", "2026-06-11T00:00:00Z");
    let on_hold = || base().listing(0x1234, early, vec![reason(6)]);
    let mut without_number = base();
    without_number.extensions.remove(0);
    let mut ended = delta();
    ended.next = Some("2026-06-30T00:00:00Z");
    let rows: Vec<(&str, List, Option<List>, &str)> = vec![
        ("nothing new", base(), Some(delta()), "verified 0"),
        ("revoked in the delta", base(), Some(delta().listing(0x1234, late, vec![])), "revoked"),
        ("hold taken back", on_hold(), Some(delta().listing(0x1234, late, vec![reason(8)])), "verified 0"),
        (
            "hold taken back in the same second",
            on_hold(),
            Some(delta().listing(0x1234, early, vec![reason(8)])),
            "revoked",
        ),
        (
            "removal before the hold",
            base().listing(0x1234, late, vec![reason(6)]),
            Some(delta().listing(0x1234, early, vec![reason(8)])),
            "revoked",
        ),
        (
            "removal undoes no other reason",
            base().listing(0x1234, early, vec![reason(1)]),
            Some(delta().listing(0x1234, late, vec![reason(8)])),
            "revoked",
        ),
        ("no delta to be had", base(), None, "revocation-unknown"),
        ("delta of a later list", base(), Some(numbered(Some(7), Some(6))), "revocation-unknown"),
        ("delta of an earlier list", base(), Some(numbered(Some(6), Some(4))), "verified 0"),
        ("delta not newer", base(), Some(numbered(Some(5), Some(5))), "revocation-unknown"),
        ("delta without a number", base(), Some(numbered(None, Some(5))), "revocation-unknown"),
        ("no delta at all", base(), Some(numbered(Some(6), None)), "revocation-unknown"),
        ("list without a number", without_number, Some(delta()), "revocation-unknown"),
        ("delta past its end", base(), Some(ended), "revocation-unknown"),
        (
            "large numbers",
            {
                let mut list = base();
                list.extensions[0] = ext("2.5.29.20", false, &integer(0xff));
                list
            },
            Some(numbered(Some(0x100), Some(0xff))),
            "verified 0",
        ),
    ];
    for (name, base, delta, expected) in rows {
        let (found, asked) = run(&scene, &scene.trust(), |request| {
            if request.url.contains("delta") {
                delta.as_ref().map_or_else(down, |delta| crl(delta.sign(key)))
            } else {
                crl(base.sign(key))
            }
        });
        assert_eq!((found.as_str(), asked.len()), (expected, 2), "{name}");
    }
    let stranger = |request: &RevocationRequest| {
        if request.url.contains("delta") { crl(delta().sign(&p256(61))) } else { crl(base().sign(key)) }
    };
    assert_eq!(run(&scene, &scene.trust(), stranger).0, "revocation-unknown");
    // The second address is tried where the first gives nothing.
    let two =
        List::of(root).with(freshest(&["ldap://delta.test/", "http://one.delta.test/", "http://two.delta.test/"]));
    let (found, asked) = run(&scene, &scene.trust(), |request| match request.url.as_str() {
        "http://crl.test/" => crl(two.sign(key)),
        "http://two.delta.test/" => crl(delta().sign(key)),
        _ => down(),
    });
    assert_eq!((found.as_str(), asked.len()), ("verified 0", 3));
}

#[test]
fn a_delta_that_the_certificate_alone_names_makes_its_list_say_nothing() {
    let scene = scene(vec![crl_at(&["http://crl.test/"]), freshest(&["http://delta.test/"])]);
    let (root, key) = (&scene.root, &scene.root_key);
    let run_with = |base: &List| {
        run(&scene, &scene.trust(), |request| {
            let mut delta = List::of(root);
            delta.extensions = vec![ext("2.5.29.20", false, &integer(6)), ext("2.5.29.27", true, &integer(5))];
            crl(if request.url.contains("delta") { delta.sign(key) } else { base.sign(key) })
        })
    };
    let (found, asked) = run_with(&List::of(root));
    assert_eq!((found.as_str(), asked.len()), ("revocation-unknown", 1));
    let (found, asked) = run_with(&List::of(root).with(freshest(&["http://delta.test/"])));
    assert_eq!((found.as_str(), asked.len()), ("verified 0", 2));
}

#[test]
fn every_certificate_but_the_root_is_asked_about_at_once() {
    let (root_key, middle_key, leaf_key) = (p256(1), p256(2), p256(3));
    let root = Spec::ca("root", "root").with(ocsp_at(&["http://anchor/"])).issue(&root_key, &root_key);
    let mut middle = Spec::ca("middle", "root").with(crl_at(&["http://middle/"]));
    middle.serial = 0x77;
    let middle = middle.issue(&middle_key, &root_key);
    let leaf = Spec::leaf("signer", "middle").with(ocsp_at(&["http://leaf/"])).issue(&leaf_key, &middle_key);
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
        let Step::Revocation(verification) = step_of(bytes.as_bytes(), &trust, now()) else { panic!("asks") };
        let urls: Vec<_> = verification.requests().iter().map(|request| request.url.as_str()).collect();
        assert_eq!(urls, ["http://leaf/", "http://middle/"]);
        let leaf_answer = ocsp(Answer::by(&middle, good()).sign(&middle, &middle_key));
        match verification.step(vec![leaf_answer, crl(list)]) {
            Step::Done(Outcome::Verified(_)) => "verified".to_owned(),
            Step::Done(Outcome::Rejected(rejection)) => rejection.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let list = || List::of(&root);
    assert_eq!(judge(list().sign(&root_key)), "verified");
    let found = judge(list().listing(0x77, "2026-06-10T00:00:00Z", vec![]).sign(&root_key));
    assert!(found.contains("CN=middle") && found.contains("revoked at"), "{found}");
    assert_eq!(judge(list().with(point(vec![0x82, 1, 0xff])).sign(&root_key)), "verified", "for CAs only");
    assert!(judge(list().with(point(vec![0x81, 1, 0xff])).sign(&root_key)).contains("not known"), "for users only");
}

/// G18: a signature that is tampered with or not trusted makes nobody ask anyone.
#[test]
fn g18_nothing_is_asked_before_integrity_and_authenticity_hold() {
    let scene = scene(vec![ocsp_at(&[URL]), crl_at(&["http://crl.test/"])]);
    let stranger = Spec::ca("stranger", "stranger").issue(&p256(9), &p256(9));
    let asked = |bytes: &[u8], trust: &Trust| match step_of(bytes, trust, now()) {
        Step::Revocation(verification) => verification.requests().len(),
        Step::Done(_) => 0,
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
        assert_eq!(asked(&scene.good_jws(), &trusting(level, &scene.root, "*")), 1, "{}", level.name());
        assert_eq!(asked(&scene.good_jws(), &trusting(level, &stranger, "*")), 0, "{}", level.name());
        assert_eq!(asked(&scene.good_jws(), &trusting(level, &scene.root, other)), 0, "{}", level.name());
        assert_eq!(asked(tampered.as_bytes(), &trusting(level, &scene.root, "*")), 0, "{}", level.name());
    }
    let off = Level::STRICT.with_revocation(Action::Skip);
    assert_eq!(asked(&scene.good_jws(), &trusting(off, &scene.root, "*")), 0);
    // Nobody asked is not good: where revocation decides, a signer that is not trusted is rejected for it.
    let enforcing = Level::AUDIT.with_revocation(Action::Enforce);
    let run_with = |level, anchor: &Certificate| run(&scene, &trusting(level, anchor, "*"), |_| down());
    assert_eq!(run_with(enforcing, &stranger), ("revocation-unknown".to_owned(), vec![]));
    assert_eq!(run_with(Level::AUDIT, &stranger), ("exempt 2".to_owned(), vec![]));
    assert_eq!(run_with(Level::PERMISSIVE, &scene.root).0, "verified 1");
    assert_eq!(run_with(Level::STRICT, &scene.root).0, "revocation-unknown");
}

#[test]
fn an_authority_s_time_outlives_a_later_invalidity() {
    use super::maker::{AUTHENTIC, SCHEME};
    use std::collections::BTreeMap;
    let scene = scene(vec![ocsp_at(&[URL]), crl_at(&["http://crl.test/"])]);
    let header = serde_json::json!({
        "alg": "ES256", "cty": header()["cty"], "crit": [SCHEME, AUTHENTIC],
        SCHEME: "notary.x509.signingAuthority", AUTHENTIC: "2026-06-01T00:00:00Z",
    });
    let policy = r#"{"version":"1.0","trustPolicies":[{"name":"a","registryScopes":["*"],
        "signatureVerification":{"level":"strict"},"trustStores":["signingAuthority:a"],"trustedIdentities":["*"]}]}"#;
    let policy = acr_sign::format::notation::TrustPolicy::parse(policy.as_bytes()).unwrap();
    let stores = BTreeMap::from([("signingAuthority:a".parse().unwrap(), Ok(vec![scene.root.clone()]))]);
    let trust = policy.statements()[0].trust(&stores).unwrap();
    let judge = |answers: Vec<RevocationAnswer>| {
        let mut step = step_of(scene.jws(&header).to_string().as_bytes(), &trust, now());
        for answer in answers {
            let Step::Revocation(verification) = step else { panic!("asks") };
            step = verification.step(vec![answer]);
        }
        match step {
            Step::Done(Outcome::Verified(_)) => "verified".to_owned(),
            Step::Done(Outcome::Rejected(rejection)) => rejection.reason().to_string(),
            other => panic!("{other:?}"),
        }
    };
    let answer = |since: Option<&str>| {
        let mut answer = Answer::by(&scene.root, revoked("2026-06-15T00:00:00Z"));
        answer.single_extensions = since.map(invalid_since).into_iter().collect();
        ocsp(answer.sign(&scene.root, &scene.root_key))
    };
    assert_eq!(judge(vec![answer(None)]), "revoked");
    assert_eq!(judge(vec![answer(Some("2026-06-01T00:00:01Z"))]), "verified");
    assert_eq!(judge(vec![answer(Some("2026-06-01T00:00:00Z"))]), "revoked");
    let list = |since: &str| {
        let list = List::of(&scene.root).listing(0x1234, "2026-06-15T00:00:00Z", vec![reason(1), invalid_since(since)]);
        vec![down(), crl(list.sign(&scene.root_key))]
    };
    assert_eq!(judge(list("2026-06-01T00:00:01Z")), "verified");
    assert_eq!(judge(list("2026-06-01T00:00:00Z")), "revoked");
}

#[test]
fn a_list_may_be_kept_only_once_its_signature_was_found_good() {
    let scene = scene(vec![crl_at(&["http://crl.test/"])]);
    let kept = |key: &Key| {
        let list = Arc::new(Crl::parse(&List::of(&scene.root).sign(key).into()).unwrap());
        assert!(!list.is_checked());
        run(&scene, &scene.trust(), |_| RevocationAnswer::Crl(Arc::clone(&list)));
        list.is_checked()
    };
    assert!(kept(&scene.root_key));
    assert!(!kept(&p256(61)));
    let no_list_signer = Spec::new("root", "root", vec![super::maker::basic(true, true, None), usage(true, &[5])]);
    let root = no_list_signer.issue(&scene.root_key, &scene.root_key);
    assert!(!Crl::parse(&List::of(&root).sign(&scene.root_key).into()).unwrap().is_issued_by(&root), "no cRLSign");
}

#[test]
fn a_question_fits_into_an_address_and_is_escaped() {
    let scene = scene(vec![ocsp_at(&["http://ocsp.test/path/"])]);
    let Step::Revocation(verification) = step_of(&scene.good_jws(), &scene.trust(), now()) else { panic!("asks") };
    let [request] = verification.requests() else { panic!("one") };
    let url = request.ocsp_get().unwrap();
    let escaped = url.strip_prefix("http://ocsp.test/path/").unwrap();
    assert!(!escaped.contains(['/', '+', '=']), "{escaped}");
    let Query::Ocsp(question) = &request.query else { panic!("a question") };
    let long = RevocationRequest { query: Query::Ocsp(vec![0; 192].into()), ..request.clone() };
    assert_eq!((long.ocsp_get(), question.len() < 192), (None, true));
    let list = RevocationRequest { query: Query::Crl, ..request.clone() };
    assert_eq!(list.ocsp_get(), None);
}
