//! The main job in one run, against the sandbox: push, sign with Key Vault in both formats, gate, tamper, blocked.
//! Every step is the command line that a user would type.

#![allow(clippy::disallowed_methods, reason = "a program of its own")]

use std::{
    error::Error,
    fs,
    io::{self, Write},
    sync::{Arc, Mutex},
};

use acr_sandbox::{Identity, KeyKind, Options, Sandbox};
use acr_sign::{Environment, Exit, Process, run};

const IMAGE: &str = "contoso.azurecr.io/shop/web";
const CERTIFICATE: &str = "akv:contoso/certificates/image-signing";

fn main() -> Result<(), Box<dyn Error>> {
    play(io::stdout())
}

/// Plays the demo and writes down what is done and said.
pub(crate) fn play(out: impl Write) -> Result<(), Box<dyn Error>> {
    let mut demo = Demo::start(out)?;
    demo.say("A build has just pushed a multi-arch image under three tags. It is not signed.")?;
    let digest = demo.push();
    let images = ["1.4.0", "1.4", "latest"]
        .map(|tag| format!("{IMAGE}:{tag}"))
        .join(" ");
    let summary = demo.summary.clone();

    demo.say(
        "Sign it with a certificate in Key Vault (Notary Project). The key never leaves the vault.",
    )?;
    let sign = format!("acr-sign sign {images} --digest {digest}");
    demo.expect(
        Exit::Done,
        &format!("{sign} --format notation --key {CERTIFICATE}"),
    )?;

    demo.say("The gate, before a deployment. It prints the digests to deploy.")?;
    let notation_gate =
        format!("acr-sign verify {images} --format notation --certificate {CERTIFICATE}");
    demo.expect(Exit::Done, &notation_gate)?;

    demo.say("For a registry that has content trust: create the trust data, once per repository.")?;
    let root = demo.initialise()?;

    demo.say("Sign the same image with Docker Content Trust, as the signer `ci`.")?;
    demo.expect(
        Exit::Done,
        &format!("{sign} --format dct --key akv:contoso/keys/ci --root {root}"),
    )?;

    demo.say("Who signed it?")?;
    demo.expect(
        Exit::Done,
        &format!("acr-sign inspect {IMAGE}:1.4 --root {root}"),
    )?;

    demo.say("Someone moves the tag 1.4 to another image …")?;
    demo.tamper();

    demo.say("The gate again: blocked. Nobody signed the image that the tag points to now.")?;
    demo.expect(Exit::Rejected, &notation_gate)?;

    demo.say("The gate for content trust: blocked as well. Here the tag itself is signed.")?;
    let gate = format!(
        "acr-sign verify {images} --format dct --signer ci --root {root} --summary {summary}"
    );
    demo.expect(Exit::Rejected, &gate)?;

    demo.say("The step summary that a pipeline shows:")?;
    let summary = fs::read_to_string(summary)?;
    demo.print(&summary)?;
    Ok(())
}

/// The sandbox, the environment of a pipeline step in it, and where to write.
struct Demo<W> {
    out: W,
    sandbox: Sandbox,
    environment: Vec<(String, String)>,
    folder: tempfile::TempDir,
    summary: String,
    step: usize,
}

impl<W: Write> Demo<W> {
    fn start(out: W) -> Result<Self, Box<dyn Error>> {
        let sandbox = Sandbox::start(Options::default())?;
        for name in ["root", "targets", "ci"] {
            sandbox.vault().create_key(name, KeyKind::P256);
        }
        let subject = "CN=image-signing,O=Contoso,ST=WA,C=US";
        sandbox
            .vault()
            .create_certificate("image-signing", KeyKind::P256, subject);
        // What a self-hosted agent with a managed identity has, and where the sandbox stands in for Azure.
        let mut environment = sandbox.environment(Identity::ManagedIdentityAppService);
        environment.push(("ACR_SIGN_CONNECT_TO".into(), sandbox.connect_to().join(";")));
        environment.push((
            "ACR_SIGN_CA_FILE".into(),
            sandbox.ca_file().display().to_string(),
        ));
        let folder = tempfile::tempdir()?;
        let summary = folder.path().join("summary.md").display().to_string();
        Ok(Self {
            out,
            sandbox,
            environment,
            folder,
            summary,
            step: 0,
        })
    }

    /// Returns what a build step outputs: the digest that it pushed.
    fn push(&self) -> String {
        let digest = self
            .sandbox
            .registry()
            .push_index("shop/web", "1.4.0", "release 1.4.0")
            .digest;
        for tag in ["1.4", "latest"] {
            self.sandbox.registry().retag("shop/web", &digest, tag);
        }
        digest
    }

    fn initialise(&mut self) -> Result<String, Box<dyn Error>> {
        let report = self.folder.path().join("init.json").display().to_string();
        self.expect(
            Exit::Done,
            &format!(
                "acr-sign trust init {IMAGE} --root-key akv:contoso/keys/root --targets-key akv:contoso/keys/targets \
                 --signer ci=akv:contoso/keys/ci --report {report}"
            ),
        )?;
        let report: serde_json::Value = serde_json::from_str(&fs::read_to_string(report)?)?;
        let root = report
            .get("root")
            .and_then(|root| root.get("keyIds")?.get(0)?.as_str());
        Ok(root
            .ok_or("trust init did not report the root key ID")?
            .to_owned())
    }

    fn tamper(&self) {
        self.sandbox
            .registry()
            .push_index("shop/web", "1.4", "something else");
    }

    fn say(&mut self, text: &str) -> io::Result<()> {
        self.step += 1;
        writeln!(self.out, "\n── {}. {text}", self.step)
    }

    fn print(&mut self, text: &str) -> io::Result<()> {
        let folder = self.folder.path().display().to_string();
        self.out.write_all(text.replace(&folder, "$TMP").as_bytes())
    }

    /// Prints the command line, runs it, prints its output, and compares its exit code with `expected`.
    fn expect(&mut self, expected: Exit, line: &str) -> Result<(), Box<dyn Error>> {
        self.print(&format!("$ {line}\n"))?;
        let shown = Shared::default();
        let mut process = Process {
            environment: self.environment.iter().cloned().collect::<Environment>(),
            stdin: Box::new(io::empty()),
            stdout: Box::new(shown.clone()),
            stderr: Box::new(shown.clone()),
            ..Process::real()
        };
        process.terminal = false;
        let exit = run(line.split(' ').map(Into::into), &mut process);
        self.print(&shown.text())?;
        self.print(&format!("(exit {})\n", exit.code()))?;
        if exit == expected {
            Ok(())
        } else {
            Err(format!("expected exit {}", expected.code()).into())
        }
    }
}

/// A writer whose text can be read afterwards.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        self.0
            .lock()
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .map_err(|_| io::Error::other("a writer panicked"))?
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
