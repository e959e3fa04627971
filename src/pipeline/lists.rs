//! Lists in inputs: one value per line; where commas count, quotes keep a comma in its value.

/// One value per line, trimmed, without empty ones.
pub(super) fn lines(text: &str) -> Vec<String> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(ToOwned::to_owned)
        .collect()
}

/// One value per line or comma, as docker's actions read their lists (RFC 4180 quotes).
pub(super) fn comma_separated(text: &str) -> Vec<String> {
    text.lines()
        .flat_map(fields)
        .filter(|field| !field.is_empty())
        .collect()
}

fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' if quoted || field.trim().is_empty() => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field).trim().to_owned()),
            c => field.push(c),
        }
    }
    fields.push(field.trim().to_owned());
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_trimmed_and_empty_ones_left_out() {
        assert_eq!(lines(" a \n\n b,c\r\n"), ["a", "b,c"]);
        assert_eq!(comma_separated("a, b\n,c,,\n \n"), ["a", "b", "c"]);
    }

    #[test]
    fn quotes_keep_commas() {
        assert_eq!(comma_separated("\"a,b\",c"), ["a,b", "c"]);
        assert_eq!(comma_separated("\"say \"\"x\"\"\""), ["say \"x\""]);
        assert_eq!(comma_separated("a\"b"), ["a\"b"]);
    }
}
