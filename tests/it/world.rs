//! A sandbox with keys and an image, and the program's own entry point to run against it.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::{Arc, Mutex},
};

use acr_sandbox::{Entry, Identity, KeyKind, Options, Sandbox, Service};
use acr_sign::{Environment, Exit, Process, run};

pub const REPOSITORY: &str = "contoso.azurecr.io/shop/web";

/// A sandbox, and the environment that a run sees.
pub struct World {
    pub sandbox: Sandbox,
    pub environment: Vec<(String, String)>,
    /// The working directory of the runs.
    pub folder: tempfile::TempDir,
}

/// What a run left behind.
#[derive(Debug)]
pub struct Outcome {
    pub exit: Exit,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// The reason codes on standard error, in order.
    pub fn reasons(&self) -> Vec<&str> {
        self.stderr
            .lines()
            .filter_map(|line| line.strip_prefix("error[")?.split(']').next())
            .collect()
    }

    /// Standard output as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }
}

impl World {
    /// With a managed identity, three P-256 keys and an image under three tags.
    pub fn new() -> Self {
        Self::with(Identity::ManagedIdentityAppService)
    }

    pub fn with(identity: Identity) -> Self {
        Self::stocked(Sandbox::start(Options::default()).unwrap(), identity)
    }

    /// The same in a sandbox that was started so.
    pub fn stocked(sandbox: Sandbox, identity: Identity) -> Self {
        for name in ["root", "targets", "release"] {
            sandbox.vault().create_key(name, KeyKind::P256);
        }
        let digest = sandbox
            .registry()
            .push_index("shop/web", "1.0", "one")
            .digest;
        for tag in ["1", "latest"] {
            sandbox.registry().retag("shop/web", &digest, tag);
        }
        Self::of(sandbox, identity)
    }

    /// A sandbox as it is, and the environment of a step that reaches it.
    pub fn of(sandbox: Sandbox, identity: Identity) -> Self {
        let mut environment = sandbox.environment(identity);
        environment.push(("ACR_SIGN_CONNECT_TO".into(), sandbox.connect_to().join(";")));
        environment.push((
            "ACR_SIGN_CA_FILE".into(),
            sandbox.ca_file().display().to_string(),
        ));
        Self {
            sandbox,
            environment,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// With trust data in which `release` may sign; gives the root key ID, too.
    pub fn initialised() -> (Self, String) {
        let world = Self::new();
        let root = world.initialise();
        (world, root)
    }

    /// With the tag `1.0` signed, too.
    pub fn signed() -> (Self, String) {
        let (world, root) = Self::initialised();
        let signed = world.sign(&["1.0"], &root);
        assert_eq!(signed.exit, Exit::Done, "{}", signed.stderr);
        (world, root)
    }

    pub fn initialise(&self) -> String {
        let outcome = self.run(&format!(
            "trust init {REPOSITORY} --root-key akv:contoso/keys/root --targets-key akv:contoso/keys/targets \
             --signer release=akv:contoso/keys/release --output json"
        ));
        assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
        let root = outcome.json()["root"]["keyIds"][0]
            .as_str()
            .unwrap()
            .to_owned();
        self.sandbox.clear_log();
        root
    }

    /// Runs `acr-sign` with these arguments.
    pub fn run(&self, line: &str) -> Outcome {
        self.run_at(line, None)
    }

    /// The same with the run's clock so many seconds ahead.
    pub fn run_at(&self, line: &str, ahead: Option<i64>) -> Outcome {
        self.start(line, self.environment.iter().cloned().collect(), ahead)
    }

    /// The same in an environment of its own.
    pub fn run_in(&self, line: &str, environment: &BTreeMap<String, String>) -> Outcome {
        self.start(
            line,
            environment
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            None,
        )
    }

    /// The digest that a tag of the image holds.
    pub fn digest(&self, tag: &str) -> String {
        self.sandbox.registry().digest("shop/web", tag).unwrap()
    }

    fn start(&self, line: &str, environment: Environment, ahead: Option<i64>) -> Outcome {
        let (stdout, stderr) = (Shown::default(), Shown::default());
        let mut process = Process {
            environment,
            stdin: Box::new(io::empty()),
            stdout: Box::new(stdout.clone()),
            stderr: Box::new(stderr.clone()),
            folder: self.folder.path().to_owned(),
            ..Process::real()
        };
        if let Some(ahead) = ahead {
            let now = process.now.unix() + ahead;
            process.now = acr_sign::timestamp::Timestamp::from_unix(now).unwrap();
        }
        let arguments = std::iter::once("acr-sign").chain(line.split_whitespace());
        let exit = run(arguments.map(Into::into), &mut process);
        Outcome {
            exit,
            stdout: stdout.text(),
            stderr: stderr.text(),
        }
    }

    /// Writes a file into the working directory and gives its path.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// `sign` with the release key, under the pin.
    pub fn sign(&self, tags: &[&str], root: &str) -> Outcome {
        let images: Vec<_> = tags
            .iter()
            .map(|tag| format!("{REPOSITORY}:{tag}"))
            .collect();
        self.run(&format!(
            "sign {} --format dct --key akv:contoso/keys/release --root {root}",
            images.join(" ")
        ))
    }

    /// `verify` under the pin.
    pub fn verify(&self, tag: &str, root: &str) -> Outcome {
        self.run(&format!(
            "verify {REPOSITORY}:{tag} --format dct --root {root}"
        ))
    }

    /// Good answers of a service: challenges are not counted.
    pub fn answered(&self, service: Service) -> Vec<Entry> {
        self.sandbox
            .log()
            .into_iter()
            .filter(|entry| entry.service == service && entry.status != 401)
            .collect()
    }

    /// Signatures that the vault made.
    pub fn vault_signatures(&self) -> usize {
        self.answered(Service::Vault)
            .iter()
            .filter(|entry| entry.path.ends_with("/sign") && entry.status == 200)
            .count()
    }
}

/// How many round trips requests took: a new one begins where all before it had been answered.
pub fn round_trips(entries: &[Entry]) -> usize {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_by_key(|entry| entry.started);
    let (mut trips, mut answered) = (0, 0);
    for entry in sorted {
        if entry.started > answered {
            trips += 1;
        }
        answered = answered.max(entry.ended);
    }
    trips
}

/// A stream whose text can be read afterwards.
pub fn shown() -> Shown {
    Shown::default()
}

#[derive(Clone, Default)]
pub struct Shown(Arc<Mutex<Vec<u8>>>);

impl Shown {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Shown {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
