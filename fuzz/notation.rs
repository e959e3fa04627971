//! The parsers of Notary Project signatures: envelopes, certificates, lists, answers, tokens, trust
//! policies.

use std::sync::OnceLock;

use acr_sign::{
    crypto::{Certificate, Crl, HashFunction, TimestampRequest, TimestampToken, ocsp},
    format::notation::{
        CHAIN_LIMIT, Envelope, EnvelopeKind, StoreName, TrustPolicy, TrustedIdentities,
        TrustedIdentity, chain_of, check_signing_leaf, trust_store,
    },
    timestamp::Timestamp,
};

/// A JWS envelope: no panic, and what is read is signed by the leaf of a short chain.
pub fn jws(bytes: &[u8]) {
    envelope(EnvelopeKind::Jws, bytes);
}

/// A COSE envelope, likewise.
pub fn cose(bytes: &[u8]) {
    envelope(EnvelopeKind::Cose, bytes);
}

fn envelope(kind: EnvelopeKind, bytes: &[u8]) {
    if let Ok(envelope) = Envelope::read(&kind.media_type(), bytes) {
        assert!((1..=CHAIN_LIMIT).contains(&envelope.chain().len()));
        assert!(
            envelope
                .leaf()
                .is_some_and(|leaf| check_signing_leaf(leaf).is_ok())
        );
        assert!(
            envelope
                .attributes()
                .expiry
                .is_none_or(|expiry| expiry > envelope.attributes().signing_time)
        );
    }
}

fn now() -> Option<Timestamp> {
    Timestamp::from_unix(1_795_000_000)
}

/// Certificates in DER, one after the other, and as the file of a trust store.
pub fn chain(bytes: &[u8]) {
    let Some(now) = now() else { return };
    if let Ok(store) = "ca:fuzz".parse::<StoreName>() {
        let found = trust_store(&store, &[("file".to_owned(), bytes.to_vec().into())]);
        assert!(
            found.is_ok_and(|found| found.iter().all(|one| one.is_ca() || one.is_self_signed()))
                || !bytes.is_empty()
        );
    }
    let ders = Certificate::split_der(bytes).unwrap_or_default();
    let certificates: Vec<Certificate> = ders
        .iter()
        .filter_map(|der| Certificate::from_der(der).ok())
        .collect();
    for certificate in &certificates {
        let _parts = (
            certificate.ocsp_addresses(),
            certificate.crl_addresses(),
            certificate.subject_attributes(),
        );
        if let Ok(chain) = chain_of(certificate.public_key(), &certificates, now) {
            assert!(
                chain.last().is_some_and(Certificate::is_self_signed) && chain.len() <= CHAIN_LIMIT
            );
        }
    }
}

/// A leaf and its issuer that the set of test vectors has.
fn known() -> Option<&'static (Certificate, Certificate)> {
    static KNOWN: OnceLock<Option<(Certificate, Certificate)>> = OnceLock::new();
    let read = |text| Certificate::chain_from_pem(text).ok()?.into_iter().next();
    let leaf = include_str!("../tests/fixtures/notation/vectors/certs/leaf-p256.pem");
    let issuer = include_str!("../tests/fixtures/notation/vectors/certs/intermediate.pem");
    KNOWN.get_or_init(|| read(leaf).zip(read(issuer))).as_ref()
}

/// A revocation list, and the same bytes as an OCSP answer: nothing that the issuer did not sign
/// says anything.
pub fn revocation(bytes: &[u8]) {
    let (Some((leaf, issuer)), Some(now)) = (known(), now()) else {
        return;
    };
    if let Ok(list) = Crl::parse(&bytes.to_vec().into()) {
        let _entries = list.entries(leaf.serial_number());
        assert!(!list.is_issued_by(issuer));
    }
    assert!(ocsp::read(bytes, leaf, issuer, now).is_err());
}

/// A timestamp token, alone and in a reply.
pub fn timestamp_token(bytes: &[u8]) {
    if let Ok(token) = TimestampToken::parse(bytes) {
        let again = TimestampToken::parse(token.der());
        assert!(again.is_ok_and(|again| again.time() == token.time()));
        if let Ok(signer) = token.signer() {
            assert!(token.certificates().contains(signer.certificate));
        }
    }
    let request = TimestampRequest::new(HashFunction::Sha256, b"message", [7; 16]);
    assert!(
        request.token(bytes).is_err(),
        "nobody answers with this nonce"
    );
}

/// A trust policy document, and each of its lines as an identity.
pub fn trust_policy(bytes: &[u8]) {
    if let Ok(policy) = TrustPolicy::parse(bytes) {
        for statement in policy.statements() {
            assert!(!statement.name().is_empty() && !statement.scopes().is_empty());
            assert!(statement.level().is_some() != statement.stores().is_empty());
        }
    }
    for line in String::from_utf8_lossy(bytes).lines() {
        if let Ok(TrustedIdentity::Subject(name)) = line.parse::<TrustedIdentity>() {
            let text = format!("x509.subject:{name}");
            assert!(
                TrustedIdentities::parse(&[text]).is_ok(),
                "a name is read as it is written"
            );
        }
    }
}
