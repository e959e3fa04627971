//! `--manifests`: files, folders and standard input become images with their places, and files with digests.

use std::{
    collections::BTreeSet,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use super::SettingError;
use crate::{
    cli::{ManifestFiles, Verify},
    manifests::{self, Found, Parameters, SIZE_LIMIT},
    oci::Reference,
    output_file::replace,
    process::Process,
    reason::Reason,
    report::{ImageReport, Location, Report},
};

/// Files that a run reads, and how deep folders may be.
const FILES: usize = 10_000;
const DEPTH: usize = 32;
/// Images that a run looks at.
const IMAGES: usize = 10_000;
/// Extensions of what is read in a folder.
const READ: &[&str] = &["yaml", "yml", "json"];
/// Names of a kustomization; the last has no extension.
const KUSTOMIZATION: &[&str] = &["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// Standard input, as a path and as it is shown.
const STDIN: &str = "-";

/// What the manifests of a run name.
#[derive(Debug)]
pub(crate) struct Manifests {
    files: Vec<Manifest>,
    parameters: Parameters,
}

#[derive(Debug)]
struct Manifest {
    /// Where it was read, if not from standard input.
    path: Option<PathBuf>,
    /// As named, with `/`.
    name: String,
    text: String,
    found: Vec<Found>,
    /// What a kustomization is built of besides itself, from its folder.
    parts: Vec<String>,
}

/// Reads standard input where a manifest is to come from there.
pub(crate) fn manifest_input(
    named: &ManifestFiles,
    process: &mut Process,
) -> Result<Option<Vec<u8>>, SettingError> {
    if !named.manifests.iter().any(|path| path.as_os_str() == STDIN) {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    let read = process
        .stdin
        .by_ref()
        .take(SIZE_LIMIT + 1)
        .read_to_end(&mut bytes);
    read.map_err(|error| invalid("standard input cannot be read").cause(error))?;
    Ok(Some(bytes))
}

impl Manifests {
    /// Reads everything that is named, each file once; nothing is passed over, and no image at all is an error.
    pub(crate) fn read(named: &ManifestFiles, stdin: Option<&[u8]>) -> Result<Self, SettingError> {
        let parameters = named
            .parameters
            .as_deref()
            .map(parameters)
            .transpose()?
            .unwrap_or_default();
        let mut manifests = Self {
            files: Vec::new(),
            parameters,
        };
        let mut paths = Vec::new();
        for path in &named.manifests {
            if path.as_os_str() == STDIN {
                manifests.add(None, STDIN, stdin.unwrap_or_default().to_vec())?;
            } else if path.is_dir() {
                list(path, 0, &mut paths)?;
            } else if path
                .extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("bicep"))
            {
                return Err(
                    invalid(format!("`{}` is Bicep, which is not read", path.display())).hint(
                        format!(
                            "run `az bicep build --file {}`, and name the JSON file",
                            path.display()
                        ),
                    ),
                );
            } else {
                paths.push(path.clone());
            }
        }
        let mut known = BTreeSet::new();
        let mut is_new =
            |path: &PathBuf| known.insert(fs::canonicalize(path).unwrap_or_else(|_| path.clone()));
        for path in paths.into_iter().filter(|path| is_new(path)) {
            let bytes = read_file(&path)?;
            manifests.add(
                Some(path.clone()),
                &path.display().to_string().replace('\\', "/"),
                bytes,
            )?;
        }
        manifests.are_whole()?;
        if manifests.files.iter().all(|file| file.found.is_empty()) {
            return Err(SettingError::usage("the manifests name no image")
                .reason(Reason::NoImages)
                .hint("name the files that are deployed: Kubernetes, compose, Kustomize or ARM, as they are applied"));
        }
        Ok(manifests)
    }

    fn add(
        &mut self,
        path: Option<PathBuf>,
        name: &str,
        bytes: Vec<u8>,
    ) -> Result<(), SettingError> {
        if self.files.len() >= FILES {
            return Err(invalid(format!("more than {FILES} manifests")));
        }
        if u64::try_from(bytes.len()).is_ok_and(|length| length > SIZE_LIMIT) {
            return Err(invalid(format!(
                "`{name}` is larger than {SIZE_LIMIT} bytes"
            )));
        }
        let text = String::from_utf8(bytes)
            .map_err(|error| invalid(format!("`{name}` is not UTF-8")).cause(error))?;
        let (found, parts) = manifests::read_parts(name, &text, &self.parameters)
            .map_err(|error| SettingError::of(&error))?;
        self.files.push(Manifest {
            path,
            name: name.to_owned(),
            text,
            found,
            parts,
        });
        let images: usize = self.files.iter().map(|file| file.found.len()).sum();
        if images > IMAGES {
            return Err(invalid(format!("more than {IMAGES} images")));
        }
        Ok(())
    }

    /// What a kustomization is built of must have been read too.
    fn are_whole(&self) -> Result<(), SettingError> {
        let read: BTreeSet<PathBuf> = self
            .files
            .iter()
            .filter_map(|file| fs::canonicalize(file.path.as_ref()?).ok())
            .collect();
        for file in &self.files {
            for part in &file.parts {
                let path = file
                    .path
                    .as_ref()
                    .and_then(|path| fs::canonicalize(path.with_file_name(part)).ok());
                let is_read = path.is_some_and(|path| {
                    read.contains(&path)
                        || KUSTOMIZATION
                            .iter()
                            .any(|name| read.contains(&path.join(name)))
                });
                if !is_read {
                    let message = format!(
                        "`{}` is built of `{}`, which is not read",
                        file.name,
                        part.escape_debug()
                    );
                    return Err(invalid(message).hint(
                        "also name its file or folder, or check what `kustomize build` renders",
                    ));
                }
            }
        }
        Ok(())
    }

    /// Each image once, in the order of files and lines.
    pub(crate) fn images(&self) -> Vec<Reference> {
        let mut known = BTreeSet::new();
        let all = self
            .files
            .iter()
            .flat_map(|file| &file.found)
            .map(|found| &found.image);
        all.filter(|image| known.insert(image.to_string()))
            .cloned()
            .collect()
    }

    /// Says of every image where it is named.
    pub(crate) fn locate(&self, report: &mut Report) {
        for file in &self.files {
            for found in &file.found {
                let name = found.image.to_string();
                let location = Location {
                    file: file.name.clone(),
                    line: found.line,
                    column: found.column,
                };
                for image in report.images.iter_mut().filter(|image| image.image == name) {
                    image.locations.push(location.clone());
                }
            }
        }
    }

    /// Writes the digests that were allowed into the files, or the one file elsewhere; says what was written.
    pub(crate) fn pin(
        &self,
        images: &[ImageReport],
        to: Option<&Path>,
    ) -> Result<Vec<String>, SettingError> {
        let digest = |found: &Found| {
            let name = found.image.to_string();
            images
                .iter()
                .find(|image| image.image == name && image.status.is_good())?
                .digest
                .clone()
        };
        // First everything is made, then everything is written: what cannot be pinned leaves no file changed.
        let mut pinned = Vec::new();
        for file in &self.files {
            let text = manifests::pin(&file.name, &file.text, &self.parameters, digest);
            pinned.push((file, text.map_err(|error| SettingError::of(&error))?));
        }
        let mut told = Vec::new();
        for (file, text) in pinned {
            let path = match (to, &file.path) {
                (Some(to), _) => to,
                (None, Some(path)) if text != file.text => path,
                (None, _) => continue,
            };
            write(path, to.is_none().then_some(file.text.as_str()), &text)?;
            told.push(path.display().to_string());
        }
        Ok(told)
    }

    /// `--pin` needs a file to write into, `--pin-to` one manifest to write.
    pub(crate) fn may_pin(&self, arguments: &Verify) -> Result<(), SettingError> {
        if arguments.pin_digests && self.files.iter().any(|file| file.path.is_none()) {
            return Err(
                SettingError::usage("`--pin` cannot write into standard input")
                    .hint("give `--pin-to FILE`"),
            );
        }
        if arguments.pin_to.is_some() && self.files.len() != 1 {
            return Err(SettingError::usage(format!(
                "`--pin-to` writes one manifest, and {} are read",
                self.files.len()
            )));
        }
        Ok(())
    }
}

fn invalid(message: impl Into<String>) -> SettingError {
    SettingError::usage(message).reason(Reason::ManifestInvalid)
}

/// Manifests of a folder and all below it, in the order of their names. What `kubectl` would follow and we do not is
/// an error, so that nothing is deployed unseen.
#[expect(
    clippy::disallowed_methods,
    reason = "settings are where named files become values"
)]
fn list(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), SettingError> {
    let cannot =
        |error| invalid(format!("the folder `{}` cannot be read", folder.display())).cause(error);
    if depth > DEPTH || found.len() > FILES {
        return Err(invalid(format!(
            "the folder `{}` is too deep or too large",
            folder.display()
        )));
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        entries.push(entry.map_err(cannot)?);
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
            list(&path, depth + 1, found)?;
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
fn read_file(path: &Path) -> Result<Vec<u8>, SettingError> {
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

fn parameters(path: &Path) -> Result<Parameters, SettingError> {
    let text = String::from_utf8(read_file(path)?)
        .map_err(|error| invalid(format!("`{}` is not UTF-8", path.display())).cause(error))?;
    let name = path.display().to_string();
    Parameters::read(&name, &text).map_err(|error| SettingError::of(&error))
}

/// Writes a file; not if it changed since it was read (N05).
#[expect(
    clippy::disallowed_methods,
    reason = "settings are where named files become values"
)]
fn write(path: &Path, read: Option<&str>, text: &str) -> Result<(), SettingError> {
    let cannot = |error| invalid(format!("`{}` cannot be written", path.display())).cause(error);
    let mut target = path.to_owned();
    if let Some(read) = read {
        target = fs::canonicalize(path).map_err(cannot)?;
        if fs::read(&target).map_err(cannot)? != read.as_bytes() {
            return Err(invalid(format!(
                "`{}` was changed while it was checked",
                path.display()
            ))
            .hint("run again"));
        }
    }
    replace(&target, text.as_bytes()).map_err(cannot)
}
