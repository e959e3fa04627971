//! The `acr-sign.yaml` of a run: the one that `--config` names, or the one in the working directory. It is read when the
//! first value needs it, so that a command whose flags say everything does not depend on a file that lies about.

use std::{path::Path, sync::OnceLock};

use super::{ConfigFile, SettingError, certificate, parse};
use crate::{
    cli,
    crypto::Certificate,
    keys::{KeyReference, KeyRing},
    policy::KeyNames,
    reason::Reason,
    report::Failure,
};

/// The file, once it is read.
#[derive(Debug)]
pub(crate) struct RunConfig<'a> {
    folder: Option<&'a Path>,
    file: OnceLock<Option<ConfigFile>>,
}

impl<'a> RunConfig<'a> {
    /// Reads what is named; else looks into `folder` when it must, and nowhere if there is none.
    pub(crate) fn new(named: &cli::Config, folder: Option<&'a Path>) -> Result<Self, SettingError> {
        let file = OnceLock::new();
        if let Some(path) = &named.config {
            let _ = file.set(Some(ConfigFile::read(path, Reason::ConfigInvalid)?));
        }
        Ok(Self { folder, file })
    }

    /// The file, if there is one.
    pub(crate) fn file(&self) -> Result<Option<&ConfigFile>, SettingError> {
        if self.file.get().is_none() {
            let found = self.folder.map(ConfigFile::find).transpose()?.flatten();
            let _ = self.file.set(found);
        }
        Ok(self.used())
    }

    /// The file, if there is one and something was taken from it.
    pub(crate) fn used(&self) -> Option<&ConfigFile> {
        self.file.get().and_then(Option::as_ref)
    }

    /// A key reference, or the one that a name stands for.
    pub(crate) fn key(&self, flag: &str, text: &str) -> Result<KeyReference, SettingError> {
        if !KeyNames::is_name(text) {
            return parse(flag, text);
        }
        let file = self.file()?;
        match file.and_then(|file| file.named(text)) {
            Some(reference) => parse(&format!("{flag} {text}:"), &reference),
            None => Err(SettingError::usage(match file {
                Some(file) => format!(
                    "`{flag} {text}`: `{}` has no such name in `keys`",
                    file.config.file
                ),
                None => format!("`{flag} {text}`: no `acr-sign.yaml` gives this name to a key"),
            })
            .hint("a key reference starts with akv:, https://, azurekms://, file: or env:")),
        }
    }

    /// The certificates of a signer: a name or reference of a key, or a PEM file.
    pub(crate) async fn certificates(
        &self,
        flag: &str,
        text: &str,
        keys: &KeyRing,
    ) -> Result<Vec<Certificate>, Failure> {
        let is_name =
            KeyNames::is_name(text) && self.file()?.is_some_and(|file| file.named(text).is_some());
        // A file that merely lies about must not decide which certificate a line means (P13).
        if is_name && Path::new(text).is_file() {
            return Err(SettingError::usage(format!(
                "`{flag} {text}` is a name of `keys` and a file"
            ))
            .hint(format!(
                "write `./{text}` for the file, or the key reference for the key"
            ))
            .into());
        }
        if is_name || KeyReference::is_meant(text) {
            certificate::of_key(
                &format!("{flag} `{text}`"),
                &self.key(flag, text)?,
                keys,
                Reason::Usage,
            )
            .await
        } else {
            Ok(certificate::of_file(flag, Path::new(text))?)
        }
    }

    /// The pin that flags give, or the one of the file.
    pub(crate) fn pin(&self, given: &cli::Pin) -> Result<cli::Pin, SettingError> {
        let mut pin = given.clone();
        if pin.is_empty()
            && let Some(file) = self.file()?
        {
            pin.root = file
                .config
                .sign
                .root
                .iter()
                .map(ToString::to_string)
                .collect();
            pin.file = Some(file.config.file.clone());
        }
        Ok(pin)
    }
}
