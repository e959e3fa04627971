//! The pure folders stay pure, and nothing imports what stands above it.

use std::path::Path;

fn files(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text
                .split("#[cfg(test)]")
                .next()
                .unwrap_or_default()
                .to_owned();
            found.push((path.display().to_string(), code));
        }
    }
}

fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    files(
        &Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("src")
            .join(folder),
        &mut found,
    );
    assert!(!found.is_empty(), "{folder}");
    found
}

#[test]
fn pure_folders_touch_nothing() {
    let impure = [
        "async fn",
        "tokio",
        "reqwest",
        "std::fs",
        "std::env",
        "SystemTime",
        "now_utc",
        "println!",
        "std::net::Tcp",
        "std::process",
    ];
    for folder in ["oci", "crypto", "format", "manifests", "policy", "report"] {
        for (path, code) in sources(folder) {
            for name in impure {
                let named = code
                    .lines()
                    .any(|line| line.contains(name) && !line.trim_start().starts_with("//"));
                assert!(!named, "{path} names {name}");
            }
        }
    }
}

#[test]
fn nothing_imports_what_stands_above_it() {
    let above = [
        (
            "oci",
            [
                "crypto", "format", "net", "registry", "azure", "keys", "flow", "report",
                "settings", "cli",
            ]
            .as_slice(),
        ),
        (
            "crypto",
            &[
                "format", "net", "registry", "azure", "keys", "flow", "report", "settings", "cli",
            ],
        ),
        (
            "format",
            &[
                "net", "registry", "azure", "keys", "flow", "report", "settings", "cli",
            ],
        ),
        (
            "manifests",
            &[
                "crypto", "format", "net", "registry", "azure", "keys", "flow", "report",
                "settings", "cli",
            ],
        ),
        (
            "policy",
            &[
                "net", "registry", "azure", "keys", "flow", "report", "settings", "cli",
            ],
        ),
        (
            "report",
            &[
                "policy", "net", "registry", "azure", "keys", "flow", "settings", "cli",
            ],
        ),
        (
            "pipeline",
            &[
                "format", "registry", "azure", "keys", "flow", "settings", "cli", "verbs", "run",
            ],
        ),
        (
            "net",
            &[
                "format", "registry", "azure", "keys", "flow", "report", "settings", "cli",
            ],
        ),
        (
            "registry",
            &["format", "keys", "flow", "report", "settings", "cli"],
        ),
        (
            "azure",
            &["format", "registry", "keys", "flow", "settings", "cli"],
        ),
        (
            "keys",
            &["format", "registry", "flow", "report", "settings", "cli"],
        ),
        ("flow", &["cli", "verbs", "run"]),
    ];
    for (folder, modules) in above {
        for (path, code) in sources(folder) {
            for module in modules {
                let imports = code.contains(&format!("crate::{module}::"))
                    || code.contains(&format!("\n    {module}::"));
                assert!(!imports, "{path} imports {module}");
            }
        }
    }
}
