//! CRLs and their deltas, one case a row.

use std::sync::Arc;

use acr_sign::{
    crypto::Crl,
    format::notation::{RevocationAnswer, RevocationRequest, Verdict, VerificationStep},
    reason::Explain as _,
};

use super::{
    maker::{
        Answer, Key, List, Spec, crl_at, ext, freshest, header, integer, invalid_since, ocsp_at,
        p256, reason, revoked, seq, usage,
    },
    revocation::{URL, crl, down, ocsp, run, scene},
    scene::{now, step_of},
};

pub(super) fn point(flags: Vec<u8>) -> Vec<u8> {
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
        (
            "others",
            list()
                .listing(7, "2026-06-10T00:00:00Z", vec![reason(1)])
                .sign(key),
            "verified 0",
        ),
        ("listed", of(vec![]).sign(key), "revoked"),
        ("key compromise", of(vec![reason(1)]).sign(key), "revoked"),
        ("on hold", of(vec![reason(6)]).sign(key), "revoked"),
        (
            "removed from the list",
            of(vec![reason(8)]).sign(key),
            "verified 0",
        ),
        (
            "revoked in the future",
            list()
                .listing(0x1234, "2026-12-10T00:00:00Z", vec![])
                .sign(key),
            "revoked",
        ),
        (
            "unknown critical entry extension",
            of(vec![ext("2.5.29.29", true, &seq(&[]))]).sign(key),
            "revocation-unknown",
        ),
        (
            "of another entry",
            list()
                .listing(
                    7,
                    "2026-06-10T00:00:00Z",
                    vec![ext("2.5.29.29", true, &seq(&[]))],
                )
                .sign(key),
            "verified 0",
        ),
        (
            "past its end",
            change(&|list| list.next = Some("2026-06-30T23:59:59Z")),
            "revocation-unknown",
        ),
        (
            "ends now",
            change(&|list| list.next = Some("2026-07-01T00:00:00Z")),
            "verified 0",
        ),
        (
            "without an end",
            change(&|list| list.next = None),
            "revocation-unknown",
        ),
        (
            "past its end, and listed",
            {
                let mut list = of(vec![]);
                list.next = Some("2026-06-30T23:59:59Z");
                list.sign(key)
            },
            "revocation-unknown",
        ),
        (
            "five minutes ahead",
            change(&|list| list.from = "2026-07-01T00:05:00Z"),
            "verified 0",
        ),
        (
            "more than five minutes ahead",
            change(&|list| list.from = "2026-07-01T00:05:01Z"),
            "revocation-unknown",
        ),
        (
            "no number",
            change(&|list| list.extensions.clear()),
            "verified 0",
        ),
        (
            "by a stranger",
            list().sign(&p256(61)),
            "revocation-unknown",
        ),
        (
            "of another issuer",
            change(&|list| list.issuer = super::maker::named("other")),
            "revocation-unknown",
        ),
        (
            "unknown critical extension",
            list().with(ext("1.2.3", true, b"")).sign(key),
            "revocation-unknown",
        ),
        (
            "unknown extension",
            list().with(ext("1.2.3", false, b"")).sign(key),
            "verified 0",
        ),
        (
            "for users only",
            list().with(point(vec![0x81, 1, 0xff])).sign(key),
            "verified 0",
        ),
        (
            "for CAs only",
            list().with(point(vec![0x82, 1, 0xff])).sign(key),
            "revocation-unknown",
        ),
        (
            "some reasons only",
            list().with(point(vec![0x83, 2, 5, 0x60])).sign(key),
            "revocation-unknown",
        ),
        (
            "indirect",
            list().with(point(vec![0x84, 1, 0xff])).sign(key),
            "revocation-unknown",
        ),
        (
            "attribute certificates only",
            list().with(point(vec![0x85, 1, 0xff])).sign(key),
            "revocation-unknown",
        ),
        (
            "a delta in its place",
            list().with(ext("2.5.29.27", true, &integer(4))).sign(key),
            "revocation-unknown",
        ),
        (
            "PEM",
            b"-----BEGIN X509 CRL-----".to_vec(),
            "revocation-unknown",
        ),
        (
            "cut",
            list().sign(key)[..100].to_vec(),
            "revocation-unknown",
        ),
        (
            "trailing bytes",
            [list().sign(key), vec![0]].concat(),
            "revocation-unknown",
        ),
    ];
    for (name, bytes, expected) in rows {
        let (found, asked) = run(&scene, &scene.trust(), |_| crl(bytes.clone()));
        assert_eq!((found.as_str(), asked.len()), (expected, 1), "{name}");
    }
    assert!(
        Crl::parse(&vec![0; 32 * 1024 * 1024 + 1].into())
            .unwrap_err()
            .to_string()
            .contains("bytes")
    );
}

#[test]
fn deltas_amend_a_list_and_nothing_else() {
    let scene = scene(vec![crl_at(&["http://crl.test/"])]);
    let (root, key) = (&scene.root, &scene.root_key);
    let base = || List::of(root).with(freshest(&["http://delta.test/"]));
    let numbered = |number: Option<u64>, of: Option<u64>| {
        let mut list = List::of(root);
        list.extensions.clear();
        list.extensions
            .extend(number.map(|number| ext("2.5.29.20", false, &integer(number))));
        list.extensions
            .extend(of.map(|of| ext("2.5.29.27", true, &integer(of))));
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
        (
            "revoked in the delta",
            base(),
            Some(delta().listing(0x1234, late, vec![])),
            "revoked",
        ),
        (
            "hold taken back",
            on_hold(),
            Some(delta().listing(0x1234, late, vec![reason(8)])),
            "verified 0",
        ),
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
        (
            "delta of a later list",
            base(),
            Some(numbered(Some(7), Some(6))),
            "revocation-unknown",
        ),
        (
            "delta of an earlier list",
            base(),
            Some(numbered(Some(6), Some(4))),
            "verified 0",
        ),
        (
            "delta not newer",
            base(),
            Some(numbered(Some(5), Some(5))),
            "revocation-unknown",
        ),
        (
            "delta without a number",
            base(),
            Some(numbered(None, Some(5))),
            "revocation-unknown",
        ),
        (
            "no delta at all",
            base(),
            Some(numbered(Some(6), None)),
            "revocation-unknown",
        ),
        (
            "list without a number",
            without_number,
            Some(delta()),
            "revocation-unknown",
        ),
        (
            "delta past its end",
            base(),
            Some(ended),
            "revocation-unknown",
        ),
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
                delta
                    .as_ref()
                    .map_or_else(down, |delta| crl(delta.sign(key)))
            } else {
                crl(base.sign(key))
            }
        });
        assert_eq!((found.as_str(), asked.len()), (expected, 2), "{name}");
    }
    let stranger = |request: &RevocationRequest| {
        if request.url.contains("delta") {
            crl(delta().sign(&p256(61)))
        } else {
            crl(base().sign(key))
        }
    };
    assert_eq!(
        run(&scene, &scene.trust(), stranger).0,
        "revocation-unknown"
    );
    // The second address is tried where the first gives nothing.
    let two = List::of(root).with(freshest(&[
        "ldap://delta.test/",
        "http://one.delta.test/",
        "http://two.delta.test/",
    ]));
    let (found, asked) = run(&scene, &scene.trust(), |request| {
        match request.url.as_str() {
            "http://crl.test/" => crl(two.sign(key)),
            "http://two.delta.test/" => crl(delta().sign(key)),
            _ => down(),
        }
    });
    assert_eq!((found.as_str(), asked.len()), ("verified 0", 3));
}

#[test]
fn a_delta_that_the_certificate_alone_names_makes_its_list_say_nothing() {
    let scene = scene(vec![
        crl_at(&["http://crl.test/"]),
        freshest(&["http://delta.test/"]),
    ]);
    let (root, key) = (&scene.root, &scene.root_key);
    let run_with = |base: &List| {
        run(&scene, &scene.trust(), |request| {
            let mut delta = List::of(root);
            delta.extensions = vec![
                ext("2.5.29.20", false, &integer(6)),
                ext("2.5.29.27", true, &integer(5)),
            ];
            crl(if request.url.contains("delta") {
                delta.sign(key)
            } else {
                base.sign(key)
            })
        })
    };
    let (found, asked) = run_with(&List::of(root));
    assert_eq!((found.as_str(), asked.len()), ("revocation-unknown", 1));
    let (found, asked) = run_with(&List::of(root).with(freshest(&["http://delta.test/"])));
    assert_eq!((found.as_str(), asked.len()), ("verified 0", 2));
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
    let stores = BTreeMap::from([(
        "signingAuthority:a".parse().unwrap(),
        Ok(vec![scene.root.clone()]),
    )]);
    let trust = policy.statements()[0].trust(&stores).unwrap();
    let judge = |answers: Vec<RevocationAnswer>| {
        let mut step = step_of(scene.jws(&header).to_string().as_bytes(), &trust, now());
        for answer in answers {
            let VerificationStep::Revocation(verification) = step else {
                panic!("asks")
            };
            step = verification.step(vec![answer]);
        }
        match step {
            VerificationStep::Done(Verdict::Verified(_)) => "verified".to_owned(),
            VerificationStep::Done(Verdict::Rejected(rejection)) => rejection.reason().to_string(),
            other => panic!("{other:?}"),
        }
    };
    let answer = |since: Option<&str>| {
        let mut answer = Answer::by(&scene.root, revoked("2026-06-15T00:00:00Z"));
        answer.single_extensions = since.map(invalid_since).into_iter().collect();
        ocsp(answer.sign(&scene.root, &scene.root_key))
    };
    assert_eq!(judge(vec![answer(None)]), "revoked");
    assert_eq!(
        judge(vec![answer(Some("2026-06-01T00:00:01Z"))]),
        "verified"
    );
    assert_eq!(judge(vec![answer(Some("2026-06-01T00:00:00Z"))]), "revoked");
    let list = |since: &str| {
        let list = List::of(&scene.root).listing(
            0x1234,
            "2026-06-15T00:00:00Z",
            vec![reason(1), invalid_since(since)],
        );
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
        run(&scene, &scene.trust(), |_| {
            RevocationAnswer::Crl(Arc::clone(&list))
        });
        list.is_checked()
    };
    assert!(kept(&scene.root_key));
    assert!(!kept(&p256(61)));
    let no_list_signer = Spec::new(
        "root",
        "root",
        vec![super::maker::basic(true, true, None), usage(true, &[5])],
    );
    let root = no_list_signer.issue(&scene.root_key, &scene.root_key);
    assert!(
        !Crl::parse(&List::of(&root).sign(&scene.root_key).into())
            .unwrap()
            .is_issued_by(&root),
        "no cRLSign"
    );
}
