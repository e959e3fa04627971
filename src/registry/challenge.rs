//! `WWW-Authenticate`: which token service to ask, and for which scope. The header is attacker input (G03).

use http::HeaderMap;
use url::Url;

/// How a registry wants a request to be authorized.
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

/// None of the challenges is one that this program answers.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "none of the offered ways to log in ({0}) is `Basic`, or `Bearer` with one realm that is an address"
)]
pub struct InvalidChallenge(String);

impl Challenge {
    /// Of the challenges in an answer the one that is answered: `Bearer` before `Basic`, which sends the password
    /// itself and cannot be answered without one. Other schemes are passed over.
    pub fn of(headers: &HeaderMap) -> Result<Self, InvalidChallenge> {
        let values = headers.get_all(http::header::WWW_AUTHENTICATE);
        let text: Vec<&str> = values
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        Self::parse(&text.join(", "))
    }

    /// The same for the text of the header, which may hold several challenges (RFC 9110 §11.6.1).
    pub fn parse(header: &str) -> Result<Self, InvalidChallenge> {
        // The schemes alone: an address in a parameter may hold a credential.
        let mut schemes: Vec<String> = Vec::new();
        let mut chosen = None;
        let mut rest = header.trim();
        while !rest.is_empty() {
            let end = rest.find([' ', ',']).unwrap_or(rest.len());
            let (scheme, after) = rest.split_at(end);
            rest = after.trim_start();
            schemes.push(
                scheme
                    .chars()
                    .filter(char::is_ascii_alphanumeric)
                    .take(20)
                    .collect(),
            );
            let invalid = || InvalidChallenge(schemes.join(", "));
            let mut parameters = Vec::new();
            while starts_parameter(rest) {
                let (name, value, after) = parameter(rest).ok_or_else(invalid)?;
                parameters.push((name.to_ascii_lowercase(), value));
                rest = after;
            }
            rest = rest.trim_start_matches([' ', ',']);
            match scheme.to_ascii_lowercase().as_str() {
                "bearer" => {
                    let bearer = bearer(parameters).ok_or_else(invalid)?;
                    // Two realms would be read differently by two programs.
                    if matches!(&chosen, Some(Self::Bearer { .. })) {
                        return Err(invalid());
                    }
                    chosen = Some(bearer);
                }
                "basic" => chosen = chosen.or(Some(Self::Basic)),
                _ => {}
            }
        }
        chosen.ok_or_else(|| InvalidChallenge(schemes.join(", ")))
    }
}

/// `None` where a parameter is given twice, or the realm is missing or not an address.
fn bearer(parameters: Vec<(String, String)>) -> Option<Challenge> {
    let (mut realm, mut service, mut scope) = (None, None, None);
    for (name, value) in parameters {
        let slot = match name.as_str() {
            "realm" => &mut realm,
            "service" => &mut service,
            "scope" => &mut scope,
            _ => continue,
        };
        if slot.replace(value).is_some() {
            return None;
        }
    }
    Some(Challenge::Bearer {
        realm: realm?.parse().ok()?,
        service,
        scope: scope.filter(|scope: &String| !scope.is_empty()),
    })
}

/// Whether `name=` follows, and not the name of another scheme.
fn starts_parameter(text: &str) -> bool {
    text.split_once('=')
        .is_some_and(|(name, _)| !name.is_empty() && !name.trim_end().contains([' ', ',', '"']))
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
        for basic in [
            "Basic realm=\"x\"",
            "basic",
            "Negotiate, Basic realm=\"a, Bearer\"",
            "Digest realm=\"x\", Basic",
        ] {
            assert_eq!(Challenge::parse(basic), Ok(Challenge::Basic), "{basic}");
        }
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

    #[test]
    fn of_several_challenges_the_one_for_a_token_is_answered() {
        let bearer = Challenge::Bearer {
            realm: "https://h/t".parse().unwrap(),
            service: Some("h".into()),
            scope: None,
        };
        for several in [
            r#"Basic realm="h", Bearer realm="https://h/t",service="h""#,
            r#"Bearer realm="https://h/t",service="h", Basic realm="h""#,
            r#"Negotiate YWJj==, Bearer realm="https://h/t", service=h, Basic"#,
            r#"Basic,Bearer service="h",realm="https://h/t""#,
        ] {
            assert_eq!(Challenge::parse(several).as_ref(), Ok(&bearer), "{several}");
        }
        let mut headers = HeaderMap::new();
        for header in [
            r#"Basic realm="h""#,
            r#"Bearer realm="https://h/t",service="h""#,
        ] {
            headers.append(http::header::WWW_AUTHENTICATE, header.parse().unwrap());
        }
        assert_eq!(Challenge::of(&headers), Ok(bearer));
        let leaky = r#"Bearer realm="https://user:canary@h/t?x=canary",realm="y""#;
        let error = Challenge::parse(leaky).unwrap_err().to_string();
        assert!(
            error.contains("(Bearer)") && !error.contains("canary"),
            "{error}"
        );
        for wrong in [
            r#"Bearer realm="https://a", Bearer realm="https://b""#,
            r#"Basic realm="h", Bearer service="h""#,
            "Negotiate, Digest realm=\"h\"",
        ] {
            assert!(Challenge::parse(wrong).is_err(), "{wrong}");
        }
    }
}
