//! action.yml, task.json and the tables of the documentation say what the one table of inputs and outputs says.
//!
//! `ACR_SIGN_WRITE=1 cargo test --test it -- pipeline::files` writes those parts anew.

use std::{fs, path::Path};

use acr_sign::pipeline::{Host, INPUTS, Input, Kind, OUTPUTS, Verb};
use serde_json::json;

/// Compares, or writes, what stands between two lines of a file.
fn hold(file: &str, after: &str, before: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = fs::read_to_string(&path).unwrap();
    let start = text
        .find(&format!("{after}\n"))
        .unwrap_or_else(|| panic!("{file} has no line {after}"))
        + after.len()
        + 1;
    let end = start
        + text[start..]
            .find(before)
            .unwrap_or_else(|| panic!("{file} has no line {before}"));
    if std::env::var_os("ACR_SIGN_WRITE").is_some() {
        fs::write(
            &path,
            format!("{}{expected}{}", &text[..start], &text[end..]),
        )
        .unwrap();
    } else {
        assert_eq!(
            &text[start..end],
            expected,
            "{file} differs from src/pipeline; see {}",
            file!()
        );
    }
}

/// A description with the names of inputs and outputs as the host spells them.
fn description(host: Host, text: &str) -> String {
    let names = INPUTS
        .iter()
        .map(|input| input.name)
        .chain(OUTPUTS.iter().map(|output| output.name));
    names.fold(text.to_owned(), |text, name| {
        text.replace(&format!("`{name}`"), &format!("`{}`", host.spell(name)))
    })
}

fn inputs(host: Host) -> impl Iterator<Item = &'static Input> {
    INPUTS.iter().filter(move |input| input.is_on(host))
}

#[test]
fn action_yml_has_the_inputs_and_outputs() {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let mut section = String::new();
    for input in inputs(Host::GitHub) {
        section += &format!(
            "  {}:\n    description: {}\n",
            input.name,
            quoted(input.description)
        );
        if let Some(default) = input.default {
            section += &format!("    default: {}\n", quoted(default));
        }
    }
    hold("action.yml", "inputs:", "\noutputs:\n", &section);
    let section: String = OUTPUTS
        .iter()
        .map(|output| {
            format!(
                "  {}:\n    description: {}\n",
                output.name,
                quoted(output.description)
            )
        })
        .collect();
    hold("action.yml", "outputs:", "\nruns:\n", &section);
}

#[test]
fn task_json_has_the_inputs_and_outputs() {
    let lines: Vec<String> = inputs(Host::Azure)
        .map(|input| format!("    {}", task_input(input)))
        .collect();
    hold(
        "task.json",
        "  \"inputs\": [",
        "\n  ],\n",
        &lines.join(",\n"),
    );
    let spelled = |name: &str| json!(Host::Azure.spell(name)).to_string();
    let lines: Vec<String> = OUTPUTS
        .iter()
        .map(|output| {
            let text = json!(description(Host::Azure, output.description));
            format!(
                "    {{ \"name\": {}, \"description\": {text} }}",
                spelled(output.name)
            )
        })
        .collect();
    hold(
        "task.json",
        "  \"outputVariables\": [",
        "\n  ],\n",
        &lines.join(",\n"),
    );
    let names: Vec<String> = OUTPUTS
        .iter()
        .map(|output| format!("        {}", spelled(output.name)))
        .collect();
    hold(
        "task.json",
        "      \"allowed\": [",
        "\n      ]\n",
        &names.join(",\n"),
    );
}

fn task_input(input: &Input) -> String {
    let kind = match input.kind {
        Kind::Text | Kind::Secret => "string",
        Kind::Boolean => "boolean",
        Kind::List | Kind::CommaList | Kind::Document => "multiLine",
        Kind::Choice(_) => "pickList",
        Kind::ServiceConnection => "connectedService:AzureRM",
    };
    let mut members = vec![
        ("name", json!(Host::Azure.spell(input.name))),
        ("type", json!(kind)),
        ("label", json!(label(input.name))),
    ];
    let unset = (input.kind == Kind::Boolean).then_some("false");
    members.extend(
        input
            .default
            .or(unset)
            .map(|default| ("defaultValue", json!(default))),
    );
    members.push(("required", json!(false)));
    if let Kind::Choice(words) = input.kind {
        members.push(("options", words.iter().map(|word| (*word, *word)).collect()));
    }
    members.extend(group(input).map(|group| ("groupName", json!(group))));
    members.extend(
        input
            .verb
            .map(|verb| ("visibleRule", json!(format!("command = {}", verb.word())))),
    );
    members.push((
        "helpMarkDown",
        json!(description(Host::Azure, input.description)),
    ));
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("\"{name}\": {value}"))
        .collect();
    format!("{{ {} }}", members.join(", "))
}

/// Where the editor shows an input; the first ones stand outside of every group.
fn group(input: &Input) -> Option<&'static str> {
    match input.name {
        "client-id"
        | "tenant-id"
        | "auth"
        | "cloud"
        | "service-connection-id"
        | "registry-auth"
        | "username"
        | "password" => Some("identity"),
        "allow-host" | "allow-private" | "ca-file" | "plain-http" | "connect-to"
        | "trust-server" | "concurrency" | "timeout" | "retries" => Some("network"),
        "summary" | "report" | "sarif" | "junit" | "binary-path" => Some("output"),
        _ => input.verb.map(|verb| match verb {
            Verb::Sign => "signing",
            Verb::Verify => "verification",
        }),
    }
}

/// `root-ca` is *Root CA*.
fn label(name: &str) -> String {
    let words: Vec<String> = name
        .split('-')
        .enumerate()
        .map(|(at, word)| match word {
            "id" | "ca" | "http" | "url" => word.to_uppercase(),
            _ if at == 0 => word[..1].to_uppercase() + &word[1..],
            _ => word.to_owned(),
        })
        .collect();
    words.join(" ")
}

#[test]
fn the_documentation_has_the_inputs_and_outputs() {
    for (host, page) in [
        (Host::GitHub, "docs/github-actions.md"),
        (Host::Azure, "docs/azure-pipelines.md"),
    ] {
        let mut table = "| input | value | default | what |\n|---|---|---|---|\n".to_owned();
        for input in inputs(host) {
            let value = match input.kind {
                Kind::Text => "text".to_owned(),
                Kind::Boolean => "`true`, `false`".to_owned(),
                Kind::List => "lines".to_owned(),
                Kind::CommaList => "lines, or with commas".to_owned(),
                Kind::Document => "JSON, or a file's path".to_owned(),
                Kind::Choice(words) => words
                    .iter()
                    .map(|word| format!("`{word}`"))
                    .collect::<Vec<_>>()
                    .join(", "),
                Kind::Secret => "secret".to_owned(),
                Kind::ServiceConnection => "service connection".to_owned(),
            };
            let default = input
                .default
                .map(|default| format!("`{default}`"))
                .unwrap_or_default();
            let only = input
                .verb
                .map(|verb| format!("`{}`: ", verb.word()))
                .unwrap_or_default();
            let text = description(host, input.description);
            table += &format!(
                "| `{}` | {value} | {default} | {only}{text} |\n",
                host.spell(input.name)
            );
        }
        hold(page, "<!-- inputs -->", "<!-- /inputs -->", &table);
        let mut table = "| output | what |\n|---|---|\n".to_owned();
        for output in OUTPUTS {
            let text = description(host, output.description);
            table += &format!("| `{}` | {text} |\n", host.spell(output.name));
        }
        hold(page, "<!-- outputs -->", "<!-- /outputs -->", &table);
    }
}
