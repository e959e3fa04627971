//! The decision as a table: what each leaf found, and what follows from it.

use acr_sign::{
    format::Verified,
    policy::{Denied, Requirement, evaluate},
    reason::Reason,
};

use crate::dct::proofs;

type Tree = Requirement<()>;
type Found = Result<Verified, Reason>;

fn leaf() -> Tree {
    Requirement::leaf(())
}

fn leaves(count: usize) -> Vec<Tree> {
    (0..count).map(|_| leaf()).collect()
}

/// Decides about the image that Alice and Bob signed.
fn decide(tree: &Tree, findings: &[Found]) -> Result<usize, Denied> {
    let [alice, ..] = proofs();
    let findings: Vec<_> = findings
        .iter()
        .map(|found| found.as_ref().map_err(|reason| *reason))
        .collect();
    evaluate(tree, alice.subject(), &findings).map(|allowed| allowed.signatures().len())
}

fn denied(tree: &Tree, findings: &[Found]) -> (Reason, Option<usize>) {
    let denied = decide(tree, findings).unwrap_err();
    (denied.reason, denied.leaf)
}

fn not(reasons: &[Reason]) -> Vec<Found> {
    reasons.iter().map(|reason| Err(*reason)).collect()
}

#[test]
fn what_could_not_be_found_out_decides_only_where_it_could_have_been_enough() {
    use Reason::{RegistryUnreachable, Unsigned, UntrustedKey};
    let any = Requirement::any(leaves(2)).unwrap();
    let all = Requirement::all(leaves(2)).unwrap();
    let two_of_three = Requirement::at_least(2, leaves(3)).unwrap();
    assert_eq!(
        denied(&any, &not(&[Unsigned, RegistryUnreachable])),
        (RegistryUnreachable, Some(1))
    );
    assert_eq!(
        denied(&all, &not(&[Unsigned, RegistryUnreachable])),
        (Unsigned, Some(0))
    );
    assert_eq!(
        denied(
            &two_of_three,
            &not(&[Unsigned, RegistryUnreachable, UntrustedKey])
        )
        .0,
        UntrustedKey
    );
    let open = [Unsigned, RegistryUnreachable, RegistryUnreachable];
    assert_eq!(
        denied(&two_of_three, &not(&open)),
        (RegistryUnreachable, Some(1))
    );
    // The more telling reason of the kind that decides, however telling one of another kind is.
    assert_eq!(
        denied(&any, &not(&[Unsigned, Reason::Rollback])),
        (Reason::Rollback, Some(1))
    );
    assert_eq!(
        denied(&any, &not(&[Reason::Rollback, RegistryUnreachable])),
        (RegistryUnreachable, Some(1))
    );
}

#[test]
fn what_is_wrong_in_the_set_up_is_said_whatever_else_holds() {
    use Reason::{KeyUnsuitable, RegistryUnreachable, Unsigned};
    let any = Requirement::any(leaves(3)).unwrap();
    assert_eq!(
        denied(&any, &not(&[Unsigned, KeyUnsuitable, RegistryUnreachable])),
        (KeyUnsuitable, Some(1))
    );
    let [alice, bob, _] = proofs();
    let mut holding: Vec<Found> = vec![Ok(alice), Ok(bob)];
    holding.extend(not(&[KeyUnsuitable]));
    assert_eq!(denied(&any, &holding), (KeyUnsuitable, Some(2)));
    // It outweighs also from within.
    let within = Requirement::any(vec![Requirement::all(leaves(2)).unwrap(), leaf()]).unwrap();
    let [alice, bob, _] = proofs();
    assert_eq!(
        denied(&within, &[Ok(alice), Err(KeyUnsuitable), Ok(bob)]),
        (KeyUnsuitable, Some(1))
    );
}

#[test]
fn a_permission_stands_on_proofs_of_this_digest_and_on_each_key_once() {
    let any = Requirement::any(leaves(2)).unwrap();
    let [alice, bob, of_another] = proofs();
    assert_eq!(decide(&leaf(), &[Ok(alice)]).ok(), Some(1));
    assert_eq!(
        denied(&leaf(), &[Ok(of_another)]),
        (Reason::DigestMismatch, Some(0))
    );
    assert_eq!(
        decide(&any, &[Ok(bob), Err(Reason::Unsigned)]).ok(),
        Some(1)
    );
    // A finding that is missing denies, beside one that holds, too.
    assert_eq!(denied(&leaf(), &[]), (Reason::PolicyInvalid, Some(0)));
    let [alice, bob, _] = proofs();
    assert_eq!(denied(&any, &[Ok(alice)]), (Reason::PolicyInvalid, Some(1)));
    let two = Requirement::at_least(2, leaves(2)).unwrap();
    let [alice, _, _] = proofs();
    assert_eq!(decide(&two, &[Ok(alice), Ok(bob)]).ok(), Some(2));
    let ([alice, ..], [again, ..]) = (proofs(), proofs());
    assert_eq!(
        denied(&two, &[Ok(alice), Ok(again)]),
        (Reason::ThresholdNotMet, None)
    );
}
