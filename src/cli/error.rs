//! What the parser of the command line says, as every other error is said: what is wrong, and what to do. Values of
//! flags that may hold a secret are left out.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::reason::{Explain, Reason};

/// A command line that cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct UsageError {
    message: String,
    hint: Option<String>,
}

/// Parts of the names of flags whose values may hold a secret: a key reference may be a pasted key, an address may
/// hold a login.
const SECRET: [&str; 7] = [
    "key", "password", "secret", "token", "url", "server", "signer",
];

/// Whether the value of this flag may hold a secret, so that it must not be repeated.
pub(crate) fn may_hold_secret(flag: &str) -> bool {
    let flag = flag.to_ascii_lowercase();
    SECRET.iter().any(|part| flag.contains(part))
}

impl UsageError {
    /// From the parser's own error.
    pub(crate) fn new(error: &clap::Error) -> Self {
        let named = |kind| match error.get(kind) {
            Some(ContextValue::String(text)) => Some(text.clone()),
            Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
            _ => None,
        };
        let argument = named(ContextKind::InvalidArg);
        // `--key <KEY>`: the flag without what it takes.
        let flag = argument
            .as_deref()
            .and_then(|text| text.split([' ', '=']).next());
        let value = named(ContextKind::InvalidValue)
            .filter(|value| !value.is_empty() && !flag.is_some_and(may_hold_secret));
        let message = match (error.kind(), flag, value) {
            (ErrorKind::InvalidValue | ErrorKind::ValueValidation, Some(flag), Some(value)) => {
                format!("`{flag} {value}` is not valid{}", why(error))
            }
            (ErrorKind::InvalidValue | ErrorKind::ValueValidation, Some(flag), None) => {
                format!("the value of `{flag}` is missing or not valid")
            }
            (ErrorKind::TooManyValues | ErrorKind::WrongNumberOfValues, Some(flag), _) => {
                format!("`{flag}` takes no such value")
            }
            (ErrorKind::UnknownArgument, Some(flag), _) => match name_of(flag) {
                Some(name) => format!("unexpected argument `{name}`"),
                None => "an argument is not expected here".to_owned(),
            },
            _ => first_sentence(error),
        };
        Self {
            message,
            hint: Some(hint(error, &named)),
        }
    }
}

impl Explain for UsageError {
    fn reason(&self) -> Reason {
        Reason::Usage
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

/// The name of what looks like a flag, without anything behind it; `None` where it does not: it may be a key that was
/// pasted.
fn name_of(argument: &str) -> Option<&str> {
    let bare = argument.trim_start_matches('-');
    let dashes = argument.len() - bare.len();
    let end = bare
        .find(|c: char| c != '-' && !c.is_ascii_alphanumeric())
        .unwrap_or(bare.len());
    let is_flag = (1..=2).contains(&dashes) && (1..=40).contains(&end);
    argument.get(..dashes + end).filter(|_| is_flag)
}

/// Why a value is not valid, where its own parser said so.
fn why(error: &clap::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) if error.kind() == ErrorKind::ValueValidation => format!(": {source}"),
        _ => String::new(),
    }
}

/// The parser's own words, which name arguments and no values in all other cases.
fn first_sentence(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let first = text.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = first
        .trim_start_matches("error: ")
        .split_whitespace()
        .collect();
    // Names stand in backticks everywhere else.
    words.join(" ").replace('\'', "`")
}

fn hint(error: &clap::Error, named: &dyn Fn(ContextKind) -> Option<String>) -> String {
    let nearest = [
        ContextKind::SuggestedValue,
        ContextKind::SuggestedArg,
        ContextKind::SuggestedSubcommand,
    ]
    .into_iter()
    .find_map(named);
    if let Some(nearest) = nearest {
        return format!("did you mean `{nearest}`?");
    }
    if error.kind() == ErrorKind::InvalidValue
        && let Some(values) = named(ContextKind::ValidValue).filter(|values| !values.is_empty())
    {
        return format!("it takes {}", values.replace(", ", " | "));
    }
    let usage = match error.get(ContextKind::Usage) {
        Some(ContextValue::StyledStr(usage)) => usage.to_string(),
        _ => return "`acr-sign --help` lists the commands and flags".to_owned(),
    };
    let usage: Vec<&str> = usage
        .trim_start_matches("Usage: ")
        .split_whitespace()
        .collect();
    format!("usage: `{}`", usage.join(" "))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;

    fn error(line: &str) -> UsageError {
        let words = std::iter::once("acr-sign").chain(line.split(' '));
        UsageError::new(&Cli::try_parse_from(words).unwrap_err())
    }

    #[test]
    fn typos_are_answered_with_the_nearest_name() {
        for (line, nearest) in [
            ("verify --formt dct a", "--format"),
            ("verify --format notatoin a", "notation"),
            ("sign --auth managed-identiy a", "managed-identity"),
            ("sing a", "sign"),
            ("trust statsu a", "status"),
        ] {
            let error = error(line);
            assert_eq!(
                error.hint,
                Some(format!("did you mean `{nearest}`?")),
                "{line}: {error}"
            );
        }
    }

    #[test]
    fn values_that_may_be_secrets_are_not_repeated() {
        for line in [
            "sign a --password-stdin=hunter22",
            "sign a --password=hunter22",
            "sign a --client-secret=hunter22",
            "sign a --retries 3 --token=hunter22",
            "verify a --concurrency 2 --trust-sever=https://u:hunter22@x",
        ] {
            let error = error(line);
            let told = format!("{error} {:?}", error.hint);
            assert!(!told.contains("hunter22"), "{line}: {told}");
        }
    }
}
