//! Comments in JSON (`//` and `/* */`), as az, PowerShell and ARM itself read them.

use crate::manifests::yaml::is_json;

/// The text with blanks for its comments, where there are any and the rest is one JSON object; all places stay.
pub(in crate::manifests) fn without_comments(text: &str) -> Option<String> {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if !start.starts_with(['{', '/']) {
        return None;
    }
    let bare = blanked(text)?;
    (bare != text && is_json(&bare)).then_some(bare)
}

/// `None` where a comment or a text does not end.
fn blanked(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['"', '/']) {
        let (before, token) = rest.split_at_checked(at)?;
        out.push_str(before);
        let length = if token.starts_with('"') {
            string_length(token)?
        } else if token.starts_with("//") {
            token.find(['\n', '\r']).unwrap_or(token.len())
        } else if token.starts_with("/*") {
            token.get(2..)?.find("*/")? + 4
        } else {
            1
        };
        let (token, after) = token.split_at_checked(length)?;
        if token.starts_with("//") || token.starts_with("/*") {
            // One blank per byte, so that every place stays where it was.
            out.extend(token.bytes().map(|b| {
                if b == b'\n' || b == b'\r' {
                    char::from(b)
                } else {
                    ' '
                }
            }));
        } else {
            out.push_str(token);
        }
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

/// Bytes of a text in quotes, with both of them.
fn string_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !escaped => return Some(at + 1),
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}
