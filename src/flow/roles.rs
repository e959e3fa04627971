//! Roles of trust data as reports tell them: what trust in one hangs on, and the signer that it is named after.

use crate::{
    format::dct::{RoleName, TrustedSet},
    report::Link,
};

/// What trust in a role hangs on: the root, and each role from `targets` down to it.
pub(super) fn chain(set: &TrustedSet, role: &RoleName) -> Vec<Link> {
    let root = set.root();
    let mut roles = vec![role.clone()];
    while let Some(parent) = roles.last().and_then(RoleName::parent) {
        roles.push(parent);
    }
    let of_role = |role: RoleName| {
        let file = set.targets(&role);
        Link {
            key_id: set.signers(&role).first().map(|by| by.key_id.to_string()),
            version: file.map(|file| file.version.get()),
            expires_at: file.map(|file| file.expires),
            name: role.to_string(),
        }
    };
    let root = Link {
        name: RoleName::ROOT.to_string(),
        key_id: root
            .key_ids(&RoleName::ROOT)
            .first()
            .map(ToString::to_string),
        version: Some(root.version.get()),
        expires_at: Some(root.expires),
    };
    std::iter::once(root)
        .chain(roles.into_iter().rev().map(of_role))
        .collect()
}

/// The signer that a role is named after, for roles that docker calls signers.
pub(super) fn signer_name(role: &RoleName) -> Option<String> {
    let name = role
        .as_str()
        .strip_prefix("targets/")
        .filter(|_| *role != RoleName::RELEASES)?;
    Some(name.to_owned())
}
