//! Foreign text made harmless for the place it is printed in (attacks P02, P04).

/// One line of plain text: control characters and line separators become visible escapes, and what
/// pipeline hosts read as commands (`::`, `##vso[`, `##[`) is broken up.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push(' '),
            c if is_hidden(c) => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.replace("##vso[", "## vso[").replace("##[", "## [").replace("::", ": :")
}

/// A code span in a Markdown table cell: what is inside shows as typed and cannot end the cell.
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str("<code>");
    for c in plain(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // Markdown's own signs, as numbers: a code element still takes links and emphasis.
            '|' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '!' | '\\' | '#' | '~' | '@' | ':' | '$' => {
                out.push_str(&format!("&#{};", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push_str("</code>");
    out
}

/// Control characters, line and paragraph separators, and what reorders or hides text.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p02_foreign_text_is_no_command() {
        for hostile in
            ["::error::x", "##vso[task.complete]x", "a\n::set-output name=x::y", "\r##[error]", "\u{2028}::x"]
        {
            let printed = plain(hostile);
            assert!(!printed.contains("::") && !printed.contains("##vso[") && !printed.contains("##["), "{printed}");
            assert!(!printed.chars().any(|c| c.is_control() || c == '\u{2028}'), "{printed}");
        }
    }

    #[test]
    fn p04_foreign_text_stays_in_its_cell() {
        let cell = markdown("<img src=x>|`[a](b)\n");
        assert_eq!(cell, "<code>&lt;img src=x&gt;&#124;&#96;&#91;a&#93;&#40;b&#41;&#92;n</code>");
    }
}
