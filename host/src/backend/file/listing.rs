//! Listings: a walk in byte order of the full paths, one batch a hop.

use std::sync::Arc;

use async_trait::async_trait;
use omnistorage_path::Path;
use rustix::{fs::AtFlags, io::Errno};

use super::{
    KIND,
    chain::Chain,
    error::{error, failure},
    names::Names,
    read::read_attributes,
    root::{Root, blocking, check_name},
};
use crate::{
    backend::{ListOptions, Listing},
    error::{Error, ErrorCode, Result},
    object::{ObjectInfo, ObjectKind},
};

/// A cursor. A call takes the walk along to its thread, so a call given up ends the listing.
#[derive(Debug)]
pub(super) struct FileListing {
    root: Arc<Root>,
    prefix: Path,
    state: State,
}

#[derive(Debug)]
enum State {
    Walking(Box<Walk>),
    Complete,
    BrokenOff,
}

#[async_trait]
impl Listing for FileListing {
    async fn next(&mut self, max: usize) -> Result<Vec<ObjectInfo>> {
        self.root.check_open().map_err(|error| error.at(KIND, &self.prefix))?;
        match std::mem::replace(&mut self.state, State::BrokenOff) {
            State::Walking(mut walk) => {
                let root = self.root.clone();
                let (batch, walk) = blocking(move || Ok((walk.next_batch(&root, max)?, walk))).await?;
                self.state = if batch.is_empty() { State::Complete } else { State::Walking(walk) };
                Ok(batch)
            }
            State::Complete => {
                self.state = State::Complete;
                Ok(Vec::new())
            }
            State::BrokenOff => {
                let message = "the listing ended before it was complete";
                Err(Error::new(ErrorCode::Other, message).at(KIND, &self.prefix))
            }
        }
    }
}

/// Where a listing is.
#[derive(Debug)]
struct Walk {
    options: ListOptions,
    chain: Chain,
    /// One for each directory from the prefix to where the walk is.
    levels: Vec<Level>,
    /// The path of the innermost directory, with a `/` at its end unless it is the root.
    directory: String,
}

#[derive(Debug)]
struct Level {
    names: Names,
    position: usize,
    /// Of [`Walk::directory`] when the walk is there.
    directory_len: usize,
}

/// Begins a listing.
pub(super) fn begin(root: &Arc<Root>, prefix: &Path, options: &ListOptions) -> Result<FileListing> {
    check_name(prefix)?;
    let state =
        Walk::begin(root, prefix, options)?.map_or(State::Complete, |walk| State::Walking(Box::new(walk)));
    Ok(FileListing { root: root.clone(), prefix: prefix.clone(), state })
}

impl Walk {
    /// `None` if there is nothing to list.
    fn begin(root: &Root, prefix: &Path, options: &ListOptions) -> Result<Option<Self>> {
        let top = match root.tree.entries(prefix.as_str()) {
            Ok(top) => top,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(errno) => return Err(failure(errno, prefix)),
        };
        let mut directory = prefix.as_str().to_owned();
        if !directory.is_empty() {
            directory.push('/');
        }
        let mut walk =
            Self { options: options.clone(), chain: Chain::new(top), levels: Vec::new(), directory };
        walk.enter(root)?;
        Ok(Some(walk))
    }

    /// Reads the directory to which the chain went, and skips what does not come after `start_after`.
    fn enter(&mut self, root: &Root) -> Result<()> {
        let read = || -> Result<Level, Errno> {
            let mut names = Names::read(self.chain.innermost()?, self.options.recursive, root.links)?;
            let directory = self.directory.strip_suffix('/').unwrap_or_default();
            root.leftovers.note(directory, std::mem::take(&mut names.temporaries));
            let position = match &self.options.start_after {
                Some(after) => match after.as_str().strip_prefix(&*self.directory) {
                    Some(after) => names.position_after(after.as_bytes()),
                    None if after.as_str() < &*self.directory => 0,
                    None => usize::MAX,
                },
                None => 0,
            };
            Ok(Level { names, position, directory_len: self.directory.len() })
        };
        let level = match read() {
            // It vanished since it was opened.
            Err(Errno::NOENT) => {
                Level { names: Names::default(), position: 0, directory_len: self.directory.len() }
            }
            level => level.map_err(|errno| self.failure(errno))?,
        };
        self.levels.push(level);
        Ok(())
    }

    fn next_batch(&mut self, root: &Root, max: usize) -> Result<Vec<ObjectInfo>> {
        let mut batch = Vec::with_capacity(max.min(1024));
        while batch.len() < max.max(1) {
            let Some(level) = self.levels.last_mut() else { break };
            self.directory.truncate(level.directory_len);
            let Some(name) = level.names.get(level.position) else {
                self.levels.pop();
                if !self.levels.is_empty() {
                    self.chain.ascend().map_err(|errno| self.failure(errno))?;
                }
                continue;
            };
            level.position += 1;
            let Ok(name) = str::from_utf8(name) else {
                let message = format!(
                    "the directory holds the name `{}`, which is not UTF-8 and so cannot be a path: rename it",
                    name.escape_ascii()
                );
                return Err(error(ErrorCode::InvalidPath, message, &self.path()?));
            };
            match name.strip_suffix('/') {
                None => {
                    let path = path(&self.directory, name)?;
                    let full = self.options.full_info && root.keeps_metadata();
                    batch.extend(entry(root, &self.chain, name, path, full)?);
                }
                Some(directory) => match self.chain.descend(directory) {
                    Ok(()) => {
                        self.directory.push_str(name);
                        self.enter(root)?;
                    }
                    // It vanished, or became something else, since its name was read.
                    Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
                    Err(errno) => {
                        return Err(failure(errno, &path(&self.directory, directory)?));
                    }
                },
            }
        }
        Ok(batch)
    }

    /// The path of the innermost directory.
    fn path(&self) -> Result<Path> {
        path(self.directory.strip_suffix('/').unwrap_or_default(), "")
    }

    fn failure(&self, errno: Errno) -> Error {
        self.path().map_or_else(|error| error, |path| failure(errno, &path))
    }
}

/// Checks what the file system names.
fn path(directory: &str, name: &str) -> Result<Path> {
    Path::parse(format!("{directory}{name}"))
        .map_err(|error| Error::from(error).at_location(KIND.to_owned(), format!("{directory}{name}")))
}

/// What stands at a name; `None` if it vanished since the name was read.
fn entry(root: &Root, chain: &Chain, name: &str, path: Path, full: bool) -> Result<Option<ObjectInfo>> {
    let directory = chain.innermost().map_err(|errno| failure(errno, &path))?;
    if let Some(link) = root.find_link(directory, name).map_err(|errno| failure(errno, &path))? {
        return Ok(Some(root.info(path, &link.stat)));
    }
    let stat = match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => stat,
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(failure(errno, &path)),
    };
    let mut info = root.info(path, &stat);
    if full && info.kind == ObjectKind::Object {
        read_attributes(root, directory, name, &stat, &info.path)?.add_to(&mut info);
    }
    Ok(Some(info))
}
