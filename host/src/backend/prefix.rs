//! A backend whose root is a directory of another one.

use std::{any::Any, future::Future, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use omnistorage_types::Path;

use super::{
    Backend, Capabilities, CopyRequest, ListOptions, Listed, Listing, ListingFailure, ObjectVersion,
    ReadOptions, Reader, Unlisted, Upload, WriteOptions, inward, require_object,
};
use crate::{Error, ErrorCode, Hash, HashAlgorithm, ObjectInfo, ObjectKind, Result, Timestamp};

/// Only what is below a path of another backend: with the prefix `tenant1`, `a` is `tenant1/a` there, and neither
/// `tenant10/a` nor `tenant1` itself can be reached. The prefix need not exist before something is written.
///
/// ```
/// use std::sync::Arc;
/// use omnistorage::{Backend, MemoryBackend, Path, backend::prefix::Prefix};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> omnistorage::Result<()> {
/// let all = Arc::new(MemoryBackend::new());
/// let mine = Prefix::new(all.clone(), Path::parse("tenant1")?);
/// mine.write_all(&Path::parse("a")?, "x".into(), &Default::default()).await?;
/// assert!(all.exists(&Path::parse("tenant1/a")?).await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Prefix {
    inner: Arc<dyn Backend>,
    prefix: Path,
}

impl Prefix {
    /// What is below `prefix`.
    pub fn new(inner: Arc<dyn Backend>, prefix: Path) -> Self {
        Self { inner, prefix }
    }

    /// The path as the backend inside knows it.
    fn inside(&self, path: &Path) -> Result<Path> {
        self.prefix.join(path).map_err(|error| Error::from(error).at(self.kind(), path))
    }

    /// The same for the path of an object: the root is none, whatever is at the prefix.
    fn object(&self, path: &Path) -> Result<Path> {
        require_object(path).map_err(|error| error.at(self.kind(), path))?;
        self.inside(path)
    }

    /// Makes sure that there is something for this to be a prefix in. The prefix itself need not exist, and rights may
    /// end at it.
    async fn check_root(&self) -> Result<()> {
        if !self.capabilities().features.directories {
            let one = ListOptions { limit: Some(1), ..ListOptions::default() };
            return self.inner.list(&self.prefix, &one).await?.next(1).await.map(drop);
        }
        match self.inner.stat(&self.prefix).await {
            Err(error) if error.code() == ErrorCode::NotFound => {
                self.inner.stat(&Path::root()).await.map(drop)
            }
            found => found.map(drop),
        }
    }

    /// What the backend inside knows, as seen from here.
    fn outside(&self, mut info: ObjectInfo) -> Result<ObjectInfo> {
        info.path = self.path_outside(&info.path)?;
        Ok(info)
    }

    fn path_outside(&self, path: &Path) -> Result<Path> {
        path.strip_prefix(&self.prefix).ok_or_else(|| {
            let message = format!("the backend gave `{path}`, which is not below the prefix");
            Error::new(ErrorCode::Other, message)
        })
    }

    fn failure_outside(&self, failure: ListingFailure) -> Result<ListingFailure> {
        let what = match failure.what {
            Unlisted::Directory(path) => Unlisted::Directory(self.path_outside(&path)?),
            Unlisted::Entry(path) => Unlisted::Entry(self.path_outside(&path)?),
            Unlisted::Name { directory, name } => {
                let below = name.strip_prefix(self.prefix.as_str());
                let name = match below.and_then(|below| below.strip_prefix('/')) {
                    Some(below) if !self.prefix.is_root() => below.to_owned(),
                    _ => name,
                };
                Unlisted::Name { directory: self.path_outside(&directory)?, name }
            }
        };
        let error = self.explain(failure.error, what.path());
        Ok(ListingFailure { what, error })
    }

    /// The error as seen from here: at `path`, unless it says otherwise.
    fn explain(&self, error: Error, path: &Path) -> Error {
        let inside = error.location().and_then(|(_, inside)| Path::parse(inside).ok());
        let outside = inside.and_then(|inside| inside.strip_prefix(&self.prefix));
        error.at_location(self.kind().to_owned(), outside.unwrap_or_else(|| path.clone()).into())
    }

    /// The error of a copy or a move from here; what it says about the target stays.
    fn explain_source(&self, error: Error, inside: &Path, path: &Path) -> Error {
        match error.location() {
            _ if error.is_on_target() => error,
            Some((_, at)) if at != inside.as_str() => error,
            _ => error.at_location(self.kind().to_owned(), path.as_str().to_owned()),
        }
    }

    /// The error of a copy or a move to here; what it says about the source stays.
    fn explain_target(&self, error: Error, path: &Path) -> Error {
        if error.is_on_target() { self.explain(error, path) } else { error }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Backend for Prefix {
    fn kind(&self) -> &str {
        self.inner.kind()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn is_decorator(&self) -> bool {
        true
    }

    async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader> {
        let read = self.inner.read(&self.object(path)?, options).await;
        let reader = read.map_err(|error| self.explain(error, path))?;
        let (outer, path) = (self.clone(), path.clone());
        let contents = reader.contents.map(move |chunk| chunk.map_err(|error| outer.explain(error, &path)));
        Ok(Reader { info: self.outside(reader.info)?, contents: contents.boxed() })
    }

    async fn read_all(&self, path: &Path, options: &ReadOptions, max: usize) -> Result<Bytes> {
        let read = self.inner.read_all(&self.object(path)?, options, max).await;
        read.map_err(|error| self.explain(error, path))
    }

    async fn write(&self, path: &Path, options: &WriteOptions) -> Result<Box<dyn Upload>> {
        let begun = self.inner.write(&self.object(path)?, options).await;
        let upload = begun.map_err(|error| self.explain(error, path))?;
        Ok(Box::new(PrefixUpload { upload, outer: self.clone(), path: path.clone() }))
    }

    async fn write_all(&self, path: &Path, contents: Bytes, options: &WriteOptions) -> Result<ObjectInfo> {
        let written = self.inner.write_all(&self.object(path)?, contents, options).await;
        self.outside(written.map_err(|error| self.explain(error, path))?)
    }

    async fn exists(&self, path: &Path) -> Result<bool> {
        if !path.is_root() {
            return self.inner.exists(&self.inside(path)?).await.map_err(|error| self.explain(error, path));
        }
        match self.stat(path).await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        if path.is_root() {
            self.check_root().await.map_err(|error| self.explain(error, path))?;
            return Ok(ObjectInfo::new(Path::root(), ObjectKind::Directory));
        }
        let found = self.inner.stat(&self.inside(path)?).await;
        self.outside(found.map_err(|error| self.explain(error, path))?)
    }

    async fn list(&self, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
        let inside = |bound: &Option<Path>| bound.as_ref().map(|bound| self.inside(bound)).transpose();
        let (start_after, until) = (inside(&options.start_after)?, inside(&options.until)?);
        let options = ListOptions { start_after, until, ..options.clone() };
        let listed = self.inner.list(&self.inside(prefix)?, &options).await;
        let listing = listed.map_err(|error| self.explain(error, prefix))?;
        Ok(Box::new(PrefixListing { listing, outer: self.clone(), prefix: prefix.clone() }))
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        let delete = async |inside: Vec<Path>| self.inner.delete(&inside).await;
        let explain = |error, _: &Path, path: &Path| self.explain(error, path);
        in_order(paths, |path| self.object(path), delete, explain).await
    }

    async fn delete_if_match(&self, versions: &[ObjectVersion]) -> Vec<Result<()>> {
        let inside = |version: &ObjectVersion| {
            Ok(ObjectVersion { path: self.object(&version.path)?, etag: version.etag.clone() })
        };
        let delete = async |inside: Vec<ObjectVersion>| self.inner.delete_if_match(&inside).await;
        let explain = |error, _: &ObjectVersion, version: &ObjectVersion| self.explain(error, &version.path);
        in_order(versions, inside, delete, explain).await
    }

    async fn mkdir(&self, path: &Path) -> Result<()> {
        self.inner.mkdir(&self.inside(path)?).await.map_err(|error| self.explain(error, path))
    }

    async fn rmdir(&self, path: &Path) -> Result<()> {
        if path.is_root() && self.capabilities().features.directories {
            let refused = Error::new(ErrorCode::PermissionDenied, "the root is not removed");
            return Err(refused.at(self.kind(), path));
        }
        self.inner.rmdir(&self.inside(path)?).await.map_err(|error| self.explain(error, path))
    }

    async fn purge(&self, prefix: &Path) -> Result<u64> {
        self.inner.purge(&self.inside(prefix)?).await.map_err(|error| self.explain(error, prefix))
    }

    async fn sweep(&self, prefix: &Path, older_than: Duration) -> Result<u64> {
        let swept = self.inner.sweep(&self.inside(prefix)?, older_than).await;
        swept.map_err(|error| self.explain(error, prefix))
    }

    async fn copy_to(
        &self,
        source: &Path,
        target_backend: &dyn Backend,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let inside = self.object(source)?;
        let copied = self.inner.copy_to(&inside, target_backend, target, options).await;
        copied.map_err(|error| self.explain_source(error, &inside, source))
    }

    async fn copy_many(
        &self,
        requests: &[CopyRequest],
        target_backend: &dyn Backend,
    ) -> Vec<Result<ObjectInfo>> {
        let inside = |request: &CopyRequest| {
            Ok(CopyRequest { source: self.object(&request.source)?, ..request.clone() })
        };
        let copy = async |inside: Vec<CopyRequest>| self.inner.copy_many(&inside, target_backend).await;
        let explain = |error, inside: &CopyRequest, request: &CopyRequest| {
            self.explain_source(error, &inside.source, &request.source)
        };
        in_order(requests, inside, copy, explain).await
    }

    async fn copy_from(
        &self,
        source_backend: &dyn Backend,
        source: &Path,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let inside = self.object(target).map_err(Error::on_target)?;
        let copied = inward::copy(&*self.inner, source_backend, source, &inside, options).await;
        self.outside(copied.map_err(|error| self.explain_target(error, target))?)
    }

    async fn move_to(
        &self,
        source: &Path,
        target_backend: &dyn Backend,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let inside = self.object(source)?;
        let moved = self.inner.move_to(&inside, target_backend, target, options).await;
        moved.map_err(|error| self.explain_source(error, &inside, source))
    }

    async fn move_from(
        &self,
        source_backend: &dyn Backend,
        source: &Path,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let inside = self.object(target).map_err(Error::on_target)?;
        let moved = inward::relocate(&*self.inner, source_backend, source, &inside, options).await;
        self.outside(moved.map_err(|error| self.explain_target(error, target))?)
    }

    async fn set_modified(&self, path: &Path, modified: Timestamp) -> Result<()> {
        let set = self.inner.set_modified(&self.object(path)?, modified).await;
        set.map_err(|error| self.explain(error, path))
    }

    async fn hash(&self, path: &Path, algorithm: HashAlgorithm) -> Result<Hash> {
        let hashed = self.inner.hash(&self.object(path)?, algorithm).await;
        hashed.map_err(|error| self.explain(error, path))
    }

    async fn hash_many(&self, paths: &[Path], algorithm: HashAlgorithm) -> Vec<Result<Hash>> {
        let hash = async |inside: Vec<Path>| self.inner.hash_many(&inside, algorithm).await;
        let explain = |error, _: &Path, path: &Path| self.explain(error, path);
        in_order(paths, |path| self.object(path), hash, explain).await
    }

    async fn close(&self) -> Result<()> {
        self.inner.close().await
    }
}

/// A call about many paths, as the backend inside knows them. A path that is refused here does not stop the others, and
/// the results are in order.
async fn in_order<I: Clone, T, F: Future<Output = Vec<Result<T>>>>(
    items: &[I],
    inside: impl Fn(&I) -> Result<I>,
    call: impl FnOnce(Vec<I>) -> F,
    explain: impl Fn(Error, &I, &I) -> Error,
) -> Vec<Result<T>> {
    let inside: Vec<_> = items.iter().map(inside).collect();
    let mut results = call(inside.iter().flatten().cloned().collect()).await.into_iter();
    let in_order = items.iter().zip(inside).filter_map(|(item, inside)| match inside {
        Ok(inside) => results.next().map(|result| result.map_err(|error| explain(error, &inside, item))),
        Err(refused) => Some(Err(refused)),
    });
    in_order.collect()
}

struct PrefixUpload {
    upload: Box<dyn Upload>,
    outer: Prefix,
    path: Path,
}

#[async_trait]
impl Upload for PrefixUpload {
    async fn push(&mut self, chunk: Bytes) -> Result<()> {
        self.upload.push(chunk).await.map_err(|error| self.outer.explain(error, &self.path))
    }

    async fn commit(self: Box<Self>) -> Result<ObjectInfo> {
        let Self { upload, outer, path } = *self;
        outer.outside(upload.commit().await.map_err(|error| outer.explain(error, &path))?)
    }

    async fn abort(self: Box<Self>) {
        self.upload.abort().await;
    }
}

struct PrefixListing {
    listing: Box<dyn Listing>,
    outer: Prefix,
    prefix: Path,
}

#[async_trait]
impl Listing for PrefixListing {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        let entries = self.listing.next(max).await;
        let entries = entries.map_err(|error| self.outer.explain(error, &self.prefix))?;
        let outside = |listed| match listed {
            Listed::Entry(entry) => self.outer.outside(entry).map(Listed::Entry),
            Listed::Failure(failure) => self.outer.failure_outside(*failure).map(Listed::from),
        };
        entries.into_iter().map(outside).collect()
    }
}
