//! N12: who a trusted identity names.

use acr_sign::format::notation::{Trust, TrustedIdentities, TrustedIdentity};

use super::{
    maker::{Spec, name, usage},
    scene::{Scene, verdict},
};

/// N12: a policy's name against a subject, and whether it matches.
#[test]
fn n12_names_are_matched_by_meaning_and_never_as_text() {
    const C: &str = "2.5.4.6";
    const ST: &str = "2.5.4.8";
    const O: &str = "2.5.4.10";
    const OU: &str = "2.5.4.11";
    const CN: &str = "2.5.4.3";
    const EMAIL: &str = "1.2.840.113549.1.9.1";
    let plain = [(C, "NL"), (ST, "ZH"), (O, "Harbour"), (CN, "signer")];
    let comma = [(C, "NL"), (ST, "ZH"), (O, "Harbour, Inc"), (CN, "signer")];
    let rows: Vec<(&[(&str, &str)], &str, &str)> = vec![
        (&plain, "C=NL, ST=ZH, O=Harbour", "verified"),
        (&plain, "O=Harbour, C=NL, ST=ZH", "verified"),
        (&plain, "C=NL,S=ZH,O=Harbour,CN=signer", "verified"),
        (&plain, " C = NL ; ST=ZH ; O=Harbour ", "verified"),
        (&plain, "C=NL, ST=ZH, O=harbour", "Identity(NoMatch"),
        (
            &plain,
            "C=NL, ST=ZH, O=Harbour, CN=signe",
            "Identity(NoMatch",
        ),
        (&plain, "C=NL, ST=ZH, O=Harbour, OU=x", "Identity(NoMatch"),
        (
            &plain,
            "C=NL, ST=ZH, O=Harbour, CN=signer, 2.5.4.3=signer",
            "Identity(NoMatch",
        ),
        (&plain, r"C=NL, ST=ZH, O=Harb\6Fur", "verified"),
        (&comma, r"C=NL, ST=ZH, O=Harbour\, Inc", "verified"),
        (&comma, r"C=NL, ST=ZH, O=Harbour\2C Inc", "verified"),
        (&comma, "C=NL, ST=ZH, O=Harbour", "Identity(NoMatch"),
        (
            &[(C, "NL"), (ST, "ZH"), (O, "Harbour,ST=ZH")],
            "C=NL, ST=ZH, O=Harbour",
            "Identity(NoMatch",
        ),
        (
            &[(C, "NL"), (O, "Harbour")],
            "C=NL, ST=ZH, O=Harbour",
            "Identity(Unmatchable",
        ),
        (
            &[(C, "NL"), (ST, "ZH"), (O, "Harbour"), (OU, "a"), (OU, "b")],
            "C=NL, ST=ZH, O=Harbour",
            "Identity(Unmatchable",
        ),
        (
            &[(C, "NL"), (ST, "ZH"), (O, "Harbour"), (EMAIL, "a@b")],
            "C=NL, ST=ZH, O=Harbour",
            "Identity(Unmatchable",
        ),
        (
            &[(C, "NL"), (ST, "ZH"), (O, "Harbour\0")],
            "C=NL, ST=ZH, O=Harbour",
            "Identity(NoMatch",
        ),
        (
            &[(C, "NL"), (ST, "ZH"), (O, "Hàrbour")],
            "C=NL, ST=ZH, O=Hàrbour",
            "verified",
        ),
    ];
    for (subject, identity, expected) in rows {
        let mut spec = Spec::new("signer", "root", vec![usage(true, &[0])]);
        spec.subject = name(subject);
        let scene = Scene::with_leaf(&spec);
        let mut pins = scene.pins();
        pins.identities =
            Some(TrustedIdentities::parse(&[format!("x509.subject:{identity}")]).unwrap());
        let found = verdict(&scene.good_jws(), &Trust::pinned(pins).unwrap());
        assert!(
            found.starts_with(expected),
            "{subject:?} by {identity}: {found}"
        );
    }
    for refused in [
        r#"C=NL, ST=ZH, O="Harbour""#,
        r"C=NL, ST=ZH, O=Harbour\",
        r"C=NL, ST=ZH, O=Harbour\x",
        "C=NL, ST=ZH",
    ] {
        assert!(
            TrustedIdentities::parse(&[format!("x509.subject:{refused}")]).is_err(),
            "{refused}"
        );
    }
    let scene = Scene::new();
    let listed = |texts: &[&str]| {
        let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
        let mut pins = scene.pins();
        pins.identities = Some(TrustedIdentities::parse(&texts).unwrap());
        verdict(&scene.good_jws(), &Trust::pinned(pins).unwrap())
    };
    assert_eq!(
        listed(&["spiffe:x", "x509.subject: C=NL, ST=ZH, O=Harbour"]),
        "verified"
    );
    assert_eq!(
        listed(&["spiffe:x", "X509.Subject: C=NL, ST=ZH, O=Harbour"]),
        "Identity(NothingNative)"
    );
    assert_eq!(listed(&["*"]), "verified");
    let multi = {
        let mut spec = Spec::leaf("signer", "root");
        let pair = |id, value: &str| {
            super::maker::seq(&[
                super::maker::oid(id),
                super::maker::tlv(0x0c, value.as_bytes()),
            ])
        };
        let one = |id, value| super::maker::set(&[pair(id, value)]);
        spec.subject = super::maker::seq(&[
            one(C, "NL"),
            one(ST, "ZH"),
            super::maker::set(&[pair(CN, "signer"), pair(O, "Harbour")]),
        ]);
        Scene::with_leaf(&spec)
    };
    let mut pins = multi.pins();
    pins.identities = Some(
        TrustedIdentities::parse(&["x509.subject: C=NL, ST=ZH, O=Harbour".to_owned()]).unwrap(),
    );
    assert!(
        verdict(&multi.good_jws(), &Trust::pinned(pins).unwrap())
            .starts_with("Identity(Unmatchable")
    );
}

/// What is written for a subject is read as that subject, whatever its values hold.
#[test]
fn n12_the_identity_written_for_a_subject_names_it_and_no_other() {
    let scene = |attributes: &[(&str, &str)]| {
        let mut spec = Spec::leaf("signer", "root");
        spec.subject = name(attributes);
        Scene::with_leaf(&spec)
    };
    let of = |value: &str| {
        scene(&[
            ("2.5.4.6", "NL"),
            ("2.5.4.8", "ZH"),
            ("2.5.4.10", value),
            ("2.5.4.3", "signer"),
        ])
    };
    for value in [
        "Harbour",
        "Harbour, CN=other",
        "Harbour; ST=X",
        "a+b",
        "\"quoted\"",
        "\\",
        "back\\slash\\",
        "#04024869",
        " leading",
        "trailing ",
        "  ",
        " ",
        "<a>=b",
        "line\nbreak\r\n",
        "\0",
        "\u{85}\u{2028}\u{202e}",
        "Hàrbour 港",
        "::error::x ##vso[task.complete]",
        "*",
    ] {
        let scene = of(value);
        let identity = TrustedIdentity::naming(&scene.leaf).unwrap_or_else(|| panic!("{value:?}"));
        assert!(!identity.contains(['\n', '\r', '\0']), "{identity:?}");
        let trust = || {
            let mut pins = scene.pins();
            pins.identities =
                Some(TrustedIdentities::parse(std::slice::from_ref(&identity)).unwrap());
            Trust::pinned(pins).unwrap()
        };
        assert_eq!(
            verdict(&scene.good_jws(), &trust()),
            "verified",
            "{identity}"
        );
        for other in [
            "Harbour Inc".to_owned(),
            value.trim().to_owned(),
            format!("{value}x"),
        ] {
            let verdict = verdict(&of(&other).good_jws(), &trust());
            assert!(
                other == value || verdict.starts_with("Identity("),
                "{identity} {other:?}: {verdict}"
            );
        }
    }
    for unnameable in [
        &[("2.5.4.6", "NL"), ("2.5.4.10", "Harbour")][..],
        &[("2.5.4.6", "NL"), ("2.5.4.8", "ZH"), ("2.5.4.10", "")],
        &[
            ("2.5.4.6", "NL"),
            ("2.5.4.8", "ZH"),
            ("2.5.4.10", "a"),
            ("2.5.4.10", "b"),
        ],
        &[
            ("2.5.4.6", "NL"),
            ("2.5.4.8", "ZH"),
            ("2.5.4.10", "a"),
            ("1.2.840.113549.1.9.1", "a@b"),
        ],
    ] {
        assert_eq!(
            TrustedIdentity::naming(&scene(unnameable).leaf),
            None,
            "{unnameable:?}"
        );
    }
}
