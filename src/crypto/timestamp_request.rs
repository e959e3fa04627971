//! Asking a timestamp authority (RFC 3161 §2.4): the request, and the token out of the reply.

use der::{
    Encode as _, Reader as _, Tag,
    asn1::{Any, OctetString, Uint},
};
use spki::AlgorithmIdentifierOwned;

use super::{
    HashFunction,
    ber::definite,
    der_reader::{expect, only, value, whole},
    timestamp_token::{InvalidToken, TIMESTAMP_LIMIT, TimestampToken},
};

/// A request for a timestamp over a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TimestampRequest {
    hash: HashFunction,
    digest: Vec<u8>,
    nonce: [u8; 16],
}

#[derive(der::Sequence)]
struct Imprint {
    algorithm: AlgorithmIdentifierOwned,
    digest: OctetString,
}

#[derive(der::Sequence)]
struct TimestampQuery {
    version: u8,
    imprint: Imprint,
    nonce: Uint,
    with_certificates: bool,
}

impl TimestampRequest {
    /// A request over `message`, with a random `nonce`.
    pub fn new(hash: HashFunction, message: &[u8], nonce: [u8; 16]) -> Self {
        Self {
            hash,
            digest: hash.digest(message),
            nonce,
        }
    }

    /// The DER to be sent as `application/timestamp-query`.
    pub fn to_der(&self) -> der::Result<Vec<u8>> {
        let algorithm = AlgorithmIdentifierOwned {
            oid: self.hash.oid(),
            parameters: Some(Any::null()),
        };
        let imprint = Imprint {
            algorithm,
            digest: OctetString::new(self.digest.as_slice())?,
        };
        TimestampQuery {
            version: 1,
            imprint,
            nonce: Uint::new(&self.nonce)?,
            with_certificates: true,
        }
        .to_der()
    }

    /// The token out of a reply to this request. Rejects a refusal, and a token over something else
    /// or with another nonce. Its signature and its signer are not judged yet.
    pub fn token(&self, reply: &[u8]) -> Result<TimestampToken, InvalidToken> {
        if reply.len() > TIMESTAMP_LIMIT {
            return Err(InvalidToken::TooLong);
        }
        let reply = definite(reply).ok_or(InvalidToken::Der)?;
        let mut body = only(&reply, Tag::Sequence)?;
        let mut status = expect(&mut body, Tag::Sequence)?;
        match value(&mut status, Tag::Integer)? {
            [0 | 1] => {}
            [code] => return Err(InvalidToken::Refused(*code)),
            _ => return Err(InvalidToken::Der),
        }
        let token = TimestampToken::parse(whole(&mut body)?)?;
        body.finish()?;
        token.require_imprint(self.hash, &self.digest)?;
        if token.nonce() != Some(Uint::new(&self.nonce)?.as_bytes()) {
            return Err(InvalidToken::Nonce);
        }
        Ok(token)
    }
}
