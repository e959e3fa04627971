//! `azure.yaml`, the project of the Azure Developer CLI. Its `services` are not compose's: each is built where it is
//! deployed from, or names an image.

use super::{
    Finder, Problem,
    error::Fix,
    members::Members,
    tree::{Mapping, Node},
};

const NAMES: &[&str] = &["azure.yaml", "azure.yml"];
const PROJECT: &[&str] = &[
    "name",
    "metadata",
    "resourceGroup",
    "infra",
    "services",
    "pipeline",
    "hooks",
    "state",
    "platform",
    "workflows",
    "cloud",
    "requiredVersions",
    "resources",
];
const SERVICE: Members = Members {
    of: "a service of azd",
    known: &[
        "apiVersion",
        "condition",
        "config",
        "dist",
        "docker",
        "env",
        "hooks",
        "host",
        "image",
        "k8s",
        "language",
        "module",
        "project",
        "resourceGroup",
        "resourceName",
        "uses",
    ],
    fix: Fix::Words("check the images that `azd package` builds by name"),
};

/// By its name, with members of azd alone, and services that say where they run, which compose refuses.
pub(super) fn is_project(file: &str, root: &Mapping) -> bool {
    let name = file.rsplit(['/', '\\']).next().unwrap_or_default();
    let services = match root.get("services") {
        Some(Node::Mapping(services)) => &services.entries,
        _ => return false,
    };
    NAMES.contains(&name)
        && root
            .entries
            .iter()
            .all(|(name, _)| PROJECT.contains(&name.as_str()))
        && services.iter().all(
            |(_, service)| matches!(service, Node::Mapping(service) if service.filled("host").is_some()),
        )
}

impl Finder<'_> {
    pub(super) fn azd(&mut self, root: &Mapping) -> Result<(), Problem> {
        let services = match root.get("services") {
            Some(services) => services.mapping("services")?,
            None => return Ok(()),
        };
        for (name, service) in &services.entries {
            self.work.step(service.at())?;
            let service = service.mapping(name)?;
            SERVICE.check(service)?;
            for (name, node) in &service.entries {
                match (name.as_str(), node) {
                    ("image", image) => self.image(image, service)?,
                    // What is built there, and the name that it gets.
                    ("docker", _) => {}
                    (_, node) => self.walk(node, &[])?,
                }
            }
        }
        Ok(())
    }
}
