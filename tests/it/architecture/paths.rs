//! The paths that a Rust file names: the leaves of its `use` trees, and every path in code, types, attributes of
//! macros and macro arguments. Code under `#[cfg(test)]` is left out.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, File, Item, ItemMod, ItemUse, Macro, Path, UseTree, Visibility, visit, visit::Visit,
};

/// One leaf of a `use` tree.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Import {
    pub segments: Vec<String>,
    /// The name that it has in this file; `None` for `*` and `_`.
    pub name: Option<String>,
    pub glob: bool,
    pub public: bool,
    /// The modules within this file that it stands in, outermost first.
    pub inside: Vec<String>,
}

/// A path in the code that is no `use`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mention {
    pub segments: Vec<String>,
    pub inside: Vec<String>,
}

/// What one file names.
#[derive(Debug, Default)]
pub struct Paths {
    pub imports: Vec<Import>,
    pub mentions: Vec<Mention>,
    /// The names of the items that stand in the file itself.
    pub defined: BTreeSet<String>,
    /// Modules without a body, and whether they are for tests only.
    pub modules: BTreeMap<String, bool>,
    inside: Vec<String>,
}

impl Paths {
    /// # Panics
    ///
    /// If the text is not Rust.
    pub fn of(text: &str) -> Self {
        let file: File = syn::parse_file(text).unwrap();
        let mut paths = Self::default();
        paths.visit_file(&file);
        paths
    }

    fn leaves(&mut self, tree: &UseTree, prefix: &[String], public: bool) {
        let with = |name: &syn::Ident| [prefix, &[plain(name)]].concat();
        let (segments, name, glob) = match tree {
            UseTree::Path(path) => {
                return self.leaves(&path.tree, &with(&path.ident), public);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.leaves(tree, prefix, public);
                }
                return;
            }
            UseTree::Glob(_) => (prefix.to_vec(), None, true),
            UseTree::Name(leaf) if leaf.ident == "self" => {
                (prefix.to_vec(), prefix.last().cloned(), false)
            }
            UseTree::Name(leaf) => (with(&leaf.ident), Some(plain(&leaf.ident)), false),
            UseTree::Rename(leaf) => {
                let segments = if leaf.ident == "self" {
                    prefix.to_vec()
                } else {
                    with(&leaf.ident)
                };
                let name = (leaf.rename != "_").then(|| plain(&leaf.rename));
                (segments, name, false)
            }
        };
        self.imports.push(Import {
            segments,
            name,
            glob,
            public,
            inside: self.inside.clone(),
        });
    }

    fn mention(&mut self, segments: Vec<String>) {
        let inside = self.inside.clone();
        self.mentions.push(Mention { segments, inside });
    }

    /// Macro arguments are no syntax tree: what has the shape `a::b` is taken for a path.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut segments: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) if colons == 2 || segments.is_empty() => {
                    segments.push(plain(&name));
                    colons = 0;
                    continue;
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' && !segments.is_empty() => {
                    colons += 1;
                    continue;
                }
                TokenTree::Group(group) => {
                    self.flush(&mut segments);
                    self.tokens(group.stream());
                }
                TokenTree::Ident(name) => {
                    self.flush(&mut segments);
                    segments.push(plain(&name));
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => self.flush(&mut segments),
            }
            colons = 0;
        }
        self.flush(&mut segments);
    }

    fn flush(&mut self, segments: &mut Vec<String>) {
        let segments = std::mem::take(segments);
        if segments.len() > 1 {
            self.mention(segments);
        }
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attributes, name) = head(item);
        if !attributes.iter().any(is_for_tests) {
            if self.inside.is_empty() {
                self.defined.extend(name.map(plain));
            }
            visit::visit_item(self, item);
        } else if let Item::Mod(module) = item
            && module.content.is_none()
        {
            self.modules.insert(plain(&module.ident), true);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if module.content.is_none() {
            self.modules.insert(plain(&module.ident), false);
            return;
        }
        self.inside.push(plain(&module.ident));
        visit::visit_item_mod(self, module);
        self.inside.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_none() {
            let public = !matches!(item.vis, Visibility::Inherited);
            self.leaves(&item.tree, &[], public);
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if path.leading_colon.is_none() && path.segments.len() > 1 {
            self.mention(
                path.segments
                    .iter()
                    .map(|part| plain(&part.ident))
                    .collect(),
            );
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, code: &'ast Macro) {
        self.visit_path(&code.path);
        self.tokens(code.tokens.clone());
    }

    /// `pub(in crate::flow)` uses nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

fn plain(name: &syn::Ident) -> String {
    name.to_string().trim_start_matches("r#").to_owned()
}

fn is_for_tests(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && attribute
            .parse_args::<syn::Ident>()
            .is_ok_and(|option| option == "test")
}

fn head(item: &Item) -> (&[Attribute], Option<&syn::Ident>) {
    match item {
        Item::Const(item) => (&item.attrs, Some(&item.ident)),
        Item::Enum(item) => (&item.attrs, Some(&item.ident)),
        Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
        Item::Impl(item) => (&item.attrs, None),
        Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
        Item::Mod(item) => (&item.attrs, item.content.as_ref().map(|_| &item.ident)),
        Item::Static(item) => (&item.attrs, Some(&item.ident)),
        Item::Struct(item) => (&item.attrs, Some(&item.ident)),
        Item::Trait(item) => (&item.attrs, Some(&item.ident)),
        Item::Type(item) => (&item.attrs, Some(&item.ident)),
        Item::Use(item) => (&item.attrs, None),
        _ => panic!("an item of a new kind"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Import, Paths};

    fn imports(text: &str) -> Vec<String> {
        let shown = |import: &Import| {
            let name = import.name.as_deref().unwrap_or("-");
            let star = if import.glob { "::*" } else { "" };
            let public = if import.public { "pub " } else { "" };
            let inside = import.inside.concat();
            format!(
                "{inside}>{public}{}{star} as {name}",
                import.segments.join("::")
            )
        };
        Paths::of(text).imports.iter().map(shown).collect()
    }

    fn mentions(text: &str) -> Vec<String> {
        Paths::of(text)
            .mentions
            .iter()
            .map(|mention| mention.segments.join("::"))
            .collect()
    }

    #[test]
    fn use_trees_are_read_to_their_leaves() {
        for (text, leaves) in [
            ("use crate::net;", vec![">crate::net as net"]),
            (
                "use crate::{net::{self, Client as Http, retry::*}, oci};",
                vec![
                    ">crate::net as net",
                    ">crate::net::Client as Http",
                    ">crate::net::retry::* as -",
                    ">crate::oci as oci",
                ],
            ),
            (
                "pub(crate) use super::{super::a::B, self::c};",
                vec![">pub super::super::a::B as B", ">pub super::self::c as c"],
            ),
            ("use a::{self as b};", vec![">a as b"]),
            ("use a::Trait as _;", vec![">a::Trait as -"]),
            ("use {a::b, c};", vec![">a::b as b", ">c as c"]),
            ("use ::a::b;", vec![]),
            ("use r#type::r#match;", vec![">type::match as match"]),
            ("fn f() { use a::b; }", vec![">a::b as b"]),
            ("mod m { use super::a; }", vec!["m>super::a as a"]),
            ("#[cfg(test)] mod tests { use a::b; }", vec![]),
            ("#[cfg(test)] use a::b;", vec![]),
            ("#[cfg(unix)] use a::b;", vec![">a::b as b"]),
            ("// use a::b;\nconst T: &str = \"use a::b;\";", vec![]),
        ] {
            assert_eq!(imports(text), leaves, "{text}");
        }
    }

    #[test]
    fn paths_are_found_wherever_they_stand() {
        for (text, paths) in [
            (
                "fn f() -> crate::a::B { super::c() }",
                vec!["crate::a::B", "super::c"],
            ),
            (
                "type T = Vec<crate::a::B<self::C>>;",
                vec!["crate::a::B", "self::C"],
            ),
            ("impl crate::a::B for C {}", vec!["crate::a::B"]),
            (
                "fn f() { m!(x, &crate::a::b(y), [c::d; 2]) }",
                vec!["crate::a::b", "c::d"],
            ),
            ("fn f() { m!(if a::b == c {}) }", vec!["a::b"]),
            ("#[derive(a::B)] struct S;", vec![]),
            ("fn f() { match x { a::B::C => 1 } }", vec!["a::B::C"]),
            ("pub(in crate::a) fn f() {}", vec![]),
            ("#[cfg(test)] fn f() { crate::a::b() }", vec![]),
        ] {
            assert_eq!(mentions(text), paths, "{text}");
        }
    }

    #[test]
    fn modules_of_tests_are_told_apart() {
        let paths = Paths::of("mod a; #[cfg(test)] mod b; mod c { mod d {} }");
        assert_eq!(
            paths.modules.into_iter().collect::<Vec<_>>(),
            [("a".to_owned(), false), ("b".to_owned(), true)]
        );
    }
}
