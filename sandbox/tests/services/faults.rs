//! Faults by script: which requests they strike, and what comes instead of the good answer.

use std::time::Duration;

use acr_sandbox::{Action, Fault, KeyKind, Service};
use reqwest::{Method, StatusCode};

use crate::caller::{Answer, Caller, VAULT};

const KEY: &str = "https://contoso.vault.azure.net/keys/release?api-version=7.4";

async fn struck(action: Action) -> (Caller, reqwest::Result<Answer>) {
    let caller = with_key();
    caller
        .sandbox
        .fault(Fault::new(action).service(Service::Vault));
    let bearer = caller.vault_token();
    let answer = caller.ask(Method::GET, KEY, Some(&bearer), "").await;
    (caller, answer)
}

fn with_key() -> Caller {
    let caller = Caller::new();
    caller.sandbox.vault().create_key("release", KeyKind::P256);
    caller
}

#[tokio::test]
async fn other_answers() {
    let location = "https://evil.example/".to_owned();
    let headers = vec![("x-one".to_owned(), "two".to_owned())];
    for (action, status, header, body) in [
        (Action::Status(503), 503, None, ""),
        (
            Action::RetryAfter {
                status: 429,
                value: "7".into(),
            },
            429,
            Some(("retry-after", "7")),
            "",
        ),
        (
            Action::Redirect {
                status: 307,
                location,
            },
            307,
            Some(("location", "https://evil.example/")),
            "",
        ),
        (
            Action::Answer {
                status: 418,
                headers,
                body: "tea".into(),
            },
            418,
            Some(("x-one", "two")),
            "tea",
        ),
        (Action::Body("other".into()), 200, None, "other"),
    ] {
        let answer = struck(action).await.1.unwrap();
        assert_eq!(
            (answer.status.as_u16(), answer.body.as_slice()),
            (status, body.as_bytes())
        );
        if let Some((name, value)) = header {
            assert_eq!(answer.header(name), Some(value));
        }
    }
}

#[tokio::test]
async fn spoilt_bodies() {
    let good = struck(Action::Delay(Duration::from_millis(1)))
        .await
        .1
        .unwrap();
    assert_eq!(good.status, StatusCode::OK);
    let length = good.body.len();
    let short = struck(Action::Truncate(10)).await.1.unwrap();
    assert_eq!((short.body.len(), short.status), (10, StatusCode::OK));
    let flipped = struck(Action::FlipBit).await.1.unwrap();
    assert_eq!(
        (flipped.body.len(), flipped.body.last()),
        (length, Some(&(b'}' ^ 1)))
    );
    assert!(
        struck(Action::Cut(10)).await.1.is_err(),
        "the connection ends before the body does"
    );
    assert!(struck(Action::Close).await.1.is_err(), "no answer at all");
}

#[tokio::test]
async fn a_body_without_end() {
    let caller = with_key();
    caller
        .sandbox
        .fault(Fault::new(Action::Endless).service(Service::Vault));
    let bearer = caller.vault_token();
    let read = tokio::time::timeout(
        Duration::from_millis(300),
        caller.ask(Method::GET, KEY, Some(&bearer), ""),
    );
    assert!(read.await.is_err(), "reading goes on and on");
}

#[tokio::test]
async fn a_signature_of_another_version() {
    let caller = with_key();
    let bearer = caller.vault_token();
    let url = format!("{VAULT}/keys/release//sign?api-version=7.4");
    let body = format!(r#"{{"alg":"ES256","value":"{}"}}"#, "A".repeat(43));
    let sign = || caller.ask(Method::POST, &url, Some(&bearer), &body);
    let good = sign().await.unwrap().json();
    caller
        .sandbox
        .fault(Fault::new(Action::WrongKid).path("/sign"));
    let wrong = sign().await.unwrap().json();
    assert_ne!(good["kid"], wrong["kid"]);
    assert_eq!(
        wrong["kid"],
        format!("{VAULT}/keys/release/{}", "0".repeat(32))
    );
    assert_eq!(wrong["value"].as_str().unwrap().len(), 86);
}

#[tokio::test]
async fn a_token_is_refused_from_now_on_and_a_new_one_taken() {
    let (caller, answer) = struck(Action::RefuseToken).await;
    assert_eq!(answer.unwrap().status, StatusCode::UNAUTHORIZED);
    caller.sandbox.clear_faults();
    let bearer = caller.vault_token();
    assert_eq!(caller.get(KEY, &bearer).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_fault_strikes_what_it_names_and_nothing_else() {
    let caller = with_key();
    let bearer = caller.vault_token();
    caller
        .sandbox
        .fault(Fault::new(Action::Status(500)).path("/keys/").nth(2));
    caller
        .sandbox
        .fault(Fault::new(Action::Status(501)).method("POST").times(1));
    caller
        .sandbox
        .fault(Fault::new(Action::Status(502)).host("evil.example"));
    let mut seen = Vec::new();
    for (method, url) in [
        (Method::GET, KEY),
        (Method::GET, KEY),
        (Method::GET, KEY),
        (Method::POST, "https://contoso.vault.azure.net/x"),
        (Method::POST, "https://contoso.vault.azure.net/x"),
        (Method::GET, "https://evil.example/"),
    ] {
        seen.push(
            caller
                .ask(method, url, Some(&bearer), "")
                .await
                .unwrap()
                .status
                .as_u16(),
        );
    }
    assert_eq!(seen, [200, 500, 200, 501, 400, 502]);
    caller.sandbox.clear_faults();
    assert_eq!(
        caller
            .ask(Method::GET, "https://evil.example/", None, "")
            .await
            .unwrap()
            .status,
        StatusCode::NOT_FOUND
    );
}
