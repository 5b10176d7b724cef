//! Listings in byte order, directory by directory.
//!
//! A service lists a directory in any order, so each directory is read whole and sorted. Only the directories on the
//! way down to the current entry are held in memory.

use std::collections::VecDeque;

use async_trait::async_trait;
use omnistorage_types::Path;

use super::{
    super::{ListOptions, Listed, Listing, ListingFailure, Unlisted},
    KIND, Shared,
    convert::{failed, info},
    upload::is_temporary,
};
use crate::{Error, ErrorCode, ObjectInfo, ObjectKind, Result};

/// A cursor over what is below a prefix.
pub(super) struct Walk {
    service: Shared,
    prefix: Path,
    options: ListOptions,
    /// The rest of each directory from the prefix down; `None` before the first.
    open: Option<Vec<VecDeque<Node>>>,
}

/// What a directory holds.
enum Node {
    Entry(Listed),
    /// All that is in the directory of that path.
    Below(Path),
}

impl Node {
    /// Its place among the nodes of a directory, by the byte order of the full paths: what is in `a` begins with `a/`, so
    /// that `a-b` comes between `a` and it.
    fn place(&self) -> impl Iterator<Item = u8> + '_ {
        let (path, slash) = match self {
            Self::Entry(listed) => (listed.path(), None),
            Self::Below(directory) => (directory, Some(b'/')),
        };
        path.as_str().bytes().chain(slash)
    }
}

impl Walk {
    pub(super) fn new(service: Shared, prefix: Path, options: &ListOptions) -> Self {
        Self { service, prefix, options: options.clone(), open: None }
    }

    /// The contents of a directory, sorted, without what is beyond the bounds.
    async fn read(&self, directory: &Path) -> Result<VecDeque<Node>> {
        let mut lister = self.service.lister(directory)?;
        let mut nodes = Vec::new();
        let mut is_there = false;
        while let Some(entry) = lister.next_dyn().await.map_err(|error| failed(&error))? {
            is_there = true;
            let (name, is_directory) = match entry.path().strip_suffix('/') {
                Some(name) => (name, true),
                None => (entry.path(), false),
            };
            let Ok(path) = Path::parse(name) else {
                if !self.options.spans(entry.path()) {
                    continue;
                }
                nodes.push(Node::Entry(ListingFailure::of_name(KIND, entry.path().as_bytes()).into()));
                continue;
            };
            // The directory itself, and an object of the prefix's name, are no entries.
            if path.parent().as_ref() != Some(directory) || path.name().is_some_and(is_temporary) {
                continue;
            }
            if is_directory && self.options.recursive && self.options.spans_below(path.as_str()) {
                nodes.push(Node::Below(path.clone()));
            }
            let is_listed = !is_directory || !self.options.recursive || self.service.is_tree();
            if is_listed && self.options.spans(path.as_str()) {
                let found = match is_directory {
                    true => Ok(ObjectInfo::new(path.clone(), ObjectKind::Directory)),
                    false if self.options.full_info => self.service.stat(&path).await,
                    false => info(path.clone(), entry.metadata()),
                };
                match found {
                    Ok(entry) => nodes.push(Node::Entry(entry.into())),
                    // It is gone by now.
                    Err(error) if error.code() == ErrorCode::NotFound => {}
                    Err(error) => nodes.push(Node::Entry(self.failure(Unlisted::Entry(path), error))),
                }
            }
        }
        // A service answers the same for a directory that is gone and an empty one.
        if !is_there && *directory != self.prefix && self.service.is_tree() {
            match self.service.stat(directory).await {
                Ok(found) if found.kind == ObjectKind::Directory => {}
                Err(error) if error.code() != ErrorCode::NotFound => return Err(error),
                Ok(_) | Err(_) => {
                    let message =
                        "the directory was moved, deleted or replaced while it was listed: try again";
                    return Err(Error::new(ErrorCode::Unavailable, message));
                }
            }
        }
        nodes.sort_unstable_by(|one, other| one.place().cmp(other.place()));
        let is_failure = |node: &Node| matches!(node, Node::Entry(Listed::Failure(_)));
        nodes.dedup_by(|next, node| !is_failure(node) && !is_failure(next) && node.place().eq(next.place()));
        Ok(nodes.into())
    }

    fn failure(&self, what: Unlisted, error: Error) -> Listed {
        let error = error.at(KIND, what.path());
        ListingFailure { what, error }.into()
    }

    async fn advance(&mut self, max: usize) -> Result<Vec<Listed>> {
        self.service.check_open()?;
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
                    Err(error) => entries.push(self.failure(Unlisted::Directory(directory), error)),
                },
                None => drop(open.pop()),
            }
        }
        self.open = Some(open);
        Ok(entries)
    }
}

#[async_trait]
impl Listing for Walk {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        self.advance(max).await.map_err(|error| error.at(KIND, &self.prefix))
    }
}
