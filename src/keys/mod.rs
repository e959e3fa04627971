//! Key references and what they open: a signer, or a public key.
