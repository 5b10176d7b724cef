//! What the tests share: one compiled component, and storages of memory.

use std::sync::{Arc, LazyLock};

use omnistorage::{
    Backend, Location, MemoryBackend,
    runtime::{Runtime, RuntimeOptions, Storage},
};

/// The one compiled component of a test run.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new(&RuntimeOptions::default()).unwrap());
    &RUNTIME
}

/// A storage with two memory backends, `here` and `there`.
pub(crate) fn two_memories() -> Storage {
    storage([("here", memory()), ("there", memory())])
}

pub(crate) fn memory() -> Arc<dyn Backend> {
    Arc::new(MemoryBackend::new())
}

pub(crate) fn storage<const N: usize>(mounts: [(&str, Arc<dyn Backend>); N]) -> Storage {
    let builder = Storage::builder(runtime());
    mounts.into_iter().fold(builder, |builder, (name, backend)| builder.mount(name, backend)).build()
}

pub(crate) fn at(backend: &str, path: &str) -> Location {
    Location::new(backend, path).unwrap()
}

/// Writes objects: paths and contents.
pub(crate) async fn put(storage: &Storage, backend: &str, objects: &[(&str, &str)]) {
    for (path, contents) in objects {
        let contents = contents.as_bytes().to_vec().into();
        storage.write_all(&at(backend, path), contents, &Default::default()).await.unwrap();
    }
}

/// Everything below a place: paths and contents.
pub(crate) async fn tree(backend: &dyn Backend) -> Vec<(String, String)> {
    use omnistorage::{ObjectKind, Path, backend::ListOptions};
    let options = ListOptions { recursive: true, ..Default::default() };
    let mut listing = backend.list(&Path::root(), &options).await.unwrap();
    let mut tree = Vec::new();
    loop {
        let page = listing.next_entries(1000).await.unwrap();
        if page.is_empty() {
            return tree;
        }
        for entry in page.into_iter().filter(|entry| entry.kind == ObjectKind::Object) {
            let bytes = backend.read_all(&entry.path, &Default::default(), usize::MAX).await.unwrap();
            tree.push((entry.path.to_string(), String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
}
