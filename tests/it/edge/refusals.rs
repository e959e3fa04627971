//! What registries refuse: each refusal is told from its likes, and its fix works where it was refused.

use acr_sandbox::{Action, Fault, Identity, KeyKind, Role, Service};
use acr_sign::Exit;
use serde_json::json;

use crate::world::{Outcome, REPOSITORY, World};

fn answer(status: u16, code: &str, message: &str) -> Action {
    let body = json!({"errors": [{"code": code, "message": message, "detail": {}}]});
    Action::Answer {
        status,
        headers: vec![(
            "content-type".into(),
            "application/json; charset=utf-8".into(),
        )],
        body: body.to_string().into(),
    }
}

fn world() -> World {
    let world = World::new();
    world.sandbox.vault().create_certificate(
        "signer",
        KeyKind::P256,
        "CN=signer,O=Contoso,ST=WA,C=US",
    );
    world
}

const SIGN: &str = "--format notation --key akv:contoso/certificates/signer";
const VERIFY: &str = "--format notation --certificate akv:contoso/certificates/signer";

/// The outcome is this exit and reason, and says all of these and none of those.
fn says(outcome: &Outcome, reason: &str, all: &[&str], none: &[&str]) {
    assert_eq!(
        outcome.reasons().first(),
        Some(&reason),
        "{}",
        outcome.stderr
    );
    for part in all {
        assert!(
            outcome.stderr.contains(part),
            "no `{part}`: {}",
            outcome.stderr
        );
    }
    for part in none {
        assert!(
            !outcome.stderr.contains(part),
            "`{part}`: {}",
            outcome.stderr
        );
    }
}

#[test]
fn a_missing_repository_a_missing_tag_and_a_missing_permission_are_told_apart() {
    let world = world();
    for (image, all, none) in [
        (
            "contoso.azurecr.io/shop/wbe:1.0",
            &[
                "a repository `shop/wbe`",
                "az acr repository list --name contoso",
            ][..],
            &["did you mean"][..],
        ),
        (
            "contoso.azurecr.io/shop/web:1.O",
            &[
                "`contoso.azurecr.io/shop/web` does not have this tag",
                "did you mean `1.0`",
                "az acr repository show-tags --name contoso --repository shop/web",
                "MANIFEST_UNKNOWN",
            ],
            &[],
        ),
        (
            "contoso.azurecr.io/shop/web:lates",
            &["did you mean `latest`?"],
            &["`1.0`"],
        ),
        (
            "contoso.azurecr.io/shop/web:nothing-like-it",
            &["does not have this tag", "check the tag"],
            &["did you mean"],
        ),
    ] {
        for line in [
            format!("verify {image} {VERIFY}"),
            format!("sign {image} {SIGN}"),
        ] {
            let outcome = world.run(&line);
            assert_eq!(outcome.exit, Exit::Undecided, "{}", outcome.stderr);
            says(&outcome, "not-found", all, none);
        }
    }
    let client = "00000000-0000-0000-0000-00000000c11e";
    world.sandbox.acr().grant(client, &[]);
    let outcome = world.run(&format!("verify {REPOSITORY}:1.0 {VERIFY}"));
    says(
        &outcome,
        "registry-unauthorized",
        &[
            "the role `AcrPull`",
            &format!(
                "az role assignment create --assignee-object-id oid-{client} --assignee-principal-type ServicePrincipal \
                 --role AcrPull --scope \"$(az acr show --name contoso --query id --output tsv)\""
            ),
        ],
        &["does not have"],
    );
}

#[test]
fn a_locked_repository_is_told_from_a_registry_without_content_trust() {
    let (world, root) = World::initialised();
    world.sandbox.vault().create_certificate(
        "signer",
        KeyKind::P256,
        "CN=signer,O=Contoso,ST=WA,C=US",
    );
    let sign_dct =
        format!("sign {REPOSITORY}:1.0 --format dct --key akv:contoso/keys/release --root {root}");
    for (fault, line, attribute) in [
        (
            Fault::new(answer(
                405,
                "REGISTRY_DISALLOWED_OPERATION",
                "the operation is not allowed on this repository",
            ))
            .method("POST")
            .path("/blobs/uploads"),
            format!("sign {REPOSITORY}:1.0 {SIGN}"),
            "write",
        ),
        (
            Fault::new(answer(405, "REGISTRY_DISALLOWED_OPERATION", "quarantined"))
                .method("PUT")
                .path("/manifests/"),
            format!("sign {REPOSITORY}:1.0 {SIGN}"),
            "write",
        ),
        (
            Fault::new(answer(405, "REGISTRY_DISALLOWED_OPERATION", "x"))
                .method("GET")
                .path("/manifests/1.0"),
            format!("verify {REPOSITORY}:1.0 {VERIFY}"),
            "read",
        ),
        (
            Fault::new(answer(
                405,
                "UNSUPPORTED",
                "The operation is disallowed on this registry, repository or image.",
            ))
            .method("GET")
            .path("/manifests/1.0"),
            format!("verify {REPOSITORY}:1.0 {VERIFY}"),
            "read",
        ),
        (
            Fault::new(answer(405, "REGISTRY_DISALLOWED_OPERATION", "x"))
                .service(Service::TrustServer)
                .method("POST"),
            sign_dct.clone(),
            "write",
        ),
        (
            Fault::new(answer(405, "REGISTRY_DISALLOWED_OPERATION", "x"))
                .service(Service::TrustServer)
                .method("GET"),
            sign_dct.clone(),
            "read",
        ),
    ] {
        world.sandbox.clear_faults();
        world.sandbox.fault(fault);
        let outcome = world.run(&line);
        assert_eq!(outcome.exit, Exit::Undecided, "{}", outcome.stderr);
        says(
            &outcome,
            "registry-forbidden",
            &[
                "locked `shop/web`",
                "az acr repository show --name contoso --repository shop/web --query changeableAttributes",
                &format!(
                    "az acr repository update --name contoso --repository shop/web --{attribute}-enabled true"
                ),
                "before they are locked",
            ],
            &["content trust", "config content-trust"],
        );
    }
    world.sandbox.clear_faults();
    world.sandbox.trust().set_enabled(false);
    let outcome = world.run(&sign_dct);
    says(
        &outcome,
        "content-trust-disabled",
        &["--format notation"],
        &["az acr config content-trust", "locked"],
    );
}

#[test]
fn the_missing_role_of_a_signer_is_named_with_the_identity() {
    let (world, root) = World::initialised();
    let client = "00000000-0000-0000-0000-00000000c11e";
    world.sandbox.acr().grant(client, &[Role::AcrPush]);
    let outcome = world.sign(&["1.0"], &root);
    assert_eq!(outcome.exit, Exit::Undecided, "{}", outcome.stderr);
    says(
        &outcome,
        "signer-role-missing",
        &[
            &format!("the identity `oid-{client}`"),
            &format!(
                "az role assignment create --assignee-object-id oid-{client} --assignee-principal-type ServicePrincipal \
                 --role AcrImageSigner --scope \"$(az acr show --name contoso --query id --output tsv)\""
            ),
            "log in again",
        ],
        &[],
    );
}

#[test]
fn a_registry_that_is_not_azures_gets_its_own_fixes() {
    let mut world = world();
    let host = world.sandbox.localhost_registry();
    let line = format!("verify {host}/shop/web:1.0 {VERIFY}");
    // Nobody is logged in there, and it lets nobody in.
    let outcome = world.run(&line);
    says(
        &outcome,
        "registry-unauthorized",
        &[
            "requires a login",
            &format!("`docker login {host}`"),
            "`--username USER --password-stdin`",
        ],
        &["AcrPull", "az ", "role"],
    );
    world.sandbox.acr().set_anonymous_pull(true);
    for (status, code, message, reason, all) in [
        (
            403,
            "DENIED",
            "requested access to the resource is denied",
            "registry-forbidden",
            &["DENIED", "docker login"][..],
        ),
        (
            429,
            "TOOMANYREQUESTS",
            "You have reached your unauthenticated pull rate limit",
            "registry-throttled",
            &[
                "TOOMANYREQUESTS: You have reached",
                "limit pulls without a login",
                "docker login",
            ],
        ),
        (
            404,
            "MANIFEST_UNKNOWN",
            "manifest unknown",
            "not-found",
            &["MANIFEST_UNKNOWN: manifest unknown"],
        ),
        (
            404,
            "NAME_UNKNOWN",
            "no such repository",
            "not-found",
            &["a repository `shop/web`", "docker login"],
        ),
    ] {
        world.sandbox.clear_faults();
        world
            .sandbox
            .fault(Fault::new(answer(status, code, message)).path("/manifests/"));
        let outcome = world.run(&format!("{line} --retries 0"));
        says(
            &outcome,
            reason,
            all,
            &["AcrPull", "az ", "`--concurrency`"],
        );
    }
    // The limit of pulls often comes with a wait that no run lasts for.
    world.sandbox.clear_faults();
    world.sandbox.fault(
        Fault::new(Action::RetryAfter {
            status: 429,
            value: "21600".into(),
        })
        .path("/manifests/"),
    );
    let outcome = world.run(&line);
    says(
        &outcome,
        "registry-throttled",
        &["docker login"],
        &["`--concurrency`"],
    );
    world.sandbox.clear_faults();
    // A password that is wrong is not a role that is missing.
    world.sandbox.acr().set_anonymous_pull(false);
    world.set(
        "DOCKER_CONFIG",
        Some(&world.folder.path().display().to_string()),
    );
    for name in [&host, "contoso.azurecr.io"] {
        world.write(
            "config.json",
            &json!({"auths": {name: {"auth": "dTp3cm9uZw=="}}}).to_string(),
        );
        let outcome = world.run(&format!(
            "verify {name}/shop/web:1.0 {VERIFY} --registry-auth docker-config"
        ));
        says(
            &outcome,
            "registry-unauthorized",
            &["check the user name and password"],
            &["AcrPull", "role"],
        );
    }
}

#[test]
fn stored_logins_are_found_as_docker_finds_them() {
    let mut world = world();
    world.set(
        "DOCKER_CONFIG",
        Some(&world.folder.path().display().to_string()),
    );
    let login = "c2FuZGJveDpzYW5kYm94";
    world.sandbox.acr().add_user("sandbox", "sandbox");
    let line = format!("verify {REPOSITORY}:1.0 {VERIFY} --registry-auth docker-config");
    for config in [
        json!({"auths": {"http://contoso.azurecr.io": {"auth": login}}}),
        json!({"auths": {"contoso.azurecr.io/": {"auth": login}}, "credHelpers": null, "credsStore": null}),
        json!({"auths": {"https://contoso.azurecr.io/v2/": {"auth": login}, "other.example": null}}),
        json!({"auths": {"contoso.azurecr.io": {"auth": login, "identitytoken": null}}, "credHelpers": {"x": null}}),
    ] {
        world.write("config.json", &config.to_string());
        let outcome = world.run(&line);
        assert_eq!(
            outcome.reasons(),
            ["unsigned"],
            "{config}: {}",
            outcome.stderr
        );
    }
    // A helper that is not installed: docker goes on without a login, and so does `auto`.
    world.sandbox.acr().set_anonymous_pull(true);
    let host = world.sandbox.localhost_registry();
    world.write("config.json", r#"{"credsStore":"not-installed-here"}"#);
    let outcome = world.run(&format!("verify {host}/shop/web:1.0 {VERIFY}"));
    says(
        &outcome,
        "unsigned",
        &["docker-credential-not-installed-here"],
        &[],
    );
    let outcome = world.run(&line);
    assert_eq!(outcome.exit, Exit::Usage);
    says(
        &outcome,
        "config-invalid",
        &[
            "`docker-credential-not-installed-here`",
            "not installed",
            "--registry-auth anonymous",
        ],
        &[],
    );
}

#[test]
fn other_answers_of_the_referrers_api_lead_to_the_tag() {
    let world = world();
    let signed = world.run(&format!("sign {REPOSITORY}:1.0 {SIGN} --referrers tag"));
    assert_eq!(signed.exit, Exit::Done, "{}", signed.stderr);
    let line = format!("verify {REPOSITORY}:1.0 {VERIFY} --retries 0");
    for action in [
        Action::Status(400),
        Action::Status(405),
        Action::Status(406),
        Action::Status(501),
        Action::Redirect {
            status: 303,
            location: "/login".into(),
        },
        Action::Redirect {
            status: 302,
            location: "https://sso.example/?x=canary".into(),
        },
    ] {
        world.sandbox.clear_faults();
        world
            .sandbox
            .fault(Fault::new(action.clone()).path("/referrers/"));
        let outcome = world.run(&line);
        assert_eq!(
            outcome.exit,
            Exit::Undecided,
            "{action:?}: {}",
            outcome.stderr
        );
        says(
            &outcome,
            match action {
                Action::Redirect { .. } => "redirect-refused",
                _ => "answer-invalid",
            },
            &["pass `--referrers tag`"],
            &["--allow-private", "canary"],
        );
        let outcome = world.run(&format!("{line} --referrers tag"));
        assert_eq!(outcome.exit, Exit::Done, "{action:?}: {}", outcome.stderr);
    }
}

#[test]
fn a_manifest_whose_blobs_a_replica_does_not_have_yet_is_pushed_again() {
    for code in ["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"] {
        let world = world();
        let fault = Fault::new(answer(404, code, "blob unknown to registry"))
            .method("PUT")
            .path("/manifests/sha256:");
        world.sandbox.fault(fault.nth(1));
        let outcome = world.run(&format!("sign {REPOSITORY}:1.0 {SIGN}"));
        assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    }
    let world = world();
    world.sandbox.fault(
        Fault::new(answer(404, "NAME_UNKNOWN", "x"))
            .method("PUT")
            .path("/manifests/sha256:"),
    );
    let outcome = world.run(&format!("sign {REPOSITORY}:1.0 {SIGN}"));
    assert_eq!(outcome.reasons(), ["not-found"], "{}", outcome.stderr);
    let puts = world
        .sandbox
        .log()
        .into_iter()
        .filter(|entry| entry.method == "PUT" && entry.path.contains("/manifests/"));
    assert_eq!(puts.count(), 1);
}

#[test]
fn a_login_that_may_not_is_exchanged_once_more_and_not_for_each_request() {
    let world = World::with(Identity::ManagedIdentityAppService);
    world.sandbox.vault().create_certificate(
        "signer",
        KeyKind::P256,
        "CN=signer,O=Contoso,ST=WA,C=US",
    );
    world
        .sandbox
        .acr()
        .grant("00000000-0000-0000-0000-00000000c11e", &[]);
    let images: Vec<String> = (0..12)
        .map(|number| format!("contoso.azurecr.io/shop/app{number}:1"))
        .collect();
    let outcome = world.run(&format!("verify {} {VERIFY}", images.join(" ")));
    assert_eq!(outcome.exit, Exit::Undecided, "{}", outcome.stderr);
    let log = world.sandbox.log();
    let exchanges = log
        .iter()
        .filter(|entry| entry.path == "/oauth2/exchange")
        .count();
    assert_eq!(exchanges, 2, "one login, and one more after the first 401");
}

#[test]
fn accepted_types_are_sent_in_one_line_and_manager_tokens_stay_with_azure() {
    let world = world();
    world.sandbox.acr().set_anonymous_pull(true);
    world.run(&format!("verify {REPOSITORY}:1.0 {VERIFY}"));
    let accepts: Vec<usize> = world
        .sandbox
        .log()
        .iter()
        .filter(|entry| entry.path.contains("/manifests/1.0"))
        .map(|entry| entry.accept_lines)
        .collect();
    assert!(
        !accepts.is_empty() && accepts.iter().all(|lines| *lines == 1),
        "{accepts:?}"
    );
    // A registry that is allowed and not Azure's gets the token for registries, and no other.
    let host = world.sandbox.localhost_registry();
    world.sandbox.acr().set_anonymous_pull(false);
    world
        .sandbox
        .fault(Fault::new(answer(401, "UNAUTHORIZED", "no")).path("/oauth2/exchange"));
    for (name, exchanges) in [(host.as_str(), 1), ("contoso.azurecr.io", 2)] {
        world.sandbox.clear_log();
        world.run(&format!(
            "verify {name}/shop/web:1.0 {VERIFY} --allow-host {host} --registry-auth entra"
        ));
        let log = world.sandbox.log();
        let asked = log
            .iter()
            .filter(|entry| entry.path == "/oauth2/exchange")
            .count();
        assert_eq!(asked, exchanges, "{name}");
    }
}
