//! The vault: versions in pages, its challenge, and its refusals.

use acr_sandbox::KeyKind;
use reqwest::{Method, StatusCode};

use crate::caller::{Caller, VAULT};

#[tokio::test]
async fn versions_come_in_pages() {
    let caller = Caller::new();
    let mut created: Vec<String> = (0..5)
        .map(|_| caller.sandbox.vault().create_key("release", KeyKind::P256))
        .collect();
    let bearer = caller.vault_token();
    let mut url = format!("{VAULT}/keys/release/versions?api-version=2025-07-01&maxresults=2");
    let (mut found, mut pages) = (Vec::new(), Vec::new());
    loop {
        let body = caller.get(&url, &bearer).await.json();
        let page: Vec<String> = body["value"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["kid"].as_str().unwrap().to_owned())
            .collect();
        pages.push(page.len());
        found.extend(
            page.iter()
                .map(|kid| kid.rsplit('/').next().unwrap().to_owned()),
        );
        let Some(next) = body["nextLink"].as_str() else {
            break;
        };
        next.clone_into(&mut url);
    }
    assert_eq!(pages, [2, 2, 1]);
    created.sort();
    found.sort();
    assert_eq!(found, created);
}

#[tokio::test]
async fn a_call_without_a_token_is_challenged_and_one_without_a_version_of_the_protocol_refused() {
    let caller = Caller::new();
    caller.sandbox.vault().create_key("release", KeyKind::P256);
    let url = format!("{VAULT}/keys/release?api-version=2025-07-01");
    let anonymous = caller.ask(Method::GET, &url, None, "").await.unwrap();
    assert_eq!(anonymous.status, StatusCode::UNAUTHORIZED);
    let challenge = anonymous.header("www-authenticate").unwrap();
    assert!(
        challenge.ends_with("resource=\"https://vault.azure.net\""),
        "{challenge}"
    );
    let other = caller.registry_token("registry:catalog:*").await;
    assert_eq!(
        caller.get(&url, &other).await.status,
        StatusCode::UNAUTHORIZED,
        "a token of another service"
    );
    let bearer = caller.vault_token();
    assert_eq!(caller.get(&url, &bearer).await.status, StatusCode::OK);
    let unversioned = caller.get(&format!("{VAULT}/keys/release"), &bearer).await;
    assert_eq!(
        (
            unversioned.status,
            unversioned.json()["error"]["code"].as_str()
        ),
        (StatusCode::BAD_REQUEST, Some("BadParameter"))
    );
}
