//! Patterns over normalised image names: `*` within a path segment, `**` for any number of segments, nothing in the host.
//!
//! Matching takes the leftmost place for each literal piece and never goes back, so its work is bounded by the
//! lengths of pattern and name (T17).

use std::{fmt, str::FromStr};

use crate::oci::{RegistryHost, Repository};

/// Bytes of a pattern; a name has at most 255.
const LIMIT: usize = 512;

/// A pattern of repositories.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Glob {
    text: String,
    pattern: Pattern,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Pattern {
    /// `**` alone.
    Everything,
    /// A host, and runs of segments with `**` between them.
    Below {
        host: String,
        runs: Vec<Vec<Segment>>,
        open: bool,
    },
}

/// One path segment: literal pieces with `*` between them.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Segment(Vec<String>);

/// The text is no pattern.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{text}` is not a valid image pattern: {why}")]
pub struct InvalidGlob {
    text: String,
    why: String,
}

impl Glob {
    /// The pattern that matches every image.
    pub fn everything() -> Self {
        Self {
            text: "**".to_owned(),
            pattern: Pattern::Everything,
        }
    }

    /// The registry that it is about; `None` where it matches everything.
    pub fn registry(&self) -> Option<RegistryHost> {
        match &self.pattern {
            Pattern::Everything => None,
            Pattern::Below { host, .. } => host.parse().ok(),
        }
    }

    /// The one repository that it matches, where it has no wildcard.
    pub fn only(&self) -> Option<Repository> {
        if self.text.contains('*') {
            None
        } else {
            Repository::familiar(&self.text).ok()
        }
    }

    /// Whether it surely matches everything that `other` matches; `false` promises nothing.
    pub fn covers(&self, other: &Self) -> bool {
        match (&self.pattern, &other.pattern) {
            (Pattern::Everything, _) => true,
            (Pattern::Below { .. }, Pattern::Everything) => false,
            (
                Pattern::Below { host, runs, open },
                Pattern::Below {
                    host: other_host,
                    runs: other_runs,
                    ..
                },
            ) => {
                // What stands for any number of segments is met by nothing but the same.
                let parts: Vec<Option<&Segment>> = other_runs
                    .iter()
                    .enumerate()
                    .flat_map(|(at, run)| {
                        (at > 0)
                            .then_some(None)
                            .into_iter()
                            .chain(run.iter().map(Some))
                    })
                    .collect();
                let covers = |mine: &Segment, part: Option<&Segment>| {
                    part.is_some_and(|part| mine.covers(part))
                };
                host == other_host && path_matches(runs, *open, &parts, covers)
            }
        }
    }

    /// Whether the pattern matches.
    pub fn matches(&self, repository: &Repository) -> bool {
        match &self.pattern {
            Pattern::Everything => true,
            Pattern::Below { host, runs, open } => {
                let segments: Vec<&str> = repository.path().split('/').collect();
                let matches = |mine: &Segment, segment: &str| mine.matches(segment);
                *host == repository.registry().as_str()
                    && path_matches(runs, *open, &segments, matches)
            }
        }
    }
}

impl FromStr for Glob {
    type Err = InvalidGlob;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = |why: &str| InvalidGlob {
            text: text.chars().take(LIMIT).collect(),
            why: why.to_owned(),
        };
        if text == "**" {
            return Ok(Self::everything());
        }
        if text.len() > LIMIT {
            return Err(invalid("it is longer than 512 bytes"));
        }
        if !text.contains('*') {
            // Without a wildcard it is a name, read as docker reads names.
            let repository =
                Repository::familiar(text).map_err(|error| invalid(&error.to_string()))?;
            return Ok(Self::below(text, repository.registry(), repository.path()));
        }
        let (host, path) = text
            .split_once('/')
            .ok_or_else(|| invalid("name the registry: `HOST/…`"))?;
        if host.contains('*') {
            return Err(invalid(
                "the host cannot contain a wildcard; `**` alone matches everything",
            ));
        }
        if !host.contains(['.', ':']) && host != "localhost" {
            return Err(invalid("name the registry: `HOST/…`"));
        }
        if path
            .split('/')
            .any(|segment| segment.contains("**") && segment != "**")
        {
            return Err(invalid("`**` is a segment of its own"));
        }
        // What a wildcard may stand for, to hold the rest against the grammar of names.
        let example = format!("{host}/{}", path.replace("**", "a").replace('*', "a"));
        let example = Repository::named(&example).map_err(|error| invalid(&error.to_string()))?;
        // On Docker Hub a name of one segment lies below `library`.
        let host = Repository::familiar(&format!("{}/a/a", example.registry()));
        let host = host.map_err(|error| invalid(&error.to_string()))?;
        let short = host.registry().as_str() == "docker.io" && !path.contains('/') && path != "**";
        let path = if short {
            format!("library/{path}")
        } else {
            path.to_owned()
        };
        Ok(Self::below(text, host.registry(), &path))
    }
}

impl Glob {
    fn below(text: &str, host: &RegistryHost, path: &str) -> Self {
        let mut runs = vec![Vec::new()];
        let mut open = false;
        for segment in path.split('/') {
            open = segment == "**";
            if open {
                runs.push(Vec::new());
            } else if let Some(run) = runs.last_mut() {
                run.push(Segment(segment.split('*').map(ToOwned::to_owned).collect()));
            }
        }
        let host = host.as_str().to_owned();
        Self {
            text: text.to_owned(),
            pattern: Pattern::Below { host, runs, open },
        }
    }
}

/// The first run stands at the beginning, the last at the end, each other at the leftmost place after the one before.
fn path_matches<P: Copy>(
    runs: &[Vec<Segment>],
    open: bool,
    parts: &[P],
    one: impl Fn(&Segment, P) -> bool,
) -> bool {
    let Some((first, rest)) = runs.split_first() else {
        return false;
    };
    let Some(mut left) = after(first, parts, &one) else {
        return false;
    };
    let Some((last, between)) = rest.split_last() else {
        return left.is_empty();
    };
    if open {
        // A `**` at the end is what lies below, so at least one segment.
        return between.iter().all(|run| skip_to(run, &mut left, &one)) && !left.is_empty();
    }
    between.iter().all(|run| skip_to(run, &mut left, &one))
        && left
            .len()
            .checked_sub(last.len())
            .and_then(|at| after(last, left.get(at..)?, &one))
            .is_some()
}

/// What is left behind `run`, where the parts begin with it.
fn after<'a, P: Copy>(
    run: &[Segment],
    parts: &'a [P],
    one: &impl Fn(&Segment, P) -> bool,
) -> Option<&'a [P]> {
    let (head, tail) = parts.split_at_checked(run.len())?;
    run.iter()
        .zip(head)
        .all(|(pattern, part)| one(pattern, *part))
        .then_some(tail)
}

/// Moves behind the leftmost place where `run` stands.
fn skip_to<P: Copy>(run: &[Segment], left: &mut &[P], one: &impl Fn(&Segment, P) -> bool) -> bool {
    for at in 0..=left.len() {
        if let Some(behind) = left.get(at..).and_then(|from| after(run, from, one)) {
            *left = behind;
            return true;
        }
    }
    false
}

impl Segment {
    fn matches(&self, segment: &str) -> bool {
        let Some((first, rest)) = self.0.split_first() else {
            return false;
        };
        let Some(mut left) = segment.strip_prefix(first.as_str()) else {
            return false;
        };
        let Some((last, between)) = rest.split_last() else {
            return left.is_empty();
        };
        for piece in between {
            let Some((_, behind)) = left.split_once(piece.as_str()) else {
                return false;
            };
            left = behind;
        }
        left.ends_with(last.as_str())
    }

    /// Whether it surely matches every segment that `other` matches.
    fn covers(&self, other: &Self) -> bool {
        match (self.0.as_slice(), other.0.as_slice()) {
            (_, [literal]) => self.matches(literal),
            // Between the ends of the other there is a `*`, so they do not overlap.
            ([first, last], [other_first, .., other_last]) => {
                other_first.starts_with(first.as_str()) && other_last.ends_with(last.as_str())
            }
            (mine, others) => mine == others,
        }
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(glob: &str, name: &str) -> bool {
        glob.parse::<Glob>()
            .unwrap()
            .matches(&Repository::familiar(name).unwrap())
    }

    #[test]
    fn what_matches_and_what_does_not() {
        for (glob, name, expected) in [
            ("**", "alpine", true),
            ("**", "contoso.azurecr.io/a/b/c", true),
            (
                "contoso.azurecr.io/prod/**",
                "contoso.azurecr.io/prod/web",
                true,
            ),
            (
                "contoso.azurecr.io/prod/**",
                "contoso.azurecr.io/prod/a/b/c",
                true,
            ),
            (
                "contoso.azurecr.io/prod/**",
                "contoso.azurecr.io/prod",
                false,
            ),
            (
                "contoso.azurecr.io/prod/**",
                "contoso.azurecr.io/production/web",
                false,
            ),
            (
                "contoso.azurecr.io/prod/**",
                "contoso.azurecr.io/x/prod/web",
                false,
            ),
            ("contoso.azurecr.io/prod/**", "evil.example/prod/web", false),
            (
                "contoso.azurecr.io/prod/**",
                "contoso.azurecr.io:5000/prod/web",
                false,
            ),
            ("contoso.azurecr.io/**", "contoso.azurecr.io/web", true),
            ("Contoso.AzureCR.io/**", "contoso.azurecr.io/web", true),
            ("contoso.azurecr.io/*", "contoso.azurecr.io/web", true),
            ("contoso.azurecr.io/*", "contoso.azurecr.io/a/b", false),
            (
                "contoso.azurecr.io/web-*",
                "contoso.azurecr.io/web-shop",
                true,
            ),
            ("contoso.azurecr.io/web-*", "contoso.azurecr.io/web", false),
            (
                "contoso.azurecr.io/web-*",
                "contoso.azurecr.io/web-a/b",
                false,
            ),
            (
                "contoso.azurecr.io/*-web-*",
                "contoso.azurecr.io/a-web-b-web-c",
                true,
            ),
            (
                "contoso.azurecr.io/*-web-*",
                "contoso.azurecr.io/web-web",
                false,
            ),
            ("contoso.azurecr.io/a*b*c", "contoso.azurecr.io/abbc", true),
            ("contoso.azurecr.io/a*bc", "contoso.azurecr.io/abc", true),
            ("contoso.azurecr.io/ab*bc", "contoso.azurecr.io/abc", false),
            ("contoso.azurecr.io/**/web", "contoso.azurecr.io/web", true),
            (
                "contoso.azurecr.io/**/web",
                "contoso.azurecr.io/a/b/web",
                true,
            ),
            (
                "contoso.azurecr.io/**/web",
                "contoso.azurecr.io/a/b/web/c",
                false,
            ),
            ("contoso.azurecr.io/a/**/b", "contoso.azurecr.io/a/b", true),
            (
                "contoso.azurecr.io/a/**/b/**",
                "contoso.azurecr.io/a/x/b/y",
                true,
            ),
            (
                "contoso.azurecr.io/a/**/b/**",
                "contoso.azurecr.io/a/x/b",
                false,
            ),
            (
                "contoso.azurecr.io/a/**/b/**/c",
                "contoso.azurecr.io/a/b/c",
                true,
            ),
            (
                "contoso.azurecr.io/**/b/c/**/c",
                "contoso.azurecr.io/b/b/c/c",
                true,
            ),
            (
                "contoso.azurecr.io/**/b/c/**/c",
                "contoso.azurecr.io/b/b/c",
                false,
            ),
            ("contoso.azurecr.io/**/**", "contoso.azurecr.io/a", true),
            ("contoso.azurecr.io/web", "contoso.azurecr.io/web", true),
            ("contoso.azurecr.io/web", "contoso.azurecr.io/web/a", false),
            ("alpine", "docker.io/library/alpine", true),
            ("docker.io/library/alpine", "alpine", true),
            ("docker.io/*", "alpine", true),
            ("docker.io/**", "alpine", true),
            ("docker.io/org/*", "org/app", true),
            ("index.docker.io/org/*", "org/app", true),
            ("docker.io/**", "org/app", true),
            (
                "contoso.azurecr.io/*ab*ab*",
                "contoso.azurecr.io/xabx",
                false,
            ),
            ("localhost/app-*", "localhost/app-a", true),
            ("localhost:5000/**", "localhost:5000/app", true),
        ] {
            assert_eq!(matches(glob, name), expected, "{glob} {name}");
        }
    }

    #[test]
    fn what_is_no_pattern() {
        let long = format!("contoso.azurecr.io/{}*", "a/".repeat(300));
        for wrong in [
            "",
            "*",
            "***",
            "*/web",
            "**/web",
            "*.azurecr.io/web",
            "prod/**",
            "contoso.azurecr.io/a**",
            "contoso.azurecr.io/**a/b",
            "contoso.azurecr.io/***",
            "contoso.azurecr.io/web:*",
            "contoso.azurecr.io/web:1.0",
            "contoso.azurecr.io/Web-*",
            "contoso.azurecr.io//*",
            "contoso.azurecr.io/*/",
            "user@contoso.azurecr.io/*",
            "https://contoso.azurecr.io/*",
            "contoso.azurecr.io/we?",
            "contoso.azurecr.io/[a-z]*",
            &long,
        ] {
            assert!(wrong.parse::<Glob>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_surely_covers_another() {
        for (glob, other, expected) in [
            ("**", "**", true),
            ("**", "alpine", true),
            ("docker.io/**", "**", false),
            ("alpine", "docker.io/library/alpine", true),
            ("docker.io/*", "alpine", true),
            ("c.io/**", "c.io/a/*/b", true),
            ("c.io/**", "d.io/a", false),
            ("c.io/a/**", "c.io/a/**", true),
            ("c.io/a/**", "c.io/a/b/**", true),
            ("c.io/a/**", "c.io/a/**/b", true),
            ("c.io/a/**", "c.io/a", false),
            ("c.io/a/**", "c.io/**", false),
            ("c.io/a/**", "c.io/**/a/b", false),
            ("c.io/a/*", "c.io/a/b", true),
            ("c.io/a/*", "c.io/a/b-*", true),
            ("c.io/a/*", "c.io/a/**", false),
            ("c.io/a/*", "c.io/a/*/b", false),
            ("c.io/web-*", "c.io/web-a*", true),
            ("c.io/web-*", "c.io/web-*-b", true),
            ("c.io/web-*", "c.io/web*", false),
            ("c.io/web-*-b", "c.io/web-*", false),
            ("c.io/ab*bc", "c.io/abc", false),
            ("c.io/a*b*c", "c.io/a*b*c", true),
            // True, and not seen.
            ("c.io/a*b*c", "c.io/ab*c", false),
            ("c.io/**/b", "c.io/a/**/b", true),
            ("c.io/**/b", "c.io/**", false),
            ("c.io/**/a/**", "c.io/x/a/y", true),
            ("c.io/**/a/**", "c.io/x/a/**", true),
            ("c.io/**/a/**", "c.io/x/**/a", false),
            ("c.io/**/**", "c.io/**", true),
        ] {
            let (glob, other): (Glob, Glob) = (glob.parse().unwrap(), other.parse().unwrap());
            assert_eq!(glob.covers(&other), expected, "{glob} {other}");
        }
    }

    #[test]
    fn whoever_covers_matches_all_that_the_other_matches() {
        let segments = ["a", "b", "ab", "*", "a*", "*b", "**"];
        let mut paths: Vec<String> = segments.iter().map(|&one| one.to_owned()).collect();
        for depth in 1..3 {
            let longer = paths
                .iter()
                .filter(|path| path.matches('/').count() == depth - 1);
            let longer: Vec<_> = longer
                .flat_map(|path| segments.iter().map(move |one| format!("{path}/{one}")))
                .collect();
            paths.extend(longer);
        }
        let globs: Vec<Glob> = paths
            .iter()
            .map(|path| format!("c.io/{path}").parse().unwrap())
            .collect();
        let names: Vec<Repository> = paths
            .iter()
            .filter(|path| !path.contains('*'))
            .flat_map(|path| [path.clone(), format!("{path}/b")])
            .map(|path| Repository::named(&format!("c.io/{path}")).unwrap())
            .collect();
        let mut covering = 0;
        for (one, other) in globs
            .iter()
            .flat_map(|one| globs.iter().map(move |other| (one, other)))
        {
            if one.covers(other) {
                covering += 1;
                for name in names.iter().filter(|name| other.matches(name)) {
                    assert!(one.matches(name), "{one} does not cover {other}: {name}");
                }
            }
        }
        assert!(covering > globs.len(), "{covering}");
    }

    #[test]
    fn t17_many_wildcards_are_matched_without_going_back() {
        // An engine that goes back would need some 2^50 steps for each of these.
        let name = format!("contoso.azurecr.io/{}b", "a".repeat(200));
        let stars = format!("contoso.azurecr.io/{}c", "*a".repeat(60));
        assert!(!matches(&stars, &name));
        let name = format!("contoso.azurecr.io/{}b", "a/".repeat(100));
        let stars = format!("contoso.azurecr.io/{}c", "**/a/".repeat(50));
        assert!(!matches(&stars, &name));
    }
}
