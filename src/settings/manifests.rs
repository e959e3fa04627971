//! `--manifests`: files, folders and standard input become images with their places, and files with digests.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use super::{
    SettingError,
    manifest_files::{FILES, KUSTOMIZATION, Limits, invalid, list, read_file, write},
};
use crate::{
    cli::{ManifestFiles, Verify},
    manifests::{self, Encoding, Found, Options, Parameters, Part, Role, SIZE_LIMIT, Warning},
    oci::{Digest, Reference},
    process::Process,
    reason::Reason,
    report::{ImageReport, Location, Report},
};

/// Bytes of all files of a run, which are kept to write digests into them.
const BYTES: usize = 64 << 20;
/// Places of images that a run takes.
const IMAGES: usize = 10_000;
/// Warnings of a run; more of them say nothing new.
const WARNINGS: usize = 1_000;
/// Standard input, as a path and as it is shown.
const STDIN: &str = "-";

/// What the manifests of a run name.
#[derive(Debug)]
pub(crate) struct Manifests {
    files: Vec<Manifest>,
    parameters: Parameters,
    limits: Limits,
}

#[derive(Debug)]
struct Manifest {
    /// Where it was read, if not from standard input.
    path: Option<PathBuf>,
    /// As named, with `/`.
    name: String,
    text: String,
    encoding: Encoding,
    found: Vec<Found>,
    /// What a kustomization is built of besides itself, from its folder.
    parts: Vec<Part>,
    warnings: Vec<Warning>,
    /// Names whose tag a kustomization sets, with their lines.
    retagged: Vec<(String, u64)>,
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
    pub(crate) fn read(
        named: &ManifestFiles,
        stdin: Option<&[u8]>,
        limits: Limits,
    ) -> Result<Self, SettingError> {
        let parameters = named.parameters.as_deref().map(parameters).transpose()?;
        let mut manifests = Self {
            files: Vec::new(),
            parameters: parameters.unwrap_or_default(),
            limits,
        };
        let mut paths = Vec::new();
        for path in &named.manifests {
            if path.as_os_str() == STDIN {
                manifests.add(None, STDIN, stdin.unwrap_or_default().to_vec())?;
            } else if path.is_dir() {
                list(path, limits, &mut paths)?;
            } else if is_bicep(path) {
                let path = path.display();
                return Err(
                    invalid(format!("`{path}` is Bicep, which is not read")).hint(format!(
                        "run `az bicep build --file {path}`, and name the JSON file"
                    )),
                );
            } else {
                paths.push(path.clone());
            }
        }
        let mut known = BTreeSet::new();
        for path in paths {
            limits.check()?;
            if known.insert(fs::canonicalize(&path).unwrap_or_else(|_| path.clone())) {
                let name = path.display().to_string().replace('\\', "/");
                let bytes = read_file(&path)?;
                manifests.add(Some(path), &name, bytes)?;
            }
        }
        manifests.are_whole()?;
        manifests.are_retagged_by_name()?;
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
        let kept: usize = self.files.iter().map(|file| file.text.len()).sum();
        if kept + bytes.len() > BYTES {
            return Err(invalid(format!(
                "the manifests are larger than {BYTES} bytes in all"
            ))
            .hint("check them in several runs"));
        }
        let (text, encoding) = Encoding::decode(bytes)
            .map_err(|error| invalid(format!("`{name}` is {error}")).hint("save it as UTF-8"))?;
        let is_over = || self.limits.is_over();
        let reading = manifests::read(name, &text, &self.options(&is_over))
            .map_err(|error| SettingError::of(&error))?;
        self.files.push(Manifest {
            path,
            name: name.to_owned(),
            text,
            encoding,
            found: reading.found,
            parts: reading.parts,
            warnings: reading.warnings,
            retagged: reading.retagged,
        });
        Ok(())
    }

    fn options<'a>(&'a self, is_over: &'a dyn Fn() -> bool) -> Options<'a> {
        let images: usize = self.files.iter().map(|file| file.found.len()).sum();
        Options {
            parameters: &self.parameters,
            pins: self.limits.pins,
            images: IMAGES.saturating_sub(images),
            is_over,
        }
    }

    /// What a kustomization is built of must have been read too, and as what it is used.
    fn are_whole(&self) -> Result<(), SettingError> {
        let mut read = HashMap::new();
        for file in &self.files {
            if let Some(path) = &file.path
                && let Ok(path) = fs::canonicalize(path)
            {
                read.insert(path, file);
            }
        }
        let mut hidden = HashMap::new();
        for file in &self.files {
            for part in &file.parts {
                self.limits.check()?;
                let path = file
                    .path
                    .as_ref()
                    .and_then(|path| fs::canonicalize(path.with_file_name(&part.path)).ok());
                let found = path.and_then(|path| {
                    let of_folder = || {
                        KUSTOMIZATION
                            .iter()
                            .find_map(|name| read.get(&path.join(name)))
                    };
                    read.get(&path).or_else(of_folder)
                });
                let what = match found {
                    None => "which is not read".to_owned(),
                    Some(read) => match self.hidden_once(read, part.role, &mut hidden)? {
                        None => continue,
                        Some(hidden) => {
                            format!("a patch whose line {hidden} may set an image that is not seen")
                        }
                    },
                };
                let (name, line) = (&file.name, part.line);
                let message = format!("`{name}` line {line} is built of `{}`, {what}", part.path);
                return Err(invalid(message).hint(format!(
                    "name its file or folder as well, or {}",
                    rendered(name)
                )));
            }
        }
        Ok(())
    }

    /// The same for all parts that name one file.
    fn hidden_once<'a>(
        &self,
        read: &'a Manifest,
        role: Role,
        known: &mut HashMap<(&'a str, Role), Option<u64>>,
    ) -> Result<Option<u64>, SettingError> {
        let key = (read.name.as_str(), role);
        if let Some(line) = known.get(&key) {
            return Ok(*line);
        }
        let line = self.hidden(read, role)?;
        known.insert(key, line);
        Ok(line)
    }

    /// The line of a patch that sets more than is seen when it is read by itself.
    fn hidden(&self, read: &Manifest, role: Role) -> Result<Option<u64>, SettingError> {
        let mut found = read.found.iter();
        let in_parts = found.find(|found| found.is_in_parts());
        match (role, in_parts) {
            (Role::Resource, _) => Ok(None),
            (Role::Patch | Role::Retargeted, Some(found)) => Ok(Some(found.line)),
            (Role::Patch, None) => Ok(None),
            (Role::Retargeted, None) => {
                let is_over = || self.limits.is_over();
                let options = self.options(&is_over);
                manifests::hidden_in_patch(&read.name, &read.text, &read.found, &options)
                    .map_err(|error| SettingError::of(&error))
            }
        }
    }

    /// Kustomize takes the name of an entry of `images` for a pattern, in which a dot is any character, and keeps the
    /// name that it fits: that image is none that was read.
    fn are_retagged_by_name(&self) -> Result<(), SettingError> {
        let mut names: HashMap<usize, BTreeSet<&str>> = HashMap::new();
        for name in self
            .files
            .iter()
            .flat_map(|file| file.found.iter().filter_map(Found::name))
        {
            names.entry(name.len()).or_default().insert(name);
        }
        for file in &self.files {
            for (pattern, line) in &file.retagged {
                self.limits.check()?;
                let fits = |name: &str| {
                    name != pattern
                        && pattern
                            .bytes()
                            .zip(name.bytes())
                            .all(|(p, n)| p == n || p == b'.')
                };
                let same_length = names.get(&pattern.len()).into_iter().flatten();
                if let Some(other) = same_length.into_iter().find(|name| fits(name)) {
                    let file = &file.name;
                    let message = format!(
                        "`{file}` line {line}: the name `{pattern}` is a pattern to Kustomize, and fits `{other}` as well"
                    );
                    return Err(invalid(message).hint(rendered(file)));
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

    /// Adds to the report where every image is named, and what is not seen.
    pub(crate) fn locate(&self, report: &mut Report) {
        let mut places: HashMap<String, Vec<Location>> = HashMap::new();
        for file in &self.files {
            for found in &file.found {
                let location = Location {
                    file: file.name.clone(),
                    line: found.line,
                    column: found.column,
                };
                places
                    .entry(found.image.to_string())
                    .or_default()
                    .push(location);
            }
            let room = WARNINGS.saturating_sub(report.warnings.len());
            for warning in file.warnings.iter().take(room) {
                let (name, line) = (&file.name, warning.line);
                let message = format!("`{name}` line {line}: {}", warning.message);
                report.warnings.push(message);
            }
        }
        for image in &mut report.images {
            if let Some(places) = places.get(&image.image) {
                image.locations.extend_from_slice(places);
            }
        }
    }

    /// Writes the digests that were allowed into the files, or the one file elsewhere; returns what was written.
    pub(crate) fn pin(
        &self,
        images: &[ImageReport],
        to: Option<&Path>,
    ) -> Result<Vec<String>, SettingError> {
        let digests: HashMap<&str, &Digest> = images
            .iter()
            .filter(|image| image.status.is_good())
            .filter_map(|image| Some((image.image.as_str(), image.digest.as_ref()?)))
            .collect();
        let digest = |found: &Found| {
            let digest = digests.get(found.image.to_string().as_str());
            digest.map(|digest| (*digest).clone())
        };
        let is_over = || self.limits.is_over();
        let options = Options {
            images: usize::MAX,
            ..self.options(&is_over)
        };
        // First everything is made, then everything is written: what cannot be pinned leaves no file changed.
        let mut pinned = Vec::new();
        for file in &self.files {
            let text = manifests::pin(&file.name, &file.text, &options, digest);
            pinned.push((file, text.map_err(|error| SettingError::of(&error))?));
        }
        let mut written = Vec::new();
        for (file, text) in pinned {
            let path = match (to, &file.path) {
                (Some(to), _) => to,
                (None, Some(path)) if text != file.text => path,
                (None, _) => continue,
            };
            let before = to.is_none().then(|| file.encoding.encode(&file.text));
            write(path, before.as_deref(), &file.encoding.encode(&text))?;
            written.push(path.display().to_string());
        }
        Ok(written)
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

fn is_bicep(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("bicep"))
}

/// What to do where only the build shows what a kustomization deploys.
fn rendered(name: &str) -> String {
    let folder = name.rsplit_once('/').map_or(".", |(folder, _)| folder);
    format!(
        "check what is built, with the same flags: `kubectl kustomize {folder} | acr-sign verify --manifests -`"
    )
}

fn parameters(path: &Path) -> Result<Parameters, SettingError> {
    let name = path.display().to_string();
    let (text, _) = Encoding::decode(read_file(path)?)
        .map_err(|error| invalid(format!("`{name}` is {error}")).hint("save it as UTF-8"))?;
    Parameters::read(&name, &text).map_err(|error| SettingError::of(&error))
}
