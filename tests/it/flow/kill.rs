//! The real program, killed between every pair of its requests: what was signed stays, and a re-run completes.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use acr_sandbox::{Action, Fault};
use acr_sign::Exit;

use crate::world::{REPOSITORY, World};

fn line(tag: &str, root: &str) -> String {
    format!("sign {REPOSITORY}:{tag} --format dct --key akv:contoso/keys/release --root {root}")
}

/// Runs the program until its n-th request has arrived, which is held, and kills it there; `false` if it
/// ended before.
fn killed_at(world: &World, line: &str, n: usize) -> bool {
    world.sandbox.clear_log();
    world.sandbox.clear_faults();
    world
        .sandbox
        .fault(Fault::new(Action::Delay(Duration::from_secs(600))).nth(n));
    let mut child = Command::new(env!("CARGO_BIN_EXE_acr-sign"))
        .args(line.split_whitespace())
        .env_clear()
        .envs(world.environment.iter().cloned())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let killed = loop {
        if world.sandbox.log().len() >= n {
            break true;
        }
        if child.try_wait().unwrap().is_some() {
            break false;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    // SIGKILL: nothing of the program runs any more.
    let _ = child.kill();
    child.wait().unwrap();
    world.sandbox.clear_faults();
    killed
}

#[test]
fn p07_killed_at_any_request_a_re_run_completes() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    let digest = world.sandbox.registry().digest("shop/web", "1.0").unwrap();
    let (mut kills, mut published) = (0, 0);
    for n in 1.. {
        let tag = format!("k{n}");
        world.sandbox.registry().retag("shop/web", &digest, &tag);
        if !killed_at(&world, &line(&tag, &root), n) {
            break;
        }
        kills += 1;
        let old = world.verify("1.0", &root);
        assert_eq!(old.exit, Exit::Done, "killed at {n}: {}", old.stderr);
        let again = world.run(&line(&tag, &root));
        assert_eq!(again.exit, Exit::Done, "killed at {n}: {}", again.stderr);
        published += usize::from(again.stdout.starts_with("already-signed"));
        let new = world.verify(&tag, &root);
        assert_eq!(new.exit, Exit::Done, "killed at {n}: {}", new.stderr);
        let versions = world.sandbox.trust().versions(REPOSITORY);
        assert!(
            world
                .run(&line(&tag, &root))
                .stdout
                .starts_with("already-signed"),
            "killed at {n}"
        );
        assert_eq!(
            world.sandbox.trust().versions(REPOSITORY),
            versions,
            "killed at {n}"
        );
    }
    // Identity, registry, vault and trust server: more than 15 requests; the last two only read back.
    assert!(
        kills > 15 && published == 2,
        "{kills} kills, {published} after the publication"
    );
}
