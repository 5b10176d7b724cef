//! Listings in byte order, directory by directory, of stores that list a directory in any order: each is read whole and
//! sorted. Only the directories on the way down to the current entry are held in memory.

use std::collections::VecDeque;

use async_trait::async_trait;
use omnistorage_types::Path;

use super::{ListOptions, Listed, Listing, ListingFailure, Unlisted};
use crate::{Error, ErrorCode, Result};

/// A store that lists its directories.
#[async_trait]
pub(super) trait Directories: Send + Sync + 'static {
    /// What the backend calls itself.
    fn kind(&self) -> &'static str;

    /// Whether the backend is still open.
    fn check_open(&self) -> Result<()>;

    /// What a directory holds, of what lies within the bounds, in any order. The `prefix` is what the whole listing is
    /// of.
    async fn read(&self, directory: &Path, prefix: &Path, options: &ListOptions) -> Result<Vec<Node>>;
}

/// What a directory holds.
pub(super) enum Node {
    Entry(Listed),
    /// All that is in the directory of that path.
    Below(Path),
}

impl Node {
    /// What cannot be told about an entry.
    pub(super) fn failure(kind: &str, what: Unlisted, error: Error) -> Self {
        let error = error.at(kind, what.path());
        Self::Entry(ListingFailure { what, error }.into())
    }

    /// Its place among the nodes of a directory, by the byte order of the full paths: what is in `a` begins with `a/`, so
    /// that `a-b` comes between `a` and it.
    fn place(&self) -> impl Iterator<Item = u8> + '_ {
        let (path, slash) = match self {
            Self::Entry(listed) => (listed.path(), None),
            Self::Below(directory) => (directory, Some(b'/')),
        };
        path.as_str().bytes().chain(slash)
    }

    fn is_failure(&self) -> bool {
        matches!(self, Self::Entry(Listed::Failure(_)))
    }
}

/// A cursor over what is below a prefix.
pub(super) struct Walk<D> {
    store: D,
    prefix: Path,
    options: ListOptions,
    /// The rest of each directory from the prefix down; `None` before the first.
    open: Option<Vec<VecDeque<Node>>>,
}

impl<D: Directories> Walk<D> {
    pub(super) fn new(store: D, prefix: Path, options: &ListOptions) -> Self {
        Self { store, prefix, options: options.clone(), open: None }
    }

    /// The contents of a directory, sorted and without duplicates.
    async fn read(&self, directory: &Path) -> Result<VecDeque<Node>> {
        let mut nodes = self.store.read(directory, &self.prefix, &self.options).await?;
        nodes.sort_unstable_by(|one, other| one.place().cmp(other.place()));
        nodes
            .dedup_by(|next, node| !node.is_failure() && !next.is_failure() && node.place().eq(next.place()));
        Ok(nodes.into())
    }

    async fn advance(&mut self, max: usize) -> Result<Vec<Listed>> {
        self.store.check_open()?;
        let mut open = match self.open.take() {
            Some(open) => open,
            None => vec![self.read(&self.prefix).await?],
        };
        let mut entries = Vec::new();
        while entries.len() < max
            && let Some(nodes) = open.last_mut()
        {
            match nodes.pop_front() {
                Some(Node::Entry(entry)) => entries.push(entry),
                Some(Node::Below(directory)) => match self.read(&directory).await {
                    Ok(nodes) => open.push(nodes),
                    Err(error) if error.code() == ErrorCode::BackendClosed => return Err(error),
                    Err(error) => {
                        let error = error.at(self.store.kind(), &directory);
                        entries.push(ListingFailure { what: Unlisted::Directory(directory), error }.into());
                    }
                },
                None => drop(open.pop()),
            }
        }
        self.open = Some(open);
        Ok(entries)
    }
}

#[async_trait]
impl<D: Directories> Listing for Walk<D> {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        self.advance(max).await.map_err(|error| error.at(self.store.kind(), &self.prefix))
    }
}
