//! Which run this is: what the report names, and signatures carry as metadata (design §9).

use super::Host;
use crate::process::Environment;

/// Revision, address of the run, workflow and host, by the names that signed metadata has; what the host does
/// not say is left out.
pub fn facts(host: Host, environment: &Environment) -> Vec<(&'static str, String)> {
    let value = |name: &str| environment.get(name).map(ToOwned::to_owned);
    let (revision, run, workflow, name) = match host {
        Host::GitHub => (value("GITHUB_SHA"), github_run(environment), value("GITHUB_WORKFLOW_REF"), "github"),
        Host::Azure => {
            let workflow = value("BUILD_DEFINITIONNAME").or_else(|| value("SYSTEM_DEFINITIONNAME"));
            (value("BUILD_SOURCEVERSION"), azure_run(environment), workflow, "azure")
        }
    };
    let facts = [
        ("org.opencontainers.image.revision", revision),
        ("dev.acr-sign.run", run),
        ("dev.acr-sign.workflow", workflow),
        ("dev.acr-sign.host", Some(name.to_owned())),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn github_run(environment: &Environment) -> Option<String> {
    let server = environment.get("GITHUB_SERVER_URL")?;
    let repository = environment.get("GITHUB_REPOSITORY")?;
    let run = environment.get("GITHUB_RUN_ID")?;
    let attempt = environment.get("GITHUB_RUN_ATTEMPT").map(|attempt| format!("/attempts/{attempt}"));
    Some(format!("{server}/{repository}/actions/runs/{run}{}", attempt.unwrap_or_default()))
}

fn azure_run(environment: &Environment) -> Option<String> {
    let collection = environment.get("SYSTEM_COLLECTIONURI")?.trim_end_matches('/');
    let project = environment.get("SYSTEM_TEAMPROJECTID").or(environment.get("SYSTEM_TEAMPROJECT"))?;
    let build = environment.get("BUILD_BUILDID")?;
    Some(format!("{collection}/{project}/_build/results?buildId={build}"))
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
            ("GITHUB_WORKFLOW_REF", "org/shop/.github/workflows/ci.yml@refs/heads/main"),
        ];
        let facts_of = |host, variables: &[(&str, &str)]| facts(host, &variables.iter().copied().collect());
        let found = facts_of(Host::GitHub, &github);
        assert_eq!(found[0], ("org.opencontainers.image.revision", "abc".to_owned()));
        assert_eq!(found[1], ("dev.acr-sign.run", "https://github.com/org/shop/actions/runs/7/attempts/2".to_owned()));
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
        assert_eq!(found[1].1, "https://dev.azure.com/org/0f/_build/results?buildId=9");
        assert_eq!((found[2].1.as_str(), found[3].1.as_str()), ("shop-ci", "azure"));
        assert_eq!(facts_of(Host::GitHub, &[]), [("dev.acr-sign.host", "github".to_owned())]);
    }
}
