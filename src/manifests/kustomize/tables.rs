//! The members of a kustomization whose effect on images is understood, at every level.

use crate::manifests::{error::Fix, members::Members};

const fn members(of: &'static str, known: &'static [&'static str]) -> Members {
    Members {
        of,
        known,
        fix: Fix::Kustomize,
    }
}

pub(super) const TOP: Members = members(
    "a kustomization",
    &[
        "apiVersion",
        "kind",
        "metadata",
        "resources",
        "components",
        "bases",
        "images",
        "patches",
        "patchesStrategicMerge",
        "patchesJson6902",
        "replacements",
        "namePrefix",
        "nameSuffix",
        "namespace",
        "labels",
        "commonLabels",
        "commonAnnotations",
        "replicas",
        "configMapGenerator",
        "secretGenerator",
        "generatorOptions",
        "sortOptions",
        "buildMetadata",
        // `$(NAME)` in an image is an error where it is found.
        "vars",
    ],
);

pub(super) const IMAGE: Members = members(
    "an entry of `images`",
    &["name", "newName", "newTag", "digest", "tagSuffix"],
);

pub(super) const PATCH: Members = members("a patch", &["path", "patch", "target", "options"]);

pub(super) const PATCH_OPTIONS: Members = members(
    "the options of a patch",
    &["allowNameChange", "allowKindChange"],
);

/// Of a patch, a source and a target of replacements.
const SELECTOR: &[&str] = &[
    "group",
    "version",
    "kind",
    "name",
    "namespace",
    "labelSelector",
    "annotationSelector",
];

pub(super) const TARGET: Members = members("the target of a patch", SELECTOR);

pub(super) const SELECT: Members = members("a selector of replacements", SELECTOR);

pub(super) const REPLACEMENT: Members =
    members("a replacement", &["source", "sourceValue", "targets"]);

pub(super) const SOURCE: Members = members(
    "the source of a replacement",
    &[
        "group",
        "version",
        "kind",
        "name",
        "namespace",
        "fieldPath",
        "options",
    ],
);

pub(super) const REPLACED: Members = members(
    "the target of a replacement",
    &["select", "reject", "fieldPaths", "options"],
);

pub(super) const REPLACEMENT_OPTIONS: Members = members(
    "the options of a replacement",
    &["delimiter", "index", "encoding", "create"],
);

/// Not `fields`, with which a label is put anywhere.
pub(super) const LABEL: Members = members(
    "an entry of `labels`",
    &[
        "pairs",
        "includeSelectors",
        "includeTemplates",
        "includeVolumeClaimTemplates",
    ],
);

pub(super) const GENERATOR: Members = members(
    "a generator",
    &[
        "name",
        "namespace",
        "behavior",
        "files",
        "env",
        "envs",
        "literals",
        "type",
        "options",
    ],
);

pub(super) const GENERATOR_OPTIONS: Members = members(
    "the options of a generator",
    &[
        "labels",
        "annotations",
        "disableNameSuffixHash",
        "immutable",
    ],
);
