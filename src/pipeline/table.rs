//! The one table of inputs: what both hosts offer, what `ci` reads, and what the documentation lists.
//!
//! An input that becomes a flag has the flag's name; a new flag joins with one line.

use super::{Host, Verb};

/// An input of the action and the task.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    /// The name in kebab-case, as GitHub spells it; Azure spells it in camelCase.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Who reads it.
    pub reader: Reader,
    /// The only host that offers it, if not both do.
    pub host: Option<Host>,
    /// The only command that takes it, if not both do.
    pub verb: Option<Verb>,
    /// The value that counts where none is given.
    pub default: Option<&'static str>,
    /// What it is, in a sentence.
    pub description: &'static str,
}

/// What an input holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// One line.
    Text,
    /// `true` or `false`.
    Boolean,
    /// One value per line.
    List,
    /// One value per line, or several with commas between.
    CommaList,
    /// Text that may span lines (JSON).
    Document,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Text that is masked.
    Secret,
    /// An Azure Resource Manager service connection.
    ServiceConnection,
}

/// Who reads an input.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reader {
    /// It becomes the flag of the same name.
    Flag,
    /// `ci` itself.
    Ci,
    /// The wrapper.
    Wrapper,
}

const fn input(name: &'static str, kind: Kind, reader: Reader, description: &'static str) -> Input {
    Input {
        name,
        kind,
        reader,
        host: None,
        verb: None,
        default: None,
        description,
    }
}

impl Input {
    const fn on(self, host: Host) -> Self {
        Self {
            host: Some(host),
            ..self
        }
    }

    const fn of(self, verb: Verb) -> Self {
        Self {
            verb: Some(verb),
            ..self
        }
    }

    const fn default(self, value: &'static str) -> Self {
        Self {
            default: Some(value),
            ..self
        }
    }

    /// Whether the host offers it.
    pub fn is_on(&self, host: Host) -> bool {
        self.host.is_none_or(|only| only == host)
    }
}

/// Every input, in the order that people look for them.
#[rustfmt::skip]
pub const INPUTS: &[Input] = &[
    input("command", Kind::Choice(&["sign", "verify"]), Reader::Ci, "What to do: `sign` what was pushed, or `verify` (the gate).").default("sign"),
    input("images", Kind::CommaList, Reader::Ci, "Images: `registry/repository:tag`, preferably with `@sha256:…`."),
    input("tags", Kind::CommaList, Reader::Ci, "Full names with tags, as `docker/metadata-action` outputs them; requires `digest`."),
    input("digest", Kind::Text, Reader::Ci, "The digest that was built; an image whose tag points to another digest is refused."),
    input("metadata", Kind::Document, Reader::Ci, "Metadata of buildx or bake: JSON, or the path of a file."),
    input("manifests", Kind::List, Reader::Flag, "Deployment manifests whose images are checked, instead of `images`: files or folders with Kubernetes, Compose, Kustomize, rendered Helm or ARM JSON.").of(Verb::Verify),
    input("parameters", Kind::Text, Reader::Flag, "Parameter file for an ARM template in `manifests`.").of(Verb::Verify),
    input("pin", Kind::Boolean, Reader::Flag, "Write the digests that were checked into `manifests`, but only if all images are allowed.").of(Verb::Verify),
    input("pin-to", Kind::Text, Reader::Flag, "Write the digests into this file instead of in place, for a single manifest.").of(Verb::Verify),
    input("fresh-since", Kind::Text, Reader::Ci, "Sign what was pushed since then: an RFC 3339 time, a duration (`30m`), or `run`, the start of this run; requires `repository`.").of(Verb::Sign),
    input("repository", Kind::List, Reader::Ci, "Repositories to search with `fresh-since`: `registry/path`; `*` matches within one segment of the path, `**` any number of segments. On Azure, also the repositories for which the output of `Docker@2` is used.").of(Verb::Sign),
    input("format", Kind::List, Reader::Flag, "Signature formats: `notation` (Notary Project), `dct` (Docker Content Trust). There is no default."),
    input("key", Kind::List, Reader::Flag, "The key, or `FORMAT=KEY`: `akv:VAULT/certificates/NAME`, `akv:VAULT/keys/NAME`, …, or a name from `keys` in `acr-sign.yaml`."),
    input("config", Kind::Text, Reader::Flag, "An `acr-sign.yaml` that names keys. `sign` takes its defaults, and `verify` its rules if no input says what is trusted. Without this input, `sign` reads the file in the working directory, and `verify` reads none."),
    input("root", Kind::List, Reader::Flag, "`dct`: root key IDs to trust, any of them."),
    input("root-ca", Kind::Text, Reader::Flag, "`dct`: file with CA certificates that the root certificate must chain to."),
    input("trust-on-first-use", Kind::Boolean, Reader::Flag, "`dct`: trust any root that the server shows. Every report says so."),
    input("role", Kind::List, Reader::Flag, "`dct`: roles to sign, instead of those that list the key.").of(Verb::Sign),
    input("snapshot-key", Kind::Text, Reader::Flag, "`dct`: the key that signs the snapshot, if the trust server does not hold it.").of(Verb::Sign),
    input("annotation", Kind::List, Reader::Flag, "`notation`: metadata to sign, or that the signature must have, `NAME=VALUE`. Commit, run, workflow and host are always signed."),
    input("recursive", Kind::Boolean, Reader::Flag, "`notation`: also sign the children of an index.").of(Verb::Sign),
    input("envelope", Kind::Choice(&["jws", "cose"]), Reader::Flag, "`notation`: kind of envelope; the default is `jws`.").of(Verb::Sign),
    input("certificate-chain", Kind::Text, Reader::Flag, "`notation`: file with the certificates of the key, its issuers and their root, if the vault does not have them.").of(Verb::Sign),
    input("expiry", Kind::Text, Reader::Flag, "`notation`: how long the signature is valid (`8760h`); by default, as long as its certificate.").of(Verb::Sign),
    input("timestamp-url", Kind::Text, Reader::Flag, "`notation`: timestamp authority (RFC 3161) that certifies when the image was signed; requires `timestamp-root-cert`.").of(Verb::Sign),
    input("timestamp-root-cert", Kind::List, Reader::Flag, "`notation`: file with the root certificate of the timestamp authority. To verify, several are allowed, and each signature must have a timestamp."),
    input("referrers", Kind::Choice(&["auto", "api", "tag"]), Reader::Flag, "`notation`: where the registry lists signatures; the default is `auto`."),
    input("force", Kind::Boolean, Reader::Flag, "Sign again what this key has already signed.").of(Verb::Sign),
    input("dry-run", Kind::Boolean, Reader::Flag, "Do everything except signing in the vault and writing to the registry.").of(Verb::Sign),
    input("policy", Kind::Text, Reader::Flag, "The policy: an `acr-sign.yaml` whose `verify` part says what must be signed by whom. Required if no input says what is trusted: a file that is merely found is not read.").of(Verb::Verify),
    input("signer", Kind::List, Reader::Flag, "`dct`: signers that must have signed the tag.").of(Verb::Verify),
    input("state", Kind::Text, Reader::Flag, "`dct`: file that remembers between runs what was verified, so that older trust data is rejected; keep it in a cache of the host.").of(Verb::Verify),
    input("certificate", Kind::List, Reader::Flag, "`notation`: certificates to trust, any of them: PEM files or `akv:VAULT/certificates/NAME`; a signer's own, or a CA together with `identity`.").of(Verb::Verify),
    input("identity", Kind::List, Reader::Flag, "`notation`: the identities for which a CA is trusted, any of them: `x509.subject: C=US, ST=WA, O=Contoso`.").of(Verb::Verify),
    input("trust-policy", Kind::Text, Reader::Flag, "`notation`: notation's own trust policy; requires `trust-store`.").of(Verb::Verify),
    input("trust-store", Kind::Text, Reader::Flag, "`notation`: notation's own trust store, the folder that contains `x509`.").of(Verb::Verify),
    input("fail-on", Kind::Choice(&["rejected", "error", "none"]), Reader::Ci, "When the step fails: `rejected` (anything but allowed), `error` (only if the answer could not be determined) or `none`.").of(Verb::Verify).default("rejected"),
    input("azure-subscription", Kind::ServiceConnection, Reader::Ci, "The service connection that signs in to the vault and the registry.").on(Host::Azure),
    input("client-id", Kind::Text, Reader::Flag, "Client ID of the identity."),
    input("tenant-id", Kind::Text, Reader::Flag, "Tenant ID of the identity."),
    input("auth", Kind::Text, Reader::Flag, "The Azure identity: `auto`, `oidc`, `service-connection`, `workload-identity`, `managed-identity`, `environment`, `azure-cli` or `none`."),
    input("cloud", Kind::Text, Reader::Flag, "The Azure cloud: `public`, `usgov` or `china`."),
    input("service-connection-id", Kind::Text, Reader::Flag, "GUID of an Azure Pipelines service connection, if it is not an input of the task.").on(Host::Azure),
    input("registry-auth", Kind::Text, Reader::Flag, "The registry login: `auto`, `entra`, `docker-config` or `anonymous`."),
    input("username", Kind::Text, Reader::Flag, "User name for the registry, with `password`."),
    input("password", Kind::Secret, Reader::Ci, "Password for the registry, with `username`."),
    input("summary", Kind::Boolean, Reader::Ci, "Whether the step summary is written.").default("true"),
    input("report", Kind::Text, Reader::Ci, "File for the report (JSON). It is always written, by default into the job's temporary folder."),
    input("sarif", Kind::Text, Reader::Ci, "File for what failed, as SARIF 2.1.0 for code scanning."),
    input("junit", Kind::Text, Reader::Ci, "File for the result as JUnit XML, with one test case per image."),
    input("github-token", Kind::Secret, Reader::Ci, "Token that may read this workflow run (`actions: read`), for `fresh-since: run`.").of(Verb::Sign).on(Host::GitHub),
    input("allow-host", Kind::List, Reader::Flag, "Additional hosts that may receive credentials."),
    input("allow-private", Kind::List, Reader::Flag, "Private addresses that redirects may lead to. This gives no credentials to anyone."),
    input("ca-file", Kind::List, Reader::Flag, "Files with additional CA certificates for TLS."),
    input("plain-http", Kind::List, Reader::Flag, "Hosts to contact without TLS."),
    input("connect-to", Kind::List, Reader::Flag, "`HOST[:PORT]=ADDR:PORT`: connect to another address for a host name."),
    input("trust-server", Kind::Text, Reader::Flag, "`dct`: the trust server, if it is not the registry itself."),
    input("concurrency", Kind::Text, Reader::Flag, "How many requests may be in flight at once: a number, or `auto` (auto)."),
    input("timeout", Kind::Text, Reader::Flag, "Deadline for the whole run (10m)."),
    input("retries", Kind::Text, Reader::Flag, "How often a failed request is retried (4)."),
    input("binary-path", Kind::Text, Reader::Wrapper, "The program to run instead of the one that comes with this version; it is not checked."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kebab_case_and_distinct_in_every_spelling() {
        let mut flat: Vec<_> = INPUTS
            .iter()
            .map(|input| input.name.replace('-', ""))
            .collect();
        assert!(INPUTS.iter().all(|input| {
            input
                .name
                .bytes()
                .all(|b| b == b'-' || b.is_ascii_lowercase())
        }));
        flat.sort_unstable();
        flat.dedup();
        assert_eq!(flat.len(), INPUTS.len());
    }
}
