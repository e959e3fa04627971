//! Every help page, held against one file.

use acr_sign::{Environment, Exit, Process, run};

use crate::{snapshot::snapshot, world::shown};

fn help(words: &[&str]) -> String {
    let stdout = shown();
    let mut process = Process {
        environment: Environment::default(),
        stdout: Box::new(stdout.clone()),
        columns: None,
        ..Process::real()
    };
    let arguments = ["acr-sign"].iter().chain(words).chain(&["--help"]);
    assert_eq!(
        run(arguments.map(Into::into), &mut process),
        Exit::Done,
        "{words:?}"
    );
    stdout.text()
}

/// The page of a command and those below it, as far as the page itself names them.
fn pages(words: &[&str], text: &mut String) {
    let page = help(words);
    text.push_str(&format!(
        "# acr-sign {}\n\n{}\n",
        words.join(" "),
        page.trim_end()
    ));
    let commands = page
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    for name in commands.filter_map(|line| line.strip_prefix("  ")?.split(' ').next()) {
        if !name.is_empty() && name != "help" {
            text.push('\n');
            pages(&[words, &[name]].concat(), text);
        }
    }
}

#[test]
fn every_help_page_is_the_one_that_was_read() {
    let mut text = String::new();
    pages(&[], &mut text);
    assert!(text.contains("# acr-sign trust signer add\n"), "{text}");
    snapshot("help.txt", &text);
}
