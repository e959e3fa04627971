//! The scopes of tokens: what a challenge asks for, and what is meant (G08).

/// Whether two scopes are about the same type and name.
pub(super) fn same_name(one: &str, other: &str) -> bool {
    let name = |scope: &str| scope.rsplit_once(':').map(|(name, _)| name.to_owned());
    name(one).is_some() && name(one) == name(other)
}

/// The challenge's spelling of the scope, with no action beyond those meant.
pub(super) fn narrower(asked: &str, meant: &str) -> String {
    let actions = |scope: &str| {
        scope
            .rsplit_once(':')
            .map(|(_, actions)| actions.to_owned())
            .unwrap_or_default()
    };
    let (asked_actions, meant_actions) = (actions(asked), actions(meant));
    let beyond = asked_actions
        .split(',')
        .any(|action| !meant_actions.split(',').any(|one| one == action));
    let lacks = meant_actions
        .split(',')
        .any(|action| !asked_actions.split(',').any(|one| one == action));
    if beyond || lacks {
        meant.to_owned()
    } else {
        asked.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g08_a_challenge_does_not_widen_the_scope() {
        assert!(same_name("repository:a:pull", "repository:a:pull,push"));
        assert!(!same_name("repository:b:pull", "repository:a:pull"));
        assert_eq!(
            narrower("repository:a:pull,push", "repository:a:pull"),
            "repository:a:pull"
        );
        assert_eq!(
            narrower("repository:a:push,pull", "repository:a:pull,push"),
            "repository:a:push,pull"
        );
        assert_eq!(
            narrower("repository:a:pull", "repository:a:pull,push"),
            "repository:a:pull,push"
        );
    }
}
