//! Files and folders that a kustomization is built of.

use crate::manifests::{Finder, Part, Problem, Role, tree::Node};

impl Finder<'_> {
    /// Takes note of a file or folder that a build reads too; `role` says as what.
    pub(super) fn part(&mut self, node: &Node, role: Role) -> Result<(), Problem> {
        self.work.step(node.at())?;
        let path = node.text("a resource")?;
        if !is_local(path) {
            let message = format!(
                "`{}` is not a plain path of a file or folder, and may be fetched from elsewhere",
                path.escape_debug()
            );
            return Err(Problem::new(node.at(), message));
        }
        self.parts.push(Part {
            path: path.to_owned(),
            line: node.at().line,
            role,
        });
        Ok(())
    }
}

/// Whether Kustomize reads a path as one, and asks no repository before: letters, digits and `._-/`.
pub(super) fn is_local(path: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"._-/".contains(&b);
    let first = path
        .split('/')
        .find(|segment| !matches!(*segment, "." | ".."));
    !path.is_empty()
        && !path.starts_with(['/', '-'])
        && !path.contains("//")
        && path.bytes().all(is_plain)
        && !first.is_some_and(|first| first.eq_ignore_ascii_case("github.com"))
}
