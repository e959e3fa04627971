//! Replacements: values copied between objects. What is copied is not worked out, so it may only go where no image can
//! be.

use super::tables::{REPLACED, REPLACEMENT, REPLACEMENT_OPTIONS, SELECT, SOURCE};
use crate::manifests::{Finder, Problem, tree::Node};

/// Last members of a path that hold a text, which is not an image.
const LEAVES: &[&str] = &[
    "name",
    "namespace",
    "host",
    "hostname",
    "hosts",
    "hostnames",
    "dnsNames",
    "commonName",
    "externalName",
    "serviceName",
    "serviceAccountName",
    "secretName",
    "claimName",
    "storageClassName",
    "ingressClassName",
    "replicas",
    "minReplicas",
    "maxReplicas",
    "value",
    "port",
    "number",
    "targetPort",
    "containerPort",
    "nodePort",
    "url",
    "clusterIP",
    "loadBalancerIP",
];
/// Members whose own members hold a text, which is not an image.
const HOLDERS: &[&str] = &[
    "labels",
    "annotations",
    "matchLabels",
    "selector",
    "nodeSelector",
    "hosts",
    "hostnames",
    "dnsNames",
    "args",
    "command",
    "data",
    "stringData",
];

impl Finder<'_> {
    pub(super) fn replacement(&mut self, node: &Node) -> Result<(), Problem> {
        let replacement = node.mapping("a replacement")?;
        REPLACEMENT.check(replacement)?;
        if let Some(source) = replacement.filled("source") {
            let source = source.mapping("source")?;
            SOURCE.check(source)?;
            check_options(source.filled("options"))?;
        }
        let Some(targets) = replacement.filled("targets") else {
            return Ok(());
        };
        for target in targets.items("targets")? {
            self.work.step(target.at())?;
            let target = target.mapping("a target")?;
            REPLACED.check(target)?;
            check_options(target.filled("options"))?;
            if let Some(select) = target.filled("select") {
                SELECT.check(select.mapping("select")?)?;
            }
            if let Some(reject) = target.filled("reject") {
                for reject in reject.items("reject")? {
                    SELECT.check(reject.mapping("reject")?)?;
                }
            }
            let Some(paths) = target.filled("fieldPaths") else {
                continue;
            };
            for path in paths.items("fieldPaths")? {
                let text = path.text("fieldPaths")?;
                if !is_harmless(text) {
                    let message = format!(
                        "a replacement of `{}`, which may set an image",
                        text.escape_debug()
                    );
                    return Err(Problem::new(path.at(), message));
                }
            }
        }
        Ok(())
    }
}

fn check_options(options: Option<&Node>) -> Result<(), Problem> {
    match options {
        Some(options) => REPLACEMENT_OPTIONS.check(options.mapping("options")?),
        None => Ok(()),
    }
}

/// Whether a path of a replacement ends where no image can be.
fn is_harmless(path: &str) -> bool {
    if path.to_lowercase().contains("image") {
        return false;
    }
    let segments = segments(path);
    let last = segments.last().map(String::as_str).unwrap_or_default();
    let holder = segments
        .iter()
        .rev()
        .nth(1)
        .map(String::as_str)
        .unwrap_or_default();
    // A value of a chart may be a part of an image, whatever its name.
    let in_chart = segments.iter().any(|segment| {
        matches!(
            segment.as_str(),
            "values" | "valuesObject" | "helm" | "kustomize" | "parameters"
        )
    });
    !in_chart && (HOLDERS.contains(&holder) || LEAVES.contains(&last))
}

/// The members of a path: between dots, but not between brackets or behind a backslash.
fn segments(path: &str) -> Vec<String> {
    let mut segments = vec![String::new()];
    let (mut in_brackets, mut escaped) = (false, false);
    for c in path.chars() {
        match c {
            '.' if !in_brackets && !escaped => segments.push(String::new()),
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            c => {
                in_brackets = (in_brackets || c == '[') && c != ']';
                if let Some(last) = segments.last_mut() {
                    last.push(c);
                }
            }
        }
        escaped = false;
    }
    segments.retain(|segment| !segment.is_empty());
    segments
}

#[cfg(test)]
mod tests {
    use super::is_harmless;

    #[test]
    fn where_a_replacement_may_write() {
        for path in [
            "metadata.labels.app",
            "metadata.annotations.[cert-manager.io/inject-ca-from]",
            "metadata.labels.app\\.kubernetes\\.io/name",
            "spec.template.metadata.labels.version",
            "spec.rules.*.host",
            "spec.rules.0.host",
            "spec.tls.0.hosts.0",
            "spec.dnsNames.1",
            "spec.template.spec.containers.[name=web].env.[name=HOST].value",
            "data.HOST",
            "spec.replicas",
            "webhooks.*.clientConfig.service.name",
        ] {
            assert!(is_harmless(path), "{path}");
        }
        for path in [
            "",
            "spec",
            "kind",
            "apiVersion",
            "metadata",
            "spec.template",
            "spec.template.spec",
            "spec.template.spec.containers",
            "spec.template.spec.containers.0",
            "spec.template.spec.containers.[name=web].image",
            "spec.template.spec.containers.*",
            "metadata.annotations.[sidecar.istio.io/proxyImage]",
            "metadata.annotations.sidecar\\.istio\\.io/proxyImage",
            "spec.source.helm.parameters.0.value",
            "spec.values.web.tag",
            "spec.values.name",
            "spec.package",
            "spec.[name=x]",
        ] {
            assert!(!is_harmless(path), "{path}");
        }
    }
}
