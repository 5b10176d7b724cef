//! Builds a component of this workspace.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The component of a package, built beside the one that ships.
pub(crate) fn build(package: &str) -> PathBuf {
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let component = temporary.join(package).with_extension("wasm");
    let built = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest/build.sh"))
        .arg(package)
        .arg(&component)
        .env("CARGO_TARGET_DIR", temporary.parent().unwrap())
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    component
}
