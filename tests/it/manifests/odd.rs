//! Documents that are odd or hostile: whatever way an image is written, it is found, or the document is refused.

use super::{assert_found, found, refused};

const HEAD: &str = "apiVersion: v1\nkind: Pod\nspec:\n";

#[test]
fn p08_an_image_is_found_however_it_is_written() {
    for (body, expected) in [
        (
            "  containers:\n  - image: a/x:1   # comment\n",
            vec![("docker.io/a/x:1", 5)],
        ),
        (
            "  containers:\n  - \"image\": 'a/x:1'\n",
            vec![("docker.io/a/x:1", 5)],
        ),
        (
            "  containers:\n  - image: \"a\\u002fx:1\"\n",
            vec![("docker.io/a/x:1", 5)],
        ),
        (
            "  containers:\n  - image: |-\n      a/x:1\n",
            vec![("docker.io/a/x:1", 6)],
        ),
        (
            "  containers:\n  - image: >-\n      a/x:1\n\n  - image: b/y\n",
            vec![("docker.io/a/x:1", 6), ("docker.io/b/y", 8)],
        ),
        (
            "  containers:\n  - image:\n      a/x:1\n",
            vec![("docker.io/a/x:1", 6)],
        ),
        (
            "  containers: [{name: a, image: a/x:1}, {image: b/y}]\n",
            vec![("docker.io/a/x:1", 4), ("docker.io/b/y", 4)],
        ),
        (
            "  containers:\n  - ? image\n    : a/x:1\n",
            vec![("docker.io/a/x:1", 6)],
        ),
        (
            "  containers:\n  - image: !!str a/x:1\n",
            vec![("docker.io/a/x:1", 5)],
        ),
        (
            "  containers:\n  - image: &i a/x:1\n  - image: *i\n",
            vec![("docker.io/a/x:1", 5)],
        ),
        (
            "  containers:\n  - &c\n    image: a/x:1\n  initContainers:\n  - *c\n",
            vec![("docker.io/a/x:1", 6)],
        ),
        (
            "  containers:\n  - &c\n    image: a/x:1\n  - <<: *c\n    name: b\n",
            vec![("docker.io/a/x:1", 6)],
        ),
        (
            "  containers:\n  - Image: a/x:1\n  Containers:\n  - IMAGE: b/y\n",
            vec![("docker.io/a/x:1", 5), ("docker.io/b/y", 7)],
        ),
        (
            "  containers:\n    web:\n      image: a/x:1\n",
            vec![("docker.io/a/x:1", 6)],
        ),
        (
            "  containers:\n  - name: without\n  - image: a/x:1\n",
            vec![("docker.io/a/x:1", 6)],
        ),
    ] {
        let text = format!("{HEAD}{body}");
        assert_found("x.yaml", &text, &expected);
        // The same with other line ends, and behind a byte order mark.
        assert_found("x.yaml", &text.replace('\n', "\r\n"), &expected);
        assert_found("x.yaml", &format!("\u{feff}{text}"), &expected);
    }
}

#[test]
fn json_with_tabs_and_escapes() {
    let text = "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Pod\",\n\t\"spec\": {\n\t\t\"containers\": [\n\t\t\t{\"image\": \"a.azurecr.io\\/web:1\"}\n\t\t]\n\t}\n}\n";
    assert_found("x.json", text, &[("a.azurecr.io/web:1", 6)]);
}

#[test]
fn p08_documents_that_readers_read_differently_are_refused() {
    for (text, word) in [
        (
            format!("{HEAD}  containers:\n  - image: a\n    image: b\n"),
            "given twice",
        ),
        (
            format!("{HEAD}  containers: []\n  containers: [{{image: b}}]\n"),
            "given twice",
        ),
        (
            "{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"kind\": \"Pod\"}".into(),
            "given twice",
        ),
        (
            format!("{HEAD}  containers:\n\t- image: a\n"),
            "not valid YAML",
        ),
        (
            format!("{HEAD}  containers:\n  - image: *nothing\n"),
            "not valid YAML",
        ),
        (
            format!("{HEAD}  containers:\n  - [image, a]\n"),
            "not a mapping",
        ),
        (
            format!("{HEAD}  containers:\n  - image: [a]\n    ? [x, y]\n    : z\n"),
            "a key that is not text",
        ),
        (
            format!("{HEAD}  containers:\n  - <<: a\n"),
            "not plain text",
        ),
        (
            format!("{HEAD}  containers:\n  - image: {{reference: [a]}}\n"),
            "not plain text",
        ),
        ("a: &a [*a]\n".into(), "alias"),
        // Line breaks of YAML 1.1, merge keys over keys, keys with tags: readers differ.
        (
            format!("{HEAD}  containers:\n  - name: a # \u{2028}    image: evil\n"),
            "line break",
        ),
        (
            format!("{HEAD}  containers:\n  - name: a # \u{2029}    image: evil\n"),
            "line break",
        ),
        (
            format!("{HEAD}  containers:\n  - name: a # \u{85}    image: evil\n"),
            "line break",
        ),
        (
            format!(
                "{HEAD}  base: &b {{image: a/x:1}}\n  containers:\n  - image: b/y\n    <<: *b\n"
            ),
            "given twice",
        ),
        (
            format!(
                "{HEAD}  base: &b {{image: a/x:1}}\n  containers:\n  - <<: [*b]\n    image: b/y\n"
            ),
            "`<<` brings",
        ),
        (
            format!(
                "{HEAD}  b: &b {{image: a}}\n  c: &c {{image: b}}\n  d:\n    <<: *b\n    <<: *c\n"
            ),
            "given twice",
        ),
        (
            format!("{HEAD}  containers:\n  - !!binary aW1hZ2U=: evil\n"),
            "a key with a tag",
        ),
        (
            format!("{HEAD}  containers:\n  - !!str image: evil\n"),
            "a key with a tag",
        ),
        ("just a text\n".into(), "only a text"),
        ("--- \napiVersion: v1\n--- \ntext\n".into(), "only a text"),
        ("[[[[".into(), "not valid YAML"),
        ("\u{0}".into(), "not valid YAML"),
    ] {
        let error = refused("x.yaml", &text);
        assert!(error.contains(word), "{text}: {error}");
    }
}

#[test]
fn small_texts_make_no_endless_work() {
    // A billion nodes by aliases, deep nesting, many keys.
    let mut laughs = format!("{HEAD}  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = format!("*a{}", level - 1);
        laughs.push_str(&format!(
            "  a{level}: &a{level} [{}]\n",
            vec![before; 10].join(", ")
        ));
    }
    assert!(refused("x.yaml", &laughs).contains("too large"));
    let deep = format!("{HEAD}  a: {}{}\n", "[".repeat(200), "]".repeat(200));
    assert!(!refused("x.yaml", &deep).is_empty());
    let mut merges = format!("{HEAD}  b: &b {{");
    for key in 0..5_000 {
        merges.push_str(&format!("k{key}: v, "));
    }
    merges.push_str("}\n");
    for key in 0..200 {
        merges.push_str(&format!("  m{key}: {{<<: *b}}\n"));
    }
    assert!(refused("x.yaml", &merges).contains("too large"));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(512))]

    /// No text panics, and a pod around anything that parses still shows its own image.
    #[test]
    fn p08_no_text_hides_a_container(noise in "[\\PC\n\t\"':{}\\[\\]&*!|>#%-]{0,60}") {
        let _ = found("x.yaml", &noise);
        let indented = noise.replace('\n', "\n        ");
        let text = format!("{HEAD}  containers:\n  - name: |\n        x{indented}\n    image: a.azurecr.io/web:1\n");
        if let Ok(found) = found("x.yaml", &text) {
            proptest::prop_assert!(found.iter().any(|(image, _)| image == "a.azurecr.io/web:1"), "{found:?} in {text}");
        }
    }
}
