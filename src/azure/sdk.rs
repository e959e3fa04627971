//! Tokens and errors of Microsoft's credentials, as this program has them.

use std::time::Duration;

use azure_core::credentials::TokenCredential;

use super::IdentityError;
use crate::crypto::Secret;

#[expect(
    clippy::disallowed_methods,
    reason = "the SDK states a token's end by the clock"
)]
pub(super) async fn ask(
    credential: &dyn TokenCredential,
    from: &str,
    scope: &str,
) -> Result<(Secret, Duration), IdentityError> {
    let token = credential
        .get_token(&[scope], None)
        .await
        .map_err(|error| own_error(from, error))?;
    // The SDK takes an answer without a token for an empty one, and would send that.
    if token.token.secret().trim().is_empty() {
        return Err(IdentityError::NoToken {
            from: from.to_owned(),
        });
    }
    let life = token.expires_on - azure_core::time::OffsetDateTime::now_utc();
    Ok((
        Secret::new(token.token.secret().to_owned()),
        Duration::try_from(life).unwrap_or_default(),
    ))
}

/// Our own error where it came through the SDK; else what the SDK says, all of it.
pub(super) fn own_error(from: &str, error: azure_core::Error) -> IdentityError {
    let mut error: Box<dyn std::error::Error + Send + Sync> = Box::new(error);
    loop {
        error = match error.downcast::<azure_core::Error>() {
            Ok(inner) => match inner.into_inner() {
                Ok(deeper) => deeper,
                Err(last) => {
                    return IdentityError::Local {
                        what: from.to_owned(),
                        cause: Box::new(last),
                    };
                }
            },
            Err(other) => match other.downcast::<IdentityError>() {
                Ok(own) => return *own,
                Err(foreign) => {
                    return IdentityError::Local {
                        what: from.to_owned(),
                        cause: foreign,
                    };
                }
            },
        };
    }
}
