//! The gate over 200 images of 20 repositories: what it asks for each, and in which order it answers.

use std::{collections::BTreeMap, time::Duration};

use acr_sandbox::{Action, Fault, Identity, KeyKind, Options, Sandbox, Service};
use acr_sign::Exit;

use crate::world::World;

const REPOSITORIES: usize = 20;
const TAGS: usize = 10;

struct Crowd {
    world: World,
    images: Vec<String>,
    /// The canonical ID of the root key, which serves every repository.
    root: String,
}

impl Crowd {
    /// Every image signed in both formats.
    fn new() -> Self {
        let world = World::of(
            Sandbox::start(Options::default()).unwrap(),
            Identity::ManagedIdentityAppService,
        );
        let vault = world.sandbox.vault();
        for name in ["root", "targets"] {
            vault.create_key(name, KeyKind::P256);
        }
        vault
            .create_certificate("signer", KeyKind::P256, "CN=signer,O=Contoso,ST=WA,C=US")
            .unwrap();
        let mut images = Vec::new();
        for repository in (0..REPOSITORIES).map(|number| format!("shop/r{number}")) {
            let init = world.run(&format!(
                "trust init contoso.azurecr.io/{repository} --root-key akv:contoso/keys/root \
                 --targets-key akv:contoso/keys/targets --signer signer=akv:contoso/certificates/signer"
            ));
            assert_eq!(init.exit, Exit::Done, "{}", init.stderr);
            for tag in (0..TAGS).map(|number| format!("t{number}")) {
                world.sandbox.registry().push_image(
                    &repository,
                    &tag,
                    &format!("{repository} {tag}"),
                );
                images.push(format!("contoso.azurecr.io/{repository}:{tag}"));
            }
        }
        let shown = world.run("key show akv:contoso/keys/root --output json");
        let root = shown.json()["dct"]["keyId"].as_str().unwrap().to_owned();
        let crowd = Self {
            world,
            images,
            root,
        };
        let signed = crowd.run(
            "sign",
            &format!(
                "--format dct,notation --key akv:contoso/certificates/signer --root {}",
                crowd.root
            ),
        );
        assert_eq!(signed.exit, Exit::Done, "{}", signed.stderr);
        crowd
    }

    fn run(&self, verb: &str, more: &str) -> crate::world::Outcome {
        self.world.sandbox.clear_log();
        self.world.run(&format!(
            "{verb} {} {more} --concurrency 16",
            self.images.join(" ")
        ))
    }

    fn gate(&self, require: &str) -> crate::world::Outcome {
        let text = format!(
            "version: 1\nverify:\n  - images: [\"contoso.azurecr.io/shop/**\"]\n    require:\n{}",
            require.replace("ROOT", &self.root)
        );
        let policy = self.world.write("policy.yaml", &text);
        let outcome = self.run("verify", &format!("--policy {policy}"));
        assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
        // As they were named, whoever was answered first.
        let named: Vec<&str> = outcome
            .stdout
            .lines()
            .filter_map(|line| Some(line.split_once('@')?.0))
            .collect();
        assert_eq!(named, self.images);
        outcome
    }

    /// Requests to a service, by the repository that they are about.
    fn by_repository(&self, service: Service) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for entry in self.world.answered(service) {
            let about = entry.path.split('/').find(|part| {
                part.len() > 1
                    && part.starts_with('r')
                    && part[1..].bytes().all(|b| b.is_ascii_digit())
            });
            if let Some(repository) = about {
                *counts.entry(repository.to_owned()).or_default() += 1;
            }
        }
        counts
    }
}

#[test]
fn two_hundred_images_cost_what_their_repositories_and_tags_cost() {
    let crowd = Crowd::new();
    let sandbox = &crowd.world.sandbox;
    sandbox.set_latency(Duration::from_millis(5));
    // The first image is answered last.
    sandbox
        .fault(Fault::new(Action::Delay(Duration::from_millis(400))).path("/shop/r0/manifests/t0"));
    let dct = "      - dct: { roots: [ROOT] }\n";
    let notation = "      - notation: { certificates: [\"akv:contoso/certificates/signer\"] }\n";

    crowd.gate(dct);
    let trust = crowd.by_repository(Service::TrustServer);
    assert_eq!(trust.len(), REPOSITORIES);
    // Root, timestamp, snapshot, targets, and what is released.
    assert!(trust.values().all(|count| *count == 5), "{trust:?}");
    let registry = crowd.by_repository(Service::Registry);
    assert!(
        registry.len() == REPOSITORIES && registry.values().all(|count| *count == TAGS),
        "{registry:?}"
    );

    crowd.gate(notation);
    let registry = crowd.by_repository(Service::Registry);
    // The manifest, its referrers, the signature's manifest and its envelope.
    assert!(
        registry.len() == REPOSITORIES && registry.values().all(|count| *count == 4 * TAGS),
        "{registry:?}"
    );
    assert_eq!(crowd.by_repository(Service::TrustServer).len(), 0);
    assert_eq!(
        crowd.world.answered(Service::Vault).len(),
        2,
        "the certificate and the list of its versions"
    );

    crowd.gate(&format!("{dct}{notation}"));
    let trust = crowd.by_repository(Service::TrustServer);
    assert!(
        trust.len() == REPOSITORIES && trust.values().all(|count| *count == 5),
        "{trust:?}"
    );
    let registry = crowd.by_repository(Service::Registry);
    assert!(
        registry.values().all(|count| *count == 4 * TAGS),
        "one resolution for both formats: {registry:?}"
    );

    // One that cannot be found out denies them all.
    sandbox.clear_faults();
    sandbox.fault(Fault::new(Action::Status(403)).path("/shop/r13/manifests/t7"));
    let policy = crowd.world.folder.path().join("policy.yaml");
    let outcome = crowd.run("verify", &format!("--policy {}", policy.display()));
    assert_eq!(
        (outcome.exit, outcome.stdout.as_str()),
        (Exit::Undecided, ""),
        "{}",
        outcome.stderr
    );
    assert_eq!(outcome.reasons(), ["registry-forbidden"]);
}
