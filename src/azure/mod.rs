//! Azure: which identity, its tokens, and Key Vault through Microsoft's crates over our own network edge.

mod acquire;
mod credential;
mod error;
mod identity;
mod key_vault;
mod transport;
mod vault_error;

pub use error::IdentityError;
pub use identity::{Application, Auth, Chosen, Identities, IdentityKind, Setting};
pub use key_vault::{Vault, VaultCertificate, VaultKey, VaultSigner};
pub use vault_error::VaultError;
