//! What the engine needs of the world: backends to open, tasks, a clock.
//!
//! The calls of a [`Backend`] are those of the WIT interface `backend`, with the same promises and errors; see there.
//! Nothing needs to be [`Send`]: an engine runs on one thread.

use std::{any::Any, rc::Rc};

use async_trait::async_trait;
use futures::future::LocalBoxFuture;
use omnistorage_types::{
    Capabilities, CopyRequest, Hash, HashAlgorithm, ListOptions, Listed, ObjectInfo, ObjectVersion, Path,
    ReadOptions, Result, Timestamp, WriteOptions,
};

/// The world as an engine sees it.
#[async_trait(?Send)]
pub trait Storage {
    /// Opens a backend by its name.
    ///
    /// # Errors
    /// [`UnknownBackend`](omnistorage_types::ErrorCode::UnknownBackend).
    async fn open(&self, name: &str) -> Result<Rc<dyn Backend>>;

    /// Waits this many milliseconds.
    async fn pause(&self, milliseconds: u32);

    /// Runs a task in the background, to its end.
    fn spawn(&self, task: LocalBoxFuture<'static, ()>);

    /// The host's wall clock. The epoch if it has none.
    fn now(&self) -> Timestamp;
}

/// An open backend. Calls may overlap; one that is dropped half way leaves nothing half done.
#[async_trait(?Send)]
pub trait Backend: Any {
    /// Fixed for the life of the backend, and asked for only where something depends on them.
    async fn capabilities(&self) -> Capabilities;

    /// Opens an object.
    async fn read(&self, path: Path, options: ReadOptions) -> Result<Reader>;

    /// Writes an object, which is there as a whole once this is ok. Fails with the error of the body if that fails.
    async fn write(&self, path: Path, contents: Contents, options: WriteOptions) -> Result<ObjectInfo>;

    /// What is known about a path.
    async fn stat(&self, path: Path) -> Result<ObjectInfo>;

    /// Opens a listing.
    async fn list(&self, prefix: Path, options: ListOptions) -> Result<Box<dyn Listing>>;

    /// Deletes objects and links: one result a path, in their order.
    async fn delete(&self, paths: Vec<Path>) -> Vec<Result<()>>;

    /// Deletes objects that are still of these versions: one result a version, in their order.
    async fn delete_if_match(&self, versions: Vec<ObjectVersion>) -> Vec<Result<()>>;

    /// Makes a directory and those above it.
    async fn mkdir(&self, path: Path) -> Result<()>;

    /// Removes an empty directory.
    async fn rmdir(&self, path: Path) -> Result<()>;

    /// Deletes everything below a prefix; gives the number of objects.
    async fn purge(&self, prefix: Path) -> Result<u64>;

    /// Removes what unfinished writes left behind that began at least this many seconds ago; returns how many.
    async fn sweep(&self, prefix: Path, older_than_s: u64) -> Result<u64>;

    /// Copies objects to a backend of the same port: one result a request, in their order.
    async fn copy_many(&self, requests: Vec<CopyRequest>, target: &dyn Backend) -> Vec<Result<ObjectInfo>>;

    /// Moves an object in one step.
    async fn move_to(
        &self,
        source: Path,
        target_backend: &dyn Backend,
        target: Path,
        options: WriteOptions,
    ) -> Result<ObjectInfo>;

    /// Sets the modification time.
    async fn set_modified(&self, path: Path, modified: Timestamp) -> Result<()>;

    /// The hash of a whole object.
    async fn hash(&self, path: Path, algorithm: HashAlgorithm) -> Result<Hash>;

    /// The same for many: one result a path, in their order.
    async fn hash_many(&self, paths: Vec<Path>, algorithm: HashAlgorithm) -> Vec<Result<Hash>>;

    /// Limits the bytes that move through this handle, in bytes a second.
    async fn limit_bandwidth(&self, bytes_per_second: Option<u64>);
}

/// A cursor over a listing. Dropping it ends the listing.
#[async_trait(?Send)]
pub trait Listing {
    /// The next entries or failures, at most `max`; an empty list is the end.
    async fn next(&self, max: u32) -> Result<Vec<Listed>>;
}

/// An open object.
pub struct Reader {
    /// Of the whole object, also for a range.
    pub info: ObjectInfo,
    /// Its bytes.
    pub contents: Contents,
}

/// Bytes as they come.
pub type Contents = Box<dyn Body>;

/// Bytes as they come, and whether their end is the true end.
#[async_trait(?Send)]
pub trait Body: Any {
    /// The next bytes, at least one; `None` after the true end. `buffer` is taken for its capacity.
    ///
    /// # Errors
    /// Whatever keeps the rest from coming. It is final.
    async fn next(&mut self, buffer: Vec<u8>) -> Result<Option<Vec<u8>>>;
}
