//! Something done around every call of a backend: refusing it, holding it back, counting it, breaking it.
//!
//! A [`Layer`] sees each call before and after it is made, and does not change what the call means. [`Layered`] puts
//! one around a backend, and is a backend itself, so layers can be stacked. A decorator that changes the meaning of
//! calls is a backend of its own: [`Prefix`](super::prefix::Prefix) changes paths, [`Retry`](super::retry::Retry) calls
//! again.

mod body;
mod operation;

use std::{any::Any, fmt::Debug, future::Future, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use omnistorage_types::Path;

use self::body::{LayeredListing, LayeredUpload, layered_contents};
pub use self::operation::{Call, Direction, Operation};
use super::{
    Backend, Capabilities, CopyRequest, ListOptions, Listing, ObjectVersion, ReadOptions, Reader, Upload,
    WriteOptions, inward,
};
use crate::{Hash, HashAlgorithm, ObjectInfo, Result, Timestamp};

/// What is done around each call.
///
/// ```
/// use std::{future::Future, sync::Arc};
/// use omnistorage::{
///     Backend, MemoryBackend, Path, Result,
///     backend::layer::{Call, Layer, Layered},
/// };
///
/// /// Writes down what is done.
/// #[derive(Debug)]
/// struct Audit;
///
/// impl Layer for Audit {
///     async fn around<T: Send>(
///         &self,
///         call: Call<'_>,
///         run: impl Future<Output = Result<T>> + Send,
///     ) -> Result<T> {
///         let outcome = run.await;
///         println!("{} {}: {}", call.operation, call.path, if outcome.is_ok() { "done" } else { "failed" });
///         outcome
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let backend = Layered::new(Arc::new(MemoryBackend::new()), Audit);
/// backend.write_all(&Path::parse("note")?, "text".into(), &Default::default()).await?; // write-all note: done
/// # Ok(())
/// # }
/// ```
pub trait Layer: Debug + Send + Sync + 'static {
    /// What the layered backend can do, given what the one below can.
    fn capabilities(&self, inner: Capabilities) -> Capabilities {
        inner
    }

    /// Makes one call: awaits `run` once, or fails in its place. Dropping `run` unawaited means that it was not made.
    fn around<T: Send>(
        &self,
        call: Call<'_>,
        run: impl Future<Output = Result<T>> + Send,
    ) -> impl Future<Output = Result<T>> + Send;

    /// Takes the next chunk of a body that is read; `None` is the end. By default it is a call like any other.
    fn chunk(
        &self,
        call: Call<'_>,
        next: impl Future<Output = Option<Result<Bytes>>> + Send,
    ) -> impl Future<Output = Option<Result<Bytes>>> + Send {
        async move { self.around(call, async { next.await.transpose() }).await.transpose() }
    }

    /// Puts something around a listing of what is below `prefix`, each page of which is a call. By default it does nothing.
    fn listing(&self, prefix: &Path, listing: Box<dyn Listing>) -> Box<dyn Listing> {
        let _ = prefix;
        listing
    }

    /// Is told of bytes of contents after they are read, or before they are written. As long as this waits, they wait.
    /// By default it does nothing.
    fn bytes(&self, direction: Direction, count: u64) -> impl Future<Output = ()> + Send {
        let _ = (direction, count);
        std::future::ready(())
    }
}

/// A backend with a [`Layer`] around it. A clone shares both.
#[derive(Debug)]
pub struct Layered<L> {
    inner: Arc<dyn Backend>,
    layer: Arc<L>,
}

impl<L> Clone for Layered<L> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), layer: Arc::clone(&self.layer) }
    }
}

impl<L: Layer> Layered<L> {
    /// Puts a layer around a backend.
    pub fn new(inner: Arc<dyn Backend>, layer: L) -> Self {
        Self { inner, layer: Arc::new(layer) }
    }

    /// Puts a layer around a backend that is around others, too: a limit then holds for all of them together.
    #[must_use]
    pub fn sharing(inner: Arc<dyn Backend>, layer: Arc<L>) -> Self {
        Self { inner, layer }
    }

    /// The layer.
    #[must_use]
    pub fn layer(&self) -> &L {
        &self.layer
    }

    fn call<'a>(&'a self, operation: Operation, path: &'a Path) -> Call<'a> {
        Call { operation, backend: self.inner.kind(), path }
    }

    async fn around<T: Send>(
        &self,
        operation: Operation,
        path: &Path,
        run: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let outcome = self.layer.around(self.call(operation, path), run).await;
        outcome.map_err(|error| error.at(self.inner.kind(), path))
    }

    /// A copy or a move to this backend: if the layer itself refuses it, it fails at the target.
    async fn around_target<T: Send>(
        &self,
        operation: Operation,
        target: &Path,
        run: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let outcome = self.layer.around(self.call(operation, target), run).await;
        outcome.map_err(|error| match error.location() {
            Some(_) => error,
            None => error.at(self.inner.kind(), target).on_target(),
        })
    }

    /// A call about many objects: if it fails as a whole, it fails for each.
    async fn around_many<I: Sync, T: Send>(
        &self,
        operation: Operation,
        items: &[I],
        path: impl Fn(&I) -> &Path,
        run: impl Future<Output = Vec<Result<T>>> + Send,
    ) -> Vec<Result<T>> {
        let Some(first) = items.first().map(&path) else { return Vec::new() };
        match self.layer.around(self.call(operation, first), async { Ok(run.await) }).await {
            Ok(results) => results,
            Err(error) => {
                items.iter().map(|item| Err(error.clone().at(self.inner.kind(), path(item)))).collect()
            }
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<L: Layer> Backend for Layered<L> {
    fn kind(&self) -> &str {
        self.inner.kind()
    }

    fn capabilities(&self) -> Capabilities {
        self.layer.capabilities(self.inner.capabilities())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn is_decorator(&self) -> bool {
        true
    }

    async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader> {
        let reader = self.around(Operation::Read, path, self.inner.read(path, options)).await?;
        let contents = layered_contents(reader.contents, self.clone(), path.clone());
        Ok(Reader { info: reader.info, contents: contents.boxed() })
    }

    async fn read_all(&self, path: &Path, options: &ReadOptions, max: usize) -> Result<Bytes> {
        let run = self.inner.read_all(path, options, max);
        let contents = self.around(Operation::ReadAll, path, run).await?;
        self.layer.bytes(Direction::Read, contents.len() as u64).await;
        Ok(contents)
    }

    async fn write(&self, path: &Path, options: &WriteOptions) -> Result<Box<dyn Upload>> {
        let upload = self.around(Operation::Write, path, self.inner.write(path, options)).await?;
        Ok(Box::new(LayeredUpload::new(upload, self.clone(), path.clone())))
    }

    async fn write_all(&self, path: &Path, contents: Bytes, options: &WriteOptions) -> Result<ObjectInfo> {
        self.layer.bytes(Direction::Write, contents.len() as u64).await;
        self.around(Operation::WriteAll, path, self.inner.write_all(path, contents, options)).await
    }

    async fn exists(&self, path: &Path) -> Result<bool> {
        self.around(Operation::Exists, path, self.inner.exists(path)).await
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        self.around(Operation::Stat, path, self.inner.stat(path)).await
    }

    async fn list(&self, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
        let listing = self.around(Operation::List, prefix, self.inner.list(prefix, options)).await?;
        let listing = Box::new(LayeredListing::new(listing, self.clone(), prefix.clone()));
        Ok(self.layer.listing(prefix, listing))
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        self.around_many(Operation::Delete, paths, |path| path, self.inner.delete(paths)).await
    }

    async fn delete_if_match(&self, versions: &[ObjectVersion]) -> Vec<Result<()>> {
        let run = self.inner.delete_if_match(versions);
        self.around_many(Operation::Delete, versions, |version| &version.path, run).await
    }

    async fn mkdir(&self, path: &Path) -> Result<()> {
        self.around(Operation::Mkdir, path, self.inner.mkdir(path)).await
    }

    async fn rmdir(&self, path: &Path) -> Result<()> {
        self.around(Operation::Rmdir, path, self.inner.rmdir(path)).await
    }

    async fn purge(&self, prefix: &Path) -> Result<u64> {
        self.around(Operation::Purge, prefix, self.inner.purge(prefix)).await
    }

    async fn sweep(&self, prefix: &Path, older_than: Duration) -> Result<u64> {
        self.around(Operation::Sweep, prefix, self.inner.sweep(prefix, older_than)).await
    }

    async fn copy_to(
        &self,
        source: &Path,
        target_backend: &dyn Backend,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let run = self.inner.copy_to(source, target_backend, target, options);
        self.around(Operation::CopyTo, source, run).await
    }

    async fn copy_many(
        &self,
        requests: &[CopyRequest],
        target_backend: &dyn Backend,
    ) -> Vec<Result<ObjectInfo>> {
        let run = self.inner.copy_many(requests, target_backend);
        self.around_many(Operation::CopyTo, requests, |request| &request.source, run).await
    }

    async fn copy_from(
        &self,
        source_backend: &dyn Backend,
        source: &Path,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let run = inward::copy(&*self.inner, source_backend, source, target, options);
        self.around_target(Operation::CopyFrom, target, run).await
    }

    async fn move_to(
        &self,
        source: &Path,
        target_backend: &dyn Backend,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let run = self.inner.move_to(source, target_backend, target, options);
        self.around(Operation::Move, source, run).await
    }

    async fn move_from(
        &self,
        source_backend: &dyn Backend,
        source: &Path,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let run = inward::relocate(&*self.inner, source_backend, source, target, options);
        self.around_target(Operation::MoveFrom, target, run).await
    }

    async fn set_modified(&self, path: &Path, modified: Timestamp) -> Result<()> {
        self.around(Operation::SetModified, path, self.inner.set_modified(path, modified)).await
    }

    async fn hash(&self, path: &Path, algorithm: HashAlgorithm) -> Result<Hash> {
        self.around(Operation::Hash, path, self.inner.hash(path, algorithm)).await
    }

    async fn hash_many(&self, paths: &[Path], algorithm: HashAlgorithm) -> Vec<Result<Hash>> {
        self.around_many(Operation::Hash, paths, |path| path, self.inner.hash_many(paths, algorithm)).await
    }

    async fn close(&self) -> Result<()> {
        self.around(Operation::Close, const { &Path::root() }, self.inner.close()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Error, ErrorCode, MemoryBackend,
        backend::{
            fault::{Fault, Faults},
            prefix::Prefix,
            read_only::ReadOnly,
            retry::{Retry, RetryOptions},
        },
    };

    fn path(path: &str) -> Path {
        Path::parse(path).unwrap()
    }

    /// What is done to a backend, once through, with the objects `a` and `big` in it.
    async fn everything(backend: &dyn Backend) -> Vec<(&'static str, Option<ErrorCode>)> {
        let (options, a, b) = (WriteOptions::default(), path("a"), path("b"));
        let request = CopyRequest { source: a.clone(), target: b.clone(), options: options.clone() };
        let code = |error: Error| error.code();
        let upload = async {
            let mut upload = backend.write(&b, &options).await?;
            upload.push("y".into()).await?;
            upload.commit().await
        };
        let contents = async {
            let mut contents = backend.read(&a, &ReadOptions::default()).await?.contents;
            while let Some(chunk) = contents.next().await {
                chunk?;
            }
            Ok(())
        };
        let listing = async { backend.list(&Path::root(), &ListOptions::default()).await?.next(9).await };
        vec![
            ("write_all", backend.write_all(&b, "x".into(), &options).await.err().map(code)),
            ("upload", upload.await.err().map(code)),
            ("delete", backend.delete(std::slice::from_ref(&b)).await.remove(0).err().map(code)),
            ("copy_to", backend.copy_to(&a, backend, &b, &options).await.err().map(code)),
            ("copy_many", backend.copy_many(&[request], backend).await.remove(0).err().map(code)),
            ("move_to", backend.move_to(&b, backend, &path("c"), &options).await.err().map(code)),
            ("set_modified", backend.set_modified(&a, Timestamp::now()).await.err().map(code)),
            ("purge", backend.purge(&path("none")).await.err().map(code)),
            ("sweep", backend.sweep(&path("none"), Duration::ZERO).await.err().map(code)),
            ("mkdir", backend.mkdir(&path("d")).await.err().map(code)),
            ("rmdir", backend.rmdir(&path("d")).await.err().map(code)),
            ("contents", contents.await.err().map(code)),
            ("read_all", backend.read_all(&a, &ReadOptions::default(), 9).await.err().map(code)),
            ("stat", backend.stat(&a).await.err().map(code)),
            ("exists", backend.exists(&a).await.err().map(code)),
            ("hash", backend.hash(&a, HashAlgorithm::Md5).await.err().map(code)),
            ("hash_many", {
                let mut hashes = backend.hash_many(std::slice::from_ref(&a), HashAlgorithm::Md5).await;
                hashes.remove(0).err().map(code)
            }),
            ("listing", listing.await.err().map(code)),
        ]
    }

    async fn memory() -> Arc<dyn Backend> {
        let memory = MemoryBackend::new();
        memory.write_all(&path("a"), "x".into(), &WriteOptions::default()).await.unwrap();
        Arc::new(memory)
    }

    const READING: [&str; 7] = ["contents", "read_all", "stat", "exists", "hash", "hash_many", "listing"];

    #[tokio::test]
    async fn read_only_refuses_every_change_and_nothing_else() {
        let inner = memory().await;
        let before = inner.stat(&path("a")).await.unwrap();
        let backend = Layered::new(Arc::clone(&inner), ReadOnly);
        for (call, code) in everything(&backend).await {
            let expected = (!READING.contains(&call)).then_some(ErrorCode::PermissionDenied);
            assert_eq!(code, expected, "{call}");
        }
        assert_eq!(inner.stat(&path("a")).await.unwrap(), before);
        let elsewhere = MemoryBackend::new();
        backend.copy_to(&path("a"), &elsewhere, &path("a"), &WriteOptions::default()).await.unwrap();
        let back = elsewhere.copy_to(&path("a"), &backend, &path("b"), &WriteOptions::default()).await;
        assert_eq!(back.unwrap_err().code(), ErrorCode::PermissionDenied);
    }

    /// A source that counts how often it is asked for a copy, and knows a short way to its own kind alone.
    #[derive(Debug, Default)]
    struct Asked(MemoryBackend, std::sync::atomic::AtomicU32);

    #[async_trait]
    impl Backend for Asked {
        fn kind(&self) -> &str {
            "asked"
        }

        fn capabilities(&self) -> Capabilities {
            self.0.capabilities()
        }

        fn as_any(&self) -> &dyn Any {
            self
        }

        async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader> {
            self.0.read(path, options).await
        }

        async fn write(&self, path: &Path, options: &WriteOptions) -> Result<Box<dyn Upload>> {
            self.0.write(path, options).await
        }

        async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
            self.0.stat(path).await
        }

        async fn list(&self, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
            self.0.list(prefix, options).await
        }

        async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
            self.0.delete(paths).await
        }

        async fn close(&self) -> Result<()> {
            self.0.close().await
        }

        async fn copy_to(
            &self,
            source: &Path,
            target_backend: &dyn Backend,
            target: &Path,
            options: &WriteOptions,
        ) -> Result<ObjectInfo> {
            self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            match target_backend.as_any().downcast_ref::<Self>() {
                Some(to) => self.0.copy_to(source, &to.0, target, options).await,
                None => target_backend.copy_from(self, source, target, options).await,
            }
        }
    }

    #[tokio::test]
    async fn a_copy_goes_straight_through_decorators() {
        let source = Asked::default();
        source.0.write_all(&path("a"), "x".into(), &WriteOptions::default()).await.unwrap();
        let mut target: Arc<dyn Backend> = Arc::new(Asked::default());
        for _ in 0..4 {
            target = Arc::new(Layered::new(target, Faults::none()));
            target = Arc::new(Prefix::new(target, path("p")));
            target = Arc::new(Retry::new(target, RetryOptions::default()));
        }
        source.copy_to(&path("a"), &*target, &path("b"), &WriteOptions::default()).await.unwrap();
        // Once from outside, and once where it knows the way.
        assert_eq!(source.1.into_inner(), 2);
        assert!(target.exists(&path("b")).await.unwrap());
    }

    #[tokio::test]
    async fn each_call_can_be_broken_and_says_where() {
        let fault = || Fault::Error(Error::new(ErrorCode::Timeout, "no answer"));
        let counted = Faults::none();
        everything(&Layered::new(memory().await, counted.clone())).await;
        assert_eq!(counted.calls(), 26);
        for call in 0..counted.calls() {
            let faults = Faults::at(call, fault());
            let outcomes = everything(&Layered::new(memory().await, faults.clone())).await;
            assert!(outcomes.iter().any(|(_, code)| *code == Some(ErrorCode::Timeout)), "call {call}");
        }
        let backend = Layered::new(memory().await, Faults::of(Operation::Stat, fault()));
        let error = backend.stat(&path("a")).await.unwrap_err();
        assert_eq!(error.location(), Some(("memory", "a")));
    }

    #[tokio::test]
    async fn a_body_is_cut_or_ends_early() {
        let cut = Fault::Error(Error::new(ErrorCode::Unavailable, "reset"));
        for (fault, ends_well) in [(Fault::EarlyEnd, true), (cut, false)] {
            let inner = MemoryBackend::new();
            inner.write_all(&path("a"), vec![0; 300 << 10].into(), &WriteOptions::default()).await.unwrap();
            // The body is opened, then its second chunk is broken.
            let backend = Layered::new(Arc::new(inner), Faults::at(2, fault));
            let mut contents = backend.read(&path("a"), &ReadOptions::default()).await.unwrap().contents;
            assert_eq!(contents.next().await.unwrap().unwrap().len(), 256 << 10);
            let next = contents.next().await;
            assert_eq!(next.is_none(), ends_well);
            assert!(contents.next().await.is_none());
        }
    }

    #[tokio::test]
    async fn a_lost_answer_was_a_call() {
        let lost = Fault::LostAnswer(Error::new(ErrorCode::Timeout, "no answer"));
        let backend = Layered::new(memory().await, Faults::at(0, lost));
        let written = backend.write_all(&path("b"), "x".into(), &WriteOptions::default()).await;
        assert_eq!(written.unwrap_err().code(), ErrorCode::Timeout);
        assert!(backend.exists(&path("b")).await.unwrap());
    }
}
