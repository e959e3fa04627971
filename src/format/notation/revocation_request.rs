//! What is asked of revocation services, and what comes back.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;

use crate::crypto::Crl;

/// Requests for OCSP that are sent in the address are shorter than this (RFC 6960, appendix A).
const GET_LIMIT: usize = 255;

/// Something to fetch: always an `http` address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RevocationRequest {
    /// The address, as the certificate or list names it.
    pub url: String,
    /// What to ask for.
    pub query: Query,
}

/// What to ask for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Query {
    /// An OCSP answer to this question, in DER.
    Ocsp(Bytes),
    /// A certificate revocation list.
    Crl,
}

/// What came back.
#[derive(Clone, Debug)]
pub enum RevocationAnswer {
    /// The body of an OCSP answer.
    Ocsp(Bytes),
    /// A list. Keep it for the rest of the run once [`Crl::is_checked`], and not before: one with a
    /// wrong signature must not stay.
    Crl(Arc<Crl>),
    /// Nothing, and why.
    Failed(String),
}

impl RevocationRequest {
    /// The address of a GET that asks the question, where it is short enough; else it is sent by
    /// POST as `application/ocsp-request`. `None` for lists too.
    pub fn ocsp_get(&self) -> Option<String> {
        let Query::Ocsp(question) = &self.query else {
            return None;
        };
        let text = STANDARD.encode(question);
        if text.len() >= GET_LIMIT {
            return None;
        }
        let escaped = text
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D");
        Some(format!("{}/{escaped}", self.url.trim_end_matches('/')))
    }
}
