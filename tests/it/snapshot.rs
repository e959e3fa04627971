//! Texts that users see, held against files. `ACR_SIGN_UPDATE=1 cargo test` writes them anew, for a look at the difference.

use std::path::Path;

/// Compares a text with `tests/it/snapshots/NAME`.
pub fn snapshot(name: &str, text: &str) {
    let text = text.replace(
        concat!("acr-sign ", env!("CARGO_PKG_VERSION")),
        "acr-sign VERSION",
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/snapshots")
        .join(name);
    if std::env::var_os("ACR_SIGN_UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        known == text,
        "{} is not what is printed now:\n{text}",
        path.display()
    );
}
