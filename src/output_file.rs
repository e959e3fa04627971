//! Files that a run leaves behind: each is written whole or not at all, so that nobody ever reads half of one (N05).

#![expect(
    clippy::disallowed_methods,
    reason = "the one place where files are written"
)]

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// Puts the bytes in a file's place, with the rights that it had: whoever reads at any moment reads the old file or
/// the new one. A device or a pipe, such as `/dev/stdout`, is written to and stays what it is.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if is_no_file(path) {
        return OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    replace_file(path, bytes)
}

/// The same for files only: an error where a device, a pipe or a folder is.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if is_no_file(path) {
        return Err(io::Error::other("what is there is no file"));
    }
    // Runs beside this one write a file of their own; the last one's stays.
    let beside = beside(path, &format!("{}.tmp", std::process::id()));
    swap(path, &beside, |file| file.write_all(bytes))
}

fn is_no_file(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|there| !there.is_file())
}

/// The same for a regular file that one run at a time writes, and down to the disk: what was replaced does not come
/// back after a loss of power, and what a run that was killed left beside it is cleared away.
pub(crate) fn replace_on_disk(path: &Path, bytes: &[u8]) -> io::Result<()> {
    swap(path, &beside(path, "tmp"), |file| {
        file.write_all(bytes)?;
        file.sync_all()
    })?;
    sync_folder(path)
}

/// Writes a new file; one that is there already is not touched.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes).inspect_err(|_| {
        let _ = fs::remove_file(path);
    })
}

/// Adds to a file, or begins it: summaries add up over the steps of a job.
pub(crate) fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)?
        .write_all(bytes)
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
    let old = match fs::metadata(path) {
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
    fn a_link_to_a_device_stays_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stdout");
        std::os::unix::fs::symlink("/dev/null", &path).unwrap();
        replace(&path, b"new").unwrap();
        replace_file(&path, b"new").unwrap_err();
        assert_eq!(fs::read_link(&path).unwrap(), Path::new("/dev/null"));
        assert_eq!(names(folder.path()), ["stdout"]);
    }
}
