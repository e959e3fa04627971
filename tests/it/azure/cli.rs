//! The az CLI: a program on the PATH that prints tokens, if it is logged in.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use acr_sandbox::{Identity, Options, Service};
use acr_sign::Exit;

use crate::{
    snapshot::snapshot,
    world::{REPOSITORY, World},
};

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

/// An `az` that is logged in and whose tokens are refused in these words.
fn refusing_az(folder: &Path, words: &str) -> String {
    let script = "#!/bin/sh\ncase \"$*\" in 'account show '*) exit 0 ;; esac\ncat \"$(dirname \"$0\")/words\" >&2\nexit 1\n";
    fs::write(folder.join("words"), words).unwrap();
    fs::write(folder.join("az"), script).unwrap();
    fs::set_permissions(folder.join("az"), fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:/usr/bin:/bin", folder.display())
}

/// What az says is read for its code, and each has the advice that fits the place (F19).
#[test]
fn what_az_says_has_a_fix() {
    let login = "az login --tenant 00000000-0000-0000-0000-0000000071d0 --scope https://vault.azure.net/.default";
    let refused = |code: &str, text: &str| {
        format!(
            "ERROR: AADSTS{code}: {text} Trace ID: 1\nInteractive authentication is needed. Please run:\naz login\n"
        )
    };
    let late = refused(
        "700024",
        "Client assertion is not within its valid time range.",
    );
    let github = [("GITHUB_ACTIONS", "true")].as_slice();
    let azure = [("TF_BUILD", "True")].as_slice();
    let mut page = "# What az refuses\n\n".to_owned();
    for (what, place, words, parts) in [
        (
            "an ID token that ended, on GitHub",
            github,
            late.clone(),
            ["AADSTS700024", "id-token: write", "--client-id"],
        ),
        (
            "an ID token that ended, on Azure Pipelines",
            azure,
            late.clone(),
            [
                "AADSTS700024",
                "SYSTEM_ACCESSTOKEN: $(System.AccessToken)",
                "AzureCLI@2",
            ],
        ),
        (
            "an ID token that ended",
            &[],
            late,
            ["AADSTS700024", "expired", login],
        ),
        (
            "a refresh token that ended",
            &[],
            refused("700082", "The refresh token has expired due to inactivity."),
            ["AADSTS700082", "has expired", login],
        ),
        (
            "a refresh token that was revoked",
            &[],
            refused(
                "50173",
                "The provided grant has expired due to it being revoked.",
            ),
            ["AADSTS50173", "has expired", login],
        ),
        (
            "a second factor",
            &[],
            refused(
                "50076",
                "Due to a configuration change you must use multi-factor authentication.",
            ),
            ["AADSTS50076", "second factor", login],
        ),
        (
            "a wrong tenant",
            &[],
            refused("50020", "User account does not exist in tenant."),
            [
                "AADSTS50020",
                "not one of the tenant",
                "az account show --query tenantId --output tsv",
            ],
        ),
        (
            "conditional access",
            &[],
            refused(
                "53003",
                "Access has been blocked by Conditional Access policies.",
            ),
            [
                "AADSTS53003",
                "conditional access",
                "administrator of the tenant",
            ],
        ),
        (
            "another code",
            &[],
            refused("12345", "Something."),
            ["AADSTS12345", "Something", login],
        ),
        (
            "no code",
            &[],
            "WARNING: old\nERROR: Please run 'az login' to setup account.\n".to_owned(),
            ["Please run 'az login'", "hint: `az login", login],
        ),
    ] {
        let mut world = world();
        for (name, value) in place {
            world.set(name, Some(value));
        }
        let folder = tempfile::tempdir().unwrap();
        let path = refusing_az(folder.path(), &words);
        let line = format!("{SHOW} --tenant-id 00000000-0000-0000-0000-0000000071d0");
        let outcome = world.run_binary(&line, &[("PATH", &path)]);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Undecided, vec!["identity-failed"]),
            "{what}: {}",
            outcome.stderr
        );
        for part in parts {
            assert!(
                outcome.stderr.contains(part),
                "{what}: {part}: {}",
                outcome.stderr
            );
        }
        assert!(
            !outcome.stderr.contains("\\n"),
            "{what}: {}",
            outcome.stderr
        );
        page.push_str(&format!(
            "## {what}: exit 3\n\n```console\n{}```\n\n",
            outcome.stderr
        ));
    }
    snapshot("az.md", &page);
}

#[test]
fn the_az_of_a_report_gets_its_fix() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/reports/19-az-errors"
    );
    let path = format!("{folder}:/usr/bin:/bin");
    let mut world = world();
    world.set("GITHUB_ACTIONS", Some("true"));
    let outcome = world.run_binary(SHOW, &[("PATH", &path)]);
    assert_eq!(outcome.reasons(), ["identity-failed"], "{}", outcome.stderr);
    for part in [
        "az refused a token: AADSTS700024: Client assertion",
        "id-token: write",
    ] {
        assert!(outcome.stderr.contains(part), "{}", outcome.stderr);
    }
}
