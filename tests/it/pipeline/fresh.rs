//! Fresh tags: what was pushed since a time, asked of ACR's own listing.

use acr_sandbox::{Action, Fault, GITHUB_RUN, GITHUB_TOKEN, Service};
use acr_sign::{Exit, pipeline::Host};
use time::{Duration, OffsetDateTime};

use super::host::{HOSTS, Step};
use crate::world::{Outcome, REPOSITORY, World};

/// Pushes tags that are so many minutes old.
fn push(world: &World, repository: &str, tags: &[(&str, i64)]) -> String {
    let digest = world
        .sandbox
        .registry()
        .push_image(repository, "seed", repository)
        .digest;
    let now = OffsetDateTime::now_utc();
    for (tag, minutes) in tags.iter().chain(&[("seed", 100_000)]) {
        world.sandbox.registry().retag_at(
            repository,
            &digest,
            tag,
            now - Duration::minutes(*minutes),
        );
    }
    digest
}

fn world() -> (World, String) {
    let (world, root) = World::initialised();
    for tag in ["1.0", "1", "latest"] {
        let digest = world.digest(tag);
        world.sandbox.registry().retag_at(
            "shop/web",
            &digest,
            tag,
            OffsetDateTime::now_utc() - Duration::days(9),
        );
    }
    (world, root)
}

fn sign(world: &World, root: &str, arguments: &str) -> Outcome {
    world.run(&format!(
        "sign --format dct --key akv:contoso/keys/release --root {root} --output json {arguments}"
    ))
}

/// Names and push times of the report.
fn tags(outcome: &Outcome) -> Vec<String> {
    let images = outcome.json()["images"].as_array().unwrap().clone();
    assert!(
        images.iter().all(|image| image["pushedAt"].is_string()),
        "{images:?}"
    );
    images
        .iter()
        .map(|image| {
            image["image"]
                .as_str()
                .unwrap()
                .rsplit_once('/')
                .unwrap()
                .1
                .to_owned()
        })
        .collect()
}

#[test]
fn what_was_pushed_since_a_time_is_signed_with_its_push_time() {
    let (world, root) = world();
    push(
        &world,
        "shop/web",
        &[("new", 1), ("newer", 0), ("old", 600)],
    );
    for since in [
        "30m".to_owned(),
        (OffsetDateTime::now_utc() - Duration::minutes(30))
            .format(&time::format_description::well_known::Rfc3339)
            .unwrap(),
    ] {
        world.sandbox.clear_log();
        let outcome = sign(
            &world,
            &root,
            &format!("--fresh-since {since} --repository {REPOSITORY}"),
        );
        assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
        assert_eq!(tags(&outcome), ["web:newer", "web:new"]);
        assert_eq!(outcome.json()["source"], "fresh-since");
        // A name without wildcard needs no catalog, and no tag without digest is left to chance.
        assert!(
            world
                .sandbox
                .log()
                .iter()
                .all(|entry| !entry.path.contains("_catalog"))
        );
        assert!(
            !outcome.stderr.contains("no digest was given"),
            "{}",
            outcome.stderr
        );
    }
}

#[test]
fn patterns_choose_among_the_catalog() {
    let (world, root) = world();
    for repository in ["shop/api", "shop/deep/api", "other/api"] {
        push(&world, repository, &[("new", 1)]);
    }
    let looked_in = |pattern: &str| {
        world.sandbox.clear_log();
        sign(
            &world,
            &root,
            &format!("--fresh-since 30m --repository {pattern}"),
        );
        let mut listed: Vec<String> = world
            .answered(Service::Registry)
            .iter()
            .filter_map(|entry| {
                Some(
                    entry
                        .path
                        .strip_prefix("/acr/v1/")?
                        .strip_suffix("/_tags")?
                        .to_owned(),
                )
            })
            .collect();
        listed.sort_unstable();
        listed
    };
    assert_eq!(
        looked_in("contoso.azurecr.io/shop/*"),
        ["shop/api", "shop/web"]
    );
    assert_eq!(
        looked_in("contoso.azurecr.io/shop/**"),
        ["shop/api", "shop/deep/api", "shop/web"]
    );
    assert_eq!(looked_in("contoso.azurecr.io/none/*"), [""; 0]);
    let catalogs = world
        .answered(Service::Registry)
        .iter()
        .filter(|entry| entry.path.ends_with("/_catalog"))
        .count();
    assert_eq!(catalogs, 1);
}

#[test]
fn listings_are_read_page_by_page_and_no_further_than_needed() {
    let (world, root) = world();
    let fresh: Vec<String> = (0..1100).map(|number| format!("t{number}")).collect();
    let pairs: Vec<(&str, i64)> = fresh.iter().map(|tag| (tag.as_str(), 1)).collect();
    let old: Vec<String> = (0..2500).map(|number| format!("o{number}")).collect();
    push(
        &world,
        "shop/web",
        &old.iter()
            .map(|tag| (tag.as_str(), 900))
            .collect::<Vec<_>>(),
    );
    push(&world, "shop/web", &pairs);
    let outcome = sign(
        &world,
        &root,
        &format!("--fresh-since 30m --repository {REPOSITORY} --dry-run"),
    );
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert_eq!(tags(&outcome).len(), 1100);
    let pages = world
        .answered(Service::Registry)
        .iter()
        .filter(|entry| entry.path.ends_with("/_tags"))
        .count();
    assert_eq!(
        pages, 2,
        "the second page holds older tags, so the third is not asked for"
    );
}

#[test]
fn a_digest_of_the_listing_that_the_tag_no_longer_holds_is_refused() {
    let (world, root) = world();
    let digest = push(&world, "shop/web", &[("new", 1)]);
    let listed = format!("sha256:{}", "1".repeat(64));
    let body = serde_json::json!({"tags": [{"name": "new", "digest": listed, "createdTime": "2026-01-01T00:00:00Z", "lastUpdateTime": "2999-01-01T00:00:00.1234567Z"}]});
    world.sandbox.fault(
        Fault::new(Action::Answer {
            status: 200,
            headers: vec![],
            body: body.to_string().into(),
        })
        .path("/_tags")
        .nth(2),
    );
    let outcome = sign(
        &world,
        &root,
        &format!("--fresh-since 30m --repository {REPOSITORY}"),
    );
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["digest-mismatch"]),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains(&digest) && outcome.stderr.contains(&listed),
        "{}",
        outcome.stderr
    );
    assert_eq!(world.vault_signatures(), 0);
}

#[test]
fn g06_a_listing_stays_with_its_host_and_ends() {
    let (world, root) = world();
    let page = |link: &str| Action::Answer {
        status: 200,
        headers: vec![("link".into(), link.into())],
        body: r#"{"tags":[]}"#.into(),
    };
    let arguments = format!("--fresh-since 30m --repository {REPOSITORY}");
    for (link, reason) in [
        (
            "<https://evil.example/acr/v1/shop/web/_tags?last=x>; rel=\"next\"",
            "redirect-refused",
        ),
        (
            "</acr/v1/shop/web/_tags?last=x>; rel=\"next\"",
            "limit-reached",
        ),
    ] {
        world.sandbox.clear_faults();
        world.sandbox.clear_log();
        world.sandbox.fault(Fault::new(page(link)).path("/_tags"));
        let outcome = sign(&world, &root, &arguments);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Undecided, vec![reason]),
            "{}",
            outcome.stderr
        );
        assert!(
            world
                .sandbox
                .log()
                .iter()
                .all(|entry| entry.host != "evil.example")
        );
        assert!(world.sandbox.log().len() <= 110);
    }
    for body in [
        "{",
        "[]",
        r#"{"tags":[{"name":"a b","digest":"sha256:1","lastUpdateTime":"2999-01-01T00:00:00Z"}]}"#,
    ] {
        world.sandbox.clear_faults();
        world.sandbox.fault(
            Fault::new(Action::Answer {
                status: 200,
                headers: vec![],
                body: body.into(),
            })
            .path("/_tags"),
        );
        let outcome = sign(&world, &root, &arguments);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Undecided, vec!["answer-invalid"]),
            "{body}: {}",
            outcome.stderr
        );
    }
    assert_eq!(world.vault_signatures(), 0);
}

#[test]
fn nothing_fresh_signs_nothing() {
    let (world, root) = world();
    for (arguments, exit, reason) in [
        (
            format!("--fresh-since 30m --repository {REPOSITORY}"),
            Exit::Usage,
            "no-images",
        ),
        (
            "--fresh-since 30m --repository contoso.azurecr.io/shop/none".to_owned(),
            Exit::Undecided,
            "not-found",
        ),
        (
            "--fresh-since 30m --repository **".to_owned(),
            Exit::Usage,
            "usage",
        ),
        (
            format!("--fresh-since yesterday --repository {REPOSITORY}"),
            Exit::Usage,
            "usage",
        ),
        (
            format!("--fresh-since 30m --repository {REPOSITORY}:1.0"),
            Exit::Usage,
            "usage",
        ),
        (
            format!("--fresh-since run --repository {REPOSITORY}"),
            Exit::Usage,
            "usage",
        ),
    ] {
        let outcome = sign(&world, &root, &arguments);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (exit, vec![reason]),
            "{arguments}: {}",
            outcome.stderr
        );
    }
    assert_eq!(world.vault_signatures(), 0);
    let outcome = sign(
        &world,
        &root,
        &format!("--fresh-since 2999-12-31T00:00:00.123456789Z --repository {REPOSITORY}"),
    );
    assert!(
        outcome.stderr.contains("` since 2999-12-31T00:00:00Z"),
        "{}",
        outcome.stderr
    );
    // Flags that only make sense together.
    for arguments in [
        "--fresh-since 30m".to_owned(),
        format!("--repository {REPOSITORY}"),
        format!("--fresh-since 30m --repository {REPOSITORY} {REPOSITORY}:1.0"),
    ] {
        assert_eq!(
            sign(&world, &root, &arguments).exit,
            Exit::Usage,
            "{arguments}"
        );
    }
}

/// A step that signs what this run pushed; the run began ten minutes ago.
fn since_run<'a>(world: &'a World, host: Host, root: &str) -> Step<'a> {
    push(world, "shop/web", &[("new", 1), ("old", 20)]);
    let mut step = Step::naming_none(world, host, root);
    step.input("fresh-since", "run");
    step.input("repository", REPOSITORY);
    let began = OffsetDateTime::now_utc() - Duration::minutes(10);
    let text =
        |format: &[time::format_description::BorrowedFormatItem<'_>]| began.format(format).unwrap();
    match host {
        Host::GitHub => {
            world
                .sandbox
                .github()
                .set_run_started(&text(time::macros::format_description!(
                    "[year]-[month]-[day]T[hour]:[minute]:[second]Z"
                )));
            step.set("GITHUB_API_URL", "https://api.github.com");
            step.set("GITHUB_REPOSITORY", GITHUB_RUN.0);
            step.set("GITHUB_RUN_ID", GITHUB_RUN.1);
            step.input("github-token", GITHUB_TOKEN);
        }
        Host::Azure => step.set(
            "SYSTEM_PIPELINESTARTTIME",
            &text(time::macros::format_description!(
                "[year]-[month]-[day] [hour]:[minute]:[second]+00:00"
            )),
        ),
    }
    step
}

#[test]
fn what_this_run_pushed_is_signed() {
    for host in HOSTS {
        let (world, root) = world();
        let ran = since_run(&world, host, &root).run();
        assert_eq!(ran.exit, Exit::Done, "{}", ran.log);
        assert!(
            ran.outputs["images"].starts_with(&format!("{REPOSITORY}:new@")),
            "{}",
            ran.outputs["images"]
        );
        assert_eq!(
            (
                ran.outputs["signed-count"].as_str(),
                ran.report["source"].as_str()
            ),
            ("1", Some("fresh-since"))
        );
        let api = world
            .sandbox
            .log()
            .iter()
            .filter(|entry| entry.host == "api.github.com")
            .count();
        assert_eq!(api, usize::from(host == Host::GitHub));
        if host == Host::GitHub {
            assert!(ran.masks().contains(&GITHUB_TOKEN));
        }
    }
}

#[test]
fn the_start_of_a_run_needs_its_host() {
    let (world, root) = world();
    let mut step = since_run(&world, Host::GitHub, &root);
    step.input("github-token", "");
    let ran = step.run();
    assert_eq!(
        (ran.exit, ran.reasons()),
        (Exit::Usage, vec!["usage".to_owned()]),
        "{}",
        ran.log
    );
    assert!(
        ran.annotations("error")[0].1.contains("github-token"),
        "{}",
        ran.log
    );
    step.input("github-token", "wrong");
    let ran = step.run();
    assert_eq!(
        (ran.exit, ran.reasons()),
        (Exit::Undecided, vec!["answer-invalid".to_owned()]),
        "{}",
        ran.log
    );
    // The token goes to GitHub only.
    step.input("github-token", GITHUB_TOKEN);
    step.set("GITHUB_API_URL", "https://evil.example");
    let ran = step.run();
    assert_eq!(
        (ran.exit, ran.reasons()),
        (Exit::Usage, vec!["host-not-allowed".to_owned()]),
        "{}",
        ran.log
    );
    assert!(
        world
            .sandbox
            .log()
            .iter()
            .all(|entry| entry.host != "evil.example")
    );
    let mut step = since_run(&world, Host::Azure, &root);
    step.set("SYSTEM_PIPELINESTARTTIME", "");
    assert_eq!(step.run().reasons(), ["usage"]);
    step.set("SYSTEM_PIPELINESTARTTIME", "soon");
    assert_eq!(step.run().reasons(), ["config-invalid"]);
    assert_eq!(world.vault_signatures(), 0);
}
