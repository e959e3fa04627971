//! One line that says what to change in the workflow, where the host gives a step no identity.

use std::path::Path;

use serde_json::Value;

use super::{Host, images::read};
use crate::{process::Environment, reason::Reason, report::Report};

/// Bytes of the event that started the run.
const LIMIT: u64 = 32 << 20;

/// Says it with the problems that it solves.
pub fn advise(report: &mut Report, host: Host, environment: &Environment) {
    let no_identity = report.auth.azure.is_none();
    let of_images = report
        .images
        .iter_mut()
        .filter_map(|image| image.problem.as_mut());
    let lacking = |reason: Reason| {
        reason == Reason::IdentityUnavailable
            || (reason == Reason::RegistryUnauthorized && no_identity)
    };
    let problems = report
        .error
        .as_mut()
        .into_iter()
        .chain(of_images)
        .filter(|problem| lacking(problem.reason));
    let mut advice = None;
    for problem in problems {
        let advice = advice.get_or_insert_with(|| match host {
            Host::GitHub => on_github(environment),
            Host::Azure => on_azure(environment),
        });
        if let Some(advice) = advice {
            problem.hint = Some((*advice).to_owned());
        }
    }
}

fn on_github(environment: &Environment) -> Option<&'static str> {
    if environment.get("ACTIONS_ID_TOKEN_REQUEST_URL").is_some() {
        let client = environment
            .get("INPUT_CLIENT-ID")
            .or(environment.get("AZURE_CLIENT_ID"));
        return client.is_none().then_some(
            "set `client-id` and `tenant-id`: the job has an ID token, but nothing says as which identity to sign in",
        );
    }
    Some(if is_from_fork(environment) {
        "a pull request from a fork gets no ID token and no secrets: run this step on `push` only, as with \
         `if: github.event_name == 'push'`"
    } else {
        "give the job `permissions: id-token: write` (with `contents: read`), and the step `client-id` and `tenant-id`"
    })
}

/// Whether the event is a pull request whose head lies in another repository, or in none any more.
fn is_from_fork(environment: &Environment) -> bool {
    let is_pull_request = environment
        .get("GITHUB_EVENT_NAME")
        .is_some_and(|name| name.starts_with("pull_request"));
    let Some(path) = environment
        .get("GITHUB_EVENT_PATH")
        .filter(|_| is_pull_request)
    else {
        return false;
    };
    let event: Value = read("the event", Path::new(path), LIMIT)
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let head = event
        .pointer("/pull_request/head/repo/full_name")
        .and_then(Value::as_str);
    head != event
        .pointer("/repository/full_name")
        .and_then(Value::as_str)
}

fn on_azure(environment: &Environment) -> Option<&'static str> {
    environment.get("INPUT_AZURESUBSCRIPTION").is_none().then_some(
        "set `azureSubscription` to a service connection with workload identity federation; builds of forks get none",
    )
}
