//! Reports as runs make them.

use acr_sign::{
    format::Format,
    oci::Digest,
    reason::Reason,
    report::{
        AuthReport, AzureAuth, Decision, ImageReport, Link, Location, Problem, Report, Requests,
        RequirementReport, RuleReport, SignatureReport, Status,
    },
    timestamp::Timestamp,
};

const REPOSITORY: &str = "contoso.azurecr.io/shop/web";
/// Names that try to be something else.
pub const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "<img src=https://evil.example/beacon.png onerror=alert(1)>",
    "a|b|c",
    "`code` ``` fence",
    "\\| back\\\\slash |",
    "@contoso/owners #1 GH-1",
    "[link](https://evil.example) ![i](https://evil.example/i.png)",
    "www.evil.example https://evil.example mail@evil.example",
    "**bold** __under__ ~~gone~~ $x^2$ :bomb:",
    "line\nbreak\r\n| new | row |\n\n# heading",
    "\u{202e}reversed\u{202c} zero\u{200b}width",
    "</code></td></table></details>",
    "<!-- comment",
    "::error::x ##vso[task.complete result=Succeeded;]x ##[error]",
    "\"]; click n0 href \"https://evil.example\" end subgraph",
    "&lt;b&gt; &#60;i&#62;",
];

pub fn digest(seed: u32) -> Digest {
    format!("sha256:{}", format!("{seed:08x}").repeat(8))
        .parse()
        .unwrap()
}

pub fn hex(seed: u32) -> String {
    digest(seed).hex().to_owned()
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A run with its costs filled in.
fn run(command: &'static str) -> Report {
    let mut report = Report::new(command);
    report.source = Some("images");
    report.auth = AuthReport {
        azure: Some(AzureAuth {
            method: "oidc".into(),
            client_id: None,
            tenant_id: None,
        }),
        registries: vec![("contoso.azurecr.io".into(), "entra".into())],
    };
    report.requests = Requests {
        registry: 3,
        trust_server: 8,
        vault: 3,
        entra: 4,
        other: 1,
    };
    report.elapsed_ms = 812;
    report
}

pub fn chain(role: &str) -> Vec<Link> {
    let link = |name: &str, seed, version, end: &str| Link {
        name: name.into(),
        key_id: Some(hex(seed)),
        version: Some(version),
        expires_at: Some(at(end)),
    };
    let mut links = vec![
        link("root", 1, 2, "2035-01-01T00:00:00Z"),
        link("targets", 2, 7, "2029-11-24T00:00:00Z"),
    ];
    if role != "targets" {
        links.push(link(role, 3, 41, "2029-11-24T00:00:00Z"));
    }
    links
}

pub fn signature(role: &str, signer: Option<&str>, status: Status) -> SignatureReport {
    SignatureReport {
        signer: signer.map(Into::into),
        key_id: Some(hex(3)),
        role: Some(role.into()),
        expires_at: Some(at("2029-11-24T00:00:00Z")),
        chain: chain(role),
        ..SignatureReport::new(Format::Dct, status)
    }
}

pub fn image(tag: &str, seed: u32, status: Status) -> ImageReport {
    let mut image = ImageReport::named(format!("{REPOSITORY}:{tag}"), status);
    image.pinned = Some(format!("{REPOSITORY}:{tag}@{}", digest(seed)));
    image.digest = Some(digest(seed));
    if status.is_good() {
        image.signatures.push(signature(
            "targets/releases",
            Some("akv:contoso/keys/release"),
            status,
        ));
    }
    image
}

pub fn problem(reason: Reason, message: &str, causes: &[&str], hint: &str) -> Problem {
    Problem {
        reason,
        message: message.into(),
        causes: causes.iter().map(|cause| (*cause).to_owned()).collect(),
        hint: Some(hint.into()),
    }
}

pub fn denied(tag: &str, seed: u32) -> ImageReport {
    let mut image = image(tag, seed, Status::Rejected);
    let message = format!(
        "`{REPOSITORY}:{tag}` is `sha256:{}`, but `targets/releases` holds `sha256:{}`",
        hex(seed),
        hex(9)
    );
    image.pinned = None;
    image.problem = Some(problem(
        Reason::DigestMismatch,
        &message,
        &[],
        "deploy the signed digest, or sign the new image; find out who moved the tag",
    ));
    image.signatures = vec![SignatureReport {
        reason: Some(Reason::DigestMismatch),
        ..signature("targets/releases", None, Status::Rejected)
    }];
    image
}

/// Every sample with its name.
pub fn all() -> Vec<(&'static str, Report)> {
    vec![
        ("signed", signed()),
        ("mixed", mixed()),
        ("hostile", hostile()),
        ("many", many()),
        ("denied", blocked()),
        ("inspected", inspected()),
        ("failed", failed()),
    ]
}

fn signed() -> Report {
    let mut report = run("sign");
    for tag in ["1.4.0", "1.4", "latest"] {
        report.images.push(image(tag, 7, Status::Signed));
    }
    report
}

fn mixed() -> Report {
    let mut report = run("sign");
    report.images = vec![
        image("1.4.0", 7, Status::Signed),
        image("1.4", 7, Status::AlreadySigned),
    ];
    let mut moved = image("latest", 8, Status::Refused);
    moved.problem = Some(problem(
        Reason::DigestMismatch,
        &format!(
            "`{REPOSITORY}:latest` is `sha256:{}` in the registry, but `sha256:{}` was to be signed",
            hex(8),
            hex(7)
        ),
        &[],
        "the tag was moved after the build, or the digest is that of one platform: nothing was signed for it",
    ));
    report.images.push(moved);
    for tag in ["api", "worker"] {
        let name = format!("contoso.azurecr.io/shop/{tag}:1.4.0");
        let failure = problem(
            Reason::VaultForbidden,
            "key vault refused to sign with `contoso/keys/release`",
            &["403 Forbidden (ForbiddenByRbac)"],
            "give the identity `11111111-2222-3333-4444-555555555555` the role \"Key Vault Crypto User\" on the key, then run again",
        );
        report
            .images
            .push(ImageReport::failed(name, Status::Failed, failure));
    }
    report.weakened = vec!["--plain-http localhost:5000".into()];
    report.warnings = vec!["`targets` of `contoso.azurecr.io/shop/web` ends in 12 days".into()];
    report
}

fn hostile() -> Report {
    let mut report = run("verify");
    report.decision = Some(Decision::Deny);
    report.weakened = vec!["--trust-on-first-use".into(), HOSTILE[0].into()];
    for (seed, text) in HOSTILE.iter().enumerate() {
        let seed = u32::try_from(seed).unwrap();
        let mut good = image("1", seed, Status::Verified);
        good.image = format!("{REPOSITORY}{text}");
        good.pinned = None;
        good.signatures[0].signer = Some((*text).into());
        good.signatures[0].role = Some((*text).into());
        good.signatures[0].chain[2].name = (*text).into();
        let mut bad = good.clone();
        bad.status = Status::Rejected;
        bad.problem = Some(problem(Reason::AnswerInvalid, text, &[*text], text));
        let place = Location {
            file: (*text).into(),
            line: 1,
            column: 1,
        };
        bad.locations = vec![place.clone()];
        bad.rule = Some(RuleReport {
            number: 1,
            images: (*text).into(),
            location: place,
        });
        let demand = RequirementReport {
            requirement: (*text).into(),
            status: Status::Rejected,
            problem: None,
        };
        bad.requirements = vec![demand];
        bad.signatures[0].certificate = bad.signatures[0].role.take();
        bad.signatures[0].chain[1].key_id = Some((*text).into());
        report.images.extend([good, bad]);
        report.warnings.push((*text).into());
        report.notes.push((*text).into());
        report
            .auth
            .registries
            .push(((*text).into(), (*text).into()));
    }
    report.error = Some(problem(
        Reason::RegistryForbidden,
        HOSTILE[1],
        HOSTILE,
        HOSTILE[6],
    ));
    report
}

fn many() -> Report {
    let mut report = run("verify");
    report.decision = Some(Decision::Deny);
    for number in 0..300 {
        let tag = format!("build-{number}");
        report.images.push(match number % 25 {
            7 => denied(&tag, 1000 + number),
            _ => image(&tag, 1000 + number, Status::Verified),
        });
    }
    report
}

fn blocked() -> Report {
    let mut report = run("verify");
    report.decision = Some(Decision::Deny);
    report.images = vec![
        image("1.4.0", 7, Status::Verified),
        denied("1.4", 8),
        image("latest", 7, Status::Verified),
    ];
    let mut unsigned = ImageReport::named("contoso.azurecr.io/shop/api:2".into(), Status::Rejected);
    unsigned.digest = Some(digest(5));
    unsigned.rule = Some(RuleReport {
        number: 2,
        images: "contoso.azurecr.io/shop/**".into(),
        location: Location {
            file: "acr-sign.yaml".into(),
            line: 14,
            column: 5,
        },
    });
    let demand = |words: &str, status, reason: Option<Reason>| RequirementReport {
        requirement: words.into(),
        status,
        problem: reason.map(|reason| problem(reason, "not signed", &[], "sign it")),
    };
    unsigned.requirements = vec![
        demand(
            "dct, signed by `alice`",
            Status::Rejected,
            Some(Reason::Unsigned),
        ),
        demand("dct, as docker takes it", Status::Verified, None),
    ];
    unsigned.problem = Some(problem(
        Reason::Unsigned,
        "`contoso.azurecr.io/shop/api` has no trust data on `contoso.azurecr.io`",
        &[],
        "no image in this repository was ever signed",
    ));
    report.images.push(unsigned);
    report.notes = vec![
        "no state is kept between runs: a rollback is detected only once the timestamp expires"
            .into(),
    ];
    report
}

fn inspected() -> Report {
    let mut report = run("inspect");
    let mut shown = image("1.4.0", 7, Status::Shown);
    shown.signatures = vec![
        signature("targets/releases", None, Status::Shown),
        SignatureReport {
            key_id: Some(hex(4)),
            ..signature("targets/alice", Some("alice"), Status::Shown)
        },
        SignatureReport {
            reason: Some(Reason::DigestMismatch),
            ..signature("targets/bob", Some("bob"), Status::Rejected)
        },
    ];
    report.images.push(shown);
    report.warnings =
        vec!["no root is pinned: what the trust server shows is listed, not judged".into()];
    report
}

fn failed() -> Report {
    let mut report = run("sign");
    report.auth.azure = None;
    report.error = Some(problem(
        Reason::IdentityUnavailable,
        "no Azure identity is there",
        &["looked for: GitHub OIDC, Azure Pipelines, workload identity, managed identity, az"],
        "on GitHub give the job `permissions: id-token: write`",
    ));
    report
}
