//! N08, N07, N13: malformed envelopes, one damage a row, with the very rejection.

use acr_sign::{crypto::Scheme, reason::Explain as _, reason::Reason};
use serde_json::{Value, json};

use super::{
    maker::{
        AUTHENTIC, EXPIRY, PLUGIN, SCHEME, TIME, cbor, cose_chain, cose_header, cose_of, header,
        jws_of, p256,
    },
    scene::{Scene, now, outcome_of, payload, rejection, verdict},
};

fn changed(change: impl Fn(&mut Value)) -> Value {
    let mut header = header();
    change(&mut header);
    header
}

fn without(name: &str) -> Value {
    changed(|header| drop(header.as_object_mut().unwrap().remove(name)))
}

fn with(name: &str, value: Value) -> Value {
    changed(|header| header[name] = value.clone())
}

#[test]
fn n08_jws_headers_each_break_one_rule() {
    let scene = Scene::new();
    let authority = json!({
        "alg": "ES256", "cty": header()["cty"], "crit": [SCHEME, AUTHENTIC],
        SCHEME: "notary.x509.signingAuthority", AUTHENTIC: "2026-06-01T00:00:00Z",
    });
    let not_critical = || {
        let mut header = authority.clone();
        header["crit"] = json!([SCHEME]);
        header
    };
    let rows: Vec<(&str, Value, &str)> = vec![
        ("nothing", header(), "verified"),
        ("no alg", without("alg"), r#"Header(Missing("alg"))"#),
        (
            "alg none",
            with("alg", json!("none")),
            r#"Header(Algorithm("none"))"#,
        ),
        (
            "alg HS256",
            with("alg", json!("HS256")),
            r#"Header(Algorithm("HS256"))"#,
        ),
        (
            "alg RS256",
            with("alg", json!("RS256")),
            r#"Header(Algorithm("RS256"))"#,
        ),
        (
            "alg in another case",
            with("alg", json!("es256")),
            r#"Header(Algorithm("es256"))"#,
        ),
        (
            "alg a number",
            with("alg", json!(-7)),
            r#"Header(Type("alg"))"#,
        ),
        (
            "alg of another key",
            with("alg", json!("PS256")),
            r#"AlgorithmMismatch { stated: "PS256", kind: EcP256 }"#,
        ),
        ("no cty", without("cty"), r#"Header(Missing("cty"))"#),
        (
            "other cty",
            with("cty", json!("text/plain")),
            r#"Header(ContentType("text/plain"))"#,
        ),
        ("no crit", without("crit"), r#"Header(Missing("crit"))"#),
        (
            "crit empty",
            with("crit", json!([])),
            r#"Header(NotCritical("io.cncf.notary.signingScheme"))"#,
        ),
        (
            "crit text",
            with("crit", json!(SCHEME)),
            r#"Header(Type("crit"))"#,
        ),
        (
            "crit of numbers",
            with("crit", json!([1])),
            r#"Header(Type("crit"))"#,
        ),
        (
            "crit twice",
            with("crit", json!([SCHEME, SCHEME])),
            r#"Header(Critical("io.cncf.notary.signingScheme"))"#,
        ),
        (
            "crit alg",
            with("crit", json!([SCHEME, "alg"])),
            r#"Header(Critical("alg"))"#,
        ),
        (
            "crit absent header",
            with("crit", json!([SCHEME, "x"])),
            r#"Header(Critical("x"))"#,
        ),
        (
            "crit unknown",
            changed(|header| {
                header["x"] = json!(1);
                header["crit"] = json!([SCHEME, "x"]);
            }),
            r#"CriticalUnknown { name: "x" }"#,
        ),
        (
            "no scheme",
            without(SCHEME),
            r#"Header(Critical("io.cncf.notary.signingScheme"))"#,
        ),
        (
            "other scheme",
            with(SCHEME, json!("notary.x510")),
            r#"Header(Scheme("notary.x510"))"#,
        ),
        (
            "no time",
            without(TIME),
            r#"Header(Missing("io.cncf.notary.signingTime"))"#,
        ),
        (
            "time no time",
            with(TIME, json!("yesterday")),
            r#"Header(Type("io.cncf.notary.signingTime"))"#,
        ),
        (
            "time a number",
            with(TIME, json!(1)),
            r#"Header(Type("io.cncf.notary.signingTime"))"#,
        ),
        (
            "authentic time beside",
            with(AUTHENTIC, json!("2026-06-01T00:00:00Z")),
            r#"Header(Forbidden("io.cncf.notary.authenticSigningTime"))"#,
        ),
        (
            "expiry not critical",
            with(EXPIRY, json!("2026-12-01T00:00:00Z")),
            r#"Header(NotCritical("io.cncf.notary.expiry"))"#,
        ),
        (
            "authentic time not critical",
            not_critical(),
            r#"Header(NotCritical("io.cncf.notary.authenticSigningTime"))"#,
        ),
        (
            "time with an authority",
            {
                let mut header = authority.clone();
                header[TIME] = json!("2026-06-01T00:00:00Z");
                header
            },
            r#"Header(Forbidden("io.cncf.notary.signingTime"))"#,
        ),
        (
            "authority without its time",
            {
                let mut header = header();
                header[SCHEME] = json!("notary.x509.signingAuthority");
                header.as_object_mut().unwrap().remove(TIME);
                header
            },
            r#"Header(Missing("io.cncf.notary.authenticSigningTime"))"#,
        ),
        (
            "b64 false",
            with("b64", json!(false)),
            r#"Header(Forbidden("b64"))"#,
        ),
        (
            "unknown, not critical",
            with("x", json!([1, 2.5, null])),
            "verified",
        ),
    ];
    for (name, header, expected) in rows {
        let found = verdict(scene.jws(&header).to_string().as_bytes(), &scene.trust());
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn n08_jws_forms_other_than_the_one_are_refused() {
    let scene = Scene::new();
    let good = scene.jws(&header());
    let compact = format!(
        "{}.{}.{}",
        good["protected"].as_str().unwrap(),
        good["payload"].as_str().unwrap(),
        good["signature"].as_str().unwrap()
    );
    let general = json!({"payload": good["payload"], "signatures": [
        {"protected": good["protected"], "header": good["header"], "signature": good["signature"]},
    ]});
    let edit = |change: &dyn Fn(&mut Value)| {
        let mut envelope = good.clone();
        change(&mut envelope);
        envelope.to_string()
    };
    let text = good.to_string();
    let rows = [
        ("compact", format!("{{{compact}"), "Envelope(Json("),
        (
            "general",
            general.to_string(),
            r#"Envelope(Member("signatures"))"#,
        ),
        (
            "a fifth member",
            edit(&|all| all["x"] = json!(1)),
            r#"Envelope(Member("x"))"#,
        ),
        (
            "no signature",
            edit(&|all| drop(all.as_object_mut().unwrap().remove("signature"))),
            r#"Envelope(Member("signature"))"#,
        ),
        (
            "empty signature",
            edit(&|all| all["signature"] = json!("")),
            "SignatureInvalid(Form(0, EcP256))",
        ),
        (
            "padded signature",
            edit(&|all| {
                all["signature"] = json!(format!("{}=", all["signature"].as_str().unwrap()))
            }),
            r#"Envelope(Base64("signature"))"#,
        ),
        (
            "no chain",
            edit(&|all| drop(all["header"].as_object_mut().unwrap().remove("x5c"))),
            r#"Envelope(Member("x5c"))"#,
        ),
        (
            "empty chain",
            edit(&|all| all["header"]["x5c"] = json!([])),
            "Envelope(ChainLength(0))",
        ),
        (
            "chain of text",
            edit(&|all| all["header"]["x5c"] = json!(["!"])),
            r#"Envelope(Base64("x5c"))"#,
        ),
        (
            "chain of 11",
            edit(&|all| all["header"]["x5c"] = json!(vec!["AA=="; 11])),
            "Envelope(ChainLength(11))",
        ),
        (
            "chain of no certificate",
            edit(&|all| all["header"]["x5c"] = json!(["AAAA"])),
            "Envelope(Certificate { index: 0, cause: Der })",
        ),
        (
            "alg unprotected too",
            edit(&|all| all["header"]["alg"] = json!("ES256")),
            r#"Header(Twice("alg"))"#,
        ),
        (
            "agent a number",
            edit(&|all| all["header"]["io.cncf.notary.signingAgent"] = json!(1)),
            r#"Envelope(Member("io.cncf.notary.signingAgent"))"#,
        ),
        (
            "unknown unprotected header",
            edit(&|all| all["header"]["x"] = json!(1)),
            "verified",
        ),
        ("trailing data", format!("{text} x"), "Envelope(Json("),
        (
            "a member twice",
            text.replacen('{', r#"{"payload":"e30","#, 1),
            "Envelope(Json(",
        ),
        (
            "a name in another case",
            text.replace(r#""payload""#, r#""Payload""#),
            r#"Envelope(Member("Payload"))"#,
        ),
        (
            "byte order mark",
            format!("\u{feff}{text}"),
            "Envelope(NotSign1)",
        ),
    ];
    for (name, bytes, expected) in rows {
        let found = verdict(bytes.as_bytes(), &scene.trust());
        assert!(found.starts_with(expected), "{name}: {found}");
    }
    let twice = header().to_string().replacen('{', r#"{"alg":"none","#, 1);
    let twice = jws_of(
        &twice,
        &payload(),
        &scene.chain(),
        &scene.leaf_key,
        Scheme::EcdsaSha256,
    );
    assert!(verdict(twice.to_string().as_bytes(), &scene.trust()).starts_with("Envelope(Json("));
}

#[test]
fn n08_cose_headers_each_break_one_rule() {
    let scene = Scene::new();
    let good = cose_header();
    let set = |label: Vec<u8>, value: Option<Vec<u8>>| {
        let mut entries = good.clone();
        let at = entries.iter().position(|(known, _)| *known == label);
        match (at, value) {
            (Some(at), Some(value)) => entries[at].1 = value,
            (Some(at), None) => drop(entries.remove(at)),
            (None, Some(value)) => entries.push((label, value)),
            (None, None) => panic!("nothing to change"),
        }
        cbor::map(&entries)
    };
    let twice = {
        let mut entries = good.clone();
        entries.push(entries[0].clone());
        cbor::map(&entries)
    };
    let endless = {
        let mut bytes = cbor::map(&good);
        bytes[0] = 0xbf;
        bytes.push(0xff);
        bytes
    };
    let crit = |labels: &[Vec<u8>]| set(cbor::int(2), Some(cbor::array(labels)));
    let scheme = cbor::text(SCHEME);
    let rows: Vec<(&str, Vec<u8>, &str)> = vec![
        ("nothing", cbor::map(&good), "verified"),
        (
            "no alg",
            set(cbor::int(1), None),
            r#"Header(Missing("alg"))"#,
        ),
        (
            "alg text",
            set(cbor::int(1), Some(cbor::text("ES256"))),
            r#"Header(Type("1"))"#,
        ),
        (
            "alg EdDSA",
            set(cbor::int(1), Some(cbor::int(-8))),
            r#"Header(Algorithm("-8"))"#,
        ),
        (
            "alg HMAC",
            set(cbor::int(1), Some(cbor::int(5))),
            r#"Header(Algorithm("5"))"#,
        ),
        (
            "alg of another key",
            set(cbor::int(1), Some(cbor::int(-37))),
            r#"AlgorithmMismatch { stated: "PS256", kind: EcP256 }"#,
        ),
        (
            "no crit",
            set(cbor::int(2), None),
            r#"Header(Missing("crit"))"#,
        ),
        ("crit empty", crit(&[]), r#"Header(Type("2"))"#),
        (
            "crit text",
            set(cbor::int(2), Some(scheme.clone())),
            "Envelope(Cbor(",
        ),
        (
            "crit 1",
            crit(&[scheme.clone(), cbor::int(1)]),
            r#"Header(Critical("1"))"#,
        ),
        (
            "crit 33",
            crit(&[scheme.clone(), cbor::int(33)]),
            r#"Header(Critical("33"))"#,
        ),
        (
            "crit without scheme",
            crit(&[cbor::text(TIME)]),
            r#"Header(NotCritical("io.cncf.notary.signingScheme"))"#,
        ),
        (
            "no content type",
            set(cbor::int(3), None),
            r#"Header(Missing("cty"))"#,
        ),
        (
            "content type a number",
            set(cbor::int(3), Some(cbor::int(0))),
            r#"Header(Type("3"))"#,
        ),
        (
            "time untagged",
            set(cbor::text(TIME), Some(cbor::int(1_780_272_000))),
            r#"Header(Type("io.cncf.notary.signingTime"))"#,
        ),
        (
            "time with tag 0",
            set(
                cbor::text(TIME),
                Some([vec![0xc0], cbor::int(1_780_272_000)].concat()),
            ),
            r#"Header(Type("io.cncf.notary.signingTime"))"#,
        ),
        (
            "time a float",
            set(
                cbor::text(TIME),
                Some(vec![0xc1, 0xfb, 0x41, 0xda, 0, 0, 0, 0, 0, 0]),
            ),
            r#"Header(Type("io.cncf.notary.signingTime"))"#,
        ),
        (
            "chain protected",
            set(
                cbor::int(33),
                Some(cbor::array(&[cbor::bytes(scene.leaf.der())])),
            ),
            r#"Header(Forbidden("33"))"#,
        ),
        ("a label twice", twice, r#"Header(Twice("1"))"#),
        ("no stated length", endless, "Envelope(Headers)"),
        (
            "bytes after the map",
            [cbor::map(&good), vec![0]].concat(),
            "Envelope(Trailing)",
        ),
        (
            "expiry not critical",
            set(cbor::text(EXPIRY), Some(cbor::epoch(1_790_000_000))),
            r#"Header(NotCritical("io.cncf.notary.expiry"))"#,
        ),
        (
            "unknown, not critical",
            set(cbor::text("x"), Some(cbor::array(&[cbor::map(&[])]))),
            "verified",
        ),
    ];
    for (name, protected, expected) in rows {
        let envelope = cose_of(
            &protected,
            &cbor::map(&cose_chain(&scene.chain())),
            &payload(),
            &scene.leaf_key,
        );
        let found = verdict(&envelope, &scene.trust());
        assert!(found.starts_with(expected), "{name}: {found}");
    }
}

#[test]
fn n08_cose_forms_other_than_the_one_are_refused() {
    let scene = Scene::new();
    let protected = cbor::map(&cose_header());
    let of = |unprotected: &[u8]| cose_of(&protected, unprotected, &payload(), &scene.leaf_key);
    let chain = cose_chain(&scene.chain());
    let good = of(&cbor::map(&chain));
    let with = |label: Vec<u8>, value: Vec<u8>| {
        of(&cbor::map(&[chain.clone(), vec![(label, value)]].concat()))
    };
    let many = vec![cbor::bytes(b"x"); 11];
    let rows = [
        ("nothing", scene.good_cose(), "verified"),
        ("untagged", good[1..].to_vec(), "Envelope(NotSign1)"),
        (
            "tag 98",
            [vec![0xd8, 98], good[1..].to_vec()].concat(),
            "Envelope(NotSign1)",
        ),
        (
            "tag 18 in two bytes",
            [vec![0xd8, 18], good[1..].to_vec()].concat(),
            "Envelope(NotSign1)",
        ),
        (
            "bytes after the end",
            [good.clone(), vec![0]].concat(),
            "Envelope(Trailing)",
        ),
        ("cut", good[..good.len() - 1].to_vec(), "Envelope(Cbor("),
        (
            "no chain",
            of(&cbor::map(&[])),
            r#"Header(Missing("x5chain"))"#,
        ),
        (
            "one certificate as bytes",
            of(&cbor::map(&[(
                cbor::int(33),
                cbor::bytes(scene.leaf.der()),
            )])),
            r#"Header(Type("x5chain"))"#,
        ),
        (
            "chain of 11",
            of(&cbor::map(&[(cbor::int(33), cbor::array(&many))])),
            "Envelope(ChainLength(11))",
        ),
        (
            "empty chain",
            of(&cbor::map(&[(cbor::int(33), cbor::array(&[]))])),
            "Envelope(ChainLength(0))",
        ),
        (
            "alg unprotected too",
            with(cbor::int(1), cbor::int(-7)),
            r#"Header(Twice("1"))"#,
        ),
        (
            "agent a number",
            with(cbor::text("io.cncf.notary.signingAgent"), cbor::int(1)),
            r#"Header(Type("io.cncf.notary.signingAgent"))"#,
        ),
        (
            "token as text",
            with(
                cbor::text("io.cncf.notary.timestampSignature"),
                cbor::text("x"),
            ),
            r#"Header(Type("io.cncf.notary.timestampSignature"))"#,
        ),
        (
            "unknown unprotected header",
            with(cbor::int(99), cbor::int(1)),
            "verified",
        ),
    ];
    for (name, bytes, expected) in rows {
        let found = verdict(&bytes, &scene.trust());
        assert!(found.starts_with(expected), "{name}: {found}");
    }
    let detached = {
        let parts = [
            cbor::bytes(&protected),
            cbor::map(&chain),
            vec![0xf6],
            cbor::bytes(&[0; 64]),
        ];
        [vec![0xd2], cbor::array(&parts)].concat()
    };
    assert!(
        verdict(&detached, &scene.trust()).starts_with("Envelope(Cbor("),
        "detached payload"
    );
    let huge = [good, vec![0; 1024 * 1024]].concat();
    assert!(
        verdict(&huge, &scene.trust()).starts_with("Envelope(TooLong("),
        "longer than is read"
    );
}

#[test]
fn n07_a_signature_that_demands_a_plug_in_is_refused_critical_or_not() {
    let scene = Scene::new();
    let rows = [
        json!({PLUGIN: "aws", "crit": [SCHEME, PLUGIN]}),
        json!({PLUGIN: "aws"}),
        json!({PLUGIN: "aws", "vendor": 1, "crit": [SCHEME, PLUGIN, "vendor"]}),
        json!({"io.cncf.notary.verificationPluginMinVersion": "1.0"}),
        json!({PLUGIN: ""}),
    ];
    for row in rows {
        let mut header = header();
        for (name, value) in row.as_object().unwrap() {
            header[name] = value.clone();
        }
        let bytes = scene.jws(&header).to_string();
        let rejection = rejection(outcome_of(bytes.as_bytes(), &scene.trust(), now())).unwrap();
        assert!(
            format!("{rejection:?}").starts_with("PluginRequired"),
            "{row}: {rejection:?}"
        );
        assert_eq!(rejection.reason(), Reason::CriticalUnknown);
    }
    let mut entries = cose_header();
    entries.push((cbor::text(PLUGIN), cbor::text("aws")));
    let chain = cbor::map(&cose_chain(&scene.chain()));
    let envelope = cose_of(&cbor::map(&entries), &chain, &payload(), &scene.leaf_key);
    assert_eq!(
        verdict(&envelope, &scene.trust()),
        r#"PluginRequired { name: "aws" }"#
    );
}

#[test]
fn n13_expiry_must_be_later_than_signing() {
    let scene = Scene::new();
    for (expiry, expected) in [
        ("2026-05-31T23:59:59Z", "Header(ExpiryBeforeSigning"),
        ("2026-06-01T00:00:00Z", "Header(ExpiryBeforeSigning"),
        ("2026-06-01T00:00:01Z", "Expired"),
        ("2026-06-30T23:59:59Z", "Expired"),
        ("2026-07-01T00:00:00Z", "Expired"),
        ("2026-07-01T00:00:01Z", "verified"),
        ("2026-07-01T02:00:01+02:00", "verified"),
        ("2026-07-01T02:00:00+02:00", "Expired"),
        ("2026-07-01T00:00:00.5Z", "verified"),
    ] {
        let header = changed(|header| {
            header[EXPIRY] = json!(expiry);
            header["crit"] = json!([SCHEME, EXPIRY]);
        });
        let found = verdict(scene.jws(&header).to_string().as_bytes(), &scene.trust());
        assert!(found.starts_with(expected), "{expiry}: {found}");
    }
}

#[test]
fn an_envelope_signed_with_another_key_than_the_leaf_has_is_refused() {
    let scene = Scene::new();
    let stranger = p256(9);
    let jws = jws_of(
        &header().to_string(),
        &payload(),
        &scene.chain(),
        &stranger,
        Scheme::EcdsaSha256,
    );
    assert_eq!(
        verdict(jws.to_string().as_bytes(), &scene.trust()),
        "SignatureInvalid(Mismatch)"
    );
    let chain = cbor::map(&cose_chain(&scene.chain()));
    let cose = cose_of(&cbor::map(&cose_header()), &chain, &payload(), &stranger);
    assert_eq!(verdict(&cose, &scene.trust()), "SignatureInvalid(Mismatch)");
}
