//! `acr-sign.yaml`: found and read; its names for keys, and its defaults for `sign`.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use super::SettingError;
use crate::{
    cli::Sign,
    policy::{Config, Leaf, Policy, SignKey},
    reason::{Explain as _, Reason},
};

/// The name of the file that is looked for.
pub(crate) const NAME: &str = "acr-sign.yaml";

/// Bytes of a file; the policy's own parser says what is too long.
const READ_LIMIT: u64 = 2 << 20;

/// An `acr-sign.yaml`, and the folder that names in it start from.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    pub(crate) config: Config,
    pub(super) folder: PathBuf,
}

impl ConfigFile {
    /// Reads the file; `missing` is the reason when it is not there.
    pub(crate) fn read(path: &Path, missing: Reason) -> Result<Self, SettingError> {
        let shown = path.display().to_string();
        let bytes = bounded(path, READ_LIMIT).map_err(|error| {
            let absent = error.kind() == std::io::ErrorKind::NotFound;
            SettingError::usage(format!("`{shown}` cannot be read"))
                .reason(if absent {
                    missing
                } else {
                    Reason::ConfigInvalid
                })
                .cause(error)
        })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            SettingError::usage(format!("`{shown}` is not UTF-8 text"))
                .reason(Reason::PolicyInvalid)
                .cause(error)
        })?;
        let config = Config::parse(&text, &shown)
            .map_err(|error| SettingError::usage(error.to_string()).reason(error.reason()))?;
        Ok(Self {
            config,
            folder: path.parent().map(Path::to_owned).unwrap_or_default(),
        })
    }

    /// The file of a working directory, if there is one.
    pub(crate) fn find(folder: &Path) -> Result<Option<Self>, SettingError> {
        let path = folder.join(NAME);
        match path.try_exists() {
            Ok(false) => Ok(None),
            // What cannot be looked at is read, which says why.
            Ok(true) | Err(_) => Self::read(&path, Reason::ConfigInvalid).map(Some),
        }
    }

    /// What the file says must hold.
    pub(crate) fn rules(&self) -> Result<&Policy<Leaf>, SettingError> {
        self.config.verify.as_ref().ok_or_else(|| {
            SettingError::usage(format!("`{}` has no `verify` part", self.config.file))
                .reason(Reason::PolicyMissing)
                .hint("say there what must be signed by whom, or give the trust by flags")
        })
    }

    /// The arguments of `sign` with the file's defaults where a flag is not given.
    pub(crate) fn fill(&self, given: &Sign) -> Sign {
        let mut filled = given.clone();
        let defaults = &self.config.sign;
        if filled.key.is_empty() {
            filled.key = match &defaults.key {
                None => Vec::new(),
                Some(SignKey::One(key)) => vec![self.key(&key.text)],
                Some(SignKey::PerFormat(keys)) => keys
                    .iter()
                    .map(|(format, key)| format!("{format}={}", self.key(&key.text)))
                    .collect(),
            };
        }
        if filled.format.is_empty() {
            filled.format.clone_from(&defaults.formats);
        }
        if filled.pin.is_empty() && filled.format.iter().any(|format| format.has_root()) {
            filled.pin.root = defaults.root.iter().map(ToString::to_string).collect();
            filled.pin.file = Some(self.config.file.clone());
        }
        filled
    }

    /// A key of the file: by its name, or as it is.
    pub(super) fn key(&self, text: &str) -> String {
        self.named(text).unwrap_or_else(|| self.relative(text))
    }

    /// What a name for a key stands for.
    pub(super) fn named(&self, name: &str) -> Option<String> {
        self.config
            .keys
            .get(name)
            .map(|key| self.relative(&key.text))
    }

    /// Files that the file names start from its folder.
    pub(super) fn relative(&self, key: &str) -> String {
        match key.strip_prefix("file:") {
            Some(path) => format!("file:{}", self.folder.join(path).display()),
            None => key.to_owned(),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "settings are where named files become values"
)]
pub(super) fn bounded(path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?
        .take(limit)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}
