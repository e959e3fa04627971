//! Azure: which identity, its tokens, and Key Vault through Microsoft's crates over our own network edge.

mod assertion;
mod azure_cli;
mod choice;
mod claims;
mod connection_probe;
mod credential;
mod endpoint;
mod entra;
mod environment_probe;
mod error;
mod identity;
mod identity_source;
mod managed_identity;
mod options;
mod pipeline_host;
mod sdk;
mod service_connection;
mod shell;
mod token;
mod transport;
mod vault;
mod vault_denial;
mod vault_error;
mod vault_key;
mod vault_object;
mod vault_signer;

pub use error::IdentityError;
pub use identity::{Identities, IdentityKind};
pub use identity_source::{Application, IdentitySource};
pub use options::{Auth, IdentityOptions};
pub use vault::Vault;
pub use vault_error::VaultError;
pub use vault_key::{VaultCertificate, VaultKey};
pub use vault_object::{ObjectId, VaultObject};
pub use vault_signer::VaultSigner;
