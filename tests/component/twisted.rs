//! Backends that break their word.

use std::{
    any::Any,
    fmt,
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream};
use omnistorage::{
    Backend, Error, ErrorCode, ObjectInfo, Path, Result,
    backend::{
        Capabilities, Contents, Features, ListOptions, Listed, Listing, ReadOptions, Reader, Upload,
        WriteOptions,
    },
};

type TwistContents = Box<dyn Fn(&Path, Contents) -> Contents + Send + Sync>;
type TwistUpload = Box<dyn Fn(Box<dyn Upload>) -> Result<Box<dyn Upload>> + Send + Sync>;
type TwistListing = Box<dyn Fn(Box<dyn Listing>) -> Box<dyn Listing> + Send + Sync>;

/// Passes everything on to another backend, but for what a test twists.
pub(crate) struct Twisted {
    inner: Arc<dyn Backend>,
    contents: TwistContents,
    upload: TwistUpload,
    listing: TwistListing,
    atomic: bool,
    sorted: bool,
    times: bool,
}

impl Twisted {
    pub(crate) fn new(inner: &Arc<dyn Backend>) -> Self {
        Self {
            inner: inner.clone(),
            contents: Box::new(|_, contents| contents),
            upload: Box::new(Ok),
            atomic: true,
            sorted: true,
            times: true,
            listing: Box::new(|listing| listing),
        }
    }

    /// Twists what is read.
    pub(crate) fn contents(
        self,
        twist: impl Fn(&Path, Contents) -> Contents + Send + Sync + 'static,
    ) -> Arc<dyn Backend> {
        Arc::new(Self { contents: Box::new(twist), ..self })
    }

    /// Twists what is written.
    pub(crate) fn upload(
        self,
        twist: impl Fn(Box<dyn Upload>) -> Result<Box<dyn Upload>> + Send + Sync + 'static,
    ) -> Arc<dyn Backend> {
        Arc::new(Self { upload: Box::new(twist), ..self })
    }

    /// Does not promise that a reader keeps the version that it opened.
    pub(crate) fn without_atomic_writes(self) -> Self {
        Self { atomic: false, ..self }
    }

    /// Does not promise any order of its listings.
    pub(crate) fn unsorted(self) -> Self {
        Self { sorted: false, ..self }
    }

    /// Keeps no times, as WebDAV: those of its listings are those of its writes, or any.
    pub(crate) fn without_times(self) -> Arc<dyn Backend> {
        Arc::new(Self { times: false, ..self })
    }

    /// Counts the bodies that are open.
    pub(crate) fn counting(self, open: &Arc<AtomicUsize>) -> Arc<dyn Backend> {
        let open = open.clone();
        self.contents(move |_, contents| {
            let body = Open::new(&open);
            contents.inspect(move |_| assert!(body.0.load(Ordering::SeqCst) > 0)).boxed()
        })
    }

    /// Twists what is listed.
    pub(crate) fn listing(
        self,
        twist: impl Fn(Box<dyn Listing>) -> Box<dyn Listing> + Send + Sync + 'static,
    ) -> Arc<dyn Backend> {
        Arc::new(Self { listing: Box::new(twist), ..self })
    }

    /// Lists these entries, whatever it is asked for.
    pub(crate) fn lists(self, entries: Vec<ObjectInfo>) -> Arc<dyn Backend> {
        let listed: Vec<_> = entries.into_iter().map(Listed::Entry).collect();
        self.listing(move |_| Box::new(Pages(listed.clone().into_iter())))
    }
}

impl fmt::Debug for Twisted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Twisted")
    }
}

/// Counts a body for as long as it lives.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Pages(std::vec::IntoIter<Listed>);

#[async_trait]
impl Listing for Pages {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        Ok(self.0.by_ref().take(max).collect())
    }
}

#[async_trait]
impl Backend for Twisted {
    fn kind(&self) -> &str {
        "twisted"
    }

    fn capabilities(&self) -> Capabilities {
        let inner = self.inner.capabilities();
        // The short ways would lead past the twists.
        let atomic_write = inner.features.atomic_write && self.atomic;
        let sorted_list = inner.features.sorted_list && self.sorted;
        let features = Features {
            copy: false,
            move_to: false,
            purge: false,
            conditional_delete: false,
            atomic_write,
            sorted_list,
            set_modified: inner.features.set_modified && self.times,
            batches: inner.features.batches && self.times,
            ..inner.features
        };
        let modified_precision = inner.modified_precision.filter(|_| self.times);
        Capabilities { features, hashes: Vec::new(), modified_precision }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader> {
        let Reader { info, contents } = self.inner.read(path, options).await?;
        Ok(Reader { info, contents: (self.contents)(path, contents) })
    }

    async fn write(&self, path: &Path, options: &WriteOptions) -> Result<Box<dyn Upload>> {
        (self.upload)(self.inner.write(path, options).await?)
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        self.inner.stat(path).await
    }

    async fn list(&self, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
        Ok((self.listing)(self.inner.list(prefix, options).await?))
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        self.inner.delete(paths).await
    }

    async fn close(&self) -> Result<()> {
        self.inner.close().await
    }
}

/// The first bytes of a body, which then ends as if that were all.
pub(crate) fn first(contents: Contents, count: usize) -> Contents {
    let cut = contents.scan(count, |left, chunk| {
        let chunk = chunk.map(|mut chunk| {
            chunk.truncate(*left);
            *left -= chunk.len();
            chunk
        });
        ready(if matches!(&chunk, Ok(chunk) if chunk.is_empty()) { None } else { Some(chunk) })
    });
    cut.boxed()
}

/// The first bytes of a body, which then fails.
pub(crate) fn failing_after(contents: Contents, count: usize) -> Contents {
    first(contents, count).chain(stream::once(ready(Err(failure())))).boxed()
}

/// The first bytes of a body, of which no more comes.
pub(crate) fn stuck_after(contents: Contents, count: usize) -> Contents {
    first(contents, count).chain(stream::pending()).boxed()
}

/// A body and a bit.
pub(crate) fn running_on(contents: Contents) -> Contents {
    contents.chain(stream::once(ready(Ok(Bytes::from_static(b"and more"))))).boxed()
}

pub(crate) fn failure() -> Error {
    Error::new(ErrorCode::Unavailable, "the source failed")
}
