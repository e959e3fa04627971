//! Outputs, and what of foreign text can become one.

use acr_sign::{
    Exit,
    format::Format,
    pipeline::{Console, Host, OUTPUTS, annotate, outputs},
    reason::Reason,
    report::{Decision, ImageReport, Location, Problem, Report, SignatureReport, Status},
};

use super::{host::Step, parse};
use crate::world::{REPOSITORY, World, shown};

/// Text that tries to become a command, an output or markup.
pub const HOSTILE: &[&str] = &[
    "::error::x",
    "\n::set-output name=x::y",
    "\r::add-mask::a",
    "\r\n##[error]x",
    "##[error]x",
    "text ##[set-env name=A]b",
    "##vso[task.complete result=Succeeded;]",
    "a##vso[task.setvariable variable=x;isOutput=true]y",
    "##\u{200b}vso[task.complete result=Succeeded;]",
    "##\u{ad}vso[task.complete result=Succeeded;]",
    "\u{2028}::warning::x",
    "\u{85}::warning::x",
    "%0A::error::x",
    "%0D%0A##vso[task.complete]",
    "%AZP25",
    "];isOutput=true;x=",
    ":::error::x",
    "::stop-commands::token",
    "<script>alert(1)</script>",
    "<img src=https://evil.example/x>",
    "| a | b |",
    "`code` ``` ~~~",
    "@octocat",
    "[link](https://evil.example)",
    "\u{1b}[2K\u{1b}]0;x\u{7}",
    "\u{202e}txet",
];

#[test]
fn p03_a_value_cannot_add_another_output() {
    for hostile in [
        "a\nx=y",
        "a\nacr-sign-0<<EOF\nx",
        "delimiter",
        "a\ndelimiter\nx=y\n",
        "a\r\nx=y",
    ] {
        let values = [
            ("images", hostile.to_owned()),
            ("decision", "deny".to_owned()),
        ];
        match outputs::for_github(&values, "delimiter") {
            None => assert!(hostile.contains("delimiter")),
            Some(text) => {
                let read = parse::github_outputs(&text);
                assert_eq!(read.len(), 2, "{hostile}");
                assert_eq!(
                    (read["images"].as_str(), read["decision"].as_str()),
                    (hostile, "deny")
                );
            }
        }
        let (console, log) = console(Host::Azure);
        assert!(outputs::set_on_azure(&console, &values).is_empty());
        let read = parse::azure_outputs(&log.text());
        assert_eq!(
            (
                read.len(),
                read["images"].as_str(),
                read["decision"].as_str()
            ),
            (2, hostile, "deny")
        );
    }
}

#[test]
fn two_runs_have_different_delimiters() {
    let (world, root) = World::initialised();
    let step = Step::signing(&world, Host::GitHub, &root);
    let delimiters: Vec<String> = (0..2)
        .map(|_| {
            std::fs::write(step.path("output"), "").unwrap();
            assert_eq!(step.run().exit, Exit::Done);
            let text = std::fs::read_to_string(step.path("output")).unwrap();
            text.lines()
                .next()
                .unwrap()
                .split_once("<<")
                .unwrap()
                .1
                .to_owned()
        })
        .collect();
    assert!(
        delimiters[0] != delimiters[1] && delimiters[0].len() > 32,
        "{delimiters:?}"
    );
}

#[test]
fn a_value_that_no_line_holds_is_not_set_and_is_said() {
    let (world, root) = World::initialised();
    let digest = world.digest("1.0");
    let tags: Vec<String> = (0..150)
        .map(|number| format!("{number}-{}", "x".repeat(100)))
        .collect();
    for tag in &tags {
        world.sandbox.registry().retag("shop/web", &digest, tag);
    }
    let names = tags
        .iter()
        .map(|tag| format!("{REPOSITORY}:{tag}"))
        .collect::<Vec<_>>()
        .join("\n");
    for host in super::host::HOSTS {
        let mut step = Step::signing(&world, host, &root);
        step.input("tags", &names);
        let ran = step.run();
        assert_eq!(
            (ran.exit, ran.outputs["signed-count"].as_str()),
            (Exit::Done, "150")
        );
        let warnings = ran.annotations("warning");
        match host {
            Host::GitHub => assert_eq!(
                (ran.outputs["images"].lines().count(), warnings.len()),
                (150, 0)
            ),
            Host::Azure => {
                assert!(
                    !ran.outputs.contains_key("images") && !ran.outputs.contains_key("signatures")
                );
                assert!(
                    warnings.iter().all(|(_, text)| text.contains("reportPath")),
                    "{warnings:?}"
                );
                assert_eq!(warnings.len(), 2);
            }
        }
        assert_eq!(ran.report["images"].as_array().unwrap().len(), 150);
    }
}

fn console(host: Host) -> (Console, crate::world::Shown) {
    let log = shown();
    (Console::new(host, Box::new(log.clone())), log)
}

/// A report with `text` in every field that foreign text reaches.
fn report(text: &str) -> Report {
    let problem = || Problem {
        reason: Reason::RegistryForbidden,
        message: text.to_owned(),
        causes: vec![text.to_owned()],
        hint: Some(text.to_owned()),
    };
    let mut image = ImageReport::failed(text.to_owned(), Status::Failed, problem());
    image.pinned = Some(text.to_owned());
    image.media_type = Some(text.to_owned());
    image.signatures.push(SignatureReport {
        signer: Some(text.to_owned()),
        key_id: Some(text.to_owned()),
        role: Some(text.to_owned()),
        certificate: Some(text.to_owned()),
        reference: Some(text.to_owned()),
        ..SignatureReport::new(Format::Dct, Status::Failed)
    });
    image.locations = vec![Location {
        file: text.to_owned(),
        line: 1,
        column: 1,
    }];
    let mut signed = image.clone();
    (signed.status, signed.problem) = (Status::Signed, None);
    let mut report = Report::new("sign");
    report.images = vec![image, signed];
    report.error = Some(problem());
    report.warnings = vec![text.to_owned()];
    report.weakened = vec![text.to_owned()];
    report
}

#[test]
fn p02_foreign_text_never_becomes_a_command() {
    for hostile in HOSTILE {
        let report = report(hostile);
        for host in super::host::HOSTS {
            let (console, log) = console(host);
            annotate(&console, &report, false);
            annotate(&console, &report, true);
            console.say(hostile);
            console.open_group(hostile);
            console.close_group();
            console.progress(1, hostile);
            console.debug(hostile);
            let values = outputs::outputs(&report, Decision::Deny, hostile, Some(hostile));
            outputs::set_on_azure(&console, &values);
            let text = log.text();
            let ours = [
                "error",
                "warning",
                "group",
                "endgroup",
                "debug",
                "set-output",
            ];
            let ours_on_azure = [
                "task.logissue",
                "task.setprogress",
                "task.debug",
                "task.setvariable",
                "task.uploadsummary",
            ];
            let own_variables: Vec<String> = OUTPUTS
                .iter()
                .map(|output| host.spell(output.name))
                .collect();
            match host {
                Host::GitHub => {
                    // Set on this host by a file; printed here only to see them.
                    let printed = text
                        .lines()
                        .filter(|line| !line.starts_with("##vso[task.setvariable "));
                    let commands = parse::github(&printed.collect::<Vec<_>>().join("\n"));
                    assert!(
                        commands
                            .iter()
                            .all(|command| ours.contains(&command.name.as_str())),
                        "{hostile}: {commands:?}"
                    );
                    assert!(
                        commands.iter().all(|command| command.name != "set-output"),
                        "{hostile}"
                    );
                    assert_eq!(commands.len(), (2 + 2) + (2 + 2) + 3, "{hostile}: {text}");
                }
                Host::Azure => {
                    let commands = parse::azure(&text);
                    for command in &commands {
                        assert!(
                            ours_on_azure.contains(&command.name.as_str()),
                            "{hostile}: {command:?}"
                        );
                        let variable = command.property("variable");
                        assert!(
                            variable.is_empty() || own_variables.contains(&variable.to_owned()),
                            "{command:?}"
                        );
                    }
                    assert_eq!(
                        commands.len(),
                        (2 + 2) + (2 + 2) + 2 + values.len(),
                        "{hostile}: {text}"
                    );
                }
            }
        }
        // The value comes out as it went in, and is harmless where a later step prints it.
        let signatures = report.signatures_json();
        let read: serde_json::Value = serde_json::from_str(&signatures).unwrap();
        assert_eq!(read[0]["signer"], *hostile);
        assert!(
            parse::github(&signatures).is_empty() && parse::azure(&signatures).is_empty(),
            "{signatures}"
        );
    }
}

#[test]
fn ten_annotations_of_a_type_and_no_more() {
    let mut report = Report::new("verify");
    let problem = |number: usize| Problem {
        reason: Reason::Unsigned,
        message: format!("m{number}"),
        causes: vec![],
        hint: None,
    };
    report.images = (0..30)
        .map(|number| ImageReport::failed(format!("i{number}"), Status::Rejected, problem(number)))
        .collect();
    report.warnings = (0..12).map(|number| format!("w{number}")).collect();
    for host in super::host::HOSTS {
        let (console, log) = console(host);
        annotate(&console, &report, false);
        let text = log.text();
        let commands = if host == Host::GitHub {
            parse::github(&text)
        } else {
            parse::azure(&text)
        };
        assert_eq!(commands.len(), 20);
        assert!(
            commands[9].message.contains("21 more") && commands[19].message.contains("3 more"),
            "{text}"
        );
    }
}
