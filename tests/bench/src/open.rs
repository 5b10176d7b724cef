//! What an open object takes of memory: many are opened at once by [`Storage`], each in a sandbox of its own, and none of
//! them is read.

use std::sync::Arc;

use anyhow::Result;
use omnistorage::{
    Backend, Location, MemoryBackend, Path as ObjectPath,
    backend::{ReadOptions, WriteOptions},
    runtime::{Runtime, RuntimeOptions, Storage},
};

use crate::memory::Taken;

/// Bytes of the object.
const SIZE: usize = 1 << 20;

/// Opens an object so many times, and tells what that takes together. `None` where the system does not tell.
///
/// # Errors
/// If the object cannot be opened.
pub(crate) async fn measure(count: u32) -> Result<Option<Taken>> {
    let backend: Arc<dyn Backend> = Arc::new(MemoryBackend::new());
    let path = ObjectPath::parse("object")?;
    backend.write_all(&path, vec![1; SIZE].into(), &WriteOptions::default()).await?;
    let mut options = RuntimeOptions::default();
    options.sandboxes = count + 1;
    let storage = Storage::builder(&Runtime::new(&options)?).mount("memory", backend).build();
    let object = Location::new("memory", path.as_str())?;
    let open = async || storage.read(&object, &ReadOptions::default(), None).await;

    // What is needed but once is there after the first.
    let mut readers = vec![open().await?];
    let before = Taken::now()?;
    for _ in 0..count {
        readers.push(open().await?);
    }
    let after = Taken::now()?;
    drop(readers);
    Ok(before.zip(after).map(|(before, after)| after.since(before)))
}
