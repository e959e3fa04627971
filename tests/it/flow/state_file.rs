//! The file of `--state`: never ignored, never half written, and never the worse for several runs at once.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use acr_sandbox::{Action, Fault, Service};
use acr_sign::{
    Exit,
    format::dct::{Gun, MEMORY_LIMIT, Memory, RoleName, Seen},
    oci::Repository,
};

use crate::world::{Outcome, REPOSITORY, World};

fn gun(name: &str) -> Gun {
    Gun::from(&Repository::named(name).unwrap())
}

fn verify(repository: &str, root: &str, state: &str) -> String {
    format!("verify {repository}:1.0 --format dct --root {root} --state {state}")
}

/// A signed image, and a place for the memory.
fn world() -> (World, String, String) {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    world.sandbox.clear_log();
    let state = world.folder.path().join("state.json").display().to_string();
    (world, root, state)
}

fn memory(path: impl AsRef<Path>) -> Memory {
    Memory::parse(&fs::read(path).unwrap()).unwrap()
}

fn timestamp(memory: &Memory, repository: &str) -> u64 {
    memory.seen(&gun(repository)).unwrap().roles[&RoleName::TIMESTAMP]
        .version
        .get()
}

/// The real program.
fn spawn(world: &World, line: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_acr-sign"))
        .args(line.split_whitespace())
        .env_clear()
        .envs(world.environment.iter().cloned())
        .current_dir(world.folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn ends_well(child: Child) {
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{:?}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}

fn refused(outcome: &Outcome, state: &str, said: &str) {
    let ended = (outcome.exit, outcome.reasons(), outcome.stdout.as_str());
    assert_eq!(
        ended,
        (Exit::Usage, vec!["config-invalid"], ""),
        "{said}: {}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains(state) && outcome.stderr.contains(said),
        "{said}: {}",
        outcome.stderr
    );
}

#[test]
fn a_damaged_or_foreign_file_is_an_error_and_stays_as_it_is() {
    let (world, root, state) = world();
    assert_eq!(
        world.run(&verify(REPOSITORY, &root, &state)).exit,
        Exit::Done
    );
    let good = fs::read_to_string(&state).unwrap();
    world.sandbox.clear_log();
    for (text, said) in [
        (String::new(), "a syntax error at byte 0"),
        (good[..good.len() - 5].to_owned(), "a syntax error at byte"),
        (
            "{\"bomFormat\":\"CycloneDX\"}".to_owned(),
            "`bomFormat` is not a known member",
        ),
        (
            good.replace("\"schemaVersion\": 1", "\"schemaVersion\": 2"),
            "`schemaVersion` is 2",
        ),
        (
            good.replace("\"sha256\"", "\"sha512\""),
            "`repositories.contoso.azurecr.io/shop/web.roles.snapshot.sha512`",
        ),
        (
            good.replacen("\"root\": \"", "\"root\": \"?", 1),
            "`repositories.contoso.azurecr.io/shop/web.root` is not base64",
        ),
    ] {
        fs::write(&state, &text).unwrap();
        let outcome = world.run(&verify(REPOSITORY, &root, &state));
        refused(&outcome, &state, said);
        assert!(
            outcome.stderr.contains("hint: restore it"),
            "{}",
            outcome.stderr
        );
        assert_eq!(fs::read_to_string(&state).unwrap(), text);
    }
    assert_eq!(world.sandbox.log().len(), 0, "nothing is asked");
    fs::write(&state, &good).unwrap();
    assert_eq!(
        world.run(&verify(REPOSITORY, &root, &state)).exit,
        Exit::Done
    );
}

#[test]
fn what_is_no_file_is_an_error() {
    let (world, root, state) = world();
    fs::create_dir(&state).unwrap();
    refused(
        &world.run(&verify(REPOSITORY, &root, &state)),
        &state,
        "it is not a regular file",
    );
    fs::remove_dir(&state).unwrap();
    fs::write(&state, "x").unwrap();
    let below = format!("{state}/state.json");
    refused(
        &world.run(&verify(REPOSITORY, &root, &below)),
        &below,
        "cannot be read",
    );
    assert_eq!(world.sandbox.log().len(), 0);
}

#[test]
fn what_cannot_be_remembered_is_not_allowed() {
    let (world, root, state) = world();
    // A folder stands where the new file is made.
    fs::create_dir(format!("{state}.tmp")).unwrap();
    let outcome = world.run(&verify(REPOSITORY, &root, &state));
    refused(&outcome, &state, "cannot be written");
    assert!(!fs::exists(&state).unwrap());
    let report = world
        .run(&format!(
            "{} --output json",
            verify(REPOSITORY, &root, &state)
        ))
        .json();
    assert_eq!(report["decision"], "deny");
    assert_eq!(report["error"]["reason"], "config-invalid");
    fs::remove_dir(format!("{state}.tmp")).unwrap();
    fs::remove_file(format!("{state}.lock")).unwrap();
    fs::create_dir(format!("{state}.lock")).unwrap();
    refused(
        &world.run(&verify(REPOSITORY, &root, &state)),
        &state,
        "cannot be locked",
    );
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_the_lock_is_not_waited_for() {
    let (world, root, state) = world();
    assert!(
        Command::new("mkfifo")
            .arg(format!("{state}.lock"))
            .status()
            .unwrap()
            .success()
    );
    refused(
        &world.run(&verify(REPOSITORY, &root, &state)),
        &state,
        "it is not a regular file",
    );
}

#[test]
fn a_file_that_a_killed_run_left_is_in_nobodys_way_and_missing_folders_are_made() {
    let (world, root, _) = world();
    let folder = world.folder.path().join("a/b");
    let state = folder.join("state.json");
    let line = verify(REPOSITORY, &root, &state.display().to_string());
    assert_eq!(world.run(&line).exit, Exit::Done);
    let first = memory(&state);
    fs::write(folder.join("state.json.tmp"), "{\"half").unwrap();
    assert_eq!(world.sign(&["latest"], &root).exit, Exit::Done);
    assert_eq!(world.run(&line).exit, Exit::Done);
    assert!(timestamp(&memory(&state), REPOSITORY) > timestamp(&first, REPOSITORY));
    let mut names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["state.json", "state.json.lock"]);
}

#[test]
fn a_run_that_learns_nothing_writes_nothing() {
    let (world, root, state) = world();
    assert_eq!(
        world.run(&verify(REPOSITORY, &root, &state)).exit,
        Exit::Done
    );
    // Written otherwise than we would, so that writing would show.
    let compact = serde_json::from_slice::<serde_json::Value>(&fs::read(&state).unwrap())
        .unwrap()
        .to_string();
    fs::write(&state, &compact).unwrap();
    fs::remove_file(format!("{state}.lock")).unwrap();
    assert_eq!(
        world.run(&verify(REPOSITORY, &root, &state)).exit,
        Exit::Done
    );
    assert_eq!(fs::read_to_string(&state).unwrap(), compact);
    assert!(!fs::exists(format!("{state}.lock")).unwrap());
}

#[cfg(unix)]
#[test]
fn l6_a_link_is_refused_and_nothing_is_written_behind_it() {
    let (world, root, link) = world();
    let folder = world.folder.path().join("store");
    fs::create_dir(&folder).unwrap();
    let target = folder.join("real.json");
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let line = verify(REPOSITORY, &root, &link);
    refused(&world.run(&line), &link, "it is a link");
    let empty = Memory::default().to_json().unwrap();
    fs::write(&target, &empty).unwrap();
    refused(&world.run(&line), &link, "it is a link");
    assert_eq!(fs::read_to_string(&target).unwrap(), empty);
    assert!(!fs::exists(folder.join("real.json.lock")).unwrap());
    // The lock is a file that is written, too.
    fs::remove_file(&link).unwrap();
    let lock = format!("{link}.lock");
    std::os::unix::fs::symlink(folder.join("lock"), &lock).unwrap();
    let outcome = world.run(&line);
    assert_eq!(outcome.exit, Exit::Usage, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("is a link"), "{}", outcome.stderr);
    assert!(!fs::exists(folder.join("lock")).unwrap());
}

#[cfg(unix)]
#[test]
fn the_new_file_has_the_rights_of_the_old_one() {
    use std::os::unix::fs::PermissionsExt as _;
    let (world, root, state) = world();
    fs::write(&state, Memory::default().to_json().unwrap()).unwrap();
    fs::set_permissions(&state, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(
        world.run(&verify(REPOSITORY, &root, &state)).exit,
        Exit::Done
    );
    assert_eq!(
        (
            memory(&state).len(),
            fs::metadata(&state).unwrap().permissions().mode() & 0o777
        ),
        (1, 0o640)
    );
}

#[test]
fn a_lock_is_waited_for_and_one_that_is_never_let_go_ends_the_run_undecided() {
    let (world, root, state) = world();
    let line = verify(REPOSITORY, &root, &state);
    let lock = fs::File::create(format!("{state}.lock")).unwrap();
    lock.lock().unwrap();
    let outcome = world.run(&format!("{line} --timeout 20s"));
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["timeout"]),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains("is locked by another run"),
        "{}",
        outcome.stderr
    );
    assert!(!fs::exists(&state).unwrap());
    world.sandbox.clear_log();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| world.run(&line));
        let read = || {
            world
                .answered(Service::TrustServer)
                .iter()
                .any(|it| it.path.contains("/targets/releases."))
        };
        while !read() && !waiting.is_finished() {
            thread::sleep(Duration::from_millis(5));
        }
        thread::sleep(Duration::from_millis(200));
        assert!(!fs::exists(&state).unwrap());
        drop(lock);
        assert_eq!(waiting.join().unwrap().exit, Exit::Done);
    });
    assert_eq!(memory(&state).len(), 1);
}

/// Holds the image of the first run until `then` is done; its trust data was read before.
fn meanwhile(world: &World, line: &str, then: impl FnOnce()) -> Outcome {
    world.sandbox.clear_log();
    world.sandbox.fault(
        Fault::new(Action::HoldUntil("/probe/".into()))
            .path("/manifests/1.0")
            .nth(1),
    );
    thread::scope(|scope| {
        let first = scope.spawn(|| world.run(line));
        let read = |world: &World| {
            let log = world.answered(Service::TrustServer);
            log.iter()
                .any(|entry| entry.path.contains("/targets/releases.") && entry.ended > 0)
        };
        while !read(world) && !first.is_finished() {
            thread::sleep(Duration::from_millis(5));
        }
        then();
        world.run("trust status contoso.azurecr.io/probe");
        first.join().unwrap()
    })
}

#[test]
fn what_another_run_wrote_meanwhile_stays_where_it_is_newer() {
    let (world, root, state) = world();
    let line = verify(REPOSITORY, &root, &state);
    let outcome = meanwhile(&world, &line, || {
        assert_eq!(world.sign(&["latest"], &root).exit, Exit::Done);
        assert_eq!(world.run(&line).exit, Exit::Done);
        assert_eq!(timestamp(&memory(&state), REPOSITORY), 3);
    });
    // The first run saw version 2.
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert_eq!(timestamp(&memory(&state), REPOSITORY), 3);
}

#[test]
fn two_runs_that_saw_two_contents_of_one_version_do_not_both_pass() {
    let (world, root, state) = world();
    let line = verify(REPOSITORY, &root, &state);
    let past = world.sandbox.trust().keep();
    assert_eq!(world.sign(&["latest"], &root).exit, Exit::Done);
    let present = world.sandbox.trust().keep();
    past(world.sandbox.trust());
    assert_eq!(world.sign(&["1"], &root).exit, Exit::Done);
    let outcome = meanwhile(&world, &line, || {
        present(world.sandbox.trust());
        assert_eq!(world.run(&line).exit, Exit::Done);
    });
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["rollback"]),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains(&format!(
            "what was seen of `{REPOSITORY}` before contradicts"
        )),
        "{}",
        outcome.stderr
    );
    assert_eq!(outcome.stdout, "");
    let kept = fs::read(&state).unwrap();
    assert_eq!(world.run(&line).exit, Exit::Done);
    assert_eq!(fs::read(&state).unwrap(), kept);
}

#[test]
fn a_file_that_is_damaged_meanwhile_is_not_replaced() {
    let (world, root, state) = world();
    let outcome = meanwhile(&world, &verify(REPOSITORY, &root, &state), || {
        fs::write(&state, "{}").unwrap()
    });
    refused(&outcome, &state, "`schemaVersion` is missing");
    assert_eq!(fs::read_to_string(&state).unwrap(), "{}");
}

#[test]
fn what_is_removed_meanwhile_is_not_forgotten() {
    let (world, root, state) = world();
    let line = verify(REPOSITORY, &root, &state);
    assert_eq!(world.run(&line).exit, Exit::Done);
    // What the run does not look at, too.
    let mut document: serde_json::Value =
        serde_json::from_slice(&fs::read(&state).unwrap()).unwrap();
    document["repositories"]["contoso.azurecr.io/shop/other"] =
        document["repositories"][REPOSITORY].clone();
    fs::write(&state, document.to_string()).unwrap();
    assert_eq!(world.sign(&["latest"], &root).exit, Exit::Done);
    let outcome = meanwhile(&world, &line, || fs::remove_file(&state).unwrap());
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    let kept = memory(&state);
    assert_eq!(
        (
            kept.len(),
            timestamp(&kept, "contoso.azurecr.io/shop/other"),
            timestamp(&kept, REPOSITORY)
        ),
        (2, 2, 3)
    );
}

#[test]
fn a_file_that_is_too_long_is_not_cut() {
    let (world, root, state) = world();
    let line = verify(REPOSITORY, &root, &state);
    assert_eq!(world.run(&line).exit, Exit::Done);
    let mut text = fs::read(&state).unwrap();
    text.resize(MEMORY_LIMIT + 1, b' ');
    fs::write(&state, text).unwrap();
    refused(
        &world.run(&line),
        &state,
        &format!("more than {MEMORY_LIMIT} bytes"),
    );
}

#[test]
fn many_processes_at_once_forget_nothing() {
    let (world, root, state) = world();
    let others: Vec<String> = (0..3)
        .map(|number| format!("contoso.azurecr.io/shop/other{number}"))
        .collect();
    let mut gates = vec![(REPOSITORY.to_owned(), root)];
    for other in &others {
        world
            .sandbox
            .registry()
            .push_image(other.split_once('/').unwrap().1, "1.0", other);
        let outcome = world.run(&format!(
            "trust init {other} --root-key akv:contoso/keys/root --targets-key akv:contoso/keys/targets \
             --signer release=akv:contoso/keys/release --output json"
        ));
        gates.push((
            other.clone(),
            outcome.json()["root"]["keyIds"][0]
                .as_str()
                .unwrap()
                .to_owned(),
        ));
    }
    let sign = |force: &str| {
        for (repository, root) in &gates {
            let line = format!(
                "sign {repository}:1.0 --format dct --key akv:contoso/keys/release --root {root} {force}"
            );
            let outcome = world.run(&line);
            assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
        }
    };
    sign("");
    for round in 0..3 {
        let twice = gates.iter().chain(&gates);
        let children: Vec<Child> = twice
            .map(|(repository, root)| spawn(&world, &verify(repository, root, &state)))
            .collect();
        children.into_iter().for_each(ends_well);
        let remembered = memory(&state);
        for (repository, _) in &gates {
            let now =
                u64::try_from(world.sandbox.trust().versions(repository)["timestamp"]).unwrap();
            assert_eq!(
                timestamp(&remembered, repository),
                now,
                "round {round}: {repository}"
            );
        }
        sign("--force");
    }
}

#[test]
fn killed_at_any_moment_the_file_is_the_old_one_or_the_new_one() {
    let (world, root, state) = world();
    let line = verify(REPOSITORY, &root, &state);
    assert_eq!(world.run(&line).exit, Exit::Done);
    // Many repositories, so that writing takes its time.
    let seen: Seen = memory(&state).seen(&gun(REPOSITORY)).unwrap().clone();
    let crowd = (0..300).map(|number| {
        (
            gun(&format!("contoso.azurecr.io/crowd/r{number}")),
            seen.clone(),
        )
    });
    let crowd: Memory = crowd.chain([(gun(REPOSITORY), seen.clone())]).collect();
    fs::write(&state, crowd.to_json().unwrap()).unwrap();
    for round in 0..8 {
        let sign = format!(
            "sign {REPOSITORY}:1.0 --format dct --key akv:contoso/keys/release --root {root} --force"
        );
        assert_eq!(world.run(&sign).exit, Exit::Done);
        let before = timestamp(&memory(&state), REPOSITORY);
        let now = u64::try_from(world.sandbox.trust().versions(REPOSITORY)["timestamp"]).unwrap();
        let beside = format!("{state}.tmp");
        let _ = fs::remove_file(&beside);
        let mut child = spawn(&world, &line);
        let mut until = |there: bool| {
            while child.try_wait().unwrap().is_none() && fs::exists(&beside).unwrap() != there {
                thread::sleep(Duration::from_micros(200));
            }
        };
        // While the new file is being written, each round a little later; or as soon as it has its name.
        let renamed = round % 2 == 1;
        until(true);
        if renamed {
            until(false);
        } else {
            thread::sleep(Duration::from_millis(round));
        }
        let _ = child.kill();
        child.wait().unwrap();
        let after = memory(&state);
        assert_eq!(after.len(), 301);
        let version = timestamp(&after, REPOSITORY);
        assert!(
            version == now || (version == before && !renamed),
            "{before}, {now}: {version}"
        );
    }
    let outcome = world.run(&line);
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert!(!fs::exists(format!("{state}.tmp")).unwrap());
    assert_eq!(memory(&state).len(), 301);
}
