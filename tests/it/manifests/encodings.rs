//! Encodings and streams that `kubectl` reads: the same images, and digests in the same encoding.

use std::fs;

use acr_sign::{Exit, manifests::Encoding};

use super::found;
use crate::world::{REPOSITORY, World};

const POD: &str =
    "apiVersion: v1\r\nkind: Pod\r\nspec: {containers: [{name: wéb, image: \"IMAGE\"}]}\r\n";

#[test]
fn a_file_in_utf_16_is_checked_and_pinned_as_it_is() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    let digest = world.digest("1.0");
    let folder = tempfile::tempdir().unwrap();
    for (name, encoding) in [
        ("le.yaml", Encoding::Utf16Le),
        ("be.yaml", Encoding::Utf16Be),
        ("utf-8.yaml", Encoding::Utf8),
    ] {
        let path = folder.path().join(name);
        let image = format!("{REPOSITORY}:1.0");
        fs::write(&path, encoding.encode(&POD.replace("IMAGE", &image))).unwrap();
        let outcome = world.run(&format!(
            "verify --manifests {} --format dct --root {root} --pin",
            path.display()
        ));
        assert_eq!(outcome.exit, Exit::Done, "{name}: {}", outcome.stderr);
        let pinned = POD.replace("IMAGE", &format!("{image}@{digest}"));
        assert_eq!(fs::read(&path).unwrap(), encoding.encode(&pinned), "{name}");
    }
}

#[test]
fn objects_of_a_stream_have_their_own_places() {
    let pod = |name: &str| {
        format!(
            "{{\"apiVersion\": \"v1\", \"kind\": \"Pod\",\n \"spec\": {{\"containers\": [{{\"image\": \"a/{name}:1\"}}]}}}}"
        )
    };
    let stream = format!("{}\n\n{} {}", pod("one"), pod("two"), pod("three"));
    assert_eq!(
        found("x.json", &stream).unwrap(),
        [
            ("docker.io/a/one:1".to_owned(), 2),
            ("docker.io/a/two:1".to_owned(), 5),
            ("docker.io/a/three:1".to_owned(), 6),
        ]
    );
    let marked = format!("\u{feff}{stream}");
    assert_eq!(found("x.json", &marked).unwrap().len(), 3);
}
