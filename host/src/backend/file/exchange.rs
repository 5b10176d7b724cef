//! Writes over the version that was seen, and over no other.
//!
//! No system replaces a file under the condition that it is a certain one. So such writers [lock](lock) the directory
//! against each other, and look at what is there. Others know nothing of that lock: so both files exchange their names in
//! one step (see renameat2(2)), and it is looked at what came out. If that is another version, which took the place since
//! the first look, it gets its name back, and what was put there meanwhile stays as well: no version of others is lost.
//! For the instant between, they may see the one that is refused. A process that is killed in that instant leaves what
//! came out under a hidden name, which a sweep finds a day later at the earliest.

use std::{
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use rustix::{
    fs::{AtFlags, FlockOperation, Mode, OFlags, Stat},
    io::Errno,
};

use super::{chain::Identity, no_replace::rename_to_free};

/// So often are names given back while others keep putting new versions there.
const ATTEMPTS: u32 = 16;

/// So long is a lock waited for, which others have for an instant.
const PATIENCE: Duration = Duration::from_secs(10);

const PAUSE: Duration = Duration::from_micros(200);

/// Keeps all others out that write so in a directory, here and in other processes, until the result is dropped.
///
/// # Errors
/// `EWOULDBLOCK` if somebody keeps the lock.
pub(super) fn lock(directory: &OwnedFd) -> Result<OwnedFd, Errno> {
    // Locks are of an open file: who shares it shares the lock.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let own = rustix::fs::openat(directory, ".", flags, Mode::empty())?;
    let begun = Instant::now();
    loop {
        match rustix::fs::flock(&own, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(own),
            Err(Errno::INTR) => {}
            Err(Errno::WOULDBLOCK) if begun.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
            Err(errno) => return Err(errno),
        }
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exchanged {
    /// The new file is in place, and the one that was expected has the temporary name.
    Replaced,
    /// What was there was another one, and is there again, or what took its place since. Nobody misses what has the
    /// temporary name, if anything has.
    Refused,
}

/// Puts the file of a temporary name in the place of the one that is expected, both in one directory that is locked.
///
/// # Errors
/// Before anything was changed: `ENOENT` if there is nothing to replace; `EINVAL` and others if the file system exchanges
/// no names.
pub(super) fn replace_if(
    directory: &OwnedFd,
    temporary: &str,
    name: &str,
    is_expected: impl Fn(&Stat) -> bool,
) -> Result<Result<Exchanged, Lost>, Errno> {
    let ours = Identity::from(&look(directory, temporary)?);
    exchange(directory, temporary, name)?;
    Ok(settle(directory, temporary, name, ours, is_expected).map_err(Lost))
}

/// Why the version of somebody else is under the temporary name and could not get its own back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lost(pub(super) Errno);

fn settle(
    directory: &OwnedFd,
    temporary: &str,
    name: &str,
    ours: Identity,
    is_expected: impl Fn(&Stat) -> bool,
) -> Result<Exchanged, Errno> {
    let out = look(directory, temporary)?;
    if is_expected(&out) {
        return Ok(Exchanged::Replaced);
    }
    let (mut in_place, mut latest) = (ours, Identity::from(&out));
    for _ in 0..ATTEMPTS {
        match exchange(directory, temporary, name) {
            Ok(()) => {}
            // Somebody took ours away, for what it stood in the place of.
            Err(Errno::NOENT) => match rename_to_free(directory, temporary, directory, name) {
                Err(Errno::EXIST) => continue,
                done => return done.map(|()| Exchanged::Refused),
            },
            Err(errno) => return Err(errno),
        }
        let newer = Identity::from(&look(directory, temporary)?);
        if newer == in_place {
            return Ok(Exchanged::Refused);
        }
        // Somebody replaced it in between: this is the latest version then.
        (in_place, latest) = (latest, newer);
    }
    rustix::fs::renameat(directory, temporary, directory, name).map(|()| Exchanged::Refused)
}

fn look(directory: &OwnedFd, name: &str) -> Result<Stat, Errno> {
    rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)
}

#[cfg(target_os = "linux")]
fn exchange(directory: &OwnedFd, one: &str, other: &str) -> Result<(), Errno> {
    rustix::fs::renameat_with(directory, one, directory, other, rustix::fs::RenameFlags::EXCHANGE)
}

#[cfg(not(target_os = "linux"))]
fn exchange(_: &OwnedFd, _: &str, _: &str) -> Result<(), Errno> {
    Err(Errno::NOSYS)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::{cell::Cell, fs, path::Path};

    use super::*;

    fn write(directory: &Path, name: &str, contents: &str) {
        fs::write(directory.join("new"), contents).unwrap();
        fs::rename(directory.join("new"), directory.join(name)).unwrap();
    }

    /// What is in place after an exchange in the midst of which `meanwhile` happens.
    fn left(expected: bool, meanwhile: impl Fn(&Path)) -> (Result<Exchanged, Errno>, Option<String>) {
        let scratch = tempfile::tempdir().unwrap();
        let directory = OwnedFd::from(fs::File::open(scratch.path()).unwrap());
        write(scratch.path(), "name", "theirs");
        write(scratch.path(), "temporary", "ours");
        let asked = Cell::new(0);
        let done = replace_if(&directory, "temporary", "name", |_| {
            asked.set(asked.get() + 1);
            meanwhile(scratch.path());
            expected
        });
        assert_eq!(asked.get(), 1);
        (done.unwrap().map_err(|Lost(errno)| errno), fs::read_to_string(scratch.path().join("name")).ok())
    }

    #[test]
    fn what_was_expected_is_replaced_and_nothing_else() {
        let nothing = |_: &Path| {};
        assert_eq!(left(true, nothing), (Ok(Exchanged::Replaced), Some("ours".to_owned())));
        assert_eq!(left(false, nothing), (Ok(Exchanged::Refused), Some("theirs".to_owned())));
    }

    #[test]
    fn a_version_that_comes_in_between_stays() {
        let newer = |directory: &Path| write(directory, "name", "newer");
        assert_eq!(left(false, newer), (Ok(Exchanged::Refused), Some("newer".to_owned())));
        assert_eq!(left(true, newer), (Ok(Exchanged::Replaced), Some("newer".to_owned())));
        let gone = |directory: &Path| fs::remove_file(directory.join("name")).unwrap();
        assert_eq!(left(false, gone), (Ok(Exchanged::Refused), Some("theirs".to_owned())));
    }

    #[test]
    fn where_there_is_nothing_nothing_is_put() {
        let scratch = tempfile::tempdir().unwrap();
        let directory = OwnedFd::from(fs::File::open(scratch.path()).unwrap());
        write(scratch.path(), "temporary", "ours");
        assert_eq!(replace_if(&directory, "temporary", "name", |_| true), Err(Errno::NOENT));
        assert!(scratch.path().join("temporary").exists() && !scratch.path().join("name").exists());
    }
}
