//! `WWW-Authenticate`: which token service to ask, and for which scope. The header is attacker input (G03).

use url::Url;

/// A challenge for a bearer token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Challenge {
    /// `Bearer realm=…,service=…,scope=…`
    Bearer {
        /// The token service.
        realm: Url,
        /// The name to ask it under.
        service: Option<String>,
        /// The scope that the request needed.
        scope: Option<String>,
    },
    /// `Basic`
    Basic,
}

/// The header is no challenge that this program answers.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the challenge `{0}` is neither Bearer with a realm nor Basic")]
pub struct InvalidChallenge(String);

impl Challenge {
    /// Parses the header's value.
    pub fn parse(header: &str) -> Result<Self, InvalidChallenge> {
        let invalid = || InvalidChallenge(header.chars().take(200).collect());
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Ok(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(invalid());
        }
        let (mut realm, mut service, mut scope) = (None, None, None);
        let mut rest = rest.trim_start();
        while !rest.is_empty() {
            let (name, value, after) = parameter(rest).ok_or_else(invalid)?;
            let slot = match name.to_ascii_lowercase().as_str() {
                "realm" => Some(&mut realm),
                "service" => Some(&mut service),
                "scope" => Some(&mut scope),
                _ => None,
            };
            if let Some(slot) = slot
                && slot.replace(value).is_some()
            {
                // Two realms would be read differently by two programs.
                return Err(invalid());
            }
            rest = after;
        }
        let realm = realm
            .and_then(|realm| realm.parse().ok())
            .ok_or_else(invalid)?;
        Ok(Self::Bearer {
            realm,
            service,
            scope: scope.filter(|scope| !scope.is_empty()),
        })
    }
}

/// `name=value` or `name="value"`, and what follows the comma.
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let (name, rest) = text.split_once('=')?;
    let (value, rest) = match rest.strip_prefix('"') {
        None => {
            let end = rest.find(',').unwrap_or(rest.len());
            (rest.get(..end)?.trim().to_owned(), rest.get(end..)?)
        }
        Some(quoted) => {
            let mut value = String::new();
            let mut characters = quoted.char_indices();
            let end = loop {
                match characters.next()? {
                    (at, '"') => break at + 1,
                    (_, '\\') => value.push(characters.next()?.1),
                    (_, c) => value.push(c),
                }
            };
            (value, quoted.get(end..)?)
        }
    };
    let rest = rest.trim_start();
    let rest = if rest.is_empty() {
        rest
    } else {
        rest.strip_prefix(',')?.trim_start()
    };
    Some((name.trim(), value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_as_registries_write_them() {
        let acr = r#"Bearer realm="https://r.azurecr.io/oauth2/token",service="r.azurecr.io",scope="repository:hello:pull,push""#;
        assert_eq!(
            Challenge::parse(acr),
            Ok(Challenge::Bearer {
                realm: "https://r.azurecr.io/oauth2/token".parse().unwrap(),
                service: Some("r.azurecr.io".into()),
                scope: Some("repository:hello:pull,push".into()),
            })
        );
        assert_eq!(Challenge::parse("Basic realm=\"x\""), Ok(Challenge::Basic));
        let unquoted = "bearer realm=https://h/t, error=\"insufficient_scope\"";
        assert!(matches!(
            Challenge::parse(unquoted),
            Ok(Challenge::Bearer {
                service: None,
                scope: None,
                ..
            })
        ));
        for wrong in [
            "",
            "Bearer",
            "Bearer realm",
            "Bearer realm=\"x",
            "Bearer service=\"x\"",
            "Digest realm=\"https://h\"",
            "Bearer realm=\"https://a\",realm=\"https://b\"",
            "Bearer realm=\"not an address\"",
        ] {
            assert!(Challenge::parse(wrong).is_err(), "{wrong}");
        }
    }
}
