//! Listings in byte order, directory by directory, of stores that list a directory in any order: each is read whole and
//! sorted. Directories that come next are read ahead, since what is far away answers many questions in the time of one.
//! In memory are the directories on the way down to the current entry, and for each of them what was read ahead below it.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use async_trait::async_trait;
use omnistorage_types::Path;
use tokio::task::JoinSet;

use super::{ListOptions, Listed, Listing, ListingFailure, Unlisted};
use crate::{Error, ErrorCode, Result};

/// A store that lists its directories.
#[async_trait]
pub(super) trait Directories: Clone + Send + Sync + 'static {
    /// How many directories beside the one that is needed may be read ahead.
    const AHEAD: usize;

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
    open: Option<Vec<Rest>>,
    /// How many directories are read ahead: one more with each that was needed, so that whoever wants the first entries
    /// alone waits for no others.
    ahead: usize,
}

/// A directory that is being read, until this is dropped.
type Reading = JoinSet<Result<VecDeque<Node>>>;

/// What is left of a directory.
struct Rest {
    nodes: VecDeque<Node>,
    /// The next directories among the nodes.
    ahead: VecDeque<Reading>,
    /// How many nodes, from the front, hold no directories besides.
    searched: usize,
}

impl Rest {
    fn of(nodes: VecDeque<Node>) -> Self {
        Self { nodes, ahead: VecDeque::new(), searched: 0 }
    }

    fn pop(&mut self) -> Option<Node> {
        self.searched = self.searched.saturating_sub(1);
        self.nodes.pop_front()
    }

    /// The next directory that nobody reads yet.
    fn unread(&mut self) -> Option<&Path> {
        while let Some(node) = self.nodes.get(self.searched) {
            self.searched += 1;
            if let Node::Below(directory) = node {
                return Some(directory);
            }
        }
        None
    }
}

impl<D: Directories> Walk<D> {
    pub(super) fn new(store: D, prefix: Path, options: &ListOptions) -> Self {
        Self { store, prefix, options: options.clone(), open: None, ahead: 0 }
    }

    /// The contents of a directory, sorted and without duplicates.
    async fn read(
        store: &D,
        directory: &Path,
        prefix: &Path,
        options: &ListOptions,
    ) -> Result<VecDeque<Node>> {
        let mut nodes = store.read(directory, prefix, options).await?;
        nodes.sort_unstable_by(|one, other| one.place().cmp(other.place()));
        nodes
            .dedup_by(|next, node| !node.is_failure() && !next.is_failure() && node.place().eq(next.place()));
        Ok(nodes.into())
    }

    /// Begins to read a directory.
    fn begin(&self, directory: Path) -> Reading {
        let (store, prefix, options) = (self.store.clone(), self.prefix.clone(), self.options.clone());
        let mut reading = JoinSet::new();
        reading.spawn(async move { Self::read(&store, &directory, &prefix, &options).await });
        reading
    }

    /// What the directory before a rest holds. Those that come next are read meanwhile.
    async fn below(&self, directory: &Path, rest: &mut Rest) -> Result<VecDeque<Node>> {
        let mut reading = rest.ahead.pop_front().unwrap_or_else(|| self.begin(directory.clone()));
        while rest.ahead.len() < self.ahead
            && let Some(next) = rest.unread()
        {
            let next = self.begin(next.clone());
            rest.ahead.push_back(next);
        }
        let stopped = || Error::new(ErrorCode::Cancelled, "the reading of the directory was stopped");
        reading.join_next().await.ok_or_else(stopped)?.map_err(|_| stopped())?
    }

    async fn advance(&mut self, max: usize) -> Result<Vec<Listed>> {
        self.store.check_open()?;
        let mut open = match self.open.take() {
            Some(open) => open,
            None => {
                let nodes = Self::read(&self.store, &self.prefix, &self.prefix, &self.options).await?;
                vec![Rest::of(nodes)]
            }
        };
        let mut entries = Vec::new();
        while entries.len() < max
            && let Some(rest) = open.last_mut()
        {
            match rest.pop() {
                Some(Node::Entry(entry)) => entries.push(entry),
                Some(Node::Below(directory)) => match self.below(&directory, rest).await {
                    Ok(nodes) => {
                        open.push(Rest::of(nodes));
                        self.ahead = (self.ahead + 1).min(D::AHEAD);
                    }
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
