//! Bodies that never end, and bodies that grow when they are unpacked (G07).

use std::io::Write as _;

use acr_sandbox::{Action, Fault, Identity, Service};
use acr_sign::Exit;

use crate::world::{REPOSITORY, World};

/// Snapshot and targets have the size that the file before them states.
///
/// The fault, the identity that makes the request happen, the reason, and what the error says.
const ENDLESS: [(Service, &str, usize, Identity, &str, &str); 11] = [
    (
        Service::Registry,
        "/manifests/",
        2,
        Identity::Imds,
        "limit-reached",
        "4194304 bytes",
    ),
    (
        Service::Registry,
        "/manifests/",
        1,
        Identity::Imds,
        "limit-reached",
        "65536 bytes",
    ),
    (
        Service::Registry,
        "/oauth2/token",
        1,
        Identity::Imds,
        "limit-reached",
        "65536 bytes",
    ),
    (
        Service::Registry,
        "/oauth2/exchange",
        1,
        Identity::Imds,
        "limit-reached",
        "65536 bytes",
    ),
    (
        Service::TrustServer,
        "/snapshot.",
        1,
        Identity::Imds,
        "limit-reached",
        " bytes",
    ),
    (
        Service::TrustServer,
        "/targets.",
        1,
        Identity::Imds,
        "limit-reached",
        " bytes",
    ),
    (
        Service::Vault,
        "/keys/release",
        2,
        Identity::Imds,
        "limit-reached",
        "262144 bytes",
    ),
    (
        Service::ManagedIdentity,
        "/token",
        2,
        Identity::Imds,
        "identity-failed",
        "65536 bytes",
    ),
    (
        Service::ManagedIdentity,
        "/msi/token",
        1,
        Identity::ManagedIdentityAppService,
        "identity-failed",
        "65536 bytes",
    ),
    (
        Service::Oidc,
        "/token",
        1,
        Identity::GitHubOidc,
        "identity-failed",
        "65536 bytes",
    ),
    (
        Service::Entra,
        "/token",
        1,
        Identity::ClientSecret,
        "identity-failed",
        "262144 bytes",
    ),
];

#[test]
fn g07_no_body_is_read_without_end() {
    let mut worlds = std::collections::BTreeMap::new();
    for (service, path, nth, identity, reason, bound) in ENDLESS {
        let (world, root) = worlds.entry(format!("{identity:?}")).or_insert_with(|| {
            let world = World::with(identity);
            let root = world.initialise();
            (world, root)
        });
        world.sandbox.clear_faults();
        world.sandbox.fault(
            Fault::new(Action::Endless)
                .service(service)
                .path(path)
                .nth(nth),
        );
        let outcome = world.sign_telling_no_secret(&["1.0"], root);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Undecided, vec![reason]),
            "{path} {nth}: {}",
            outcome.stderr
        );
        assert!(
            outcome.stderr.contains(bound),
            "{path} {nth}: {}",
            outcome.stderr
        );
    }
}

/// 5 MiB in some 5 KiB, as the answer to a request for an index.
pub fn bomb() -> Action {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&vec![b' '; 5 << 20]).unwrap();
    let packed = packed.finish().unwrap();
    assert!(packed.len() < 64 << 10);
    let headers = [
        ("content-encoding", "gzip"),
        ("content-type", "application/vnd.oci.image.index.v1+json"),
    ];
    let headers = headers
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    Action::Answer {
        status: 200,
        headers,
        body: packed.into(),
    }
}

#[test]
fn g07_what_counts_is_the_size_unpacked() {
    let (world, root) = World::initialised();
    world.sandbox.fault(
        Fault::new(bomb())
            .service(Service::Registry)
            .path("/manifests/")
            .nth(2),
    );
    let outcome = world.run(&format!(
        "verify {REPOSITORY}:1.0 --format dct --root {root}"
    ));
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["limit-reached"]),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains("4194304 bytes"),
        "{}",
        outcome.stderr
    );
}
