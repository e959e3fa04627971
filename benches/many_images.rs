//! Signing and verifying a hundred images with Notary Project where every answer takes 20 ms: several at once against one
//! after the other. The services are the sandbox's, the program is the whole one.

use std::{io, time::Duration};

use acr_sandbox::{Identity, KeyKind, Options, Sandbox};
use acr_sign::{Exit, Process, run};
use criterion::{Criterion, criterion_group, criterion_main};

const REPOSITORY: &str = "contoso.azurecr.io/shop/web";
const IMAGES: usize = 100;

/// A sandbox with a certificate and images.
struct Stage {
    sandbox: Sandbox,
    images: Vec<String>,
}

impl Stage {
    fn new(images: usize) -> io::Result<Self> {
        let sandbox = Sandbox::start(Options::default())?;
        sandbox.vault().create_certificate("signer", KeyKind::P256, "CN=signer,O=Contoso,ST=WA,C=US");
        let push = |number: usize| {
            let tag = format!("t{number}");
            sandbox.registry().push_image("shop/web", &tag, &tag);
            format!("{REPOSITORY}:{tag}")
        };
        let images = (0..images).map(push).collect();
        Ok(Self { sandbox, images })
    }

    /// The program's own entry point; every run logs in anew, as a pipeline step does.
    fn run(&self, verb: &str, images: usize, more: &str) -> Exit {
        let mut environment = self.sandbox.environment(Identity::ManagedIdentityAppService);
        environment.push(("ACR_SIGN_CONNECT_TO".into(), self.sandbox.connect_to().join(";")));
        environment.push(("ACR_SIGN_CA_FILE".into(), self.sandbox.ca_file().display().to_string()));
        let mut process = Process {
            environment: environment.into_iter().collect(),
            stdin: Box::new(io::empty()),
            stdout: Box::new(io::sink()),
            stderr: Box::new(io::sink()),
            ..Process::real()
        };
        let named = self.images.iter().take(images).map(String::as_str);
        let line = ["acr-sign", verb].into_iter().chain(named).chain(more.split(' '));
        run(line.map(Into::into), &mut process)
    }

    fn sign(&self, images: usize, concurrency: usize) -> Exit {
        let key = "--format notation --key akv:contoso/certificates/signer --force";
        self.run("sign", images, &format!("{key} --concurrency {concurrency}"))
    }

    fn verify(&self, images: usize, concurrency: usize) -> Exit {
        let trust = "--format notation --certificate akv:contoso/certificates/signer";
        self.run("verify", images, &format!("{trust} --concurrency {concurrency}"))
    }
}

fn many_images(criterion: &mut Criterion) {
    let Ok(stage) = Stage::new(IMAGES) else { return };
    stage.sandbox.set_latency(Duration::from_millis(20));
    let mut group = criterion.benchmark_group("20 ms latency");
    group.sample_size(10);
    // One after the other is measured on fewer, and is to be multiplied.
    for (images, concurrency) in [(IMAGES, 8), (IMAGES, 16), (IMAGES / 10, 1)] {
        group.bench_function(format!("sign {images} images, {concurrency} at once"), |bench| {
            bench.iter(|| stage.sign(images, concurrency));
        });
    }
    // Anew, so that each image has one signature.
    let Ok(stage) = Stage::new(IMAGES) else { return };
    if stage.sign(IMAGES, 16) != Exit::Done {
        return;
    }
    stage.sandbox.set_latency(Duration::from_millis(20));
    for (images, concurrency) in [(IMAGES, 8), (IMAGES, 16), (IMAGES / 10, 1)] {
        group.bench_function(format!("verify {images} images, {concurrency} at once"), |bench| {
            bench.iter(|| stage.verify(images, concurrency));
        });
    }
    group.finish();
}

criterion_group!(benches, many_images);
criterion_main!(benches);
