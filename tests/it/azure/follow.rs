//! Commands of hints, done to the sandbox as `az` would do them to Azure.

use std::collections::BTreeMap;

use acr_sandbox::{Federation, KeyKind, Sandbox};

/// The commands that a text holds in backticks, as a shell would split them.
pub fn commands(text: &str) -> Vec<Vec<String>> {
    let parts: Vec<&str> = text.split('`').collect();
    let commands = parts.iter().skip(1).step_by(2);
    commands
        .filter(|part| part.starts_with("az "))
        .map(|part| split(part))
        .collect()
}

/// Words as a POSIX shell has them, without expansion.
fn split(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut begun) = (Vec::new(), String::new(), None, false);
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (None, '\'' | '"') => (quote, begun) = (Some(c), true),
            (Some(open), _) if open == c => quote = None,
            (None | Some('"'), '\\') => word.extend(characters.next()),
            (None, ' ') => {
                if begun || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            _ => word.push(c),
        }
    }
    assert!(quote.is_none(), "an open quote: {line}");
    words.push(word);
    words
}

/// Does the first command that begins so, and says which that was.
pub fn follow(sandbox: &Sandbox, text: &str, begins: &str) -> String {
    let all = commands(text);
    let words = all
        .iter()
        .find(|words| words.join(" ").starts_with(begins))
        .unwrap_or_else(|| panic!("no `{begins}` in: {text}"));
    let flags = flags(words);
    let one = |name: &str| flags[name].first().unwrap().as_str();
    let name = |id: &str| id.split('/').nth(4).unwrap().to_owned();
    let vault = sandbox.vault();
    match begins {
        "az keyvault key set-attributes" | "az keyvault certificate set-attributes" => {
            let id = one("--id");
            assert!(id.starts_with("https://contoso.vault.azure.net/"), "{id}");
            assert_eq!(id.split('/').nth(5).map(str::len), Some(32), "{id}");
            if flags.contains_key("--enabled") {
                vault.set_enabled(&name(id), one("--enabled") == "true");
            } else {
                vault.set_period(&name(id), None, None);
            }
        }
        "az role assignment create" => {
            assert_eq!(one("--assignee-principal-type"), "ServicePrincipal");
            let done =
                vault.assign_role(one("--assignee-object-id"), one("--role"), one("--scope"));
            assert!(done, "{text}");
        }
        "az keyvault set-policy" => {
            assert_eq!(one("--name"), "contoso");
            let kinds = [
                ("keys", "--key-permissions"),
                ("certificates", "--certificate-permissions"),
                ("secrets", "--secret-permissions"),
            ];
            let permissions = kinds.iter().flat_map(|(kind, flag)| {
                let given = flags.get(*flag).into_iter().flatten();
                given.map(move |verb| format!("{kind} {verb}"))
            });
            let permissions: Vec<String> = permissions.collect();
            assert!(vault.set_policy(one("--object-id"), &permissions), "{text}");
        }
        "az keyvault network-rule add" => {
            assert!(vault.allow_address(one("--ip-address")), "{text}")
        }
        "az keyvault key create" => {
            assert_eq!((one("--kty"), one("--curve")), ("EC", "P-256"));
            assert_eq!(flags["--ops"], ["sign", "verify"]);
            assert_eq!(one("--vault-name"), "contoso");
            vault.create_key(one("--name"), KeyKind::P256);
        }
        "az keyvault certificate pending merge" => {
            vault.set_pending(one("--name"), false);
        }
        "az ad app federated-credential create" => {
            let parameters: serde_json::Value = serde_json::from_str(one("--parameters")).unwrap();
            let text = |name: &str| parameters[name].as_str().unwrap().to_owned();
            let federation = Federation {
                issuer: text("issuer"),
                subject: text("subject"),
                audience: parameters["audiences"][0].as_str().unwrap().to_owned(),
            };
            sandbox.entra().federate(one("--id"), federation);
        }
        "az identity federated-credential create" => {
            let federation = Federation {
                issuer: one("--issuer").to_owned(),
                subject: one("--subject").to_owned(),
                audience: one("--audiences").to_owned(),
            };
            let client = acr_sandbox::Options::default().client;
            sandbox.entra().federate(&client, federation);
        }
        other => panic!("the sandbox cannot do `{other}`"),
    }
    words.join(" ")
}

/// The flags of a command, each with its values.
fn flags(words: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut flags: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut last = None;
    for word in words {
        if word.starts_with("--") {
            flags.entry(word.clone()).or_default();
            last = Some(word.clone());
        } else if let Some(flag) = &last {
            flags.get_mut(flag).unwrap().push(word.clone());
        }
    }
    flags
}

#[test]
fn words_are_those_of_a_shell() {
    let line = r#"az a --b 'c d' "e 'f'" 'it'\''s' g=h"#;
    assert_eq!(
        split(line),
        ["az", "a", "--b", "c d", "e 'f'", "it's", "g=h"]
    );
    let text = "first `az a b`, then `--flag` and `az c \"d e\"`";
    let found = commands(text);
    assert_eq!(found, [vec!["az", "a", "b"], vec!["az", "c", "d e"]]);
}
