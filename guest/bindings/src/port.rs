//! The interface `backend` as the engine's port.

use std::{any::Any, cell::OnceCell, pin::pin, rc::Rc};

use async_trait::async_trait;
use futures::future::{Either, LocalBoxFuture, select};
use omnistorage_engine::port::{Backend, Contents, Listing, Reader, Storage};
use omnistorage_types::{
    Capabilities, CopyRequest, Error, ErrorCode, Hash, HashAlgorithm, ListOptions, Listed, ObjectInfo,
    ObjectVersion, Path, ReadOptions, Result, Timestamp, WriteOptions,
    wit::{FromWit, IntoWit},
};
use wit_bindgen::spawn_local;

use crate::{
    backend as wit,
    body::{opened, stored},
    types,
};

/// What is imported.
pub(crate) struct Imported;

#[async_trait(?Send)]
impl Storage for Imported {
    async fn open(&self, name: &str) -> Result<Rc<dyn Backend>> {
        match wit::open(name.to_owned(), Vec::new()).await {
            Ok(backend) => Ok(Rc::new(Opened { backend, capabilities: OnceCell::new() })),
            Err(error) => Err(Error::from_wit(error)?),
        }
    }

    async fn pause(&self, milliseconds: u32) {
        wit::pause(milliseconds).await;
    }

    fn spawn(&self, task: LocalBoxFuture<'static, ()>) {
        spawn_local(task);
    }

    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A backend that was opened.
struct Opened {
    backend: wit::Backend,
    /// Once they were asked for: a call less where nothing depends on them.
    capabilities: OnceCell<Capabilities>,
}

/// What a call came to, in the vocabulary of the engine.
fn taken<T: FromWit<W>, W>(result: Result<W, types::Error>) -> Result<T> {
    match result {
        Ok(value) => T::from_wit(value),
        Err(error) => Err(Error::from_wit(error)?),
    }
}

fn done(result: Result<(), types::Error>) -> Result<()> {
    match result {
        Ok(()) => Ok(()),
        Err(error) => Err(Error::from_wit(error)?),
    }
}

fn other(backend: &dyn Backend) -> Result<&wit::Backend> {
    let opened = (backend as &dyn Any).downcast_ref::<Opened>();
    opened
        .map(|opened| &opened.backend)
        .ok_or_else(|| Error::new(ErrorCode::Unsupported, "the target is not a backend of the same host"))
}

#[async_trait(?Send)]
impl Backend for Opened {
    async fn capabilities(&self) -> Capabilities {
        if let Some(known) = self.capabilities.get() {
            return known.clone();
        }
        // Flags and numbers alone: nothing in them can be refused.
        let told = Capabilities::from_wit(self.backend.capabilities().await).unwrap_or_default();
        self.capabilities.get_or_init(|| told).clone()
    }

    async fn read(&self, path: Path, options: ReadOptions) -> Result<Reader> {
        match self.backend.read(path.into(), options.into_wit()).await {
            Ok(wit::ObjectReader { info, contents, completion }) => {
                Ok(Reader { info: ObjectInfo::from_wit(info)?, contents: opened(contents, completion) })
            }
            Err(error) => Err(Error::from_wit(error)?),
        }
    }

    async fn write(&self, path: Path, contents: Contents, options: WriteOptions) -> Result<ObjectInfo> {
        let (contents, completion, pump) = stored(contents);
        let write = self.backend.write(path.into(), contents, completion, options.into_wit());
        let Some(pump) = pump else { return taken(write.await) };
        match select(pin!(pump.run()), pin!(write)).await {
            Either::Left((Ok(()), write)) => taken(write.await),
            Either::Left((Err(error), write)) => {
                // It fails, as it was told to: nothing is left then.
                let _ = write.await;
                Err(error)
            }
            // It needs no more of the body, or failed.
            Either::Right((written, _)) => taken(written),
        }
    }

    async fn stat(&self, path: Path) -> Result<ObjectInfo> {
        taken(self.backend.stat(path.into()).await)
    }

    async fn list(&self, prefix: Path, options: ListOptions) -> Result<Box<dyn Listing>> {
        match self.backend.list(prefix.into(), options.into_wit()).await {
            Ok(listing) => Ok(Box::new(Cursor(listing))),
            Err(error) => Err(Error::from_wit(error)?),
        }
    }

    async fn delete(&self, paths: Vec<Path>) -> Vec<Result<()>> {
        self.backend.delete(paths.into_wit()).await.into_iter().map(done).collect()
    }

    async fn delete_if_match(&self, versions: Vec<ObjectVersion>) -> Vec<Result<()>> {
        self.backend.delete_if_match(versions.into_wit()).await.into_iter().map(done).collect()
    }

    async fn mkdir(&self, path: Path) -> Result<()> {
        done(self.backend.mkdir(path.into()).await)
    }

    async fn rmdir(&self, path: Path) -> Result<()> {
        done(self.backend.rmdir(path.into()).await)
    }

    async fn purge(&self, prefix: Path) -> Result<u64> {
        taken(self.backend.purge(prefix.into()).await)
    }

    async fn sweep(&self, prefix: Path, older_than_s: u64) -> Result<u64> {
        taken(self.backend.sweep(prefix.into(), older_than_s).await)
    }

    async fn copy_many(&self, requests: Vec<CopyRequest>, target: &dyn Backend) -> Vec<Result<ObjectInfo>> {
        match other(target) {
            Ok(target) => {
                self.backend.copy_many(requests.into_wit(), target).await.into_iter().map(taken).collect()
            }
            Err(error) => requests.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    async fn move_to(
        &self,
        source: Path,
        target_backend: &dyn Backend,
        target: Path,
        options: WriteOptions,
    ) -> Result<ObjectInfo> {
        let target_backend = other(target_backend)?;
        taken(self.backend.move_(source.into(), target_backend, target.into(), options.into_wit()).await)
    }

    async fn set_modified(&self, path: Path, modified: Timestamp) -> Result<()> {
        done(self.backend.set_modified(path.into(), modified.into_wit()).await)
    }

    async fn hash(&self, path: Path, algorithm: HashAlgorithm) -> Result<Hash> {
        taken(self.backend.hash(path.into(), algorithm.into_wit()).await)
    }

    async fn hash_many(&self, paths: Vec<Path>, algorithm: HashAlgorithm) -> Vec<Result<Hash>> {
        self.backend.hash_many(paths.into_wit(), algorithm.into_wit()).await.into_iter().map(taken).collect()
    }

    async fn limit_bandwidth(&self, bytes_per_second: Option<u64>) {
        self.backend.limit_bandwidth(bytes_per_second).await;
    }
}

/// A listing that was opened.
struct Cursor(wit::Listing);

#[async_trait(?Send)]
impl Listing for Cursor {
    async fn next(&self, max: u32) -> Result<Vec<Listed>> {
        match self.0.next(max).await {
            // A backend is not believed to list what can be.
            Ok(page) => Vec::from_wit(page).map_err(|why: Error| {
                let message = format!("the backend listed what cannot be: {}", why.message());
                why.with_message(message)
            }),
            Err(error) => Err(Error::from_wit(error)?),
        }
    }
}
