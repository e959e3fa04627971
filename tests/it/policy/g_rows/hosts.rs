//! Who is asked, and who gets a credential: G01, G03 to G06, G08, G11, G17.

use std::sync::atomic::Ordering;

use acr_sandbox::{Action, Fault, Identity, Options, Sandbox, Service};
use acr_sign::Exit;

use super::{IMAGE, INDEX, Scene, asked, elsewhere, gate};
use crate::{
    edge::{access, challenge, no_tls},
    world::{REPOSITORY, World},
};

fn entra(world: &World) -> usize {
    world.sandbox.count(Service::ManagedIdentity) + world.sandbox.count(Service::Entra)
}

#[test]
fn g01_only_registries_of_the_cloud_get_an_entra_token() {
    let first_use = "{ dct: { trust-on-first-use: true } }";
    for (host, port, flags, gets_it) in [
        ("contoso.azurecr.io", "", "", true),
        ("evil.example", "", "", false),
        ("x.azurecr.io.evil.example", "", "", false),
        ("xazurecr.io", "", "", false),
        ("azurecr.io", "", "", false),
        ("contoso.azurecr.io", ":8443", "", false),
        // Named by a flag, and by nothing else.
        ("evil.example", "", "--allow-host evil.example", true),
        ("evil.example", "", "--allow-private evil.example", false),
        ("evil.example", "", "--allow-host evil.example:8443", false),
    ] {
        // Over HTTP/2 a port that was connected to elsewhere is named as that one.
        let http2 = port.is_empty();
        let sandbox = Sandbox::start(Options {
            registry: host.into(),
            http2,
            ..Options::default()
        })
        .unwrap();
        let world = World::stocked(sandbox, Identity::ManagedIdentityAppService);
        // Capitals are another spelling of the same host, and no other host.
        for name in [host.to_owned(), host.to_ascii_uppercase()] {
            let outcome = gate(
                &world,
                first_use,
                &format!("{name}{port}/shop/web:1.0 {flags}"),
            );
            let told = format!("{name}{port} {flags}: {}", outcome.stderr);
            // Whoever gets the token finds that nobody signed there.
            let (exit, reason) = if gets_it {
                (Exit::Rejected, "unsigned")
            } else {
                (Exit::Undecided, "registry-unauthorized")
            };
            assert_eq!(
                (outcome.exit, outcome.reasons()),
                (exit, vec![reason]),
                "{told}"
            );
            let exchanged = world
                .sandbox
                .log()
                .iter()
                .any(|entry| entry.path == "/oauth2/exchange");
            assert_eq!((entra(&world) > 0, exchanged), (gets_it, gets_it), "{told}");
            assert!(
                world.sandbox.log().iter().any(|entry| entry.host == host),
                "{told}"
            );
        }
    }
    let world = World::new();
    for name in [
        "contoso.azurecr.io./shop/web",
        ".azurecr.io/shop/web",
        "cöntoso.azurecr.io/shop/web",
        "user:secret@contoso.azurecr.io/shop/web",
        "contoso.azurecr.io@evil.example/shop/web",
        "contoso.azurecr.io:/shop/web",
        "https://contoso.azurecr.io/shop/web",
    ] {
        let outcome = gate(&world, first_use, &format!("{name}:1.0"));
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec!["usage"]),
            "{name}: {}",
            outcome.stderr
        );
        assert_eq!(world.sandbox.log().len(), 0, "{name}");
    }
}

#[test]
fn g03_a_realm_elsewhere_gets_neither_token_nor_request() {
    let scene = Scene::new();
    for realm in [
        "https://169.254.169.254/metadata/identity/oauth2/token",
        "http://169.254.169.254/metadata/identity/oauth2/token",
        "https://[::1]/oauth2/token",
        "https://10.0.0.1/oauth2/token",
        "https://0.0.0.0/oauth2/token",
        "https://evil.example/oauth2/token",
        "https://contoso.azurecr.io.evil.example/oauth2/token",
        "http://contoso.azurecr.io/oauth2/token",
        "https://user:secret@contoso.azurecr.io/oauth2/token",
        "https://contoso.azurecr.io:8443/oauth2/token",
    ] {
        for (path, members) in [("/v2/shop/", scene.notation()), ("/_trust/", scene.dct())] {
            scene.world.sandbox.clear_faults();
            scene
                .world
                .sandbox
                .fault(Fault::new(challenge(realm)).path(path));
            scene.denied(&members, IMAGE, Exit::Usage, &["host-not-allowed"]);
            assert_eq!(elsewhere(&scene.world).len(), 0, "{realm}");
            let sent = scene
                .world
                .sandbox
                .log()
                .into_iter()
                .filter(|entry| entry.path.contains(path));
            assert!(
                sent.into_iter().all(|entry| entry.credential.is_none()),
                "{realm} {path}"
            );
        }
        assert_eq!(
            asked(&scene.world, "/v2/shop/"),
            1,
            "the manifest, which is not refused in the second round"
        );
    }
}

#[test]
fn g04_redirects_lead_nowhere_private_and_never_a_credential() {
    let scene = Scene::new();
    // Envelopes lie in the registry's storage, which is asked without a credential.
    scene.world.sandbox.registry().set_blob_redirects(true);
    assert_eq!(scene.gate(&scene.both(), IMAGE).exit, Exit::Done);
    let storage = elsewhere(&scene.world);
    assert!(
        storage.len() == 1 && storage[0].credential.is_none(),
        "{storage:?}"
    );
    scene.world.sandbox.registry().set_blob_redirects(false);

    let redirected = |method: &str, path: &str, to: &str| {
        scene.world.sandbox.clear_faults();
        let away = Action::Redirect {
            status: 302,
            location: to.into(),
        };
        scene
            .world
            .sandbox
            .fault(Fault::new(away).method(method).path(path));
        scene.denied(&scene.both(), IMAGE, Exit::Undecided, &["redirect-refused"]);
        assert_eq!(elsewhere(&scene.world).len(), 0, "{path} {to}");
    };
    for private in [
        "http://169.254.169.254/metadata/identity/oauth2/token",
        "https://169.254.169.254/metadata/identity/oauth2/token",
        "https://10.0.0.1/blob",
        "https://127.0.0.1/blob",
        "https://[::1]/blob",
        "https://[::ffff:10.0.0.1]/blob",
        "https://localhost/blob",
        "http://contoso.azurecr.io/blob",
        "https://user:secret@evil.example/blob",
    ] {
        redirected("GET", "/blobs/", private);
    }
    // No such request may be redirected at all.
    for (method, path) in [
        ("GET", "/referrers/"),
        ("GET", "/_trust/tuf/timestamp.json"),
        ("POST", "/oauth2/token"),
        ("POST", "/oauth2/exchange"),
    ] {
        redirected(method, path, "https://evil.example/elsewhere");
        redirected(method, path, "https://contoso.azurecr.io/elsewhere");
        assert_eq!(
            scene
                .world
                .sandbox
                .log()
                .iter()
                .filter(|entry| entry.path == "/elsewhere")
                .count(),
            0
        );
    }
    // Nor may a manifest, once a token goes with the request.
    scene.world.sandbox.clear_faults();
    let away = Action::Redirect {
        status: 302,
        location: "https://evil.example/elsewhere".into(),
    };
    scene
        .world
        .sandbox
        .fault(Fault::new(away).path("/manifests/1.0").nth(2));
    scene.denied(&scene.both(), IMAGE, Exit::Undecided, &["redirect-refused"]);
    assert_eq!(elsewhere(&scene.world).len(), 0);
}

#[test]
fn g04_an_upload_that_is_led_away_ends_the_signing() {
    let scene = Scene::new();
    let key = "akv:contoso/certificates/signer";
    scene.world.write(
        "acr-sign.yaml",
        &format!("version: 1\nsign: {{ formats: [notation], key: \"{key}\" }}\n"),
    );
    for to in [
        "https://10.0.0.1/upload",
        "https://169.254.169.254/upload",
        "https://evil.example/upload",
    ] {
        scene.world.sandbox.clear_faults();
        scene.world.sandbox.clear_log();
        let answer = Action::Answer {
            status: 202,
            headers: vec![("location".into(), to.into())],
            body: Vec::new().into(),
        };
        scene
            .world
            .sandbox
            .fault(Fault::new(answer).method("POST").path("/blobs/uploads/"));
        let outcome = scene
            .world
            .run_binary(&format!("sign {REPOSITORY}:unsigned --retries 0"), &[]);
        let said = (outcome.exit, outcome.reasons());
        assert_eq!(
            said,
            (Exit::Undecided, vec!["redirect-refused"]),
            "{to}: {}",
            outcome.stderr
        );
        assert!(
            scene
                .world
                .sandbox
                .log()
                .iter()
                .all(|entry| entry.method != "PUT" && entry.path != "/upload"),
            "{to}"
        );
    }
}

#[test]
fn g05_who_is_reached_by_a_redirect_gets_no_token_for_its_challenge() {
    let scene = Scene::new();
    for (path, members) in [
        ("/manifests/1.0", scene.dct()),
        ("/blobs/", scene.notation()),
    ] {
        for realm in [
            "https://evil.example/oauth2/token",
            "https://contoso.azurecr.io/oauth2/token",
        ] {
            scene.world.sandbox.clear_faults();
            let away = Action::Redirect {
                status: 307,
                location: "https://evil.example/v2/shop/web/x".into(),
            };
            // Before the registry has asked for a token: what is asked for with one is not redirected.
            let away = Fault::new(away).host("contoso.azurecr.io").path(path);
            scene
                .world
                .sandbox
                .fault(if path == "/blobs/" { away } else { away.nth(1) });
            scene
                .world
                .sandbox
                .fault(Fault::new(challenge(realm)).host("evil.example"));
            let outcome = scene.gate(&members, IMAGE);
            let there = elsewhere(&scene.world);
            // Once, and once more where the registry's token might have ended.
            let asked = if path == "/blobs/" { 1..=2 } else { 1..=1 };
            assert!(asked.contains(&there.len()), "{path} {realm}: {there:?}");
            assert!(
                there.iter().all(|entry| entry.credential.is_none()),
                "{path} {realm}: {there:?}"
            );
            // The registry's own realm opens the registry, which is asked again; a blob is asked for with its token already.
            let (exit, reasons) = match (path, realm) {
                ("/manifests/1.0", "https://contoso.azurecr.io/oauth2/token") => {
                    (Exit::Done, vec![])
                }
                (_, "https://evil.example/oauth2/token") => (Exit::Usage, vec!["host-not-allowed"]),
                _ => (Exit::Undecided, vec!["registry-unauthorized"]),
            };
            assert_eq!(
                (outcome.exit, outcome.reasons()),
                (exit, reasons),
                "{path} {realm}: {}",
                outcome.stderr
            );
        }
    }
}

#[test]
fn g06_a_list_stays_with_its_host_and_ends() {
    let scene = Scene::new();
    let empty = format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[]}}"#);
    let page = |link: &str| {
        let headers = [
            ("content-type", INDEX.to_owned()),
            ("link", format!("<{link}>; rel=\"next\"")),
        ];
        let headers = headers
            .map(|(name, value)| (name.to_owned(), value))
            .to_vec();
        Fault::new(Action::Answer {
            status: 200,
            headers,
            body: empty.clone().into(),
        })
        .path("/referrers/")
    };
    for away in [
        "https://evil.example/v2/shop/web/referrers/x",
        "http://contoso.azurecr.io/v2/shop/web/referrers/x",
        "https://contoso.azurecr.io:8443/v2/shop/web/referrers/x",
        "https://169.254.169.254/v2/shop/web/referrers/x",
    ] {
        scene.world.sandbox.clear_faults();
        scene.world.sandbox.fault(page(away));
        scene.denied(
            &scene.notation(),
            IMAGE,
            Exit::Undecided,
            &["redirect-refused"],
        );
        assert_eq!(
            (
                elsewhere(&scene.world).len(),
                asked(&scene.world, "/referrers/")
            ),
            (0, 1),
            "{away}"
        );
    }
    // A circle of two pages: each is asked for once, and what is not listed does not sign.
    scene.world.sandbox.clear_faults();
    scene
        .world
        .sandbox
        .fault(page("/v2/shop/web/referrers/sha256:0?page=2").nth(1));
    scene
        .world
        .sandbox
        .fault(page("/v2/shop/web/referrers/sha256:0?page=2"));
    scene.denied(&scene.notation(), IMAGE, Exit::Rejected, &["unsigned"]);
    assert_eq!(asked(&scene.world, "/referrers/"), 2);
    // No circle, and no end.
    scene.world.sandbox.clear_faults();
    for number in 0..150 {
        scene
            .world
            .sandbox
            .fault(page(&format!("/v2/shop/web/referrers/sha256:0?page={number}")).nth(number + 1));
    }
    scene.denied(
        &scene.notation(),
        IMAGE,
        Exit::Undecided,
        &["limit-reached"],
    );
    assert_eq!(asked(&scene.world, "/referrers/"), 100);
}

#[test]
fn g08_a_token_of_one_repository_is_not_shown_to_another() {
    let scene = Scene::new();
    scene
        .world
        .sandbox
        .registry()
        .push_image("shop/api", "1.0", "another");
    // The hostile one asks for a token of the other, and for more than reading needs.
    for scope in [
        "repository:shop/web:pull",
        "repository:shop/api:pull,push,delete",
        "repository:*:*",
    ] {
        let realm = "https://contoso.azurecr.io/oauth2/token";
        let header =
            format!("Bearer realm=\"{realm}\",service=\"contoso.azurecr.io\",scope=\"{scope}\"");
        let greedy = Action::Answer {
            status: 401,
            headers: vec![("www-authenticate".into(), header)],
            body: "{}".into(),
        };
        scene.world.sandbox.clear_faults();
        scene
            .world
            .sandbox
            .fault(Fault::new(greedy).path("/v2/shop/api/manifests/").nth(1));
        let images = format!("{IMAGE} contoso.azurecr.io/shop/api:1.0");
        scene.denied(&scene.notation(), &images, Exit::Rejected, &["unsigned"]);
        let mut sent = 0;
        for entry in scene
            .world
            .answered(Service::Registry)
            .iter()
            .filter(|entry| entry.path.starts_with("/v2/"))
        {
            let own = if entry.path.starts_with("/v2/shop/api/") {
                "shop/api"
            } else {
                "shop/web"
            };
            let granted = access(entry.credential.as_deref().unwrap());
            assert_eq!(
                granted,
                [(own.to_owned(), vec!["pull".to_owned()])],
                "{scope}: {}",
                entry.path
            );
            sent += 1;
        }
        assert!(sent >= 2 + 2, "{sent}");
    }
}

#[test]
fn g11_what_speaks_no_tls_is_not_asked_in_the_clear() {
    let mut scene = Scene::new();
    let (port, count) = no_tls();
    scene.world.set(
        "ACR_SIGN_CONNECT_TO",
        Some(&format!("contoso.azurecr.io=127.0.0.1:{port}")),
    );
    for (members, connections) in [(scene.dct(), 2), (scene.notation(), 1), (scene.both(), 2)] {
        count.store(0, Ordering::SeqCst);
        // Another host that was named for plain HTTP changes nothing for this one.
        let line = format!("{IMAGE} --registry-auth anonymous --plain-http localhost:5000");
        let outcome = scene.denied(&members, &line, Exit::Undecided, &["registry-unreachable"]);
        assert!(
            outcome.stderr.contains("no trusted TLS connection"),
            "{}",
            outcome.stderr
        );
        assert!(
            (1..=connections).contains(&count.load(Ordering::SeqCst)),
            "{}",
            count.load(Ordering::SeqCst)
        );
    }
    // A listener that speaks plain HTTP well is not asked, either.
    let plain = format!(
        "contoso.azurecr.io=127.0.0.1:{}",
        scene.world.sandbox.plain_port()
    );
    scene.world.set("ACR_SIGN_CONNECT_TO", Some(&plain));
    scene.denied(
        &scene.both(),
        &format!("{IMAGE} --registry-auth anonymous"),
        Exit::Undecided,
        &["registry-unreachable"],
    );
    assert_eq!(scene.world.sandbox.log().len(), 0);
}

#[test]
fn g17_no_host_is_allowed_by_a_file() {
    let scene = Scene::new();
    let world = &scene.world;
    let rule = |images: &str, members: &str| {
        format!("verify:\n  - images: [\"{images}\"]\n    require: [ {members} ]\n")
    };
    let evil_vault = "https://evil.example/certificates/signer";
    let by_vault = format!("{{ notation: {{ certificates: [\"{evil_vault}\"] }} }}");
    let by_name = format!(
        "keys: {{ signer: \"{evil_vault}\" }}\n{}",
        rule("**", "{ notation: { certificates: [signer] } }")
    );
    for (text, reason) in [
        (rule("**", &by_vault), "host-not-allowed"),
        (by_name, "host-not-allowed"),
        (
            format!("allow-host: [evil.example]\n{}", rule("**", &scene.both())),
            "policy-invalid",
        ),
        (
            format!(
                "allow-private: [evil.example]\n{}",
                rule("**", &scene.both())
            ),
            "policy-invalid",
        ),
        (
            format!(
                "trust-server: \"https://evil.example\"\n{}",
                rule("**", &scene.both())
            ),
            "policy-invalid",
        ),
        (
            rule(
                "**",
                &format!(
                    "{{ dct: {{ roots: [\"{}\"], trust-server: \"https://evil.example\" }} }}",
                    scene.root
                ),
            ),
            "policy-invalid",
        ),
    ] {
        let file = world.write("policy.yaml", &format!("version: 1\n{text}"));
        world.sandbox.clear_log();
        let outcome = world.run_binary(&format!("verify {IMAGE} --policy {file}"), &[]);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec![reason]),
            "{text}: {}",
            outcome.stderr
        );
        assert_eq!(
            (outcome.stdout.as_str(), world.sandbox.log().len()),
            ("", 0),
            "{text}"
        );
    }
    // A registry that policy and manifest name is read as anybody may read it.
    let pod =
        "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: evil.example/shop/web:1.0\n";
    let manifest = world.write("pod.yaml", pod);
    world.sandbox.fault(
        Fault::new(challenge("https://evil.example/oauth2/token"))
            .host("evil.example")
            .path("/v2/"),
    );
    let policy = format!("version: 1\n{}", rule("evil.example/**", &scene.dct()));
    let policy = world.write("policy.yaml", &policy);
    world.sandbox.clear_log();
    let outcome = world.run_binary(
        &format!("verify --manifests {manifest} --policy {policy} --retries 0"),
        &[],
    );
    assert_eq!(
        (outcome.exit, outcome.stdout.as_str()),
        (Exit::Undecided, ""),
        "{}",
        outcome.stderr
    );
    let log = world.sandbox.log();
    assert!(
        log.iter()
            .all(|entry| entry.host == "evil.example" && entry.credential.is_none()),
        "{log:?}"
    );
    assert!(!log.is_empty());
    world.sandbox.clear_faults();
    // What signs takes its hosts from flags, too.
    for key in [
        "https://evil.example/keys/release",
        "https://contoso.vault.azure.net.evil.example/keys/release",
    ] {
        let text = format!(
            "version: 1\nsign: {{ formats: [dct], key: \"{key}\", root: [\"{}\"] }}\n",
            scene.root
        );
        world.write("acr-sign.yaml", &text);
        world.sandbox.clear_log();
        let outcome = world.run_binary(&format!("sign {IMAGE}"), &[]);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec!["host-not-allowed"]),
            "{}",
            outcome.stderr
        );
        assert_eq!(world.sandbox.log().len(), 0, "{key}");
    }
}
