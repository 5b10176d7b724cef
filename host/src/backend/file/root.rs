//! The root of a backend, and how calls reach it: each in one hop to a thread that may block, except short work on a
//! quick file system (see [`pace`](super::pace)).

use std::{
    os::fd::OwnedFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures::FutureExt;
use omnistorage_types::Path;
use rustix::{fs::Stat, io::Errno};

use super::{
    FileOptions, KIND,
    attributes::{self, Attributes},
    error,
    info::{self, Told},
    leftovers::Leftovers,
    links::Links,
    owned::{self, Owned},
    pace::Pace,
    temporary,
    tree::Tree,
    unnamed::Unnamed,
};
use crate::{
    Error, ErrorCode, Metadata, ObjectInfo, Result,
    backend::{WriteCondition, WriteOptions},
};

/// What all calls share.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) tree: Tree,
    pub(super) fsync: bool,
    /// Whether its file system has extended attributes.
    pub(super) keeps_attributes: bool,
    /// Whether mode, owner and times are metadata, too.
    pub(super) keeps_owned: bool,
    pub(super) links: Links,
    /// What the file system tells.
    pub(super) told: Told,
    pub(super) unnamed: Unnamed,
    pub(super) leftovers: Leftovers,
    pace: Pace,
    closed: AtomicBool,
}

impl Root {
    pub(super) fn open(root: &std::path::Path, options: FileOptions) -> Result<Self> {
        let refused = |error: std::io::Error| {
            let error = Error::from(error);
            let message = format!("the root `{}` does not open: {}", root.display(), error.message());
            error.with_message(message).at(KIND, &Path::root())
        };
        if options.create {
            std::fs::create_dir_all(root).map_err(refused)?;
        }
        let tree = Tree::open(root).map_err(|errno| refused(errno.into()))?;
        if options.links == Links::Follow && !tree.can_follow() {
            return Err(Error::unsupported(KIND, "links that are followed, which needs openat2 of Linux"));
        }
        let directory = tree.directory("").map_err(|errno| refused(errno.into()))?;
        let (keeps_attributes, told) = (attributes::are_kept(&directory), Told::of(&directory));
        Ok(Self {
            tree,
            fsync: options.fsync,
            keeps_attributes,
            keeps_owned: options.metadata,
            links: options.links,
            told,
            unnamed: Unnamed::default(),
            leftovers: Leftovers::default(),
            pace: Pace::default(),
            closed: AtomicBool::new(false),
        })
    }

    /// What the file system knows about whatever is at a path.
    pub(super) fn info(&self, path: Path, stat: &Stat) -> ObjectInfo {
        info::info(path, stat, self.told)
    }

    /// Whether anything but the modification time is kept beside the bytes.
    pub(super) fn keeps_metadata(&self) -> bool {
        self.keeps_attributes || self.keeps_owned
    }

    /// What is kept beside the bytes of an open file.
    pub(super) fn attributes(&self, file: &OwnedFd, stat: &Stat) -> Result<Attributes, Errno> {
        let mut attributes =
            if self.keeps_attributes { Attributes::read(file)? } else { Attributes::default() };
        if self.keeps_owned {
            owned::add_to(&mut attributes.metadata, file, stat);
        }
        Ok(attributes)
    }

    /// The metadata that has to be changed.
    pub(super) fn take_owned(&self, metadata: &mut Metadata) -> Owned {
        if self.keeps_owned { Owned::take_from(metadata) } else { Owned::default() }
    }

    /// Whether there is metadata that only extended attributes can keep.
    fn has_own_metadata(&self, options: &WriteOptions) -> bool {
        let mut metadata = options.metadata.clone();
        self.take_owned(&mut metadata);
        !metadata.is_empty()
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    pub(super) fn check_open(&self) -> Result<()> {
        if self.closed.load(Ordering::Relaxed) { Err(Error::backend_closed()) } else { Ok(()) }
    }

    /// Does blocking work on a thread for it.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Arc<Self>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.check_open()?;
        let root = self.clone();
        blocking(move || work(&root)).await
    }

    /// Does work that takes no time on a quick file system: at once if it is quick, otherwise as [`Root::run`].
    pub(super) async fn run_short<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Arc<Self>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.check_open()?;
        if self.pace.is_quick() {
            return self.pace.time(|| work(self));
        }
        let root = self.clone();
        blocking(move || root.pace.time(|| work(&root))).await
    }

    /// Refuses what this root cannot store, before anything is changed.
    pub(super) fn check_options(&self, options: &WriteOptions, path: &Path) -> Result<()> {
        let is_of_link = || self.link_name(path.as_str()).is_some();
        let missing = if matches!(options.condition, WriteCondition::IfMatch(_))
            && (!self.told.exchange || is_of_link())
        {
            "writes if an etag matches, which need a file system that exchanges names, and no link"
        } else if options.content_type.is_some() && !self.keeps_attributes {
            "content types, since its file system keeps no extended attributes"
        } else if !self.keeps_attributes && self.has_own_metadata(options) {
            "metadata, since its file system keeps no extended attributes"
        } else {
            return Ok(());
        };
        Err(Error::unsupported(KIND, missing).at(KIND, path))
    }
}

/// Refuses the names of temporary files, in every call.
pub(super) fn check_name(path: &Path) -> Result<()> {
    if path.segments().any(|name| temporary::is_name(name.as_bytes())) {
        let message = "names such as `.omnistorage-0123456789abcdef-0.tmp` are those of its temporary files, which \
                       the file backend hides: choose another";
        return Err(error::error(ErrorCode::InvalidPath, message, path));
    }
    Ok(())
}

/// Does work that may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    start_blocking(work).await
}

/// Begins such work at once, whether or not the result is waited for.
pub(super) fn start_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> impl Future<Output = Result<T>> + Send {
    tokio::task::spawn_blocking(work).map(|done| {
        done.unwrap_or_else(|error| {
            Err(Error::new(ErrorCode::Cancelled, format!("the file backend was broken off: {error}")))
        })
    })
}

/// Tells blocking work that its caller is gone.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Interrupts when the result is dropped.
    pub(super) fn on_drop(&self) -> InterruptOnDrop {
        InterruptOnDrop(self.clone())
    }

    /// # Errors
    /// [`ErrorCode::Cancelled`]
    pub(super) fn check(&self, path: &Path) -> Result<()> {
        if self.0.load(Ordering::Relaxed) {
            return Err(error::error(ErrorCode::Cancelled, "the caller gave up", path));
        }
        Ok(())
    }
}

/// See [`Interrupt::on_drop`].
#[must_use]
pub(super) struct InterruptOnDrop(Interrupt);

impl Drop for InterruptOnDrop {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}
