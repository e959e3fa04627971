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
    let out = out.replace("##vso[", "## vso[").replace("##[", "## [");
    let mut broken = String::with_capacity(out.len());
    for c in out.chars() {
        if c == ':' && broken.ends_with(':') {
            broken.push(' ');
        }
        broken.push(c);
    }
    broken
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

/// Control characters, line and paragraph separators, what reorders or hides text, and what a comparison by
/// language rules ignores (hosts look for `##vso[` by such rules).
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p02_foreign_text_is_no_command() {
        for hostile in [
            "::error::x",
            "##vso[task.complete]x",
            "a\n::set-output name=x::y",
            "\r##[error]",
            "\u{2028}::x",
            ":::x",
            "::::x",
            "###[error]",
            "##\u{ad}vso[x]",
            "##\u{200b}[x]",
        ] {
            let printed = plain(hostile);
            assert!(!printed.contains("::") && !printed.contains("##vso[") && !printed.contains("##["), "{printed}");
            assert!(
                !printed.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{ad}' | '\u{200b}')),
                "{printed}"
            );
        }
    }

    #[test]
    fn p04_foreign_text_stays_in_its_cell() {
        let cell = markdown("<img src=x>|`[a](b)\n");
        assert_eq!(cell, "<code>&lt;img src=x&gt;&#124;&#96;&#91;a&#93;&#40;b&#41;&#92;n</code>");
    }
}
