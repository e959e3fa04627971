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
    input("command", Kind::Choice(&["sign", "verify"]), Reader::Ci, "What to do: `sign` what was pushed, or `verify`, the gate.").default("sign"),
    input("images", Kind::CommaList, Reader::Ci, "Images: `registry/repository:tag`, best with `@sha256:…`."),
    input("tags", Kind::CommaList, Reader::Ci, "Full names with tags, as `docker/metadata-action` gives them; needs `digest`."),
    input("digest", Kind::Text, Reader::Ci, "The digest that was built; an image whose tag resolves to another one is refused."),
    input("metadata", Kind::Document, Reader::Ci, "Metadata of buildx or bake: JSON, or the path of a file."),
    input("manifests", Kind::List, Reader::Flag, "Deployment manifests whose images are checked, instead of `images`: files or folders of Kubernetes, compose, Kustomize, rendered Helm or ARM JSON.").of(Verb::Verify),
    input("parameters", Kind::Text, Reader::Flag, "Parameter file of an ARM template in `manifests`.").of(Verb::Verify),
    input("pin", Kind::Boolean, Reader::Flag, "Write the digests that were checked into `manifests`, only when all images are allowed.").of(Verb::Verify),
    input("pin-to", Kind::Text, Reader::Flag, "The same into this file instead of in place, for one manifest.").of(Verb::Verify),
    input("fresh-since", Kind::Text, Reader::Ci, "Sign what was pushed since then: an RFC 3339 time, a duration (`30m`), or `run`, the start of this run; needs `repository`.").of(Verb::Sign),
    input("repository", Kind::List, Reader::Ci, "Repositories to look in with `fresh-since`: `registry/path`, `*` within a part of the path, `**` for any number of parts. On Azure also those of which the output of `Docker@2` counts.").of(Verb::Sign),
    input("format", Kind::List, Reader::Flag, "Signature formats: `dct` (Docker Content Trust), `notation` (Notary Project). There is no default."),
    input("key", Kind::List, Reader::Flag, "The key, or `FORMAT=KEY`: `akv:VAULT/keys/NAME`, `akv:VAULT/certificates/NAME`, …, or a name of `keys` in `acr-sign.yaml`."),
    input("config", Kind::Text, Reader::Flag, "An `acr-sign.yaml` with names for keys; `sign` takes its defaults, `verify` its rules where no input says what is trusted. Without it `sign` reads the one in the working directory, and `verify` none."),
    input("root", Kind::List, Reader::Flag, "`dct`: root key IDs to trust, any of."),
    input("root-ca", Kind::Text, Reader::Flag, "`dct`: file of CA certificates that the root certificate must chain to."),
    input("trust-on-first-use", Kind::Boolean, Reader::Flag, "`dct`: trust whatever root the server shows. Said in every report."),
    input("role", Kind::List, Reader::Flag, "`dct`: roles to sign instead of those that list the key.").of(Verb::Sign),
    input("annotation", Kind::List, Reader::Flag, "`notation`: metadata to sign, or that the signature must carry, `NAME=VALUE`; commit, run, workflow and host are signed anyway."),
    input("recursive", Kind::Boolean, Reader::Flag, "`notation`: sign the children of an index, too.").of(Verb::Sign),
    input("envelope", Kind::Choice(&["jws", "cose"]), Reader::Flag, "`notation`: kind of envelope, `jws` unless given.").of(Verb::Sign),
    input("certificate-chain", Kind::Text, Reader::Flag, "`notation`: file of the certificates of the key, its issuers and their root, where the vault does not have them.").of(Verb::Sign),
    input("expiry", Kind::Text, Reader::Flag, "`notation`: how long the signature holds (`8760h`); without it as long as its certificate.").of(Verb::Sign),
    input("timestamp-url", Kind::Text, Reader::Flag, "`notation`: timestamp authority (RFC 3161) that says when it was signed; needs `timestamp-root-cert`.").of(Verb::Sign),
    input("timestamp-root-cert", Kind::List, Reader::Flag, "`notation`: file with the root certificate of the timestamp authority; to verify also several, and then each signature must have a timestamp."),
    input("referrers", Kind::Choice(&["auto", "api", "tag"]), Reader::Flag, "`notation`: where the registry lists signatures, `auto` unless given.").of(Verb::Sign),
    input("force", Kind::Boolean, Reader::Flag, "Sign again what this key has signed already.").of(Verb::Sign),
    input("dry-run", Kind::Boolean, Reader::Flag, "Do everything except signing in the vault and writing to the registry.").of(Verb::Sign),
    input("policy", Kind::Text, Reader::Flag, "The policy: an `acr-sign.yaml` whose `verify` part says what must be signed by whom. Where no input says what is trusted it is required: a file that is merely found is not read.").of(Verb::Verify),
    input("signer", Kind::List, Reader::Flag, "`dct`: signers that must have signed the tag.").of(Verb::Verify),
    input("state", Kind::Text, Reader::Flag, "`dct`: file that remembers between runs what was verified, so that older trust data is rejected; to be kept in a cache of the host.").of(Verb::Verify),
    input("certificate", Kind::List, Reader::Flag, "`notation`: certificates to trust, any of: PEM files or `akv:VAULT/certificates/NAME`; a signer's own, or a CA with `identity`.").of(Verb::Verify),
    input("identity", Kind::List, Reader::Flag, "`notation`: whom a CA is trusted for, any of: `x509.subject: C=US, ST=WA, O=Contoso`.").of(Verb::Verify),
    input("trust-policy", Kind::Text, Reader::Flag, "`notation`: notation's own trust policy; needs `trust-store`.").of(Verb::Verify),
    input("trust-store", Kind::Text, Reader::Flag, "`notation`: notation's own trust store, the folder that holds `x509`.").of(Verb::Verify),
    input("fail-on", Kind::Choice(&["rejected", "error", "none"]), Reader::Ci, "When the step fails: `rejected` (anything but allowed), `error` (only where the answer is not known) or `none`.").of(Verb::Verify).default("rejected"),
    input("azure-subscription", Kind::ServiceConnection, Reader::Ci, "The service connection that signs in to the vault and the registry.").on(Host::Azure),
    input("client-id", Kind::Text, Reader::Flag, "Client ID of the identity."),
    input("tenant-id", Kind::Text, Reader::Flag, "Tenant of the identity."),
    input("auth", Kind::Text, Reader::Flag, "The Azure identity: `auto`, `oidc`, `service-connection`, `workload-identity`, `managed-identity`, `environment`, `azure-cli` or `none`."),
    input("cloud", Kind::Text, Reader::Flag, "The Azure cloud: `public`, `usgov` or `china`."),
    input("service-connection-id", Kind::Text, Reader::Flag, "GUID of an Azure Pipelines service connection, where it is not an input of the task.").on(Host::Azure),
    input("registry-auth", Kind::Text, Reader::Flag, "The registry login: `auto`, `entra`, `docker-config` or `anonymous`."),
    input("username", Kind::Text, Reader::Flag, "User name for the registry, with `password`."),
    input("password", Kind::Secret, Reader::Ci, "Password for the registry, with `username`."),
    input("summary", Kind::Boolean, Reader::Ci, "Whether the step summary is written.").default("true"),
    input("report", Kind::Text, Reader::Ci, "File for the report (JSON); it is always written, by default into the job's temporary folder."),
    input("sarif", Kind::Text, Reader::Ci, "File for what does not hold as SARIF 2.1.0, for code scanning."),
    input("junit", Kind::Text, Reader::Ci, "File for the result as JUnit XML, one test case per image."),
    input("github-token", Kind::Secret, Reader::Ci, "Token that may read this workflow run (`actions: read`), for `fresh-since: run`.").of(Verb::Sign).on(Host::GitHub),
    input("allow-host", Kind::List, Reader::Flag, "Further hosts that credentials may go to."),
    input("allow-private", Kind::List, Reader::Flag, "Private addresses that redirects may lead to; gives no credentials to anyone."),
    input("ca-file", Kind::List, Reader::Flag, "Files of further CA certificates for TLS."),
    input("plain-http", Kind::List, Reader::Flag, "Hosts that are spoken to without TLS."),
    input("connect-to", Kind::List, Reader::Flag, "`HOST[:PORT]=ADDR:PORT`: connect elsewhere for a host name."),
    input("trust-server", Kind::Text, Reader::Flag, "`dct`: the trust server, if not the registry itself."),
    input("concurrency", Kind::Text, Reader::Flag, "How much is in flight at once (8)."),
    input("timeout", Kind::Text, Reader::Flag, "Deadline of the whole run (10m)."),
    input("retries", Kind::Text, Reader::Flag, "How often a failed request is tried again (4)."),
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
