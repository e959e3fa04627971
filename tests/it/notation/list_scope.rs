//! Which list may be asked about which certificate: a CA's list of another distribution point says
//! nothing (N14).

use super::{
    maker::{
        List, crl_at, crl_points, ext, freshest, integer, named, ocsp_at, point_of, seq, tlv, uri,
    },
    revocation::{URL, crl, down, run, scene},
};

const ONE: &str = "http://crl.test/1";
const TWO: &str = "http://crl.test/2";

/// The issuing distribution point with these names.
fn issued_for(names: &[Vec<u8>]) -> Vec<u8> {
    ext(
        "2.5.29.28",
        true,
        &seq(&[tlv(0xa0, &tlv(0xa0, &names.concat()))]),
    )
}

/// The issuing distribution point with a name relative to the issuer.
fn issued_relative() -> Vec<u8> {
    let relative = tlv(0xa1, &seq(&[super::maker::oid("2.5.4.3"), tlv(0x0c, b"1")]));
    ext("2.5.29.28", true, &seq(&[tlv(0xa0, &relative)]))
}

fn directory(common: &str) -> Vec<u8> {
    tlv(0xa4, &named(common))
}

#[test]
fn n14_a_list_of_another_distribution_point_says_nothing() {
    let other = "revocation-unknown";
    let both = || vec![uri(ONE), directory("one")];
    let rows: Vec<(&str, Vec<Vec<u8>>, Option<Vec<u8>>, &str)> = vec![
        ("no names", vec![uri(ONE)], None, "verified 0"),
        (
            "its own name",
            vec![uri(ONE)],
            Some(issued_for(&[uri(ONE)])),
            "verified 0",
        ),
        (
            "another name",
            vec![uri(ONE)],
            Some(issued_for(&[uri(TWO)])),
            other,
        ),
        (
            "one of several names",
            vec![uri(ONE)],
            Some(issued_for(&[uri(TWO), uri(ONE)])),
            "verified 0",
        ),
        (
            "several names of others",
            vec![uri(ONE)],
            Some(issued_for(&[uri(TWO), uri("http://crl.test/3")])),
            other,
        ),
        (
            "the second name of the point",
            both(),
            Some(issued_for(&[directory("one")])),
            "verified 0",
        ),
        (
            "another directory name",
            both(),
            Some(issued_for(&[directory("two")])),
            other,
        ),
        (
            "the same text as a name of another kind",
            vec![uri(ONE)],
            Some(issued_for(&[tlv(0x82, ONE.as_bytes())])),
            other,
        ),
        (
            "in other letters",
            vec![uri(ONE)],
            Some(issued_for(&[uri("HTTP://crl.test/1")])),
            other,
        ),
        (
            "a longer name",
            vec![uri(ONE)],
            Some(issued_for(&[uri("http://crl.test/12")])),
            other,
        ),
        (
            "no name at all",
            vec![uri(ONE)],
            Some(issued_for(&[])),
            other,
        ),
        (
            "a name relative to the issuer",
            vec![uri(ONE)],
            Some(issued_relative()),
            other,
        ),
    ];
    for (what, names, scope, expected) in rows {
        let scene = scene(vec![crl_points(&[point_of(&names, &[])])]);
        let mut list = List::of(&scene.root);
        list.extensions.extend(scope);
        let bytes = list.sign(&scene.root_key);
        let (outcome, asked) = run(&scene, &scene.trust(), |_| crl(bytes.clone()));
        assert_eq!(outcome, expected, "{what}");
        assert_eq!(asked, [ONE], "{what}");
        // What is listed there is revoked all the same where the list is one that may be asked.
        let listed = list.listing(0x1234, "2026-06-10T00:00:00Z", vec![]);
        let bytes = listed.sign(&scene.root_key);
        let (outcome, _) = run(&scene, &scene.trust(), |_| crl(bytes.clone()));
        let revoked = if expected == other { other } else { "revoked" };
        assert_eq!(outcome, revoked, "{what}, listed");
    }
}

#[test]
fn n14_each_of_several_points_has_its_own_list() {
    let scene = scene(vec![crl_at(&[ONE, TWO])]);
    let list = |of: &str| {
        let list = List::of(&scene.root).with(issued_for(&[uri(of)]));
        list.sign(&scene.root_key)
    };
    let (one, two) = (list(ONE), list(TWO));
    let answered = |first: &[u8], second: &[u8]| {
        let (outcome, _) = run(&scene, &scene.trust(), |request| {
            crl(if request.url == ONE { first } else { second }.to_vec())
        });
        outcome
    };
    assert_eq!(answered(&one, &two), "verified 0");
    assert_eq!(answered(&one, &one), "revocation-unknown");
    assert_eq!(answered(&two, &two), "revocation-unknown");
    assert_eq!(answered(&two, &one), "revocation-unknown");
}

#[test]
fn n14_points_that_are_not_understood_are_unknown() {
    let reasons = || tlv(0x81, &[1, 0x40]);
    let issuer = || tlv(0xa2, &directory("other"));
    let relative = || {
        let name = tlv(0xa1, &seq(&[super::maker::oid("2.5.4.3"), tlv(0x0c, b"1")]));
        seq(&[tlv(0xa0, &name)])
    };
    let whole = || point_of(&[uri(ONE)], &[]);
    let rows = [
        ("for some reasons", vec![point_of(&[uri(ONE)], &reasons())]),
        ("of another issuer", vec![point_of(&[uri(ONE)], &issuer())]),
        (
            "both",
            vec![point_of(&[uri(ONE)], &[reasons(), issuer()].concat())],
        ),
        ("an issuer and no name", vec![seq(&[issuer()])]),
        ("a relative name", vec![relative()]),
        ("no address", vec![point_of(&[directory("one")], &[])]),
        (
            "behind one that is understood",
            vec![whole(), point_of(&[uri(TWO)], &reasons())],
        ),
        (
            "in front of it",
            vec![point_of(&[uri(TWO)], &issuer()), whole()],
        ),
    ];
    for (what, points) in rows {
        let scene = scene(vec![crl_points(&points)]);
        let list = List::of(&scene.root).sign(&scene.root_key);
        let (outcome, asked) = run(&scene, &scene.trust(), |_| crl(list.clone()));
        assert_eq!(outcome, "revocation-unknown", "{what}");
        assert_eq!(asked, [""; 0], "{what}");
    }
    // A responder that answers is enough; one that does not answer leaves the list.
    let scene = scene(vec![
        ocsp_at(&[URL]),
        crl_points(&[point_of(&[uri(ONE)], &reasons())]),
    ]);
    let (outcome, asked) = run(&scene, &scene.trust(), |_| down());
    assert_eq!(outcome, "revocation-unknown");
    assert_eq!(asked, [URL]);
}

#[test]
fn n14_a_delta_is_one_of_its_own_point_or_of_that_of_its_list() {
    let delta_at = "http://crl.test/delta";
    let delta = |scope: Option<Vec<u8>>, root: &acr_sign::crypto::Certificate| {
        let mut list = List::of(root);
        list.extensions = vec![
            ext("2.5.29.20", false, &integer(6)),
            ext("2.5.29.27", true, &integer(5)),
        ];
        list.extensions.extend(scope);
        list
    };
    let rows = [
        ("no names", None, "verified 0"),
        ("its own", Some(issued_for(&[uri(delta_at)])), "verified 0"),
        (
            "that of its list",
            Some(issued_for(&[uri(ONE)])),
            "verified 0",
        ),
        (
            "that of another list",
            Some(issued_for(&[uri(TWO)])),
            "revocation-unknown",
        ),
        (
            "its list's and more",
            Some(issued_for(&[uri(ONE), uri(TWO)])),
            "revocation-unknown",
        ),
        (
            "a relative one",
            Some(issued_relative()),
            "revocation-unknown",
        ),
    ];
    let scene = scene(vec![crl_at(&[ONE])]);
    let base = List::of(&scene.root)
        .with(issued_for(&[uri(ONE)]))
        .with(freshest(&[delta_at]));
    let base = base.sign(&scene.root_key);
    for (what, scope, expected) in rows {
        let delta = delta(scope, &scene.root).sign(&scene.root_key);
        let (outcome, asked) = run(&scene, &scene.trust(), |request| {
            crl(if request.url == ONE { &base } else { &delta }.clone())
        });
        assert_eq!(outcome, expected, "{what}");
        assert_eq!(asked, [ONE, delta_at], "{what}");
    }
    // A list whose deltas are kept where nobody can tell is of no use.
    let reasons = tlv(0x81, &[1, 0x40]);
    let odd = List::of(&scene.root).with(ext(
        "2.5.29.46",
        false,
        &seq(&[point_of(&[uri(delta_at)], &reasons)]),
    ));
    let odd = odd.sign(&scene.root_key);
    let (outcome, asked) = run(&scene, &scene.trust(), |_| crl(odd.clone()));
    assert_eq!(
        (outcome.as_str(), asked),
        ("revocation-unknown", vec![ONE.to_owned()])
    );
}
