//! Envelope × key × chain × registry × direction × what is signed besides.

use std::path::Path;

use super::peer::{Notation, we_sign, we_verify, we_verify_by_policy};
use super::pki::{KEYS, Signer, TimestampAuthority};
use super::registry::{KINDS, Registry};
use super::responder::Responder;

/// What is signed besides: options of ours and theirs to sign, then to verify.
struct Extra {
    name: &'static str,
    we_sign: Vec<String>,
    they_sign: Vec<String>,
    we_verify: Vec<String>,
    they_verify: Vec<String>,
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn extras(authority: &str, root: &Path) -> Vec<Extra> {
    let url = format!("http://{authority}/");
    let root = root.to_str().expect("temporary folders have plain names");
    vec![
        Extra {
            name: "user metadata",
            we_sign: texts(&["--annotation", "team=shop", "--annotation", "note=a=b, ü"]),
            they_sign: texts(&[
                "--user-metadata",
                "team=shop",
                "--user-metadata",
                "note=a=b, ü",
            ]),
            we_verify: texts(&["--annotation", "team=shop"]),
            they_verify: texts(&["--user-metadata", "team=shop"]),
        },
        Extra {
            name: "expiry",
            we_sign: texts(&["--expiry", "24h"]),
            they_sign: texts(&["--expiry", "24h"]),
            we_verify: Vec::new(),
            they_verify: Vec::new(),
        },
        Extra {
            name: "timestamp",
            we_sign: texts(&[
                "--timestamp-url",
                &url,
                "--timestamp-root-cert",
                root,
                "--allow-private",
                authority,
            ]),
            they_sign: texts(&["--timestamp-url", &url, "--timestamp-root-cert", root]),
            we_verify: texts(&["--timestamp-root-cert", root]),
            they_verify: Vec::new(),
        },
    ]
}

#[test]
#[allow(
    clippy::print_stdout,
    reason = "the table is what a person asks this test for"
)]
fn both_programs_accept_what_the_other_signed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let clock = TimestampAuthority::new(&folder.path().join("tsa"));
    let root = clock.root.clone();
    let (listener, authority) = Responder::bind();
    let _clock = Responder::start(
        listener,
        Box::new(move |_, query| ("application/timestamp-reply", clock.reply(query))),
    );
    let extras = extras(&authority, &root);
    let registries = KINDS.map(Registry::start);
    let (mut lines, mut wrong) = (Vec::new(), Vec::new());
    for key in KEYS {
        let signers = [
            (
                "self-signed",
                Signer::alone(&folder.path().join(format!("{key}-alone")), key),
            ),
            (
                "chain",
                Signer::chained(&folder.path().join(format!("{key}-chain")), key, &[]),
            ),
        ];
        for (chain, signer) in &signers {
            for extra in &extras {
                let timestamp = (extra.name == "timestamp").then_some(root.as_path());
                let notation = Notation::new(signer, timestamp);
                for registry in &registries {
                    for envelope in ["jws", "cose"] {
                        let cell = format!(
                            "{envelope} {key} {chain} {:?} {}",
                            registry.kind, extra.name
                        );
                        let seed = cell.replace(' ', "-").to_ascii_lowercase();
                        let image = registry.push(folder.path(), &format!("ours-{seed}"));
                        let signed = we_sign(registry, &image, signer, envelope, &extra.we_sign);
                        let verified = notation.verify(&image, &extra.they_verify);
                        let we_sign = signed.succeeded() && verified.succeeded();
                        let theirs = registry.push(folder.path(), &format!("theirs-{seed}"));
                        let they = notation.sign(registry, &theirs, envelope, &extra.they_sign);
                        let by_flags = we_verify(registry, &theirs, signer, &extra.we_verify);
                        let by_policy = we_verify_by_policy(registry, &theirs, &notation, &[]);
                        let they_sign =
                            they.succeeded() && by_flags.succeeded() && by_policy.succeeded();
                        lines.push(format!(
                            "| {cell} | {} | {} |",
                            mark(we_sign),
                            mark(they_sign)
                        ));
                        if !we_sign {
                            wrong.push(format!(
                                "{cell}: we sign: {}{}",
                                signed.stderr, verified.stderr
                            ));
                        }
                        if !they_sign {
                            wrong.push(format!(
                                "{cell}: they sign: {}{}{}",
                                they.stderr, by_flags.stderr, by_policy.stderr
                            ));
                        }
                    }
                }
            }
        }
    }
    println!(
        "| case | we sign, they verify | they sign, we verify |\n|---|---|---|\n{}",
        lines.join("\n")
    );
    assert_eq!(lines.len(), 2 * 3 * 2 * 2 * 3);
    assert!(
        wrong.is_empty(),
        "{} of {} cells: {}",
        wrong.len(),
        lines.len() * 2,
        wrong.join("\n")
    );
}

fn mark(good: bool) -> &'static str {
    if good { "ok" } else { "FAILED" }
}
