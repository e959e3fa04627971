//! What a run says of itself in the metadata of a signature (design §9): commit, run, workflow and host.

use std::collections::BTreeMap;

use super::Host;
use crate::process::Environment;

/// The metadata of this run, as far as its environment tells.
pub fn provenance(host: Host, environment: &Environment) -> BTreeMap<String, String> {
    let variable = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    let (revision, run, workflow, word) = match host {
        Host::GitHub => {
            let run = || {
                let (server, repository) = (variable("GITHUB_SERVER_URL")?, variable("GITHUB_REPOSITORY")?);
                Some(format!("{server}/{repository}/actions/runs/{}", variable("GITHUB_RUN_ID")?))
            };
            let workflow = variable("GITHUB_WORKFLOW_REF").or(variable("GITHUB_WORKFLOW"));
            (variable("GITHUB_SHA"), run(), workflow, "github")
        }
        Host::Azure => {
            let run = || {
                let (collection, project) = (variable("SYSTEM_COLLECTIONURI")?, variable("SYSTEM_TEAMPROJECT")?);
                let mut url: url::Url = collection.parse().ok()?;
                url.path_segments_mut().ok()?.pop_if_empty().extend([project, "_build", "results"]);
                url.query_pairs_mut().append_pair("buildId", variable("BUILD_BUILDID")?);
                Some(url.to_string())
            };
            (variable("BUILD_SOURCEVERSION"), run(), variable("BUILD_DEFINITIONNAME"), "azure")
        }
    };
    let pairs = [
        ("org.opencontainers.image.revision", revision.map(ToOwned::to_owned)),
        ("dev.acr-sign.run", run),
        ("dev.acr-sign.workflow", workflow.map(ToOwned::to_owned)),
        ("dev.acr-sign.host", Some(word.to_owned())),
    ];
    pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(host: Host, variables: &[(&str, &str)]) -> Vec<(String, String)> {
        let own = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        provenance(host, &own.collect()).into_iter().collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn each_host_says_where_it_was_signed() {
        let github = [
            ("GITHUB_SHA", "0123abcd"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "contoso/web"),
            ("GITHUB_RUN_ID", "7"),
            ("GITHUB_WORKFLOW_REF", "contoso/web/.github/workflows/build.yml@refs/heads/main"),
        ];
        let expected = [
            ("dev.acr-sign.host", "github"),
            ("dev.acr-sign.run", "https://github.com/contoso/web/actions/runs/7"),
            ("dev.acr-sign.workflow", "contoso/web/.github/workflows/build.yml@refs/heads/main"),
            ("org.opencontainers.image.revision", "0123abcd"),
        ];
        assert_eq!(found(Host::GitHub, &github), pairs(&expected));
        let azure = [
            ("BUILD_SOURCEVERSION", "0123abcd"),
            ("SYSTEM_COLLECTIONURI", "https://dev.azure.com/contoso/"),
            ("SYSTEM_TEAMPROJECT", "Web Shop"),
            ("BUILD_BUILDID", "42"),
            ("BUILD_DEFINITIONNAME", "release"),
        ];
        let expected = [
            ("dev.acr-sign.host", "azure"),
            ("dev.acr-sign.run", "https://dev.azure.com/contoso/Web%20Shop/_build/results?buildId=42"),
            ("dev.acr-sign.workflow", "release"),
            ("org.opencontainers.image.revision", "0123abcd"),
        ];
        assert_eq!(found(Host::Azure, &azure), pairs(&expected));
        assert_eq!(found(Host::Azure, &[("BUILD_SOURCEVERSION", "")]), pairs(&[("dev.acr-sign.host", "azure")]));
    }
}
