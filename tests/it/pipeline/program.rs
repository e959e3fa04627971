//! What only the program itself shows: signals, its log while it is debugged, and a result that nobody reads.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use acr_sandbox::{Action, Fault};
use acr_sign::{Exit, pipeline::Host};

use super::{
    host::{HOSTS, Step},
    parse,
};
use crate::world::{REPOSITORY, World};

fn program(step: &Step<'_>) -> Command {
    let mut command = Command::new(PathBuf::from(env!("CARGO_BIN_EXE_acr-sign")));
    command
        .arg("ci")
        .env_clear()
        .envs(&step.variables)
        .stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
#[cfg(unix)]
fn a_cancelled_step_says_so_and_leaves_its_result() {
    for host in HOSTS {
        for signal in ["INT", "TERM"] {
            let (world, root) = World::initialised();
            world
                .sandbox
                .fault(Fault::new(Action::Delay(Duration::from_secs(300))).path("/manifests/"));
            let step = Step::signing(&world, host, &root);
            let child = program(&step).spawn().unwrap();
            let began = Instant::now();
            while !world
                .sandbox
                .log()
                .iter()
                .any(|entry| entry.path.contains("/manifests/"))
            {
                assert!(
                    began.elapsed() < Duration::from_secs(120),
                    "nothing was asked"
                );
                std::thread::sleep(Duration::from_millis(20));
            }
            assert!(
                Command::new("kill")
                    .args([format!("-{signal}"), child.id().to_string()])
                    .status()
                    .unwrap()
                    .success()
            );
            let output = child.wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(130), "{signal}");
            let result: serde_json::Value =
                serde_json::from_slice(&std::fs::read(step.path("result.json")).unwrap()).unwrap();
            assert_eq!(
                (result["code"].as_u64(), result["decision"].as_str()),
                (Some(130), Some("deny"))
            );
            let log = String::from_utf8(output.stdout).unwrap();
            let outputs = match host {
                Host::GitHub => {
                    parse::github_outputs(&std::fs::read_to_string(step.path("output")).unwrap())
                }
                Host::Azure => parse::azure_outputs(&log),
            };
            assert!(outputs.values().any(|value| value == "deny"), "{outputs:?}");
            assert!(log.contains("interrupted"), "{log}");
            assert_eq!(world.vault_signatures(), 0);
        }
    }
}

#[test]
fn p06_a_debugging_step_says_more_and_no_secret() {
    for (host, name, value) in [
        (Host::GitHub, "RUNNER_DEBUG", "1"),
        (Host::Azure, "SYSTEM_DEBUG", "True"),
    ] {
        let (world, root) = World::initialised();
        let mut step = Step::signing(&world, host, &root);
        step.set(name, value);
        let output = program(&step).output().unwrap();
        let log = String::from_utf8(output.stdout).unwrap();
        assert_eq!(
            (output.status.code(), output.stderr.as_slice()),
            (Some(0), [].as_slice()),
            "{log}"
        );
        let debug = match host {
            Host::GitHub => parse::github(&log)
                .into_iter()
                .filter(|command| command.name == "debug")
                .count(),
            Host::Azure => parse::azure(&log)
                .into_iter()
                .filter(|command| command.name == "task.debug")
                .count(),
        };
        assert!(debug > 10, "{log}");
        let secrets: Vec<String> = world
            .sandbox
            .log()
            .into_iter()
            .filter_map(|entry| Some(entry.credential?.split_once(' ')?.1.to_owned()))
            .collect();
        assert!(secrets.len() > 10);
        for line in log.lines().filter(|line| {
            !line.starts_with("::add-mask::") && !line.starts_with("##vso[task.setsecret]")
        }) {
            assert!(
                secrets.iter().all(|secret| !line.contains(secret.as_str())),
                "{line}"
            );
        }
    }
}

/// A pipe that nobody reads.
#[cfg(unix)]
fn unread() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

#[cfg(unix)]
#[test]
fn a_result_that_reached_nobody_is_no_success() {
    let (world, root) = World::signed();
    let line = format!("verify {REPOSITORY}:1.0 --format dct --root {root}");
    for (more, stdout, code) in [
        ("", Stdio::null(), 0),
        ("", unread(), 3),
        (" --output json", Stdio::null(), 0),
        (" --output json", unread(), 3),
    ] {
        let mut gate = Command::new(env!("CARGO_BIN_EXE_acr-sign"));
        gate.args(format!("{line}{more}").split(' ')).env_clear();
        gate.envs(world.environment.iter().map(|(name, value)| (name, value)));
        let ended = gate
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert_eq!(ended.code(), Some(code), "{more}");
    }
    for host in HOSTS {
        for (stdout, code) in [(Stdio::null(), 0), (unread(), 3)] {
            let step = Step::gate(&world, host, &root, &format!("{REPOSITORY}:1.0"));
            let ended = program(&step).stdout(stdout).status().unwrap();
            assert_eq!(ended.code(), Some(code), "{host:?}");
            let result: serde_json::Value =
                serde_json::from_slice(&std::fs::read(step.path("result.json")).unwrap()).unwrap();
            assert_eq!(result["code"], code, "{host:?}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_report_into_a_pipe_or_a_device_leaves_it_what_it_is() {
    let (world, root) = World::signed();
    let pipe = world.folder.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::read_to_string(pipe).unwrap()
    });
    let line = format!(
        "verify {REPOSITORY}:1.0 --format dct --root {root} --report {}",
        pipe.display()
    );
    let outcome = world.run(&line);
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert!(!std::fs::metadata(&pipe).unwrap().is_file());
    let report: serde_json::Value = serde_json::from_str(&reader.join().unwrap()).unwrap();
    assert_eq!(report["decision"], "allow");
}
