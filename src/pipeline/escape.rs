//! What both hosts' commands share: characters replaced, and a line cut before it is too long.

/// `text` with some characters replaced, cut with `…` where it would pass `limit` bytes.
pub(super) fn escaped(
    text: &str,
    limit: usize,
    replace: impl Fn(char) -> Option<&'static str>,
) -> String {
    const MORE: char = '…';
    let mut out = String::with_capacity(text.len().min(limit));
    let mut cut_at = 0;
    for c in text.chars() {
        if out.len() + MORE.len_utf8() <= limit {
            cut_at = out.len();
        }
        match replace(c) {
            Some(other) => out.push_str(other),
            None => out.push(c),
        }
        if out.len() > limit {
            out.truncate(cut_at);
            out.push(MORE);
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_ends_within_the_limit() {
        for limit in [3, 4, 5, 10] {
            let cut = escaped("aéaéaéaéaéaé", limit, |_| None);
            assert!(cut.len() <= limit && cut.ends_with('…'), "{limit}: {cut}");
        }
        assert_eq!(escaped("abc", 3, |_| None), "abc");
    }
}
