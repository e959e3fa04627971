//! What is fetched next: a file by the hash under which a verified file lists it.

use super::{file_meta::FileMeta, name::RoleName};
use crate::oci::Digest;

/// A file to fetch by its hash.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileRequest {
    /// The role.
    pub role: RoleName,
    /// The digest that its bytes must have.
    pub digest: Digest,
    /// The most bytes that it may have.
    pub length: u64,
}

impl FileRequest {
    pub(super) fn new(role: &RoleName, meta: &FileMeta) -> Option<Self> {
        let length = meta.length.min(role.size_limit());
        Some(Self {
            role: role.clone(),
            digest: meta.digest()?,
            length,
        })
    }

    /// The name under which the trust server has the file.
    pub fn file_name(&self) -> String {
        format!("{}.{}.json", self.role, self.digest.hex())
    }
}
