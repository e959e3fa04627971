//! Files and folders of `--manifests`.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    time::Instant,
};

use super::SettingError;
use crate::{manifests::SIZE_LIMIT, output_file::replace, reason::Reason};

/// Files that a run reads.
pub(super) const FILES: usize = 10_000;
/// How deep folders may be, and how many entries one may have.
const DEPTH: usize = 32;
const ENTRIES: usize = 100_000;
/// Extensions of what is read in a folder.
const READ: &[&str] = &["yaml", "yml", "json"];
/// Names of a kustomization; the last has no extension.
pub(super) const KUSTOMIZATION: &[&str] =
    &["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// How a run reads its manifests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// When the run ends, if it ends by itself.
    pub(crate) deadline: Option<Instant>,
    /// Digests will be written into them.
    pub(crate) pins: bool,
}

impl Limits {
    pub(super) fn is_over(self) -> bool {
        self.deadline.is_some_and(|end| Instant::now() >= end)
    }

    /// Ends what takes too long between two files.
    pub(super) fn check(self) -> Result<(), SettingError> {
        if self.is_over() {
            return Err(
                SettingError::usage("the manifests were not read within `--timeout`")
                    .reason(Reason::Timeout)
                    .hint("raise `--timeout`, or name fewer files"),
            );
        }
        Ok(())
    }
}

pub(super) fn invalid(message: impl Into<String>) -> SettingError {
    SettingError::usage(message).reason(Reason::ManifestInvalid)
}

/// Manifests of a folder and all below it, in the order of their names. What `kubectl` would follow and we do not is
/// an error, so that nothing is deployed unseen.
pub(super) fn list(
    folder: &Path,
    limits: Limits,
    found: &mut Vec<PathBuf>,
) -> Result<(), SettingError> {
    list_below(folder, 0, limits, found)
}

#[expect(
    clippy::disallowed_methods,
    reason = "settings are where named files become values"
)]
fn list_below(
    folder: &Path,
    depth: usize,
    limits: Limits,
    found: &mut Vec<PathBuf>,
) -> Result<(), SettingError> {
    let cannot =
        |error| invalid(format!("the folder `{}` cannot be read", folder.display())).cause(error);
    if depth > DEPTH || found.len() > FILES {
        return Err(invalid(format!(
            "the folder `{}` is too deep or too large",
            folder.display()
        )));
    }
    limits.check()?;
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        entries.push(entry.map_err(cannot)?);
        if entries.len() > ENTRIES {
            return Err(invalid(format!(
                "the folder `{}` has more than {ENTRIES} entries",
                folder.display()
            )));
        }
    }
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, kind) = (entry.path(), entry.file_type().map_err(cannot)?);
        let is_manifest = path.extension().is_some_and(|extension| {
            READ.iter()
                .any(|known| extension.eq_ignore_ascii_case(known))
        }) || path
            .file_name()
            .is_some_and(|name| KUSTOMIZATION.iter().any(|known| name == *known));
        if kind.is_dir() {
            list_below(&path, depth + 1, limits, found)?;
        } else if kind.is_symlink() && (is_manifest || path.is_dir()) {
            return Err(invalid(format!(
                "`{}` is a link, and links in a folder are not followed",
                path.display()
            ))
            .hint("name what it leads to itself"));
        } else if is_manifest {
            found.push(path);
        }
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "settings are where named files become values"
)]
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, SettingError> {
    let cannot =
        |error| invalid(format!("the manifest `{}` cannot be read", path.display())).cause(error);
    let mut bytes = Vec::new();
    fs::File::open(path)
        .map_err(cannot)?
        .take(SIZE_LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(cannot)?;
    Ok(bytes)
}

/// Writes a file; not if it changed since it was read.
#[expect(
    clippy::disallowed_methods,
    reason = "settings are where named files become values"
)]
pub(super) fn write(path: &Path, read: Option<&[u8]>, bytes: &[u8]) -> Result<(), SettingError> {
    let cannot = |error| invalid(format!("`{}` cannot be written", path.display())).cause(error);
    let mut target = path.to_owned();
    if let Some(read) = read {
        target = fs::canonicalize(path).map_err(cannot)?;
        if fs::read(&target).map_err(cannot)? != read {
            return Err(invalid(format!(
                "`{}` was changed while it was checked",
                path.display()
            ))
            .hint("run again"));
        }
    }
    replace(&target, bytes).map_err(cannot)
}
