//! When this run began: a variable on Azure; on GitHub its API knows (pipelines reference §3.1).

use http::header;
use serde::Deserialize;
use url::Url;

use super::{Host, PipelineError};
use crate::{
    crypto::Secret,
    net::{Authorization, Client, Purpose, Request},
    process::Environment,
    timestamp::Timestamp,
};

#[derive(Deserialize)]
struct Run {
    run_started_at: String,
}

/// The start of the run that this environment is of.
pub async fn run_started(
    client: &Client,
    environment: &Environment,
) -> Result<Timestamp, PipelineError> {
    match Host::detect(environment) {
        Some(Host::Azure) => on_azure(environment),
        Some(Host::GitHub) => on_github(client, environment).await,
        None => Err(PipelineError::NoHost),
    }
}

/// `2026-11-23 09:30:00+00:00`: RFC 3339 but for the blank.
fn on_azure(environment: &Environment) -> Result<Timestamp, PipelineError> {
    let variable = "SYSTEM_PIPELINESTARTTIME";
    let text = environment
        .get(variable)
        .ok_or(PipelineError::NoStart { lacking: variable })?;
    let parsed = text.replacen(' ', "T", 1).parse();
    parsed.map_err(|_| PipelineError::Unreadable {
        what: variable.to_owned(),
        why: format!("`{text}` is not a time"),
    })
}

async fn on_github(client: &Client, environment: &Environment) -> Result<Timestamp, PipelineError> {
    let variable = |name| {
        environment
            .get(name)
            .ok_or(PipelineError::NoStart { lacking: name })
    };
    let token = environment
        .get("GITHUB_TOKEN")
        .ok_or(PipelineError::NoStart {
            lacking: "github-token",
        })?;
    let path = format!(
        "/repos/{}/actions/runs/{}",
        variable("GITHUB_REPOSITORY")?,
        variable("GITHUB_RUN_ID")?
    );
    let api = variable("GITHUB_API_URL")?;
    let unreadable = |why: String| PipelineError::Unreadable {
        what: "the start of this run".to_owned(),
        why,
    };
    let url: Url = format!("{}{path}", api.trim_end_matches('/'))
        .parse()
        .map_err(|_| unreadable(format!("GITHUB_API_URL `{api}` is not an address")))?;
    client
        .hosts()
        .check_github_api(&url)
        .map_err(|cause| PipelineError::Host {
            what: "GITHUB_API_URL",
            cause,
        })?;
    let request = Request::get(Purpose::Other, "the start of this run", url, 1 << 20)
        .with_header(header::ACCEPT, "application/vnd.github+json")
        .with_authorization(Some(Authorization::Bearer(Secret::new(token.to_owned()))));
    let response = client.send(&request).await?;
    if !response.status.is_success() {
        return Err(PipelineError::Api {
            status: response.status,
        });
    }
    let run: Run =
        serde_json::from_slice(&response.body).map_err(|error| unreadable(error.to_string()))?;
    run.run_started_at
        .parse()
        .map_err(|_| unreadable(format!("`{}` is not a time", run.run_started_at)))
}
