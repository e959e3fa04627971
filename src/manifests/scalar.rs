//! What readers take a scalar without quotes for.
//!
//! YAML 1.1 and 1.2 differ, and so do their readers: Go's take `1_0` for 10, others take `12:30` for 750. What any of
//! them reads as something else than text may come out in another spelling, so here it is that.

use std::fmt;

/// What a plain scalar is to at least one reader.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Typed {
    Text,
    Null,
    Boolean,
    Number,
    Date,
    /// `<<` and `=`.
    Special,
}

impl Typed {
    pub(super) fn of(text: &str) -> Self {
        if text.len() > 300 {
            return Self::Text;
        }
        let lower = text.to_ascii_lowercase();
        match lower.as_str() {
            "" | "~" | "null" => return Self::Null,
            "y" | "n" | "yes" | "no" | "true" | "false" | "on" | "off" => return Self::Boolean,
            "<<" | "=" => return Self::Special,
            _ => {}
        }
        if is_number(&lower) {
            Self::Number
        } else if is_date(&lower) {
            Self::Date
        } else {
            Self::Text
        }
    }
}

impl fmt::Display for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::Date => "a date",
            Self::Special => "a sign of its own",
        })
    }
}

/// Decimal, octal, hexadecimal, binary, sexagesimal and floating-point numbers, with `_` anywhere.
fn is_number(lower: &str) -> bool {
    let bare: String = lower.chars().filter(|c| *c != '_').collect();
    let bare = bare.strip_prefix(['-', '+']).unwrap_or(&bare);
    if matches!(bare, ".inf" | ".nan" | "inf" | "nan" | "infinity") {
        return bare.starts_with('.');
    }
    if let Some(digits) = ["0x", "0o", "0b"]
        .iter()
        .find_map(|prefix| bare.strip_prefix(prefix))
    {
        return !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    }
    let (mantissa, exponent) = match bare.split_once('e') {
        Some((mantissa, exponent)) => {
            let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            (mantissa, Some(exponent))
        }
        None => (bare, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let sexagesimal = |text: &str| {
        text.split(':')
            .all(|part| !part.is_empty() && part.len() < 20 && digits(part))
    };
    exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
        && digits(fraction)
        && (whole.is_empty() || sexagesimal(whole))
        && !(whole.is_empty() && fraction.is_empty())
}

/// `2026-11-30`, alone or before a time.
fn is_date(lower: &str) -> bool {
    let (date, time) = match lower.split_once(['t', ' ', '\t']) {
        Some((date, time)) => (date, Some(time)),
        None => (lower, None),
    };
    let parts: Vec<&str> = date.split('-').collect();
    let sizes = matches!(parts.as_slice(), [year, month, day]
        if year.len() == 4 && (1..=2).contains(&month.len()) && (1..=2).contains(&day.len()));
    sizes
        && parts.concat().bytes().all(|b| b.is_ascii_digit())
        && time.is_none_or(|time| time.trim_start().contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_some_reader_takes_for_more_than_text() {
        for (text, typed) in [
            ("", Typed::Null),
            ("~", Typed::Null),
            ("NULL", Typed::Null),
            ("y", Typed::Boolean),
            ("Off", Typed::Boolean),
            ("TRUE", Typed::Boolean),
            ("1", Typed::Number),
            ("1.10", Typed::Number),
            ("1.", Typed::Number),
            (".5", Typed::Number),
            ("+1_000", Typed::Number),
            ("-0", Typed::Number),
            ("0755", Typed::Number),
            ("0o17", Typed::Number),
            ("0x1F", Typed::Number),
            ("0_x1F", Typed::Number),
            ("0b101", Typed::Number),
            ("1e3", Typed::Number),
            ("12E4567", Typed::Number),
            ("1.5e-3", Typed::Number),
            ("12:30", Typed::Number),
            ("190:20:30.15", Typed::Number),
            (".inf", Typed::Number),
            ("-.INF", Typed::Number),
            (".NaN", Typed::Number),
            ("2026-11-30", Typed::Date),
            ("2026-1-3", Typed::Date),
            ("2026-11-30T12:00:00Z", Typed::Date),
            ("2026-11-30 12:00:00", Typed::Date),
            ("=", Typed::Special),
        ] {
            assert_eq!(Typed::of(text), typed, "{text}");
        }
        for text in [
            "1.10.0",
            "v1.10",
            "latest",
            "1.10-alpine",
            "e3",
            "1e",
            "0x",
            "0xg",
            ".",
            "-",
            "1-2",
            "2026-11-30-1",
            "2026-11",
            "nan",
            "inf",
            "yes1",
            "sha256:12",
            "a/b:1",
            "20261130T1200",
        ] {
            assert_eq!(Typed::of(text), Typed::Text, "{text}");
        }
    }
}
