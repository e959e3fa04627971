//! The grammar of ARM's expressions.

/// Calls inside of calls.
const DEPTH: usize = 64;
/// Characters that ARM takes for one expression.
const LENGTH: usize = 24_576;

/// An expression as written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Expression {
    Text(String),
    Number(i64),
    /// The name in lower case; with a namespace, a function of the template.
    Call(String, Vec<Self>),
    /// `.name` or `[index]`.
    Member(Box<Self>, Box<Self>),
}

/// What a text of a template is.
pub(super) enum Parsed<'a> {
    /// As it stands, or with `[[` for `[`.
    Text(&'a str),
    Expression(Expression),
    /// In brackets, and not understood.
    Unknown,
}

pub(super) fn parse(text: &str) -> Parsed<'_> {
    if text.starts_with("[[") {
        return Parsed::Text(text.get(1..).unwrap_or_default());
    }
    let Some(inner) = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    else {
        return Parsed::Text(text);
    };
    let mut reader = Reader {
        rest: inner,
        depth: 0,
    };
    let whole = reader
        .expression()
        .filter(|_| reader.rest.trim().is_empty());
    match whole {
        Some(expression) if text.len() <= LENGTH => Parsed::Expression(expression),
        _ => Parsed::Unknown,
    }
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl Reader<'_> {
    fn expression(&mut self) -> Option<Expression> {
        self.depth += 1;
        if self.depth > DEPTH {
            return None;
        }
        let mut expression = self.primary()?;
        let mut members = 0;
        loop {
            let member = if self.sign('.').is_some() {
                Expression::Text(self.name()?)
            } else if self.sign('[').is_some() {
                let index = self.expression()?;
                self.sign(']')?;
                index
            } else {
                break;
            };
            members += 1;
            if members > DEPTH {
                return None;
            }
            expression = Expression::Member(Box::new(expression), Box::new(member));
        }
        self.depth -= 1;
        Some(expression)
    }

    fn primary(&mut self) -> Option<Expression> {
        if let Some(text) = self.text() {
            return Some(Expression::Text(text));
        }
        if let Some(number) = self.number() {
            return Some(Expression::Number(number));
        }
        let mut name = self.name()?;
        while self.sign('(').is_none() {
            self.sign('.')?;
            name = format!("{name}.{}", self.name()?);
        }
        let mut arguments = Vec::new();
        while self.sign(')').is_none() {
            arguments.push(self.expression()?);
            // Between arguments a comma, after the last one the end.
            if self.sign(',').is_none() {
                self.sign(')')?;
                break;
            }
        }
        Some(Expression::Call(name.to_lowercase(), arguments))
    }

    fn sign(&mut self, sign: char) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(sign)?;
        Some(())
    }

    fn name(&mut self) -> Option<String> {
        let rest = self.rest.trim_start();
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let (name, rest) = rest.split_at_checked(end)?;
        self.rest = rest;
        (!name.is_empty()).then(|| name.to_owned())
    }

    fn number(&mut self) -> Option<i64> {
        let rest = self.rest.trim_start();
        let digits = rest.strip_prefix('-').unwrap_or(rest);
        let length = digits.bytes().take_while(u8::is_ascii_digit).count();
        if length == 0 {
            return None;
        }
        let (number, after) = rest.split_at_checked(rest.len() - digits.len() + length)?;
        let number = number.parse().ok()?;
        self.rest = after;
        Some(number)
    }

    /// A text in single quotes; two of them stand for one.
    fn text(&mut self) -> Option<String> {
        let mut out = String::new();
        let mut rest = self.rest.trim_start().strip_prefix('\'')?;
        loop {
            let (part, after) = rest.split_once('\'')?;
            out.push_str(part);
            let Some(more) = after.strip_prefix('\'') else {
                self.rest = after;
                return Some(out);
            };
            out.push('\'');
            rest = more;
        }
    }
}
