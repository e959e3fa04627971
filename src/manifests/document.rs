//! What a document is, which decides who reads it.

use super::{
    Finder, Problem, arm, azd, compose,
    error::Fix,
    kustomize,
    tree::{Mapping, Node},
    yaml,
};

impl Finder<'_> {
    /// Whether a text is one document of ARM.
    pub(super) fn is_arm(&self, text: &str) -> bool {
        let documents = yaml::parse(text, self.work);
        matches!(documents.as_deref(), Ok([Node::Mapping(root)]) if arm::kind(root).is_some())
    }

    /// Reads one document of a file; `is_alone` says whether the others hold nothing.
    pub(super) fn document(
        &mut self,
        file: &str,
        document: &Node,
        is_alone: bool,
        text: &str,
    ) -> Result<(), Problem> {
        let root = match document {
            Node::Mapping(root) => root,
            Node::Scalar(scalar) if scalar.is_null() => return Ok(()),
            Node::Scalar(scalar) => {
                return Err(Problem::new(scalar.at, "a document that is only a text"));
            }
            Node::Sequence(patch) if kustomize::is_operations(&patch.items) => {
                return self.operations(&patch.items);
            }
            Node::Sequence(_) => return self.unknown(document),
        };
        let alone = |tool: &str| {
            let message = format!("several documents in a file that is read as {tool}");
            if is_alone {
                Ok(())
            } else {
                Err(Problem::new(root.at, message))
            }
        };
        if kustomize::is_kustomization(file, root) {
            alone("a kustomization").map_err(|problem| problem.fix(Fix::Kustomize))?;
            return self.kustomization(root);
        }
        if let Some(kind) = arm::kind(root) {
            alone("ARM")?;
            self.only_arm(root, text)?;
            return match kind {
                arm::Kind::Template => self.arm(root),
                arm::Kind::Values => Ok(()),
            };
        }
        if is_object(root)? {
            // compose would start what `kubectl` does not see, and the other way round.
            if let Some(other) = compose::MARKS.iter().find_map(|name| root.get(name)) {
                let message = "an object of Kubernetes that is a compose file as well";
                return Err(Problem::new(other.at(), message).fix(Fix::Compose));
            }
            return self.kubernetes(root);
        }
        if azd::is_project(file, root) {
            alone("a project of azd")?;
            return self.azd(root);
        }
        if compose::is_compose(file, root) {
            alone("compose").map_err(|problem| problem.fix(Fix::Compose))?;
            return self.compose(root);
        }
        self.unknown(document)
    }

    /// Others would apply it as what it says it is beside the schema.
    fn only_arm(&self, root: &Mapping, text: &str) -> Result<(), Problem> {
        let mut others = ["kind", "apiVersion"].iter().chain(compose::MARKS);
        if others.any(|name| root.get(name).is_some()) {
            let message = "an ARM document that is something else too";
            return Err(Problem::new(root.at, message));
        }
        if yaml::is_json(text) {
            Ok(())
        } else {
            Err(Problem::new(
                root.at,
                "an ARM document that is not valid JSON",
            ))
        }
    }

    /// A document of no known kind may not hold what looks like an image.
    fn unknown(&mut self, document: &Node) -> Result<(), Problem> {
        match self.first_image(|inner| inner.walk(document, &[]))? {
            None => Ok(()),
            Some(at) => Err(Problem::unknown_kind(at)),
        }
    }
}

/// Whether a document is an object of Kubernetes: it has a version and a kind. What only some readers take for
/// text decides nothing.
fn is_object(root: &Mapping) -> Result<bool, Problem> {
    let (Some(api), Some(kind)) = (root.get("apiVersion"), root.get("kind")) else {
        return Ok(false);
    };
    let (api, kind) = (api.text("apiVersion")?, kind.text("kind")?);
    Ok(!api.is_empty() && !kind.is_empty())
}
