//! Signature formats. Pure: bytes and a time in, values out.

pub mod dct;
