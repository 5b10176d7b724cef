//! Listings: a walk in byte order of the full paths, one hop to another thread for each batch.

use std::sync::Arc;

use async_trait::async_trait;
use omnistorage_types::Path;
use rustix::{fs::AtFlags, io::Errno};

use super::{
    KIND,
    chain::Chain,
    error::{error, failure},
    follow::{is_link, lost},
    names::Names,
    read::read_attributes,
    root::{Root, blocking, check_name},
};
use crate::{
    Error, ErrorCode, ObjectInfo, ObjectKind, Result,
    backend::{ListOptions, Listed, Listing, ListingFailure, Unlisted},
};

/// A cursor. Each call takes the walk to its thread, so dropping a call ends the listing.
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
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
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
    /// The position of the first name that comes after all that is wanted.
    end: usize,
    /// The length of [`Walk::directory`] when the walk is there.
    directory_len: usize,
}

/// Begins a listing, of which the limit is not kept here.
pub(super) fn begin(root: &Arc<Root>, prefix: &Path, options: &ListOptions) -> Result<FileListing> {
    check_name(prefix)?;
    let state =
        Walk::begin(root, prefix, options)?.map_or(State::Complete, |walk| State::Walking(Box::new(walk)));
    Ok(FileListing { root: root.clone(), prefix: prefix.clone(), state })
}

impl Walk {
    /// `None` if there is nothing to list.
    fn begin(root: &Root, prefix: &Path, options: &ListOptions) -> Result<Option<Self>> {
        let top = match root.readable_entries(prefix.as_str()) {
            Ok(top) => top,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(errno) => return Err(root.unreadable(errno, prefix)),
        };
        if root.follows() {
            root.check_circle(prefix.as_str(), &top).map_err(|errno| lost(errno, prefix))?;
        }
        let mut directory = prefix.as_str().to_owned();
        if !directory.is_empty() {
            directory.push('/');
        }
        let mut walk =
            Self { options: options.clone(), chain: Chain::new(top), levels: Vec::new(), directory };
        walk.enter(root).map_err(|errno| failure(errno, prefix))?;
        Ok(Some(walk))
    }

    /// Reads the directory to which the chain went, and skips what does not come after `start_after`.
    fn enter(&mut self, root: &Root) -> Result<(), Errno> {
        let leads_to_directory =
            |name: &[u8]| root.leads_to_directory(&[self.directory.as_bytes(), name].concat());
        let (innermost, recursive) = (self.chain.innermost()?, self.options.recursive);
        let mut names = match Names::read(innermost, recursive, root.links, leads_to_directory) {
            // It was removed after it was opened, so it was empty.
            Err(Errno::NOENT) => Names::default(),
            names => names?,
        };
        let directory = self.directory.strip_suffix('/').unwrap_or_default();
        root.leftovers.note(directory, std::mem::take(&mut names.temporaries));
        let position_of = |bound: &Option<Path>, at: fn(&Names, &[u8]) -> usize| {
            let bound = bound.as_ref()?.as_str();
            Some(match bound.strip_prefix(&*self.directory) {
                Some(bound) => at(&names, bound.as_bytes()),
                None if bound < &*self.directory => 0,
                None => usize::MAX,
            })
        };
        let position = position_of(&self.options.start_after, Names::position_after).unwrap_or(0);
        let end = position_of(&self.options.until, Names::end_at).unwrap_or(usize::MAX);
        self.levels.push(Level { names, position, end, directory_len: self.directory.len() });
        Ok(())
    }

    /// The next entries, and the names and directories that could not be listed.
    ///
    /// # Errors
    /// What keeps the rest of the prefix itself from being listed.
    fn next_batch(&mut self, root: &Root, max: usize) -> Result<Vec<Listed>> {
        let mut batch = Vec::with_capacity(max.min(1024));
        while batch.len() < max.max(1) {
            let is_top = self.levels.len() == 1;
            let Some(level) = self.levels.last_mut() else { break };
            self.directory.truncate(level.directory_len);
            let name = level.names.get(level.position).filter(|_| level.position < level.end);
            let Some(name) = name else {
                self.levels.pop();
                batch.extend(self.leave(root)?);
                continue;
            };
            level.position += 1;
            let (name, is_entered) = match name.strip_suffix(b"/") {
                Some(name) => (name, true),
                None => (name, false),
            };
            let Some((name, path)) = legal(&self.directory, name) else {
                // A directory comes twice.
                if !is_entered {
                    let name = [self.directory.as_bytes(), name].concat();
                    batch.push(ListingFailure::of_name(KIND, &name).into());
                }
                continue;
            };
            if is_entered {
                batch.extend(self.descend(root, path).err().map(Listed::from));
                continue;
            }
            let full = self.options.full_info && root.keeps_metadata();
            match entry(root, &self.chain, name, path, full) {
                Ok(found) => batch.extend(found.map(Listed::Entry)),
                // Who may read the names of a directory and not look at them may look at none of them. Links that are
                // followed lead elsewhere.
                Err(failure)
                    if failure.error.code() == ErrorCode::PermissionDenied
                        && !is_link_in(&self.chain, name) =>
                {
                    if is_top {
                        return Err(failure.error);
                    }
                    level.position = usize::MAX;
                    batch.push(ListingFailure { what: Unlisted::Directory(self.path()?), ..failure }.into());
                }
                Err(failure) => batch.push(failure.into()),
            }
        }
        Ok(batch)
    }

    /// Goes into a directory whose name was read before.
    fn descend(&mut self, root: &Root, path: Path) -> Result<(), ListingFailure> {
        let name = path.name().unwrap_or_default();
        let descended = match self.chain.descend(name) {
            Err(Errno::LOOP) if root.follows() => self.follow(root, &path),
            descended => descended,
        };
        let entered = descended.and_then(|()| {
            self.directory.push_str(name);
            self.directory.push('/');
            // Leaves what was just opened, without a way back.
            self.enter(root).or_else(|errno| self.chain.ascend().and(Err(errno)))
        });
        entered.map_err(|errno| ListingFailure {
            error: match errno {
                Errno::LOOP | Errno::XDEV if root.follows() => lost(errno, &path),
                _ => unreachable(errno, &path),
            },
            what: Unlisted::Directory(path),
        })
    }

    /// Goes into the directory that a link leads to.
    fn follow(&mut self, root: &Root, path: &Path) -> Result<(), Errno> {
        let directory = root.tree.followed_entries(path.as_str())?;
        root.check_circle(path.as_str(), &directory)?;
        self.chain.push(directory)
    }

    /// Goes back to the directory above. If that was moved meanwhile, and another one is where it was, the rest of it
    /// cannot be listed, and gives a failure.
    ///
    /// # Errors
    /// If there is no way back to the prefix itself.
    fn leave(&mut self, root: &Root) -> Result<Option<Listed>> {
        let mut lost = None;
        while let Some(level) = self.levels.last() {
            self.directory.truncate(level.directory_len);
            let path = self.path()?;
            let Err(errno) = self.chain.ascend_or(|| root.readable_entries(path.as_str())) else { break };
            let error = unreachable(errno, &path);
            self.levels.pop();
            if self.levels.is_empty() {
                return Err(error);
            }
            lost = Some(ListingFailure { what: Unlisted::Directory(path), error }.into());
        }
        Ok(lost)
    }

    /// The path of the innermost directory.
    fn path(&self) -> Result<Path> {
        Ok(Path::parse(self.directory.strip_suffix('/').unwrap_or_default())?)
    }
}

/// The name and the path of what the file system names, if it can be a path.
fn legal<'a>(directory: &str, name: &'a [u8]) -> Option<(&'a str, Path)> {
    let name = str::from_utf8(name).ok()?;
    Some((name, Path::parse([directory, name].concat()).ok()?))
}

/// Why a directory that was there before cannot be entered. Its contents may be elsewhere now, so it does not count as
/// empty.
fn unreachable(errno: Errno, path: &Path) -> Error {
    match errno {
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP => {
            let message = "the directory was moved, deleted or replaced while it was listed: try again";
            error(ErrorCode::Unavailable, message, path)
        }
        _ => failure(errno, path),
    }
}

/// Whether a name of the innermost directory is that of a link.
fn is_link_in(chain: &Chain, name: &str) -> bool {
    let looked = chain
        .innermost()
        .and_then(|directory| rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW));
    looked.is_ok_and(|found| is_link(&found))
}

/// What stands at a name; `None` if it vanished since the name was read.
fn entry(
    root: &Root,
    chain: &Chain,
    name: &str,
    path: Path,
    full: bool,
) -> Result<Option<ObjectInfo>, ListingFailure> {
    let failed = |error, path| ListingFailure { error, what: Unlisted::Entry(path) };
    let looked = chain.innermost().and_then(|directory| {
        if let Some(link) = root.find_link(directory, name)? {
            return Ok((directory, link.stat, true));
        }
        Ok((directory, rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?, false))
    });
    let (directory, stat, is_link) = match looked {
        Ok(found) => found,
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(failed(failure(errno, &path), path)),
    };
    let stat = match root.through_link(stat, &path) {
        Ok(stat) => stat,
        Err(error) => return Err(failed(error, path)),
    };
    let mut info = root.info(path, &stat);
    if full && info.kind == ObjectKind::Object && !is_link {
        match read_attributes(root, directory, name, &stat, &info.path) {
            Ok(attributes) => attributes.add_to(&mut info),
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(failed(error, info.path)),
        }
    }
    Ok(Some(info))
}
