//! Tables of members that a tool knows, and what is not in them.

use super::{
    Problem,
    error::{Fix, short},
    tree::Mapping,
};

/// An allow list: the members of one mapping of one tool.
pub(super) struct Members {
    /// What the mapping is, for people.
    pub(super) of: &'static str,
    /// Exactly as the tool spells them.
    pub(super) known: &'static [&'static str],
    /// What renders a file that has others.
    pub(super) fix: Fix,
}

impl Members {
    /// Refuses a member that is not known and holds something.
    pub(super) fn check(&self, mapping: &Mapping) -> Result<(), Problem> {
        if mapping.tagged {
            return Err(Problem::not_text(self.of, mapping.at).fix(self.fix));
        }
        for (name, node) in &mapping.entries {
            let is_known = self.known.contains(&name.as_str())
                || (self.fix == Fix::Compose && name.starts_with("x-"));
            if !is_known && !node.is_empty() {
                let message = format!(
                    "`{}` is not a member of {} whose effect on images is known",
                    short(name),
                    self.of
                );
                return Err(Problem::new(node.at(), message).fix(self.fix));
            }
        }
        Ok(())
    }
}
