//! Trust by CA: the root key's certificate must be for the repository and chain to one of the
//! anchors.

use acr_sign::{
    crypto::Certificate,
    format::dct::{Key, Rejection, RootTrust, TrustedSet},
    reason::{Explain as _, Reason},
};
use p256::pkcs8::{EncodePrivateKey as _, LineEnding};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use serde_json::json;

use super::{
    publisher::{NOW, TestKey, TrustServer, owner},
    repository::{listed, root_key},
};

const NAME: &str = "contoso.azurecr.io/web/app";
/// The key of the root role in these tests.
const LEAF: u8 = 5;

fn pair(seed: u8) -> KeyPair {
    let key = p256::SecretKey::from_slice(&[seed; 32]).unwrap();
    KeyPair::from_pem(&key.to_pkcs8_pem(LineEnding::LF).unwrap()).unwrap()
}

fn ca(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn leaf(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::ExplicitNoCa;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    params
}

/// A chain of leaf, intermediate and root, each as a test left it.
struct Chain {
    leaf: CertificateParams,
    intermediate: CertificateParams,
    root: CertificateParams,
}

impl Chain {
    fn new() -> Self {
        Self {
            leaf: leaf(NAME),
            intermediate: ca("Contoso Images"),
            root: ca("Contoso Root"),
        }
    }

    /// The PEM of the three, the root signed by itself.
    fn pem(&self) -> [String; 3] {
        let (root, intermediate, leaf) = (pair(41), pair(42), pair(LEAF));
        let anchor = self.root.self_signed(&root).unwrap();
        let of_root = Issuer::from_params(&self.root, &root);
        let middle = self
            .intermediate
            .signed_by(&intermediate, &of_root)
            .unwrap();
        let of_middle = Issuer::from_params(&self.intermediate, &intermediate);
        let end = self.leaf.signed_by(&leaf, &of_middle).unwrap();
        [end.pem(), middle.pem(), anchor.pem()].map(|pem| pem.replace("\r\n", "\n"))
    }
}

fn anchors(pem: &str) -> RootTrust {
    RootTrust::Ca(Certificate::chain_from_pem(pem).unwrap())
}

/// Loads a collection whose root key has these certificates.
fn load(bundle: &str, trust: RootTrust) -> Result<TrustedSet, Rejection> {
    load_signed(
        &[Key::new("ecdsa-x509", bundle.as_bytes())],
        &[LEAF],
        1,
        trust,
    )
}

fn load_signed(
    keys: &[Key],
    seeds: &[u8],
    threshold: u64,
    trust: RootTrust,
) -> Result<TrustedSet, Rejection> {
    let mut server = TrustServer::founded(&owner(), &[]);
    let mut body = server.next_root(keys, threshold);
    body["version"] = json!(1);
    let signers: Vec<TestKey> = seeds.iter().map(|seed| TestKey::ec(*seed)).collect();
    let signers: Vec<_> = keys.iter().map(Key::key_id).zip(&signers).collect();
    server.put_root(&body, &signers);
    server.load_under(trust)
}

/// The files of a collection whose root chains to the first of two CA certificates, for tests of
/// whole commands.
pub fn certified() -> (Vec<(String, Vec<u8>)>, String, String) {
    let [leaf, intermediate, root] = Chain::new().pem();
    let key = Key::new("ecdsa-x509", format!("{leaf}{intermediate}").as_bytes());
    let mut server = TrustServer::founded(&owner(), &[]);
    let mut body = server.next_root(std::slice::from_ref(&key), 1);
    body["version"] = json!(1);
    server.put_root(&body, &[(key.key_id(), &TestKey::ec(LEAF))]);
    let file = |role: &str| {
        (
            role.to_owned(),
            server.server.files[&format!("{role}.json")].clone(),
        )
    };
    let other = ca("Contoso Root").self_signed(&pair(77)).unwrap().pem();
    (
        ["root", "timestamp", "snapshot", "targets"]
            .map(file)
            .into(),
        root,
        other,
    )
}

#[test]
fn a_chain_to_an_anchor_is_trusted() {
    let [leaf, intermediate, root] = Chain::new().pem();
    // Through the bundle's CA certificate, in any order behind the leaf, and with the root in the
    // bundle too.
    for bundle in [
        format!("{leaf}{intermediate}"),
        format!("{leaf}{intermediate}{root}"),
        format!("{leaf}{root}{intermediate}"),
    ] {
        let set = load(&bundle, anchors(&root)).unwrap();
        assert_eq!(set.root().version.get(), 1);
    }
    // The intermediate as anchor, then the leaf alone is enough; any of several anchors serves.
    assert!(load(&leaf, anchors(&intermediate)).is_ok());
    let other = ca("Other").self_signed(&pair(77)).unwrap().pem();
    assert!(
        load(
            &format!("{leaf}{intermediate}"),
            anchors(&format!("{other}{root}"))
        )
        .is_ok()
    );
}

/// An intermediate for signing code or for anything; the anchor is trusted whatever it says (N14).
#[test]
fn n14_a_ca_of_root_keys_may_have_usages_that_allow_signing() {
    use ExtendedKeyUsagePurpose::{Any, CodeSigning, ServerAuth};
    for (intermediate, root) in [
        (vec![CodeSigning], vec![]),
        (vec![Any], vec![]),
        (vec![ServerAuth, CodeSigning], vec![CodeSigning]),
        (vec![], vec![ServerAuth]),
    ] {
        let mut chain = Chain::new();
        chain.intermediate.extended_key_usages = intermediate;
        chain.root.extended_key_usages = root;
        let [leaf, intermediate, root] = chain.pem();
        assert!(load(&format!("{leaf}{intermediate}"), anchors(&root)).is_ok());
    }
}

#[test]
fn what_does_not_chain_is_an_untrusted_root() {
    let [leaf, intermediate, root] = Chain::new().pem();
    let other = ca("Contoso Root").self_signed(&pair(77)).unwrap().pem();
    let bundle = format!("{leaf}{intermediate}");
    let with = |edit: fn(&mut Chain)| {
        let mut chain = Chain::new();
        edit(&mut chain);
        let [leaf, intermediate, root] = chain.pem();
        (format!("{leaf}{intermediate}"), root)
    };
    let cases = [
        (
            "an anchor of the same name and another key",
            (bundle.clone(), other),
        ),
        ("without the intermediate", (leaf.clone(), root.clone())),
        ("self-signed", (self_signed(), root.clone())),
        (
            "an intermediate that is past its end",
            with(|chain| chain.intermediate.not_after = date_time_ymd(2026, 12, 1)),
        ),
        (
            "an intermediate that is not valid yet",
            with(|chain| chain.intermediate.not_before = date_time_ymd(2027, 2, 1)),
        ),
        (
            "an anchor that is past its end",
            with(|chain| chain.root.not_after = date_time_ymd(2026, 12, 1)),
        ),
        (
            "an intermediate that may not sign certificates",
            with(|chain| {
                chain.intermediate.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            }),
        ),
        (
            "an anchor that may not sign certificates",
            with(|chain| {
                chain.root.key_usages = vec![KeyUsagePurpose::CrlSign];
            }),
        ),
        (
            "an intermediate for TLS servers",
            with(|chain| {
                chain.intermediate.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            }),
        ),
        (
            "an intermediate for mail and time",
            with(|chain| {
                chain.intermediate.extended_key_usages = vec![
                    ExtendedKeyUsagePurpose::EmailProtection,
                    ExtendedKeyUsagePurpose::TimeStamping,
                ];
            }),
        ),
        (
            "an anchor that is no CA",
            with(|chain| chain.root.is_ca = IsCa::ExplicitNoCa),
        ),
        (
            "an anchor that is followed by too many",
            with(|chain| {
                chain.root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            }),
        ),
        (
            "an unknown critical extension in the leaf",
            with(|chain| chain.leaf.custom_extensions = vec![critical()]),
        ),
        (
            "an unknown critical extension in the intermediate",
            with(|chain| {
                chain.intermediate.custom_extensions = vec![critical()];
            }),
        ),
        (
            "name constraints, though not critical",
            with(|chain| {
                // permittedSubtrees, one DNS name.
                let content = vec![
                    0x30, 0x0a, 0xa0, 0x08, 0x30, 0x06, 0x82, 0x04, b'a', b'.', b'b', b'c',
                ];
                chain.intermediate.custom_extensions =
                    vec![CustomExtension::from_oid_content(&[2, 5, 29, 30], content)];
            }),
        ),
    ];
    for (what, (bundle, root)) in cases {
        let rejected = load(&bundle, anchors(&root)).unwrap_err();
        assert!(
            matches!(rejected, Rejection::PinNotMet { .. }),
            "{what}: {rejected}"
        );
        assert_eq!(rejected.reason(), Reason::UntrustedRoot, "{what}");
    }
}

fn self_signed() -> String {
    leaf(NAME)
        .self_signed(&pair(LEAF))
        .unwrap()
        .pem()
        .replace("\r\n", "\n")
}

fn critical() -> CustomExtension {
    let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
    extension.set_criticality(true);
    extension
}

#[test]
fn t23_the_name_and_the_dates_of_the_leaf_are_checked_as_under_any_trust() {
    type Edit = fn(&mut Chain);
    let cases: [(&str, Edit, Reason); 7] = [
        (
            "another repository",
            |chain| chain.leaf = leaf("contoso.azurecr.io/web/other"),
            Reason::UntrustedRoot,
        ),
        (
            "repositories beside it",
            |chain| chain.leaf = leaf("contoso.azurecr.io/api/*"),
            Reason::UntrustedRoot,
        ),
        (
            "no name",
            |chain| chain.leaf.distinguished_name = rcgen::DistinguishedName::new(),
            Reason::UntrustedRoot,
        ),
        (
            "past its end",
            |chain| chain.leaf.not_after = date_time_ymd(2027, 1, 1),
            Reason::Expired,
        ),
        (
            "not valid yet",
            |chain| chain.leaf.not_before = date_time_ymd(2027, 1, 4),
            Reason::NotYetValid,
        ),
        (
            "a CA",
            |chain| chain.leaf.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
            Reason::CertificateUnsuitable,
        ),
        (
            "two that are no CA",
            |chain| chain.intermediate.is_ca = IsCa::ExplicitNoCa,
            Reason::CertificateUnsuitable,
        ),
    ];
    for (what, edit, reason) in cases {
        let mut chain = Chain::new();
        edit(&mut chain);
        let [leaf, intermediate, root] = chain.pem();
        for trust in [anchors(&root), RootTrust::FirstUse] {
            let rejected = load(&format!("{leaf}{intermediate}"), trust).unwrap_err();
            assert!(
                matches!(rejected, Rejection::RootCertificate { .. }),
                "{what}: {rejected}"
            );
            assert_eq!(rejected.reason(), reason, "{what}");
        }
    }
    // A day early is for clocks that differ; a wildcard serves what it is a prefix of.
    let mut chain = Chain::new();
    chain.leaf = leaf("contoso.azurecr.io/web/*");
    chain.leaf.not_before = date_time_ymd(2027, 1, 3);
    let [leaf, intermediate, root] = chain.pem();
    assert!(load(&format!("{leaf}{intermediate}"), anchors(&root)).is_ok());
}

#[test]
fn the_threshold_counts_keys_that_chain() {
    let [leaf, intermediate, root] = Chain::new().pem();
    let ours = Key::new("ecdsa-x509", format!("{leaf}{intermediate}").as_bytes());
    let stranger = root_key(NAME, 66, 1);
    let keys = [ours, stranger];
    assert!(load_signed(&keys, &[LEAF, 66], 1, anchors(&root)).is_ok());
    let rejected = load_signed(&keys, &[LEAF, 66], 2, anchors(&root)).unwrap_err();
    assert!(
        matches!(rejected, Rejection::PinNotMet { .. }),
        "{rejected}"
    );
}

#[test]
fn an_older_root_that_chains_opens_nothing() {
    // Its key may be lost since; what is served now must chain itself.
    let [leaf, intermediate, root] = Chain::new().pem();
    let ours = Key::new("ecdsa-x509", format!("{leaf}{intermediate}").as_bytes());
    let mut server = TrustServer::founded(&owner(), &[]);
    let mut body = server.next_root(std::slice::from_ref(&ours), 1);
    body["version"] = json!(1);
    let (own, next) = (TestKey::ec(LEAF), TestKey::ec(66));
    server.put_root(&body, &[(ours.key_id(), &own)]);
    let seen = server.load_under(anchors(&root)).unwrap().seen();
    let stranger = root_key(NAME, 66, 1);
    let mut body = server.next_root(std::slice::from_ref(&stranger), 1);
    body["keys"][ours.key_id().to_string()] = listed(&ours);
    server.put_root(&body, &[(stranger.key_id(), &next), (ours.key_id(), &own)]);
    let rejected = server.load_under(anchors(&root)).unwrap_err();
    assert!(
        matches!(rejected, Rejection::PinNotMet { .. }),
        "{rejected}"
    );
    // So it is not asked for; and one that was seen leads there, and opens nothing either.
    assert!(
        !server
            .server
            .asked
            .borrow()
            .iter()
            .any(|name| name == "1.root.json")
    );
    let after = super::server::load(
        &server.server,
        &server.gun,
        anchors(&root),
        Some(seen),
        super::server::at(NOW),
    );
    assert!(matches!(after, Err(Rejection::PinNotMet { .. })));
}
