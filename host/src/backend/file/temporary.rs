//! Temporary files: where the bytes of an object stand until it is whole.
//!
//! Where the file system has files without a name ([`Unnamed`]), one gets the name of its object once it is whole. If
//! that is taken, or where there are none, it lies under a name of its own in the directory of its object, so that a
//! rename puts it in place in one step. That name tells listings to hide it, and a lock that its writer holds (`flock`)
//! tells a live one from what a dead writer left: who gets the lock may remove the file. The lock dies with the process,
//! so no debris outlives the next write of the same object, or the next listing of the directory.

use std::{fmt::Write as _, os::fd::OwnedFd, sync::Arc};

use rustix::{
    fs::{AtFlags, FileType, FlockOperation, Mode, OFlags},
    io::Errno,
};

use super::{chain::Identity, unnamed::Unnamed};

const PREFIX: &str = ".omnistorage-";
const SUFFIX: &str = ".tmp";

/// As many writers of one object at a time.
const WRITERS: u32 = 1024;

/// A temporary file, gone when dropped unless it was put in place.
#[derive(Debug)]
pub(super) struct Temporary {
    directory: Arc<OwnedFd>,
    name: Option<String>,
    file: OwnedFd,
}

impl Temporary {
    /// Makes one for the object `leaf` of `directory`; `EAGAIN` if too many write that object.
    pub(super) fn create(directory: &Arc<OwnedFd>, leaf: &str, unnamed: &Unnamed) -> Result<Self, Errno> {
        if let Some(file) = unnamed.create(directory) {
            return Ok(Self { directory: directory.clone(), name: None, file });
        }
        with_free_name(directory, leaf, |name| {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let file = rustix::fs::openat(directory, name, flags, Mode::from_raw_mode(0o666))?;
            // Between our two calls a sweeper may take the file for debris, since it had no lock yet: then it has the
            // lock, or has removed the file. Where the file system has no locks, nobody sweeps.
            if lock(&file) == Err(Errno::WOULDBLOCK) || rustix::fs::fstat(&file)?.st_nlink == 0 {
                return Ok(None);
            }
            Ok(Some(Self { directory: directory.clone(), name: Some(name.to_owned()), file }))
        })
    }

    pub(super) fn file(&self) -> &OwnedFd {
        &self.file
    }

    /// Puts it in the place of `leaf`, in one step. `ENOENT` if the directory is gone, which was empty to all others:
    /// it may be [another one](Self::rebase) then.
    pub(super) fn put_in_place(&mut self, leaf: &str, unnamed: &Unnamed) -> Result<(), Errno> {
        if self.name.is_none() {
            match unnamed.link(&self.file, &self.directory, leaf) {
                Err(Errno::EXIST) => self.take_name(leaf, unnamed)?,
                done => return done,
            }
        }
        if let Some(name) = &self.name {
            rustix::fs::renameat(&self.directory, &**name, &self.directory, leaf)?;
        }
        self.name = None;
        Ok(())
    }

    /// Gives it a name of its own, since only a rename replaces what has the name of the object.
    fn take_name(&mut self, leaf: &str, unnamed: &Unnamed) -> Result<(), Errno> {
        // Before it has a name, so that no sweeper takes it for debris.
        match lock(&self.file) {
            Ok(()) | Err(Errno::NOTSUP | Errno::NOLCK | Errno::NOSYS) => {}
            Err(errno) => return Err(errno),
        }
        self.name = Some(with_free_name(&self.directory, leaf, |name| {
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

/// Calls `make` with the names that a temporary file of an object may have, until one is free; `None` from it means
/// that the name was lost again. `EAGAIN` if too many write that object.
fn with_free_name<T>(
    directory: &OwnedFd,
    leaf: &str,
    mut make: impl FnMut(&str) -> Result<Option<T>, Errno>,
) -> Result<T, Errno> {
    let stem = stem(leaf);
    let mut number = 0;
    while number < WRITERS {
        let name = format!("{stem}{number}{SUFFIX}");
        match make(&name) {
            Ok(Some(made)) => return Ok(made),
            Ok(None) => {}
            Err(Errno::EXIST) if sweep(directory, name.as_bytes()) => {}
            Err(Errno::EXIST) => number += 1,
            Err(errno) => return Err(errno),
        }
    }
    Err(Errno::AGAIN)
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            // Whatever keeps it from being removed, the next write or listing tries again.
            let _ = rustix::fs::unlinkat(&self.directory, &**name, AtFlags::empty());
        }
    }
}

/// Whether a name is that of a temporary file: `.omnistorage-`, 16 hexadecimal digits, `-`, a number, `.tmp`.
pub(super) fn is_name(name: &[u8]) -> bool {
    let Some((hash, number)) = name
        .strip_prefix(PREFIX.as_bytes())
        .and_then(|rest| rest.strip_suffix(SUFFIX.as_bytes()))
        .and_then(|rest| rest.split_at_checked(16))
    else {
        return false;
    };
    hash.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        && matches!(number, [b'-', digits @ ..] if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
}

/// Removes what a dead writer left; says whether the name is free now. A live writer's file stays.
pub(super) fn sweep(directory: &OwnedFd, name: &[u8]) -> bool {
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(directory, name, flags, Mode::empty()) {
        Ok(file) => file,
        Err(errno) => return errno == Errno::NOENT,
    };
    let is_debris = || {
        let opened = rustix::fs::fstat(&file)?;
        if !FileType::from_raw_mode(opened.st_mode).is_file() {
            return Ok(false);
        }
        lock(&file)?;
        // The name may be another file's by now: of a writer that began after the debris was gone.
        let named = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok::<_, Errno>(Identity::from(&named) == Identity::from(&opened))
    };
    match is_debris() {
        Ok(true) => rustix::fs::unlinkat(directory, name, AtFlags::empty()).is_ok(),
        Ok(false) => false,
        Err(errno) => errno == Errno::NOENT,
    }
}

fn lock(file: &OwnedFd) -> Result<(), Errno> {
    rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive)
}

/// The name up to its number: the same for the same object, and short enough for an object name of any length. FNV-1a
/// (Fowler, Noll and Vo, 64 bits), since names need to be spread and stable, no more: objects that share one only
/// share the numbers.
fn stem(leaf: &str) -> String {
    let hash = leaf.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mut stem = String::with_capacity(40);
    let _ = write!(stem, "{PREFIX}{hash:016x}-");
    stem
}
