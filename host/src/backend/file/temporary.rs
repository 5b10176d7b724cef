//! Temporary files: where the bytes of an object are kept until it is whole.
//!
//! Where the file system has files without a name ([`Unnamed`]), one gets the name of its object once it is whole. If
//! that is taken, or where there are none, it lies under a name of its own in the directory of its object, so that a
//! rename puts it in place in one step. A killed writer may leave such a file: if the file had a name all along, or if
//! the writer was killed in the instant when its object replaced another.
//!
//! The name tells listings to hide it. It is made of two numbers: one for where it was made, which is the same for
//! everything the running system makes on one mounted file system and for nothing else, and a random one, so that no
//! two writers share a name. The lock of its writer (`flock`) tells a live file from a leftover, but only to those who
//! see that lock: over a network, or through two mounts of one directory, others may not. So a file is removed only if
//! its lock is free *and* either it was made where we are, or nobody touched it for as long as the caller says
//! ([`Dead`]). And what a writer puts in place is always its own file, whatever has become of the name.

use std::{os::fd::OwnedFd, sync::Arc, time::Duration};

use rustix::{
    fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, Stat},
    io::Errno,
};

use super::{
    chain::Identity,
    exchange::{Exchanged, Lost, replace_if},
    no_replace::rename_to_free,
    origin::Origin,
    permissions::bits,
    unnamed::Unnamed,
};
use crate::backend::temporary_name;

/// As many names are tried.
const NAMES: u32 = 16;

/// A temporary file, gone when dropped unless it was put in place.
#[derive(Debug)]
pub(super) struct Temporary {
    directory: Arc<OwnedFd>,
    name: Option<String>,
    file: OwnedFd,
}

impl Temporary {
    /// Makes one for the object `leaf` of `directory`, with permission bits from which the kernel takes the umask away.
    pub(super) fn create(
        directory: &Arc<OwnedFd>,
        leaf: &str,
        mode: Mode,
        unnamed: &Unnamed,
    ) -> Result<Self, Errno> {
        if let Some(file) = unnamed.create(directory, mode) {
            return Ok(Self { directory: directory.clone(), name: None, file });
        }
        // Everybody can see it from the start, so it is never more open than the file it will replace.
        let mode = match rustix::fs::statat(directory, leaf, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(there) if FileType::from_raw_mode(there.st_mode).is_file() => mode & bits(&there),
            _ => mode,
        };
        with_free_name(directory, |name| {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let file = rustix::fs::openat(directory, name, flags, mode)?;
            // Between our two calls the file had no lock, so a sweeper may have taken it for a leftover: then the
            // sweeper holds the lock, or has removed the file. Where the file system has no locks, nobody sweeps.
            if lock(&file) == Err(Errno::WOULDBLOCK) || rustix::fs::fstat(&file)?.st_nlink == 0 {
                return Ok(None);
            }
            Ok(Some(Self { directory: directory.clone(), name: Some(name.to_owned()), file }))
        })
    }

    pub(super) fn file(&self) -> &OwnedFd {
        &self.file
    }

    pub(super) fn directory(&self) -> &OwnedFd {
        &self.directory
    }

    /// Gives it the name of its object, if that is free: `EEXIST` otherwise. `ENOENT` if the directory, which looked
    /// empty to everybody else, is gone: an unnamed file may then go to [another one](Self::rebase). `made` is what is
    /// known about the file.
    pub(super) fn take_free_name(&mut self, leaf: &str, made: &Stat, unnamed: &Unnamed) -> Result<(), Errno> {
        match &self.name {
            None => return unnamed.link(&self.file, &self.directory, leaf),
            Some(name) => {
                // Whoever removed it may have made another of its name.
                let named = rustix::fs::statat(&self.directory, &**name, AtFlags::SYMLINK_NOFOLLOW);
                match named {
                    Ok(named) if Identity::from(&named) == Identity::from(made) => {}
                    Ok(_) | Err(Errno::NOENT) => {
                        self.name = None;
                        return Err(Errno::STALE);
                    }
                    Err(errno) => return Err(errno),
                }
                rename_to_free(&self.directory, name, &self.directory, leaf)?;
            }
        }
        self.name = None;
        Ok(())
    }

    /// Replaces whatever has the name of its object, in one step.
    pub(super) fn replace(&mut self, leaf: &str, unnamed: &Unnamed) -> Result<(), Errno> {
        if self.name.is_none() {
            self.take_name(unnamed)?;
        }
        if let Some(name) = &self.name {
            rustix::fs::renameat(&self.directory, &**name, &self.directory, leaf)?;
        }
        self.name = None;
        Ok(())
    }

    /// Puts it in the place of the file that is expected, and of no other, which has the name of its object; says whether
    /// that was there. `ENOENT` if nothing was.
    pub(super) fn replace_if(
        &mut self,
        leaf: &str,
        made: &Stat,
        unnamed: &Unnamed,
        is_expected: impl Fn(&Stat) -> bool,
    ) -> Result<bool, Errno> {
        let name = with_foreign_name(|name| {
            match &self.name {
                None => unnamed.link(&self.file, &self.directory, name)?,
                Some(old) => rename_to_free(&self.directory, old, &self.directory, name)?,
            }
            Ok(Some(name.to_owned()))
        })?;
        let name = &**self.name.insert(name);
        let named = rustix::fs::statat(&self.directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if Identity::from(&named) != Identity::from(made) {
            self.name = None;
            return Err(Errno::STALE);
        }
        match replace_if(&self.directory, name, leaf, is_expected)? {
            Ok(exchanged) => Ok(exchanged == Exchanged::Replaced),
            Err(Lost(errno)) => {
                // It is not ours to remove.
                self.name = None;
                Err(errno)
            }
        }
    }

    /// Gives it a name of its own, since only a rename replaces what has the name of the object.
    fn take_name(&mut self, unnamed: &Unnamed) -> Result<(), Errno> {
        // Before it has a name, so that no sweeper takes it for a leftover.
        match lock(&self.file) {
            Ok(()) | Err(Errno::NOTSUP | Errno::NOLCK | Errno::NOSYS) => {}
            Err(errno) => return Err(errno),
        }
        self.name = Some(with_free_name(&self.directory, |name| {
            unnamed.link(&self.file, &self.directory, name).map(|()| Some(name.to_owned()))
        })?);
        Ok(())
    }

    /// Whether it may go to another directory of the same file system.
    pub(super) fn is_unnamed(&self) -> bool {
        self.name.is_none()
    }

    /// Lets an unnamed one go to another directory.
    pub(super) fn rebase(&mut self, directory: &Arc<OwnedFd>) {
        self.directory = directory.clone();
    }
}

/// Calls `make` with names that a temporary file may have, until one is free; `None` from it means that the name was lost
/// again.
pub(super) fn with_free_name<T>(
    directory: &OwnedFd,
    make: impl FnMut(&str) -> Result<Option<T>, Errno>,
) -> Result<T, Errno> {
    with_name_of(Origin::of(directory)?, make)
}

/// The same for a name under which the file of somebody else may lie meanwhile: no sweeper is to take it for the leftover
/// of a writer here, only for one that was forgotten.
pub(super) fn with_foreign_name<T>(make: impl FnMut(&str) -> Result<Option<T>, Errno>) -> Result<T, Errno> {
    with_name_of(Origin::ELSEWHERE, make)
}

fn with_name_of<T>(
    origin: Origin,
    mut make: impl FnMut(&str) -> Result<Option<T>, Errno>,
) -> Result<T, Errno> {
    for _ in 0..NAMES {
        match make(&temporary_name::new(origin)) {
            Ok(Some(made)) => return Ok(made),
            Ok(None) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
    }
    Err(Errno::AGAIN)
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            // Whatever keeps it from being removed, somebody sweeps later.
            let _ = rustix::fs::unlinkat(&self.directory, &**name, AtFlags::empty());
        }
    }
}

/// Whether a name is that of a temporary file.
pub(super) fn is_name(name: &[u8]) -> bool {
    temporary_name::is_one(name)
}

/// When a temporary file whose lock is free counts as left by a dead writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dead {
    /// It was made on this mounted file system during the current boot: its writer would still hold the lock.
    Proven,
    /// That, or nobody touched it for so long.
    Since(Duration),
    /// Nobody touched it for so long, wherever it was made.
    OlderThan(Duration),
}

impl Dead {
    /// Where somebody wants what holds the file to go.
    pub(super) const OR_FORGOTTEN: Self = Self::Since(Duration::from_secs(24 * 60 * 60));

    fn holds(self, is_ours: bool, age: Duration) -> bool {
        match self {
            Self::Proven => is_ours,
            Self::Since(least) => is_ours || age >= least,
            Self::OlderThan(least) => age >= least,
        }
    }
}

/// Removes the leftover of a dead writer; returns whether the name is free now. All other files stay.
pub(super) fn sweep(directory: &OwnedFd, name: &[u8], dead: Dead) -> bool {
    let Some(origin) = temporary_name::origin(name) else { return false };
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(directory, name, flags, Mode::empty()) {
        Ok(file) => file,
        Err(errno) => return errno == Errno::NOENT,
    };
    let is_debris = || {
        let opened = rustix::fs::fstat(&file)?;
        let is_ours = Origin::of(directory)?.to_string().as_bytes() == origin;
        if !FileType::from_raw_mode(opened.st_mode).is_file() || !dead.holds(is_ours, age(&opened)) {
            return Ok(false);
        }
        lock(&file)?;
        // The name may be another file's by now.
        let named = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok::<_, Errno>(Identity::from(&named) == Identity::from(&opened))
    };
    match is_debris() {
        Ok(true) => rustix::fs::unlinkat(directory, name, AtFlags::empty()).is_ok(),
        Ok(false) => false,
        Err(errno) => errno == Errno::NOENT,
    }
}

/// How long nobody has touched a file, neither its bytes nor anything about it. A time in the future counts as now.
fn age(stat: &Stat) -> Duration {
    let touched = u64::try_from(stat.st_ctime).map_or(Duration::ZERO, Duration::from_secs);
    std::time::UNIX_EPOCH
        .elapsed()
        .map_or(Duration::ZERO, |now| now.saturating_sub(touched + Duration::from_secs(1)))
}

fn lock(file: &OwnedFd) -> Result<(), Errno> {
    rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive)
}
