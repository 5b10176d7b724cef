//! The backend that a [`Store`] is: all that is the same for every one of them.

use std::{any::Any, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::StreamExt;
use omnistorage_types::Path;

use super::{
    copy_many, key_prefix,
    ordered::OrderedListing,
    remove,
    store::{self, Store},
    upload::CloudUpload,
};
use crate::{
    Error, ErrorCode, Hash, HashAlgorithm, ObjectInfo, Result, Timestamp,
    backend::{
        Backend, Capabilities, CopyRequest, ListOptions, Listing, ObjectVersion, ReadOptions, Reader, Upload,
        WriteOptions, limited,
    },
};

/// Opens a listing of what is below a prefix.
fn list<S: Store>(store: &Arc<S>, prefix: &Path, options: &ListOptions) -> Result<OrderedListing<S::Pages>> {
    let pages = S::pages(store, prefix, options)?;
    let root = key_prefix(store.prefix(), &Path::root())?;
    let prefix = key_prefix(store.prefix(), prefix)?;
    Ok(OrderedListing::new(pages, S::KIND, root, prefix, options, store.order()))
}

/// A backend that is a [`Store`] with a name in public.
pub(in crate::backend) trait StoreBackend: fmt::Debug + Send + Sync + 'static {
    type Store: Store;

    fn store(&self) -> &Arc<Self::Store>;
}

/// The kind of a backend that is a store.
const fn kind<B: StoreBackend>() -> &'static str {
    B::Store::KIND
}

#[async_trait]
impl<B: StoreBackend> Backend for B {
    fn kind(&self) -> &str {
        kind::<B>()
    }

    fn capabilities(&self) -> Capabilities {
        self.store().capabilities()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader> {
        let mut reader =
            store::read(self.store(), path, options).await.map_err(|error| error.at(kind::<B>(), path))?;
        let path = path.clone();
        reader.contents =
            reader.contents.map(move |chunk| chunk.map_err(|error| error.at(kind::<B>(), &path))).boxed();
        Ok(reader)
    }

    async fn write(&self, path: &Path, options: &WriteOptions) -> Result<Box<dyn Upload>> {
        let draft = Store::draft(self.store(), path, options).map_err(|error| error.at(kind::<B>(), path))?;
        Ok(Box::new(CloudUpload::new(draft, options)))
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        store::stat(&**self.store(), path).await.map_err(|error| error.at(kind::<B>(), path))
    }

    async fn list(&self, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
        let listing = list(self.store(), prefix, options).map_err(|error| error.at(kind::<B>(), prefix))?;
        Ok(limited(Box::new(listing), options.limit))
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        let results = remove::delete(&**self.store(), paths).await.into_iter();
        results.zip(paths).map(|(result, path)| result.map_err(|error| error.at(kind::<B>(), path))).collect()
    }

    async fn delete_if_match(&self, versions: &[ObjectVersion]) -> Vec<Result<()>> {
        let results = remove::delete_if_match(&**self.store(), versions).await.into_iter();
        let at = |(result, version): (Result<()>, &ObjectVersion)| {
            result.map_err(|error| error.at(kind::<B>(), &version.path))
        };
        results.zip(versions).map(at).collect()
    }

    async fn purge(&self, prefix: &Path) -> Result<u64> {
        remove::purge(self.store(), prefix).await.map_err(|error| error.at(kind::<B>(), prefix))
    }

    async fn sweep(&self, prefix: &Path, older_than: Duration) -> Result<u64> {
        self.store().sweep(prefix, older_than).await.map_err(|error| error.at(kind::<B>(), prefix))
    }

    async fn copy_to(
        &self,
        source: &Path,
        target_backend: &dyn Backend,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let no_way = |message| Err(Error::unsupported(kind::<B>(), message).at(kind::<B>(), source));
        let Some(to) = target_backend.as_any().downcast_ref::<B>() else {
            return target_backend.copy_from(self, source, target, options).await;
        };
        let (from, to) = (self.store(), to.store());
        if !from.is_beside(to) {
            return no_way("short way to another account or endpoint");
        }
        match Store::copy(from, source, to, target, options).await {
            // Rights may differ: one to read here and one to write there do not add up to one to copy.
            Err(error) if error.code() == ErrorCode::PermissionDenied && from.name() != to.name() => {
                no_way("right to copy from the one to the other")
            }
            copied => copied.map_err(|error| error.at(kind::<B>(), source)),
        }
    }

    async fn copy_many(
        &self,
        requests: &[CopyRequest],
        target_backend: &dyn Backend,
    ) -> Vec<Result<ObjectInfo>> {
        copy_many(self, requests, target_backend).await
    }

    async fn set_modified(&self, path: &Path, modified: Timestamp) -> Result<()> {
        Store::set_modified(self.store(), path, modified).await.map_err(|error| error.at(kind::<B>(), path))
    }

    async fn hash(&self, path: &Path, algorithm: HashAlgorithm) -> Result<Hash> {
        store::hash(self.store(), path, algorithm).await.map_err(|error| error.at(kind::<B>(), path))
    }

    async fn close(&self) -> Result<()> {
        self.store().close();
        Ok(())
    }
}
