//! Lists of referrers, uploads and blobs against the sandbox's registry, through the client alone.

use std::{sync::Arc, time::Duration};

use acr_sandbox::{Action, Fault, Options, Pushed, Sandbox, Service};
use acr_sign::{
    azure::{Auth, Identities, IdentityOptions},
    crypto::{Mask, Secret},
    net::{Client, Hosts, Options as NetOptions},
    oci::{Digest, Referrer, Repository},
    reason::{Explain as _, Reason},
    registry::{
        Logins, Referrers, ReferrersMode, ReferrersSource, Registry, RegistryAuth, describe,
    },
};
use bytes::Bytes;
use serde_json::{Value, json};

const TYPE: &str = "application/vnd.example.signature";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

struct Stage {
    sandbox: Sandbox,
    image: Pushed,
}

impl Stage {
    fn new(referrers_api: bool) -> Self {
        let sandbox = Sandbox::start(Options {
            referrers_api,
            ..Options::default()
        })
        .unwrap();
        sandbox.acr().add_user("ci", "password");
        let image = sandbox.registry().push_image("shop/web", "1.0", "one");
        Self { sandbox, image }
    }

    /// A client of its own, as another process would have.
    fn registry(&self) -> Registry {
        let client = Client::new(NetOptions {
            hosts: Hosts::default(),
            ca_pem: vec![std::fs::read(self.sandbox.ca_file()).unwrap()],
            connect_to: self
                .sandbox
                .connect_to()
                .iter()
                .map(|entry| entry.parse().unwrap())
                .collect(),
            retries: 3,
            concurrency: acr_sign::net::Concurrency::default(),
            mask: Mask::default(),
            deadline: std::time::Instant::now() + Duration::from_secs(120),
        })
        .unwrap();
        let setting = IdentityOptions {
            auth: Auth::None,
            client_id: None,
            tenant_id: None,
            service_connection_id: None,
            environment: std::iter::empty::<(String, String)>().collect(),
        };
        let identities = Identities::new(client.clone(), setting);
        let password = Some(("ci".to_owned(), Secret::new("password".to_owned())));
        Registry::new(
            client,
            Arc::new(Logins::new(RegistryAuth::Auto, password, None, identities)),
        )
    }

    fn subject(&self) -> Digest {
        self.image.digest.parse().unwrap()
    }

    fn junk(&self, artifact_type: &str, count: usize) {
        for number in 0..count {
            self.sandbox.registry().push_referrer(
                "shop/web",
                &self.image,
                artifact_type,
                &number.to_string(),
            );
        }
    }

    async fn list(&self, mode: ReferrersMode) -> Result<Referrers, acr_sign::registry::Error> {
        self.registry()
            .referrers(&repository(), &self.subject(), TYPE, mode)
            .await
    }

    /// Requests of one kind that were answered, challenges aside.
    fn asked(&self, method: &str, path: &str) -> usize {
        let entries = self.sandbox.log();
        entries
            .iter()
            .filter(|entry| entry.service == Service::Registry && entry.status != 401)
            .filter(|entry| entry.method == method && entry.path.contains(path))
            .count()
    }

    /// The index under the subject's tag.
    fn index(&self) -> Vec<Value> {
        let tag = self.image.digest.replacen(':', "-", 1);
        let digest = self
            .sandbox
            .registry()
            .digest("shop/web", &tag)
            .unwrap_or_default();
        let bytes = self
            .sandbox
            .registry()
            .manifest("shop/web", &digest)
            .unwrap_or_default();
        let index: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        index["manifests"].as_array().cloned().unwrap_or_default()
    }
}

fn repository() -> Repository {
    Repository::named("contoso.azurecr.io/shop/web").unwrap()
}

/// Pushes a manifest that refers to the image, as a signer does.
async fn push(stage: &Stage, registry: &Registry, seed: &str) -> Referrer {
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "artifactType": TYPE,
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": Digest::sha256(b"{}").to_string(), "size": 2},
        "layers": [], "annotations": {"seed": seed},
        "subject": {"mediaType": stage.image.media_type, "digest": stage.image.digest, "size": stage.image.bytes.len()},
    });
    let bytes = Bytes::from(manifest.to_string());
    let descriptor = describe("application/vnd.oci.image.manifest.v1+json", &bytes);
    let reference = descriptor.digest.to_string();
    registry
        .push_manifest(
            &repository(),
            &reference,
            descriptor.media_type.as_str(),
            &bytes,
        )
        .await
        .unwrap();
    Referrer {
        descriptor,
        artifact_type: Some(TYPE.into()),
        annotations: [("seed".into(), seed.into())].into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_read() {
    let stage = Stage::new(true);
    stage.junk(TYPE, 5);
    stage.sandbox.registry().referrers().set_page(2);
    let listed = stage.list(ReferrersMode::Auto).await.unwrap();
    assert_eq!(
        (listed.entries.len(), listed.left, listed.source),
        (5, false, ReferrersSource::Api)
    );
    assert_eq!(stage.asked("GET", "/referrers/"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn g16_a_filter_that_was_not_applied_is_applied_here() {
    for filters in [true, false] {
        let stage = Stage::new(true);
        stage.junk("application/vnd.example.sbom", 3);
        stage.junk(TYPE, 2);
        stage.sandbox.registry().referrers().set_filters(filters);
        let listed = stage.list(ReferrersMode::Auto).await.unwrap();
        assert_eq!(listed.entries.len(), 2, "filters: {filters}");
        assert!(
            listed
                .entries
                .iter()
                .all(|entry| entry.artifact_type.as_deref() == Some(TYPE))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n01_no_more_than_a_thousand_are_listed() {
    let stage = Stage::new(true);
    stage.junk(TYPE, 1_050);
    stage.sandbox.registry().referrers().set_page(300);
    let listed = stage.list(ReferrersMode::Auto).await.unwrap();
    assert_eq!((listed.entries.len(), listed.left), (1_000, true));
    assert_eq!(stage.asked("GET", "/referrers/"), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn n01_endless_empty_pages_end() {
    let stage = Stage::new(true);
    let empty = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": null}).to_string();
    for page in 0..200 {
        let headers = vec![
            ("content-type".to_owned(), INDEX.to_owned()),
            (
                "link".to_owned(),
                format!(
                    "</v2/shop/web/referrers/{}?page={page}>; rel=\"next\"",
                    stage.image.digest
                ),
            ),
        ];
        let action = Action::Answer {
            status: 200,
            headers,
            body: empty.clone().into(),
        };
        stage
            .sandbox
            .fault(Fault::new(action).path("/referrers/").nth(page + 1));
    }
    let listed = stage.list(ReferrersMode::Api).await.unwrap();
    assert!(listed.left && listed.entries.is_empty());
    let asked = stage
        .sandbox
        .log()
        .iter()
        .filter(|entry| entry.path.contains("/referrers/"))
        .count();
    assert_eq!(asked, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn g06_a_link_to_a_foreign_host_is_not_followed() {
    let stage = Stage::new(true);
    stage.junk(TYPE, 1);
    let empty = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}).to_string();
    let answer = |link: &str| Action::Answer {
        status: 200,
        headers: vec![
            ("content-type".into(), INDEX.into()),
            ("link".into(), format!("<{link}>; rel=\"next\"")),
        ],
        body: empty.clone().into(),
    };
    for away in [
        "https://evil.example/v2/",
        "http://contoso.azurecr.io/v2/",
        "https://contoso.azurecr.io:444/v2/",
    ] {
        stage.sandbox.clear_faults();
        stage
            .sandbox
            .fault(Fault::new(answer(away)).path("/referrers/"));
        let error = stage.list(ReferrersMode::Auto).await.unwrap_err();
        assert_eq!(error.reason(), Reason::RedirectRefused, "{away}");
    }
    assert!(
        stage
            .sandbox
            .log()
            .iter()
            .all(|entry| entry.host == "contoso.azurecr.io")
    );
    // To itself: asked once, and that is the end.
    stage.sandbox.clear_faults();
    stage.sandbox.clear_log();
    let own = format!(
        "/v2/shop/web/referrers/{}?artifactType={}",
        stage.image.digest,
        TYPE.replace('/', "%2F")
    );
    stage
        .sandbox
        .fault(Fault::new(answer(&own)).path("/referrers/"));
    assert!(
        stage
            .list(ReferrersMode::Api)
            .await
            .unwrap()
            .entries
            .is_empty()
    );
    assert_eq!(stage.asked("GET", "/referrers/"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_api_the_tag_is_read() {
    for (case, answer) in [
        ("no route", None),
        (
            "another type",
            Some(("text/html", 200, "<html>".to_owned())),
        ),
        (
            "page not found",
            Some(("text/plain", 404, "404 page not found".to_owned())),
        ),
    ] {
        let stage = Stage::new(answer.is_some());
        if let Some((content_type, status, body)) = answer {
            let headers = vec![("content-type".to_owned(), content_type.to_owned())];
            let action = Action::Answer {
                status,
                headers,
                body: body.into(),
            };
            stage.sandbox.fault(Fault::new(action).path("/referrers/"));
        }
        let registry = stage.registry();
        for _ in 0..2 {
            let listed = registry
                .referrers(&repository(), &stage.subject(), TYPE, ReferrersMode::Auto)
                .await
                .unwrap();
            assert_eq!(
                (listed.entries.len(), listed.source),
                (0, ReferrersSource::Tag),
                "{case}"
            );
        }
        let probes = stage
            .sandbox
            .log()
            .iter()
            .filter(|entry| entry.path.contains("/referrers/"))
            .count();
        let challenges = stage
            .sandbox
            .log()
            .iter()
            .filter(|entry| entry.status == 401)
            .count();
        assert!(
            probes <= 1 + challenges,
            "{case}: a run asks once whether there is an API"
        );
        let error = stage.list(ReferrersMode::Api).await.unwrap_err();
        assert_eq!(error.reason(), Reason::ConfigInvalid, "{case}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_no_reason_to_read_the_tag() {
    let unknown =
        json!({"errors": [{"code": "NAME_UNKNOWN", "message": "repository name not known"}]})
            .to_string();
    for (action, reason) in [
        (
            Action::Answer {
                status: 404,
                headers: Vec::new(),
                body: unknown.into(),
            },
            Reason::NotFound,
        ),
        (Action::Status(403), Reason::RegistryForbidden),
        (Action::Status(400), Reason::AnswerInvalid),
        (Action::Status(500), Reason::RegistryUnreachable),
        (Action::Body("[]".into()), Reason::AnswerInvalid),
        (Action::Truncate(9), Reason::AnswerInvalid),
        (
            Action::Redirect {
                status: 302,
                location: "https://evil.example/".into(),
            },
            Reason::RedirectRefused,
        ),
        (Action::Endless, Reason::LimitReached),
    ] {
        let stage = Stage::new(true);
        stage
            .sandbox
            .fault(Fault::new(action.clone()).path("/referrers/"));
        let error = stage.list(ReferrersMode::Auto).await.unwrap_err();
        assert_eq!(error.reason(), reason, "{action:?}");
        assert_eq!(stage.asked("GET", "/manifests/sha256-"), 0, "{action:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tag_is_read_too_where_the_api_lists_nothing() {
    let stage = Stage::new(false);
    let registry = stage.registry();
    let own = push(&stage, &registry, "kept by tag").await;
    registry
        .list_referrer(&repository(), &stage.subject(), &own, ReferrersSource::Tag)
        .await
        .unwrap();
    // The same registry gets the API, and forgets that this manifest refers to anything.
    let forgetful = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}).to_string();
    stage.sandbox.registry().referrers().set_api(true);
    stage
        .sandbox
        .fault(Fault::new(Action::Body(forgetful.into())).path("/referrers/"));
    let listed = stage.list(ReferrersMode::Auto).await.unwrap();
    assert_eq!(
        (listed.entries, listed.source),
        (vec![own], ReferrersSource::Tag)
    );
    // Who is about to add to the list looks at what will be added to.
    let registry = stage.registry();
    let listed = registry
        .referrers_to_extend(&repository(), &stage.subject(), TYPE, ReferrersMode::Auto)
        .await
        .unwrap();
    assert_eq!(
        (listed.entries.len(), listed.source),
        (0, ReferrersSource::Api)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn g15_writers_of_one_tag_lose_nothing() {
    let stage = Arc::new(Stage::new(false));
    let writers = (0..4).map(|writer| {
        let stage = stage.clone();
        tokio::spawn(async move {
            let registry = stage.registry();
            for round in 0..2 {
                let own = push(&stage, &registry, &format!("{writer} {round}")).await;
                registry
                    .list_referrer(&repository(), &stage.subject(), &own, ReferrersSource::Tag)
                    .await
                    .unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(stage.index().len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn g15_what_another_writer_overwrote_is_added_again() {
    let stage = Stage::new(false);
    let registry = stage.registry();
    let first = push(&stage, &registry, "first").await;
    registry
        .list_referrer(
            &repository(),
            &stage.subject(),
            &first,
            ReferrersSource::Tag,
        )
        .await
        .unwrap();
    // Right after our write another one puts an index without our entry, and without the first.
    let theirs = push(&stage, &registry, "theirs").await;
    let index =
        json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [theirs.json()]}).to_string();
    let overwritten = stage
        .sandbox
        .registry()
        .push_index_bytes("shop/web", index.as_bytes());
    let tag = stage.image.digest.replacen(':', "-", 1);
    let own = push(&stage, &registry, "own").await;
    let subject = stage.subject();
    let repository = repository();
    let adding = registry.list_referrer(&repository, &subject, &own, ReferrersSource::Tag);
    let overwriting = async {
        while stage.index().len() < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        stage
            .sandbox
            .registry()
            .retag("shop/web", &overwritten.digest, &tag);
    };
    let (added, ()) = futures::future::join(adding, overwriting).await;
    added.unwrap();
    let mut listed: Vec<String> = stage
        .index()
        .iter()
        .map(|entry| entry["annotations"]["seed"].as_str().unwrap().to_owned())
        .collect();
    listed.sort_unstable();
    assert_eq!(listed, ["first", "own", "theirs"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_api_does_not_list_was_not_stored() {
    let stage = Stage::new(true);
    let registry = stage.registry();
    let own = push(&stage, &registry, "own").await;
    registry
        .list_referrer(&repository(), &stage.subject(), &own, ReferrersSource::Api)
        .await
        .unwrap();
    let empty = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}).to_string();
    // A replica that lags is asked again; one that never lists it has not stored it.
    stage.sandbox.clear_log();
    stage.sandbox.fault(
        Fault::new(Action::Body(empty.clone().into()))
            .path("/referrers/")
            .times(2),
    );
    registry
        .list_referrer(&repository(), &stage.subject(), &own, ReferrersSource::Api)
        .await
        .unwrap();
    assert_eq!(stage.asked("GET", "/referrers/"), 3);
    stage.sandbox.clear_faults();
    stage
        .sandbox
        .fault(Fault::new(Action::Body(empty.into())).path("/referrers/"));
    let error = registry
        .list_referrer(&repository(), &stage.subject(), &own, ReferrersSource::Api)
        .await
        .unwrap_err();
    assert_eq!(error.reason(), Reason::AnswerInvalid);
    assert!(error.to_string().contains("does not list it"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn blobs_are_pushed_and_read_back() {
    let stage = Stage::new(true);
    let registry = stage.registry();
    let bytes = Bytes::from_static(b"an envelope");
    assert!(
        !registry
            .has_blob(&repository(), &Digest::sha256(&bytes))
            .await
    );
    let descriptor = registry
        .push_blob(&repository(), "application/jose+json", &bytes)
        .await
        .unwrap();
    assert!(registry.has_blob(&repository(), &descriptor.digest).await);
    assert_eq!(
        registry
            .blob(&repository(), &descriptor, 1 << 20)
            .await
            .unwrap(),
        bytes
    );
    assert_eq!(
        (
            stage.asked("POST", "/blobs/uploads/"),
            stage.asked("PUT", "/blobs/uploads/")
        ),
        (1, 1)
    );
    let error = registry
        .blob(&repository(), &descriptor, 4)
        .await
        .unwrap_err();
    assert_eq!(error.reason(), Reason::LimitReached);
}

#[tokio::test(flavor = "multi_thread")]
async fn n03_a_blob_of_other_bytes_is_refused() {
    let stage = Stage::new(true);
    let registry = stage.registry();
    let bytes = Bytes::from_static(b"an envelope");
    let descriptor = registry
        .push_blob(&repository(), "application/jose+json", &bytes)
        .await
        .unwrap();
    for action in [
        Action::FlipBit,
        Action::Truncate(3),
        Action::Body("other bytes".into()),
    ] {
        stage.sandbox.clear_faults();
        stage
            .sandbox
            .fault(Fault::new(action.clone()).method("GET").path("/blobs/"));
        let error = registry
            .blob(&repository(), &descriptor, 1 << 20)
            .await
            .unwrap_err();
        assert_eq!(error.reason(), Reason::AnswerInvalid, "{action:?}");
    }
    // The right bytes are not what was listed where their size is another.
    stage.sandbox.clear_faults();
    for size in [descriptor.size - 1, descriptor.size + 1] {
        let listed = acr_sign::oci::Descriptor {
            size,
            ..descriptor.clone()
        };
        let error = registry
            .blob(&repository(), &listed, 1 << 20)
            .await
            .unwrap_err();
        assert_eq!(error.reason(), Reason::AnswerInvalid, "{size}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn g04_g05_a_blob_may_lie_elsewhere_but_the_token_stays() {
    let stage = Stage::new(true);
    let registry = stage.registry();
    let bytes = Bytes::from_static(b"an envelope");
    let descriptor = registry
        .push_blob(&repository(), "application/jose+json", &bytes)
        .await
        .unwrap();
    stage.sandbox.clear_log();
    let storage = "https://contoso.blob.core.windows.net/x";
    let redirect = Action::Redirect {
        status: 307,
        location: storage.into(),
    };
    stage
        .sandbox
        .fault(Fault::new(redirect).method("GET").path("/blobs/"));
    let stored = Action::Answer {
        status: 200,
        headers: Vec::new(),
        body: bytes.clone(),
    };
    stage
        .sandbox
        .fault(Fault::new(stored).host("contoso.blob.core.windows.net"));
    assert_eq!(
        registry
            .blob(&repository(), &descriptor, 1 << 20)
            .await
            .unwrap(),
        bytes
    );
    let log = stage.sandbox.log();
    let there: Vec<_> = log
        .iter()
        .filter(|entry| entry.host == "contoso.blob.core.windows.net")
        .collect();
    assert_eq!(there.len(), 1);
    assert!(there.iter().all(|entry| entry.credential.is_none()));
    for private in [
        "https://169.254.169.254/",
        "http://contoso.blob.core.windows.net/",
        "https://10.0.0.1/",
    ] {
        stage.sandbox.clear_faults();
        let redirect = Action::Redirect {
            status: 307,
            location: private.into(),
        };
        stage
            .sandbox
            .fault(Fault::new(redirect).method("GET").path("/blobs/"));
        let error = registry
            .blob(&repository(), &descriptor, 1 << 20)
            .await
            .unwrap_err();
        assert_eq!(error.reason(), Reason::RedirectRefused, "{private}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn g04_an_upload_stays_with_its_host() {
    let stage = Stage::new(true);
    for away in [
        "https://evil.example/upload",
        "https://10.0.0.1/upload",
        "http://contoso.azurecr.io/v2/x",
        "",
    ] {
        stage.sandbox.clear_faults();
        let headers = if away.is_empty() {
            Vec::new()
        } else {
            vec![("location".to_owned(), away.to_owned())]
        };
        let action = Action::Answer {
            status: 202,
            headers,
            body: Bytes::new(),
        };
        stage
            .sandbox
            .fault(Fault::new(action).method("POST").path("/blobs/uploads/"));
        let error = stage
            .registry()
            .push_blob(&repository(), "text/plain", &Bytes::from_static(b"x"))
            .await;
        assert_eq!(
            error.unwrap_err().reason(),
            Reason::RedirectRefused,
            "{away}"
        );
    }
    assert!(
        stage
            .sandbox
            .log()
            .iter()
            .all(|entry| entry.host == "contoso.azurecr.io" && entry.method != "PUT")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_broke_off_is_begun_anew() {
    for action in [Action::Close, Action::Status(500), Action::Status(404)] {
        let stage = Stage::new(true);
        stage.sandbox.fault(
            Fault::new(action.clone())
                .method("PUT")
                .path("/blobs/uploads/")
                .nth(1),
        );
        let bytes = Bytes::from_static(b"an envelope");
        stage
            .registry()
            .push_blob(&repository(), "text/plain", &bytes)
            .await
            .unwrap();
        assert_eq!(stage.asked("POST", "/blobs/uploads/"), 2, "{action:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_stumbles_over_another_writer_is_asked_again() {
    for (status, reason) in [
        (400, Reason::AnswerInvalid),
        (500, Reason::RegistryUnreachable),
        (503, Reason::RegistryUnreachable),
    ] {
        let stage = Stage::new(true);
        stage.sandbox.fault(
            Fault::new(Action::Status(status))
                .method("PUT")
                .path("/manifests/")
                .times(2),
        );
        let registry = stage.registry();
        let own = push(&stage, &registry, "own").await;
        assert_eq!(
            registry
                .manifest(&repository(), &own.descriptor)
                .await
                .unwrap()
                .len() as u64,
            own.descriptor.size
        );
        stage.sandbox.fault(
            Fault::new(Action::Status(status))
                .method("PUT")
                .path("/manifests/"),
        );
        let refused = registry
            .push_manifest(&repository(), "x", INDEX, &Bytes::from_static(b"{}"))
            .await;
        assert_eq!(refused.unwrap_err().reason(), reason, "{status}");
    }
}
