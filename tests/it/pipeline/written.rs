//! What a step writes: report and summary, where they go, and what is said where they cannot be written.

use acr_sign::{Exit, pipeline::Host};

use super::host::{HOSTS, Ran, Step};
use crate::world::{REPOSITORY, World};

#[test]
fn the_summary_can_be_turned_off() {
    for host in HOSTS {
        let (world, root) = World::initialised();
        let mut step = Step::signing(&world, host, &root);
        step.input("summary", "false");
        let ran = step.run();
        assert_eq!((ran.exit, ran.summary.as_str()), (Exit::Done, ""));
        assert!(ran.report.is_object());
    }
}

#[test]
fn the_report_goes_where_it_is_wanted() {
    for host in HOSTS {
        let (world, root) = World::initialised();
        let mut step = Step::signing(&world, host, &root);
        let path = step.path("mine.json").display().to_string();
        step.input("report", &path);
        let ran: Ran = step.run();
        assert_eq!(
            (
                ran.outputs["report-path"].as_str(),
                ran.report["command"].as_str()
            ),
            (path.as_str(), Some("sign"))
        );
        // What cannot be written fails the step, and everything that can still say so does.
        for (input, what) in [
            ("report", "report"),
            ("sarif", "SARIF file"),
            ("junit", "JUnit file"),
        ] {
            step.input("report", &path);
            step.input(
                input,
                &step.path("no/such/folder.json").display().to_string(),
            );
            let ran = step.run();
            assert_eq!(
                (ran.exit, ran.reasons()),
                (Exit::Usage, vec!["config-invalid".to_owned()]),
                "{}",
                ran.log
            );
            assert_eq!(
                (
                    ran.outputs["decision"].as_str(),
                    ran.outputs["signed-count"].as_str()
                ),
                ("deny", "3")
            );
            let said = ran.result["message"].as_str().unwrap();
            assert!(
                said.starts_with("already-signed 3 images; config-invalid: the ")
                    && said.contains(what),
                "{said}"
            );
            assert!(
                ran.summary.contains("not done") && ran.summary.contains(what),
                "{}",
                ran.summary
            );
            if input != "report" {
                assert_eq!(ran.report["error"]["reason"], "config-invalid");
            }
            step.input(input, "");
            std::fs::write(step.path("summary"), "").unwrap();
        }
    }
}

#[cfg(unix)]
#[test]
fn p02_a_report_goes_into_files_only() {
    for host in HOSTS {
        let (world, root) = World::signed();
        for input in ["report", "sarif", "junit"] {
            let mut step = Step::gate(&world, host, &root, &format!("{REPOSITORY}:1.0"));
            // A checkout may hold a link to a device, such as standard output, where the host reads commands.
            let link = step.path("link");
            std::os::unix::fs::symlink("/dev/null", &link).unwrap();
            step.input(input, &link.display().to_string());
            let ran = step.run();
            assert_eq!(
                (ran.exit, ran.reasons()),
                (Exit::Usage, vec!["config-invalid".to_owned()]),
                "{}",
                ran.log
            );
            assert!(
                ran.annotations("error")[0].1.contains("is a link"),
                "{}",
                ran.log
            );
            assert!(link.is_symlink());
        }
    }
}

#[test]
fn the_report_names_the_run() {
    let (world, root) = World::initialised();
    let mut step = Step::signing(&world, Host::GitHub, &root);
    step.set("GITHUB_SHA", "0123456789abcdef0123456789abcdef01234567");
    let ran = step.run();
    assert_eq!(
        ran.report["run"]["org.opencontainers.image.revision"],
        "0123456789abcdef0123456789abcdef01234567"
    );
    assert_eq!(ran.report["run"]["dev.acr-sign.host"], "github");
}
