//! What every command says and writes, before any server is asked.

use acr_sign::{Environment, Exit, Process, run};

use crate::world::{Outcome, shown};

/// Runs the words as they are, blanks and line ends included, with these variables.
fn said(words: &[&str], variables: &[(&str, &str)]) -> Outcome {
    let (stdout, stderr) = (shown(), shown());
    let mut process = Process {
        environment: variables.iter().copied().collect::<Environment>(),
        stdin: Box::new(std::io::empty()),
        stdout: Box::new(stdout.clone()),
        stderr: Box::new(stderr.clone()),
        terminal: false,
        ..Process::real()
    };
    let arguments = ["acr-sign"].iter().chain(words);
    Outcome {
        exit: run(arguments.map(Into::into), &mut process),
        stdout: stdout.text(),
        stderr: stderr.text(),
    }
}

#[test]
fn l2_no_argument_becomes_a_command_of_the_host() {
    let planted = "--x\n::error::planted\n##vso[task.setvariable variable=A]planted";
    for words in [
        &["verify", planted][..],
        &[planted],
        &["\n##[error]planted"],
        &["verify", "a:1", "--auth", "\r\n::stop-commands::planted"],
        &["verify", "a:1", "--format", "x\u{2028}::error::planted"],
        &[
            "verify",
            "a:1",
            "--retries",
            "\n##vso[task.complete]planted",
        ],
        &["verify", "a:1", "--timeout", "1\n::error::planted"],
        &[
            "verify",
            "a\n::error::planted",
            "--format",
            "notation",
            "--trust-policy",
            "a",
            "--trust-store",
            "b",
        ],
        &[
            "sign",
            "\n##vso[x]planted",
            "--format",
            "dct",
            "--key",
            "env:A",
        ],
        &[
            "sign",
            "a.azurecr.io/b:1",
            "--digest",
            "\n##[x]planted",
            "--format",
            "dct",
        ],
        &["policy", "check", "--policy", "\n::error::planted"],
        &["explain", "\n::error::planted"],
        &["completions", "\n::error::planted"],
    ] {
        for form in ["text", "json"] {
            let words = [words, &["--output", form]].concat();
            let outcome = said(&words, &[]);
            assert_eq!(outcome.exit, Exit::Usage, "{words:?} {}", outcome.stderr);
            assert!(!outcome.stderr.is_empty(), "{words:?}");
            let lines = outcome.stdout.lines().chain(outcome.stderr.lines());
            for line in lines {
                assert!(
                    !line.trim_start().starts_with("::")
                        && !line.contains("##vso[")
                        && !line.contains("##["),
                    "{words:?}: {line}"
                );
            }
            let hidden = |c: char| (c.is_control() && c != '\n') || c == '\u{2028}';
            assert!(!outcome.stderr.contains(hidden), "{words:?}");
        }
    }
}

#[test]
fn every_error_has_a_reason_a_hint_and_its_page() {
    for words in [
        &["verfy", "a"][..],
        &["verify", "--formt", "dct"],
        &["verify", "a", "--cloud", "publc"],
        &["sign", "a"],
        &["trust"],
    ] {
        let outcome = said(words, &[]);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec!["usage"]),
            "{words:?}: {}",
            outcome.stderr
        );
        assert!(outcome.stderr.contains("\n  hint: "), "{}", outcome.stderr);
        assert!(
            outcome.stderr.contains("docs/reasons.md#usage\n"),
            "{}",
            outcome.stderr
        );
    }
}

#[test]
fn json_has_a_decision_however_early_a_run_fails() {
    for words in [
        &["verify", "--output", "json", "--nope"][..],
        &["verify", "--output=json", "a", "--auth", "x"],
        &["verify", "--output", "json"],
        &[
            "verify",
            "--output",
            "json",
            "a:1",
            "--policy",
            "/nowhere/acr-sign.yaml",
        ],
        &[
            "sign",
            "--output",
            "json",
            "a.azurecr.io/b:1",
            "--format",
            "dct",
        ],
        &[
            "sign",
            "--output=json",
            "a.azurecr.io/b:1",
            "--timeout",
            "soon",
        ],
    ] {
        let outcome = said(words, &[]);
        let document = outcome.json();
        assert_eq!(
            (outcome.exit, document["decision"].as_str()),
            (Exit::Usage, Some("deny")),
            "{words:?}"
        );
        assert!(document["error"]["reason"].is_string(), "{words:?}");
    }
}

#[test]
fn values_that_may_be_secrets_are_in_no_output() {
    let secret = "c4rr0t-and-st1ck";
    let pasted = format!("-----BEGIN PRIVATE KEY----- {secret}");
    let server = format!("https://user:{secret}@notary.example.com/x");
    for words in [
        &[
            "sign",
            "a.azurecr.io/b:1",
            "--format",
            "dct",
            "--trust-on-first-use",
            "--key",
            &pasted,
        ][..],
        &[
            "verify",
            "a:1",
            "--format",
            "dct",
            "--trust-on-first-use",
            "--trust-server",
            &server,
        ],
        &["sign", "a.azurecr.io/b:1", "--password", secret],
        &["key", "show", &pasted],
        &["verify", &server, "--format", "dct", "--trust-on-first-use"],
        &["trust", "status", &server],
        &[
            "sign",
            "a.azurecr.io/b:1",
            "--format",
            "notation",
            "--timestamp-root-cert",
            "a.pem",
            "--timestamp-url",
            &server.replace("https", "ftp"),
            "--key",
            "env:A",
        ],
        &[
            "key",
            "show",
            &format!("akv:contoso/secrets/a?passphrase={secret}"),
        ],
    ] {
        for form in ["text", "json"] {
            let outcome = said(&[words, &["--output", form]].concat(), &[]);
            let told = format!("{}{}", outcome.stdout, outcome.stderr);
            assert_eq!(outcome.exit, Exit::Usage, "{told}");
            assert!(!told.contains(secret), "{words:?}: {told}");
        }
    }
}

#[test]
fn colour_is_where_it_is_asked_for() {
    let words = ["verify", "a:1", "--policy", "/nowhere/acr-sign.yaml"];
    let plain = said(&words, &[]);
    assert!(!plain.stderr.contains('\u{1b}'), "{}", plain.stderr);
    let always = said(&[&words[..], &["--color", "always"]].concat(), &[]);
    assert!(
        always.stderr.contains("\u{1b}[1;31merror["),
        "{}",
        always.stderr
    );
    let forced = said(&words, &[("CLICOLOR_FORCE", "1")]);
    assert_eq!(forced.stderr, always.stderr);
    let none = said(&words, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]);
    assert_eq!(none.stderr, plain.stderr);
}

#[test]
fn explain_says_what_the_page_of_a_reason_says() {
    for reason in acr_sign::reason::Reason::ALL {
        let outcome = said(&["explain", reason.code()], &[]);
        assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
        for part in [reason.cause(), reason.fix(), &reason.page()] {
            assert!(
                outcome.stdout.contains(part),
                "{reason}: {}",
                outcome.stdout
            );
        }
        assert!(reason.details().starts_with("Exit code "), "{reason}");
    }
    let outcome = said(&["explain", "unsignd"], &[]);
    assert!(
        outcome.stderr.contains("did you mean `unsigned`?"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_manual_page_is_made_of_each_command() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display().to_string();
    assert_eq!(said(&["man", &path], &[]).exit, Exit::Done);
    for (page, part) in [
        ("acr-sign.1", "Exit codes"),
        ("acr-sign-verify.1", "trust\\-policy"),
        ("acr-sign-trust-signer-add.1", "targets\\-key"),
    ] {
        let text = std::fs::read_to_string(folder.path().join(page)).unwrap();
        assert!(text.contains(part), "{page}: {text}");
    }
    let outcome = said(&["man", &format!("{path}/none")], &[]);
    assert_eq!(outcome.reasons(), ["config-invalid"]);
}

/// An image that is allowed without anybody being asked.
const POLICY: &str = "version: 1\nverify:\n  - images: [\"good.example.test/**\"]\n    exempt: { reason: \"stands for a signed image\", until: 2999-12-31 }\n";

#[cfg(unix)]
#[test]
fn l6_no_file_of_a_run_goes_through_a_planted_link() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(at("policy.yaml"), POLICY).unwrap();
    std::fs::write(at("victim"), "do not touch\n").unwrap();
    let verify = |flag: &str, path: &str| {
        let policy = at("policy.yaml");
        said(
            &[
                "verify",
                "good.example.test/app:1",
                "--policy",
                &policy,
                flag,
                path,
            ],
            &[],
        )
    };
    for flag in ["--summary", "--report", "--sarif", "--junit"] {
        let plain = verify(flag, &at(&flag[2..]));
        assert_eq!(plain.exit, Exit::Done, "{flag}: {}", plain.stderr);
        assert!(!std::fs::read(at(&flag[2..])).unwrap().is_empty());
        for (link, target) in [
            ("to-a-file", "victim"),
            ("to-nothing", "made"),
            ("to-a-link", "to-a-file"),
        ] {
            let link = at(&format!("{}-{link}", &flag[2..]));
            let target = match target {
                "to-a-file" => at(&format!("{}-to-a-file", &flag[2..])),
                target => at(target),
            };
            std::os::unix::fs::symlink(target, &link).unwrap();
            let outcome = verify(flag, &link);
            assert_eq!(
                (outcome.exit, outcome.reasons()),
                (Exit::Usage, vec!["config-invalid"]),
                "{flag} {link}"
            );
        }
    }
    assert_eq!(
        std::fs::read_to_string(at("victim")).unwrap(),
        "do not touch\n"
    );
    assert!(!std::fs::exists(at("made")).unwrap());
}

#[test]
fn a_run_ends_with_one_line_for_people() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.yaml").display().to_string();
    std::fs::write(&policy, POLICY).unwrap();
    let last = |images: &[&str]| {
        let words = [&["verify", "--policy", &policy][..], images].concat();
        said(&words, &[])
            .stderr
            .lines()
            .last()
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(last(&["good.example.test/a:1"]), "1 image exempt");
    assert_eq!(
        last(&["good.example.test/a:1", "good.example.test/b:1"]),
        "2 images exempt"
    );
    assert_eq!(
        last(&["good.example.test/a:1", "evil.example.test/b:1"]),
        "blocked: 1 of 2 images passed"
    );
    let quiet = said(
        &[
            "verify",
            "--quiet",
            "--policy",
            &policy,
            "good.example.test/a:1",
        ],
        &[],
    );
    assert_eq!(quiet.stderr, "");
}
