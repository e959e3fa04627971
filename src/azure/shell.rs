//! Words of commands that people paste into a shell. Names come out of tokens and answers, so they are quoted.

/// A word as a POSIX shell reads it back: as it is where no shell takes any of it for more than text, else in single
/// quotes.
pub(crate) fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn what_a_shell_would_run_is_quoted() {
        for (text, quoted) in [
            (
                "repo:contoso/shop:ref:refs/heads/main",
                "repo:contoso/shop:ref:refs/heads/main",
            ),
            ("api://AzureADTokenExchange", "api://AzureADTokenExchange"),
            ("Key Vault Crypto User", "'Key Vault Crypto User'"),
            ("$(id)", "'$(id)'"),
            ("a`id`", "'a`id`'"),
            ("a'; id; '", r"'a'\''; id; '\'''"),
            ("", "''"),
        ] {
            assert_eq!(word(text), quoted);
        }
    }
}
