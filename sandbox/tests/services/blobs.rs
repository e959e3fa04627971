//! Blobs behind a redirect to storage, as ACR serves them.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::caller::{Caller, REGISTRY};

#[tokio::test]
async fn a_blob_is_answered_with_a_redirect_to_storage_that_takes_no_token() {
    let caller = Caller::new();
    let image = caller.sandbox.registry().push_image("shop/web", "1", "one");
    let manifest: Value = serde_json::from_slice(&image.bytes).unwrap();
    let digest = manifest["config"]["digest"].as_str().unwrap();
    let bearer = caller.registry_token("repository:shop/web:pull").await;
    let url = format!("{REGISTRY}/v2/shop/web/blobs/{digest}");
    let direct = caller.get(&url, &bearer).await;
    assert_eq!(
        (direct.status, direct.body.len()),
        (
            StatusCode::OK,
            usize::try_from(manifest["config"]["size"].as_u64().unwrap()).unwrap()
        )
    );
    caller.sandbox.registry().set_blob_redirects(true);
    let redirect = caller.get(&url, &bearer).await;
    assert_eq!(redirect.status, StatusCode::TEMPORARY_REDIRECT);
    let storage = redirect.header("location").unwrap();
    assert!(
        storage.starts_with("https://contoso.blob.core.windows.net/"),
        "{storage}"
    );
    let blob = caller.ask(Method::GET, storage, None, "").await.unwrap();
    assert_eq!((blob.status, blob.body), (StatusCode::OK, direct.body));
    let with_token = caller.get(storage, &bearer).await;
    assert_eq!(with_token.status, StatusCode::FORBIDDEN);
    let unsigned = caller
        .ask(Method::GET, storage.split('?').next().unwrap(), None, "")
        .await
        .unwrap();
    assert_eq!(unsigned.status, StatusCode::FORBIDDEN);
    let unknown = caller
        .get(
            &format!("{REGISTRY}/v2/shop/web/blobs/sha256:{}", "0".repeat(64)),
            &bearer,
        )
        .await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}
