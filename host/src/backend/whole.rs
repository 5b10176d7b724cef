//! For backends with few or small objects: uploads that are kept until they are whole, and listings that are made at
//! once.

use std::{
    collections::{BTreeMap, VecDeque},
    future::Future,
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use omnistorage_types::Path;

use super::{Announced, ListOptions, Listed, Listing, Upload, WriteOptions};
use crate::{ObjectInfo, ObjectKind, Result};

/// An upload to a store that takes an object in one piece: gathers the bytes, checks them against the expected size and
/// hash, and hands them over at the commit. It holds the whole object in memory.
pub struct WholeUpload<Put> {
    contents: BytesMut,
    announced: Announced,
    put: Put,
}

impl<Put> WholeUpload<Put> {
    /// Commits by `put`.
    pub fn new(options: &WriteOptions, put: Put) -> Self {
        Self { contents: BytesMut::new(), announced: Announced::new(options), put }
    }
}

impl<Put> std::fmt::Debug for WholeUpload<Put> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WholeUpload").field("announced", &self.announced).finish_non_exhaustive()
    }
}

#[async_trait]
impl<Put, Done> Upload for WholeUpload<Put>
where
    Put: FnOnce(Bytes) -> Done + Send,
    Done: Future<Output = Result<ObjectInfo>> + Send,
{
    async fn push(&mut self, chunk: Bytes) -> Result<()> {
        self.announced.update(&chunk);
        self.contents.extend_from_slice(&chunk);
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<ObjectInfo> {
        self.announced.check()?;
        (self.put)(self.contents.freeze()).await
    }

    async fn abort(self: Box<Self>) {}
}

/// A listing made from all objects of a store: it picks those that are asked for, and makes directories from the
/// prefixes they share. It holds everything that it lists in memory.
pub struct WholeListing<Check> {
    entries: VecDeque<ObjectInfo>,
    check: Check,
}

impl<Check> WholeListing<Check> {
    /// Lists those of `objects`, which come in any order, that are below `prefix`. Before each batch `check` says
    /// whether the listing may go on: not once the backend is closed.
    pub fn new(
        objects: impl IntoIterator<Item = ObjectInfo>,
        prefix: &Path,
        options: &ListOptions,
        check: Check,
    ) -> Self {
        let mut entries = BTreeMap::new();
        for object in objects {
            let Some(below) = object.path.strip_prefix(prefix).filter(|below| !below.is_root()) else {
                continue;
            };
            let directory =
                below.segments().next().filter(|name| !options.recursive && *name != below.as_str());
            let entry = match directory.map(|name| Path::parse(name).and_then(|name| prefix.join(&name))) {
                Some(Ok(directory)) => ObjectInfo::new(directory, ObjectKind::Directory),
                Some(Err(_)) | None => object, // a part of a path is one
            };
            if options.spans(entry.path.as_str()) {
                entries.entry(entry.path.clone()).or_insert(entry);
            }
        }
        let limit = options.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        Self { entries: entries.into_values().take(limit).collect(), check }
    }
}

impl<Check> std::fmt::Debug for WholeListing<Check> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WholeListing").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}

#[async_trait]
impl<Check: Fn() -> Result<()> + Send> Listing for WholeListing<Check> {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        (self.check)()?;
        Ok(self.entries.drain(..max.min(self.entries.len())).map(Listed::Entry).collect())
    }
}
