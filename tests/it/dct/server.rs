//! The download loop over something that answers file names, in the order the real flow has.

use std::{cell::RefCell, collections::BTreeMap, fs, path::Path};

use acr_sign::{
    format::dct::{
        FileRequest, Gun, Rejection, RoleName, RootStep, RootTrust, RootWalk, Seen, TrustedSet,
    },
    oci::Repository,
    timestamp::Timestamp,
};

/// Files by the name that a trust server has them under, and a note of what was asked for.
#[derive(Default)]
pub struct Server {
    pub files: BTreeMap<String, Vec<u8>>,
    /// Serve `<role>.json` for every `<role>.<hex>.json`, as a hostile server does.
    pub ignore_hashes: bool,
    pub asked: RefCell<Vec<String>>,
}

impl Server {
    pub fn get(&self, name: &str) -> Result<Vec<u8>, Rejection> {
        self.asked.borrow_mut().push(name.to_owned());
        let current = name
            .rsplitn(3, '.')
            .nth(2)
            .map(|role| format!("{role}.json"));
        let hashed =
            self.ignore_hashes && name.matches('.').count() == 2 && !name.ends_with(".root.json");
        let found = if hashed {
            self.files.get(&current.unwrap())
        } else {
            self.files.get(name)
        };
        found.cloned().ok_or_else(|| Rejection::NotServed {
            file: name.to_owned(),
        })
    }

    /// Reads a folder whose files are named as the server's.
    pub fn folder(path: &Path) -> Self {
        let mut files = BTreeMap::new();
        read_folder(path, "", &mut files);
        Self {
            files,
            ignore_hashes: true,
            asked: RefCell::default(),
        }
    }
}

pub fn read_folder(path: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(path).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            read_folder(&entry.path(), &format!("{name}/"), files);
        } else {
            files.insert(name, fs::read(entry.path()).unwrap());
        }
    }
}

pub fn gun(text: &str) -> Gun {
    Gun::from(&Repository::named(text).unwrap())
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn role(text: &str) -> RoleName {
    text.parse().unwrap()
}

/// Only the root walk.
pub fn walk(
    server: &Server,
    gun: &Gun,
    trust: RootTrust,
    seen: Option<Seen>,
    now: Timestamp,
) -> Result<TrustedSet, Rejection> {
    let mut walk = RootWalk::new(gun.clone(), trust, seen, now);
    let mut name = "root.json".to_owned();
    loop {
        match walk.offer(&server.get(&name)?)? {
            RootStep::Fetch(version) => name = format!("{version}.root.json"),
            RootStep::Trusted(set) => return Ok(*set),
        }
    }
}

/// Everything: root, timestamp, snapshot, targets, all delegations.
pub fn load(
    server: &Server,
    gun: &Gun,
    trust: RootTrust,
    seen: Option<Seen>,
    now: Timestamp,
) -> Result<TrustedSet, Rejection> {
    let mut set = walk(server, gun, trust, seen, now)?;
    complete(server, &mut set)?;
    Ok(set)
}

/// All that follows the root.
pub fn complete(server: &Server, set: &mut TrustedSet) -> Result<(), Rejection> {
    let fetch = |wanted: &FileRequest| server.get(&wanted.file_name());
    set.update_timestamp(&server.get("timestamp.json")?)?;
    set.update_snapshot(&fetch(&set.snapshot_request().unwrap())?)?;
    set.update_targets(&fetch(&set.file_request(&RoleName::TARGETS).unwrap())?)?;
    while let Some(role) = set.pending_delegations().first() {
        let bytes = fetch(&set.file_request(role).unwrap())?;
        set.update_delegation(role, &bytes)?;
    }
    Ok(())
}

pub fn fixture(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/dct")
        .join(path)
}
