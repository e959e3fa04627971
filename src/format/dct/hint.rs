//! Fixes that more than one error names.

use super::name::RoleName;

/// How a role that has expired, or soon will, is signed again.
pub fn renew(repository: &str, role: &RoleName) -> String {
    format!(
        "whoever holds one of its keys renews it by signing a tag: \
         `acr-sign sign {repository}:TAG --format dct --role {role} --key KEY --root KEYID`"
    )
}

/// What to do about a snapshot key that the server does not hold.
pub fn snapshot_key(repository: &str) -> String {
    let host = repository.split('/').next().unwrap_or_default();
    format!(
        "give the key with `--snapshot-key KEY`, or let the server hold one: \
         `notary -s https://{host} key rotate {repository} snapshot -r`"
    )
}
