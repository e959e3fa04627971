//! What a gate does for each Notary Project signature: read the envelope, keep every rule, check the signature and the
//! chain. Signatures of notation with a chain of three.

use std::{collections::BTreeMap, hint::black_box};

use acr_sign::{
    crypto::Certificate,
    format::notation::{
        Envelope, EnvelopeKind, Level, Pins, Trust, TrustedIdentities, Verdict, VerificationStep,
        VerifyTimestamp, verify,
    },
    timestamp::Timestamp,
};
use criterion::{Criterion, criterion_group, criterion_main};

const P256_JWS: &[u8] =
    include_bytes!("../tests/fixtures/notation/made-by-notation/envelopes/p256-chain-jws.jws");
const P256_COSE: &[u8] =
    include_bytes!("../tests/fixtures/notation/made-by-notation/envelopes/p256-chain-cose.cose");
const RSA_JWS: &[u8] =
    include_bytes!("../tests/fixtures/notation/made-by-notation/envelopes/rsa2048-chain-jws.jws");
const RSA_COSE: &[u8] =
    include_bytes!("../tests/fixtures/notation/made-by-notation/envelopes/rsa2048-chain-cose.cose");

/// Trust in the root that an envelope ends in, and a time at which it is valid.
fn trust(envelope: &Envelope) -> Option<(Trust, Timestamp)> {
    let pins = Pins {
        certificates: envelope
            .chain()
            .last()
            .cloned()
            .into_iter()
            .collect::<Vec<Certificate>>(),
        identities: Some(TrustedIdentities::Any),
        level: Level::STRICT,
        timestamp_roots: Vec::new(),
        verify_timestamp: VerifyTimestamp::Always,
        metadata: BTreeMap::new(),
    };
    Some((
        Trust::pinned(pins).ok()?,
        envelope.attributes().signing_time,
    ))
}

fn verification(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("verify one signature");
    for (name, kind, bytes) in [
        ("JWS P-256", EnvelopeKind::Jws, P256_JWS),
        ("COSE P-256", EnvelopeKind::Cose, P256_COSE),
        ("JWS RSA-2048", EnvelopeKind::Jws, RSA_JWS),
        ("COSE RSA-2048", EnvelopeKind::Cose, RSA_COSE),
    ] {
        let media_type = kind.media_type();
        let Ok(envelope) = Envelope::read(&media_type, bytes) else {
            continue;
        };
        let Some((trust, now)) = trust(&envelope) else {
            continue;
        };
        let subject = envelope.payload().target.clone();
        let is_verified = || {
            matches!(
                verify(&subject, &media_type, black_box(bytes), &trust, now),
                VerificationStep::Done(Verdict::Verified(_))
            )
        };
        assert!(is_verified(), "{name}");
        group.bench_function(name, |bench| bench.iter(is_verified));
    }
    group.finish();
}

criterion_group!(benches, verification);
criterion_main!(benches);
