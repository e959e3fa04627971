//! Digests in place: nothing else in the file changes.

use acr_sign::{
    manifests::{Options, Parameters, pin},
    oci::Digest,
};
use proptest::prelude::*;

use super::reading;

fn digest() -> Digest {
    format!("sha256:{}", "d".repeat(64)).parse().unwrap()
}

fn pinned(file: &str, text: &str) -> Result<String, String> {
    pin(file, text, &Options::new(&Parameters::default()), |_| {
        Some(digest())
    })
    .map_err(|error| error.to_string())
}

#[test]
fn everything_else_stays_byte_for_byte() {
    let given = "\u{feff}# head\r\napiVersion: apps/v1\r\nkind: Deployment\r\nspec:   # odd   spaces\r\n  template: {spec: {containers: [ {image: 'a/x:1' , name: \"q\"} ]}}\r\n---\r\n\
                 apiVersion: v1\r\nkind: Pod\r\nspec:\r\n  containers:\r\n  - image: \"a.azurecr.io/web\"    # why\r\n  - image: |-\r\n      b/y:2\r\n\r\n  - image: c/z@sha256:0000000000000000000000000000000000000000000000000000000000000000";
    let expected = given
        .replace("'a/x:1'", &format!("'a/x:1@{}'", digest()))
        .replace(
            "\"a.azurecr.io/web\"",
            &format!("\"a.azurecr.io/web@{}\"", digest()),
        )
        .replace("b/y:2", &format!("b/y:2@{}", digest()));
    assert_eq!(pinned("x.yaml", given).unwrap(), expected);
    // Once more: nothing is left to do.
    assert_eq!(pinned("x.yaml", &expected).unwrap(), expected);
}

#[test]
fn json_compose_and_kustomize() {
    let tag = |text: &str, image: &str| text.replace(image, &format!("{image}@{}", digest()));
    for (file, text, image) in [
        (
            "x.json",
            "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"spec\":{\"containers\":[{\"image\":\"a/x:1\"}]}}",
            "a/x:1",
        ),
        (
            "c.yml",
            "services:\n    web:\n        image: a/x:1\n",
            "a/x:1",
        ),
        (
            "kustomization.yaml",
            "images:\n- name: web\n  newName: a.azurecr.io/web\n  newTag: '1.4.0' # release\n",
            "1.4.0",
        ),
        (
            "x.yaml",
            "services:\n  a: &a {image: a/x:1}\n  b: *a\n",
            "a/x:1",
        ),
    ] {
        assert_eq!(pinned(file, text).unwrap(), tag(text, image), "{file}");
    }
}

#[test]
fn what_cannot_be_pinned_is_said() {
    let pod = |image: &str| {
        format!("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: {image}\n")
    };
    for (text, word) in [
        (pod("\"a\\u002fx:1\""), "escapes"),
        (
            "apiVersion: x/v1\nkind: X\nspec: {image: {repository: a/x, tag: '1'}}\n".into(),
            "several values",
        ),
    ] {
        let error = pinned("x.yaml", &text).unwrap_err();
        assert!(error.contains(word), "{error}");
    }
    // What was not checked has no digest to write.
    assert!(
        pin(
            "x.yaml",
            &pod("a/x:1"),
            &Options::new(&Parameters::default()),
            |_| None
        )
        .unwrap_err()
        .to_string()
        .contains("not checked")
    );
}

/// A scalar in one of the ways that YAML has.
fn scalar() -> impl Strategy<Value = String> {
    // What no reader takes for a boolean.
    let image = "x[a-z]{1,8}(/[a-z]{1,8})?(:[a-z0-9][a-z0-9.]{0,5})?";
    (image, 0..5).prop_map(|(image, style)| match style {
        0 => image,
        1 => format!("'{image}'"),
        2 => format!("\"{image}\""),
        3 => format!("{image}   # {image}"),
        _ => format!(">-\n        {image}"),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Taking the digests out again gives the text as it was, so only image scalars differ.
    #[test]
    fn only_image_scalars_differ(images in proptest::collection::vec(scalar(), 1..6), crlf: bool, comment in "[ -~]{0,20}") {
        let mut text = format!("# {comment}\napiVersion: v1\nkind: Pod\nspec:\n  containers:\n");
        for image in &images {
            text.push_str(&format!("    - name:  'x'\n      image:   {image}\n      args: [ \"{}\" ]\n", "a"));
        }
        let text = if crlf { text.replace('\n', "\r\n") } else { text };
        let before = reading("x.yaml", &text).unwrap().found;
        let after = pinned("x.yaml", &text).unwrap();
        prop_assert_eq!(after.replace(&format!("@{}", digest()), ""), text);
        let names: Vec<_> = reading("x.yaml", &after).unwrap().found.into_iter().map(|one| (one.image, one.line)).collect();
        let wanted: Vec<_> = before.into_iter().map(|mut one| { one.image.digest = Some(digest()); (one.image, one.line) }).collect();
        prop_assert_eq!(names, wanted);
    }
}
