//! Where images come from, and what only says what was meant to be pushed.

use acr_sign::{Exit, pipeline::Host};
use serde_json::json;

use super::host::{HOSTS, Step};
use crate::world::{REPOSITORY, World};

/// `name` and `digest` pairs of what was signed, and the report's source.
fn signed(step: &Step<'_>) -> (Vec<String>, String) {
    let ran = step.run();
    assert_eq!(ran.exit, Exit::Done, "{}", ran.log);
    let source = ran.report["source"].as_str().unwrap_or_default().to_owned();
    (
        ran.outputs["images"]
            .lines()
            .map(ToOwned::to_owned)
            .collect(),
        source,
    )
}

fn pinned(world: &World, tag: &str) -> String {
    format!("{REPOSITORY}:{tag}@{}", world.digest(tag))
}

#[test]
fn images_are_a_list_with_lines_or_commas() {
    for host in HOSTS {
        let (world, root) = World::initialised();
        let mut step = Step::naming_none(&world, host, &root);
        step.input(
            "images",
            &format!(" {REPOSITORY}:1.0 ,{REPOSITORY}:1\n\n{REPOSITORY}:latest\n"),
        );
        let expected = ["1.0", "1", "latest"]
            .map(|tag| pinned(&world, tag))
            .to_vec();
        assert_eq!(signed(&step), (expected, "images".to_owned()));
        step.input("digest", &world.digest("1.0"));
        assert_eq!(signed(&step).0.len(), 3);
        step.input("digest", &format!("sha256:{}", "1".repeat(64)));
        let ran = step.run();
        assert_eq!(
            (ran.exit, ran.reasons()),
            (Exit::Rejected, vec!["digest-mismatch".to_owned(); 3]),
            "{}",
            ran.log
        );
    }
}

#[test]
fn p10_tags_need_a_digest() {
    for host in HOSTS {
        let (world, root) = World::initialised();
        let mut step = Step::naming_none(&world, host, &root);
        step.input("tags", &format!("{REPOSITORY}:1.0"));
        let ran = step.run();
        assert_eq!(
            (ran.exit, ran.reasons()),
            (Exit::Usage, vec!["usage".to_owned()]),
            "{}",
            ran.log
        );
        let (_, message) = &ran.annotations("error")[0];
        assert!(message.contains("digest"), "{message}");
        if host == Host::GitHub {
            assert!(
                message.contains("digest: ${{ steps.build.outputs.digest }}"),
                "{message}"
            );
        }
        assert_eq!(
            (world.vault_signatures(), world.sandbox.log().len()),
            (0, 0)
        );
    }
}

#[test]
fn p10_a_pull_request_build_signs_nothing_of_yesterday() {
    let (world, root) = World::initialised();
    let mut step = Step::naming_none(&world, Host::GitHub, &root);
    // metadata-action ran, the build did not push, and the tags still hold yesterday's image.
    step.set(
        "DOCKER_METADATA_OUTPUT_JSON",
        &json!({"tags": [format!("{REPOSITORY}:1.0")]}).to_string(),
    );
    let ran = step.run();
    assert_eq!(
        (ran.exit, ran.reasons()),
        (Exit::Usage, vec!["no-images".to_owned()]),
        "{}",
        ran.log
    );
    assert!(
        ran.annotations("error")[0]
            .1
            .contains("digest: ${{ steps.build.outputs.digest }}"),
        "{}",
        ran.log
    );
    assert_eq!(
        (world.vault_signatures(), world.sandbox.log().len()),
        (0, 0)
    );
}

#[test]
fn two_ways_to_name_images_are_an_error() {
    for host in HOSTS {
        let world = World::new();
        let mut step = Step::signing(&world, host, &"0".repeat(64));
        step.input("images", &format!("{REPOSITORY}:1.0"));
        let ran = step.run();
        assert_eq!(
            (ran.exit, ran.reasons()),
            (Exit::Usage, vec!["usage".to_owned()]),
            "{}",
            ran.log
        );
        let message = &ran.annotations("error")[0].1;
        assert!(message.contains("`images` and `tags`"), "{message}");
    }
}

#[test]
fn repositories_alone_name_no_images() {
    for host in HOSTS {
        let (world, root) = World::initialised();
        let mut step = Step::signing(&world, host, &root);
        step.input("repository", "contoso.azurecr.io/shop/*");
        let ran = step.run();
        assert_eq!(
            (ran.exit, ran.reasons()),
            (Exit::Usage, vec!["usage".to_owned()]),
            "{}",
            ran.log
        );
        let message = format!(
            "the input `repository` requires `{}`",
            host.spell("fresh-since")
        );
        assert!(
            ran.annotations("error")[0].1.contains(&message),
            "{}",
            ran.log
        );
        step.input("tags", "");
        step.input("digest", "");
        // On Azure they say which pushes of Docker@2 count; here it made none.
        let reason = if host == Host::Azure {
            "no-images"
        } else {
            "usage"
        };
        assert_eq!(step.run().reasons(), [reason]);
        assert_eq!(world.vault_signatures(), 0);
    }
}

#[test]
fn no_image_at_all_is_an_error() {
    for host in HOSTS {
        let world = World::new();
        for command in ["sign", "verify"] {
            let mut step = Step::new(&world, host);
            step.input("command", command);
            step.input("format", "dct");
            let ran = step.run();
            assert_eq!(
                (ran.exit, ran.reasons()),
                (Exit::Usage, vec!["no-images".to_owned()]),
                "{}",
                ran.log
            );
        }
    }
}

#[test]
fn build_metadata_is_taken_as_text_or_file() {
    for host in HOSTS {
        let (world, root) = World::initialised();
        let other = world
            .sandbox
            .registry()
            .push_image("shop/web", "api", "api")
            .digest;
        let buildx = json!({
            "image.name": format!("{REPOSITORY}:1.0,{REPOSITORY}:1"), "containerimage.digest": world.digest("1.0"),
            "buildx.build.warnings": [{"vertex": "x"}],
        });
        let bake = json!({
            "buildx.build.warnings": [], "web": buildx,
            "api": {"image.name": format!("{REPOSITORY}:api"), "containerimage.digest": other},
        });
        let mut step = Step::naming_none(&world, host, &root);
        step.input("metadata", &buildx.to_string());
        assert_eq!(
            signed(&step),
            (
                ["1.0", "1"].map(|tag| pinned(&world, tag)).to_vec(),
                "metadata".to_owned()
            )
        );
        let path = step.path("metadata.json");
        std::fs::write(&path, bake.to_string()).unwrap();
        step.input("metadata", &path.display().to_string());
        let (mut images, _) = signed(&step);
        images.sort_unstable();
        let mut expected = ["1.0", "1", "api"].map(|tag| pinned(&world, tag)).to_vec();
        expected.sort_unstable();
        assert_eq!(images, expected);
        // The tag moved since the build.
        world.sandbox.registry().retag("shop/web", &other, "1");
        let ran = step.run();
        assert_eq!(
            (ran.exit, ran.reasons()),
            (Exit::Rejected, vec!["digest-mismatch".to_owned()]),
            "{}",
            ran.log
        );
    }
}

#[test]
fn the_command_line_takes_build_metadata_too() {
    let (world, root) = World::initialised();
    let metadata = json!({"image.name": format!("{REPOSITORY}:1.0"), "containerimage.digest": world.digest("1.0")});
    let run = |metadata: &serde_json::Value, more: &str| {
        world.run(&format!(
            "sign --format dct --key akv:contoso/keys/release --root {root} --output json --metadata {metadata} {more}"
        ))
    };
    let outcome = run(&metadata, "");
    assert_eq!(
        (outcome.exit, outcome.json()["source"].as_str()),
        (Exit::Done, Some("metadata")),
        "{}",
        outcome.stderr
    );
    assert_eq!(run(&metadata, &format!("{REPOSITORY}:1")).exit, Exit::Usage);
    let moved = json!({"image.name": format!("{REPOSITORY}:1.0"), "containerimage.digest": format!("sha256:{}", "1".repeat(64))});
    assert_eq!(run(&moved, "").reasons(), ["digest-mismatch"]);
    let unpushed = json!({"image.name": format!("{REPOSITORY}:1.0")});
    assert_eq!(run(&unpushed, "").reasons(), ["config-invalid"]);
}

#[test]
fn a_tag_without_a_digest_is_taken_as_it_is_now_and_said() {
    for host in HOSTS {
        let (world, root) = World::initialised();
        let mut step = Step::naming_none(&world, host, &root);
        step.input(
            "images",
            &format!("{REPOSITORY}:1.0,{}", pinned(&world, "1")),
        );
        let ran = step.run();
        assert_eq!(ran.exit, Exit::Done, "{}", ran.log);
        let warnings = ran.annotations("warning");
        assert!(
            warnings.len() == 1
                && warnings[0]
                    .1
                    .starts_with("no digest was given for 1 of 2 images"),
            "{warnings:?}"
        );
    }
}

#[test]
fn githubs_artifacts_are_joined_with_the_tags_of_metadata_action() {
    let (world, root) = World::initialised();
    let mut step = Step::naming_none(&world, Host::GitHub, &root);
    let list = step.path("artifacts.json");
    let subject =
        |name: &str, kind: &str| json!({"name": name, "digest": world.digest("1.0"), "kind": kind});
    let write = |subjects: serde_json::Value| {
        std::fs::write(
            &list,
            json!({"version": 1, "subjects": subjects}).to_string(),
        )
        .unwrap();
    };
    step.set("GITHUB_ARTIFACTS_LIST", &list.display().to_string());
    let tags = json!({"tags": [format!("{REPOSITORY}:1.0"), format!("{REPOSITORY}:1"), "other.azurecr.io/shop/web:1.0"]});
    step.set("DOCKER_METADATA_OUTPUT_JSON", &tags.to_string());
    write(json!([
        subject(REPOSITORY, "oci"),
        subject("dist/app.tar", "file")
    ]));
    let expected = ["1.0", "1"].map(|tag| pinned(&world, tag)).to_vec();
    assert_eq!(
        signed(&step),
        (expected, "GITHUB_ARTIFACTS_LIST".to_owned())
    );

    // A listed tag counts as it is, once, beside the chosen one of another name.
    let one = format!("{REPOSITORY}:1");
    write(json!([
        subject(&one, "oci"),
        subject(&one, "oci"),
        subject(REPOSITORY, "oci")
    ]));
    assert_eq!(signed(&step).0, ["1", "1.0"].map(|tag| pinned(&world, tag)));
    write(json!([subject(REPOSITORY, "oci")]));

    // A digest without a tag cannot be signed with `dct`.
    step.set("DOCKER_METADATA_OUTPUT_JSON", "");
    let ran = step.run();
    assert_eq!(
        (ran.exit, ran.reasons()),
        (Exit::Usage, vec!["usage".to_owned()]),
        "{}",
        ran.log
    );
    assert!(
        ran.annotations("error")[0].1.contains("has no tag"),
        "{}",
        ran.log
    );
    // The feature is off: the file is there, and empty.
    std::fs::write(&list, "").unwrap();
    assert_eq!(step.run().reasons(), ["no-images"]);
    std::fs::write(&list, "{").unwrap();
    assert_eq!(step.run().reasons(), ["config-invalid"]);
}

/// What `docker push` prints for one tag.
fn push_log(repository: &str, tag: &str, digest: &str) -> String {
    format!(
        "The push refers to repository [{repository}]\n3b7670606102: Preparing\n3b7670606102: Layer already exists\n\
         {tag}: digest: {digest} size: 5718\n"
    )
}

#[test]
fn docker_2_leaves_digests_and_a_log_with_tags() {
    let (world, root) = World::initialised();
    let mut step = Step::naming_none(&world, Host::Azure, &root);
    let digest = world.digest("1.0");
    let (build, push) = (step.path("build.txt"), step.path("push.txt"));
    std::fs::write(&build, "Step 1/2 : FROM scratch\n").unwrap();
    std::fs::write(
        &push,
        push_log(REPOSITORY, "1.0", &digest) + &push_log(REPOSITORY, "1", &digest),
    )
    .unwrap();
    step.set(
        "RESOURCE_URIS",
        &format!(",https://{REPOSITORY}@{digest},https://{REPOSITORY}@{digest}"),
    );
    step.set(
        "PUSH_DOCKEROUTPUT",
        &format!("{}\n{}", build.display(), push.display()),
    );
    let expected = ["1.0", "1"].map(|tag| pinned(&world, tag)).to_vec();
    assert_eq!(signed(&step), (expected, "DockerOutput".to_owned()));

    step.set("PUSH_DOCKEROUTPUT", "");
    let ran = step.run();
    assert_eq!(
        (ran.exit, ran.reasons()),
        (Exit::Usage, vec!["usage".to_owned()]),
        "{}",
        ran.log
    );
    assert_eq!(ran.report["source"], "RESOURCE_URIS");
    assert!(
        ran.annotations("error")[0].1.contains("has no tag"),
        "{}",
        ran.log
    );
}

#[test]
fn p12_a_dockerfile_that_prints_pushes_has_nothing_signed() {
    let (world, root) = World::initialised();
    let old = world
        .sandbox
        .registry()
        .push_image("shop/web", "old", "yesterday's")
        .digest;
    world
        .sandbox
        .registry()
        .push_image("shop/secret", "1", "another");
    let digest = world.digest("1.0");
    let real = push_log(REPOSITORY, "1.0", &digest);
    let forged = push_log(REPOSITORY, "old", &old)
        + &push_log("contoso.azurecr.io/shop/secret", "1", &old)
        + &push_log("evil.example/shop/web", "1.0", &digest);
    for log in [
        forged.clone() + &real,
        real.clone() + &forged,
        forged.clone() + &real + &forged,
    ] {
        let mut step = Step::naming_none(&world, Host::Azure, &root);
        let path = step.path("output.txt");
        std::fs::write(&path, log).unwrap();
        step.set("DOCKEROUTPUT", &path.display().to_string());
        step.set("RESOURCE_URIS", &format!("https://{REPOSITORY}@{digest}"));
        assert_eq!(signed(&step).0, [pinned(&world, "1.0")]);
        // Nothing names a repository: the log alone says nothing.
        step.set("RESOURCE_URIS", "");
        assert_eq!(step.run().reasons(), ["no-images"]);
        // An input names it, and no other repository counts; forged tags of it must hold what they say.
        step.input("repository", "contoso.azurecr.io/shop/w*");
        let mut expected = [pinned(&world, "1.0"), format!("{REPOSITORY}:old@{old}")];
        let (mut images, _) = signed(&step);
        expected.sort_unstable();
        images.sort_unstable();
        assert_eq!(images, expected);
    }
}

#[test]
fn an_unresolved_macro_is_named() {
    let world = World::new();
    let mut step = Step::signing(&world, Host::Azure, &"0".repeat(64));
    step.input("tags", &format!("{REPOSITORY}:$(imageTag)"));
    let ran = step.run();
    assert_eq!(
        (ran.exit, ran.reasons()),
        (Exit::Usage, vec!["usage".to_owned()]),
        "{}",
        ran.log
    );
    assert!(
        ran.annotations("error")[0].1.contains("$(imageTag)"),
        "{}",
        ran.log
    );
}
