//! What a store is to its backend. All that is the same for every store stands here once: a backend says where its
//! [`Store`] is, and is a [`Backend`] thereby.

use std::{any::Any, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::StreamExt;
use omnistorage_types::Path;

use super::{
    key_prefix,
    ordered::OrderedListing,
    pages::{Order, Pages},
    read::{self, Source},
    remove::{self, Doomed},
    upload::{CloudUpload, Draft},
};
use crate::{
    Error, ErrorCode, Hash, HashAlgorithm, Hasher, ObjectInfo, ObjectKind, Result, Timestamp,
    backend::{
        Backend, Capabilities, CopyRequest, ListOptions, Listing, ObjectVersion, ReadOptions, Reader, Upload,
        WriteOptions, limited,
    },
};

/// A bucket, or what its service calls one: the requests that differ from store to store. Names are flat: there are no
/// directories, only prefixes that keys share.
#[async_trait]
pub(in crate::backend) trait Store: Source + fmt::Debug {
    /// What the backend calls itself.
    const KIND: &'static str;
    /// What is to be written.
    type Draft: Draft;
    /// What it lists, page by page.
    type Pages: Pages;

    fn capabilities(&self) -> Capabilities;

    /// Its name at the service.
    fn name(&self) -> &str;

    /// The path in it that is the root here.
    fn prefix(&self) -> &Path;

    /// Whether it is at the same place as another, and both are spoken to by the same account: then one copies to the
    /// other.
    fn is_beside(&self, other: &Self) -> bool;

    /// Whether it may still be used.
    fn check_open(&self) -> Result<()>;

    fn close(&self);

    /// The key of an object, if the store is open and takes it.
    fn key(&self, path: &Path) -> Result<String>;

    /// An etag as this store takes it for a condition.
    ///
    /// # Errors
    /// [`ErrorCode::PreconditionFailed`] for what can be none of its etags.
    fn condition<'a>(&self, etag: &'a str) -> Result<&'a str>;

    /// What is to be written, checked before any byte of it comes.
    fn draft(this: &Arc<Self>, path: &Path, options: &WriteOptions) -> Result<Self::Draft>;

    /// The pages of a listing, with all keys that there are.
    fn pages(this: &Arc<Self>, prefix: &Path, options: &ListOptions) -> Result<Self::Pages>;

    /// In which order it lists, as far as we know.
    fn order(&self) -> Order;

    /// Deletes keys: one result for each key, in their order. Conditions come only where [`Features`] promise them.
    ///
    /// [`Features`]: crate::Features
    async fn delete_keys(&self, keys: &[Doomed<'_>]) -> Vec<Result<()>>;

    /// Copies an object to a store beside this one.
    async fn copy(
        this: &Arc<Self>,
        source: &Path,
        target_store: &Arc<Self>,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo>;

    async fn set_modified(this: &Arc<Self>, path: &Path, modified: Timestamp) -> Result<()>;

    /// Removes what unfinished uploads left; see [`Backend::sweep`]. By default nothing is left: the service forgets
    /// them.
    async fn sweep(&self, _prefix: &Path, _older_than: Duration) -> Result<u64> {
        self.check_open()?;
        Ok(0)
    }
}

/// What is known about a path. Directories do not exist, but for the root.
pub(in crate::backend) async fn stat<S: Store>(store: &S, path: &Path) -> Result<ObjectInfo> {
    store.check_open()?;
    if path.is_root() {
        return Ok(ObjectInfo::new(Path::root(), ObjectKind::Directory));
    }
    store.find(path, None).await
}

/// Opens a listing of what is below a prefix.
fn list<S: Store>(store: &Arc<S>, prefix: &Path, options: &ListOptions) -> Result<OrderedListing<S::Pages>> {
    let pages = S::pages(store, prefix, options)?;
    let root = key_prefix(store.prefix(), &Path::root())?;
    let prefix = key_prefix(store.prefix(), prefix)?;
    Ok(OrderedListing::new(pages, S::KIND, root, prefix, options, store.order()))
}

/// The hash of an object: one that the store knows, else that of the bytes.
pub(in crate::backend) async fn hash<S: Store>(
    store: &Arc<S>,
    path: &Path,
    algorithm: HashAlgorithm,
) -> Result<Hash> {
    let info = store.find(path, None).await?;
    if let Some(known) = info.hashes.into_iter().find(|hash| hash.algorithm == algorithm) {
        return Ok(known);
    }
    let mut contents = read(store, path, &ReadOptions::default()).await?.contents;
    let mut hasher = Hasher::new(algorithm);
    while let Some(chunk) = contents.next().await {
        hasher.update(&chunk?);
    }
    Ok(hasher.finish())
}

async fn read<S: Store>(store: &Arc<S>, path: &Path, options: &ReadOptions) -> Result<Reader> {
    read::read(store, store.key(path)?, path, options).await
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
            read(self.store(), path, options).await.map_err(|error| error.at(kind::<B>(), path))?;
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
        stat(&**self.store(), path).await.map_err(|error| error.at(kind::<B>(), path))
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
        super::copy_many(self, requests, target_backend).await
    }

    async fn set_modified(&self, path: &Path, modified: Timestamp) -> Result<()> {
        Store::set_modified(self.store(), path, modified).await.map_err(|error| error.at(kind::<B>(), path))
    }

    async fn hash(&self, path: &Path, algorithm: HashAlgorithm) -> Result<Hash> {
        hash(self.store(), path, algorithm).await.map_err(|error| error.at(kind::<B>(), path))
    }

    async fn close(&self) -> Result<()> {
        self.store().close();
        Ok(())
    }
}
