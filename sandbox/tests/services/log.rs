//! The request log: what came, in which order, and what overlapped.

use acr_sandbox::{Action, Fault, Service};
use reqwest::Method;

use crate::caller::{Caller, REGISTRY, VAULT};

#[tokio::test]
async fn a_request_is_written_down_as_it_came() {
    let caller = Caller::new();
    let bearer = caller.vault_token();
    caller.sandbox.clear_log();
    caller
        .ask(
            Method::POST,
            &format!("{VAULT}/keys/none/0/sign?api-version=7.4"),
            Some(&bearer),
            "12345",
        )
        .await
        .unwrap();
    caller
        .ask(Method::GET, &format!("{REGISTRY}/v2/"), None, "")
        .await
        .unwrap();
    let log = caller.sandbox.log();
    let [first, second] = log.as_slice() else {
        panic!("{log:?}")
    };
    assert_eq!(
        (first.service, first.method.as_str(), first.host.as_str()),
        (Service::Vault, "POST", "contoso.vault.azure.net")
    );
    assert_eq!(
        (first.path.as_str(), first.body_bytes, first.status),
        ("/keys/none/0/sign", 5, 404)
    );
    assert_eq!(first.query, [("api-version".to_owned(), "7.4".to_owned())]);
    assert_eq!(first.authorization.as_deref(), Some("Bearer"));
    assert_eq!(first.credential, Some(format!("Bearer {bearer}")));
    assert_eq!(
        (second.service, second.status, second.credential.as_deref()),
        (Service::Registry, 401, None)
    );
    assert!(first.ended < second.started, "one after the other");
    assert_eq!(caller.sandbox.count(Service::Vault), 1);
}

#[tokio::test]
async fn an_answer_held_until_another_was_asked_shows_that_both_were_in_flight() {
    let caller = Caller::new();
    caller
        .sandbox
        .fault(Fault::new(Action::HoldUntil("/second".into())).path("/first"));
    let (first, second) = (
        format!("{REGISTRY}/v2/first"),
        format!("{REGISTRY}/v2/second"),
    );
    let asked = tokio::join!(
        caller.ask(Method::GET, &first, None, ""),
        caller.ask(Method::GET, &second, None, ""),
    );
    assert!(asked.0.is_ok() && asked.1.is_ok());
    let log = caller.sandbox.log();
    let entry = |part: &str| log.iter().find(|entry| entry.path.ends_with(part)).unwrap();
    assert!(entry("/second").started < entry("/first").ended);
    assert_eq!(entry("/first").status, 401, "the good answer");
}
