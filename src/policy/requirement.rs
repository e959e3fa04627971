//! What must hold, as a tree. An empty list cannot be expressed, and more than there is cannot be required.

use serde_json::{Value, json};

/// What must hold for an image; `L` says what a leaf is.
#[derive(Clone, Debug)]
pub struct Requirement<L>(pub(super) Kind<L>);

#[derive(Clone, Debug)]
pub(super) enum Kind<L> {
    Leaf(L),
    All(Vec<Requirement<L>>),
    Any(Vec<Requirement<L>>),
    AtLeast {
        count: usize,
        of: Vec<Requirement<L>>,
    },
}

impl<L> Requirement<L> {
    /// One requirement on signatures.
    pub fn leaf(leaf: L) -> Self {
        Self(Kind::Leaf(leaf))
    }

    /// All of these; `None` when there are none.
    pub fn all(members: Vec<Self>) -> Option<Self> {
        (!members.is_empty()).then_some(Self(Kind::All(members)))
    }

    /// At least one of these; `None` when there are none.
    pub fn any(members: Vec<Self>) -> Option<Self> {
        (!members.is_empty()).then_some(Self(Kind::Any(members)))
    }

    /// At least `count` of these, by so many distinct keys; `None` when that can never hold, or always would.
    pub fn at_least(count: usize, of: Vec<Self>) -> Option<Self> {
        (count > 0 && count <= of.len()).then_some(Self(Kind::AtLeast { count, of }))
    }

    /// The leaves, in the order of the text; findings are given in this order.
    pub fn leaves(&self) -> Vec<&L> {
        let mut leaves = Vec::new();
        self.collect(&mut leaves);
        leaves
    }

    fn collect<'a>(&'a self, leaves: &mut Vec<&'a L>) {
        match &self.0 {
            Kind::Leaf(leaf) => leaves.push(leaf),
            Kind::All(members) | Kind::Any(members) | Kind::AtLeast { of: members, .. } => {
                for member in members {
                    member.collect(leaves);
                }
            }
        }
    }

    /// Whether the tree can hold at all, where some leaves never do.
    pub fn may_hold(&self, leaf: &impl Fn(&L) -> bool) -> bool {
        match &self.0 {
            Kind::Leaf(one) => leaf(one),
            Kind::All(members) => members.iter().all(|member| member.may_hold(leaf)),
            Kind::Any(members) => members.iter().any(|member| member.may_hold(leaf)),
            Kind::AtLeast { count, of } => {
                of.iter().filter(|member| member.may_hold(leaf)).count() >= *count
            }
        }
    }

    /// The same tree over other leaves.
    pub fn try_map<M, E>(
        &self,
        leaf: &mut impl FnMut(&L) -> Result<M, E>,
    ) -> Result<Requirement<M>, E> {
        let mut each = |members: &[Self]| {
            members
                .iter()
                .map(|member| member.try_map(leaf))
                .collect::<Result<Vec<_>, E>>()
        };
        Ok(Requirement(match &self.0 {
            Kind::All(members) => Kind::All(each(members)?),
            Kind::Any(members) => Kind::Any(each(members)?),
            Kind::AtLeast { count, of } => Kind::AtLeast {
                count: *count,
                of: each(of)?,
            },
            Kind::Leaf(one) => Kind::Leaf(leaf(one)?),
        }))
    }

    /// The tree in words, one line per member, each `indent` further in than what holds it.
    pub fn describe(&self, leaf: &impl Fn(&L) -> String) -> String {
        let mut text = String::new();
        self.write(leaf, 0, &mut text);
        text
    }

    /// The tree as JSON, in the words of the file: a leaf is what `leaf` makes of it.
    pub fn json(&self, leaf: &impl Fn(&L) -> Value) -> Value {
        let each = |members: &[Self]| {
            members
                .iter()
                .map(|member| member.json(leaf))
                .collect::<Value>()
        };
        match &self.0 {
            Kind::Leaf(one) => leaf(one),
            Kind::All(members) => json!({"all": each(members)}),
            Kind::Any(members) => json!({"any": each(members)}),
            Kind::AtLeast { count, of } => json!({"atLeast": count, "of": each(of)}),
        }
    }

    fn write(&self, leaf: &impl Fn(&L) -> String, depth: usize, text: &mut String) {
        let indent = "  ".repeat(depth);
        let (head, members) = match &self.0 {
            Kind::Leaf(one) => (leaf(one), [].as_slice()),
            Kind::All(members) => ("all of".to_owned(), members.as_slice()),
            Kind::Any(members) => ("any of".to_owned(), members.as_slice()),
            Kind::AtLeast { count, of } => (
                format!("at least {count}, by distinct keys, of"),
                of.as_slice(),
            ),
        };
        text.push_str(&format!("{indent}{head}\n"));
        for member in members {
            member.write(leaf, depth + 1, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_holds_takes_with_it_what_needs_it() {
        let leaves = |text: &str| text.chars().map(Requirement::leaf).collect::<Vec<_>>();
        let all = |text: &str| Requirement::all(leaves(text)).unwrap();
        let any = |text: &str| Requirement::any(leaves(text)).unwrap();
        let two_of = |text: &str| Requirement::at_least(2, leaves(text)).unwrap();
        for (tree, expected) in [
            (all("yy"), true),
            (all("yn"), false),
            (any("yn"), true),
            (any("nn"), false),
            (two_of("yyn"), true),
            (two_of("ynn"), false),
            (
                Requirement::all(vec![any("yn"), two_of("yy")]).unwrap(),
                true,
            ),
            (Requirement::all(vec![any("yn"), all("ny")]).unwrap(), false),
        ] {
            assert_eq!(tree.may_hold(&|leaf| *leaf == 'y'), expected, "{tree:?}");
        }
    }
}
