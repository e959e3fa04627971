//! Keys and certificates for signing, made by openssl: self-signed, or below a root that issues CRLs and answers
//! OCSP through [`super::responder`].

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::run;

/// The kinds of key of the matrix.
pub(super) const KEYS: [&str; 3] = ["rsa-2048", "p-256", "p-384"];
pub(super) const SUBJECT: &str = "/C=US/ST=WA/O=Contoso/CN=signer";
/// The same as identities name it.
pub(super) const IDENTITY: &str = "x509.subject: C=US, ST=WA, O=Contoso";

/// A key that signs, with its chain.
pub(super) struct Signer {
    pub(super) key: PathBuf,
    /// Leaf first, root last.
    pub(super) chain: PathBuf,
    /// What a verifier trusts: the leaf if it is self-signed, else the root.
    pub(super) anchor: PathBuf,
    /// Key and chain in one file.
    pub(super) both: PathBuf,
    pub(super) folder: PathBuf,
}

fn openssl(arguments: &[&str]) {
    let mut command = Command::new("openssl");
    command.args(arguments);
    run(command).ok();
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}

fn new_key(kind: &str, path: &Path) {
    let (algorithm, option) = match kind {
        "rsa-2048" => ("RSA", "rsa_keygen_bits:2048"),
        "p-256" => ("EC", "ec_paramgen_curve:P-256"),
        "p-384" => ("EC", "ec_paramgen_curve:P-384"),
        other => panic!("no such key: {other}"),
    };
    openssl(&[
        "genpkey",
        "-algorithm",
        algorithm,
        "-pkeyopt",
        option,
        "-out",
        text(path),
    ]);
}

/// A certificate of that key that signs others, and itself.
fn new_root(subject: &str, key: &Path, certificate: &Path) {
    let mut arguments = vec![
        "req",
        "-x509",
        "-new",
        "-key",
        text(key),
        "-days",
        "60",
        "-subj",
        subject,
    ];
    arguments.extend(["-addext", "basicConstraints=critical,CA:TRUE"]);
    arguments.extend(["-addext", "keyUsage=critical,keyCertSign,cRLSign"]);
    arguments.extend(["-out", text(certificate)]);
    openssl(&arguments);
}

fn new_request(subject: &str, key: &Path, request: &Path) {
    openssl(&[
        "req",
        "-new",
        "-key",
        text(key),
        "-subj",
        subject,
        "-out",
        text(request),
    ]);
}

const LEAF: [&str; 6] = [
    "-addext",
    "basicConstraints=critical,CA:FALSE",
    "-addext",
    "keyUsage=critical,digitalSignature",
    "-addext",
    "extendedKeyUsage=codeSigning",
];

impl Signer {
    fn at(folder: &Path, kind: &str) -> Self {
        std::fs::create_dir_all(folder).expect("a temporary folder");
        let file = |name: &str| folder.join(name);
        new_key(kind, &file("leaf.key"));
        Self {
            key: file("leaf.key"),
            chain: file("chain.crt"),
            anchor: file("anchor.crt"),
            both: file("both.pem"),
            folder: folder.to_owned(),
        }
    }

    fn finish(self) -> Self {
        let read = |path: &Path| std::fs::read(path).expect("just made");
        std::fs::write(&self.both, [read(&self.key), read(&self.chain)].concat())
            .expect("the folder is ours");
        self
    }

    /// A certificate that is its own root.
    pub(super) fn alone(folder: &Path, kind: &str) -> Self {
        let signer = Self::at(folder, kind);
        let mut arguments = vec![
            "req",
            "-x509",
            "-new",
            "-key",
            text(&signer.key),
            "-days",
            "30",
            "-subj",
            SUBJECT,
        ];
        arguments.extend(["-out", text(&signer.chain)]);
        arguments.extend(LEAF);
        openssl(&arguments);
        std::fs::copy(&signer.chain, &signer.anchor).expect("the folder is ours");
        signer.finish()
    }

    /// A certificate below a root; `names` are extensions that say where revocation is told.
    pub(super) fn chained(folder: &Path, kind: &str, names: &[String]) -> Self {
        let signer = Self::at(folder, kind);
        let file = |name: &str| folder.join(name);
        new_key(kind, &file("root.key"));
        new_root(
            "/C=US/ST=WA/O=Contoso/CN=root",
            &file("root.key"),
            &signer.anchor,
        );
        new_request(SUBJECT, &signer.key, &file("leaf.csr"));
        let mut extensions: Vec<String> = LEAF
            .chunks(2)
            .filter_map(|pair| pair.get(1))
            .map(ToString::to_string)
            .collect();
        extensions.extend(names.iter().cloned());
        std::fs::write(file("leaf.ext"), extensions.join("\n")).expect("the folder is ours");
        std::fs::write(file("index.txt"), "").expect("the folder is ours");
        std::fs::write(file("crlnumber"), "01\n").expect("the folder is ours");
        std::fs::write(file("serial"), "1001\n").expect("the folder is ours");
        let configuration = format!(
            "[ca]\ndefault_ca=own\n[own]\ndatabase={0}/index.txt\ncrlnumber={0}/crlnumber\nserial={0}/serial\nnew_certs_dir={0}\n\
             default_md=sha256\ndefault_crl_days=1\npolicy=any\nunique_subject=no\n[any]\ncommonName=supplied\ncountryName=optional\n\
             stateOrProvinceName=optional\norganizationName=optional\n",
            folder.display()
        );
        std::fs::write(file("ca.cnf"), configuration).expect("the folder is ours");
        signer.ca(&[
            "-batch",
            "-notext",
            "-days",
            "30",
            "-in",
            text(&file("leaf.csr")),
            "-extfile",
            text(&file("leaf.ext")),
            "-out",
            text(&file("leaf.crt")),
        ]);
        let read = |path: &Path| std::fs::read(path).expect("just made");
        std::fs::write(
            &signer.chain,
            [read(&file("leaf.crt")), read(&signer.anchor)].concat(),
        )
        .expect("the folder is ours");
        signer.finish()
    }

    fn ca(&self, arguments: &[&str]) {
        let (configuration, root, key) = (
            self.folder.join("ca.cnf"),
            &self.anchor,
            self.folder.join("root.key"),
        );
        let mut all = vec![
            "ca",
            "-config",
            text(&configuration),
            "-cert",
            text(root),
            "-keyfile",
            text(&key),
        ];
        all.extend(arguments);
        openssl(&all);
    }

    /// Takes the leaf back.
    pub(super) fn revoke(&self) {
        self.ca(&["-revoke", text(&self.folder.join("leaf.crt"))]);
    }

    /// The current list of what was taken back, DER.
    pub(super) fn crl(&self) -> Vec<u8> {
        let (pem, der) = (self.folder.join("ca.crl.pem"), self.folder.join("ca.crl"));
        self.ca(&["-gencrl", "-out", text(&pem)]);
        openssl(&[
            "crl",
            "-in",
            text(&pem),
            "-outform",
            "DER",
            "-out",
            text(&der),
        ]);
        std::fs::read(der).expect("just made")
    }

    /// The root's answer to an OCSP request.
    pub(super) fn ocsp(&self, request: &[u8]) -> Vec<u8> {
        let file = |name: &str| self.folder.join(name);
        std::fs::write(file("ocsp.req"), request).expect("the folder is ours");
        openssl(&[
            "ocsp",
            "-index",
            text(&file("index.txt")),
            "-CA",
            text(&self.anchor),
            "-rsigner",
            text(&self.anchor),
            "-rkey",
            text(&file("root.key")),
            "-reqin",
            text(&file("ocsp.req")),
            "-respout",
            text(&file("ocsp.resp")),
            "-ndays",
            "1",
            "-resp_no_certs",
            "-rmd",
            "sha256",
        ]);
        std::fs::read(file("ocsp.resp")).expect("just made")
    }
}

/// A timestamp authority below its own root.
pub(super) struct TimestampAuthority {
    folder: PathBuf,
    pub(super) root: PathBuf,
}

impl TimestampAuthority {
    pub(super) fn new(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).expect("a temporary folder");
        let file = |name: &str| folder.join(name);
        new_key("p-256", &file("root.key"));
        new_key("rsa-2048", &file("tsa.key"));
        new_root(
            "/C=US/ST=WA/O=Clock/CN=tsa root",
            &file("root.key"),
            &file("root.crt"),
        );
        new_request(
            "/C=US/ST=WA/O=Clock/CN=tsa",
            &file("tsa.key"),
            &file("tsa.csr"),
        );
        let extensions = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n";
        std::fs::write(file("tsa.ext"), extensions).expect("the folder is ours");
        openssl(&[
            "x509",
            "-req",
            "-in",
            text(&file("tsa.csr")),
            "-CA",
            text(&file("root.crt")),
            "-CAkey",
            text(&file("root.key")),
            "-CAcreateserial",
            "-days",
            "30",
            "-extfile",
            text(&file("tsa.ext")),
            "-out",
            text(&file("tsa.crt")),
        ]);
        let configuration = format!(
            "[tsa]\ndefault_tsa=own\n[own]\nserial={0}/serial\ncrypto_device=builtin\nsigner_digest=sha256\ndefault_policy=1.2.3.4.1\n\
             digests=sha256,sha384,sha512\naccuracy=secs:1\nordering=no\ntsa_name=no\ness_cert_id_chain=no\ness_cert_id_alg=sha256\n",
            folder.display()
        );
        std::fs::write(file("tsa.cnf"), configuration).expect("the folder is ours");
        std::fs::write(file("serial"), "01\n").expect("the folder is ours");
        Self {
            root: file("root.crt"),
            folder: folder.to_owned(),
        }
    }

    /// The reply to a query.
    pub(super) fn reply(&self, query: &[u8]) -> Vec<u8> {
        let file = |name: &str| self.folder.join(name);
        std::fs::write(file("query"), query).expect("the folder is ours");
        openssl(&[
            "ts",
            "-reply",
            "-queryfile",
            text(&file("query")),
            "-config",
            text(&file("tsa.cnf")),
            "-section",
            "own",
            "-signer",
            text(&file("tsa.crt")),
            "-inkey",
            text(&file("tsa.key")),
            "-chain",
            text(&file("root.crt")),
            "-out",
            text(&file("reply")),
        ]);
        std::fs::read(file("reply")).expect("just made")
    }
}
