//! Key references and what they open: a signer, or a public key.
//!
//! Vault keys sign where they are. Secrets and files are read into memory, used there and wiped.

mod file;
mod key_file;
mod legacy;
mod local;
mod pbes2;
mod pkcs12;
mod private;
mod reference;
mod ring;

pub use file::read;
pub use key_file::{KeyFile, KeyFileError};
pub use local::LocalSigner;
pub use private::PrivateKey;
pub use reference::{InvalidKeyReference, KeyReference, VaultReference};
pub use ring::{KeyError, KeyRing, PublicPart};
