//! Confinement: every path is resolved below one directory, held open, and through no symbolic link.
//!
//! On Linux the kernel does it in one call (`openat2` with `RESOLVE_BENEATH` and `RESOLVE_NO_SYMLINKS`). Elsewhere, or
//! where a sandbox denies that call, the path is walked name by name with `O_NOFOLLOW`. Either way a name swapped for
//! a link at any moment is refused, not followed. Links that are to be followed lead no further than that directory.

use std::{os::fd::OwnedFd, sync::Arc};

use omnistorage_types::Path;
#[cfg(target_os = "linux")]
use rustix::fs::ResolveFlags;
use rustix::{
    fd::{AsFd, BorrowedFd},
    fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat},
    io::Errno,
};

/// Opens a directory to look into it.
const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);

/// Finds a directory without looking into it.
#[cfg(any(target_os = "linux", target_os = "android"))]
const LOOK: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const LOOK: OFlags = DIRECTORY;

/// Opens an object to read it. A named pipe without a writer does not block, a terminal does not take over.
const OBJECT: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY);

/// So often is a way looked for that the kernel could not be sure of.
#[cfg(target_os = "linux")]
const LOOKS: u32 = 16;

/// Everything below a root.
#[derive(Debug)]
pub(super) struct Tree {
    root: Arc<OwnedFd>,
    resolution: Resolution,
}

/// Who resolves paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resolution {
    /// The kernel, in one call.
    #[cfg(target_os = "linux")]
    Kernel,
    /// We, name by name.
    Walk,
}

impl Tree {
    /// Opens the root. It may be a symbolic link itself: whoever names the root is trusted.
    pub(super) fn open(root: &std::path::Path) -> Result<Self, Errno> {
        let root = rustix::fs::openat(CWD, root, DIRECTORY.difference(OFlags::NOFOLLOW), Mode::empty())?;
        #[cfg(target_os = "linux")]
        let resolution = match open_beneath(root.as_fd(), ".", DIRECTORY, ResolveFlags::NO_SYMLINKS) {
            Ok(_) => Resolution::Kernel,
            Err(_) => Resolution::Walk,
        };
        #[cfg(not(target_os = "linux"))]
        let resolution = Resolution::Walk;
        Ok(Self { root: Arc::new(root), resolution })
    }

    #[cfg(test)]
    pub(super) fn resolving_by(mut self, resolution: Resolution) -> Self {
        self.resolution = resolution;
        self
    }

    /// A directory to work in; the root comes without a system call.
    pub(super) fn directory(&self, path: &str) -> Result<Arc<OwnedFd>, Errno> {
        if path.is_empty() { Ok(self.root.clone()) } else { self.resolve(path, DIRECTORY).map(Arc::new) }
    }

    /// A directory to read the entries of, with a position of its own.
    pub(super) fn entries(&self, path: &str) -> Result<OwnedFd, Errno> {
        self.resolve(if path.is_empty() { "." } else { path }, DIRECTORY)
    }

    /// An object to read. What was opened may still be a directory or a special file: check before reading.
    pub(super) fn object(&self, path: &str) -> Result<OwnedFd, Errno> {
        self.resolve(path, OBJECT)
    }

    /// What is known about what stands at a path, links followed as far as they stay below the root: `EXDEV` beyond.
    pub(super) fn followed_stat(&self, path: &str) -> Result<Stat, Errno> {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        const ANYTHING: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        const ANYTHING: OFlags = OBJECT;
        rustix::fs::fstat(self.follow(path, ANYTHING)?)
    }

    /// The same of a directory to read the entries of.
    pub(super) fn followed_entries(&self, path: &str) -> Result<OwnedFd, Errno> {
        self.follow(path, DIRECTORY)
    }

    /// The same of an object to read, as [`Tree::object`].
    pub(super) fn followed_object(&self, path: &str) -> Result<OwnedFd, Errno> {
        self.follow(path, OBJECT)
    }

    /// Whether links can be followed: only the kernel sees to it that they lead to nothing else meanwhile.
    pub(super) fn can_follow(&self) -> bool {
        self.resolution != Resolution::Walk
    }

    fn follow(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        match self.resolution {
            #[cfg(target_os = "linux")]
            Resolution::Kernel => {
                let path = if path.is_empty() { "." } else { path };
                // The kernel gives up on a `..` while somebody renames a directory anywhere.
                let mut opened = Err(Errno::AGAIN);
                for _ in 0..LOOKS {
                    opened = open_beneath(self.root.as_fd(), path, flags, ResolveFlags::empty());
                    if !matches!(opened, Err(Errno::AGAIN)) {
                        break;
                    }
                }
                opened
            }
            Resolution::Walk => {
                let _ = (path, flags);
                Err(Errno::NOSYS)
            }
        }
    }

    /// What is known about a directory, also of one that may not be looked into.
    pub(super) fn directory_stat(&self, path: &str) -> Result<Stat, Errno> {
        if path.is_empty() {
            return rustix::fs::fstat(&self.root);
        }
        rustix::fs::fstat(self.resolve(path, LOOK)?)
    }

    /// A directory to write in; it and those above it are made where they are missing. `mode` gives the permission bits
    /// for a path that is made; the kernel takes the umask away from them. Also returns the paths that were made,
    /// outermost first.
    pub(super) fn make_directory(
        &self,
        path: &str,
        mode: impl Fn(&str) -> Option<Mode>,
    ) -> Result<(Arc<OwnedFd>, Vec<String>), Errno> {
        match self.directory(path) {
            Err(Errno::NOENT) => {}
            found => return Ok((found?, Vec::new())),
        }
        let mut made = Vec::new();
        let mut directory = self.root.clone();
        let mut end = 0;
        for name in path.split('/') {
            end += name.len();
            let next = match open_directory(&directory, name) {
                Err(Errno::NOENT) => {
                    let so_far = path.get(..end).unwrap_or(path);
                    let mode = mode(so_far).unwrap_or(Mode::from_raw_mode(0o777));
                    match rustix::fs::mkdirat(&directory, name, mode) {
                        Ok(()) => made.push(so_far.to_owned()),
                        Err(Errno::EXIST) => {}
                        Err(errno) => {
                            self.remove_empty(&made);
                            return Err(errno);
                        }
                    }
                    open_directory(&directory, name)
                }
                found => found,
            };
            directory = match next {
                Ok(next) => Arc::new(next),
                Err(errno) => {
                    self.remove_empty(&made);
                    return Err(errno);
                }
            };
            end += 1;
        }
        Ok((directory, made))
    }

    /// Removes directories again, innermost first, as far as they are empty.
    pub(super) fn remove_empty(&self, made: &[String]) {
        for path in made.iter().rev() {
            let (parent, name) = split(path);
            let removed = self
                .directory(parent)
                .and_then(|directory| rustix::fs::unlinkat(&directory, name, AtFlags::REMOVEDIR));
            if removed.is_err() {
                return;
            }
        }
    }

    fn resolve(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        match self.resolution {
            #[cfg(target_os = "linux")]
            Resolution::Kernel => open_beneath(self.root.as_fd(), path, flags, ResolveFlags::NO_SYMLINKS),
            Resolution::Walk => {
                let Some((parents, name)) = path.rsplit_once('/') else {
                    return open_name(self.root.as_fd(), path, flags);
                };
                let mut directory = None::<OwnedFd>;
                for parent in parents.split('/') {
                    let at = directory.as_ref().unwrap_or(&self.root);
                    directory = Some(open_directory(at, parent)?);
                }
                open_name(directory.as_ref().unwrap_or(&self.root).as_fd(), name, flags)
            }
        }
    }
}

/// The directory part of a path, and its last name.
pub(super) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// The directory part of the path of an object, and its name; the root is none.
pub(super) fn split_object(path: &Path) -> Result<(&str, &str), Errno> {
    if path.is_root() { Err(Errno::ISDIR) } else { Ok(split(path.as_str())) }
}

/// Opens the directory of that name in `directory`.
pub(super) fn open_directory<Name: rustix::path::Arg + Copy>(
    directory: impl AsFd,
    name: Name,
) -> Result<OwnedFd, Errno> {
    open_name(directory.as_fd(), name, DIRECTORY)
}

/// Opens the object of that name in `directory`, as [`Tree::object`].
pub(super) fn open_object(directory: impl AsFd, name: &str) -> Result<OwnedFd, Errno> {
    open_name(directory.as_fd(), name, OBJECT)
}

/// Opens one name, and distinguishes a symbolic link from anything else that is no directory.
fn open_name<Name: rustix::path::Arg + Copy>(
    directory: BorrowedFd<'_>,
    name: Name,
    flags: OFlags,
) -> Result<OwnedFd, Errno> {
    rustix::fs::openat(directory, name, flags, Mode::empty()).map_err(|errno| match errno {
        // With O_DIRECTORY Linux says ENOTDIR of a link too; FreeBSD says EMLINK of any link.
        Errno::NOTDIR | Errno::MLINK => {
            match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) if FileType::from_raw_mode(stat.st_mode).is_symlink() => Errno::LOOP,
                _ => errno,
            }
        }
        _ => errno,
    })
}

/// The kernel's own confinement, and what it is to refuse besides: see openat2(2).
#[cfg(target_os = "linux")]
fn open_beneath(
    root: BorrowedFd<'_>,
    path: &str,
    flags: OFlags,
    refused: ResolveFlags,
) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | refused;
    // O_NOFOLLOW adds nothing to that, and would turn the ELOOP of a link into ENOTDIR where a directory is wanted.
    rustix::fs::openat2(root, path, flags.difference(OFlags::NOFOLLOW), Mode::empty(), resolve)
}
