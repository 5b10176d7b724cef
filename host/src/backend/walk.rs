//! Listings in byte order, directory by directory, of stores that list a directory in any order: each is read whole and
//! sorted. Directories that come next are read ahead, wherever they are, since what is far away answers many questions
//! in the time of one. In memory are the directories on the way down to the current entry, and as many of each depth as
//! are read ahead at once.

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

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
    /// What is left of each directory from the prefix down; `None` before the first.
    open: Option<Vec<Contents>>,
    /// How many directories are read ahead: one more with each that was needed, so that whoever wants the first entries
    /// alone waits for no others.
    ahead: usize,
    /// How many are, by how deep they are.
    held: HashMap<usize, usize>,
    /// Cloned by each directory that is being read.
    reading: Arc<()>,
}

/// How much deeper than the listing stands is read ahead.
const DEEPER: usize = 2;

impl<D: Directories> Walk<D> {
    pub(super) fn new(store: D, prefix: Path, options: &ListOptions) -> Self {
        let (options, held, reading) = (options.clone(), HashMap::new(), Arc::default());
        Self { store, prefix, options, open: None, ahead: 0, held, reading }
    }

    /// Begins to read a directory.
    fn begin(&self, directory: Path) -> Ahead {
        let (store, prefix, options) = (self.store.clone(), self.prefix.clone(), self.options.clone());
        let (at, is_read) = (directory.clone(), self.reading.clone());
        let mut reading = JoinSet::new();
        reading.spawn(async move {
            let contents = store.read(&at, &prefix, &options).await.map(Contents::of);
            drop(is_read);
            contents
        });
        Ahead { directory, reading, read: None }
    }

    /// The next directory of the innermost one, which somebody waits for. Those that come next are read meanwhile.
    fn next_directory(&mut self, open: &mut [Contents]) -> Option<Ahead> {
        let depth = open.len();
        let rest = open.last_mut()?;
        let mut needed = match rest.ahead.pop_front() {
            Some(ahead) => {
                self.held.entry(depth).and_modify(|held| *held -= 1);
                ahead
            }
            None => self.begin(rest.unread.pop_front()?),
        };
        let at_once = self.ahead + usize::from(!needed.has_arrived());
        for (above, rest) in open.iter_mut().enumerate().rev() {
            self.look_ahead(rest, above + 1, depth + DEEPER, at_once);
        }
        Some(needed)
    }

    /// Begins to read what comes next in a directory and in those of it that are read already: in the order of the
    /// listing, as far as that is known, so many at once, and so many of each depth.
    fn look_ahead(&mut self, rest: &mut Contents, depth: usize, deepest: usize, at_once: usize) {
        if depth < deepest {
            for ahead in &mut rest.ahead {
                if ahead.has_arrived()
                    && let Some(Ok(below)) = &mut ahead.read
                {
                    self.look_ahead(below, depth + 1, deepest, at_once);
                }
            }
        }
        let held = self.held.get(&depth).copied().unwrap_or_default();
        for _ in held..self.ahead {
            // This holds one, too.
            if Arc::strong_count(&self.reading) > at_once {
                return;
            }
            let Some(directory) = rest.unread.pop_front() else { return };
            rest.ahead.push_back(self.begin(directory));
            *self.held.entry(depth).or_default() += 1;
        }
    }

    async fn advance(&mut self, max: usize) -> Result<Vec<Listed>> {
        self.store.check_open()?;
        let mut open = match self.open.take() {
            Some(open) => open,
            None => {
                self.held.clear();
                let nodes = self.store.read(&self.prefix, &self.prefix, &self.options).await?;
                vec![Contents::of(nodes)]
            }
        };
        let mut entries = Vec::new();
        while entries.len() < max
            && let Some(rest) = open.last_mut()
        {
            match rest.nodes.pop_front() {
                Some(Some(entry)) => entries.push(entry),
                Some(None) => {
                    let Some(needed) = self.next_directory(&mut open) else { continue };
                    let directory = needed.directory.clone();
                    match needed.contents().await {
                        Ok(contents) => {
                            open.push(contents);
                            self.ahead = (self.ahead + 1).min(D::AHEAD);
                        }
                        Err(error) if error.code() == ErrorCode::BackendClosed => return Err(error),
                        Err(error) => {
                            let error = error.at(self.store.kind(), &directory);
                            entries
                                .push(ListingFailure { what: Unlisted::Directory(directory), error }.into());
                        }
                    }
                }
                None => drop(open.pop()),
            }
        }
        self.open = Some(open);
        Ok(entries)
    }
}

/// What is left of a directory.
struct Contents {
    /// Entries, and `None` where the next directory stands.
    nodes: VecDeque<Option<Listed>>,
    /// Its next directories, which are being read, or were.
    ahead: VecDeque<Ahead>,
    /// Those after them.
    unread: VecDeque<Path>,
}

impl Contents {
    /// Sorted and without duplicates.
    fn of(mut nodes: Vec<Node>) -> Self {
        nodes.sort_unstable_by(|one, other| one.place().cmp(other.place()));
        nodes
            .dedup_by(|next, node| !node.is_failure() && !next.is_failure() && node.place().eq(next.place()));
        let mut unread = VecDeque::new();
        let mut apart = |node| match node {
            Node::Entry(listed) => Some(listed),
            Node::Below(directory) => {
                unread.push_back(directory);
                None
            }
        };
        Self { nodes: nodes.into_iter().map(&mut apart).collect(), ahead: VecDeque::new(), unread }
    }
}

/// A directory that is being read, until this is dropped, or was.
struct Ahead {
    directory: Path,
    reading: JoinSet<Result<Contents>>,
    read: Option<Result<Contents>>,
}

impl Ahead {
    fn has_arrived(&mut self) -> bool {
        if self.read.is_none() {
            self.read = self.reading.try_join_next().map(|read| read.unwrap_or_else(|_| Err(stopped())));
        }
        self.read.is_some()
    }

    /// What it holds, as soon as that comes.
    async fn contents(mut self) -> Result<Contents> {
        match self.read {
            Some(read) => read,
            None => self.reading.join_next().await.ok_or_else(stopped)?.map_err(|_| stopped())?,
        }
    }
}

fn stopped() -> Error {
    Error::new(ErrorCode::Cancelled, "the reading of the directory was stopped")
}

#[async_trait]
impl<D: Directories> Listing for Walk<D> {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        self.advance(max).await.map_err(|error| error.at(self.store.kind(), &self.prefix))
    }
}
