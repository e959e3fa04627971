//! One version of a key, and of the certificate that holds it.

use super::key::PrivateKey;

#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) id: String,
    pub(super) key: PrivateKey,
    pub(super) certificate: Option<Vec<u8>>,
    pub(super) enabled: bool,
    pub(super) pending: bool,
    pub(super) not_before: Option<i64>,
    pub(super) expires: Option<i64>,
    pub(super) created: i64,
}
