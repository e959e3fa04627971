//! The text of a policy that demands what was found, with what each pin is beside it.

use std::collections::{BTreeMap, BTreeSet};

use super::look::{Anchor, FoundSigner, RepositoryFindings};
use crate::{
    crypto::Certificate,
    format::dct::{Key, RoleName, TrustedSet},
    report::plain,
    timestamp::Timestamp,
};

/// A policy that was made of what was found.
#[derive(Debug)]
pub struct Proposal {
    /// The text of the file.
    pub text: String,
    /// The certificates that it pins, by the file names that it gives them.
    pub certificates: BTreeMap<String, Certificate>,
}

/// Requirements that one rule may have: what a policy file is read with.
pub(super) const DEMANDS: usize = 100;

/// The policy; what is not signed is named in a comment, and no rule is about it.
pub(super) fn policy(all: &[RepositoryFindings], folder: &str, now: Timestamp) -> Proposal {
    let mut rules: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    let mut certificates = BTreeMap::new();
    for looked in all {
        let sets = looked.sets();
        if sets.is_empty() {
            continue;
        }
        for (thumbprint, anchor) in looked.anchors.iter().chain(&looked.timestamp_roots) {
            certificates.insert(file_name(thumbprint), anchor.certificate.clone());
        }
        let demand = require(looked, &sets, folder);
        let image = looked.repository.to_string();
        match rules.iter_mut().find(|(_, known)| *known == demand) {
            Some((images, _)) => images.push(image),
            None => rules.push((vec![image], demand)),
        }
    }
    let mut text = opening(now);
    text.push_str("version: 1\nverify:\n");
    for (images, demand) in &rules {
        let images: Vec<String> = images.iter().map(|image| quoted(image)).collect();
        text.push_str(&format!(
            "  - images: [{}]\n    require:\n",
            images.join(", ")
        ));
        text.extend(demand.iter().map(|line| format!("      {line}\n")));
    }
    text.push_str(&unsigned(all));
    Proposal { text, certificates }
}

fn opening(now: Timestamp) -> String {
    format!(
        "# Written by `acr-sign policy init` at {}, from what the registry and its trust server showed then.\n\
         # Nobody has vouched for it: every root key and certificate below was trusted on first use. Compare each with\n\
         # what its owner says before this file decides about anything. `acr-sign policy check` says what it demands.\n",
        now.whole_seconds()
    )
}

fn unsigned(all: &[RepositoryFindings]) -> String {
    let mut text = String::new();
    for image in all
        .iter()
        .flat_map(|looked| &looked.images)
        .filter(|image| image.found.is_empty())
    {
        if text.is_empty() {
            text.push_str(
                "# No rule here allows these images, because no accepted signature covers them:\n",
            );
        }
        let why = image
            .report
            .problem
            .as_ref()
            .map(|problem| format!("{}: {}", problem.reason, problem.sentence()));
        text.push_str(&comment(&format!(
            "- {} ({})",
            image.report.image,
            why.unwrap_or_default()
        )));
        text.push('\n');
    }
    text
}

/// One set: all of it. Several: one of them.
fn require(
    looked: &RepositoryFindings,
    sets: &[&BTreeSet<FoundSigner>],
    folder: &str,
) -> Vec<String> {
    match sets {
        [only] => items(&demands(looked, only, folder)),
        sets => {
            let each = sets.iter().map(|set| {
                let mut demands = demands(looked, set, folder);
                if demands.len() == 1 {
                    demands.remove(0)
                } else {
                    items(&demands)
                }
            });
            let mut any = vec!["any:".to_owned()];
            any.extend(indented(items(&each.collect::<Vec<_>>())));
            items(&[any])
        }
    }
}

/// Trust data in one requirement, each certificate in one of its own.
fn demands(
    looked: &RepositoryFindings,
    set: &BTreeSet<FoundSigner>,
    folder: &str,
) -> Vec<Vec<String>> {
    let mut demands = Vec::new();
    let mut roles = Vec::new();
    for signer in set {
        match signer {
            FoundSigner::Role(role) => roles.push(role),
            FoundSigner::Certificate {
                thumbprint,
                identity,
                stamp,
            } => {
                if let Some(anchor) = looked.anchors.get(thumbprint) {
                    let mut lines = notation(anchor, identity.as_deref(), folder);
                    let timestamp_root = stamp
                        .as_ref()
                        .and_then(|stamp| looked.timestamp_roots.get(stamp));
                    lines.extend(
                        timestamp_root
                            .into_iter()
                            .flat_map(|timestamp_root| timestamps(timestamp_root, folder)),
                    );
                    demands.push(headed("notation:", lines));
                }
            }
        }
    }
    if let (Some(trust_data), false) = (&looked.trust_data, roles.is_empty()) {
        demands.insert(0, dct(trust_data, &roles));
    }
    demands
}

fn dct(set: &TrustedSet, roles: &[&RoleName]) -> Vec<String> {
    let mut lines = Vec::new();
    let root = set.root();
    lines.push(
        "# To confirm: the root key that the trust server showed; its owner knows the ID."
            .to_owned(),
    );
    lines.push("roots:".to_owned());
    for (id, key) in root
        .key_ids(&RoleName::ROOT)
        .iter()
        .filter_map(|id| Some((id, root.keys.get(id)?)))
    {
        lines.push(format!("  {}", comment(&root_key(key))));
        lines.push(format!("  - {}", quoted(&id.to_string())));
    }
    lines.push("# To confirm: who signed.".to_owned());
    lines.push("signers:".to_owned());
    for role in roles {
        let keys: Vec<String> = set
            .signers(role)
            .iter()
            .map(|by| format!("{} key {}", by.key.kind(), by.key_id))
            .collect();
        let what = if **role == RoleName::RELEASES {
            ", the role that a docker pull reads"
        } else {
            ""
        };
        lines.push(format!(
            "  {}",
            comment(&format!("{role}{what}: {}", keys.join(", ")))
        ));
        lines.push(format!("  - {}", quoted(signer(role))));
    }
    headed("dct:", lines)
}

/// The name by which a policy means the role: `alice` for `targets/alice`, where that means no other.
fn signer(role: &RoleName) -> &str {
    let short = role
        .as_str()
        .strip_prefix("targets/")
        .filter(|name| RoleName::signer(name).as_ref() == Ok(role));
    short.unwrap_or(role.as_str())
}

fn root_key(key: &Key) -> String {
    let kind = key
        .public_key()
        .map_or_else(|_| "unreadable".to_owned(), |key| key.kind().to_string());
    let canonical = key.canonical_id();
    let leaf = key
        .certificates()
        .ok()
        .and_then(|chain| chain.into_iter().next());
    match leaf.filter(|_| key.is_certificate()) {
        Some(leaf) => format!(
            "{} {kind}, certificate {}, canonical ID {canonical}",
            key.key_type(),
            told(&leaf)
        ),
        None => format!("{} {kind}, without a certificate", key.key_type()),
    }
}

fn notation(anchor: &Anchor, identity: Option<&str>, folder: &str) -> Vec<String> {
    let certificate = &anchor.certificate;
    let kind = if identity.is_some() {
        "the root of the signer's chain"
    } else {
        "the signer's own certificate"
    };
    let mut lines = vec![
        format!("# To confirm: {kind}, as contained in the signature."),
        comment(&format!(
            "{} {}",
            certificate.public_key().kind(),
            told(certificate)
        )),
        format!("certificates: [{}]", quoted(&path(folder, certificate))),
    ];
    if let Some(identity) = identity {
        lines.push("# To confirm: whom that root is trusted for.".to_owned());
        for leaf in &anchor.leaves {
            let (kind, issuer) = (leaf.public_key().kind(), leaf.issuer());
            lines.push(comment(&format!(
                "signed with {kind} {}, issued by `{issuer}`",
                told(leaf)
            )));
        }
        lines.push(format!("identities: [{}]", quoted(identity)));
    }
    lines
}

/// The root of the authority that stamped: with it a signature outlives its certificate.
fn timestamps(timestamp_root: &Anchor, folder: &str) -> Vec<String> {
    let root = &timestamp_root.certificate;
    let mut lines = vec![
        "# To confirm: the root of the timestamp authority; every signature must have a timestamp under it.".to_owned(),
        comment(&format!("{} {}", root.public_key().kind(), told(root))),
    ];
    for leaf in &timestamp_root.leaves {
        lines.push(comment(&format!(
            "stamped with {} {}, issued by `{}`",
            leaf.public_key().kind(),
            told(leaf),
            leaf.issuer()
        )));
    }
    lines.push(format!(
        "timestamp-roots: [{}]",
        quoted(&path(folder, root))
    ));
    lines
}

fn told(certificate: &Certificate) -> String {
    let (subject, end) = (certificate.subject(), certificate.not_after());
    format!(
        "`{subject}`, SHA-256 {}, until {end}",
        certificate.thumbprint_sha256()
    )
}

fn file_name(thumbprint: &str) -> String {
    format!("{}.pem", thumbprint.get(..32).unwrap_or(thumbprint))
}

fn path(folder: &str, certificate: &Certificate) -> String {
    format!("{folder}/{}", file_name(&certificate.thumbprint_sha256()))
}

fn headed(head: &str, lines: Vec<String>) -> Vec<String> {
    std::iter::once(head.to_owned())
        .chain(indented(lines))
        .collect()
}

fn indented(lines: Vec<String>) -> impl Iterator<Item = String> {
    lines.into_iter().map(|line| format!("  {line}"))
}

/// The members of a YAML list.
fn items(members: &[Vec<String>]) -> Vec<String> {
    let item = |member: &Vec<String>| {
        let dashed = |(number, line): (usize, &String)| {
            format!("{} {line}", if number == 0 { "-" } else { " " })
        };
        member.iter().enumerate().map(dashed).collect::<Vec<_>>()
    };
    members.iter().flat_map(item).collect()
}

/// Foreign text as a comment: one line, whatever it holds.
fn comment(text: &str) -> String {
    format!("# {}", plain(text))
}

/// Text in double quotes, where everything that YAML, a terminal or a pipeline host could read otherwise is escaped.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            ':' if out.ends_with(':') => out.push_str("\\x3a"),
            'a'..='z'
            | 'A'..='Z'
            | '0'..='9'
            | ' '
            | '.'
            | ','
            | ':'
            | '/'
            | '='
            | '-'
            | '_'
            | '@'
            | '('
            | ')' => {
                out.push(c);
            }
            '\\' => out.push_str("\\\\"),
            c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_named_so_that_a_policy_means_it() {
        for (role, name) in [
            ("targets", "targets"),
            ("targets/alice", "alice"),
            ("targets/releases", "releases"),
            // These would be read as another role, or as none.
            ("targets/targets", "targets/targets"),
            ("targets/a/b", "targets/a/b"),
            ("targets/targets/a", "targets/targets/a"),
        ] {
            let role: RoleName = role.parse().unwrap();
            assert_eq!(signer(&role), name);
            assert_eq!(RoleName::signer(name), Ok(role));
        }
    }

    #[test]
    fn quoted_text_is_read_back_as_it_was() {
        #[derive(serde::Deserialize)]
        struct Document {
            text: String,
        }
        for text in [
            "plain, text",
            "a::b",
            "\\ \" # [ ] { } '",
            "\n\r\t\0\u{1b}\u{85}\u{2028}\u{feff}",
            "ü 港 \u{1f680}",
            "",
        ] {
            let quoted = quoted(text);
            assert!(
                quoted.is_ascii() && !quoted.contains("::") && !quoted.contains('#'),
                "{quoted}"
            );
            let read: Document = serde_saphyr::from_str(&format!("text: {quoted}\n")).unwrap();
            assert_eq!(read.text, text);
        }
    }
}
