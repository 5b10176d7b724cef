//! Repeats calls that failed for a reason that may pass.

pub(super) mod attempts;
mod resume;
#[cfg(test)]
mod tests;

use std::{any::Any, future::Future, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use omnistorage_types::Path;

use self::{
    attempts::Attempts,
    resume::{RetryListing, resuming},
};
use super::{
    Backend, Capabilities, CopyRequest, ListOptions, Listing, ObjectVersion, ReadOptions, Reader, Upload,
    WriteCondition, WriteOptions, inward,
};
pub use crate::retry_options::RetryOptions;
use crate::{Hash, HashAlgorithm, ObjectInfo, Result, Timestamp};

/// Repeats calls that fail with an error that may [pass](crate::Error::may_pass), after waits that grow, vary, and are
/// never shorter than the store asks for. A backend that tries again by itself is not made to do so more often: what it
/// has [given up](crate::Error::is_given_up) is not repeated.
///
/// Only calls that may be repeated are. A body that breaks off is continued at that byte, if the backend reads ranges
/// and the etag shows that the object is still the same; a sorted listing continues after its last entry. Never
/// repeated are the steps of an upload, because their bytes are gone, and calls whose repetition would be misleading if
/// only the answer was lost: conditional writes, moves, `rmdir` and `purge`.
///
/// The error of the last attempt says how many there were and how long they took together.
///
/// ```
/// use std::sync::Arc;
/// use omnistorage::{
///     Backend, Error, ErrorCode, MemoryBackend, Path,
///     backend::{fault::{Fault, Faults}, layer::Layered, retry::{Retry, RetryOptions}},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> omnistorage::Result<()> {
/// let fault = Fault::Error(Error::new(ErrorCode::Unavailable, "the store is busy"));
/// let unsteady = Layered::new(Arc::new(MemoryBackend::new()), Faults::at(0, fault));
/// let backend = Retry::new(Arc::new(unsteady), RetryOptions::default());
/// backend.write_all(&Path::parse("a")?, "x".into(), &Default::default()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Retry {
    inner: Arc<dyn Backend>,
    options: RetryOptions,
}

impl Retry {
    /// Repeats what fails inside.
    pub fn new(inner: Arc<dyn Backend>, options: RetryOptions) -> Self {
        Self { inner, options }
    }

    fn attempts(&self) -> Attempts {
        Attempts::new(self.options)
    }

    /// Makes a call until it succeeds, fails for good, or enough attempts were made.
    async fn repeat<T, F: Future<Output = Result<T>>>(&self, mut attempt: impl FnMut() -> F) -> Result<T> {
        let mut attempts = self.attempts();
        loop {
            match attempt().await {
                Err(error) => attempts.again_after(error).await?,
                done => return done,
            }
        }
    }

    /// The same for a call that puts an object in its place: under a condition it is made once.
    async fn repeat_if_always<T, F: Future<Output = Result<T>>>(
        &self,
        options: &WriteOptions,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T> {
        match options.condition {
            WriteCondition::Always => self.repeat(attempt).await,
            WriteCondition::IfAbsent | WriteCondition::IfMatch(_) => attempt().await,
        }
    }

    /// Makes a call about many, then again about those that failed.
    async fn repeat_many<I: Clone, T, F: Future<Output = Vec<Result<T>>>>(
        &self,
        items: &[I],
        may_repeat: impl Fn(&I) -> bool,
        mut attempt: impl FnMut(Vec<I>) -> F,
    ) -> Vec<Result<T>> {
        let mut results = attempt(items.to_vec()).await;
        let mut attempts = self.attempts();
        loop {
            let failed = results.iter().zip(items).enumerate().filter_map(|(at, (result, item))| {
                let error = result.as_ref().err()?;
                (error.may_pass() && may_repeat(item)).then(|| (at, item.clone(), error.clone()))
            });
            let failed: Vec<_> = failed.collect();
            // The error that asks for the longest wait decides for all.
            let Some((_, _, error)) = failed.iter().max_by_key(|(_, _, error)| error.retry_after()) else {
                return results;
            };
            if attempts.again_after(error.clone()).await.is_err() {
                for (at, _, error) in failed {
                    results[at] = Err(attempts.given_up(error));
                }
                return results;
            }
            let again = attempt(failed.iter().map(|(_, item, _)| item.clone()).collect()).await;
            for ((at, _, _), result) in failed.iter().zip(again) {
                results[*at] = result;
            }
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Backend for Retry {
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
        let Reader { info, contents } = self.repeat(|| self.inner.read(path, options)).await?;
        let contents = match &info.etag {
            Some(etag) if self.capabilities().features.range_read => {
                let options = ReadOptions { if_match: Some(etag.clone()), ..options.clone() };
                resuming(contents, self.clone(), path.clone(), options)
            }
            _ => contents,
        };
        Ok(Reader { info, contents })
    }

    async fn read_all(&self, path: &Path, options: &ReadOptions, max: usize) -> Result<Bytes> {
        self.repeat(|| self.inner.read_all(path, options, max)).await
    }

    async fn write(&self, path: &Path, options: &WriteOptions) -> Result<Box<dyn Upload>> {
        self.repeat(|| self.inner.write(path, options)).await
    }

    async fn write_all(&self, path: &Path, contents: Bytes, options: &WriteOptions) -> Result<ObjectInfo> {
        self.repeat_if_always(options, || self.inner.write_all(path, contents.clone(), options)).await
    }

    async fn exists(&self, path: &Path) -> Result<bool> {
        self.repeat(|| self.inner.exists(path)).await
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        self.repeat(|| self.inner.stat(path)).await
    }

    async fn list(&self, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
        let listing = self.repeat(|| self.inner.list(prefix, options)).await?;
        if !self.capabilities().features.sorted_list {
            return Ok(listing);
        }
        Ok(Box::new(RetryListing::new(listing, self.clone(), prefix.clone(), options.clone())))
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        self.repeat_many(paths, |_| true, async |paths: Vec<Path>| self.inner.delete(&paths).await).await
    }

    /// What is gone is no failure, so that it can be made again.
    async fn delete_if_match(&self, versions: &[ObjectVersion]) -> Vec<Result<()>> {
        let delete = async |versions: Vec<ObjectVersion>| self.inner.delete_if_match(&versions).await;
        self.repeat_many(versions, |_| true, delete).await
    }

    async fn mkdir(&self, path: &Path) -> Result<()> {
        self.repeat(|| self.inner.mkdir(path)).await
    }

    async fn rmdir(&self, path: &Path) -> Result<()> {
        self.inner.rmdir(path).await
    }

    async fn purge(&self, prefix: &Path) -> Result<u64> {
        self.inner.purge(prefix).await
    }

    async fn sweep(&self, prefix: &Path, older_than: Duration) -> Result<u64> {
        self.repeat(|| self.inner.sweep(prefix, older_than)).await
    }

    async fn copy_to(
        &self,
        source: &Path,
        target_backend: &dyn Backend,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let copy = || self.inner.copy_to(source, target_backend, target, options);
        self.repeat_if_always(options, copy).await
    }

    async fn copy_many(
        &self,
        requests: &[CopyRequest],
        target_backend: &dyn Backend,
    ) -> Vec<Result<ObjectInfo>> {
        let may_repeat = |request: &CopyRequest| request.options.condition == WriteCondition::Always;
        let copy = async |requests: Vec<CopyRequest>| self.inner.copy_many(&requests, target_backend).await;
        self.repeat_many(requests, may_repeat, copy).await
    }

    async fn copy_from(
        &self,
        source_backend: &dyn Backend,
        source: &Path,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let copy = || inward::copy(&*self.inner, source_backend, source, target, options);
        self.repeat_if_always(options, copy).await
    }

    async fn move_to(
        &self,
        source: &Path,
        target_backend: &dyn Backend,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        self.inner.move_to(source, target_backend, target, options).await
    }

    async fn move_from(
        &self,
        source_backend: &dyn Backend,
        source: &Path,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        inward::relocate(&*self.inner, source_backend, source, target, options).await
    }

    async fn set_modified(&self, path: &Path, modified: Timestamp) -> Result<()> {
        self.repeat(|| self.inner.set_modified(path, modified)).await
    }

    async fn hash(&self, path: &Path, algorithm: HashAlgorithm) -> Result<Hash> {
        self.repeat(|| self.inner.hash(path, algorithm)).await
    }

    async fn hash_many(&self, paths: &[Path], algorithm: HashAlgorithm) -> Vec<Result<Hash>> {
        let hash = async |paths: Vec<Path>| self.inner.hash_many(&paths, algorithm).await;
        self.repeat_many(paths, |_| true, hash).await
    }

    async fn close(&self) -> Result<()> {
        self.inner.close().await
    }
}
