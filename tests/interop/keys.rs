//! Key files made by the openssl program, as a person would make them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::run;

/// A private key, its public key and a certificate for it, each in a PEM file.
pub(crate) struct KeyFiles {
    pub(crate) private: PathBuf,
    pub(crate) public: PathBuf,
    pub(crate) certificate: PathBuf,
}

impl KeyFiles {
    /// A P-256 key.
    pub(crate) fn p256(folder: &Path, name: &str) -> Self {
        Self::generate(folder, name, &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
    }

    /// An RSA key of 3072 bits.
    pub(crate) fn rsa(folder: &Path, name: &str) -> Self {
        Self::generate(folder, name, &["rsa:3072"])
    }

    fn generate(folder: &Path, name: &str, kind: &[&str]) -> Self {
        let file = |extension: &str| folder.join(format!("{name}.{extension}"));
        let files = Self {
            private: file("key"),
            public: file("pub"),
            certificate: file("crt"),
        };
        let mut request = Command::new("openssl");
        request
            .args([
                "req",
                "-x509",
                "-days",
                "365",
                "-nodes",
                "-subj",
                &format!("/CN={name}"),
                "-newkey",
            ])
            .args(kind);
        request
            .arg("-keyout")
            .arg(&files.private)
            .arg("-out")
            .arg(&files.certificate);
        run(request).ok();
        let mut public = Command::new("openssl");
        public
            .arg("pkey")
            .arg("-in")
            .arg(&files.private)
            .arg("-pubout")
            .arg("-out")
            .arg(&files.public);
        run(public).ok();
        files
    }

    /// The key as a value of `--key`.
    pub(crate) fn reference(&self) -> String {
        format!("file:{}", self.private.display())
    }

    /// The public key alone as a value of `--signer-key`.
    pub(crate) fn public_reference(&self) -> String {
        format!("file:{}", self.public.display())
    }
}
