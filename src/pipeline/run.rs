//! Which run this is: what the report names, and signatures carry as metadata (design §9).

use url::Url;

use super::Host;
use crate::process::Environment;

/// Revision, address of the run, workflow and host, by the names that signed metadata has; what the host does
/// not say is left out.
pub fn facts(host: Host, environment: &Environment) -> Vec<(&'static str, String)> {
    let value = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    let (revision, run, workflow, name) = match host {
        Host::GitHub => {
            let workflow = value("GITHUB_WORKFLOW_REF").or(value("GITHUB_WORKFLOW"));
            (value("GITHUB_SHA"), github_run(value), workflow, "github")
        }
        Host::Azure => {
            let workflow = value("BUILD_DEFINITIONNAME").or(value("SYSTEM_DEFINITIONNAME"));
            (
                value("BUILD_SOURCEVERSION"),
                azure_run(value),
                workflow,
                "azure",
            )
        }
    };
    let facts = [
        (
            "org.opencontainers.image.revision",
            revision.map(ToOwned::to_owned),
        ),
        ("dev.acr-sign.run", run),
        ("dev.acr-sign.workflow", workflow.map(ToOwned::to_owned)),
        ("dev.acr-sign.host", Some(name.to_owned())),
    ];
    facts
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

fn github_run<'a>(value: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
    let (server, repository) = (value("GITHUB_SERVER_URL")?, value("GITHUB_REPOSITORY")?);
    let run = value("GITHUB_RUN_ID")?;
    let attempt = value("GITHUB_RUN_ATTEMPT").map(|attempt| format!("/attempts/{attempt}"));
    Some(format!(
        "{server}/{repository}/actions/runs/{run}{}",
        attempt.unwrap_or_default()
    ))
}

/// By the project's ID, which stays when the project is renamed.
fn azure_run<'a>(value: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
    let project = value("SYSTEM_TEAMPROJECTID").or(value("SYSTEM_TEAMPROJECT"))?;
    let mut url: Url = value("SYSTEM_COLLECTIONURI")?.parse().ok()?;
    url.path_segments_mut()
        .ok()?
        .pop_if_empty()
        .extend([project, "_build", "results"]);
    url.query_pairs_mut()
        .append_pair("buildId", value("BUILD_BUILDID")?);
    Some(url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_names_its_run() {
        let github = [
            ("GITHUB_SHA", "abc"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "org/shop"),
            ("GITHUB_RUN_ID", "7"),
            ("GITHUB_RUN_ATTEMPT", "2"),
            (
                "GITHUB_WORKFLOW_REF",
                "org/shop/.github/workflows/ci.yml@refs/heads/main",
            ),
        ];
        let facts_of =
            |host, variables: &[(&str, &str)]| facts(host, &variables.iter().copied().collect());
        let found = facts_of(Host::GitHub, &github);
        assert_eq!(
            found[0],
            ("org.opencontainers.image.revision", "abc".to_owned())
        );
        assert_eq!(
            found[1],
            (
                "dev.acr-sign.run",
                "https://github.com/org/shop/actions/runs/7/attempts/2".to_owned()
            )
        );
        assert_eq!(found.len(), 4);
        let azure = [
            ("BUILD_SOURCEVERSION", "abc"),
            ("SYSTEM_COLLECTIONURI", "https://dev.azure.com/org/"),
            ("SYSTEM_TEAMPROJECT", "My shop"),
            ("SYSTEM_TEAMPROJECTID", "0f"),
            ("BUILD_BUILDID", "9"),
            ("BUILD_DEFINITIONNAME", "shop-ci"),
        ];
        let found = facts_of(Host::Azure, &azure);
        assert_eq!(
            found[1].1,
            "https://dev.azure.com/org/0f/_build/results?buildId=9"
        );
        assert_eq!(
            (found[2].1.as_str(), found[3].1.as_str()),
            ("shop-ci", "azure")
        );
        let by_name = [&azure[..3], &azure[4..]].concat();
        assert_eq!(
            facts_of(Host::Azure, &by_name)[1].1,
            "https://dev.azure.com/org/My%20shop/_build/results?buildId=9"
        );
        let empty = facts_of(Host::GitHub, &[("GITHUB_SHA", "")]);
        assert_eq!(
            empty,
            [("dev.acr-sign.host", "github".to_owned())],
            "an empty variable says nothing"
        );
    }
}
