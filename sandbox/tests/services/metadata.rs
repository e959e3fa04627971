//! `/acr/v1`: catalog, repositories and tags with push times, in pages, behind their scopes.

use reqwest::{Method, StatusCode};
use time::{Duration, OffsetDateTime, macros::datetime};

use crate::caller::{Caller, REGISTRY};

const READ: &str = "repository:shop/web:metadata_read";
const START: OffsetDateTime = datetime!(2026-11-01 12:00:00.1234567 UTC);

/// Five tags, `t0` the oldest, an hour between each.
fn five_tags() -> Caller {
    let caller = Caller::new();
    let registry = caller.sandbox.registry();
    for number in 0_i32..5 {
        let digest = registry
            .push_image(
                "shop/web",
                &format!("t{number}"),
                &format!("image {number}"),
            )
            .digest;
        registry.retag_at(
            "shop/web",
            &digest,
            &format!("t{number}"),
            START + Duration::hours(number.into()),
        );
    }
    caller
}

/// Every page from `first` on, as the names of its entries.
async fn pages(caller: &Caller, first: &str, bearer: &str, list: &str) -> Vec<Vec<String>> {
    let (mut found, mut path) = (Vec::new(), first.to_owned());
    loop {
        let answer = caller.get(&format!("{REGISTRY}{path}"), bearer).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        let body = answer.json();
        let entries = body[list].as_array().unwrap().iter();
        found.push(
            entries
                .map(|entry| {
                    entry["name"]
                        .as_str()
                        .or(entry.as_str())
                        .unwrap()
                        .to_owned()
                })
                .collect(),
        );
        let Some(next) = answer.next() else {
            return found;
        };
        next.clone_into(&mut path);
    }
}

#[tokio::test]
async fn tags_come_in_pages_newest_first() {
    let caller = five_tags();
    let bearer = caller.registry_token(READ).await;
    let newest = pages(
        &caller,
        "/acr/v1/shop/web/_tags?n=2&orderby=timedesc",
        &bearer,
        "tags",
    )
    .await;
    assert_eq!(newest, [vec!["t4", "t3"], vec!["t2", "t1"], vec!["t0"]]);
    let oldest = pages(
        &caller,
        "/acr/v1/shop/web/_tags?n=3&orderby=timeasc",
        &bearer,
        "tags",
    )
    .await;
    assert_eq!(oldest, [vec!["t0", "t1", "t2"], vec!["t3", "t4"]]);
    let from = pages(
        &caller,
        "/acr/v1/shop/web/_tags?last=t2&n=5",
        &bearer,
        "tags",
    )
    .await;
    assert_eq!(from, [["t3", "t4"]]);
    let after_one_that_is_gone =
        pages(&caller, "/acr/v1/shop/web/_tags?last=t2a", &bearer, "tags").await;
    assert_eq!(after_one_that_is_gone, [["t3", "t4"]]);
}

#[tokio::test]
async fn the_next_page_keeps_the_order_and_is_relative() {
    let caller = five_tags();
    let bearer = caller.registry_token(READ).await;
    let answer = caller
        .get(
            &format!("{REGISTRY}/acr/v1/shop/web/_tags?n=2&orderby=timedesc"),
            &bearer,
        )
        .await;
    assert_eq!(
        answer.next(),
        Some("/acr/v1/shop/web/_tags?last=t3&n=2&orderby=timedesc")
    );
}

#[tokio::test]
async fn a_tag_carries_the_times_it_was_given() {
    let caller = five_tags();
    let bearer = caller.registry_token(READ).await;
    let registry = caller.sandbox.registry();
    let digest = registry.digest("shop/web", "t4").unwrap();
    registry.retag_at("shop/web", &digest, "t1", START + Duration::hours(9));
    let answer = caller
        .get(&format!("{REGISTRY}/acr/v1/shop/web/_tags/t1"), &bearer)
        .await;
    let body = answer.json();
    assert_eq!(
        (&body["registry"], &body["imageName"]),
        (&"contoso.azurecr.io".into(), &"shop/web".into())
    );
    assert_eq!(body["tag"]["name"], "t1");
    assert_eq!(body["tag"]["digest"], digest);
    assert_eq!(body["tag"]["createdTime"], "2026-11-01T13:00:00.1234567Z");
    assert_eq!(
        body["tag"]["lastUpdateTime"],
        "2026-11-01T21:00:00.1234567Z"
    );
    let unknown = caller
        .get(&format!("{REGISTRY}/acr/v1/shop/web/_tags/t9"), &bearer)
        .await;
    assert_eq!(
        (unknown.status, unknown.json()["errors"][0]["code"].as_str()),
        (StatusCode::NOT_FOUND, Some("TAG_UNKNOWN"))
    );
}

#[tokio::test]
async fn tags_of_one_digest() {
    let caller = five_tags();
    let bearer = caller.registry_token(READ).await;
    let registry = caller.sandbox.registry();
    let digest = registry.digest("shop/web", "t0").unwrap();
    registry.retag("shop/web", &digest, "latest");
    let found = pages(
        &caller,
        &format!("/acr/v1/shop/web/_tags?digest={digest}"),
        &bearer,
        "tags",
    )
    .await;
    assert_eq!(found, [["latest", "t0"]]);
}

#[tokio::test]
async fn the_catalog_comes_in_pages() {
    let caller = Caller::new();
    for name in ["shop/web", "shop/api", "base"] {
        caller.sandbox.registry().push_image(name, "1", name);
    }
    let bearer = caller.registry_token("registry:catalog:*").await;
    let names = pages(&caller, "/acr/v1/_catalog?n=2", &bearer, "repositories").await;
    assert_eq!(names, [vec!["base", "shop/api"], vec!["shop/web"]]);
}

#[tokio::test]
async fn every_call_wants_its_own_scope() {
    let caller = five_tags();
    let metadata = caller.registry_token(READ).await;
    let pull = caller.registry_token("repository:shop/web:pull").await;
    let other = caller
        .registry_token("repository:shop/api:metadata_read")
        .await;
    let catalog = caller.registry_token("registry:catalog:*").await;
    for (path, scope, good, bad) in [
        (
            "/acr/v1/_catalog",
            "registry:catalog:*",
            &catalog,
            [&metadata, &pull],
        ),
        ("/acr/v1/shop/web", READ, &metadata, [&pull, &catalog]),
        ("/acr/v1/shop/web/_tags", READ, &metadata, [&pull, &other]),
        (
            "/acr/v1/shop/web/_tags/t0",
            READ,
            &metadata,
            [&pull, &other],
        ),
        (
            "/acr/v1/shop/web/_manifests",
            READ,
            &metadata,
            [&pull, &other],
        ),
    ] {
        let url = format!("{REGISTRY}{path}");
        assert_eq!(
            caller.get(&url, good).await.status,
            StatusCode::OK,
            "{path}"
        );
        let anonymous = caller.ask(Method::GET, &url, None, "").await.unwrap();
        assert_eq!(anonymous.status, StatusCode::UNAUTHORIZED);
        let challenge = format!(
            "Bearer realm=\"{REGISTRY}/oauth2/token\",service=\"contoso.azurecr.io\",scope=\"{scope}\""
        );
        assert_eq!(
            anonymous.header("www-authenticate"),
            Some(challenge.as_str())
        );
        for token in bad {
            let refused = caller.get(&url, token).await;
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{path}");
            assert!(
                refused
                    .header("www-authenticate")
                    .unwrap()
                    .ends_with("error=\"insufficient_scope\""),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_read() {
    let caller = five_tags();
    let bearer = caller
        .registry_token("repository:shop/none:metadata_read")
        .await;
    for path in [
        "/acr/v1/shop/none",
        "/acr/v1/shop/none/_tags",
        "/acr/v1/shop/none/_tags/1",
    ] {
        let answer = caller.get(&format!("{REGISTRY}{path}"), &bearer).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.json()["errors"][0]["code"], "NAME_UNKNOWN", "{path}");
    }
    let bearer = caller.registry_token(READ).await;
    let changed = caller
        .ask(
            Method::PATCH,
            &format!("{REGISTRY}/acr/v1/shop/web"),
            Some(&bearer),
            "{}",
        )
        .await
        .unwrap();
    assert_eq!(changed.status, StatusCode::METHOD_NOT_ALLOWED);
    let whole = caller
        .get(&format!("{REGISTRY}/acr/v1/shop/web"), &bearer)
        .await
        .json();
    assert_eq!(
        (whole["tagCount"].as_u64(), whole["manifestCount"].as_u64()),
        (Some(5), Some(5))
    );
    assert_eq!(whole["createdTime"], "2026-11-01T12:00:00.1234567Z");
}
