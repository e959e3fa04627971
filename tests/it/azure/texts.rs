//! What a person reads when the vault refuses (K06), whole.

use acr_sandbox::{Action, Denial, Fault, Operation, Service};
use acr_sign::Exit;

use super::vault::steady;
use crate::{
    snapshot::snapshot,
    world::{REPOSITORY, World},
};

fn refused(code: &str, inner: &str, status: u16, message: &str) -> Action {
    let body = format!(
        r#"{{"error":{{"code":"{code}","message":"{message}","innererror":{{"code":"{inner}"}}}}}}"#
    );
    Action::Answer {
        status,
        headers: Vec::new(),
        body: body.into(),
    }
}

#[test]
fn k06_every_refusal_reads_as_a_whole() {
    let (world, root) = World::initialised();
    let line =
        format!("sign {REPOSITORY}:1.0 --format dct --key akv:contoso/keys/release --root {root}");
    let mut read = String::new();
    for (operation, denial) in [
        (Operation::Sign, Denial::Rbac),
        (Operation::KeyGet, Denial::Rbac),
        (Operation::Sign, Denial::AccessPolicy),
        (Operation::Sign, Denial::Firewall),
        (Operation::Sign, Denial::Connection),
    ] {
        let (world, root) = World::initialised();
        world.sandbox.vault().deny(operation, denial);
        let outcome = world.sign(&["1.0"], &root);
        assert_eq!(outcome.exit, Exit::Undecided);
        read.push_str(&format!("== {operation:?} {denial:?}\n{}", outcome.stderr));
    }
    for (name, fault) in [
        (
            "disabled",
            refused(
                "Forbidden",
                "KeyDisabled",
                403,
                "Operation sign is not allowed on a disabled key.",
            ),
        ),
        (
            "tenant",
            refused("Unauthorized", "", 401, "AKV10032: Invalid issuer."),
        ),
        (
            "policy",
            refused(
                "Forbidden",
                "ForbiddenByPolicy",
                403,
                "On-behalf-of is required.",
            ),
        ),
        (
            "operation",
            refused(
                "Forbidden",
                "KeyOperationForbidden",
                403,
                "Operation sign is not permitted on this key.",
            ),
        ),
        (
            "not found",
            refused(
                "KeyNotFound",
                "",
                404,
                "A key with (name/id) release was not found in this key vault.",
            ),
        ),
        (
            "conflict",
            refused(
                "Conflict",
                "ObjectIsBeingRecovered",
                409,
                "The object is being recovered.",
            ),
        ),
        (
            "throttled",
            refused("Throttled", "", 429, "Too many requests."),
        ),
        (
            "bad request",
            refused(
                "BadParameter",
                "",
                400,
                "Key and signing algorithm do not fit.",
            ),
        ),
    ] {
        world.sandbox.clear_faults();
        world
            .sandbox
            .fault(Fault::new(fault).service(Service::Vault).path("/sign"));
        let outcome = world.run(&format!("{line} --retries 0"));
        assert_ne!(outcome.exit, Exit::Done);
        read.push_str(&format!("== {name}\n{}", outcome.stderr));
    }
    snapshot("vault-refusals.txt", &steady(&read));
    assert_eq!(world.vault_signatures(), 0);
}
