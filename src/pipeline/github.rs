//! GitHub Actions: workflow commands (`::name key=value::message`) and file commands.

/// A workflow command; values are escaped, and the message is cut where the line would pass `limit` bytes.
pub(super) fn command(
    name: &str,
    properties: &[(&str, &str)],
    message: &str,
    limit: usize,
) -> String {
    let properties: Vec<String> = properties
        .iter()
        .map(|(key, value)| format!("{key}={}", escape(value, true, 300)))
        .collect();
    let space = if properties.is_empty() { "" } else { " " };
    let mut line = format!("::{name}{space}{}::", properties.join(","));
    line.push_str(&escape(message, false, limit.saturating_sub(line.len())));
    line
}

fn escape(text: &str, property: bool, limit: usize) -> String {
    super::escape::escaped(text, limit, |c| match c {
        '%' => Some("%25"),
        '\r' => Some("%0D"),
        '\n' => Some("%0A"),
        ':' if property => Some("%3A"),
        ',' if property => Some("%2C"),
        _ => None,
    })
}

/// An entry of `GITHUB_OUTPUT`; the delimiter is random, so that no value holds it (P03).
pub(super) fn output(name: &str, value: &str, delimiter: &str) -> String {
    format!("{name}<<{delimiter}\n{value}\n{delimiter}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p02_values_are_escaped() {
        let line = command("error", &[("title", "a:b,c%\n")], "50% of\r\n::stop", 1000);
        assert_eq!(line, "::error title=a%3Ab%2Cc%25%0A::50%25 of%0D%0A::stop");
        assert_eq!(command("debug", &[], "x", 1000), "::debug::x");
    }

    #[test]
    fn lines_are_cut_at_the_limit() {
        let line = command("error", &[], &"%".repeat(10_000), 100);
        assert!(line.len() <= 100 && line.ends_with('…'), "{line}");
    }
}
