//! The step summary: as it is printed for each page, and what it may never hold. `tests/summary/check` looks at
//! the same files in a browser.

use acr_sign::report::{Profile, Report, Status};

use super::samples::{all, denied, image};
use crate::snapshot::snapshot;

#[test]
fn summaries_are_as_they_were_looked_at() {
    for (name, report) in all() {
        snapshot(
            &format!("summary/{name}.github.md"),
            &report.summary(Profile::Github),
        );
        snapshot(
            &format!("summary/{name}.azure.md"),
            &report.summary(Profile::Azure),
        );
    }
}

#[test]
fn two_digests_of_one_name_are_two_boxes() {
    let mut report = Report::new("verify");
    report.images = vec![
        image("1", 1, Status::Verified),
        image("1", 2, Status::Verified),
        denied("1", 2),
    ];
    report.images[2].signatures[0].chain.truncate(2);
    let page = report.summary(Profile::Github);
    let boxes = page
        .lines()
        .filter(|line| line.contains("[\"shop/web:1<br>"))
        .count();
    assert_eq!(boxes, 3, "{page}");
    let of = |mark: &str| {
        page.lines()
            .filter(|line| line.contains("[\"shop/web:1<br>") && line.contains(mark))
            .count()
    };
    assert_eq!((of("verified"), of("rejected")), (2, 1), "{page}");
}

#[test]
fn azure_gets_nothing_that_only_github_knows() {
    for (name, report) in all() {
        let page = report.summary(Profile::Azure);
        for only_github in ["<details", "```mermaid", "> [!"] {
            assert!(!page.contains(only_github), "{name} {only_github}");
        }
    }
}

#[test]
fn p04_ten_thousand_tags_stay_below_the_limit_and_are_counted() {
    let mut report = Report::new("verify");
    for number in 0..10_000 {
        let tag = format!("{number:0>100}");
        report.images.push(if number % 2 == 0 {
            denied(&tag, number)
        } else {
            image(&tag, number, Status::Verified)
        });
    }
    for profile in [Profile::Github, Profile::Azure] {
        let page = report.summary(profile);
        assert!(page.len() < 900_000, "{}", page.len());
        let left_out: usize = page
            .lines()
            .filter_map(|line| {
                line.strip_prefix("**… ")?
                    .split(' ')
                    .next()?
                    .parse::<usize>()
                    .ok()
            })
            .sum();
        let folded = page.contains("<details><summary>4970 more rows");
        assert_eq!(folded, profile == Profile::Github);
        let shown = page
            .lines()
            .filter(|line| line.starts_with("| ✅") || line.starts_with("| ❌"))
            .count();
        assert_eq!(shown + left_out, 10_000, "{profile:?} {shown} {left_out}");
        assert!(page.ends_with(concat!(
            "<sub>acr-sign ",
            env!("CARGO_PKG_VERSION"),
            "</sub>\n\n"
        )));
    }
}

#[test]
fn p04_one_endless_sentence_does_not_fill_the_page() {
    let mut report = Report::new("verify");
    for _ in 0..100 {
        let mut image = denied("1", 1);
        image.image = "|".repeat(1_000_000);
        image.problem.as_mut().unwrap().causes = vec!["<`|\\".repeat(300_000)];
        report.images.push(image);
        report.warnings.push("|".repeat(1_000_000));
        report.weakened.push("|".repeat(1_000_000));
    }
    assert!(report.summary(Profile::Github).len() < 900_000);
}

#[test]
fn tags_of_one_digest_share_a_row_only_where_they_ended_alike() {
    let mut report = Report::new("sign");
    report.images = vec![
        image("a", 1, Status::Signed),
        image("b", 1, Status::Signed),
        image("c", 1, Status::AlreadySigned),
    ];
    let page = report.summary(Profile::Github);
    assert!(page.contains("| `a` `b` |"), "{page}");
    assert!(page.contains("| `c` |"), "{page}");
}
