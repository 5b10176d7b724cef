//! Objects as files below a directory.
//!
//! - **Confined.** Nothing outside the root can be reached. Symbolic links are listed. They are followed only if asked
//!   for, and never out of the root: a path through a link is refused, a write over a link replaces it, a delete removes
//!   it. Devices, sockets and named pipes are listed, and never read or replaced.
//! - **Whole or absent.** Bytes go to a file that has no name until it is whole, or, where the file system has no such
//!   files, to a hidden temporary file beside the object, which a rename puts in place. The same happens for an instant
//!   when an object is replaced. A process that is killed may leave such a file. Listings hide it and remove nothing;
//!   the next write in a directory that was listed removes it, if it is certain that nobody is writing it, and so does
//!   [`sweep`](Backend::sweep).
//! - **Permissions.** A copy of a file has the permission bits of its source, under the umask. A file that replaces
//!   another never has more bits than that one had; a write that is no copy has the same. Directories made for a copy
//!   have the bits of the directories they stand for, and those that their owner needs to write in them; the umask
//!   applies, unless the mode is metadata.
//! - **Names.** A write under `IfAbsent` never replaces anything, even where the file system takes two names for one, of
//!   objects or of the directories above them.
//! - **Versions.** A write under `IfMatch` exchanges its name with what is there, and exchanges it back if that turns out
//!   to be another version: no foreign version is lost, but others may see the refused one for that instant. This needs a
//!   file system of Linux that exchanges names (ext4, XFS, Btrfs, tmpfs and a few more). Moves refuse the condition.
//! - **Links** are left out, or are objects, or what they lead to: see [`Links`]. **Mode, owner and times** are metadata,
//!   under rclone's keys, if the setting `metadata` says so.
//! - **Etags** are made of inode, size and modification time; without the inode where the file system renumbers its files
//!   (FAT, FUSE).
//! - **Times** are kept to the nanosecond. **Content types and metadata** are kept in extended attributes (`user.mime_type`,
//!   `user.<key>`) where the file system has them.
//! - **Threads.** Blocking work runs on tokio's threads for it. Only writing an object of up to 32 KiB, and opening one
//!   to read it, happen on the caller's thread, as long as that has recently taken less than 50 us.
//! - A name that is not UTF-8 cannot be a path: a listing reports it as a failure among its entries, and goes on.

#![allow(clippy::disallowed_methods, reason = "this is where files are read and written")]

mod attributes;
mod chain;
mod copy;
mod draft;
mod error;
mod exchange;
mod folding;
mod follow;
mod info;
mod leftovers;
mod link;
mod links;
mod listing;
mod names;
mod no_replace;
mod object;
mod opener;
mod origin;
mod owned;
mod pace;
mod parents;
mod permissions;
mod placement;
mod read;
mod remove;
mod rename;
mod root;
mod sweep;
mod temporary;
#[cfg(test)]
mod tests;
mod tree;
mod unnamed;
mod upload;

use std::{any::Any, path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use omnistorage_types::Path;
#[cfg(feature = "runtime")]
use rustix::io::Errno;

pub use self::links::Links;
#[cfg(feature = "runtime")]
use self::tree::split;
use self::{
    copy::Copier,
    root::{Interrupt, Root},
};
use crate::{
    Hash, HashAlgorithm, ObjectInfo, Result, Timestamp,
    backend::{
        Backend, Capabilities, CopyRequest, Features, ListOptions, Listing, ObjectVersion, ReadOptions,
        Reader, Upload, WriteOptions, limited,
    },
    config::Config,
};

const KIND: &str = "file";

/// Writing an object of up to this many bytes counts as short work, its hash included; see [`pace`].
const SHORT: usize = 32 * 1024;

/// How to open a [`FileBackend`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileOptions {
    /// Make the root, and the directories above it, if it is missing.
    pub create: bool,
    /// Report a write only once the object and its name have reached the disk. Without it, a crash of the machine may
    /// lose the writes of the last seconds.
    pub fsync: bool,
    /// Mode, owner and times of files are metadata: `mode`, `uid`, `gid`, `atime` and `btime`, written as rclone writes
    /// them. Copies keep them, and a file written with such metadata gets them, as far as that is allowed.
    pub metadata: bool,
    /// What becomes of symbolic links.
    pub links: Links,
}

/// Objects as files below a directory; see the [module](self).
///
/// ```
/// use omnistorage::{
///     Backend, FileBackend, Path,
///     backend::{WriteOptions, file::FileOptions},
/// };
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let root = directory.path();
/// let backend = FileBackend::open(root, FileOptions::default())?;
/// backend.write_all(&Path::parse("a/b.txt")?, "hello".into(), &WriteOptions::default()).await?;
/// assert_eq!(std::fs::read(root.join("a/b.txt"))?, b"hello");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FileBackend {
    root: Arc<Root>,
}

impl FileBackend {
    /// Opens a directory as the root. It stays the root if it is renamed later.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`](crate::ErrorCode::NotFound) if it is missing and is not to be made,
    /// [`ErrorCode::NotDirectory`](crate::ErrorCode::NotDirectory),
    /// [`ErrorCode::PermissionDenied`](crate::ErrorCode::PermissionDenied);
    /// [`ErrorCode::Unsupported`](crate::ErrorCode::Unsupported) if links are to be followed where the system cannot confine
    /// them.
    pub fn open(root: impl AsRef<std::path::Path>, options: FileOptions) -> Result<Self> {
        Ok(Self { root: Arc::new(Root::open(root.as_ref(), options)?) })
    }

    /// Takes `root` (a path, required), the booleans `create`, `fsync` and `metadata`, and `links` (`skip`, `keep` or
    /// `follow`).
    ///
    /// # Errors
    /// As [`FileBackend::open`]; [`ErrorCode::InvalidArgument`](crate::ErrorCode::InvalidArgument) for a key that is
    /// missing, malformed or unknown.
    pub fn from_config(mut config: Config) -> Result<Self> {
        let root: PathBuf = config.require("root")?;
        let create = config.take("create")?.unwrap_or_default();
        let fsync = config.take("fsync")?.unwrap_or_default();
        let metadata = config.take("metadata")?.unwrap_or_default();
        let links = config.take("links")?.unwrap_or_default();
        config.finish(KIND)?;
        Self::open(root, FileOptions { create, fsync, metadata, links })
    }

    /// Whether both paths lead to one directory, whatever the roots are. For an object it is the directory that holds
    /// it.
    #[cfg(feature = "runtime")]
    pub(crate) async fn is_same_directory(
        &self,
        path: &Path,
        other: &Self,
        other_path: &Path,
    ) -> Result<bool> {
        let identity = |root: &Arc<Root>, path: &Path| {
            let directory = match root.tree.directory(path.as_str()) {
                Err(Errno::NOTDIR) => root.tree.directory(split(path.as_str()).0),
                opened => opened,
            };
            directory
                .and_then(|directory| opener::Place::new("", &directory))
                .ok()
                .map(|place| place.identity)
        };
        let (other, other_path) = (other.root.clone(), other_path.clone());
        let same = move |root: &Arc<Root>, path: &Path, _: &Interrupt| {
            let here = identity(root, path);
            Ok(here.is_some() && here == identity(&other, &other_path))
        };
        self.run(path, same).await
    }

    /// Does blocking work at a path, in one hop to another thread; tells the work when its caller is gone.
    async fn run<T: Send + 'static>(
        &self,
        path: &Path,
        work: impl FnOnce(&Arc<Root>, &Path, &Interrupt) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let interrupt = Interrupt::default();
        let _guard = interrupt.on_drop();
        let owned = path.clone();
        let done = self.root.run(move |root| work(root, &owned, &interrupt)).await;
        done.map_err(|error| error.at(KIND, path))
    }

    /// The same for many paths or requests: fails for each if it fails as a whole.
    async fn run_many<I: Clone + Send + 'static, T: Send + 'static>(
        &self,
        items: &[I],
        path: impl Fn(&I) -> &Path,
        work: impl FnOnce(&Arc<Root>, &[I], &Interrupt) -> Vec<Result<T>> + Send + 'static,
    ) -> Vec<Result<T>> {
        let interrupt = Interrupt::default();
        let _guard = interrupt.on_drop();
        let owned = items.to_vec();
        match self.root.run(move |root| Ok(work(root, &owned, &interrupt))).await {
            Ok(results) => results,
            Err(error) => items.iter().map(|item| Err(error.clone().at(KIND, path(item)))).collect(),
        }
    }
}

/// The root to copy to, if it is one of this kind.
fn target_root(target: &dyn Backend) -> Option<Result<Arc<Root>>> {
    let FileBackend { root } = target.as_any().downcast_ref()?;
    Some(root.check_open().map(|()| root.clone()))
}

#[async_trait]
impl Backend for FileBackend {
    fn kind(&self) -> &str {
        KIND
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            features: Features {
                copy: true,
                move_to: !self.root.follows(),
                purge: true,
                transfer: false,
                directories: true,
                set_modified: true,
                custom_metadata: self.root.keeps_metadata(),
                content_type: self.root.keeps_attributes,
                range_read: true,
                atomic_write: true,
                if_absent: true,
                if_match: self.root.told.exchange,
                sorted_list: true,
                listed_times: true,
                batches: true,
                conditional_copy: true,
                conditional_delete: true,
                partial_list: false,
            },
            hashes: Vec::new(),
            modified_precision: Some(Duration::from_nanos(1)),
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader> {
        read::read(&self.root, path, options).await.map_err(|error| error.at(KIND, path))
    }

    async fn read_all(&self, path: &Path, options: &ReadOptions, max: usize) -> Result<Bytes> {
        let options = options.clone();
        self.run(path, move |root, path, _| read::read_all(root, path, &options, max)).await
    }

    async fn write(&self, path: &Path, options: &WriteOptions) -> Result<Box<dyn Upload>> {
        let options = options.clone();
        let upload = self.run(path, move |root, path, _| upload::begin(root, path, &options)).await?;
        Ok(Box::new(upload))
    }

    async fn write_all(&self, path: &Path, contents: Bytes, options: &WriteOptions) -> Result<ObjectInfo> {
        let (owned, options) = (path.clone(), options.clone());
        let is_short = contents.len() <= SHORT;
        let work = move |root: &Arc<Root>| upload::write_all(root, &owned, &contents, &options);
        let done = if is_short { self.root.run_short(work).await } else { self.root.run(work).await };
        done.map_err(|error| error.at(KIND, path))
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        self.run(path, |root, path, _| read::stat(root, path)).await
    }

    async fn list(&self, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
        let (options, limit) = (options.clone(), options.limit);
        let listing = self.run(prefix, move |root, prefix, _| listing::begin(root, prefix, &options)).await?;
        Ok(limited(Box::new(listing), limit))
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        self.run_many(paths, |path| path, remove::delete_many).await
    }

    async fn delete_if_match(&self, versions: &[ObjectVersion]) -> Vec<Result<()>> {
        self.run_many(versions, |version| &version.path, remove::delete_versions).await
    }

    async fn mkdir(&self, path: &Path) -> Result<()> {
        self.run(path, |root, path, _| remove::mkdir(root, path)).await
    }

    async fn rmdir(&self, path: &Path) -> Result<()> {
        self.run(path, |root, path, _| remove::rmdir(root, path)).await
    }

    async fn purge(&self, prefix: &Path) -> Result<u64> {
        self.run(prefix, |root, path, interrupt| remove::purge(root, path, interrupt)).await
    }

    async fn sweep(&self, prefix: &Path, older_than: Duration) -> Result<u64> {
        self.run(prefix, move |root, path, interrupt| sweep::sweep(root, path, older_than, interrupt)).await
    }

    async fn copy_to(
        &self,
        source: &Path,
        target_backend: &dyn Backend,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let Some(to) = target_root(target_backend) else {
            return target_backend.copy_from(self, source, target, options).await;
        };
        let to = to.map_err(|error| error.at(KIND, target).on_target())?;
        let request =
            CopyRequest { source: source.clone(), target: target.clone(), options: options.clone() };
        self.run(source, move |from, _, interrupt| Copier::new(from, &to, interrupt).copy(&request)).await
    }

    async fn copy_many(
        &self,
        requests: &[CopyRequest],
        target_backend: &dyn Backend,
    ) -> Vec<Result<ObjectInfo>> {
        let to = match target_root(target_backend) {
            Some(Ok(to)) => to,
            Some(Err(error)) => {
                let refused =
                    |request: &CopyRequest| Err(error.clone().at(KIND, &request.target).on_target());
                return requests.iter().map(refused).collect();
            }
            None => {
                let mut results = Vec::with_capacity(requests.len());
                for CopyRequest { source, target, options } in requests {
                    results.push(target_backend.copy_from(self, source, target, options).await);
                }
                return results;
            }
        };
        let copy = move |from: &Arc<Root>, requests: &[CopyRequest], interrupt: &Interrupt| {
            let mut copier = Copier::new(from, &to, interrupt);
            requests.iter().map(|request| copier.copy(request)).collect()
        };
        self.run_many(requests, |request| &request.source, copy).await
    }

    async fn move_to(
        &self,
        source: &Path,
        target_backend: &dyn Backend,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let Some(to) = target_root(target_backend) else {
            return target_backend.move_from(self, source, target, options).await;
        };
        let to = to.map_err(|error| error.at(KIND, target).on_target())?;
        let request =
            CopyRequest { source: source.clone(), target: target.clone(), options: options.clone() };
        self.run(source, move |from, _, interrupt| rename::rename(from, &to, &request, interrupt)).await
    }

    async fn set_modified(&self, path: &Path, modified: Timestamp) -> Result<()> {
        self.run(path, move |root, path, _| read::set_modified(root, path, modified)).await
    }

    async fn hash(&self, path: &Path, algorithm: HashAlgorithm) -> Result<Hash> {
        self.run(path, move |root, path, interrupt| read::hash(root, path, algorithm, interrupt)).await
    }

    async fn hash_many(&self, paths: &[Path], algorithm: HashAlgorithm) -> Vec<Result<Hash>> {
        let hash = move |root: &Arc<Root>, paths: &[Path], interrupt: &Interrupt| {
            read::hash_many(root, paths, algorithm, interrupt)
        };
        self.run_many(paths, |path| path, hash).await
    }

    async fn close(&self) -> Result<()> {
        self.root.close();
        Ok(())
    }
}
