//! Signers who take turns, in any order.

use acr_sign::format::dct::{admin, lookup::ImageHashes};
use proptest::prelude::*;

use super::{
    publisher::{NOW, complete, publics},
    server::{at, role},
    signing::{alice_and_bob, entry, sign, tag},
};

#[derive(Clone, Debug)]
enum Act {
    Set(usize, u8, u8),
    Remove(usize, u8),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        3 => (0..2_usize, 0..5_u8, 0..4_u8).prop_map(|(who, name, content)| Act::Set(who, name, content)),
        1 => (0..2_usize, 0..5_u8).prop_map(|(who, name)| Act::Remove(who, name)),
    ];
    prop::collection::vec(act, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever two signers do, a pull takes what was last released, and nobody's own entries are
    /// lost.
    #[test]
    fn t27_what_was_published_last_is_what_a_pull_takes(acts in acts()) {
        let (_, alice, bob, mut server) = alice_and_bob();
        let mut released = std::collections::BTreeMap::new();
        let mut own = [released.clone(), released.clone()];
        for act in acts {
            match act {
                Act::Set(who, name, content) => {
                    let (name, content) = (format!("v{name}"), format!("image {content}"));
                    sign(&mut server, [&alice, &bob][who], &[(&name, &content)]);
                    own[who].insert(name.clone(), content.clone());
                    released.insert(name, content);
                }
                Act::Remove(who, name) => {
                    let (key, name) = ([&alice, &bob][who], format!("v{name}"));
                    let held = publics(&[key]);
                    let draft = admin::revoke(&server.load(), &[tag(&name)], &held, at(NOW)).unwrap();
                    let (publication, _) = complete(draft, &[key]).unwrap();
                    server.publish(&publication);
                    own[who].remove(&name);
                    released.remove(&name);
                }
            }
        }
        let set = server.load();
        let held = |name: &str| {
            let role = role(name);
            let entries = set.entries(&role).map(|(tag, meta)| (tag.to_owned(), ImageHashes::of(meta).unwrap()));
            entries.collect::<Vec<_>>()
        };
        let expected = |model: &std::collections::BTreeMap<String, String>| {
            model.iter().map(|(name, content)| (name.clone(), entry(content))).collect::<Vec<_>>()
        };
        prop_assert_eq!(held("targets/releases"), expected(&released));
        prop_assert_eq!(held("targets/alice"), expected(&own[0]));
        prop_assert_eq!(held("targets/bob"), expected(&own[1]));
    }
}
