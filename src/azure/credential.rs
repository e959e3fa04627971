//! The identity's tokens for one vault, as the SDK's credential. The scope is fixed by the vault's name; a
//! challenge that names another is refused, and a token that was refused is not handed out again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
    time::{Duration, OffsetDateTime},
};

use super::{Identities, IdentityError};

/// Hands out tokens for one scope.
#[derive(Debug)]
pub(super) struct Credential {
    identities: Identities,
    scope: &'static str,
    token_refused: Arc<AtomicBool>,
}

impl Credential {
    pub(super) fn new(
        identities: Identities,
        scope: &'static str,
        token_refused: Arc<AtomicBool>,
    ) -> Self {
        Self {
            identities,
            scope,
            token_refused,
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the SDK counts a token's life by the clock"
    )]
    async fn token(&self, scopes: &[&str]) -> Result<AccessToken, IdentityError> {
        if let Some(asked) = scopes.iter().find(|asked| !same(asked, self.scope)) {
            return Err(IdentityError::OtherResource {
                asked: (*asked).to_owned(),
                own: self.scope.to_owned(),
            });
        }
        let refused = self.token_refused.swap(false, Ordering::SeqCst);
        let (token, end) = self.identities.token_with_end(self.scope, refused).await?;
        let left = end.saturating_duration_since(Instant::now());
        let left = Duration::try_from(left).unwrap_or(Duration::hours(1));
        Ok(AccessToken::new(
            token.expose().to_owned(),
            OffsetDateTime::now_utc() + left,
        ))
    }
}

#[async_trait::async_trait]
impl TokenCredential for Credential {
    async fn get_token(
        &self,
        scopes: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        self.token(scopes)
            .await
            .map_err(|error| azure_core::Error::new(ErrorKind::Other, error))
    }
}

/// Scopes are the same with one slash or two before `.default`.
fn same(one: &str, other: &str) -> bool {
    one.replace("//.default", "/.default") == other
}
