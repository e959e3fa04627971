//! Tables of files: ordinary ones with exactly the images that they name, and those that try to hide one.
//!
//! A table is a text of cases: `== name`, lines of what must come of it, and files, each below `-- path --`.
//! `images: a b` (these and no others), `sees: a` (this one among them), `refused: FILE:LINE[-LINE] [words]`,
//! `warns: words`, `none:` (no image at all), `read: FOLDER` (this one only).

use std::{collections::BTreeMap, fs, io, path::Path};

use acr_sign::{Environment, Exit, Process, run};

/// Every image is allowed by it, so that only what the files name decides.
const POLICY: &str = "version: 1\nverify:\n  - images: [\"**\"]\n    exempt: {reason: every image, until: 2999-12-31}\n";

#[derive(Default)]
struct Case {
    name: String,
    expected: Vec<String>,
    files: BTreeMap<String, String>,
}

/// What came of a case.
struct Outcome {
    exit: Exit,
    images: Vec<String>,
    /// Errors and warnings, with paths from the case's folder.
    story: String,
}

fn cases(table: &Path) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut file = None;
    for line in fs::read_to_string(table).unwrap().split_inclusive('\n') {
        if let Some(name) = line.strip_prefix("== ") {
            cases.push(Case {
                name: name.trim().to_owned(),
                ..Case::default()
            });
            file = None;
        } else if let Some(path) = line
            .strip_prefix("-- ")
            .and_then(|rest| rest.trim_end().strip_suffix(" --"))
        {
            file = Some(path.to_owned());
        } else if let Some(case) = cases.last_mut() {
            match &file {
                Some(path) => case.files.entry(path.clone()).or_default().push_str(line),
                None if line.trim().is_empty() => {}
                None => case.expected.push(line.trim().to_owned()),
            }
        }
    }
    cases
}

fn outcome(case: &Case) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    for (path, text) in &case.files {
        let path = files.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{}\n", text.trim_end_matches('\n'))).unwrap();
    }
    let policy = folder.path().join("policy.yaml");
    fs::write(&policy, POLICY).unwrap();
    let part = case
        .expected
        .iter()
        .find_map(|line| line.strip_prefix("read: "));
    let read = part.map_or(files.clone(), |part| files.join(part));
    let (out, err) = (Shared::default(), Shared::default());
    let mut process = Process {
        environment: Environment::default(),
        stdin: Box::new(io::empty()),
        stdout: Box::new(out.clone()),
        stderr: Box::new(err.clone()),
        ..Process::real()
    };
    let arguments = [
        "acr-sign", "policy", "check", "--output", "json", "--policy",
    ]
    .map(Into::into);
    let paths = [policy.into_os_string(), "--manifests".into(), read.into()];
    let exit = run(arguments.into_iter().chain(paths), &mut process);
    let json: serde_json::Value = serde_json::from_str(&out.text()).unwrap_or_default();
    let images = json["images"].as_array().cloned().unwrap_or_default();
    Outcome {
        exit,
        images: images
            .iter()
            .map(|image| image["image"].as_str().unwrap().to_owned())
            .collect(),
        story: err.text().replace(&format!("{}/", files.display()), ""),
    }
}

#[derive(Clone, Default)]
struct Shared(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn holds(expected: &str, outcome: &Outcome) -> bool {
    let (what, rest) = expected.split_once(':').unwrap();
    let rest = rest.trim();
    let refused = |reason: &str| {
        outcome.exit == Exit::Usage && outcome.story.contains(&format!("error[{reason}]"))
    };
    match what {
        "images" => {
            let mut wanted: Vec<&str> = rest.split(' ').collect();
            let mut found: Vec<&str> = outcome.images.iter().map(String::as_str).collect();
            wanted.sort_unstable();
            found.sort_unstable();
            outcome.exit == Exit::Done && wanted == found
        }
        "sees" => outcome.images.iter().any(|image| image == rest),
        "warns" => outcome
            .story
            .lines()
            .any(|line| line.starts_with("warning:") && line.contains(rest)),
        "none" => refused("no-images"),
        "read" => true,
        "refused" => {
            let (place, words) = rest.split_once(' ').unwrap_or((rest, ""));
            let (file, lines) = place.rsplit_once(':').unwrap();
            let (first, last) = lines.split_once('-').unwrap_or((lines, lines));
            let mut lines = first.parse::<u32>().unwrap()..=last.parse().unwrap();
            refused("manifest-invalid")
                && lines.any(|line| outcome.story.contains(&format!("`{file}` line {line}")))
                && outcome.story.contains(words)
        }
        other => panic!("{other}"),
    }
}

/// Runs every table of a folder; gives back how many cases there are.
fn tables(folder: &str) -> usize {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/manifests");
    let mut wrong = Vec::new();
    let mut count = 0;
    for table in fs::read_dir(path.join(folder)).unwrap() {
        for case in cases(&table.unwrap().path()) {
            count += 1;
            assert!(
                !case.expected.is_empty() && !case.files.is_empty(),
                "{}",
                case.name
            );
            let outcome = outcome(&case);
            for expected in &case.expected {
                if !holds(expected, &outcome) {
                    let Outcome {
                        exit,
                        images,
                        story,
                    } = &outcome;
                    wrong.push(format!(
                        "{}: {expected}\n  {exit:?} {images:?}\n{story}",
                        case.name
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    count
}

#[test]
fn ordinary_files_name_exactly_their_images() {
    assert!(tables("ordinary") >= 50);
}

#[test]
fn p08_no_file_hides_an_image() {
    assert!(tables("attacks") >= 200);
}
