//! What Entra refuses, and what to do by its AADSTS code: asked directly, and through az.
#![expect(
    clippy::indexing_slicing,
    reason = "into JSON only, where a missing member is null"
)]

use serde_json::{Value, json};

use super::{IdentityError, claims::Claims, shell::word};
use crate::net::{Request, Response};

/// A refusal, and what was asked for.
#[derive(Debug, Default)]
pub(super) struct Refusal {
    /// The number behind `AADSTS`; 0 where there is none.
    pub(super) code: u32,
    /// The first line of what it said.
    pub(super) said: String,
    /// The application that asked.
    pub(super) client: String,
    /// The tenant that was asked.
    pub(super) tenant: String,
    /// What the application proved itself with, if that was an ID token.
    pub(super) assertion: Option<Claims>,
}

impl Refusal {
    /// From an answer of the token endpoint. Entra's body is read here with owned strings, as the SDK's own reading of
    /// it fails at escaped characters.
    pub(super) fn of_response(response: &Response, request: &Request) -> Self {
        let document: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let description = document["error_description"].as_str().unwrap_or_default();
        let first_line = description.lines().next().unwrap_or_default();
        let said = if first_line.is_empty() {
            response.status.to_string()
        } else {
            first_line.to_owned()
        };
        let number = document["error_codes"].get(0).and_then(Value::as_u64);
        let number = number.and_then(|number| u32::try_from(number).ok());
        let field = |wanted: &str| {
            let mut form = url::form_urlencoded::parse(&request.body);
            form.find(|(name, _)| name == wanted)
                .map(|(_, value)| value.into_owned())
        };
        let mut path = request.url.path().split('/');
        Self {
            code: number.or_else(|| code(&said)).unwrap_or_default(),
            said,
            client: field("client_id").unwrap_or_default(),
            tenant: path.nth(1).unwrap_or_default().to_owned(),
            assertion: field("client_assertion").map(|token| Claims::of(&token)),
        }
    }

    /// As an error of the identity.
    pub(super) fn into_error(self) -> IdentityError {
        IdentityError::Refused {
            hint: self.hint(),
            from: "Entra".to_owned(),
            said: self.said,
        }
    }

    /// What to do about an application's refusal. The codes are those of Microsoft's list of AADSTS errors.
    pub(super) fn hint(&self) -> String {
        let (client, tenant) = (word(&self.client), word(&self.tenant));
        match self.code {
            70021 | 700_211 | 700_212 | 700_213 => self.federation(),
            700_024 => "the ID token expired before it was used: check this machine's clock; a new run gets a new token"
                .to_owned(),
            700_016 => format!(
                "`{client}` is not an application of the tenant `{tenant}`: check `--client-id` and `--tenant-id`; \
                 `az ad sp show --id {client} --query appOwnerOrganizationId --output tsv` prints the tenant of the \
                 application"
            ),
            90002 => format!(
                "`{tenant}` is not a tenant of this cloud: check `--tenant-id` and `--cloud`; \
                 `az account show --query tenantId --output tsv` prints the tenant of your login"
            ),
            7_000_215 => format!(
                "the client secret is wrong (its value is needed, not its ID): \
                 `az ad app credential reset --id {client} --append` makes another one"
            ),
            7_000_222 => format!(
                "the client secret has expired: `az ad app credential reset --id {client} --append` makes a new one; \
                 federation needs none"
            ),
            7_000_112 => format!(
                "the application is disabled: `az ad sp update --id {client} --set accountEnabled=true`"
            ),
            7_000_229 => format!(
                "the application has no service principal in this tenant: `az ad sp create --id {client}`"
            ),
            500_011 => "the resource is not known in this tenant: check `--tenant-id` and `--cloud`".to_owned(),
            53003 | 530_003 => {
                "a conditional access policy refuses this identity: ask the administrator of the tenant".to_owned()
            }
            _ => "check client ID, tenant and the identity's credentials".to_owned(),
        }
    }

    /// How to let the application prove itself with this token. The token's subject is taken as it is, so that
    /// GitHub's immutable form, a branch, an environment and a pull request are each named as Entra compares them.
    fn federation(&self) -> String {
        let claims = self.assertion.clone().unwrap_or_default();
        let name = credential_name(&claims.subject);
        let parameters = json!({
            "name": name, "issuer": claims.issuer, "subject": claims.subject, "audiences": [claims.audience],
        });
        let client = word(&self.client);
        let immutable = if claims.subject_is_immutable() {
            "; GitHub now writes this repository's subjects with numbers, which a credential for the name alone does \
             not match"
        } else {
            ""
        };
        format!(
            "no federated credential of `{client}` is for {claims}{immutable}. For an application: \
             `az ad app federated-credential create --id {client} --parameters {}`. For a user-assigned managed \
             identity (`az identity list --query \"[?clientId=='{client}'].[name,resourceGroup]\" --output tsv` shows \
             NAME and GROUP): `az identity federated-credential create --name {name} --identity-name NAME \
             --resource-group GROUP --issuer {} --subject {} --audiences {}`",
            word(&parameters.to_string()),
            word(&claims.issuer),
            word(&claims.subject),
            word(&claims.audience),
        )
    }
}

/// The number of an AADSTS code in a text.
pub(super) fn code(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("AADSTS")?;
    let end = rest.find(|c: char| !c.is_ascii_digit());
    rest.get(..end.unwrap_or(rest.len()))?.parse().ok()
}

/// A name that Entra takes for a credential (3 to 120 characters: letters, digits, dashes), and that says what it is for.
fn credential_name(subject: &str) -> String {
    let mut name = String::new();
    for c in subject.chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c);
        } else if !name.ends_with('-') && !name.is_empty() {
            name.push('-');
        }
    }
    name.truncate(100);
    let name = name.trim_end_matches('-');
    if name.len() < 3 {
        "acr-sign".to_owned()
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_in_texts() {
        for (text, found) in [
            ("ERROR: AADSTS700024: Client assertion", Some(700_024)),
            ("(AADSTS50076)", Some(50076)),
            ("AADSTS", None),
            ("AADSTS: x", None),
            ("Please run 'az login'", None),
            ("AADSTS99999999999999999999", None),
        ] {
            assert_eq!(code(text), found, "{text}");
        }
    }

    #[test]
    fn what_a_subject_holds_cannot_leave_its_word() {
        let refusal = Refusal {
            code: 700_213,
            client: "c".into(),
            assertion: Some(Claims {
                issuer: "https://token.actions.githubusercontent.com".into(),
                subject: "repo:contoso/shop:ref:refs/heads/a'$(id)`id`".into(),
                audience: "api://AzureADTokenExchange".into(),
            }),
            ..Refusal::default()
        };
        let hint = refusal.hint();
        assert!(
            hint.contains(r"--subject 'repo:contoso/shop:ref:refs/heads/a'\''$(id)`id`'"),
            "{hint}"
        );
        assert!(
            hint.contains("--name repo-contoso-shop-ref-refs-heads-a-id-id "),
            "{hint}"
        );
    }

    #[test]
    fn every_credential_has_a_name() {
        assert_eq!(credential_name(""), "acr-sign");
        assert_eq!(credential_name("::"), "acr-sign");
        assert_eq!(
            credential_name("sc://contoso/shop/c-1"),
            "sc-contoso-shop-c-1"
        );
        assert!(credential_name(&"a:".repeat(200)).len() <= 120);
    }
}
