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

/// Code in Markdown, also in a table cell: what is inside shows as typed, links nowhere, mentions nobody
/// and cannot end the cell.
pub fn markdown(text: &str) -> String {
    let text = plain(text);
    let text = text.trim();
    if text.is_empty() {
        return String::new();
    }
    // Nothing is interpreted in a code span; these could end it or the table cell around it, or be HTML to a
    // reader that knows no code spans.
    if !text.contains(['`', '|', '\\', '<', '>']) {
        return format!("`{text}`");
    }
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str("<code>");
    for c in text.chars() {
        if c.is_alphanumeric() || c == ' ' {
            out.push(c);
        } else if c == '@' {
            // In an element of its own: an address is made a link even where its sign is a number.
            out.push_str("<span>&#64;</span>");
        } else {
            out.push_str(&format!("&#{};", u32::from(c)));
        }
    }
    out.push_str("</code>");
    out
}

/// A sentence in Markdown: words stay words, and what is between backticks, or could be read as Markdown,
/// HTML, a link or a mention, is shown as code.
pub fn prose(text: &str) -> String {
    let text = plain(text);
    let parts: Vec<&str> = text.split('`').collect();
    // An odd backtick belongs to nobody: then all of it is code.
    if parts.len().is_multiple_of(2) {
        return markdown(&text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for (index, part) in parts.into_iter().enumerate() {
        if index % 2 == 1 {
            out.push_str(&markdown(part));
            continue;
        }
        for piece in part.split_inclusive(' ') {
            let word = piece.trim_end_matches(' ');
            if word.chars().all(is_prose) && !is_taken_up(word) {
                out.push_str(word);
            } else {
                out.push_str(&markdown(word));
            }
            out.push_str(piece.get(word.len()..).unwrap_or_default());
        }
    }
    out
}

/// At most so many characters of a text, with a sign where it was cut.
pub(super) fn clipped(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Whether a page makes more of a word than a word: a link, or (`:bomb:`) a picture.
fn is_taken_up(word: &str) -> bool {
    let inner = word.strip_suffix(':').unwrap_or(word);
    inner.contains(':') || word.contains("//") || word.to_lowercase().contains("www.")
}

/// Characters that mean nothing to Markdown inside of a line.
fn is_prose(c: char) -> bool {
    c.is_alphanumeric()
        || matches!(
            c,
            ',' | '.'
                | ';'
                | ':'
                | '\''
                | '"'
                | '('
                | ')'
                | '-'
                | '–'
                | '/'
                | '%'
                | '='
                | '?'
                | '…'
        )
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
            assert!(
                !printed.contains("::") && !printed.contains("##vso[") && !printed.contains("##["),
                "{printed}"
            );
            assert!(
                !printed
                    .chars()
                    .any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{ad}' | '\u{200b}')),
                "{printed}"
            );
        }
    }

    #[test]
    fn p04_foreign_text_stays_in_its_cell() {
        for (text, shown) in [
            ("contoso.azurecr.io/web:1", "`contoso.azurecr.io/web:1`"),
            (
                "@org [a](b) www.evil.example",
                "`@org [a](b) www.evil.example`",
            ),
            ("<img>", "<code>&#60;img&#62;</code>"),
            ("a|b", "<code>a&#124;b</code>"),
            ("`<b>", "<code>&#96;&#60;b&#62;</code>"),
            (
                "a@b.example|",
                "<code>a<span>&#64;</span>b&#46;example&#124;</code>",
            ),
            ("\\|\n", "<code>&#92;&#124;&#92;n</code>"),
            ("a\u{202e}b", "<code>a&#92;u&#123;202e&#125;b</code>"),
            (" ", ""),
        ] {
            assert_eq!(markdown(text), shown);
        }
    }

    #[test]
    fn p04_sentences_keep_their_words() {
        for (text, shown) in [
            (
                "`a:1` is not signed (3 of 4)",
                "`a:1` is not signed (3 of 4)",
            ),
            (
                "ask @org about https://evil.example/x now",
                "ask `@org` about `https://evil.example/x` now",
            ),
            (
                "<img src=x onerror=y>",
                "<code>&#60;img</code> src=x <code>onerror&#61;y&#62;</code>",
            ),
            (
                "**bold** and [a](b) WWW.x.y",
                "`**bold**` and `[a](b)` `WWW.x.y`",
            ),
            ("a: :bomb: and 12:30", "a: `:bomb:` and `12:30`"),
            ("`a|b` no", "<code>a&#124;b</code> no"),
            ("one ` alone", "<code>one &#96; alone</code>"),
        ] {
            assert_eq!(prose(text), shown);
        }
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(clipped("äöü", 2), "äö…");
        assert_eq!(clipped("äöü", 3), "äöü");
    }
}
