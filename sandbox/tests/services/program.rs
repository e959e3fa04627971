//! The program itself: how it starts, what it writes, and when it stops.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread::sleep,
    time::Duration,
};

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_acr-sandbox"))
}

/// Waits until the file is there; it must then be whole.
fn environment(file: &Path, child: &mut Child) -> String {
    while !file.exists() {
        assert!(child.try_wait().unwrap().is_none(), "it stopped");
        sleep(Duration::from_millis(20));
    }
    fs::read_to_string(file).unwrap()
}

fn stop(mut child: Child) -> Output {
    let pid = child.id().to_string();
    let killed = Command::new("kill").arg(&pid).status().unwrap();
    assert!(
        killed.success(),
        "it had stopped by itself: {:?}",
        child.try_wait()
    );
    child.wait_with_output().unwrap()
}

#[test]
fn help_says_what_it_is_and_starts_nothing() {
    for flag in ["--help", "-h"] {
        let output = program().arg(flag).output().unwrap();
        assert!(output.status.success());
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(
            help.contains("Usage: acr-sandbox")
                && !help.lines().any(|line| line.starts_with("export ")),
            "{help}"
        );
    }
}

#[test]
fn wrong_arguments_are_usage_errors() {
    for wrong in [&["--fro", "1"][..], &["--for"], &["--for", "soon"], &["x"]] {
        let output = program().args(wrong).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.starts_with("error: ") && said.contains("--env-file"),
            "{said}"
        );
    }
}

#[cfg(unix)]
#[test]
fn it_runs_without_standard_input_until_it_is_stopped() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("without-input");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("sandbox.env");
    let _ = fs::remove_file(&file);
    let mut child = program()
        .arg("--env-file")
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let exports = environment(&file, &mut child);
    assert!(exports.ends_with("'\n"), "{exports}");
    for name in [
        "ACR_SIGN_CONNECT_TO",
        "ACR_SIGN_CA_FILE",
        "SANDBOX_CA_FILE",
        "SANDBOX_DIGEST",
    ] {
        assert!(exports.contains(&format!("export {name}='")), "{name}");
    }
    // Every command would warn that TLS trusts what this names.
    assert!(!exports.contains("export SSL_CERT_"), "{exports}");
    let output = stop(child);
    assert!(output.stdout.is_empty());
}

#[cfg(unix)]
#[test]
fn it_stops_when_the_program_that_started_it_lets_go() {
    let mut child = program()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    sleep(Duration::from_millis(1500));
    assert!(child.try_wait().unwrap().is_none());
    drop(child.stdin.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let exports = String::from_utf8(output.stdout).unwrap();
    assert!(
        exports.starts_with("export ") && exports.ends_with("'\n"),
        "{exports}"
    );
}
