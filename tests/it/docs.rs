//! Documents that must say what the program does.

use std::{fs, path::Path};

use acr_sign::{Environment, Exit, Process, reason::Reason, run, timestamp::Timestamp};

use crate::world::shown;

#[path = "../../examples/demo.rs"]
#[allow(dead_code, reason = "`main` is the example's")]
mod demo;

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
    let expected: Vec<(String, u8)> = Reason::ALL
        .iter()
        .map(|reason| (reason.code().to_owned(), reason.exit().code()))
        .collect();
    let (mut rows, mut expected) = (rows, expected);
    rows.sort();
    expected.sort();
    assert_eq!(rows, expected);
    assert!(
        page.lines()
            .filter(|line| line.starts_with("| `"))
            .all(|line| line.split(" | ").count() >= 4)
    );
    // Messages link to the anchor of their reason.
    for reason in Reason::ALL {
        let section = format!(
            "\n### {}\n\nExit code {}: ",
            reason.code(),
            reason.exit().code()
        );
        assert!(page.contains(&section), "{reason} has no section");
    }
}

/// The words of a command as a shell reads them, up to a comment or what ends the command.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for letter in text.chars().chain([' ']) {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (Some(_), letter) => word.push(letter),
            (None, '"' | '\'') => quote = Some(letter),
            (None, ' ') if word.is_empty() => {}
            (None, ' ') => words.push(std::mem::take(&mut word)),
            (None, '#') if word.is_empty() => break,
            (None, ')' | '|' | ';' | '&' | '>') => {
                words.extend(Some(word).filter(|word| !word.is_empty()));
                break;
            }
            (None, letter) => word.push(letter),
        }
    }
    words
}

/// What follows `acr-sign` wherever a page names a command: in blocks of code, and between backticks.
fn commands(page: &str) -> Vec<Vec<String>> {
    let (mut found, mut is_code) = (Vec::new(), false);
    for line in page.replace("\\\n", " ").lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
            continue;
        }
        let pieces: Vec<&str> = if is_code {
            vec![line]
        } else {
            line.split('`').skip(1).step_by(2).collect()
        };
        for piece in pieces {
            let starts = piece.match_indices("acr-sign ");
            let alone = starts.filter(|(at, _)| {
                piece[..*at]
                    .chars()
                    .last()
                    .is_none_or(|before| " ($".contains(before))
            });
            found.extend(alone.map(|(at, name)| words(&piece[at + name.len()..])));
        }
    }
    found
}

#[test]
fn every_command_of_the_pages_is_one_that_the_program_takes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![root.join("README.md"), root.join("SECURITY.md")];
    pages.extend(
        fs::read_dir(root.join("docs"))
            .unwrap()
            .map(|entry| entry.unwrap().path()),
    );
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    let mut count = 0;
    for page in pages {
        for command in commands(&fs::read_to_string(&page).unwrap()) {
            let story = shown();
            let mut process = Process {
                environment: Environment::default(),
                stdout: Box::new(std::io::sink()),
                stderr: Box::new(story.clone()),
                ..Process::real()
            };
            // With `--help` at the end what stands before it is read, and nothing is done.
            let help =
                (command[0] != "help" && !command[0].starts_with('-')).then(|| "--help".to_owned());
            let line: Vec<String> = [
                vec!["acr-sign".to_owned()],
                command.clone(),
                help.into_iter().collect(),
            ]
            .concat();
            let exit = run(line.into_iter().map(Into::into), &mut process);
            let known = exit == Exit::Done || command == ["help", "COMMAND"];
            assert!(
                known,
                "{}: acr-sign {}\n{}",
                page.display(),
                command.join(" "),
                story.text()
            );
            count += 1;
        }
    }
    assert!(count > 60, "{count}");
}

/// Without what differs from run to run: keys, times, dates and durations.
fn settled(text: &str) -> String {
    let word = |word: &str| match word.trim_end_matches(['…', ',']) {
        key if key.len() >= 12 && key.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            "KEY".to_owned()
        }
        time if time.parse::<Timestamp>().is_ok() => "TIME".to_owned(),
        date if date.starts_with("20") && date.contains("&#8209;") => "DATE".to_owned(),
        _ => word.to_owned(),
    };
    let text = text
        .trim()
        .replace("<br>", " <br> ")
        .replace("key#160;", "key ");
    let mut words: Vec<String> = text
        .lines()
        .flat_map(|line| line.split([' ', '`', '"']).chain(["\n"]))
        .map(word)
        .collect();
    for at in 1..words.len() {
        if words[at] == "ms" {
            "NUMBER".clone_into(&mut words[at - 1]);
        }
    }
    words.join(" ")
}

/// Holds what stands between two marks of a page against what the program says. `ACR_SIGN_UPDATE=1` writes it anew.
fn holds(page: &str, (start, end): (&str, &str), said: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(start).unwrap();
    let (shown, after) = rest.split_once(end).unwrap();
    if settled(shown) == settled(said) {
        return;
    }
    if std::env::var_os("ACR_SIGN_UPDATE").is_some() {
        let said = said.trim();
        fs::write(&path, format!("{before}{start}{said}{end}{after}")).unwrap();
        return;
    }
    panic!("{page} shows another demo than this (ACR_SIGN_UPDATE=1 writes it):\n{said}");
}

#[test]
fn the_pages_show_what_the_demo_says() {
    let mut played = Vec::new();
    demo::play(&mut played).unwrap();
    let played = String::from_utf8(played).unwrap();
    let (steps, summary) = played.split_once("── 10.").unwrap();
    let (_, summary) = summary.split_once('\n').unwrap();
    holds("README.md", ("```text\n", "\n```"), steps);
    holds("docs/step-summary.md", ("\n---\n\n", "\n\n---\n"), summary);
}
