//! Azure Pipelines: logging commands (`##vso[area.action key=value;]message`).

/// A logging command; values are escaped, and the message is cut where the line would pass `limit` bytes.
pub(super) fn command(
    name: &str,
    properties: &[(&str, &str)],
    message: &str,
    limit: usize,
) -> String {
    let mut line = format!("##vso[{name}");
    for (at, (key, value)) in properties.iter().enumerate() {
        line.push_str(if at == 0 { " " } else { "" });
        line.push_str(&format!("{key}={};", escape(value, true, 300)));
    }
    line.push(']');
    line.push_str(&escape(message, false, limit.saturating_sub(line.len())));
    line
}

fn escape(text: &str, property: bool, limit: usize) -> String {
    super::escape::escaped(text, limit, |c| match c {
        '%' => Some("%AZP25"),
        '\r' => Some("%0D"),
        '\n' => Some("%0A"),
        ';' if property => Some("%3B"),
        ']' if property => Some("%5D"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p02_values_are_escaped() {
        let line = command(
            "task.logissue",
            &[("type", "error"), ("code", "a;b]c")],
            "50%\r\n##vso[x]",
            1000,
        );
        assert_eq!(
            line,
            "##vso[task.logissue type=error;code=a%3Bb%5Dc;]50%AZP25%0D%0A##vso[x]"
        );
        assert_eq!(command("task.debug", &[], "x", 1000), "##vso[task.debug]x");
    }

    #[test]
    fn lines_are_cut_at_the_limit() {
        let line = command("task.debug", &[], &"%".repeat(10_000), 100);
        assert!(line.len() <= 100 && line.ends_with('…'), "{line}");
    }
}
