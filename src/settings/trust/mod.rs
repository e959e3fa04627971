//! What must be signed by whom, made ready to be checked: flags and the `verify` part of an `acr-sign.yaml` become the
//! same values. Each format has a file with both ways.

mod dct;
mod notation;

use std::path::PathBuf;

use self::notation::Anchors;
use super::{ConfigFile, RunConfig, SettingError, formats, refuse_unused};
use crate::{
    cli::Verify,
    crypto::Certificate,
    format::{Format, notation::TrustPolicy},
    keys::KeyRing,
    oci::Reference,
    policy::{FormatRequirement, FormatTrust, Leaf, Located, NotationLeaf, Policy, Requirement},
    report::Failure,
};

/// Trust flags are a policy of one rule that matches every image named: each format must verify. `None` where no format is
/// given.
pub(crate) async fn by_flags(
    arguments: &Verify,
    config: &RunConfig<'_>,
    images: &[Reference],
    keys: &KeyRing,
) -> Result<Policy<FormatRequirement>, Failure> {
    let formats = formats(&arguments.format)?;
    refuse_unused(&formats, &arguments.given())?;
    let mut leaves = Vec::new();
    for format in formats {
        leaves.push(Requirement::leaf(match format {
            Format::Dct => dct::from_flags(arguments, config, images, keys).await?,
            Format::Notation => notation::from_flags(arguments, config, keys).await?,
        }));
    }
    let only = match leaves.len() {
        1 => leaves.pop(),
        _ => Requirement::all(leaves),
    };
    let only = only.ok_or_else(|| SettingError::usage("no format is required"))?;
    Ok(Policy::for_all(only))
}

impl ConfigFile {
    /// What the file requires of these images; rules that decide about none of them are left out, so that nobody is asked
    /// for their keys.
    pub(crate) async fn policy(
        &self,
        images: &[Reference],
        keys: &KeyRing,
    ) -> Result<Policy<FormatRequirement>, Failure> {
        let policy = self
            .rules()?
            .clone()
            .deciding(images.iter().map(|image| &image.repository));
        let anchors = Anchors::read(self, &policy, keys).await?;
        Ok(policy.try_map(|leaf| self.requirement(leaf, &anchors))?)
    }

    fn requirement(
        &self,
        leaf: &Leaf,
        anchors: &Anchors,
    ) -> Result<FormatRequirement, SettingError> {
        Ok(FormatRequirement {
            words: leaf.to_string(),
            trust: match leaf {
                Leaf::Dct(leaf) => dct::from_policy(self, leaf)?,
                Leaf::Notation(leaf) => {
                    FormatTrust::Notation(Box::new(notation::from_policy(self, leaf, anchors)?))
                }
            },
        })
    }

    /// The certificates of files that a requirement names, if they are such as it takes, and notation's own policy where it
    /// refers to one; nobody is asked for what lies in vaults.
    pub(super) fn in_files(
        &self,
        leaf: &Leaf,
    ) -> Result<(Vec<Certificate>, Option<TrustPolicy>), SettingError> {
        match leaf {
            Leaf::Dct(leaf) => Ok((dct::in_files(self, leaf)?, None)),
            Leaf::Notation(NotationLeaf::Pinned(pins)) => {
                Ok((notation::in_files(self, pins)?, None))
            }
            Leaf::Notation(NotationLeaf::Policy {
                trust_policy,
                trust_store,
                ..
            }) => {
                let (read, policy) = notation::in_stores(self, trust_policy, trust_store)?;
                Ok((read, Some(policy)))
            }
        }
    }

    /// Files that the file names start from its folder.
    fn path(&self, file: &Located) -> PathBuf {
        self.folder.join(&file.text)
    }

    /// Where something stands in the file, and as what.
    fn what(&self, named: &Located, what: &str) -> String {
        format!("{}:{}: {what}", self.config.file, named.place)
    }
}
