//! Members of kinds that are read in another way than by walking: what they hold is text, a pattern, or a change of
//! images. Kind and path are exact; whatever is not listed is walked.

/// How a member is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum As {
    /// Text for others to read where each value is a scalar; else it is walked.
    Text,
    /// What objects are compared with, or what was; it creates nothing.
    Pattern,
    /// A schema of `OpenAPI`, whose defaults end up in objects.
    Schema,
    /// The image of a virtual or bare machine.
    MachineImage,
    /// A text that is an image.
    Image,
    /// Replacements of images as Kustomize has them.
    Images,
    /// The same, as `old=new:tag`.
    ImagePairs,
    /// Values of a chart by dotted names: a list of name and value.
    Parameters,
    /// The same, as a mapping.
    Set,
    /// Values of a chart as a text of YAML.
    Values,
    /// A patch as a text.
    Patch,
    /// A JSON patch as a list.
    Operations,
    /// What a policy of Kyverno changes.
    Mutation,
    /// What a policy of Kyverno creates.
    Generation,
    /// Expressions that may build objects.
    Cel,
    /// Not understood where it holds something.
    Refused(&'static str),
}

/// A rule on its way down: what is left of its path.
#[derive(Clone, Copy, Debug)]
pub(in crate::manifests) struct Rule {
    pub(super) path: &'static [&'static str],
    pub(super) reading: As,
}

/// API version (or group, with its `/`), kinds (none: all), path (`*`: each item; `**`: at any depth), reading.
type Row = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    As,
);

const POLICY: &[&str] = &["ClusterPolicy", "Policy"];
const CEL_POLICY: &[&str] = &[
    "MutatingPolicy",
    "NamespacedMutatingPolicy",
    "GeneratingPolicy",
    "NamespacedGeneratingPolicy",
];
const CRD: &[&str] = &["CustomResourceDefinition"];
const HELM: &[&str] = &["HelmRelease"];
const FLUX: &[&str] = &["Kustomization"];
const ARGO: &[&str] = &["Application", "ApplicationSet"];
const K3S: &[&str] = &["HelmChart", "HelmChartConfig"];

const ROWS: &[Row] = &[
    ("v1", &["ConfigMap"], &["data"], As::Text),
    ("v1", &["ConfigMap"], &["binaryData"], As::Text),
    ("v1", &["Secret"], &["data"], As::Text),
    ("v1", &["Secret"], &["stringData"], As::Text),
    // What a cluster reports of its own kinds; the API server takes it from nobody who applies a file.
    (
        "v1",
        &["Pod", "ReplicationController"],
        &["status"],
        As::Pattern,
    ),
    (
        "apps/v1",
        &["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"],
        &["status"],
        As::Pattern,
    ),
    ("batch/v1", &["Job", "CronJob"], &["status"], As::Pattern),
    (
        "apiextensions.k8s.io/",
        CRD,
        &["spec", "versions", "*", "schema", "openAPIV3Schema"],
        As::Schema,
    ),
    (
        "apiextensions.k8s.io/",
        CRD,
        &["spec", "validation", "openAPIV3Schema"],
        As::Schema,
    ),
    (
        "admissionregistration.k8s.io/",
        &["MutatingAdmissionPolicy"],
        &["spec", "mutations"],
        As::Cel,
    ),
    (
        "admissionregistration.k8s.io/",
        &["MutatingAdmissionPolicy"],
        &["spec", "variables"],
        As::Cel,
    ),
    // Kyverno.
    (
        "kyverno.io/",
        POLICY,
        &["spec", "rules", "*", "match"],
        As::Pattern,
    ),
    (
        "kyverno.io/",
        POLICY,
        &["spec", "rules", "*", "exclude"],
        As::Pattern,
    ),
    (
        "kyverno.io/",
        POLICY,
        &["spec", "rules", "*", "preconditions"],
        As::Pattern,
    ),
    (
        "kyverno.io/",
        POLICY,
        &["spec", "rules", "*", "celPreconditions"],
        As::Pattern,
    ),
    (
        "kyverno.io/",
        POLICY,
        &["spec", "rules", "*", "imageExtractors"],
        As::Pattern,
    ),
    (
        "kyverno.io/",
        POLICY,
        &["spec", "rules", "*", "validate"],
        As::Pattern,
    ),
    (
        "kyverno.io/",
        POLICY,
        &["spec", "rules", "*", "verifyImages"],
        As::Pattern,
    ),
    (
        "kyverno.io/",
        POLICY,
        &["spec", "rules", "*", "mutate"],
        As::Mutation,
    ),
    (
        "kyverno.io/",
        POLICY,
        &["spec", "rules", "*", "generate"],
        As::Generation,
    ),
    (
        "kyverno.io/",
        &["PolicyException"],
        &["spec", "match"],
        As::Pattern,
    ),
    (
        "kyverno.io/",
        &["PolicyException"],
        &["spec", "conditions"],
        As::Pattern,
    ),
    (
        "policies.kyverno.io/",
        CEL_POLICY,
        &["spec", "mutations"],
        As::Cel,
    ),
    (
        "policies.kyverno.io/",
        CEL_POLICY,
        &["spec", "generate"],
        As::Cel,
    ),
    (
        "policies.kyverno.io/",
        CEL_POLICY,
        &["spec", "variables"],
        As::Cel,
    ),
    // Gatekeeper, Sigstore, Kubewarden.
    (
        "constraints.gatekeeper.sh/",
        &[],
        &["spec", "match"],
        As::Pattern,
    ),
    (
        "constraints.gatekeeper.sh/",
        &[],
        &["spec", "parameters"],
        As::Pattern,
    ),
    (
        "templates.gatekeeper.sh/",
        &["ConstraintTemplate"],
        &["spec", "crd", "spec", "validation"],
        As::Pattern,
    ),
    (
        "policy.sigstore.dev/",
        &["ClusterImagePolicy"],
        &["spec", "images"],
        As::Pattern,
    ),
    (
        "policy.sigstore.dev/",
        &["ClusterImagePolicy"],
        &["spec", "match"],
        As::Pattern,
    ),
    (
        "policies.kubewarden.io/",
        &["ClusterAdmissionPolicy", "AdmissionPolicy"],
        &["spec", "settings"],
        As::Pattern,
    ),
    // Flux.
    (
        "kustomize.toolkit.fluxcd.io/",
        FLUX,
        &["spec", "images"],
        As::Images,
    ),
    (
        "kustomize.toolkit.fluxcd.io/",
        FLUX,
        &["spec", "patches", "*", "patch"],
        As::Patch,
    ),
    (
        "kustomize.toolkit.fluxcd.io/",
        FLUX,
        &["spec", "patchesJson6902", "*", "patch"],
        As::Operations,
    ),
    (
        "helm.toolkit.fluxcd.io/",
        HELM,
        &["**", "kustomize", "images"],
        As::Images,
    ),
    (
        "helm.toolkit.fluxcd.io/",
        HELM,
        &["**", "kustomize", "patches", "*", "patch"],
        As::Patch,
    ),
    (
        "helm.toolkit.fluxcd.io/",
        HELM,
        &["**", "kustomize", "patchesJson6902", "*", "patch"],
        As::Operations,
    ),
    (
        "helm.fluxcd.io/",
        HELM,
        &["spec", "values"],
        As::Refused("the values of a chart of Flux v1"),
    ),
    // Argo CD.
    (
        "argoproj.io/",
        ARGO,
        &["**", "kustomize", "images"],
        As::ImagePairs,
    ),
    (
        "argoproj.io/",
        ARGO,
        &["**", "kustomize", "patches", "*", "patch"],
        As::Patch,
    ),
    (
        "argoproj.io/",
        ARGO,
        &["**", "helm", "parameters"],
        As::Parameters,
    ),
    ("argoproj.io/", ARGO, &["**", "helm", "values"], As::Values),
    (
        "argoproj.io/",
        ARGO,
        &["**", "helm", "fileParameters"],
        As::Parameters,
    ),
    (
        "argoproj.io/",
        ARGO,
        &["spec", "templatePatch"],
        As::Refused("a patch of what an ApplicationSet makes"),
    ),
    // Charts of k3s and RKE2, packages of Crossplane.
    (
        "helm.cattle.io/",
        K3S,
        &["spec", "valuesContent"],
        As::Values,
    ),
    ("helm.cattle.io/", K3S, &["spec", "set"], As::Set),
    ("helm.cattle.io/", K3S, &["spec", "jobImage"], As::Image),
    (
        "pkg.crossplane.io/",
        &["Provider", "Configuration", "Function"],
        &["spec", "package"],
        As::Image,
    ),
    // Images of machines, by the providers of Cluster API.
    (
        "infrastructure.cluster.x-k8s.io/",
        &[],
        &["spec", "template", "spec", "image"],
        As::MachineImage,
    ),
    (
        "infrastructure.cluster.x-k8s.io/",
        &[],
        &["spec", "template", "image"],
        As::MachineImage,
    ),
    (
        "infrastructure.cluster.x-k8s.io/",
        &[],
        &["spec", "image"],
        As::MachineImage,
    ),
    (
        "metal3.io/",
        &["BareMetalHost"],
        &["spec", "image"],
        As::MachineImage,
    ),
];

const ANY_KIND: &[&[&str]] = &[
    &["**", "images"],
    &["**", "helm"],
    &["**", "kustomize"],
    &["**", "mutate"],
    &["**", "package"],
    &["**", "postRenderers"],
    &["**", "templatePatch"],
    &["**", "valuesContent"],
];

/// The rules for an object.
pub(super) fn rules(api: &str, kind: &str) -> Vec<Rule> {
    let is_for = |(version, kinds, _, _): &&Row| {
        let is_api = if version.ends_with('/') {
            api.starts_with(version)
        } else {
            api == *version
        };
        is_api && (kinds.is_empty() || kinds.contains(&kind))
    };
    let rows = ROWS.iter().filter(is_for);
    rows.map(|(_, _, path, reading)| Rule {
        path,
        reading: *reading,
    })
    .collect()
}

/// The rules for a part of an object whose kind is not known: nothing is text or a pattern, and what changes images in
/// some kind is refused.
pub(in crate::manifests) fn any_kind() -> Vec<Rule> {
    let rows = ANY_KIND.iter();
    rows.map(|path| Rule {
        path,
        reading: As::Refused("a member that replaces images in some kinds"),
    })
    .collect()
}

/// What rules say one step further down.
pub(super) fn descend(rules: &[Rule], name: &str) -> Vec<Rule> {
    let mut below = Vec::new();
    for rule in rules {
        let path = match rule.path {
            ["**", rest @ ..] => {
                below.push(*rule);
                rest
            }
            path => path,
        };
        if let [first, rest @ ..] = path
            && *first == name
        {
            below.push(Rule {
                path: rest,
                reading: rule.reading,
            });
        }
    }
    below
}
