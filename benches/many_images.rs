//! Many images where every answer takes 20 ms: a hundred with Notary Project, several at once against one after the other,
//! and the gate over two hundred of twenty repositories in both formats. The services are the sandbox's, the program is
//! the whole one.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark that cannot be set up must fail"
)]

use std::{fs, io, time::Duration};

use acr_sandbox::{Identity, KeyKind, Options, Sandbox};
use acr_sign::{Exit, Process, run};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

const LATENCY: Duration = Duration::from_millis(20);

/// A sandbox with keys and images.
struct Stage {
    sandbox: Sandbox,
    images: Vec<String>,
}

impl Stage {
    fn new(repositories: usize, tags: usize) -> io::Result<Self> {
        let sandbox = Sandbox::start(Options::default())?;
        for name in ["root", "targets"] {
            sandbox.vault().create_key(name, KeyKind::P256);
        }
        sandbox.vault().create_certificate(
            "signer",
            KeyKind::P256,
            "CN=signer,O=Contoso,ST=WA,C=US",
        );
        let mut images = Vec::new();
        for repository in (0..repositories).map(|number| format!("shop/r{number}")) {
            for tag in (0..tags).map(|number| format!("t{number}")) {
                sandbox
                    .registry()
                    .push_image(&repository, &tag, &format!("{repository} {tag}"));
                images.push(format!("contoso.azurecr.io/{repository}:{tag}"));
            }
        }
        Ok(Self { sandbox, images })
    }

    /// The program's own entry point, which must end well; every run logs in anew, as a pipeline step does.
    fn run(&self, line: &str, images: usize) {
        let mut environment = self
            .sandbox
            .environment(Identity::ManagedIdentityAppService);
        environment.push((
            "ACR_SIGN_CONNECT_TO".into(),
            self.sandbox.connect_to().join(";"),
        ));
        environment.push((
            "ACR_SIGN_CA_FILE".into(),
            self.sandbox.ca_file().display().to_string(),
        ));
        let mut process = Process {
            environment: environment.into_iter().collect(),
            stdin: Box::new(io::empty()),
            stdout: Box::new(io::sink()),
            stderr: Box::new(io::sink()),
            ..Process::real()
        };
        let named = self.images.iter().take(images).map(String::as_str);
        let line = ["acr-sign"].into_iter().chain(line.split(' ')).chain(named);
        assert_eq!(run(line.map(Into::into), &mut process), Exit::Done);
    }

    fn sign(&self, images: usize, concurrency: usize) {
        let key = "--format notation --key akv:contoso/certificates/signer --force";
        self.run(&format!("sign {key} --concurrency {concurrency}"), images);
    }

    fn verify(&self, images: usize, concurrency: usize) {
        let trust = "--format notation --certificate akv:contoso/certificates/signer";
        self.run(
            &format!("verify {trust} --concurrency {concurrency}"),
            images,
        );
    }
}

fn notation(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("notation, 20 ms latency");
    group.sample_size(10);
    // One after the other is measured on fewer, and is to be multiplied.
    let loads = [(100, 8), (100, 16), (10, 1)];
    for (images, concurrency) in loads {
        group.bench_function(
            format!("sign {images} images, {concurrency} at once"),
            |bench| {
                // Each time where nothing is signed yet, or the lists of signatures would grow.
                let stage = || {
                    let stage = Stage::new(1, images).unwrap();
                    stage.sandbox.set_latency(LATENCY);
                    stage
                };
                bench.iter_batched(
                    stage,
                    |stage| stage.sign(images, concurrency),
                    BatchSize::PerIteration,
                );
            },
        );
    }
    let stage = Stage::new(1, 100).unwrap();
    stage.sign(100, 16);
    stage.sandbox.set_latency(LATENCY);
    for (images, concurrency) in loads {
        group.bench_function(
            format!("verify {images} images, {concurrency} at once"),
            |bench| {
                bench.iter(|| stage.verify(images, concurrency));
            },
        );
    }
    group.finish();
}

fn gate(criterion: &mut Criterion) {
    let (stage, folder) = (Stage::new(20, 10).unwrap(), tempfile::tempdir().unwrap());
    for number in 0..20 {
        stage.run(
            &format!(
                "trust init contoso.azurecr.io/shop/r{number} --root-key akv:contoso/keys/root \
                 --targets-key akv:contoso/keys/targets --signer signer=akv:contoso/certificates/signer"
            ),
            0,
        );
    }
    stage.run(
        "sign --format dct,notation --key akv:contoso/certificates/signer --trust-on-first-use",
        200,
    );
    stage.sandbox.set_latency(LATENCY);
    let dct = "{ dct: { trust-on-first-use: true, signers: [signer] } }";
    let notation = "{ notation: { certificates: [\"akv:contoso/certificates/signer\"] } }";
    let mut group =
        criterion.benchmark_group("gate, 200 images in 20 repositories, 16 at once, 20 ms latency");
    group.sample_size(10);
    for (name, require) in [
        ("dct", dct),
        ("notation", notation),
        ("both", &format!("{dct}, {notation}")),
    ] {
        let rule = format!("{{ images: [\"contoso.azurecr.io/shop/**\"], require: [{require}] }}");
        let policy = folder.path().join(format!("{name}.yaml"));
        fs::write(&policy, format!("version: 1\nverify: [{rule}]\n")).unwrap();
        let line = format!("verify --policy {} --concurrency 16", policy.display());
        group.bench_function(name, |bench| bench.iter(|| stage.run(&line, 200)));
    }
    group.finish();
}

criterion_group!(benches, notation, gate);
criterion_main!(benches);
