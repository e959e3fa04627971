//! (d) Two of ours and one notary publish to one role at the same time; nothing is lost.

use crate::keys::KeyFiles;
use crate::notary::Notary;
use crate::ours;
use crate::stack::{Access, Stack};

/// The notary client does not try again after a lost race; a person would.
const TRIES: usize = 30;

#[test]
fn d_three_writers_at_once_lose_nothing() {
    let stack = Stack::start(Access::Open);
    let repository = stack.repository("shop/web");
    let [alice, bob, carol] =
        ["alice", "bob", "carol"].map(|name| KeyFiles::p256(stack.folder(), name));
    let notary = Notary::new(&stack);
    notary.initialise(&repository);
    let certificates = [
        alice.certificate.as_path(),
        bob.certificate.as_path(),
        carol.certificate.as_path(),
    ];
    notary.delegate(&repository, "targets/releases", &certificates);
    notary.import(&carol.private, "targets/releases");
    let pin = notary.root_key_id();

    let mut expected = Vec::new();
    for round in 0..4 {
        let tags = ["alice", "bob", "carol"].map(|who| format!("{who}-{round}"));
        let images: Vec<_> = tags
            .iter()
            .map(|tag| stack.push(&repository, tag, tag))
            .collect();
        std::thread::scope(|threads| {
            for (tag, key) in [(&tags[0], &alice), (&tags[1], &bob)] {
                let image = format!("{repository}:{tag}");
                let (stack, pin) = (&stack, &pin);
                threads.spawn(move || ours::sign(stack, pin, &key.reference(), &[&image]).ok());
            }
            threads.spawn(|| publish_until_done(&notary, &repository, &tags[2], &images[2]));
        });
        expected.extend(tags);
        expected.sort();
        assert_eq!(notary.tags(&repository, "targets/releases"), expected);
    }
    for tag in &expected {
        ours::verify(&stack, &pin, &format!("{repository}:{tag}")).ok();
    }
}

fn publish_until_done(notary: &Notary, repository: &str, tag: &str, pushed: &crate::stack::Pushed) {
    let mut ran = notary.add(repository, tag, pushed, "targets/releases");
    for _ in 0..TRIES {
        if ran.succeeded() {
            return;
        }
        ran = notary.run(&["publish", repository]);
    }
    ran.ok();
}
