//! Objects that bring others from elsewhere, and what changes images later: nothing here can see those, so a warning
//! names them.

use super::Finder;
use crate::manifests::tree::{Mapping, Node};

/// Group, kinds, and what they bring.
const BRING: &[(&str, &[&str], &str)] = &[
    (
        "argoproj.io/",
        &["Application", "ApplicationSet"],
        "what its source renders",
    ),
    (
        "helm.toolkit.fluxcd.io/",
        &["HelmRelease"],
        "what its chart renders",
    ),
    (
        "helm.fluxcd.io/",
        &["HelmRelease"],
        "what its chart renders",
    ),
    (
        "source.toolkit.fluxcd.io/",
        &["HelmChart"],
        "what the chart renders",
    ),
    (
        "kustomize.toolkit.fluxcd.io/",
        &["Kustomization"],
        "what its source holds",
    ),
    (
        "helm.cattle.io/",
        &["HelmChart", "HelmChartConfig"],
        "what its chart renders",
    ),
    (
        "fleet.cattle.io/",
        &["GitRepo", "Bundle", "HelmOp"],
        "what its source holds",
    ),
    ("catalog.cattle.io/", &["App"], "what its chart renders"),
    (
        "addons.cluster.x-k8s.io/",
        &["HelmChartProxy"],
        "what its chart renders",
    ),
    (
        "operators.coreos.com/",
        &["Subscription"],
        "what the operator runs",
    ),
    (
        "image.toolkit.fluxcd.io/",
        &["ImageUpdateAutomation"],
        "what it updates images to",
    ),
    ("app.k8s.io/", &["HelmChart"], "what its chart renders"),
];
/// Annotations with which images are replaced in the cluster, and by what.
const REPLACE: &[(&str, &str)] = &[
    ("image.openshift.io/triggers", "OpenShift"),
    ("alpha.image.policy.openshift.io/resolve-names", "OpenShift"),
    (
        "argocd-image-updater.argoproj.io/image-list",
        "Argo CD Image Updater",
    ),
    ("keel.sh/policy", "Keel"),
    ("inject.istio.io/templates", "Istio"),
    ("proxy.istio.io/overrides", "Istio"),
];

/// What replaces images where an annotation is set.
pub(super) fn replaced_by(annotation: &str) -> Option<&'static str> {
    let row = REPLACE.iter().find(|(name, _)| *name == annotation);
    row.map(|(_, what)| *what)
}

impl Finder<'_> {
    /// Names an object that brings images from elsewhere.
    pub(super) fn note_fetched(&mut self, api: &str, kind: &str, object: &Mapping) {
        let row = BRING
            .iter()
            .find(|(group, kinds, _)| api.starts_with(group) && kinds.contains(&kind));
        let Some((_, _, what)) = row else {
            return;
        };
        let name = match object.get("metadata") {
            Some(Node::Mapping(metadata)) => metadata.raw("name").unwrap_or_default(),
            _ => "",
        };
        let message =
            format!("the images of {kind} `{name}` are not all checked: {what} is not seen here");
        self.warn(object.at, message);
    }

    /// Names a member that looks as if it named an image for some operator.
    pub(super) fn note_unread(&mut self, lower: &str, name: &str, node: &Node) {
        let Some(scalar) = node.as_scalar() else {
            if lower == "imagechangeparams" {
                self.warn(
                    node.at(),
                    "a trigger lets OpenShift replace images after this check",
                );
            }
            return;
        };
        let looks = (lower.ends_with("image") || lower.ends_with("imagename"))
            && scalar.value.contains(['/', ':'])
            && crate::oci::Reference::familiar(&scalar.value).is_ok();
        if looks {
            let message = format!(
                "`{name}` looks like an image and is not checked here: check `{}` by name",
                scalar.value
            );
            self.warn(scalar.at, message);
        }
    }
}
