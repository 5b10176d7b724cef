//! The chain of open directories from the top of a walk down to its current place.
//!
//! A walk must not run out of file descriptors in a deep tree, nor be led elsewhere when directories are moved under
//! it. So only the innermost directories stay open; one further up is opened again through `..` when the walk comes
//! back to it, and must then be the same directory as before.

use std::os::fd::OwnedFd;

use rustix::{
    fs::{Mode, OFlags, Stat},
    io::Errno,
};

use super::tree::open_directory;

/// How many directories of one walk are open at a time.
const OPEN: usize = 32;

#[derive(Debug)]
pub(super) struct Chain {
    levels: Vec<Level>,
}

#[derive(Debug)]
enum Level {
    Open(OwnedFd),
    Closed(Identity),
}

/// What makes a file the same file: the device and the inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity(u64, u64);

impl From<&Stat> for Identity {
    #[allow(clippy::unnecessary_cast, reason = "the widths differ between systems")]
    fn from(stat: &Stat) -> Self {
        Self(stat.st_dev as u64, stat.st_ino as u64)
    }
}

impl Chain {
    pub(super) fn new(top: OwnedFd) -> Self {
        Self { levels: vec![Level::Open(top)] }
    }

    /// The directory where the walk is.
    pub(super) fn innermost(&self) -> Result<&OwnedFd, Errno> {
        match self.levels.last() {
            Some(Level::Open(directory)) => Ok(directory),
            _ => Err(Errno::BADF),
        }
    }

    /// Goes into the directory of that name. An error leaves the chain where it is.
    pub(super) fn descend<Name: rustix::path::Arg + Copy>(&mut self, name: Name) -> Result<(), Errno> {
        self.push(open_directory(self.innermost()?, name)?)
    }

    /// Goes into a directory that was opened.
    pub(super) fn push(&mut self, next: OwnedFd) -> Result<(), Errno> {
        if let Some(far) = self.levels.len().checked_sub(OPEN)
            && let Some(level) = self.levels.get_mut(far)
            && let Level::Open(directory) = level
        {
            *level = Level::Closed(Identity::from(&rustix::fs::fstat(&*directory)?));
        }
        self.levels.push(Level::Open(next));
        Ok(())
    }

    /// Goes back to the directory above. `ESTALE` if that is not there any more.
    pub(super) fn ascend(&mut self) -> Result<(), Errno> {
        self.ascend_or(|| Err(Errno::STALE))
    }

    /// The same, where the directory may also be opened by its path, should the way through `..` lead elsewhere now.
    /// Even after an error the chain is at that directory, which is closed: the only way is further up.
    pub(super) fn ascend_or(
        &mut self,
        by_path: impl FnOnce() -> Result<OwnedFd, Errno>,
    ) -> Result<(), Errno> {
        let left = self.levels.pop();
        let Some(above) = self.levels.last_mut() else { return Ok(()) };
        let Level::Closed(expected) = *above else { return Ok(()) };
        let is_it = |directory: &OwnedFd| {
            rustix::fs::fstat(directory).is_ok_and(|stat| Identity::from(&stat) == expected)
        };
        let through_parent = match left {
            Some(Level::Open(left)) => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
                rustix::fs::openat(&left, "..", flags, Mode::empty()).ok().filter(is_it)
            }
            _ => None,
        };
        let directory = through_parent.or_else(|| by_path().ok().filter(is_it)).ok_or(Errno::STALE)?;
        *above = Level::Open(directory);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::CWD;

    use super::*;

    #[test]
    fn a_directory_moved_under_a_walk_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let depth = OPEN + 8;
        std::fs::create_dir_all(directory.path().join(vec!["d"; depth].join("/"))).unwrap();
        let walk = || {
            let mut chain = Chain::new(open_directory(CWD, directory.path().to_str().unwrap()).unwrap());
            for _ in 0..depth {
                chain.descend("d").unwrap();
            }
            chain
        };
        let ascend = |mut chain: Chain| (0..depth).try_for_each(|_| chain.ascend());
        let open =
            |chain: &Chain| chain.levels.iter().filter(|level| matches!(level, Level::Open(_))).count();
        assert_eq!(open(&walk()), OPEN);
        assert_eq!(ascend(walk()), Ok(()));
        let chain = walk();
        std::fs::rename(directory.path().join("d/d/d"), directory.path().join("elsewhere")).unwrap();
        assert_eq!(ascend(chain), Err(Errno::STALE));
    }
}
