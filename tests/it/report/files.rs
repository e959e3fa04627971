//! SARIF and `JUnit`: the form that readers demand, and what hostile text may not do.

use acr_sign::report::{Location, Report};
use serde_json::Value;

use super::samples::{all, denied};
use crate::snapshot::snapshot;

#[test]
fn results_are_as_they_were_looked_at() {
    let mut report = all()
        .into_iter()
        .find(|(name, _)| *name == "denied")
        .unwrap()
        .1;
    let at = |line| Location {
        file: "deploy/web app.yaml".into(),
        line,
        column: 16,
    };
    report.images[1].locations = vec![at(12), at(30)];
    snapshot(
        "sarif/denied.json",
        &report.sarif().replace(env!("CARGO_PKG_VERSION"), "VERSION"),
    );
    snapshot("junit/denied.xml", &report.junit());
}

/// What SARIF 2.1.0 (sections 3.13 to 3.52) and GitHub's upload demand of the parts that are used.
#[test]
fn sarif_has_the_form_of_its_specification() {
    for (name, mut report) in all() {
        for (line, image) in (1..).zip(&mut report.images) {
            image.locations = vec![Location {
                file: "a/\u{e4} b.yaml".into(),
                line,
                column: 1,
            }];
        }
        let sarif: Value = serde_json::from_str(&report.sarif()).unwrap();
        assert_eq!(sarif["version"], "2.1.0");
        assert!(sarif["$schema"].as_str().unwrap().contains("sarif-2.1.0"));
        assert_eq!(sarif["runs"].as_array().unwrap().len(), 1);
        let run = &sarif["runs"][0];
        assert_eq!(run["columnKind"], "unicodeCodePoints");
        // Appendix I: whoever reads "not successful" takes the results for incomplete, and a rejection is complete.
        let invocation = &run["invocations"][0];
        let complete = [0, 1].contains(&invocation["exitCode"].as_u64().unwrap());
        assert_eq!(invocation["executionSuccessful"], complete, "{name}");
        let driver = &run["tool"]["driver"];
        assert_eq!(driver["name"], "acr-sign");
        let rules = driver["rules"].as_array().unwrap();
        let mut ids: Vec<_> = rules
            .iter()
            .map(|rule| rule["id"].as_str().unwrap())
            .collect();
        for rule in rules {
            for text in ["shortDescription", "fullDescription", "help"] {
                assert!(
                    !rule[text]["text"].as_str().unwrap().is_empty(),
                    "{name} {text}"
                );
            }
        }
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), rules.len());
        let results = run["results"].as_array().unwrap();
        let wrong = report
            .images
            .iter()
            .filter(|image| !image.status.is_good())
            .count()
            + usize::from(report.error.is_some());
        assert_eq!(results.len(), wrong, "{name}");
        for result in results {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"]);
            assert!(
                ["error", "warning", "note", "none"].contains(&result["level"].as_str().unwrap())
            );
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
            assert_eq!(
                result["partialFingerprints"]["acrSign/v1"]
                    .as_str()
                    .unwrap()
                    .len(),
                64
            );
            if let Some(locations) = result["locations"].as_array() {
                let place = &locations[0]["physicalLocation"];
                assert_eq!(place["artifactLocation"]["uri"], "a/%C3%A4%20b.yaml");
                assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
            }
        }
    }
}

#[test]
fn an_image_that_no_manifest_names_is_placed_at_its_rule() {
    let report = all()
        .into_iter()
        .find(|(name, _)| *name == "denied")
        .unwrap()
        .1;
    let sarif: Value = serde_json::from_str(&report.sarif()).unwrap();
    let result = &sarif["runs"][0]["results"][1];
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(
        (
            &place["artifactLocation"]["uri"],
            &place["region"]["startLine"]
        ),
        (&"acr-sign.yaml".into(), &14.into())
    );
    let text = result["message"]["text"].as_str().unwrap();
    assert!(
        text.contains("\nrequires dct, signed by `alice`: unsigned"),
        "{text}"
    );
}

#[test]
fn a_fingerprint_stays_where_only_the_line_moved() {
    let print = |file: &str, line| {
        let mut report = Report::new("verify");
        report.images.push(denied("1", 1));
        report.images[0].locations = vec![Location {
            file: file.into(),
            line,
            column: 1,
        }];
        let sarif: Value = serde_json::from_str(&report.sarif()).unwrap();
        sarif["runs"][0]["results"][0]["partialFingerprints"]["acrSign/v1"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(print("a.yaml", 1), print("a.yaml", 9));
    assert_ne!(print("a.yaml", 1), print("b.yaml", 1));
}

#[test]
fn p04_hostile_text_stays_text_in_xml() {
    for (name, report) in all() {
        let xml = report.junit();
        // Every `<` opens one of our elements, and quotes pair up.
        for element in xml.split('<').skip(1) {
            let name = element
                .trim_start_matches(['/', '?'])
                .split([' ', '>', '/', '?'])
                .next()
                .unwrap();
            let known = [
                "xml",
                "testsuites",
                "testsuite",
                "testcase",
                "failure",
                "error",
                "skipped",
                "system-out",
            ];
            assert!(known.contains(&name), "{name} in {element}");
            let tag = element.split('>').next().unwrap();
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        }
        assert!(!xml.chars().any(|c| c.is_control() && c != '\n'), "{name}");
        assert_eq!(
            xml.matches("<testcase").count(),
            report.images.len() + usize::from(report.error.is_some())
        );
        assert_eq!(
            xml.matches("</testcase>").count(),
            xml.matches("<testcase").count()
        );
    }
}
