//! Every kind of manifest, with the images that it names.

use super::{assert_found, refused};

/// A pod template below a path, with containers of all three sorts and an image volume.
fn workload(api: &str, kind: &str, path: &[&str]) -> (String, Vec<(&'static str, u64)>) {
    let mut text = format!("apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: x\n");
    let mut indent = 0;
    for name in path {
        text.push_str(&format!("{}{name}:\n", " ".repeat(indent)));
        indent += 2;
    }
    let first = u64::try_from(text.lines().count()).unwrap();
    let body = "containers:\n- name: a\n  image: a.azurecr.io/web:1\ninitContainers:\n- image: a.azurecr.io/init:1\n  name: b\n\
                ephemeralContainers:\n- name: c\n  image: a.azurecr.io/debug:1\nvolumes:\n- name: v\n  image:\n    reference: a.azurecr.io/data:1\n";
    for line in body.lines() {
        text.push_str(&format!("{}{line}\n", " ".repeat(indent)));
    }
    let expected = [("web:1", 3), ("init:1", 5), ("debug:1", 9), ("data:1", 13)];
    let full = |name| match name {
        "web:1" => "a.azurecr.io/web:1",
        "init:1" => "a.azurecr.io/init:1",
        "debug:1" => "a.azurecr.io/debug:1",
        _ => "a.azurecr.io/data:1",
    };
    (
        text,
        expected
            .iter()
            .map(|(name, line)| (full(*name), first + line))
            .collect(),
    )
}

#[test]
fn p08_every_container_of_every_workload() {
    let template = ["spec", "template", "spec"].as_slice();
    for (api, kind, path) in [
        ("v1", "Pod", ["spec"].as_slice()),
        ("v1", "PodTemplate", &["template", "spec"]),
        ("v1", "ReplicationController", template),
        ("apps/v1", "Deployment", template),
        ("apps/v1", "ReplicaSet", template),
        ("apps/v1", "StatefulSet", template),
        ("apps/v1", "DaemonSet", template),
        ("batch/v1", "Job", template),
        (
            "batch/v1",
            "CronJob",
            &["spec", "jobTemplate", "spec", "template", "spec"],
        ),
        ("argoproj.io/v1alpha1", "Rollout", template),
        ("serving.knative.dev/v1", "Service", template),
        ("example.com/v1", "Anything", &["spec", "deep", "er", "pod"]),
    ] {
        let (text, expected) = workload(api, kind, path);
        assert_found("x.yaml", &text, &expected);
    }
}

#[test]
fn p08_lists_documents_and_custom_resources() {
    assert_found(
        "x.yaml",
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  spec:\n    containers:\n    - image: a.azurecr.io/one\n\
         - apiVersion: v1\n  kind: ConfigMap\n  data:\n    image: not an image!\n---\napiVersion: v1\nkind: Pod\nspec: {containers: [{image: 'alpine:3'}]}\n---\n",
        &[("a.azurecr.io/one", 8), ("docker.io/library/alpine:3", 16)],
    );
    // Steps and sidecars, an operator's own field, a name in parts.
    assert_found(
        "x.yaml",
        "apiVersion: tekton.dev/v1\nkind: Task\nspec:\n  steps:\n  - image: a.azurecr.io/step\n  sidecars:\n  - image: a.azurecr.io/side\n",
        &[("a.azurecr.io/step", 5), ("a.azurecr.io/side", 7)],
    );
    assert_found(
        "x.yaml",
        "apiVersion: x.io/v1\nkind: Db\nspec:\n  image: a.azurecr.io/db:1\n  exporter:\n    image:\n      registry: a.azurecr.io\n      repository: exp\n      tag: '2'\n",
        &[("a.azurecr.io/db:1", 4), ("a.azurecr.io/exp:2", 8)],
    );
}

#[test]
fn what_holds_no_container_is_no_error() {
    for text in [
        "",
        "# nothing\n",
        "---\n---\n",
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  pod.yaml: |\n    image: x\n  image: '{{ nothing }}'\n",
        "apiVersion: v1\nkind: Secret\nstringData: {image: '%%'}\n",
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {versions: [{schema: {openAPIV3Schema: {properties: {image: {type: string}}}}}]}\n",
        "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nspec: {rules: [{validate: {pattern: {spec: {containers: [{image: '!*:latest'}]}}}}]}\n",
        "apiVersion: v1\nkind: Service\nspec: {ports: [{port: 80}]}\n",
        "{\"name\": \"a package\", \"version\": \"1.0\"}",
    ] {
        assert_found("x.yaml", text, &[]);
    }
}

#[test]
fn compose_files() {
    assert_found(
        "docker-compose.yml",
        "name: shop\nx-base: &base\n  image: a.azurecr.io/base:1\n  restart: always\nservices:\n  web:\n    image: \"a.azurecr.io/web:1\" # the page\n  api:\n    <<: *base\n  \
         job:\n    <<: *base\n    image: a.azurecr.io/job:1\n  more: {extends: {service: web}}\n  db:\n    image: postgres:16\n    volumes:\n    - data:/data\n    - type: image\n      source: a.azurecr.io/seed:1\n",
        &[
            ("a.azurecr.io/web:1", 7),
            ("a.azurecr.io/base:1", 3),
            ("a.azurecr.io/job:1", 12),
            ("docker.io/library/postgres:16", 15),
            ("a.azurecr.io/seed:1", 19),
        ],
    );
    for (text, word) in [
        ("services:\n  web:\n    build: .\n", "is built here"),
        (
            "services:\n  web:\n    image: a.azurecr.io/web:1\n    build: .\n",
            "is built here",
        ),
        (
            "x: &x {image: b}\nservices:\n  web:\n    image: a\n    <<: *x\n",
            "given twice",
        ),
        ("services:\n  web:\n    restart: always\n", "names no image"),
        (
            "services:\n  web:\n    image: ${REGISTRY}/web\n",
            "expression without a value",
        ),
        (
            "services:\n  web:\n    image: $IMAGE\n",
            "expression without a value",
        ),
        ("services:\n  web:\n    image: [a]\n", "not plain text"),
        ("services:\n  web:\n    image:\n", "names no image"),
        ("services:\n  web: a.azurecr.io/web\n", "not a mapping"),
        (
            "services:\n  web:\n    extends: {file: other.yml, service: web}\n",
            "another file",
        ),
        // The other service may be built here, under the name of the image.
        (
            "services:\n  web:\n    image: a\n    extends: {file: other.yml, service: web}\n",
            "another file",
        ),
        (
            "services:\n  web:\n    image: a\n    extends: [web]\n",
            "not plain text",
        ),
        (
            "include: [other.yml]\nservices:\n  web: {image: a}\n",
            "another file",
        ),
    ] {
        let error = refused("docker-compose.yml", text);
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn kustomizations() {
    assert_found(
        "overlay/kustomization.yaml",
        "resources:\n- ../base\nimages:\n- name: web\n  newName: a.azurecr.io/web\n  newTag: \"1.4\"\n- name: a.azurecr.io/api\n  newTag: v2\n",
        &[("a.azurecr.io/web:1.4", 6), ("a.azurecr.io/api:v2", 8)],
    );
    let digest = format!("sha256:{}", "a".repeat(64));
    assert_found(
        "any.yaml",
        &format!(
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nimages:\n- name: a.azurecr.io/api\n  digest: {digest}\n"
        ),
        &[(&format!("a.azurecr.io/api@{digest}"), 5)],
    );
    for (text, word) in [
        (
            "images:\n- name: web\n  newName: a.azurecr.io/web\n",
            "its tag is in another file",
        ),
        ("images:\n- newTag: '1'\n", "without a name"),
        (
            "images:\n- name: web\n  newTag: '1'\n  tagSuffix: -x\n",
            "tagSuffix",
        ),
        ("images: [web]\n", "not a mapping"),
        (
            "resources: [https://github.com/org/repo]\n",
            "not a plain path",
        ),
        (
            "resources: ['github.com/org/repo//base?ref=v1']\n",
            "not a plain path",
        ),
        ("helmCharts:\n- name: x\n", "not a member"),
        (
            "patches:\n- patch: |-\n    - op: replace\n      path: /spec/containers/0/image\n      value: evil\n",
            "patch sets in line",
        ),
        (
            "patches:\n- patch: |-\n    - {op: add, path: /spec/containers/-, value: {\"im\\u0061ge\": evil}}\n",
            "patch sets in line",
        ),
        (
            "patches:\n- patch: |-\n    - {op: add, path: /spec, value: {\"im\\u0061ge\": evil}}\n",
            "patch sets in line",
        ),
        (
            "patches:\n- patch: '- {op: replace, value: evil}'\n",
            "without `path`",
        ),
        ("patches:\n- patch: '[: '\n", "not valid YAML"),
        (
            "replacements:\n- targets:\n  - fieldPaths: [spec.template.spec.containers.0.image]\n",
            "may set an image",
        ),
        ("replacements:\n- path: other.yaml\n", "not a member"),
        (
            "patchesStrategicMerge:\n- |-\n  spec: {containers: [{image: evil}]}\n",
            "patch sets in line",
        ),
    ] {
        let error = refused("kustomization.yaml", text);
        assert!(error.contains(word), "{text}: {error}");
    }
}

/// The file of a patch, as it is read in a folder.
#[test]
fn p08_no_patch_file_sets_an_image() {
    assert_found(
        "patch.yaml",
        "- {op: replace, path: /spec/replicas, value: 3}\n",
        &[],
    );
    for text in [
        "- {op: replace, path: /spec/template/spec/containers/0/image, value: evil}\n",
        "- {op: add, path: /spec/template/spec/initContainers, value: [{image: evil}]}\n",
        "[{\"op\": \"copy\", \"from\": \"/spec/image\", \"path\": \"/spec/x\"}]",
        "- {op: replace, value: evil}\n",
        "- {op: replace, path: /spec/replicas, value: 3}\n- text\n",
    ] {
        assert!(refused("patch.yaml", text).contains("patch"), "{text}");
    }
}

#[test]
fn p08_an_image_in_an_unknown_document_is_an_error() {
    for text in [
        "image: a.azurecr.io/web:1\n",
        "image:\n  repository: a.azurecr.io/web\n  tag: '1'\n",
        "web:\n  containers:\n  - image: x\n",
        "- image: x\n",
        "kind: Pod\nspec: {containers: [{image: x}]}\n",
        "apiVersion: v1\nspec: {containers: [{image: x}]}\n",
        "image: '{{ .Values.image }}'\n",
    ] {
        assert!(
            refused("values.yaml", text).contains("neither Kubernetes"),
            "{text}"
        );
    }
}

/// What is passed over in a `ConfigMap` or a policy is found where something else only says that it is one.
#[test]
fn p08_no_kind_or_schema_hides_a_container() {
    assert_found(
        "x.yaml",
        "apiVersion: v1\nkind: Pod\nspec:\n  apiVersion: kyverno.io/v1\n  kind: ClusterPolicy\n  containers:\n  - image: a.azurecr.io/web\n",
        &[("a.azurecr.io/web", 7)],
    );
    assert_found(
        "x.yaml",
        "apiVersion: example.com/v1\nkind: ConfigMap\ndata:\n  image: a.azurecr.io/web\n",
        &[("a.azurecr.io/web", 4)],
    );
    let side = "apiVersion: x.io/v1\nkind: Db\nspec:\n  image:\n    repository: a.azurecr.io/db\n    tag: '1'\n    side: {image: a.azurecr.io/side}\n";
    assert!(refused("x.yaml", side).contains("not a known part"));
    let pod = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: a.azurecr.io/web\n";
    for schema in ["deploymentParameters.json#", "deploymentTemplate.json"] {
        let text = format!(
            "$schema: https://schema.management.azure.com/schemas/2019-04-01/{schema}\n{pod}"
        );
        assert!(
            refused("x.yaml", &text).contains("something else too"),
            "{schema}"
        );
    }
    assert_found(
        "x.yaml",
        &format!("$schema: deploymentParameters\n{pod}"),
        &[("a.azurecr.io/web", 6)],
    );
}

#[test]
fn p08_templates_are_no_manifests() {
    let pod = |image: &str| {
        format!("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: {image}\n")
    };
    for image in [
        "'{{ .Values.image }}'",
        "${IMAGE}",
        "$(IMAGE)",
        "a.azurecr.io/web:$TAG",
        "'<%= image %>'",
        "a.azurecr.io/web:${{ inputs.tag }}",
    ] {
        let error = refused("x.yaml", &pod(image));
        assert!(
            error.contains("line 5") && error.contains("expression without a value"),
            "{image}: {error}"
        );
    }
    for image in [
        "'a b'",
        "A.azurecr.io/Web",
        "'a:b:c'",
        "https://a.azurecr.io/web",
        "'web\\n'",
    ] {
        let error = refused("x.yaml", &pod(image));
        assert!(error.contains("not a valid image name"), "{image}: {error}");
    }
    for image in ["null", "~", "", "''", "\" \""] {
        assert!(
            refused("x.yaml", &pod(image)).contains("names no image"),
            "{image}"
        );
    }
    for image in ["!Ref Image", "!!binary YQ=="] {
        assert!(
            refused("x.yaml", &pod(image)).contains("not plain text"),
            "{image}"
        );
    }
    // Helm's own lines are no YAML.
    assert!(
        refused("x.yaml", "{{- if .Values.x }}\nkind: Pod\n{{- end }}\n")
            .contains("not valid YAML")
    );
}
