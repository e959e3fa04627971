//! The az CLI: a program on the PATH that prints tokens, if it is logged in.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use acr_sandbox::{Identity, Options, Service};
use acr_sign::Exit;

use crate::world::{REPOSITORY, World};

const SHOW: &str = "key show akv:contoso/keys/release";

/// Writes an `az` that answers as the real one does; gives the PATH that has it.
fn az(folder: &Path, world: &World, logged_in: bool) -> String {
    let client = Options::default().client;
    let token = |resource: &str| world.sandbox.entra().access_token(&client, resource);
    let ends = time::OffsetDateTime::now_utc().unix_timestamp() + 3599;
    let script = format!(
        r#"#!/bin/sh
echo "$*" >> "{}/asked"
[ {logged_in} = true ] || {{ echo "Please run 'az login' to setup account." >&2; exit 1; }}
case "$*" in
  'account show '*) exit 0 ;;
  *vault.azure.net*) token='{}' ;;
  *containerregistry.azure.net*) token='{}' ;;
  *) exit 1 ;;
esac
echo '{{"accessToken":"'"$token"'","expiresOn":"2026-01-01 00:00:00.000000","expires_on":{ends},"subscription":"s","tenant":"t","tokenType":"Bearer"}}'
"#,
        folder.display(),
        token("https://vault.azure.net"),
        token("https://containerregistry.azure.net"),
    );
    fs::write(folder.join("az"), script).unwrap();
    fs::set_permissions(folder.join("az"), fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:/usr/bin:/bin", folder.display())
}

fn asked(folder: &Path) -> Vec<String> {
    fs::read_to_string(folder.join("asked"))
        .unwrap_or_default()
        .lines()
        .map(ToOwned::to_owned)
        .collect()
}

fn world() -> World {
    let mut world = World::with(Identity::Imds);
    world.without_imds();
    world
}

#[test]
fn az_signs_when_nothing_else_is_there() {
    let (mut world, root) = World::initialised();
    world
        .environment
        .retain(|(name, _)| !name.starts_with("IDENTITY_"));
    world.without_imds();
    let folder = tempfile::tempdir().unwrap();
    let path = az(folder.path(), &world, true);
    let sign = format!(
        "sign {REPOSITORY}:1.0 --format dct --key akv:contoso/keys/release --root {root} --output json"
    );
    for auth in ["", " --auth azure-cli"] {
        let outcome = world.run_binary(&format!("{sign}{auth} --force"), &[("PATH", &path)]);
        assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
        assert_eq!(outcome.json()["auth"]["azure"]["method"], "azure-cli");
        assert_eq!(
            outcome.json()["auth"]["registries"]["contoso.azurecr.io"],
            "entra"
        );
    }
    // Twice: one look whether it is logged in, and one token per audience.
    assert_eq!(asked(folder.path()).len(), 6, "{:?}", asked(folder.path()));
}

#[test]
fn az_that_is_not_logged_in_counts_as_absent() {
    let world = world();
    let folder = tempfile::tempdir().unwrap();
    let path = az(folder.path(), &world, false);
    for (line, path, help) in [
        (SHOW.to_owned(), path.as_str(), "`az login`"),
        (
            format!("{SHOW} --auth azure-cli"),
            path.as_str(),
            "`az login`",
        ),
        (
            format!("{SHOW} --auth azure-cli"),
            "/nonexistent",
            "`az login`",
        ),
    ] {
        let outcome = world.run_binary(&line, &[("PATH", path)]);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec!["identity-unavailable"]),
            "{}",
            outcome.stderr
        );
        assert!(outcome.stderr.contains(help), "{}", outcome.stderr);
    }
    assert!(
        asked(folder.path())
            .iter()
            .all(|line| line.starts_with("account show")),
        "{:?}",
        asked(folder.path())
    );
}

#[test]
fn what_docker_stored_comes_before_az() {
    let (mut world, root) = World::initialised();
    world
        .environment
        .retain(|(name, _)| !name.starts_with("IDENTITY_"));
    world.without_imds();
    world.sandbox.acr().add_user("shop", "canary-password");
    let folder = tempfile::tempdir().unwrap();
    let path = az(folder.path(), &world, true);
    let config = r#"{"auths":{"contoso.azurecr.io":{"auth":"c2hvcDpjYW5hcnktcGFzc3dvcmQ="}}}"#;
    fs::write(folder.path().join("config.json"), config).unwrap();
    let further = [
        ("PATH", path.as_str()),
        ("DOCKER_CONFIG", folder.path().to_str().unwrap()),
    ];
    let outcome = world.run_binary(
        &format!("verify {REPOSITORY}:1.0 --format dct --root {root} --output json"),
        &further,
    );
    assert_eq!(
        outcome.json()["auth"]["registries"]["contoso.azurecr.io"],
        "user and password",
        "{}",
        outcome.stderr
    );
    assert_eq!(world.sandbox.count(Service::Entra), 0);
}
