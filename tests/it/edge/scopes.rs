//! Tokens of a registry are for one host and one scope (G08).

use acr_sandbox::{Action, Fault, Service};
use acr_sign::Exit;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::world::World;

/// What the bearer of a request grants: names with actions.
pub fn access(credential: &str) -> Vec<(String, Vec<String>)> {
    let claims = credential
        .strip_prefix("Bearer ")
        .unwrap()
        .split('.')
        .nth(1)
        .unwrap();
    let claims: Value =
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    let entries = claims["access"].as_array().unwrap().iter();
    let actions = |entry: &Value| serde_json::from_value(entry["actions"].clone()).unwrap();
    entries
        .map(|entry| (entry["name"].as_str().unwrap().to_owned(), actions(entry)))
        .collect()
}

#[test]
fn g08_each_repository_gets_a_token_of_its_own_with_no_action_beyond_need() {
    let (world, root) = World::initialised();
    world
        .sandbox
        .registry()
        .push_image("shop/api", "1.0", "another");
    // What the second backend asks for is more than reading needs, and what the first one does is the second's.
    for (path, scope) in [
        (
            "/v2/shop/api/manifests/",
            "repository:shop/api:pull,push,delete",
        ),
        ("/v2/shop/web/manifests/", "repository:shop/api:pull"),
    ] {
        let challenge = format!(
            "Bearer realm=\"https://contoso.azurecr.io/oauth2/token\",service=\"contoso.azurecr.io\",scope=\"{scope}\""
        );
        let headers = vec![("www-authenticate".to_owned(), challenge)];
        let greedy = Action::Answer {
            status: 401,
            headers,
            body: "{}".into(),
        };
        world.sandbox.fault(Fault::new(greedy).path(path).nth(1));
    }
    let images = "contoso.azurecr.io/shop/web:1.0 contoso.azurecr.io/shop/api:1.0";
    world.run(&format!("verify {images} --format dct --root {root}"));
    // Those that were refused, too.
    let manifests = world
        .sandbox
        .log()
        .into_iter()
        .filter(|entry| entry.path.contains("/manifests/"));
    let manifests: Vec<_> = manifests
        .filter(|entry| entry.credential.is_some())
        .collect();
    assert_eq!(manifests.len(), 2);
    for entry in manifests {
        let own = entry
            .path
            .strip_prefix("/v2/")
            .unwrap()
            .split("/manifests/")
            .next()
            .unwrap()
            .to_owned();
        assert_eq!(
            access(entry.credential.as_deref().unwrap()),
            [(own, vec!["pull".to_owned()])],
            "{}",
            entry.path
        );
    }
}

#[test]
fn k05_tokens_that_are_about_to_end_are_asked_for_anew() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    let tokens = || {
        world
            .answered(Service::Registry)
            .iter()
            .filter(|entry| entry.path.starts_with("/oauth2/token"))
            .count()
    };
    let usual = (world.sandbox.count(Service::ManagedIdentity), tokens());
    world.sandbox.clear_log();
    // Shorter than the margin of every kind of token.
    world.sandbox.issuer().set_life(15);
    assert_eq!(world.sign(&["1"], &root).exit, Exit::Done);
    assert!(world.sandbox.count(Service::ManagedIdentity) > usual.0);
    assert!(tokens() > usual.1, "{} of {}", tokens(), usual.1);
}
