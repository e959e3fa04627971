//! Foreign text in one field of a report at a time: it stays text on every surface that a step has (P02, P04).

use std::collections::BTreeSet;

use acr_sign::{
    format::Format,
    pipeline::{Console, Host, annotate, outputs},
    reason::Reason,
    report::{
        AuthReport, AzureAuth, Decision, ImageReport, Link, Location, Problem, Profile, Report,
        RequirementReport, RuleReport, SignatureReport, StateReport, Status,
    },
};

use super::{host::HOSTS, outputs::HOSTILE, parse};
use crate::world::shown;

/// A report with words in every field that takes text; `word` gives those of the field that it is told.
fn report(word: &dyn Fn(&'static str) -> String) -> Report {
    let problem = |of: [&'static str; 3]| Problem {
        reason: Reason::RegistryForbidden,
        message: word(of[0]),
        causes: vec![word(of[1])],
        hint: Some(word(of[2])),
    };
    let place = |field| Location {
        file: word(field),
        line: 1,
        column: 1,
    };
    let signature = SignatureReport {
        format: Format::Dct,
        signer: Some(word("signer")),
        key_id: Some(word("key ID")),
        role: Some(word("role")),
        certificate: None,
        signed_at: None,
        expires_at: None,
        reference: Some(word("reference")),
        status: Status::Rejected,
        reason: Some(Reason::Unsigned),
        chain: vec![Link {
            name: word("link"),
            key_id: Some(word("key of a link")),
            version: None,
            expires_at: None,
        }],
        // Asked for by `inspect` only, which no step runs.
        envelope: None,
    };
    let with_certificate = SignatureReport {
        role: None,
        certificate: Some(word("certificate")),
        chain: Vec::new(),
        ..signature.clone()
    };
    let image = ImageReport {
        image: word("image"),
        pinned: Some(word("pinned")),
        digest: None,
        media_type: Some(word("media type")),
        pushed: None,
        status: Status::Failed,
        problem: Some(problem([
            "message of an image",
            "cause of an image",
            "hint of an image",
        ])),
        signatures: vec![signature, with_certificate],
        locations: vec![place("file of an image")],
        rule: Some(RuleReport {
            number: 1,
            images: word("pattern of a rule"),
            location: place("file of a rule"),
        }),
        requirements: vec![RequirementReport {
            requirement: word("requirement"),
            status: Status::Rejected,
            problem: Some(problem([
                "message of a requirement",
                "cause of a requirement",
                "hint of a requirement",
            ])),
        }],
    };
    let named = ImageReport {
        pinned: None,
        ..image.clone()
    };
    let good = ImageReport {
        status: Status::Signed,
        problem: None,
        ..image.clone()
    };
    let azure = AzureAuth {
        method: word("method"),
        client_id: Some(word("client ID")),
        tenant_id: Some(word("tenant ID")),
    };
    // Every field by its name: a new one has to be thought of here.
    Report {
        command: "sign",
        decision: None,
        images: vec![image, named, good],
        error: Some(problem(["message", "cause", "hint"])),
        warnings: vec![word("warning")],
        notes: vec![word("note")],
        weakened: vec![word("lax switch")],
        pinned_files: vec![word("pinned file")],
        policy: Some(word("policy")),
        root_key_ids: vec![word("root key ID")],
        source: Some("images"),
        run: vec![("dev.acr-sign.run", word("run"))],
        config: Some(word("config")),
        state: Some(StateReport {
            file: word("state"),
            repositories: 1,
        }),
        auth: AuthReport {
            azure: Some(azure),
            registries: vec![(word("registry"), word("login"))],
        },
        requests: acr_sign::report::Requests::default(),
        elapsed_ms: 1,
    }
}

/// The fields that [`report`] asks words for.
fn fields() -> BTreeSet<&'static str> {
    let asked = std::cell::RefCell::new(BTreeSet::new());
    let _ = report(&|field| {
        asked.borrow_mut().insert(field);
        "word".to_owned()
    });
    asked.into_inner()
}

/// What a step on this host prints of a report, and its outputs.
fn printed(host: Host, report: &Report) -> String {
    let log = shown();
    let console = Console::new(host, Box::new(log.clone()));
    for let_pass in [false, true] {
        annotate(&console, report, let_pass);
    }
    for image in &report.images {
        console.open_group(&image.label());
        console.close_group();
    }
    for line in report.story(false).lines() {
        console.say(line);
    }
    outputs::set_on_azure(
        &console,
        &outputs::outputs(report, Decision::Deny, "report.json", None),
    );
    log.text()
}

fn names(host: Host, report: &Report) -> Vec<String> {
    let text = printed(host, report);
    assert!(text.lines().all(|line| line.len() < 16 << 10));
    match host {
        // Outputs go to a file on this host.
        Host::GitHub => {
            let lines = text
                .lines()
                .filter(|line| !line.starts_with("##vso[task.setvariable "));
            parse::github(&lines.collect::<Vec<_>>().join("\n"))
                .into_iter()
                .map(|command| command.name)
                .collect()
        }
        Host::Azure => parse::azure(&text)
            .into_iter()
            .map(|command| {
                format!(
                    "{} {}{}",
                    command.name,
                    command.property("type"),
                    command.property("variable")
                )
            })
            .collect(),
    }
}

/// The parts of a page that are no code: there nothing foreign may stand that a page makes something of.
fn outside_of_code(page: &str) -> String {
    let mut out = String::new();
    let mut rest = page.to_owned();
    // A diagram's text is escaped for its own grammar.
    while let Some((before, after)) = rest.split_once("```mermaid\n") {
        let (diagram, after) = after.split_once("\n```\n").unwrap();
        for line in diagram.lines().filter(|line| line.contains('[')) {
            let label = line
                .split_once("[\"")
                .unwrap()
                .1
                .strip_suffix("\"]")
                .unwrap();
            let plain = label.replace("<br>", "");
            assert!(
                !plain.contains(['"', '<', '>', '`', '[', ']', '|', '@', '(']),
                "{line}"
            );
        }
        rest = format!("{before}{after}");
    }
    for line in rest.lines() {
        let mut rest = line.to_owned();
        while let Some((before, after)) = rest.split_once("<code>") {
            let (code, after) = after
                .split_once("</code>")
                .unwrap_or_else(|| panic!("{line}"));
            let code = code.replace("<span>", "").replace("</span>", "");
            assert!(!code.contains(['<', '>', '`', '|', '@']), "{line}");
            rest = format!("{before}{after}");
        }
        let parts: Vec<&str> = rest.split('`').collect();
        assert_eq!(parts.len() % 2, 1, "{line}");
        for (at, part) in parts.into_iter().enumerate() {
            if at % 2 == 0 {
                out.push_str(part);
            } else {
                assert!(!part.contains(['<', '>', '|', '\\']), "{line}");
            }
        }
        out.push('\n');
    }
    out
}

/// Whether all lines of a table have as many cells, in every table of the page.
fn is_even(page: &str) -> bool {
    let cells: Vec<_> = page
        .lines()
        .map(|line| line.starts_with('|').then(|| line.matches('|').count()))
        .collect();
    cells
        .windows(2)
        .all(|pair| pair[0].is_none() || pair[1].is_none() || pair[0] == pair[1])
}

#[test]
fn p02_no_field_gives_a_command() {
    let all = fields();
    assert!(all.len() > 30, "{all:?}");
    for host in HOSTS {
        let ours = names(host, &report(&|_| "word".to_owned()));
        for &field in &all {
            for hostile in HOSTILE {
                let text = |of: &'static str| {
                    if of == field {
                        (*hostile).to_owned()
                    } else {
                        "word".to_owned()
                    }
                };
                assert_eq!(
                    names(host, &report(&text)),
                    ours,
                    "{host:?}, {field}: {hostile}"
                );
            }
        }
    }
}

#[test]
fn p04_no_field_is_more_than_text_on_a_page() {
    let own = ["br", "details", "summary", "sub"];
    for profile in [Profile::Github, Profile::Azure] {
        for field in fields() {
            for hostile in HOSTILE.iter().chain(&[
                ":bomb:",
                "https://evil.example/x",
                "www.evil.example",
                "a\n\n# b",
            ]) {
                let text = |of: &'static str| {
                    if of == field {
                        (*hostile).to_owned()
                    } else {
                        "word".to_owned()
                    }
                };
                let page = report(&text).summary(profile);
                let outside = outside_of_code(&page);
                for part in [
                    "<script", "<img", "@oct", "](", "://", "www.", ":bomb:", "\n# b", "::",
                    "##vso[", "##[",
                ] {
                    assert!(
                        !outside.contains(part),
                        "{profile:?}, {field}: {part} in {page}"
                    );
                }
                for tag in outside.split('<').skip(1) {
                    let name = tag.trim_start_matches('/').split('>').next().unwrap();
                    assert!(
                        own.contains(&name),
                        "{profile:?}, {field}: {hostile}\n{page}"
                    );
                }
                assert!(is_even(&page), "{profile:?}, {field}: {hostile}\n{page}");
                assert!(
                    !page.contains('\u{202e}') && !page.contains('\u{1b}'),
                    "{profile:?}, {field}"
                );
            }
        }
    }
}
