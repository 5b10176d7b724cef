//! What a store of a cloud is to its backend: the requests that differ from store to store.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::StreamExt;
use omnistorage_types::Path;

use super::{
    pages::{Order, Pages},
    read::{self, Source},
    upload::Draft,
};
use crate::{
    Hash, HashAlgorithm, Hasher, ObjectInfo, ObjectKind, Result, Timestamp,
    backend::{Capabilities, ListOptions, ReadOptions, Reader, WriteOptions},
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

    /// Asks whether it is there.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`](crate::ErrorCode::NotFound) naming it, and why it refuses to say so.
    async fn check_exists(&self) -> Result<()>;

    /// The key of an object, if the store is open and takes it.
    fn key(&self, path: &Path) -> Result<String>;

    /// An etag as this store takes it for a condition.
    ///
    /// # Errors
    /// [`ErrorCode::PreconditionFailed`](crate::ErrorCode::PreconditionFailed) for what can be none of its etags.
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

    /// Removes what unfinished uploads left; see [`Backend::sweep`](crate::Backend::sweep). By default nothing is left: the service forgets
    /// them.
    async fn sweep(&self, _prefix: &Path, _older_than: Duration) -> Result<u64> {
        self.check_open()?;
        Ok(0)
    }
}

/// A key to be deleted.
#[derive(Clone, Copy)]
pub(in crate::backend) struct Doomed<'a> {
    pub(in crate::backend) key: &'a str,
    /// Only as long as the object has this etag.
    pub(in crate::backend) if_match: Option<&'a str>,
}

impl<'a> Doomed<'a> {
    /// Whatever is there.
    pub(in crate::backend) const fn always(key: &'a str) -> Self {
        Self { key, if_match: None }
    }
}

/// What is known about a path. Directories do not exist, but for the root, which is there if the store is.
pub(in crate::backend) async fn stat<S: Store>(store: &S, path: &Path) -> Result<ObjectInfo> {
    store.check_open()?;
    if path.is_root() {
        store.check_exists().await?;
        return Ok(ObjectInfo::new(Path::root(), ObjectKind::Directory));
    }
    store.find(path, None).await
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

/// Opens an object, or a range of it.
pub(in crate::backend) async fn read<S: Store>(
    store: &Arc<S>,
    path: &Path,
    options: &ReadOptions,
) -> Result<Reader> {
    read::read(store, store.key(path)?, path, options).await
}
