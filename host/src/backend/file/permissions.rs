//! Permission bits: who may read what is written.
//!
//! | what is written | where nothing was | in place of a file |
//! |---|---|---|
//! | a copy of a file | the bits of the source, under the umask | of these, those that the replaced file has |
//! | anything else | read and write, under the umask | the bits of the replaced file |
//! | what brings a mode of its own ([`owned`](super::owned)) | that mode | that mode |
//!
//! A copy is never open to anybody to whom its source, or the file it replaces, was closed. A file that replaces
//! another keeps that one's owner and group where that is allowed; where the group cannot be kept, the new group may do
//! no more than everybody. Set-user-id and the like are never kept. A link that is replaced does not count.

use std::os::fd::OwnedFd;

use rustix::{
    fs::{Gid, Mode, Stat, Uid},
    io::Errno,
};

/// Of whom: all that may be kept.
const ALL: Mode = Mode::RWXU.union(Mode::RWXG).union(Mode::RWXO);

/// The bits of a file that is not a copy.
const USUAL: Mode = Mode::from_raw_mode(0o666);

/// Where the permission bits of what is written come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Permissions {
    /// From nowhere.
    Usual,
    /// From the file that it is a copy of.
    Copied(Mode),
    /// From its metadata, which has the last word.
    Given(Mode),
}

impl Permissions {
    /// Of a copy of a file.
    pub(super) fn of(source: &Stat) -> Self {
        Self::Copied(bits(source))
    }

    /// The bits to create a file with; the kernel takes the umask away from them.
    pub(super) fn to_make(self) -> Mode {
        match self {
            Self::Usual => USUAL,
            Self::Copied(mode) | Self::Given(mode) => mode,
        }
    }

    /// Gives a file that was made with [`Permissions::to_make`] the bits it should have in place of another file;
    /// returns whether that changed anything.
    pub(super) fn take_over(self, file: &OwnedFd, made: &Stat, replaced: &Stat) -> Result<bool, Errno> {
        let mut mode = match self {
            Self::Usual => bits(replaced),
            Self::Copied(_) => bits(made) & bits(replaced),
            Self::Given(_) => return Ok(false),
        };
        let has_other_owner = (made.st_uid, made.st_gid) != (replaced.st_uid, replaced.st_gid);
        if has_other_owner && !take_owner(file, replaced) {
            let everybody = Mode::from_raw_mode((mode & Mode::RWXO).bits() << 3);
            mode = (mode - Mode::RWXG) | (mode & everybody);
        }
        if mode != bits(made) {
            rustix::fs::fchmod(file, mode)?;
        }
        Ok(has_other_owner || mode != bits(made))
    }
}

/// Gives a file the owner and the group of another, or only the group; returns whether it has that group now.
fn take_owner(file: &OwnedFd, of: &Stat) -> bool {
    let (owner, group) = (Uid::from_raw(of.st_uid), Gid::from_raw(of.st_gid));
    rustix::fs::fchown(file, Some(owner), Some(group)).is_ok()
        || rustix::fs::fchown(file, None, Some(group)).is_ok()
}

/// The permission bits of a file.
pub(super) fn bits(stat: &Stat) -> Mode {
    Mode::from_raw_mode(stat.st_mode) & ALL
}
