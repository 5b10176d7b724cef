//! A directory in which nobody but this user can change anything, however the path leads there.
//!
//! It is opened from the root of the file system, one name at a time, and each directory on the way is checked once it
//! is open: only this user or the administrator may own it, and nobody else may write to it, except in directories such
//! as `/tmp`, where nobody can touch what others own. A link is followed only if one of those two owns it. After that
//! the directory is known by its descriptor: whatever happens to the path later, it is the one that was checked.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStringExt,
    },
    path::{Component, Path},
};

use rustix::{
    fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat},
    io::Errno,
    process::Uid,
};

/// Flags to open a directory for traversal, which needs no permission to read it.
#[cfg(target_os = "linux")]
const PASSAGE: OFlags = OFlags::PATH.union(DIRECTORY);
#[cfg(not(target_os = "linux"))]
const PASSAGE: OFlags = DIRECTORY;

const DIRECTORY: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Flags to open a file: never a link, and never a pipe that would block.
const FILE: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

/// The most links on one path, as a guard against cycles.
const MOST_LINKS: usize = 40;

const OTHERS_MAY_WRITE: u32 = 0o022;
const STICKY: u32 = 0o1000;

/// A directory that was checked like that.
#[derive(Debug)]
pub(super) struct Private {
    directory: OwnedFd,
    user: Uid,
    is_ours: Ours,
}

/// Whether something is in the right hands.
type Ours = fn(&Stat, Uid) -> bool;

impl Private {
    /// Opens a directory. It and those above it are made where they are missing, for this user alone.
    ///
    /// # Errors
    /// [`io::ErrorKind::PermissionDenied`] if somebody else can change what is in it.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Self::of(path, user()?, step_or_make, is_private)
    }

    /// Opens a directory that is there already, which may be the administrator's as well, to read what is in it.
    ///
    /// # Errors
    /// As [`open`](Self::open); [`io::ErrorKind::NotFound`].
    pub(super) fn existing(path: &Path) -> io::Result<Self> {
        Self::of(path, user()?, step, is_private_or_of_administrator)
    }

    fn of(path: &Path, user: Uid, step: Stepping, is_ours: Ours) -> io::Result<Self> {
        if !path.is_absolute() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let (mut directory, mut way) = (top(user)?, names(path));
        let mut links = 0;
        while let Some(name) = way.pop() {
            match step(&directory, &name, user)? {
                Step::Into(next) => directory = next,
                Step::Along(link) => {
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(Errno::LOOP.into());
                    }
                    if link.is_absolute() {
                        directory = top(user)?;
                    }
                    way.extend(names(&link));
                }
            }
        }
        let directory = rustix::fs::openat(&directory, ".", DIRECTORY, Mode::empty())?;
        let stat = rustix::fs::fstat(&directory)?;
        if !is_ours(&stat, user) {
            return Err(refused("the directory is not of this user alone"));
        }
        Ok(Self { directory, user, is_ours })
    }

    /// Opens a file in the same hands to which nobody else may write.
    pub(super) fn file(&self, name: &str) -> io::Result<File> {
        let file = rustix::fs::openat(&self.directory, name, FILE, Mode::empty())?;
        let stat = rustix::fs::fstat(&file)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || !(self.is_ours)(&stat, self.user)
        {
            return Err(refused("the file is not of this user alone"));
        }
        Ok(file.into())
    }

    /// Makes a file that is not there yet.
    pub(super) fn create(&self, name: &str) -> io::Result<File> {
        let flags = FILE.union(OFlags::WRONLY).union(OFlags::CREATE).union(OFlags::EXCL);
        Ok(rustix::fs::openat(&self.directory, name, flags, Mode::RUSR | Mode::WUSR)?.into())
    }

    /// Renames a file, and replaces one that has the new name.
    pub(super) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.directory, from, &self.directory, to)?)
    }

    pub(super) fn remove(&self, name: impl rustix::path::Arg) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.directory, name, AtFlags::empty())?)
    }

    /// The names in it, and when what they name was modified, in seconds since 1970.
    pub(super) fn entries(&self) -> io::Result<Vec<(OsString, i64)>> {
        let mut entries = Vec::new();
        for entry in Dir::read_from(&self.directory)? {
            let name = OsString::from_vec(entry?.file_name().to_bytes().to_vec());
            if name == "." || name == ".." {
                continue;
            }
            let stat = rustix::fs::statat(&self.directory, &*name, AtFlags::SYMLINK_NOFOLLOW)?;
            #[allow(clippy::useless_conversion, reason = "the types differ between systems")]
            entries.push((name, stat.st_mtime.into()));
        }
        Ok(entries)
    }
}

/// Where a name leads.
enum Step {
    Into(OwnedFd),
    Along(std::path::PathBuf),
}

/// How a name is followed.
type Stepping = fn(&OwnedFd, &OsStr, Uid) -> io::Result<Step>;

/// Makes a directory that is missing.
fn step_or_make(directory: &OwnedFd, name: &OsStr, user: Uid) -> io::Result<Step> {
    match step(directory, name, user) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        stepped => return stepped,
    }
    match rustix::fs::mkdirat(directory, name, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => step(directory, name, user),
        Err(errno) => Err(errno.into()),
    }
}

fn step(directory: &OwnedFd, name: &OsStr, user: Uid) -> io::Result<Step> {
    match rustix::fs::openat(directory, name, PASSAGE, Mode::empty()) {
        Ok(next) => trusted(next, user).map(Step::Into),
        // Systems report a link by different errors.
        Err(errno) => {
            let stat = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
            if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
                return Err(errno.into());
            }
            if !is_owner(&stat, user) {
                return Err(refused("a link on the way belongs to somebody else"));
            }
            let link = rustix::fs::readlinkat(directory, name, Vec::new())?;
            Ok(Step::Along(OsString::from_vec(link.into_bytes()).into()))
        }
    }
}

/// The root of the file system.
fn top(user: Uid) -> io::Result<OwnedFd> {
    trusted(rustix::fs::openat(CWD, "/", PASSAGE, Mode::empty())?, user)
}

/// The names of a path, the first one last.
fn names(path: &Path) -> Vec<OsString> {
    let names = path.components().rev();
    names
        .filter(|name| matches!(name, Component::Normal(_) | Component::ParentDir))
        .map(|name| name.as_os_str().to_owned())
        .collect()
}

/// Opens a directory on the way, if others cannot replace what is in it.
fn trusted(directory: OwnedFd, user: Uid) -> io::Result<OwnedFd> {
    let stat = rustix::fs::fstat(directory.as_fd())?;
    let is_closed = mode(&stat) & OTHERS_MAY_WRITE == 0 || mode(&stat) & STICKY != 0;
    if is_owner(&stat, user) && is_closed {
        Ok(directory)
    } else {
        Err(refused("a directory on the way is in the hands of somebody else"))
    }
}

fn is_owner(stat: &Stat, user: Uid) -> bool {
    stat.st_uid == user.as_raw() || stat.st_uid == Uid::ROOT.as_raw()
}

fn is_private(stat: &Stat, user: Uid) -> bool {
    stat.st_uid == user.as_raw() && mode(stat) & OTHERS_MAY_WRITE == 0
}

fn is_private_or_of_administrator(stat: &Stat, user: Uid) -> bool {
    is_owner(stat, user) && mode(stat) & OTHERS_MAY_WRITE == 0
}

/// Who runs this.
fn user() -> io::Result<Uid> {
    let user = rustix::process::geteuid();
    if rustix::process::getuid() == user {
        Ok(user)
    } else {
        Err(refused("the program runs for somebody else than who started it"))
    }
}

#[allow(clippy::useless_conversion, reason = "the types differ between systems")]
fn mode(stat: &Stat) -> u32 {
    stat.st_mode.into()
}

fn refused(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, why)
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, Permissions},
        io::{Read, Write},
        os::unix::fs::{PermissionsExt, chown, symlink},
    };

    use super::*;

    /// A user who is neither this one nor the administrator.
    const OTHER: u32 = 12345;

    fn text(private: &Private, name: &str) -> io::Result<String> {
        let mut text = String::new();
        private.file(name)?.read_to_string(&mut text)?;
        Ok(text)
    }

    fn permit(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn it_is_made_with_those_above_it() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a/b");
        let private = Private::open(&path).unwrap();
        private.create("x").unwrap().write_all(b"here").unwrap();
        assert!(private.create("x").is_err());
        assert_eq!(text(&Private::open(&path).unwrap(), "x").unwrap(), "here");
        for made in [&path, path.parent().unwrap()] {
            assert_eq!(fs::metadata(made).unwrap().permissions().mode() & 0o777, 0o700);
        }
        assert!(Private::open(Path::new("relative")).is_err());
        assert!(Private::open(&path.join("x")).is_err());
    }

    #[test]
    fn nobody_else_may_write_to_any_directory_on_the_way() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a/b/c");
        Private::open(&path).unwrap();
        for (directory, modes) in [("a", [0o770, 0o707]), ("a/b", [0o720, 0o702]), ("a/b/c", [0o720, 0o1777])]
        {
            let directory = place.path().join(directory);
            for mode in modes {
                permit(&directory, mode);
                assert!(Private::open(&path).is_err(), "{} {mode:o}", directory.display());
            }
            permit(&directory, 0o755);
            Private::open(&path).unwrap();
        }
        // As `/tmp`.
        permit(&place.path().join("a/b"), 0o1777);
        Private::open(&path).unwrap();
    }

    #[test]
    fn nobody_else_may_own_any_directory_on_the_way() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a/b");
        fs::create_dir_all(&path).unwrap();
        if !rustix::process::geteuid().is_root() {
            // To another user, what this one owns belongs to somebody else.
            assert!(Private::of(&path, Uid::from_raw(OTHER), step_or_make, is_private).is_err());
            return;
        }
        for directory in [place.path().to_owned(), place.path().join("a"), path.clone()] {
            chown(&directory, Some(OTHER), None).unwrap();
            assert!(Private::open(&path).is_err(), "{}", directory.display());
            chown(&directory, Some(0), None).unwrap();
            Private::open(&path).unwrap();
        }
        // The administrator may own what leads there, and only that.
        assert!(Private::of(&path, Uid::from_raw(OTHER), step_or_make, is_private).is_err());
        chown(&path, Some(OTHER), None).unwrap();
        Private::of(&path, Uid::from_raw(OTHER), step_or_make, is_private).unwrap();
    }

    #[test]
    fn links_are_followed_if_nobody_else_made_them() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        Private::open(&at("real/x")).unwrap().create("x").unwrap().write_all(b"there").unwrap();
        symlink(at("real"), at("absolute")).unwrap();
        symlink("real/../real", at("relative")).unwrap();
        for link in ["absolute/x", "relative/x"] {
            assert_eq!(text(&Private::open(&at(link)).unwrap(), "x").unwrap(), "there");
        }
        symlink("circle", at("circle")).unwrap();
        assert!(Private::open(&at("circle")).is_err());
        // What counts is the directory that it leads to, not the one that it is in.
        permit(&at("real"), 0o777);
        assert!(Private::open(&at("absolute/x")).is_err());
        permit(&at("real"), 0o755);
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::lchown(at("absolute"), Some(OTHER), None).unwrap();
            assert!(Private::open(&at("absolute/x")).is_err());
        }
    }

    #[test]
    fn what_was_opened_stays_whatever_is_put_in_its_place() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a/b");
        let private = Private::open(&path).unwrap();
        private.create("x").unwrap().write_all(b"ours").unwrap();
        for exchanged in [path.clone(), place.path().join("a")] {
            fs::rename(&exchanged, exchanged.with_extension("old")).unwrap();
            fs::create_dir_all(&path).unwrap();
            fs::write(path.join("x"), "theirs").unwrap();
            assert_eq!(text(&private, "x").unwrap(), "ours");
        }
    }

    #[test]
    fn only_files_of_this_user_alone_are_opened() {
        let place = tempfile::tempdir().unwrap();
        let private = Private::open(place.path()).unwrap();
        let at = |name: &str| place.path().join(name);
        for name in ["plain", "open", "foreign"] {
            fs::write(at(name), name).unwrap();
        }
        permit(&at("open"), 0o620);
        symlink("plain", at("link")).unwrap();
        fs::create_dir(at("directory")).unwrap();
        assert_eq!(text(&private, "plain").unwrap(), "plain");
        for name in ["open", "link", "directory", "missing"] {
            assert!(private.file(name).is_err(), "{name}");
        }
        if rustix::process::geteuid().is_root() {
            chown(at("foreign"), Some(OTHER), None).unwrap();
            assert!(private.file("foreign").is_err());
        }
    }
}
