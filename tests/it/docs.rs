//! Documents that must say what the program does.

use acr_sign::reason::Reason;

#[test]
fn every_reason_is_documented_with_its_exit_code() {
    let page = include_str!("../../docs/reasons.md");
    let rows: Vec<(String, u8)> = page
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split(" | ");
            let code = cells.next()?.trim_end_matches('`').to_owned();
            Some((code, cells.next()?.parse().ok()?))
        })
        .collect();
    let expected: Vec<(String, u8)> =
        Reason::ALL.iter().map(|reason| (reason.code().to_owned(), reason.exit().code())).collect();
    let (mut rows, mut expected) = (rows, expected);
    rows.sort();
    expected.sort();
    assert_eq!(rows, expected);
    assert!(page.lines().filter(|line| line.starts_with("| `")).all(|line| line.split(" | ").count() >= 4));
}
