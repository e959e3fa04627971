//! GitHub's REST API, as far as a step asks it: when its run began.

use std::sync::{Mutex, PoisonError};

use serde_json::json;

use crate::exchange::{Request, Response};

/// The job's token for the API.
pub const GITHUB_TOKEN: &str = "sandbox-github-token";
/// The run that the API knows.
pub const GITHUB_RUN: (&str, &str) = ("contoso/shop", "7");

/// The API.
#[derive(Debug)]
pub struct GitHubApi {
    started: Mutex<String>,
}

impl GitHubApi {
    pub(crate) fn new() -> Self {
        Self {
            started: Mutex::new("2026-01-01T00:00:00Z".to_owned()),
        }
    }

    /// Sets when the run began, as the API writes it.
    pub fn set_run_started(&self, at: &str) {
        at.clone_into(&mut self.started.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn handle(&self, request: &Request) -> Response {
        if request.bearer() != Some(GITHUB_TOKEN) {
            return Response::json(401, &json!({"message": "Bad credentials", "status": "401"}));
        }
        let (repository, run) = GITHUB_RUN;
        if request.method != http::Method::GET
            || request.path != format!("/repos/{repository}/actions/runs/{run}")
        {
            return Response::json(404, &json!({"message": "Not Found", "status": "404"}));
        }
        let started = self
            .started
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Response::json(
            200,
            &json!({"id": 7, "name": "ci", "event": "push", "run_attempt": 1, "run_started_at": started}),
        )
    }
}
