//! Reading the inputs of a step: each host's exact spelling and no other, every value of its kind.

use std::collections::BTreeMap;

use super::{Host, INPUTS, Input, Kind, PipelineError, Reader, Verb, lists};
use crate::process::Environment;

/// The inputs that were given.
#[derive(Clone, Debug)]
pub struct Inputs {
    host: Host,
    verb: Verb,
    given: BTreeMap<&'static str, String>,
}

impl Inputs {
    /// Reads them; an empty value is none.
    pub fn read(host: Host, environment: &Environment) -> Result<Self, PipelineError> {
        refuse_other_spellings(host, environment)?;
        if host == Host::Azure {
            refuse_variables(environment)?;
        }
        let mut given = BTreeMap::new();
        for input in INPUTS.iter().filter(|input| input.is_on(host)) {
            let value = environment
                .get(&variable(host, input.name))
                .unwrap_or_default()
                .trim();
            if value.is_empty() {
                continue;
            }
            check(host, input, value)?;
            given.insert(input.name, value.to_owned());
        }
        let verb = match given.get("command").map(String::as_str) {
            Some("verify") => Verb::Verify,
            _ => Verb::Sign,
        };
        let inputs = Self { host, verb, given };
        inputs.refuse_strangers()?;
        Ok(inputs)
    }

    /// The host they are of.
    pub fn host(&self) -> Host {
        self.host
    }

    /// The command to run.
    pub fn verb(&self) -> Verb {
        self.verb
    }

    /// The value of an input, if given.
    pub fn text(&self, name: &str) -> Option<&str> {
        debug_assert!(
            INPUTS.iter().any(|input| input.name == name),
            "{name} is not an input"
        );
        self.given.get(name).map(String::as_str)
    }

    /// The values of a list.
    pub fn list(&self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        match INPUTS
            .iter()
            .find(|input| input.name == name)
            .map(|input| input.kind)
        {
            Some(Kind::CommaList) => lists::comma_separated(text),
            _ => lists::lines(text),
        }
    }

    /// Whether a boolean is on, by its value or its default.
    pub fn is_on(&self, name: &str) -> bool {
        let default = INPUTS
            .iter()
            .find(|input| input.name == name)
            .and_then(|input| input.default);
        self.text(name)
            .or(default)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// An input's name as the host spells it.
    pub fn spell(&self, name: &str) -> String {
        self.host.spell(name)
    }

    /// The command line that says the same, up to the images.
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["acr-sign".to_owned(), self.verb.word().to_owned()];
        for input in INPUTS.iter().filter(|input| input.reader == Reader::Flag) {
            let Some(value) = self.text(input.name) else {
                continue;
            };
            let flag = input.name;
            match input.kind {
                Kind::Boolean if self.is_on(flag) => arguments.push(format!("--{flag}")),
                Kind::Boolean => {}
                Kind::List | Kind::CommaList => {
                    arguments.extend(
                        self.list(flag)
                            .into_iter()
                            .map(|value| format!("--{flag}={value}")),
                    );
                }
                Kind::Text
                | Kind::Document
                | Kind::Choice(_)
                | Kind::Secret
                | Kind::ServiceConnection => {
                    arguments.push(format!("--{flag}={value}"));
                }
            }
        }
        if self.text("password").is_some() {
            arguments.push("--password-stdin".to_owned());
        }
        arguments
    }

    /// Refuses inputs of the other command; their defaults say nothing.
    fn refuse_strangers(&self) -> Result<(), PipelineError> {
        for input in INPUTS {
            let Some(value) = self.given.get(input.name) else {
                continue;
            };
            let says_nothing = Some(value.as_str()) == input.default
                || (input.kind == Kind::Boolean && value.eq_ignore_ascii_case("false"));
            if let Some(only) = input
                .verb
                .filter(|only| *only != self.verb && !says_nothing)
            {
                return Err(PipelineError::OtherCommand {
                    input: self.spell(input.name),
                    only,
                });
            }
        }
        for (one, other) in [("username", "password"), ("password", "username")] {
            if self.text(one).is_some() && self.text(other).is_none() {
                return Err(PipelineError::Alone {
                    input: self.spell(one),
                    other: self.spell(other),
                });
            }
        }
        Ok(())
    }
}

/// The variable in which the host hands over an input.
fn variable(host: Host, name: &str) -> String {
    match host {
        Host::GitHub => format!("INPUT_{}", name.to_ascii_uppercase()),
        Host::Azure => format!("INPUT_{}", name.replace('-', "").to_ascii_uppercase()),
    }
}

/// A planted variable must not stand in for an input that is empty (P11).
fn refuse_other_spellings(host: Host, environment: &Environment) -> Result<(), PipelineError> {
    let flat = |text: &str| -> String {
        text.chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect()
    };
    for (variable_there, _) in environment.iter() {
        let there = flat(variable_there);
        let Some(name) = there.strip_prefix("input") else {
            continue;
        };
        let Some(input) = INPUTS
            .iter()
            .find(|input| input.is_on(host) && flat(input.name) == name)
        else {
            continue;
        };
        let exact = variable(host, input.name);
        if variable_there != exact {
            return Err(PipelineError::Spelling {
                host,
                variable: variable_there.to_owned(),
                input: host.spell(input.name),
                exact,
            });
        }
    }
    Ok(())
}

/// Azure's agent hands over pipeline variables after inputs and under the same names, so one that an earlier step set, by
/// printing a line, beats what the input says (P11). It names the variables, too.
fn refuse_variables(environment: &Environment) -> Result<(), PipelineError> {
    let Some(names) = environment
        .get("VSTS_PUBLIC_VARIABLES")
        .filter(|names| !names.is_empty())
    else {
        return Ok(());
    };
    let names: Vec<String> = serde_json::from_str(names).map_err(|_| PipelineError::Variables)?;
    for name in names {
        let handed_over = name.replace(['.', ' '], "_").to_uppercase();
        let of = |input: &&Input| {
            input.is_on(Host::Azure) && variable(Host::Azure, input.name) == handed_over
        };
        if let Some(input) = INPUTS.iter().find(of) {
            return Err(PipelineError::Shadowed {
                variable: name,
                input: Host::Azure.spell(input.name),
            });
        }
    }
    Ok(())
}

fn check(host: Host, input: &Input, value: &str) -> Result<(), PipelineError> {
    let name = || host.spell(input.name);
    // JSON holds what a build ran, and that has `$(…)` of its own.
    let is_json = input.kind == Kind::Document && value.starts_with('{');
    if host == Host::Azure
        && !is_json
        && let Some(left) = unresolved(value)
    {
        return Err(PipelineError::Unresolved {
            input: name(),
            name: left.to_owned(),
        });
    }
    let wrong = |wanted: String| {
        Err(PipelineError::Value {
            input: name(),
            value: value.to_owned(),
            wanted,
        })
    };
    match input.kind {
        Kind::Boolean
            if !matches!(
                value,
                "true" | "True" | "TRUE" | "false" | "False" | "FALSE"
            ) =>
        {
            wrong("`true` or `false`".to_owned())
        }
        Kind::Choice(words) if !words.contains(&value) => wrong(
            words
                .iter()
                .map(|word| format!("`{word}`"))
                .collect::<Vec<_>>()
                .join(" or "),
        ),
        Kind::Text | Kind::ServiceConnection if value.contains(['\n', '\r']) => {
            wrong("one line".to_owned())
        }
        _ => Ok(()),
    }
}

/// The first `$(name)` in a value: the agent leaves macros of unset variables as they are.
fn unresolved(value: &str) -> Option<&str> {
    value.match_indices("$(").find_map(|(at, _)| {
        let rest = value.get(at..)?;
        let end = rest.find(')')?;
        let name = rest.get(2..end)?;
        let is_name = !name.is_empty()
            && name.chars().all(|c| {
                c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | ' ' | '[' | ']' | '\'')
            });
        if is_name { rest.get(..=end) } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn github(variables: &[(&str, &str)]) -> Result<Inputs, PipelineError> {
        Inputs::read(Host::GitHub, &variables.iter().copied().collect())
    }

    fn azure(variables: &[(&str, &str)]) -> Result<Inputs, PipelineError> {
        Inputs::read(Host::Azure, &variables.iter().copied().collect())
    }

    #[test]
    fn inputs_become_the_command_line() {
        let inputs = github(&[
            ("INPUT_COMMAND", "sign"),
            ("INPUT_FORMAT", "dct"),
            ("INPUT_KEY", " akv:contoso/keys/release \n"),
            ("INPUT_ROOT", "a\nb\n"),
            ("INPUT_TRUST-ON-FIRST-USE", "false"),
            ("INPUT_FORCE", "True"),
            ("INPUT_FAIL-ON", "rejected"),
            ("INPUT_TIMEOUT", ""),
        ]);
        let expected = [
            "acr-sign",
            "sign",
            "--format=dct",
            "--key=akv:contoso/keys/release",
            "--root=a",
            "--root=b",
            "--force",
        ];
        assert_eq!(inputs.unwrap().arguments(), expected);
        let inputs = azure(&[
            ("INPUT_COMMAND", "verify"),
            ("INPUT_ALLOWHOST", "h"),
            ("INPUT_FAILON", "none"),
        ]);
        assert_eq!(
            inputs.unwrap().arguments(),
            ["acr-sign", "verify", "--allow-host=h"]
        );
    }

    #[test]
    fn p11_every_input_in_every_other_spelling_is_an_error() {
        for input in INPUTS {
            for host in [Host::GitHub, Host::Azure]
                .into_iter()
                .filter(|host| input.is_on(*host))
            {
                let upper = input.name.to_ascii_uppercase();
                let spellings = [
                    format!("INPUT_{upper}"),
                    format!("INPUT_{}", upper.replace('-', "_")),
                    format!("INPUT_{}", upper.replace('-', "")),
                    format!("input_{}", input.name),
                    format!("INPUT-{upper}"),
                    format!("INPUT.{upper}"),
                ];
                let exact = variable(host, input.name);
                for spelling in spellings.iter().filter(|spelling| **spelling != exact) {
                    let environment = [(spelling.as_str(), "x")].into_iter().collect();
                    let read = Inputs::read(host, &environment);
                    let Err(PipelineError::Spelling { variable, .. }) = &read else {
                        panic!("{spelling}: {read:?}")
                    };
                    assert_eq!(variable, spelling);
                }
            }
        }
    }

    #[test]
    fn azure_macros_that_were_left_are_named() {
        for (value, left) in [
            ("contoso.azurecr.io/web:$(imageTag)", "$(imageTag)"),
            ("$(Build.BuildId)", "$(Build.BuildId)"),
        ] {
            let read = azure(&[("INPUT_IMAGES", value)]);
            let Err(PipelineError::Unresolved { input, name }) = read else {
                panic!("{read:?}")
            };
            assert_eq!((input.as_str(), name.as_str()), ("images", left));
        }
        assert!(
            azure(&[(
                "INPUT_METADATA",
                "{\"a\":\"apt-get install linux-headers-$(uname -r)\"}"
            )])
            .is_ok()
        );
        assert!(azure(&[("INPUT_METADATA", "$(metadataFile)")]).is_err());
        assert!(azure(&[("INPUT_FORMAT", "$()")]).is_ok());
        assert!(github(&[("INPUT_IMAGES", "$(x)")]).is_ok());
    }

    #[test]
    fn booleans_are_those_of_yaml() {
        for (value, on) in [
            ("true", true),
            ("True", true),
            ("TRUE", true),
            ("false", false),
            ("FALSE", false),
        ] {
            assert_eq!(
                github(&[("INPUT_SUMMARY", value)])
                    .unwrap()
                    .is_on("summary"),
                on
            );
        }
        assert!(github(&[]).unwrap().is_on("summary"), "the default");
        for value in ["yes", "1", "on", "tRUE"] {
            let read = github(&[("INPUT_SUMMARY", value)]);
            assert!(
                matches!(read, Err(PipelineError::Value { .. })),
                "{value}: {read:?}"
            );
        }
    }

    #[test]
    fn unknown_words_and_strangers_are_errors() {
        assert!(matches!(
            github(&[("INPUT_COMMAND", "Sign")]),
            Err(PipelineError::Value { .. })
        ));
        assert!(matches!(
            github(&[("INPUT_FAIL-ON", "never")]),
            Err(PipelineError::Value { .. })
        ));
        assert!(matches!(
            github(&[("INPUT_FAIL-ON", "none")]),
            Err(PipelineError::OtherCommand {
                only: Verb::Verify,
                ..
            })
        ));
        let verify = github(&[("INPUT_COMMAND", "verify"), ("INPUT_ROLE", "targets")]);
        assert!(
            matches!(
                verify,
                Err(PipelineError::OtherCommand {
                    only: Verb::Sign,
                    ..
                })
            ),
            "{verify:?}"
        );
        assert!(github(&[("INPUT_COMMAND", "verify"), ("INPUT_FORCE", "false")]).is_ok());
        assert!(matches!(
            github(&[("INPUT_USERNAME", "u")]),
            Err(PipelineError::Alone { .. })
        ));
        assert!(matches!(
            github(&[("INPUT_TIMEOUT", "1m\n2m")]),
            Err(PipelineError::Value { .. })
        ));
    }

    #[test]
    fn only_the_exact_variable_of_the_host_is_read() {
        let inputs = github(&[
            ("INPUT_BINARYPATHS", "x"),
            ("INPUTS", "x"),
            ("INPUT_AZURESUBSCRIPTION", "x"),
        ])
        .unwrap();
        assert_eq!(inputs.arguments(), ["acr-sign", "sign"]);
    }
}
