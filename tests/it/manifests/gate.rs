//! `verify --manifests` as a whole: places in the report, digests written, and no way to an allow without an image.

use std::{fs, io};

use acr_sign::{Exit, Process, run};

use crate::world::{REPOSITORY, World};

fn pod(images: &[&str]) -> String {
    let containers: String = images
        .iter()
        .map(|image| format!("  - image: {image}\n"))
        .collect();
    format!("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n{containers}")
}

#[test]
fn images_of_manifests_are_checked_placed_and_pinned() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0", "1"], &root).exit, Exit::Done);
    let digest = world.sandbox.registry().digest("shop/web", "1.0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::create_dir(folder.path().join("sub")).unwrap();
    let (one, two) = (format!("{REPOSITORY}:1.0"), format!("{REPOSITORY}:1"));
    fs::write(path("a.yaml"), pod(&[&one, &two, &one])).unwrap();
    fs::write(path("sub/b.yml"), pod(&[&one])).unwrap();
    fs::write(path("notes.txt"), "image: nothing").unwrap();
    let line = format!(
        "verify --manifests {} --format dct --root {root}",
        folder.path().display()
    );
    let report = world.run(&format!("{line} --output json")).json();
    assert_eq!(
        (report["decision"].as_str(), report["source"].as_str()),
        (Some("allow"), Some("manifests"))
    );
    let places = |index: usize| -> Vec<(String, u64)> {
        let locations = report["images"][index]["locations"].as_array().unwrap();
        locations
            .iter()
            .map(|at| {
                (
                    at["file"].as_str().unwrap().to_owned(),
                    at["line"].as_u64().unwrap(),
                )
            })
            .collect()
    };
    assert_eq!(
        places(0),
        [
            (path("a.yaml"), 5),
            (path("a.yaml"), 7),
            (path("sub/b.yml"), 5)
        ]
    );
    assert_eq!(places(1), [(path("a.yaml"), 6)]);
    assert_eq!(
        fs::read_to_string(path("a.yaml")).unwrap(),
        pod(&[&one, &two, &one]),
        "nothing is written unasked"
    );

    let pinned = world.run(&format!("{line} --pin"));
    assert_eq!(pinned.exit, Exit::Done, "{}", pinned.stderr);
    assert_eq!(pinned.stdout, format!("{one}@{digest}\n{two}@{digest}\n"));
    let (one, two) = (format!("{one}@{digest}"), format!("{two}@{digest}"));
    assert_eq!(
        fs::read_to_string(path("a.yaml")).unwrap(),
        pod(&[&one, &two, &one])
    );
    assert_eq!(fs::read_to_string(path("sub/b.yml")).unwrap(), pod(&[&one]));
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        3,
        "no file is left beside"
    );
    // What is pinned is checked as it stands.
    assert_eq!(world.run(&line).exit, Exit::Done);
}

#[test]
fn a_file_that_is_named_in_two_ways_is_one_file() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    let digest = world.digest("1.0");
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::create_dir(path("sub")).unwrap();
    let image = format!("{REPOSITORY}:1.0");
    fs::write(path("a.yaml"), pod(&[&image])).unwrap();
    let named = format!("{} {}", folder.path().display(), path("sub/../a.yaml"));
    let outcome = world.run(&format!(
        "verify --manifests {named} --format dct --root {root} --pin --output json"
    ));
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert_eq!(
        outcome.json()["images"][0]["locations"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        fs::read_to_string(path("a.yaml")).unwrap(),
        pod(&[&format!("{image}@{digest}")])
    );
}

/// As a post-renderer of Helm: manifests in, the same with digests out.
#[test]
fn standard_input_is_pinned_into_another_file() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    let digest = world.sandbox.registry().digest("shop/web", "1.0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.yaml");
    let gate = |line: &str, text: String| {
        let mut process = Process {
            environment: world.environment.iter().cloned().collect(),
            stdin: Box::new(io::Cursor::new(text)),
            stdout: Box::new(io::sink()),
            stderr: Box::new(io::sink()),
            ..Process::real()
        };
        let line = format!("acr-sign verify --manifests - --format dct --root {root} {line}");
        run(line.split_whitespace().map(Into::into), &mut process)
    };
    let one = format!("{REPOSITORY}:1.0");
    assert_eq!(
        gate(&format!("--pin-to {}", out.display()), pod(&[&one])),
        Exit::Done
    );
    assert_eq!(
        fs::read_to_string(&out).unwrap(),
        pod(&[&format!("{one}@{digest}")])
    );
    assert_eq!(gate("--pin", pod(&[&one])), Exit::Usage);
    fs::remove_file(&out).unwrap();
    assert_eq!(
        gate(
            &format!("--pin-to {}", out.display()),
            pod(&[&one, "{{ x }}"])
        ),
        Exit::Usage
    );
    assert!(!out.exists());
    // A device, such as `/dev/stdout`, is written to and stays; a link to one may be planted (L6).
    #[cfg(unix)]
    {
        assert_eq!(gate("--pin-to /dev/null", pod(&[&one])), Exit::Done);
        std::os::unix::fs::symlink("/dev/null", &out).unwrap();
        assert_eq!(
            gate(&format!("--pin-to {}", out.display()), pod(&[&one])),
            Exit::Usage
        );
        assert_eq!(
            fs::read_link(&out).unwrap(),
            std::path::Path::new("/dev/null")
        );
    }
}

#[test]
fn one_denied_image_leaves_every_file_alone() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    world
        .sandbox
        .registry()
        .push_image("shop/web", "unsigned", "other");
    let folder = tempfile::tempdir().unwrap();
    let text = pod(&[
        &format!("{REPOSITORY}:1.0"),
        &format!("{REPOSITORY}:unsigned"),
    ]);
    let path = folder.path().join("a.yaml");
    fs::write(&path, &text).unwrap();
    let (sarif, junit) = (folder.path().join("r.sarif"), folder.path().join("r.xml"));
    let outcome = world.run(&format!(
        "verify --manifests {} --format dct --root {root} --pin --sarif {} --junit {}",
        path.display(),
        sarif.display(),
        junit.display()
    ));
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["unsigned"])
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    let sarif: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(sarif).unwrap()).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "unsigned");
    assert_eq!(
        result["locations"][0]["physicalLocation"]["region"]["startLine"],
        6
    );
    let junit = fs::read_to_string(junit).unwrap();
    assert!(
        junit.contains("tests=\"2\" failures=\"1\" errors=\"0\"") && junit.contains("line=\"6\""),
        "{junit}"
    );
}

#[test]
fn p08_nothing_is_passed_over() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::create_dir(path("empty")).unwrap();
    fs::create_dir(path("linked")).unwrap();
    for (name, text) in [
        ("good.yaml", pod(&["contoso.azurecr.io/shop/web:1.0"])),
        ("none.yaml", "apiVersion: v1\nkind: ConfigMap\n".into()),
        ("template.yaml", pod(&["'{{ .Values.image }}'"])),
        ("broken.yaml", "a: [".into()),
        ("values.yaml", "image: x\n".into()),
        ("main.bicep", "resource x".into()),
    ] {
        fs::write(path(name), text).unwrap();
    }
    fs::write(path("latin.yaml"), b"a: \xe4\n").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(path("good.yaml"), path("linked/link.yaml")).unwrap();
    fs::create_dir(path("linked-folder")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(path("empty"), path("linked-folder/link")).unwrap();
    for (folder, resource) in [
        ("remote", "ssh://x/y"),
        ("host", "gitlab.com/org/repo"),
        ("above", "../empty"),
        ("gone", "gone.yaml"),
    ] {
        fs::create_dir(path(folder)).unwrap();
        let name = if folder == "gone" {
            "Kustomization"
        } else {
            "kustomization.yaml"
        };
        let text = format!(
            "resources: [{resource}]\nimages: [{{name: contoso.azurecr.io/shop/web, newTag: '1.0'}}]\n"
        );
        fs::write(path(&format!("{folder}/{name}")), text).unwrap();
    }
    let root = "0".repeat(64);
    let mut cases = vec![
        (path("none.yaml"), "no-images"),
        (path("empty"), "no-images"),
        (path("missing.yaml"), "manifest-invalid"),
        (path("template.yaml"), "manifest-invalid"),
        (path("broken.yaml"), "manifest-invalid"),
        (path("values.yaml"), "manifest-invalid"),
        (path("latin.yaml"), "manifest-invalid"),
        (path("main.bicep"), "manifest-invalid"),
        // One bad file among good ones.
        (
            format!("{} {}", path("good.yaml"), path("template.yaml")),
            "manifest-invalid",
        ),
        (folder.path().display().to_string(), "manifest-invalid"),
        (path("remote"), "manifest-invalid"),
        (path("host"), "manifest-invalid"),
        (path("above"), "manifest-invalid"),
        (path("gone"), "manifest-invalid"),
        ("-".into(), "no-images"),
        (
            format!(
                "{} --parameters {}",
                path("good.yaml"),
                path("missing.json")
            ),
            "manifest-invalid",
        ),
    ];
    if cfg!(unix) {
        cases.push((path("linked"), "manifest-invalid"));
        cases.push((path("linked-folder"), "manifest-invalid"));
    }
    for (named, reason) in cases {
        let outcome = world.run(&format!(
            "verify --format dct --root {root} --manifests {named}"
        ));
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec![reason]),
            "{named}: {}",
            outcome.stderr
        );
        assert_eq!(outcome.stdout, "");
    }
    let bicep = world.run(&format!(
        "verify --format dct --root {root} --manifests {}",
        path("main.bicep")
    ));
    assert!(bicep.stderr.contains("az bicep build"), "{}", bicep.stderr);
    let both = world.run(&format!(
        "verify a/b:1 --format dct --root {root} --manifests {}",
        path("good.yaml")
    ));
    assert_eq!(both.exit, Exit::Usage);
    assert_eq!(
        world.sandbox.log().len(),
        0,
        "nothing is asked before all is read"
    );
}
