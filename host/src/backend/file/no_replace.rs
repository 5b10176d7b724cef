//! Renaming without replacing anything.

use std::os::fd::OwnedFd;

use rustix::{fs::AtFlags, io::Errno};

/// Renames, if the new name is free: `EEXIST` otherwise.
pub(super) fn rename_to_free(from: &OwnedFd, name: &str, to: &OwnedFd, new: &str) -> Result<(), Errno> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    match rustix::fs::renameat_with(from, name, to, new, rustix::fs::RenameFlags::NOREPLACE) {
        // Not every file system can.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
        done => return done,
    }
    match rustix::fs::linkat(from, name, to, new, AtFlags::empty()) {
        Ok(()) => return rustix::fs::unlinkat(from, name, AtFlags::empty()),
        Err(Errno::PERM | Errno::NOTSUP | Errno::NOSYS | Errno::MLINK | Errno::INVAL) => {}
        Err(errno) => return Err(errno),
    }
    // It has no links either, so all that is left is to look first.
    match rustix::fs::statat(to, new, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => rustix::fs::renameat(from, name, to, new),
        Ok(_) => Err(Errno::EXIST),
        Err(errno) => Err(errno),
    }
}
