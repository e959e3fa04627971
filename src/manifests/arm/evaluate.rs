//! Expressions are worked out as far as images need, and never guessed.

use super::{
    functions,
    member::member,
    parameters::Literal,
    scope::{Given, Scope, Value},
    syntax::{self, Expression, Parsed},
};
use crate::manifests::tree::{Node, Scalar};

/// Variables and parameters inside of each other.
const DEPTH: usize = 24;
/// Characters of expressions that are worked out for one file: variables can double each other.
const COST: usize = 64 << 20;
/// Types of parameters whose values are no objects.
const SCALAR_TYPES: &[&str] = &["string", "securestring", "int", "bool"];

impl<'a> Scope<'a> {
    /// The text that a scalar comes to; `None` where that is not known.
    pub(super) fn text(&'a self, scalar: &Scalar) -> Option<String> {
        match self.scalar(scalar, 0)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The name that a member has, which may be an expression.
    pub(super) fn name_of(&'a self, name: &str) -> Option<String> {
        match self.value(name, 0)? {
            Value::Text(name) => Some(name),
            _ => None,
        }
    }

    /// The value of a scalar of this template.
    pub(super) fn scalar(&'a self, scalar: &Scalar, depth: usize) -> Option<Value<'a>> {
        match Literal::of_scalar(scalar) {
            Literal::Text(text) => self.value(&text, depth),
            Literal::Number(number) => Some(Value::Number(number)),
            Literal::Boolean(value) => Some(Value::Boolean(value)),
            Literal::Null => Some(Value::Null),
            _ => None,
        }
    }

    fn value(&'a self, text: &str, depth: usize) -> Option<Value<'a>> {
        self.cost
            .set(self.cost.get().saturating_add(text.len() + 16));
        if depth > DEPTH || self.cost.get() > COST {
            return None;
        }
        match syntax::parse(text) {
            Parsed::Text(text) => Some(Value::Text(text.to_owned())),
            Parsed::Expression(expression) => self.expression(&expression, depth),
            Parsed::Unknown => None,
        }
    }

    pub(super) fn node(&'a self, node: &'a Node, depth: usize) -> Option<Value<'a>> {
        if depth > DEPTH {
            return None;
        }
        match node {
            Node::Scalar(scalar) => self.scalar(scalar, depth),
            node => Some(Value::Node(node, self)),
        }
    }

    pub(super) fn expression(&'a self, expression: &Expression, depth: usize) -> Option<Value<'a>> {
        match expression {
            Expression::Text(text) => Some(Value::Text(text.clone())),
            Expression::Number(number) => Some(Value::Number(*number)),
            Expression::Member(holder, name) => {
                let holder = self.expression(holder, depth)?;
                let name = self.expression(name, depth)?;
                holder.member(&name, depth)
            }
            Expression::Call(name, arguments) => match (name.as_str(), arguments.as_slice()) {
                ("parameters", [name]) => self.parameter(&self.name(name, depth)?, depth + 1),
                ("variables", [name]) => {
                    let node = *self.variables.get(&self.name(name, depth)?)?;
                    self.node(node, depth + 1)
                }
                (name, arguments) => functions::call(name, arguments, self, depth),
            },
        }
    }

    fn name(&'a self, expression: &Expression, depth: usize) -> Option<String> {
        match self.expression(expression, depth)? {
            Value::Text(name) => Some(name.to_lowercase()),
            _ => None,
        }
    }

    fn parameter(&'a self, name: &str, depth: usize) -> Option<Value<'a>> {
        match self.given.get(name) {
            Some(Given::File(literal)) => Value::of_literal(literal),
            Some(Given::Outer(node, outer)) => outer.node(node, depth),
            Some(Given::Unknown) => None,
            None => self.node(
                member(self.declared.get(name)?, "defaultValue").ok()??,
                depth,
            ),
        }
    }

    /// Whether an expression comes to a text, number or boolean, whatever that is.
    pub(super) fn is_scalar(&'a self, text: &str) -> bool {
        match syntax::parse(text) {
            Parsed::Text(_) => true,
            Parsed::Expression(expression) => self.is_scalar_expression(&expression, 0),
            Parsed::Unknown => false,
        }
    }

    fn is_scalar_expression(&'a self, expression: &Expression, depth: usize) -> bool {
        if depth > DEPTH {
            return false;
        }
        let Expression::Call(name, arguments) = expression else {
            return !matches!(expression, Expression::Member(..));
        };
        match (name.as_str(), arguments.as_slice()) {
            ("parameters", [name]) => {
                let declared = self.name(name, 0).and_then(|name| self.declared.get(&name));
                let kind = declared.and_then(|declared| member(declared, "type").ok()?);
                kind.and_then(Node::as_scalar)
                    .is_some_and(|kind| SCALAR_TYPES.contains(&kind.value.to_lowercase().as_str()))
            }
            ("variables", [name]) => {
                let node = self
                    .name(name, 0)
                    .and_then(|name| self.variables.get(&name));
                node.and_then(|node| node.as_scalar())
                    .is_some_and(|scalar| {
                        self.cost
                            .set(self.cost.get().saturating_add(scalar.value.len()));
                        match syntax::parse(&scalar.value) {
                            Parsed::Text(_) => true,
                            Parsed::Expression(inner) => {
                                self.cost.get() < COST
                                    && self.is_scalar_expression(&inner, depth + 1)
                            }
                            Parsed::Unknown => false,
                        }
                    })
            }
            ("if", [_, then, or]) => {
                self.is_scalar_expression(then, depth + 1)
                    && self.is_scalar_expression(or, depth + 1)
            }
            // Of lists it is a list.
            ("concat", all) => all
                .iter()
                .any(|one| self.is_scalar_expression(one, depth + 1)),
            ("coalesce", all) => all
                .iter()
                .all(|one| self.is_scalar_expression(one, depth + 1)),
            (name, _) => functions::gives_scalar(name),
        }
    }
}

impl<'a> Value<'a> {
    pub(super) fn of_literal(literal: &'a Literal) -> Option<Self> {
        Some(match literal {
            Literal::Text(text) => Self::Text(text.clone()),
            Literal::Number(number) => Self::Number(*number),
            Literal::Boolean(value) => Self::Boolean(*value),
            Literal::Null => Self::Null,
            Literal::List(_) | Literal::Object(_) => Self::Literal(literal),
            Literal::Unknown => return None,
        })
    }

    fn member(&self, name: &Value<'_>, depth: usize) -> Option<Self> {
        match (self, name) {
            (Self::Node(Node::Mapping(mapping), scope), Value::Text(name)) => {
                let cost = scope.cost.get().saturating_add(mapping.entries.len());
                scope.cost.set(cost);
                if cost > COST {
                    return None;
                }
                scope.node(member(mapping, name).ok()??, depth + 1)
            }
            (Self::Node(Node::Sequence(sequence), scope), Value::Number(index)) => scope.node(
                sequence.items.get(usize::try_from(*index).ok()?)?,
                depth + 1,
            ),
            (Self::Literal(Literal::Object(members)), Value::Text(name)) => {
                Self::of_literal(members.get(&name.to_lowercase())?)
            }
            (Self::Literal(Literal::List(items)), Value::Number(index)) => {
                Self::of_literal(items.get(usize::try_from(*index).ok()?)?)
            }
            (Self::List(items), Value::Number(index)) => {
                items.get(usize::try_from(*index).ok()?).cloned()
            }
            _ => None,
        }
    }
}
