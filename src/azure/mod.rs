//! Azure: which identity, its tokens, and Key Vault through Microsoft's crates over our own network edge.

mod acquire;
mod chosen;
mod credential;
mod endpoint;
mod error;
mod identity;
mod key_vault;
mod pick;
mod transport;
mod vault_error;

pub use chosen::{Application, Chosen};
pub use error::IdentityError;
pub use identity::{Auth, Identities, IdentityKind, Setting};
pub use key_vault::{Vault, VaultCertificate, VaultKey, VaultSigner};
pub use vault_error::VaultError;
