//! The component that misbehaves on demand.

use std::{path::Path, process::Command, sync::LazyLock};

use omnistorage::{
    Backend,
    runtime::{Limits, Runtime, RuntimeOptions, Storage},
};

/// What the misbehaving component may use: one backend, under the name `here`.
pub(crate) fn misbehaving(backend: std::sync::Arc<dyn Backend>, limits: Limits) -> Storage {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        let component = std::fs::read(build()).unwrap();
        Runtime::with_component(&RuntimeOptions::default(), &component).unwrap()
    });
    Storage::builder(&RUNTIME).mount("here", backend).limits(limits).build()
}

/// Builds `tests/guest`, beside the component that ships.
fn build() -> std::path::PathBuf {
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let component = temporary.join("test-guest.wasm");
    let built = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest/build.sh"))
        .arg("omnistorage-test-guest")
        .arg(&component)
        .env("CARGO_TARGET_DIR", temporary.parent().unwrap())
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    component
}
