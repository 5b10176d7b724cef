//! The tree of a server: what stands at a path, without a way through links, and the directories above it.
//!
//! The protocol knows paths alone, and servers follow the links in them. So each directory above a path is looked at
//! before the path is used; all these requests are sent at once.

use std::sync::Arc;

use omnistorage_types::Path;

use super::{
    attributes::Attributes,
    failure::malformed,
    opened::Opened,
    place::Places,
    pool::{Lease, Pool},
    reply::Reply,
    wire::{Extension, Named, Request},
};
use crate::{Error, ErrorCode, ObjectInfo, ObjectKind, Result, backend::require_object};

/// How many requests for the entries of a directory are under way at once.
const READDIRS: usize = 4;
/// How often an object is put in place where others do so at the same time, and each step may come too late.
const ATTEMPTS: u32 = 32;
/// The most entries of a directory: more cannot be sorted in memory.
const MOST_ENTRIES: usize = 1 << 24;

/// The tree, shared by all that work on it.
pub(super) type Shared = Arc<Remote>;

/// The server.
pub(super) struct Remote {
    pub(super) pool: Pool,
    pub(super) places: Places,
}

/// What stands at a path.
#[derive(Debug)]
pub(super) enum Found {
    Here(Attributes),
    Nothing,
    /// The path runs through something that is no directory.
    BelowObject,
}

impl Found {
    /// The object that a write would replace here, if there is one.
    ///
    /// # Errors
    /// What cannot be replaced, or be above an object.
    pub(super) fn replaced(self) -> Result<Option<Attributes>> {
        let found = match self {
            Self::Here(found) => found,
            Self::Nothing => return Ok(None),
            Self::BelowObject => return Err(through_object()),
        };
        match found.kind()? {
            ObjectKind::Object => Ok(Some(found)),
            // A rename takes its place.
            ObjectKind::Symlink => Ok(None),
            ObjectKind::Directory => Err(Error::new(ErrorCode::IsDirectory, "a directory is there")),
            ObjectKind::Special => {
                let message = "a device, a socket or a named pipe stands there, which is never replaced: remove it first, \
                               or choose another name";
                Err(Error::new(ErrorCode::AlreadyExists, message))
            }
        }
    }
}

/// What was asked about a path.
#[derive(Debug)]
pub(super) struct Asked {
    /// About the directories above it, the outermost first.
    above: Vec<Reply>,
    itself: Reply,
}

impl Asked {
    /// The answer.
    ///
    /// # Errors
    /// [`ErrorCode::PermissionDenied`] if the path runs through a link; what the server says.
    pub(super) async fn found(self) -> Result<Found> {
        for directory in self.above {
            let Some(directory) = directory.found().await? else { return Ok(Found::Nothing) };
            match directory.kind()? {
                ObjectKind::Directory => {}
                ObjectKind::Symlink => return Err(link()),
                ObjectKind::Object | ObjectKind::Special => return Ok(Found::BelowObject),
            }
        }
        Ok(self.itself.found().await?.map_or(Found::Nothing, Found::Here))
    }
}

impl Remote {
    /// A path as it is sent.
    pub(super) fn at(&self, path: &Path) -> Vec<u8> {
        let root = self.pool.settings.root.as_str();
        let joined = match (root, path.as_str()) {
            ("", "") => ".".to_owned(),
            (root, "") => root.to_owned(),
            ("", path) => path.to_owned(),
            ("/", path) => format!("/{path}"),
            (root, path) => format!("{root}/{path}"),
        };
        joined.into_bytes()
    }

    /// Asks what stands at a path, and at the directories above it that may not be links.
    pub(super) fn ask(&self, lease: &Lease, path: &Path) -> Result<Asked> {
        let followed = self.places.followed(path)?;
        let segments: Vec<_> = path.segments().collect();
        let mut above = Vec::new();
        let mut directory = Path::root();
        for (depth, segment) in segments.iter().enumerate() {
            directory = directory.join(&Path::parse(*segment)?)?;
            if depth + 1 < segments.len() && depth >= followed {
                above.push(lease.send(Request::lstat(&self.at(&directory))));
            }
        }
        let at = self.at(path);
        let request = if segments.len() <= followed { Request::stat(&at) } else { Request::lstat(&at) };
        Ok(Asked { above, itself: lease.send(request) })
    }

    /// What stands at a path.
    ///
    /// # Errors
    /// [`ErrorCode::PermissionDenied`] if the path runs through a link; what the server says.
    pub(super) async fn look(&self, lease: &Lease, path: &Path) -> Result<Found> {
        self.ask(lease, path)?.found().await
    }

    /// What stands at a path.
    ///
    /// # Errors
    /// As [`Remote::look`]; [`ErrorCode::NotFound`].
    pub(super) async fn existing(&self, lease: &Lease, path: &Path) -> Result<Attributes> {
        match self.look(lease, path).await? {
            Found::Here(attributes) => Ok(attributes),
            Found::Nothing | Found::BelowObject => {
                Err(Error::new(ErrorCode::NotFound, "there is nothing at this path"))
            }
        }
    }

    /// An object that can be read.
    ///
    /// # Errors
    /// As [`Remote::existing`]; [`ErrorCode::IsDirectory`]; what is neither is not read.
    pub(super) async fn object(&self, lease: &Lease, path: &Path) -> Result<Attributes> {
        require_object(path)?;
        let found = self.existing(lease, path).await?;
        require_kind_object(found.kind()?)?;
        Ok(found)
    }

    /// What is known of a path.
    pub(super) async fn info(&self, path: &Path) -> Result<ObjectInfo> {
        let lease = self.pool.lease().await?;
        let found = self.existing(&lease, path).await.map_err(|error| match error.code() {
            ErrorCode::NotFound if path.is_root() => {
                let root = String::from_utf8_lossy(&self.at(path)).into_owned();
                error.with_message(format!(
                    "there is no directory `{}`: check its name, or make it",
                    root.escape_debug()
                ))
            }
            _ => error,
        })?;
        let info = found.info(path)?;
        if path.is_root() && info.kind != ObjectKind::Directory {
            return Err(Error::new(ErrorCode::NotDirectory, "the root is no directory"));
        }
        Ok(info)
    }

    /// The object that a write replaces, if there is one.
    ///
    /// # Errors
    /// What cannot be replaced, or be above an object.
    pub(super) async fn replaced(&self, lease: &Lease, path: &Path) -> Result<Option<Attributes>> {
        require_object(path)?;
        self.look(lease, path).await?.replaced()
    }

    /// Makes a directory and those above it, the root included, and puts down those that it made, the outermost first.
    pub(super) async fn make_directory(
        &self,
        lease: &Lease,
        path: &Path,
        made: &mut Vec<Vec<u8>>,
    ) -> Result<()> {
        let followed = self.places.followed(path).unwrap_or(usize::MAX);
        let mut missing = Vec::new();
        let mut at = Some((self.at(path), path.segments().count()));
        while let Some((directory, depth)) = at {
            // Above the root, links are the business of who named it.
            let may_be_link = depth == 0 || depth <= followed;
            let request = if may_be_link { Request::stat(&directory) } else { Request::lstat(&directory) };
            match lease.send(request).found().await? {
                Some(found) => {
                    require_directory(&found)?;
                    break;
                }
                None => {
                    at = above(&directory).map(|above| (above, depth.saturating_sub(1)));
                    missing.push(directory);
                }
            }
        }
        for directory in missing.into_iter().rev() {
            match lease.send(Request::mkdir(&directory)).done().await {
                Ok(()) => made.push(directory),
                // Somebody else was faster.
                Err(refused) => match lease.send(Request::lstat(&directory)).found().await? {
                    Some(found) => require_directory(&found)?,
                    None => return Err(refused),
                },
            }
        }
        Ok(())
    }

    /// Removes directories that are empty, as those that were made for a write that came to nothing.
    pub(super) async fn remove_empty(lease: &Lease, made: &[Vec<u8>]) {
        for directory in made.iter().rev() {
            if lease.send(Request::rmdir(directory)).done().await.is_err() {
                return;
            }
        }
    }

    /// All that a directory holds, but for itself and the one above.
    ///
    /// # Errors
    /// A listing that ended before its end, or holds what can be no name.
    pub(super) async fn entries(&self, lease: &Lease, directory: &[u8]) -> Result<Vec<Named>> {
        let opened = lease.send(Request::opendir(directory)).handle();
        let opened = Opened { handle: opened.await?, lease: lease.clone() };
        let mut all = Vec::new();
        let mut asked = std::collections::VecDeque::new();
        loop {
            while asked.len() < READDIRS {
                asked.push_back(lease.send(Request::readdir(&opened.handle)));
            }
            let Some(reply) = asked.pop_front() else { return Ok(all) };
            let Some(names) = reply.names().await? else { return Ok(all) };
            for named in names {
                match &*named.name {
                    b"." | b".." => {}
                    name if name.is_empty() || name.iter().any(|byte| matches!(byte, b'/' | 0)) => {
                        let message =
                            "the server lists a name that can be none: it is empty, or holds a slash";
                        return Err(Error::new(ErrorCode::Other, message));
                    }
                    _ => all.push(named),
                }
            }
            if all.len() > MOST_ENTRIES {
                let message = format!("the directory has more than {MOST_ENTRIES} entries");
                return Err(Error::new(ErrorCode::LimitExceeded, message));
            }
        }
    }

    /// Puts what has one name in the place of another.
    ///
    /// A server without `posix-rename` may refuse to replace an object: then that is moved aside first, and for a moment
    /// there is nothing.
    pub(super) async fn put_in_place(
        &self,
        lease: &Lease,
        from: &[u8],
        to: &[u8],
        aside: impl Fn() -> Vec<u8>,
    ) -> Result<()> {
        if lease.has(Extension::PosixRename) {
            return lease.send(Request::posix_rename(from, to)).done().await;
        }
        let mut attempt = 0;
        loop {
            let Err(refused) = lease.send(Request::rename(from, to)).done().await else { return Ok(()) };
            attempt += 1;
            let there = lease.send(Request::lstat(to)).found().await?;
            match there.map(|there| there.kind()).transpose()? {
                Some(ObjectKind::Object | ObjectKind::Symlink) if attempt < ATTEMPTS => {}
                // Somebody else has moved it aside, or deleted it.
                None if is_unspecific(&refused) && attempt < ATTEMPTS => continue,
                _ => return Err(refused),
            }
            let aside = aside();
            match lease.send(Request::rename(to, &aside)).done().await {
                Err(error) if error.code() == ErrorCode::NotFound => continue,
                moved => moved?,
            }
            let placed = lease.send(Request::rename(from, to)).done().await;
            // What was there comes back, unless somebody else was faster: then theirs is the newer one. It is removed only where
            // something is seen in its place: else it is the only one left, under its hidden name.
            let is_replaced = placed.is_ok()
                || (lease.send(Request::rename(&aside, to)).done().await.is_err()
                    && matches!(lease.send(Request::lstat(to)).found().await, Ok(Some(_))));
            if is_replaced {
                // A leftover, if that fails.
                let _ = lease.send(Request::remove(&aside)).done().await;
            }
            match placed {
                Err(error) if is_unspecific(&error) && attempt < ATTEMPTS => {}
                placed => return placed,
            }
        }
    }

    /// What is behind a refusal without a reason: no room, if the server tells that.
    pub(super) async fn explain_write(&self, lease: &Lease, at: &[u8], refused: Error) -> Error {
        if refused.code() != ErrorCode::Other {
            return refused;
        }
        match self.file_system(lease, at).await {
            Ok(FileSystem { is_full: true, .. }) => {
                Error::new(ErrorCode::NoSpace, "the file system of the server is full")
            }
            _ => refused,
        }
    }

    /// What the server tells of the file system at a path.
    pub(super) async fn file_system(&self, lease: &Lease, at: &[u8]) -> Result<FileSystem> {
        if !lease.has(Extension::StatVfs) {
            return Err(Error::unsupported(super::KIND, "look at file systems of this server"));
        }
        let mut told = lease.send(Request::extended_of(Extension::StatVfs, at)).extended().await?;
        let mut next = || told.u64().map_err(malformed);
        // Sizes of blocks, blocks, free ones; files, free ones; and its number.
        let (_, _, _, _, blocks) = (next()?, next()?, next()?, next()?, next()?);
        let (files, _, free_files, id) = (next()?, next()?, next()?, next()?);
        Ok(FileSystem { id, is_full: blocks == 0 || (files > 0 && free_files == 0) })
    }
}

/// The file system at a path.
#[derive(Debug)]
pub(super) struct FileSystem {
    pub(super) id: u64,
    pub(super) is_full: bool,
}

/// The directory of what is at a path, as it is sent; `None` where there is none above.
pub(super) fn above(at: &[u8]) -> Option<Vec<u8>> {
    if matches!(at, b"/" | b".") {
        return None;
    }
    match at.iter().rposition(|byte| *byte == b'/') {
        Some(0) => Some(b"/".to_vec()),
        Some(slash) => at.get(..slash).map(<[u8]>::to_vec),
        None => Some(b".".to_vec()),
    }
}

/// A path in a directory, as it is sent.
pub(super) fn inside(directory: &[u8], name: &[u8]) -> Vec<u8> {
    match directory {
        b"." => name.to_vec(),
        b"/" => [b"/", name].concat(),
        _ => [directory, b"/", name].concat(),
    }
}

/// # Errors
/// If it is anything else, or the server does not tell.
fn require_directory(found: &Attributes) -> Result<()> {
    match found.kind()? {
        ObjectKind::Directory => Ok(()),
        ObjectKind::Symlink => Err(link()),
        ObjectKind::Object | ObjectKind::Special => Err(through_object()),
    }
}

/// # Errors
/// For anything that is no object.
pub(super) fn require_kind_object(kind: ObjectKind) -> Result<()> {
    match kind {
        ObjectKind::Object => Ok(()),
        ObjectKind::Directory => Err(Error::new(ErrorCode::IsDirectory, "it is a directory")),
        ObjectKind::Symlink => Err(link()),
        ObjectKind::Special => {
            let message = "it is a device, a socket or a named pipe, which is never read or written";
            Err(Error::new(ErrorCode::Unsupported, message))
        }
    }
}

pub(super) fn link() -> Error {
    let message = "it is, or runs through, a symbolic link, which is not followed";
    Error::new(ErrorCode::PermissionDenied, message)
}

pub(super) fn through_object() -> Error {
    Error::new(ErrorCode::NotDirectory, "it is, or runs through, something that is not a directory")
}

/// Whether it says that a directory still has entries, or is none: servers have one status for all of that.
pub(super) fn is_unspecific(error: &Error) -> bool {
    error.code() == ErrorCode::Other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_those_of_the_server() {
        for (at, directory) in [
            ("/a/b", Some("/a")),
            ("/a", Some("/")),
            ("/", None),
            ("a/b", Some("a")),
            ("a", Some(".")),
            (".", None),
        ] {
            assert_eq!(
                above(at.as_bytes()),
                directory.map(|directory| directory.as_bytes().to_vec()),
                "{at}"
            );
        }
        for (directory, at) in [("/", "/x"), (".", "x"), ("/a", "/a/x"), ("a", "a/x")] {
            assert_eq!(inside(directory.as_bytes(), b"x"), at.as_bytes());
        }
    }
}
