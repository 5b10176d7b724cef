//! Objects in memory: for tests, for scratch, and as the plainest statement of what a backend promises.
//!
//! Names are flat, as in an object store: there are no directories, but a listing of one level shows the segments that
//! objects share as directories. Yet no object lies below another: a path that runs through an object is refused with
//! `not-directory`, one that has objects below it with `is-directory`. So every listing has each path once, and what is
//! stored here can be copied to files.

mod capacity;
mod chunks;
mod listing;
mod objects;
mod upload;

use std::{
    any::Any,
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream};
use omnistorage_types::Path;

use self::{
    capacity::Capacity,
    chunks::Chunks,
    listing::MemoryListing,
    objects::{Object, Objects},
    upload::MemoryUpload,
};
use super::{
    Backend, Capabilities, Features, ListOptions, Listing, ObjectVersion, ReadOptions, Reader, Upload,
    WriteOptions, limited, too_large,
};
use crate::{Error, ObjectInfo, ObjectKind, Result, Timestamp, config::Config};

const KIND: &str = "memory";

/// Objects in memory. Readers share the bytes of what they read; they are never copied.
///
/// ```
/// use omnistorage::{Backend, MemoryBackend, Path};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let backend = MemoryBackend::new();
/// let path = Path::parse("greeting.txt")?;
/// backend.write_all(&path, "hello".into(), &Default::default()).await?;
/// assert_eq!(backend.read_all(&path, &Default::default(), 1024).await?, "hello");
/// # Ok(())
/// # }
/// ```
pub struct MemoryBackend(Shared);

impl MemoryBackend {
    /// Without any object.
    #[must_use]
    pub fn new() -> Self {
        Self::of(Capacity::new(None, None))
    }

    /// The same with room for this many bytes: of contents, of writes that are not committed yet, and of names and
    /// attributes. A write that needs more fails with [`ErrorCode::NoSpace`](crate::ErrorCode::NoSpace). Bytes that
    /// objects share count once.
    ///
    /// Without this, a backend takes what it is given until the memory of the machine is full. It is best to bound one
    /// that is granted to a component: what is stored there does not count towards the [limits](crate::runtime::Limits)
    /// of a sandbox.
    #[must_use]
    pub fn with_capacity(bytes: u64) -> Self {
        Self::of(Capacity::new(Some(bytes), None))
    }

    fn of(capacity: Capacity) -> Self {
        Self(Shared { objects: Arc::new(RwLock::new(Some(Objects::new(capacity.clone())))), capacity })
    }

    /// Takes `capacity`, in bytes; without it there is no bound. A backend that a component opened for itself counts
    /// towards that component's limit of memory in any case.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`](crate::ErrorCode::InvalidArgument) for a key that is malformed or unknown.
    pub fn from_config(mut config: Config) -> Result<Self> {
        let (limit, account) = (config.take("capacity")?, config.account());
        config.finish(KIND)?;
        Ok(Self::of(Capacity::new(limit, account)))
    }
}

impl Default for MemoryBackend {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryBackend")
    }
}

/// The objects, shared with open uploads and listings; `None` once the backend is closed.
#[derive(Clone)]
struct Shared {
    objects: Arc<RwLock<Option<Objects>>>,
    capacity: Capacity,
}

impl Shared {
    /// Looks at the objects; errors get the path.
    fn read<T>(&self, path: &Path, look: impl FnOnce(&Objects) -> Result<T>) -> Result<T> {
        let objects = self.objects.read().unwrap_or_else(PoisonError::into_inner);
        objects
            .as_ref()
            .ok_or_else(Error::backend_closed)
            .and_then(look)
            .map_err(|error| error.at(KIND, path))
    }

    /// Changes the objects; errors get the path.
    fn write<T>(&self, path: &Path, change: impl FnOnce(&mut Objects) -> Result<T>) -> Result<T> {
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        objects
            .as_mut()
            .ok_or_else(Error::backend_closed)
            .and_then(change)
            .map_err(|error| error.at(KIND, path))
    }

    fn close(&self) {
        let objects = self.objects.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(objects); // may be many: freed once the lock is free
    }
}

#[async_trait]
impl Backend for MemoryBackend {
    fn kind(&self) -> &str {
        KIND
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            features: Features {
                copy: true,
                move_to: true,
                purge: true,
                set_modified: true,
                custom_metadata: true,
                content_type: true,
                range_read: true,
                atomic_write: true,
                if_absent: true,
                if_match: true,
                sorted_list: true,
                listed_times: true,
                batches: true,
                conditional_copy: true,
                conditional_delete: true,
                partial_list: false,
                transfer: false,
                directories: false,
            },
            hashes: Vec::new(),
            modified_precision: Some(Duration::from_nanos(1)),
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader> {
        let (info, contents) = self.0.read(path, |objects| {
            let object = objects.get(path)?;
            object.check_etag(options.if_match.as_deref())?;
            Ok((object.info(path), object.contents.clone()))
        })?;
        let chunks = contents.range(options.offset, options.length).map(Ok);
        Ok(Reader { info, contents: stream::iter(chunks).boxed() })
    }

    async fn read_all(&self, path: &Path, options: &ReadOptions, max: usize) -> Result<Bytes> {
        let contents = self.0.read(path, |objects| {
            let object = objects.get(path)?;
            object.check_etag(options.if_match.as_deref())?;
            Ok(object.contents.clone())
        })?;
        contents
            .range(options.offset, options.length)
            .concatenated(max)
            .ok_or_else(|| too_large(max).at(KIND, path))
    }

    async fn write(&self, path: &Path, options: &WriteOptions) -> Result<Box<dyn Upload>> {
        self.0.read(path, |objects| objects.check_write(path, &options.condition))?;
        Ok(Box::new(MemoryUpload::new(self.0.clone(), path.clone(), options.clone())?))
    }

    async fn write_all(&self, path: &Path, contents: Bytes, options: &WriteOptions) -> Result<ObjectInfo> {
        let object = Chunks::new(contents, &self.0.capacity).and_then(|chunks| Object::new(chunks, options));
        let object = object.map_err(|error| error.at(KIND, path))?;
        self.0.write(path, |objects| objects.publish(path, object, &options.condition))
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        self.0.read(path, |objects| {
            if path.is_root() {
                return Ok(ObjectInfo::new(Path::root(), ObjectKind::Directory));
            }
            objects.get(path).map(|object| object.info(path))
        })
    }

    async fn list(&self, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
        self.0.read(prefix, |_| Ok(()))?;
        Ok(limited(Box::new(MemoryListing::new(self.0.clone(), prefix.clone(), options)), options.limit))
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        paths.iter().map(|path| self.0.write(path, |objects| objects.remove(path))).collect()
    }

    async fn delete_if_match(&self, versions: &[ObjectVersion]) -> Vec<Result<()>> {
        let delete = |ObjectVersion { path, etag }: &_| {
            self.0.write(path, |objects: &mut Objects| objects.remove_version(path, etag))
        };
        versions.iter().map(delete).collect()
    }

    async fn purge(&self, prefix: &Path) -> Result<u64> {
        self.0.write(prefix, |objects| objects.purge(prefix))
    }

    async fn copy_to(
        &self,
        source: &Path,
        target_backend: &dyn Backend,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let Some(target_backend) = target_backend.as_any().downcast_ref::<Self>() else {
            return target_backend.copy_from(self, source, target, options).await;
        };
        let object = self.0.read(source, |objects| objects.source(source, options))?;
        if source == target && Arc::ptr_eq(&self.0.objects, &target_backend.0.objects) {
            return self.stat(source).await;
        }
        let published =
            target_backend.0.write(target, |objects| objects.publish(target, object, &options.condition));
        published.map_err(Error::on_target)
    }

    async fn move_to(
        &self,
        source: &Path,
        target_backend: &dyn Backend,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        match target_backend.as_any().downcast_ref::<Self>() {
            Some(same) if Arc::ptr_eq(&self.0.objects, &same.0.objects) => {}
            Some(_) => return Err(Error::unsupported(KIND, "move to another memory").at(KIND, source)),
            None => return target_backend.move_from(self, source, target, options).await,
        }
        self.0.write(source, |objects| {
            let object = objects.source(source, options)?;
            if source == target {
                return objects.get(source).map(|object| object.info(source));
            }
            let info = objects
                .publish(target, object, &options.condition)
                .map_err(|error| error.at(KIND, target).on_target())?;
            objects.remove(source)?;
            Ok(info)
        })
    }

    async fn set_modified(&self, path: &Path, modified: Timestamp) -> Result<()> {
        self.0.write(path, |objects| objects.set_modified(path, modified))
    }

    async fn close(&self) -> Result<()> {
        self.0.close();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorCode;

    fn path(path: &str) -> Path {
        Path::parse(path).unwrap()
    }

    #[tokio::test]
    async fn no_object_lies_below_another() {
        let backend = MemoryBackend::new();
        let put = async |at: &str| backend.write_all(&path(at), "x".into(), &WriteOptions::default()).await;
        put("dir/file").await.unwrap();
        assert_eq!(put("dir/file/below").await.unwrap_err().code(), ErrorCode::NotDirectory);
        assert_eq!(put("dir").await.unwrap_err().code(), ErrorCode::IsDirectory);
        put("dir-").await.unwrap();
        put("di").await.unwrap();
        backend.delete(&[path("dir/file")]).await.remove(0).unwrap();
        put("dir").await.unwrap(); // a directory is only what objects share
    }

    #[tokio::test]
    async fn a_shared_segment_is_listed_and_is_nothing_by_itself() {
        let backend = MemoryBackend::new();
        backend.write_all(&path("dir/file"), "x".into(), &WriteOptions::default()).await.unwrap();
        let mut listing = backend.list(&Path::root(), &ListOptions::default()).await.unwrap();
        assert_eq!(
            listing.next_entries(9).await.unwrap(),
            [ObjectInfo::new(path("dir"), ObjectKind::Directory)]
        );
        assert_eq!(backend.stat(&path("dir")).await.unwrap_err().code(), ErrorCode::NotFound);
    }

    #[tokio::test]
    async fn a_capacity_is_kept_and_what_is_gone_makes_room() {
        let backend = MemoryBackend::from_config(Config::from([("capacity", "100000")])).unwrap();
        let options = WriteOptions::default();
        let put = async |at: &str, size: usize| {
            backend.write_all(&path(at), vec![7; size].into(), &options).await.map(drop)
        };
        let full = |refused: Result<()>| {
            let error = refused.unwrap_err();
            assert_eq!(error.code(), ErrorCode::NoSpace, "{error}");
            assert!(error.message().contains("100000 bytes"), "{error}");
        };
        put("a", 60_000).await.unwrap();
        full(put("b", 60_000).await);
        // The old object is there until the new one is whole.
        full(put("a", 60_000).await);
        put("a", 30_000).await.unwrap();
        put("b", 60_000).await.unwrap();
        full(put("c", 10_000).await);
        let mut upload = backend.write(&path("c"), &options).await.unwrap();
        full(upload.push(vec![0; 10_000].into()).await);
        drop(upload);
        backend.delete(&[path("b")]).await.remove(0).unwrap();
        let mut upload = backend.write(&path("c"), &options).await.unwrap();
        upload.push(vec![0; 50_000].into()).await.unwrap();
        full(put("d", 50_000).await);
        upload.abort().await;
        put("d", 50_000).await.unwrap();
        // Names are bytes too.
        let names = async {
            for number in 0..1000 {
                put(&format!("many/{number}"), 0).await?;
            }
            Ok(())
        };
        full(names.await);
        // Copies share what they have.
        backend.purge(&path("many")).await.unwrap();
        for number in 0..5 {
            backend.copy_to(&path("d"), &backend, &path(&format!("copy {number}")), &options).await.unwrap();
        }
        let error = MemoryBackend::from_config(Config::from([("capacity", "much")])).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
    }

    #[tokio::test]
    async fn copies_to_another_memory_share_the_bytes() {
        let [here, there] = [MemoryBackend::new(), MemoryBackend::new()];
        let contents = Bytes::from(vec![1; 1000]);
        here.write_all(&path("a"), contents.clone(), &WriteOptions::default()).await.unwrap();
        here.copy_to(&path("a"), &there, &path("a"), &WriteOptions::default()).await.unwrap();
        let copy = there.read_all(&path("a"), &ReadOptions::default(), 1000).await.unwrap();
        assert_eq!(copy.as_ptr(), contents.as_ptr());
    }
}
