//! Azure: identity, Key Vault, and the transport given to Microsoft's crates.
