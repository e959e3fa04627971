//! `--state FILE`: what runs remember of trust data. Read at the start; written at the end under a lock, merged with
//! what other runs wrote meanwhile, whole or not at all.
//!
//! A file that is not there is an empty memory. One that is there and cannot be read is an error, and is never replaced.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read as _},
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::Instant;

use super::SettingError;
use crate::{
    format::dct::{InvalidMemory, MEMORY_LIMIT, Memory},
    output_file::{beside, open_own, replace_on_disk},
    reason::Reason,
    report::Failure,
};

/// How long between two looks at a lock that another run holds.
const PAUSE: Duration = Duration::from_millis(20);

/// The state file, as it was at the start of the run.
#[derive(Debug)]
pub(crate) struct StateFile {
    /// As it was named.
    pub(crate) name: String,
    /// What it remembers; `None` where it is not there yet.
    pub(crate) before: Option<Memory>,
    /// Where it lies.
    path: PathBuf,
}

impl StateFile {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> Result<Self, SettingError> {
        let name = path.display().to_string();
        refuse_link(path).map_err(|error| unreadable(&name, error))?;
        let path = path.to_owned();
        let before = memory(&name, &path)?;
        Ok(Self { name, before, path })
    }

    /// Adds what a run saw. Waits for other runs until `deadline`; a run that adds nothing writes nothing.
    pub(crate) async fn keep(&self, found: &Memory, deadline: Instant) -> Result<(), Failure> {
        let before = self.before.clone().unwrap_or_default();
        if added(before.clone(), found)? == before {
            return Ok(());
        }
        let unwritable = |error| self.unwritable(error);
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(unwritable)?;
        }
        let _lock = self.lock(deadline).await?;
        // Another run may have written meanwhile; what somebody removed meanwhile is not forgotten.
        let merged = added(memory(&self.name, &self.path)?.unwrap_or(before), found)?;
        let text = merged.to_json().map_err(|error| {
            SettingError::usage(format!("the state does not fit into `{}`", self.name))
                .reason(Reason::ConfigInvalid)
                .cause(error)
                .hint("give the images of each run group a state file of its own")
        })?;
        // Nobody else writes, as long as the lock is held.
        replace_on_disk(&self.path, text.as_bytes()).map_err(unwritable)?;
        Ok(())
    }

    /// The lock that one run at a time holds while it writes. It is a file beside, since the state itself is replaced,
    /// and stays there: to remove it would let two runs lock two files of one name.
    async fn lock(&self, deadline: Instant) -> Result<File, SettingError> {
        let path = beside(&self.path, "lock");
        let unlockable = |error| {
            SettingError::usage(format!("`{}` cannot be locked", path.display()))
                .reason(Reason::ConfigInvalid)
                .cause(error)
                .hint("the state file must be in a folder that this run may write, on a file system with locks")
        };
        // Not opened: a pipe would wait for its other end.
        if fs::metadata(&path).is_ok_and(|there| !there.is_file()) {
            return Err(unlockable(io::Error::other("it is not a regular file")));
        }
        let file = open_own(&path).map_err(unlockable)?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(unlockable(error)),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    tokio::time::sleep(PAUSE).await
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(SettingError::usage(format!(
                        "`{}` is locked by another run",
                        path.display()
                    ))
                    .reason(Reason::Timeout)
                    .hint("find the run that does not end, or raise `--timeout`"));
                }
            }
        }
    }

    fn unwritable(&self, error: io::Error) -> SettingError {
        SettingError::usage(format!("the state file `{}` cannot be written", self.name))
            .reason(Reason::ConfigInvalid)
            .cause(error)
            .hint("without it, the next run could not detect older trust data, so nothing is allowed now")
    }
}

/// Refuses a link: whoever planted it would choose what is overwritten, and where the lock is made.
fn refuse_link(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(there) if there.is_symlink() => Err(io::Error::other(
            "it is a link, and nothing is written through one",
        )),
        _ => Ok(()),
    }
}

/// What the file holds; `None` where it is not there.
#[expect(
    clippy::disallowed_methods,
    reason = "settings are where named files become values"
)]
fn memory(name: &str, path: &Path) -> Result<Option<Memory>, SettingError> {
    let bytes = || {
        let file = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
            // Not opened: a pipe would wait for its other end.
            Ok(kind) if !kind.is_file() => {
                return Err(io::Error::other("it is not a regular file"));
            }
            Ok(_) => File::open(path)?,
        };
        let mut bytes = Vec::new();
        let limit = u64::try_from(MEMORY_LIMIT).unwrap_or(u64::MAX);
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    };
    let Some(bytes) = bytes().map_err(|error| unreadable(name, error))? else {
        return Ok(None);
    };
    Memory::parse(&bytes)
        .map(Some)
        .map_err(|error| damaged(name, error))
}

fn unreadable(name: &str, error: io::Error) -> SettingError {
    SettingError::usage(format!("the state file `{name}` cannot be read"))
        .reason(Reason::ConfigInvalid)
        .cause(error)
}

fn damaged(name: &str, error: InvalidMemory) -> SettingError {
    SettingError::usage(format!("the state file `{name}` is damaged, or belongs to another program"))
        .reason(Reason::ConfigInvalid)
        .cause(error)
        .hint("restore it, and find out what happened to it; without it, everything that earlier runs saw is forgotten")
}

/// What is known with what was seen.
fn added(mut known: Memory, found: &Memory) -> Result<Memory, Failure> {
    for (gun, seen) in found.iter() {
        known.add(gun.clone(), seen.clone())?;
    }
    Ok(known)
}
