//! Files that a run leaves behind: each is written whole or not at all, so that nobody ever reads half of one (N05).
//!
//! Where they lie, others may write too, such as earlier steps of a job. So nothing is written through a link: not into
//! the file behind it, and no file is made behind it. Links that the path passes above the working directory are the
//! machine's own.

#![expect(
    clippy::disallowed_methods,
    reason = "the one place where files are written"
)]

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::reason::{Explain, Reason};

/// A file that a person asked for and that does not exist now.
#[derive(Debug, thiserror::Error)]
#[error("the {what} `{path}` cannot be written")]
pub(crate) struct Unwritable {
    what: &'static str,
    path: String,
    #[source]
    cause: io::Error,
}

impl Unwritable {
    /// `what` is the file's purpose, such as `report`.
    pub(crate) fn new(what: &'static str, path: &Path, cause: io::Error) -> Self {
        Self {
            what,
            path: path.display().to_string(),
            cause,
        }
    }
}

impl Explain for Unwritable {
    fn reason(&self) -> Reason {
        Reason::ConfigInvalid
    }

    fn hint(&self) -> Option<String> {
        Some("name a file in a folder that exists and that this run may write".to_owned())
    }
}

/// Puts the bytes in a file's place, with the rights that it had: whoever reads at any moment reads the old file or
/// the new one. A device or a pipe, such as `/dev/stdout`, is written to
/// and stays what it is.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if is_stream(path) {
        // A stream that was sent into a file is added to: what stands there already is the story.
        return OpenOptions::new().append(true).open(path)?.write_all(bytes);
    }
    replace_file(path, bytes)
}

/// The same for files only: an error where a device, a pipe or a folder is.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    refuse_links_above(path)?;
    match fs::symlink_metadata(path) {
        Ok(there) if there.is_symlink() => return Err(is_link(path)),
        Ok(there) if !there.is_file() => return Err(io::Error::other("it is not a regular file")),
        _ => {}
    }
    // Runs beside this one write a file of their own; the last one's stays.
    let beside = beside(path, &format!("{}.tmp", std::process::id()));
    swap(path, &beside, |file| file.write_all(bytes))
}

/// Whether what the path names is written to as it is: a pipe or a device, or one of the system's own
/// names for a stream of this process, wherever that was sent.
fn is_stream(path: &Path) -> bool {
    let is_system = ["/dev", "/dev/fd", "/proc/self/fd"]
        .iter()
        .any(|own| path.parent() == Some(Path::new(own)));
    if is_system {
        return fs::metadata(path).is_ok_and(|there| !there.is_dir());
    }
    fs::symlink_metadata(path)
        .is_ok_and(|there| !there.is_file() && !there.is_dir() && !there.is_symlink())
}

/// Refuses a path one of whose folders is a link, as far as the path is the working directory's own.
fn refuse_links_above(path: &Path) -> io::Result<()> {
    let own = match std::env::current_dir() {
        Ok(folder) => path.strip_prefix(&folder).unwrap_or(path),
        Err(_) => path,
    };
    if own.is_absolute() {
        return Ok(());
    }
    let above = own
        .ancestors()
        .skip(1)
        .find(|folder| fs::symlink_metadata(folder).is_ok_and(|there| there.is_symlink()));
    match above {
        Some(link) => Err(is_link(link)),
        None => Ok(()),
    }
}

fn is_link(path: &Path) -> io::Error {
    io::Error::other(format!(
        "`{}` is a link, and nothing is written through one",
        path.display()
    ))
}

/// Opens a file to write to its end, or makes it; a link in its place is an error.
pub(crate) fn open_own(path: &Path) -> io::Result<File> {
    refuse_links_above(path)?;
    let there = match fs::symlink_metadata(path) {
        // This neither follows a link nor takes a file that was put there meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return OpenOptions::new().append(true).create_new(true).open(path);
        }
        other => other?,
    };
    if there.is_symlink() {
        return Err(is_link(path));
    }
    let file = OpenOptions::new().append(true).open(path)?;
    // What was opened is what was looked at: a link may have been put there in between.
    if is_same(&there, &file.metadata()?) {
        Ok(file)
    } else {
        Err(is_link(path))
    }
}

#[cfg(unix)]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Elsewhere files have no number that is stable here; making links takes a right of its own there.
#[cfg(not(unix))]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    one.file_type() == other.file_type()
}

/// The same for a regular file that one run at a time writes, and down to the disk: what was replaced does not come
/// back after a loss of power, and what a run that was killed left beside it is cleared away.
pub(crate) fn replace_on_disk(path: &Path, bytes: &[u8]) -> io::Result<()> {
    refuse_links_above(path)?;
    swap(path, &beside(path, "tmp"), |file| {
        file.write_all(bytes)?;
        file.sync_all()
    })?;
    sync_folder(path)
}

/// Writes a new file; one that is there already is not touched.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    refuse_links_above(path)?;
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes).inspect_err(|_| {
        let _ = fs::remove_file(path);
    })
}

/// Adds to a file, or begins it: summaries add up over the steps of a job.
pub(crate) fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if is_stream(path) {
        return OpenOptions::new().append(true).open(path)?.write_all(bytes);
    }
    open_own(path)?.write_all(bytes)
}

/// The file of that name with something more at its end.
pub(crate) fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{extension}"));
    path.with_file_name(name)
}

fn swap(
    path: &Path,
    beside: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    // Only what this run makes is written to, never where a link of that name leads.
    match fs::remove_file(beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(beside)?;
    let written = write(&mut file).and_then(|()| keep_rights(path, &file));
    drop(file);
    written
        .and_then(|()| fs::rename(beside, path))
        .inspect_err(|_| {
            let _ = fs::remove_file(beside);
        })
}

/// Whoever could read the old file can read the new one, and nobody else.
fn keep_rights(path: &Path, new: &File) -> io::Result<()> {
    let old = match fs::symlink_metadata(path) {
        Ok(old) => old.permissions(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    // Not every file system has rights to set.
    if new.metadata()?.permissions() == old {
        Ok(())
    } else {
        new.set_permissions(old)
    }
}

/// Makes the new name outlast a loss of power, where folders can be opened.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix)
        && let Some(folder) = path.parent()
    {
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        return File::open(folder)?.sync_all();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    type Replace = fn(&Path, &[u8]) -> io::Result<()>;

    const BOTH: [Replace; 2] = [replace, replace_on_disk];

    #[test]
    fn n05_a_file_is_replaced_and_nothing_is_left_beside_it() {
        for replace in BOTH {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("report.json");
            for text in ["a long first report", "short"] {
                replace(&path, text.as_bytes()).unwrap();
                assert_eq!(fs::read_to_string(&path).unwrap(), text);
            }
            assert_eq!(names(folder.path()), ["report.json"]);
            let path = folder.path().join("report.json/below");
            assert!(replace(&path, b"x").is_err());
        }
    }

    #[test]
    fn a_file_that_cannot_be_replaced_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("folder");
        fs::create_dir_all(path.join("full")).unwrap();
        for replace in BOTH {
            assert!(replace(&path, b"x").is_err());
            assert_eq!(names(folder.path()), ["folder"]);
        }
    }

    #[test]
    fn a_new_file_takes_nobodys_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.yaml");
        create(&path, b"one").unwrap();
        assert_eq!(
            create(&path, b"two").unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
        append(&path, b", two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one, two");
    }

    #[cfg(unix)]
    #[test]
    fn the_rights_are_those_of_the_file_before() {
        use std::os::unix::fs::PermissionsExt as _;
        for replace in BOTH {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("report.json");
            fs::write(&path, "old").unwrap();
            for mode in [0o600, 0o664, 0o444] {
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
                replace(&path, b"new").unwrap();
                assert_eq!(
                    fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                    mode
                );
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_lies_beside_is_cleared_away_and_never_followed() {
        for (replace, extension) in [
            (BOTH[0], format!("{}.tmp", std::process::id())),
            (BOTH[1], "tmp".to_owned()),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let (path, victim) = (
                folder.path().join("report.json"),
                folder.path().join("victim"),
            );
            fs::write(&victim, "untouched").unwrap();
            std::os::unix::fs::symlink(&victim, beside(&path, &extension)).unwrap();
            replace(&path, b"new").unwrap();
            assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
            assert_eq!(fs::read_to_string(&path).unwrap(), "new");
            assert_eq!(names(folder.path()), ["report.json", "victim"]);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_written_to_and_stays_what_it_is() {
        for path in ["/dev/null", "/dev/stderr"] {
            let before = fs::symlink_metadata(path).map(|there| there.file_type());
            replace(Path::new(path), b"").unwrap();
            append(Path::new(path), b"").unwrap();
            let after = fs::symlink_metadata(path).map(|there| there.file_type());
            assert_eq!(before.unwrap(), after.unwrap(), "{path}");
        }
        replace_file(Path::new("/dev/null"), b"new").unwrap_err();
    }

    #[cfg(unix)]
    #[test]
    fn l6_nothing_is_written_through_a_planted_link() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("victim"), "untouched").unwrap();
        // To a file, to nothing, to a device, and to another link.
        let targets = [
            ("file", at("victim")),
            ("nothing", at("made")),
            ("device", "/dev/null".into()),
            ("link", at("file")),
        ];
        for (name, target) in &targets {
            symlink(target, at(name)).unwrap();
            assert!(append(&at(name), b"x").is_err(), "{name}");
            assert!(open_own(&at(name)).is_err(), "{name}");
            assert!(create(&at(name), b"x").is_err(), "{name}");
            assert!(replace(&at(name), b"x").is_err(), "{name}");
            assert!(replace_file(&at(name), b"x").is_err(), "{name}");
            assert!(
                fs::symlink_metadata(at(name)).unwrap().is_symlink(),
                "{name}"
            );
        }
        assert_eq!(fs::read_to_string(at("victim")).unwrap(), "untouched");
        assert!(!at("made").exists());
    }

    #[cfg(unix)]
    #[test]
    fn l6_no_folder_of_a_relative_path_is_a_link() {
        // Below the folder that tests run in, where `target` may be anywhere else.
        let folder = tempfile::tempdir_in(".").unwrap();
        let inside = Path::new(folder.path().file_name().unwrap()).join("sub");
        fs::create_dir(&inside).unwrap();
        append(&inside.join("summary.md"), b"x").unwrap();
        let link = inside.with_file_name("link");
        std::os::unix::fs::symlink("sub", &link).unwrap();
        for write in [append, replace, replace_file, replace_on_disk, create] {
            let error = write(&link.join("other.md"), b"x").unwrap_err();
            assert!(error.to_string().contains("is a link"), "{error}");
        }
        assert_eq!(names(&inside), ["summary.md"]);
    }
}
