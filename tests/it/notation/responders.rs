//! Who may answer by OCSP, and what an answer counts for that says two things (N14).

use acr_sign::{crypto::Certificate, format::notation::RevocationRequest};

use super::{
    maker::{
        Answer, Key, List, Spec, crl_at, ext, extended, good, named, ocsp_at, ocsp_places, p256,
        revoked, tlv, uri, usage,
    },
    revocation::{URL, crl, down, ocsp, run, scene},
    scene::Scene,
};

const OCSP_SIGNING: &str = "1.3.6.1.5.5.7.3.9";
const LIST: &str = "http://crl.test/";

fn never_revoked() -> Vec<u8> {
    ext("1.3.6.1.5.5.7.48.1.5", false, &[5, 0])
}

/// A delegate of the scene's root, with a serial number of its own.
struct Delegate {
    key: Key,
    certificate: Certificate,
}

impl Delegate {
    fn new(scene: &Scene, usages: Option<Vec<u8>>, more: Vec<Vec<u8>>) -> Self {
        let key = p256(60);
        let mut spec = Spec::new("responder", "root", vec![extended(false, &[OCSP_SIGNING])]);
        spec.serial = 0x77;
        spec.extensions.extend(usages);
        spec.extensions.extend(more);
        let certificate = spec.issue(&key, &scene.root_key);
        Self { key, certificate }
    }

    /// What the delegate says of the certificate with this serial number.
    fn says(&self, scene: &Scene, serial: u64, verdict: Vec<u8>) -> Vec<u8> {
        let mut answer = Answer::by(&self.certificate, verdict);
        answer.serial = serial;
        answer.certificates = vec![self.certificate.der().to_vec()];
        answer.sign(&scene.root, &self.key)
    }
}

#[test]
fn n14_a_place_that_cannot_be_asked_is_unknown() {
    let directory = tlv(0xa4, &named("Responder"));
    let rows = [
        (
            "a directory name",
            vec![directory.clone()],
            "revocation-unknown",
        ),
        (
            "a host name",
            vec![tlv(0x82, b"ocsp.test")],
            "revocation-unknown",
        ),
        (
            "an address of the network",
            vec![tlv(0x87, &[192, 0, 2, 1])],
            "revocation-unknown",
        ),
        (
            "a mail address",
            vec![tlv(0x81, b"ocsp@ocsp.test")],
            "revocation-unknown",
        ),
        (
            "another protocol",
            vec![uri("https://ocsp.test/")],
            "revocation-unknown",
        ),
        (
            "two of them",
            vec![directory.clone(), uri("ldap://ocsp.test/")],
            "revocation-unknown",
        ),
        (
            "beside one that answers",
            vec![directory.clone(), uri(URL)],
            "verified 0",
        ),
        (
            "behind one that answers",
            vec![uri(URL), directory],
            "verified 0",
        ),
    ];
    for (what, places, expected) in rows {
        let scene = scene(vec![ocsp_places(&places)]);
        let answer = Answer::by(&scene.root, good()).sign(&scene.root, &scene.root_key);
        let (outcome, _) = run(&scene, &scene.trust(), |_| ocsp(answer.clone()));
        assert_eq!(outcome, expected, "{what}");
    }
    // The list decides where nobody can be asked, and where the only one that can does not answer.
    for places in [vec![tlv(0xa4, &named("Responder"))], vec![uri(URL)]] {
        let scene = scene(vec![ocsp_places(&places), crl_at(&[LIST])]);
        let list = List::of(&scene.root);
        let listed = list.clone().listing(0x1234, "2026-06-10T00:00:00Z", vec![]);
        for (list, expected) in [(list, "verified 0"), (listed, "revoked")] {
            let list = list.sign(&scene.root_key);
            let (outcome, _) = run(&scene, &scene.trust(), |request| {
                if request.url == LIST {
                    crl(list.clone())
                } else {
                    down()
                }
            });
            assert_eq!(outcome, expected);
        }
    }
    // Nothing is named: the certificate cannot be revoked.
    let scene = scene(vec![]);
    assert_eq!(run(&scene, &scene.trust(), |_| down()).0, "verified 0");
}

#[test]
fn n14_a_delegate_must_be_made_for_signing() {
    let rows = [
        ("digitalSignature", Some(usage(true, &[0])), "verified 0"),
        ("and more", Some(usage(true, &[0, 1])), "verified 0"),
        ("not critical", Some(usage(false, &[0])), "verified 0"),
        ("any use", None, "verified 0"),
        (
            "keyEncipherment alone",
            Some(usage(true, &[2])),
            "revocation-unknown",
        ),
        (
            "keyCertSign and cRLSign",
            Some(usage(true, &[5, 6])),
            "revocation-unknown",
        ),
        (
            "nonRepudiation alone",
            Some(usage(true, &[1])),
            "revocation-unknown",
        ),
        (
            "not critical, and without",
            Some(usage(false, &[4])),
            "revocation-unknown",
        ),
        (
            "no use at all",
            Some(usage(true, &[])),
            "revocation-unknown",
        ),
    ];
    let scene = scene(vec![ocsp_at(&[URL])]);
    for (what, usages, expected) in rows {
        let delegate = Delegate::new(&scene, usages, vec![never_revoked()]);
        let answer = delegate.says(&scene, 0x1234, good());
        let (outcome, _) = run(&scene, &scene.trust(), |_| ocsp(answer.clone()));
        assert_eq!(outcome, expected, "{what}");
    }
}

#[test]
fn n14_a_delegate_must_not_be_revoked_itself() {
    let scene = scene(vec![ocsp_at(&[URL])]);
    let answered =
        |more: Vec<Vec<u8>>, verdict: Vec<u8>, list: &dyn Fn(&RevocationRequest) -> _| {
            let delegate = Delegate::new(&scene, Some(usage(true, &[0])), more);
            let answer = delegate.says(&scene, 0x1234, verdict);
            run(&scene, &scene.trust(), |request| {
                if request.url == URL {
                    ocsp(answer.clone())
                } else {
                    list(request)
                }
            })
        };
    let empty = List::of(&scene.root).sign(&scene.root_key);
    let listing = List::of(&scene.root).listing(0x77, "2026-06-10T00:00:00Z", vec![]);
    let listing = listing.sign(&scene.root_key);
    let asked = [URL, LIST];

    let (outcome, urls) = answered(vec![crl_at(&[LIST])], good(), &|_| crl(empty.clone()));
    assert_eq!(
        (outcome.as_str(), urls.as_slice()),
        ("verified 0", &asked.map(str::to_owned)[..])
    );
    let (outcome, _) = answered(vec![crl_at(&[LIST])], good(), &|_| crl(listing.clone()));
    assert_eq!(outcome, "revocation-unknown", "a revoked delegate");
    let (outcome, _) = answered(vec![crl_at(&[LIST])], good(), &|_| down());
    assert_eq!(
        outcome, "revocation-unknown",
        "a delegate of which nobody knows"
    );
    let at = revoked("2026-06-15T00:00:00Z");
    let (outcome, _) = answered(vec![crl_at(&[LIST])], at, &|_| crl(empty.clone()));
    assert_eq!(outcome, "revoked", "what a good delegate says counts");
    // The issuer says that it need not be asked: nothing is fetched, whatever the delegate names.
    let more = vec![crl_at(&[LIST]), never_revoked()];
    let (outcome, urls) = answered(more, good(), &|_| panic!("asked of a delegate"));
    assert_eq!((outcome.as_str(), urls.len()), ("verified 0", 1));

    // By OCSP only the issuer itself vouches for a delegate: else it would for itself.
    let other = "http://other.test/";
    let delegate = Delegate::new(&scene, Some(usage(true, &[0])), vec![ocsp_at(&[other])]);
    let itself = delegate.says(&scene, 0x77, good());
    let mut by_issuer = Answer::by(&scene.root, good());
    by_issuer.serial = 0x77;
    let answer = delegate.says(&scene, 0x1234, good());
    for (what, about, expected) in [
        ("itself", itself, "revocation-unknown"),
        (
            "the issuer",
            by_issuer.sign(&scene.root, &scene.root_key),
            "verified 0",
        ),
        (
            "the issuer says no",
            {
                by_issuer.verdict = revoked("2026-06-15T00:00:00Z");
                by_issuer.sign(&scene.root, &scene.root_key)
            },
            "revocation-unknown",
        ),
    ] {
        let (outcome, urls) = run(&scene, &scene.trust(), |request| {
            ocsp(if request.url == URL { &answer } else { &about }.clone())
        });
        assert_eq!(outcome, expected, "{what}");
        assert_eq!(urls, [URL, other], "{what}");
    }
}

#[test]
fn n14_the_worst_of_several_statements_counts() {
    let scene = scene(vec![ocsp_at(&[URL])]);
    let (root, key) = (&scene.root, &scene.root_key);
    let single = |verdict: Vec<u8>, wide: bool| Answer::by(root, verdict).single(root, wide);
    let bad = || revoked("2026-06-15T00:00:00Z");
    let unknown = || vec![0x82, 0];
    let stale = |verdict| {
        let mut answer = Answer::by(root, verdict);
        answer.next = Some("2026-06-30T00:00:00Z");
        answer.single(root, false)
    };
    let of_other = {
        let mut answer = Answer::by(root, bad());
        answer.serial = 0x4321;
        answer.single(root, false)
    };
    let rows: Vec<(&str, Vec<u8>, Vec<u8>, &str)> = vec![
        ("twice good", good(), single(good(), false), "verified 0"),
        ("good and revoked", good(), single(bad(), false), "revoked"),
        ("revoked and good", bad(), single(good(), false), "revoked"),
        (
            "good and unknown",
            good(),
            single(unknown(), false),
            "revocation-unknown",
        ),
        (
            "unknown and revoked",
            unknown(),
            single(bad(), false),
            "revoked",
        ),
        (
            "good, and revoked by SHA-256",
            good(),
            single(bad(), true),
            "revoked",
        ),
        (
            "good, and unknown by SHA-256",
            good(),
            single(unknown(), true),
            "revocation-unknown",
        ),
        (
            "good, and another one revoked",
            good(),
            of_other,
            "verified 0",
        ),
        (
            "good, and good once",
            good(),
            stale(good()),
            "revocation-unknown",
        ),
        ("revoked, and good once", bad(), stale(good()), "revoked"),
    ];
    for (what, verdict, other, expected) in rows {
        for behind in [true, false] {
            let mut answer = Answer::by(root, verdict.clone());
            if behind {
                answer.behind = vec![other.clone()];
            } else {
                answer.before = vec![other.clone()];
            }
            let answer = answer.sign(root, key);
            let (outcome, _) = run(&scene, &scene.trust(), |_| ocsp(answer.clone()));
            assert_eq!(outcome, expected, "{what}, {behind}");
        }
    }
}
