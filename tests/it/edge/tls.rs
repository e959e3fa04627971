//! Certificates: what is not trusted is not tried again, nor without TLS; a machine that has none.

use std::{
    io::Write as _,
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use acr_sandbox::{Identity, Options, Sandbox};
use acr_sign::Exit;

use crate::world::{REPOSITORY, World};

/// Counts who connects, and speaks plain HTTP. Its thread ends with the program.
pub fn no_tls() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let seen = count.clone();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            seen.fetch_add(1, Ordering::SeqCst);
            let _ = stream.write_all(
                b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            );
        }
    });
    (port, count)
}

#[test]
fn g11_what_speaks_no_tls_is_asked_once_and_not_in_the_clear() {
    let (mut world, root) = World::initialised();
    let (port, count) = no_tls();
    world.set(
        "ACR_SIGN_CONNECT_TO",
        Some(&format!("contoso.azurecr.io=127.0.0.1:{port}")),
    );
    let outcome = world.run(&format!(
        "verify {REPOSITORY}:1.0 --format dct --root {root} --registry-auth anonymous"
    ));
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["registry-unreachable"]),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains("no trusted TLS connection"),
        "{}",
        outcome.stderr
    );
    // The manifest and the trust data, each once.
    assert!(
        count.load(Ordering::SeqCst) <= 2,
        "{}",
        count.load(Ordering::SeqCst)
    );
}

#[test]
fn a_ca_that_was_not_named_is_not_trusted() {
    let (mut world, root) = World::initialised();
    world.set("ACR_SIGN_CA_FILE", None);
    let outcome = world.verify("1.0", &root);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["registry-unreachable"]),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stderr.contains("--ca-file"), "{}", outcome.stderr);
    assert_eq!(world.sandbox.log().len(), 0);
}

#[test]
fn a_machine_without_certificates_has_the_bundled_ones_beside_its_own_ca() {
    let (world, root) = World::initialised();
    let empty = tempfile::tempdir().unwrap();
    let line = format!(
        "sign {REPOSITORY}:1.0 --format dct --key akv:contoso/keys/release --root {root} -v"
    );
    let none = world.run_binary(
        &line,
        &[("SSL_CERT_DIR", &empty.path().display().to_string())],
    );
    assert_eq!(none.exit, Exit::Done, "{}", none.stderr);
    assert!(
        none.stderr.contains("using the bundled ones"),
        "{}",
        none.stderr
    );
    let ca = world.sandbox.ca_file().display().to_string();
    let some = world.run_binary(&line, &[("SSL_CERT_FILE", &ca)]);
    assert_eq!(some.exit, Exit::Done, "{}", some.stderr);
    assert!(!some.stderr.contains("bundled"), "{}", some.stderr);
}

#[test]
fn certificates_that_the_environment_names_count_and_the_report_says_so() {
    let (mut world, root) = World::initialised();
    world.set("ACR_SIGN_CA_FILE", None);
    let ca = world.sandbox.ca_file().display().to_string();
    let sign =
        format!("sign {REPOSITORY}:1.0 --format dct --key akv:contoso/keys/release --root {root}");
    let verify = format!("verify {REPOSITORY}:1.0 --format dct --root {root}");
    for line in [sign, verify] {
        let outcome = world.run_binary(&format!("{line} --output json"), &[("SSL_CERT_FILE", &ca)]);
        assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
        let warnings = outcome.json()["warnings"].to_string();
        assert!(
            warnings.contains(&format!("SSL_CERT_FILE (`{ca}`)")),
            "{warnings}"
        );
        let without = world.run_binary(&format!("{line} --output json"), &[]);
        assert_eq!(without.exit, Exit::Undecided, "{}", without.stderr);
        assert!(
            !without.json()["warnings"].to_string().contains("SSL_CERT"),
            "{}",
            without.stdout
        );
    }
    let missing = world.run_binary(
        &format!("verify {REPOSITORY}:1.0 --format dct --root {root}"),
        &[("SSL_CERT_FILE", "/does/not/exist")],
    );
    assert_eq!(
        (missing.exit, missing.reasons()),
        (Exit::Usage, vec!["config-invalid"]),
        "{}",
        missing.stderr
    );
}

/// A world whose services show a certificate that is valid from and to so many days from now.
fn world_with_certificate(days: (i64, i64)) -> World {
    let options = Options {
        certificate_days: days,
        ..Options::default()
    };
    World::stocked(
        Sandbox::start(options).unwrap(),
        Identity::ManagedIdentityAppService,
    )
}

#[test]
fn a_certificate_of_the_future_is_a_clock_of_the_past() {
    for (from, days) in [(366, 365), (31, 30), (2, 1)] {
        let world = world_with_certificate((from, 800));
        let outcome = world.run(&format!(
            "verify {REPOSITORY}:1.0 --format dct --root {} --registry-auth anonymous --auth none",
            "0".repeat(64)
        ));
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Undecided, vec!["registry-unreachable"])
        );
        let says = [days, from].map(|days| format!("behind by {days} day"));
        let said = says.iter().any(|days| outcome.stderr.contains(days));
        assert!(said, "{}", outcome.stderr);
        for part in [
            "this machine's clock is wrong",
            "`timedatectl set-ntp true`",
        ] {
            assert!(outcome.stderr.contains(part), "{part}: {}", outcome.stderr);
        }
        assert!(!outcome.stderr.contains("--ca-file"), "{}", outcome.stderr);
    }
}

#[test]
fn a_certificate_that_expired_or_is_anothers_is_shown_with_issuer_and_dates() {
    let line = format!(
        "verify {REPOSITORY}:1.0 --format dct --root {} --registry-auth anonymous --auth none",
        "0".repeat(64)
    );
    let world = world_with_certificate((-40, -10));
    let outcome = world.run(&line);
    for part in [
        "expired 10 days ago",
        "issued by `CN=acr-sandbox CA`",
        "renew the certificate of `contoso.azurecr.io`",
    ] {
        assert!(outcome.stderr.contains(part), "{part}: {}", outcome.stderr);
    }
    // Nobody said that the sandbox's CA is trusted.
    let mut world = World::new();
    world.set("ACR_SIGN_CA_FILE", None);
    let outcome = world.run(&line);
    for part in [
        "unknown issuer (issued by `CN=acr-sandbox CA`, valid from ",
        "if `CN=acr-sandbox CA` is a CA of yours, pass its certificate with `--ca-file PEM`",
    ] {
        assert!(outcome.stderr.contains(part), "{part}: {}", outcome.stderr);
    }
    // Another server answers for the name.
    let mut world = World::new();
    let elsewhere = format!("other.example=127.0.0.1:{}", world.sandbox.tls_port());
    world.set("ACR_SIGN_CONNECT_TO", Some(&elsewhere));
    let other = line.replace("contoso.azurecr.io", "other.example");
    let outcome = world.run(&other);
    for part in ["its certificate is for other names", "`--connect-to`"] {
        assert!(outcome.stderr.contains(part), "{part}: {}", outcome.stderr);
    }
}
