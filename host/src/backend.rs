//! The trait that every backend implements, and the backends.
//!
//! A backend stores bytes under [`Path`]s. It promises what its [`Capabilities`] claim, and fails with
//! [`ErrorCode::Unsupported`] for the rest; callers find another way. `omnistorage-conformance` holds any
//! implementation to that.

mod allowance;
mod announced;
#[cfg(feature = "azblob")]
pub mod azblob;
pub mod channel;
mod checksum;
pub(crate) mod clock;
mod closed;
#[cfg(feature = "cloud")]
#[cfg_attr(
    not(any(feature = "azblob", feature = "gcs", feature = "s3")),
    allow(dead_code, reason = "web servers are read alone: they have no keys, parts and signatures")
)]
mod cloud;
#[cfg(any(feature = "cloud", feature = "opendal"))]
#[cfg_attr(
    not(any(feature = "azblob", feature = "gcs", feature = "s3", feature = "webdav")),
    allow(dead_code, reason = "no secret goes anywhere")
)]
mod endpoint;
pub mod fault;
#[cfg(unix)]
pub mod file;
/// What is asked of directories, whose backend is of the library that is imported.
#[cfg(all(feature = "command-line", target_family = "wasm"))]
pub(crate) mod file {
    #[allow(dead_code, unreachable_pub, reason = "the names of links are the business of the backend")]
    mod links;

    pub(crate) use links::Links;
}
#[cfg(feature = "gcs")]
pub mod gcs;
mod handle;
#[cfg(feature = "http")]
pub mod http;
mod inward;
pub mod layer;
pub mod limit;
mod limited;
pub mod memory;
mod meter;
pub mod observe;
#[cfg(feature = "opendal")]
pub mod opendal;
pub mod prefix;
pub mod read_only;
pub mod retry;
#[cfg(feature = "s3")]
pub mod s3;
#[cfg(feature = "sftp")]
pub mod sftp;
pub mod sorted;
#[cfg(any(feature = "cloud", target_family = "wasm"))]
mod task;
#[cfg(any(unix, feature = "opendal", feature = "sftp"))]
mod temporary_name;
#[cfg(any(feature = "cloud", feature = "opendal"))]
mod throughput;
#[cfg(all(any(feature = "cloud", feature = "opendal"), not(target_family = "wasm")))]
pub(crate) mod tls;
mod transfer;
#[cfg(any(feature = "http", feature = "opendal", feature = "sftp"))]
mod walk;
mod whole;

use std::{any::Any, fmt::Debug, time::Duration};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream::BoxStream};
use omnistorage_types::Path;

pub use allowance::{Allowance, Allowed};
pub use announced::Announced;
pub use handle::Handle;
pub use limited::limited;
pub use meter::Meter;
pub use omnistorage_types::{
    Capabilities, Features, ListOptions, Listed, ListingFailure, ObjectVersion, ReadOptions, Unlisted,
    WriteCondition,
};
pub use transfer::transfer;
pub use whole::{WholeListing, WholeUpload};

use crate::{Error, ErrorCode, Hash, HashAlgorithm, Hasher, Metadata, ObjectInfo, Result, Timestamp};

/// What is stored beside the bytes, and what must hold of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// When the write may take place.
    pub condition: WriteCondition,
    /// A media type.
    pub content_type: Option<String>,
    /// `None`: the time of the write.
    pub modified: Option<Timestamp>,
    /// Replaces all user metadata of the old object.
    pub metadata: Metadata,
    /// The write fails with [`ErrorCode::Corrupted`], and the old object stays, if the size differs.
    pub expected_size: Option<u64>,
    /// The same for the hash of the bytes.
    pub expected_hash: Option<Hash>,
    /// Learns how far the write is: [`Backend::copy_to`] and [`transfer`] report to it, other writes need not.
    pub meter: Meter,
    /// Bounds what it gathers in memory before it is sent on.
    pub allowance: Allowance,
}

impl WriteOptions {
    /// For backends of the given kind that keep bytes and nothing beside them.
    ///
    /// # Errors
    /// [`ErrorCode::Unsupported`] if more is to be kept, or if there is a condition.
    pub fn require_plain(&self, kind: &str) -> Result<()> {
        let plain = Self {
            expected_size: self.expected_size,
            expected_hash: self.expected_hash.clone(),
            ..Self::default()
        };
        if *self == plain {
            Ok(())
        } else {
            Err(Error::unsupported(kind, "conditions, content types, modification times or metadata"))
        }
    }
}

impl From<omnistorage_types::WriteOptions> for WriteOptions {
    fn from(options: omnistorage_types::WriteOptions) -> Self {
        let omnistorage_types::WriteOptions {
            condition,
            content_type,
            modified,
            metadata,
            expected_size,
            expected_hash,
        } = options;
        Self {
            condition,
            content_type,
            modified,
            metadata,
            expected_size,
            expected_hash,
            meter: Meter::default(),
            allowance: Allowance::default(),
        }
    }
}

impl From<&WriteOptions> for omnistorage_types::WriteOptions {
    fn from(options: &WriteOptions) -> Self {
        let WriteOptions {
            condition,
            content_type,
            modified,
            metadata,
            expected_size,
            expected_hash,
            meter: _,
            allowance: _,
        } = options.clone();
        Self { condition, content_type, modified, metadata, expected_size, expected_hash }
    }
}

/// One of many copies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyRequest {
    /// In the backend that is asked.
    pub source: Path,
    /// In the target backend.
    pub target: Path,
    /// As for [`Backend::copy_to`].
    pub options: WriteOptions,
}

/// The bytes of an object as they come. An error ends it; an end without one is the true end.
pub type Contents = BoxStream<'static, Result<Bytes>>;

/// An open object.
pub struct Reader {
    /// Of the whole object, also for a range.
    pub info: ObjectInfo,
    /// The bytes asked for.
    pub contents: Contents,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("info", &self.info).finish_non_exhaustive()
    }
}

/// A write in the making. Nothing of it is visible before [`Upload::commit`]; dropped or aborted, it leaves nothing.
#[async_trait]
pub trait Upload: Send {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// As [`Backend::write`]. After an error only dropping or aborting makes sense.
    async fn push(&mut self, chunk: Bytes) -> Result<()>;

    /// Puts the object in place of the old one, in one step.
    ///
    /// # Errors
    /// [`ErrorCode::Corrupted`] if size or hash are not those expected; [`ErrorCode::PreconditionFailed`]; as
    /// [`Backend::write`]. The old object stays.
    async fn commit(self: Box<Self>) -> Result<ObjectInfo>;

    /// Gives up, and waits until nothing is left. A drop does the same without waiting.
    async fn abort(self: Box<Self>);
}

/// A cursor over a listing in byte order of the full paths. Dropping it ends the listing.
#[async_trait]
pub trait Listing: Send {
    /// At least one and at most `max` further entries or failures; an empty list is the end. `max` is at least 1. One
    /// name or one directory that cannot be listed is a failure among the entries, and the rest goes on.
    ///
    /// # Errors
    /// The listing was not complete, and ends here.
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>>;

    /// The same, for callers that treat a failure among the entries like an incomplete listing.
    ///
    /// # Errors
    /// As [`Listing::next`], and that of the first failure.
    async fn next_entries(&mut self, max: usize) -> Result<Vec<ObjectInfo>> {
        self.next(max).await?.into_iter().map(Listed::into_entry).collect()
    }
}

/// Raw byte storage. Calls may overlap. Every method may be cancelled by dropping its future, and then it has either
/// happened or not.
///
/// Methods have defaults where one answer fits every backend: not supported, or what follows from the other methods.
#[async_trait]
pub trait Backend: Debug + Send + Sync + 'static {
    /// The kind, as registered: `file`, `memory`. Errors name it.
    fn kind(&self) -> &str;

    /// What it can do. This never changes.
    fn capabilities(&self) -> Capabilities;

    /// For backends that know a shorter way to another one of their own kind.
    fn as_any(&self) -> &dyn Any;

    /// Whether it hands calls on to a backend inside, so that copies from elsewhere go in by [`Backend::copy_from`]:
    /// from one decorator to the next, not back to the source at each.
    fn is_decorator(&self) -> bool {
        false
    }

    /// Opens an object.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`], [`ErrorCode::IsDirectory`], [`ErrorCode::PreconditionFailed`] by `if_match`.
    async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader>;

    /// The whole object, or range, by value.
    ///
    /// # Errors
    /// [`ErrorCode::LimitExceeded`] above `max` bytes; as [`Backend::read`].
    async fn read_all(&self, path: &Path, options: &ReadOptions, max: usize) -> Result<Bytes> {
        let mut contents = self.read(path, options).await?.contents;
        let mut all = BytesMut::new();
        while let Some(chunk) = contents.next().await {
            let chunk = chunk?;
            if all.len() + chunk.len() > max {
                return Err(too_large(max).at(self.kind(), path));
            }
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }

    /// Begins to write an object. Directories above it are made when it is committed, at the latest.
    ///
    /// # Errors
    /// [`ErrorCode::IsDirectory`], [`ErrorCode::NotDirectory`], [`ErrorCode::PreconditionFailed`],
    /// [`ErrorCode::NoSpace`]; [`ErrorCode::Unsupported`] for an option that is not in the capabilities.
    async fn write(&self, path: &Path, options: &WriteOptions) -> Result<Box<dyn Upload>>;

    /// Writes an object by value.
    ///
    /// # Errors
    /// As [`Backend::write`] and [`Upload::commit`].
    async fn write_all(&self, path: &Path, contents: Bytes, options: &WriteOptions) -> Result<ObjectInfo> {
        let mut upload = self.write(path, options).await?;
        if let Err(error) = upload.push(contents).await {
            upload.abort().await;
            return Err(error);
        }
        upload.commit().await
    }

    /// Whether there is anything at the path.
    ///
    /// # Errors
    /// As [`Backend::stat`], but for [`ErrorCode::NotFound`].
    async fn exists(&self, path: &Path) -> Result<bool> {
        match self.stat(path).await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What is known about the path, content type and metadata included. The root is a directory, or is missing: who
    /// says that it is there has asked for it.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`].
    async fn stat(&self, path: &Path) -> Result<ObjectInfo>;

    /// Opens a listing of what is below a prefix. The prefix itself is never an entry. A prefix that does not exist, or
    /// that is an object, gives an empty listing; one that cannot be read gives an error, and so does a store without
    /// directories that is missing as a whole. Where the backend has directories, recursive listings hold them too.
    ///
    /// # Errors
    /// What keeps the listing from being complete.
    async fn list(&self, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>>;

    /// Deletes objects and links; fine for paths that do not exist. The results stand in the order of the paths.
    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>>;

    /// Deletes objects that are still of these versions; one that is another stays. Fine where nothing is any more. The
    /// results stand in the order of the versions.
    ///
    /// # Errors
    /// Of each: [`ErrorCode::PreconditionFailed`] if it is another version, [`ErrorCode::Unsupported`].
    async fn delete_if_match(&self, versions: &[ObjectVersion]) -> Vec<Result<()>> {
        let unsupported = |version: &ObjectVersion| {
            Err(Error::unsupported(self.kind(), "deletes if an etag matches").at(self.kind(), &version.path))
        };
        versions.iter().map(unsupported).collect()
    }

    /// Makes a directory and those above it; one that exists is fine.
    ///
    /// # Errors
    /// [`ErrorCode::Unsupported`], [`ErrorCode::NotDirectory`].
    async fn mkdir(&self, path: &Path) -> Result<()> {
        Err(Error::unsupported(self.kind(), "directories").at(self.kind(), path))
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// [`ErrorCode::Unsupported`], [`ErrorCode::NotFound`], [`ErrorCode::NotEmpty`], [`ErrorCode::NotDirectory`].
    async fn rmdir(&self, path: &Path) -> Result<()> {
        Err(Error::unsupported(self.kind(), "directories").at(self.kind(), path))
    }

    /// Deletes everything below a prefix, and the directory itself; gives the number of objects deleted.
    ///
    /// # Errors
    /// [`ErrorCode::Unsupported`]; [`ErrorCode::NotDirectory`] if the path is an object.
    async fn purge(&self, prefix: &Path) -> Result<u64> {
        Err(Error::unsupported(self.kind(), "purge").at(self.kind(), prefix))
    }

    /// Removes the leftovers of unfinished writes below a prefix that are older than this: uploads that the store still
    /// keeps because their program was killed or its network failed, whoever began them. Returns their number. By
    /// default that is 0, if the backend is open: nothing is left behind, or it disappears by itself.
    ///
    /// # Errors
    /// What the store says.
    async fn sweep(&self, prefix: &Path, older_than: Duration) -> Result<u64> {
        let _ = (prefix, older_than);
        self.stat(&Path::root()).await?;
        Ok(0)
    }

    /// Copies an object within this backend, or to `target_backend` if this one knows a short way there. Content
    /// type, modification time and metadata come along as far as both sides keep them, each unless the options give
    /// another. A copy onto itself changes nothing.
    ///
    /// A target of an unknown kind may be a decorator around a known one: ask its [`Backend::copy_from`] before giving
    /// up.
    ///
    /// # Errors
    /// [`ErrorCode::Unsupported`] where the bytes must be read and written; [`ErrorCode::NotFound`];
    /// [`ErrorCode::Corrupted`] if the source is not of the expected size or hash.
    async fn copy_to(
        &self,
        source: &Path,
        target_backend: &dyn Backend,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let _ = (target_backend, target, options);
        Err(Error::unsupported(self.kind(), "copy").at(self.kind(), source))
    }

    /// Many copies at once, for small objects: one result for each request, in their order. One failure does not stop
    /// the others.
    async fn copy_many(
        &self,
        requests: &[CopyRequest],
        target_backend: &dyn Backend,
    ) -> Vec<Result<ObjectInfo>> {
        let mut results = Vec::with_capacity(requests.len());
        for CopyRequest { source, target, options } in requests {
            results.push(self.copy_to(source, target_backend, target, options).await);
        }
        results
    }

    /// The other end of [`Backend::copy_to`]: a decorator lets `source_backend` copy to the backend inside, in its own
    /// way. No other backend needs it.
    ///
    /// # Errors
    /// As [`Backend::copy_to`].
    async fn copy_from(
        &self,
        source_backend: &dyn Backend,
        source: &Path,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let _ = (target, options);
        let what = format!("short way from the {} backend", source_backend.kind());
        Err(Error::unsupported(self.kind(), &what).at(source_backend.kind(), source))
    }

    /// Moves an object in one step, within this backend or to another one in the same store. It replaces an object at
    /// the target. A move onto itself changes nothing.
    ///
    /// As for [`Backend::copy_to`]: a target of no kind known here is asked by its [`Backend::move_from`].
    ///
    /// # Errors
    /// [`ErrorCode::Unsupported`] also where it takes more than one step; [`ErrorCode::NotFound`],
    /// [`ErrorCode::IsDirectory`].
    async fn move_to(
        &self,
        source: &Path,
        target_backend: &dyn Backend,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let _ = (target_backend, target, options);
        Err(Error::unsupported(self.kind(), "move").at(self.kind(), source))
    }

    /// The other end of [`Backend::move_to`], as [`Backend::copy_from`] is of [`Backend::copy_to`].
    ///
    /// # Errors
    /// As [`Backend::move_to`].
    async fn move_from(
        &self,
        source_backend: &dyn Backend,
        source: &Path,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let _ = (target, options);
        let what = format!("move in one step from the {} backend", source_backend.kind());
        Err(Error::unsupported(self.kind(), &what).at(source_backend.kind(), source))
    }

    /// Sets the modification time.
    ///
    /// # Errors
    /// [`ErrorCode::Unsupported`], [`ErrorCode::NotFound`].
    async fn set_modified(&self, path: &Path, modified: Timestamp) -> Result<()> {
        let _ = modified;
        Err(Error::unsupported(self.kind(), "modification times").at(self.kind(), path))
    }

    /// The hash of the whole object.
    ///
    /// # Errors
    /// As [`Backend::read`].
    async fn hash(&self, path: &Path, algorithm: HashAlgorithm) -> Result<Hash> {
        let mut contents = self.read(path, &ReadOptions::default()).await?.contents;
        let mut hasher = Hasher::new(algorithm);
        while let Some(chunk) = contents.next().await {
            hasher.update(&chunk?);
        }
        Ok(hasher.finish())
    }

    /// Many hashes at once, for small objects: one result for each path, in their order. One failure does not stop the
    /// others.
    async fn hash_many(&self, paths: &[Path], algorithm: HashAlgorithm) -> Vec<Result<Hash>> {
        let mut results = Vec::with_capacity(paths.len());
        for path in paths {
            results.push(self.hash(path, algorithm).await);
        }
        results
    }

    /// Ends its use: every later call fails with [`ErrorCode::BackendClosed`]. Closing twice is fine.
    ///
    /// # Errors
    /// What could not be finished.
    async fn close(&self) -> Result<()>;
}

/// Refuses the root where an object is meant: it is a directory.
///
/// # Errors
/// [`ErrorCode::IsDirectory`] for the root.
pub fn require_object(path: &Path) -> Result<()> {
    if path.is_root() { Err(Error::new(ErrorCode::IsDirectory, "the root is a directory")) } else { Ok(()) }
}

pub(crate) fn too_large(max: usize) -> Error {
    Error::new(ErrorCode::LimitExceeded, format!("the object has more than the {max} bytes asked for"))
}

/// What an error means for a body that was read in part, if it comes from asking for more of the same version.
fn gone_on(error: Error) -> Error {
    if !matches!(error.code(), ErrorCode::PreconditionFailed | ErrorCode::NotFound) {
        return error;
    }
    let message = "the object was replaced or deleted while it was read; read it again";
    let replaced = Error::new(ErrorCode::Unavailable, message);
    match error.location() {
        Some((backend, path)) => replaced.at_location(backend.to_owned(), path.to_owned()),
        None => replaced,
    }
}
