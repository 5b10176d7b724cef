//! Builds a component of this workspace.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// The component of a package, built beside the one that ships. What is a product is built as it ships, the rest in the
/// way of tests unless the environment says otherwise.
pub(crate) fn build(package: &str) -> PathBuf {
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let component = temporary.join(package).with_extension("wasm");
    let profile = match package {
        "omnistorage-codec" => "component".into(),
        _ => env::var("COMPONENT_PROFILE").unwrap_or_else(|_| "component-test".into()),
    };
    let built = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest/build.sh"))
        .arg(package)
        .arg(&component)
        .env("CARGO_TARGET_DIR", temporary.parent().unwrap())
        .env("COMPONENT_PROFILE", profile)
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    component
}
