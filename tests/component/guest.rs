//! The component that misbehaves on demand.

use std::sync::LazyLock;

use omnistorage::{
    Backend,
    runtime::{Limits, Runtime, RuntimeOptions, Storage},
};

use crate::build::build;

/// What the misbehaving component may use: one backend, under the name `here`.
pub(crate) fn misbehaving(backend: std::sync::Arc<dyn Backend>, limits: Limits) -> Storage {
    Storage::builder(misbehaving_runtime()).mount("here", backend).limits(limits).build()
}

/// That component.
pub(crate) fn misbehaving_runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        let component = std::fs::read(build("omnistorage-test-guest")).unwrap();
        Runtime::with_component(&RuntimeOptions::default(), &component).unwrap()
    });
    &RUNTIME
}
