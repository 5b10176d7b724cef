//! The floor: what the machine needs for the work when nothing but the work is done.
//!
//! Two threads make the system calls that any careful copy must make, on directory handles taken once: list and stat
//! both sides, and for each file that differs in size or time a temporary file beside it, a copy inside the kernel, the
//! time, a rename. No filters, no retries, no report; files and directories only. It holds a handle for every directory
//! of the tree, so it is for trees of hundreds of directories, not of thousands.

use std::{
    collections::HashMap,
    ffi::{CString, OsStr},
    fs::File,
    io::{self, Read},
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use anyhow::{Context, Result, anyhow, ensure};
use rustix::{
    fs::{
        AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, Timespec, Timestamps, futimens, mkdirat, openat,
        renameat, statat,
    },
    io::Errno,
};

const READ: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC);
const WRITE_NEW: OFlags = OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::CLOEXEC);
const FOLDER: OFlags = READ.union(OFlags::DIRECTORY);

/// Makes the files of `destination` those of `source`; deletes nothing.
///
/// # Errors
/// The first system call that fails.
pub(crate) fn sync(source: &Path, destination: &Path) -> Result<()> {
    let files = walk(source, destination)?;
    let changed: Vec<_> = files.into_iter().filter(|file| !file.is_unchanged()).collect();
    on_two_threads(&changed, FilePair::copy)?;
    Ok(())
}

/// Reads every file of `source` and its counterpart in `destination`, and fails unless they are equal.
///
/// # Errors
/// The first file that is missing or differs, or the first system call that fails.
pub(crate) fn check(source: &Path, destination: &Path) -> Result<()> {
    on_two_threads(&walk(source, destination)?, FilePair::compare)?;
    Ok(())
}

/// The same directory on both sides.
struct Folders {
    source: OwnedFd,
    destination: OwnedFd,
}

impl Folders {
    /// Opens both; creates the destination where there is none.
    fn open(at: (&OwnedFd, &OwnedFd), name: &CString) -> Result<Self> {
        Ok(Self {
            source: openat(at.0, name, FOLDER, Mode::empty())?,
            destination: open_or_create(at.1, name)?,
        })
    }
}

/// A file of the source, and what the destination has under its name.
struct FilePair {
    folders: Arc<Folders>,
    name: CString,
    source: Stat,
    destination: Option<Stat>,
}

impl FilePair {
    fn is_unchanged(&self) -> bool {
        let version = |stat: &Stat| (stat.st_size, stat.st_mtime, stat.st_mtime_nsec);
        self.destination.as_ref().is_some_and(|destination| version(destination) == version(&self.source))
    }

    fn copy(&self) -> Result<()> {
        let temporary = CString::new([b".", self.name.as_bytes(), b".part"].concat())?;
        let Folders { source, destination } = &*self.folders;
        let mut from = File::from(openat(source, &self.name, READ, Mode::empty())?);
        let mut to = File::from(openat(destination, &temporary, WRITE_NEW, Mode::from_raw_mode(0o666))?);
        copy_content(&mut from, &mut to, self.source.st_size.try_into()?)?;
        let modified =
            Timespec { tv_sec: self.source.st_mtime, tv_nsec: self.source.st_mtime_nsec.try_into()? };
        futimens(&to, &Timestamps { last_access: modified, last_modification: modified })?;
        renameat(destination, &temporary, destination, &self.name)?;
        Ok(())
    }

    fn compare(&self) -> Result<()> {
        let name = OsStr::from_bytes(self.name.as_bytes());
        ensure!(self.destination.is_some(), "{} is missing in the destination", name.display());
        let mut sides = [&self.folders.source, &self.folders.destination]
            .map(|folder| openat(folder, &self.name, READ, Mode::empty()).map(File::from));
        let [Ok(source), Ok(destination)] = &mut sides else {
            return Err(anyhow!("cannot open {}", name.display()));
        };
        let (mut left, mut right) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        loop {
            let (l, r) = (read_full(source, &mut left)?, read_full(destination, &mut right)?);
            ensure!(left[..l] == right[..r], "{} differs", name.display());
            if l < left.len() {
                return Ok(());
            }
        }
    }
}

/// Copies inside the kernel where it can. `io::copy` does too, but asks three times more about each file.
fn copy_content(from: &mut File, to: &mut File, mut left: u64) -> Result<()> {
    #[cfg(target_os = "linux")]
    while left > 0 {
        match rustix::fs::copy_file_range(&from, None, &to, None, left.try_into()?) {
            Ok(0) => return Err(anyhow!("a file became shorter while it was copied")),
            Ok(copied) => left -= u64::try_from(copied)?,
            Err(Errno::XDEV | Errno::OPNOTSUPP | Errno::INVAL | Errno::NOSYS) => break,
            Err(error) => return Err(error.into()),
        }
    }
    if left > 0 {
        io::copy(from, to)?;
    }
    Ok(())
}

/// Fills the buffer, or less of it at the end of the file.
fn read_full(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

/// All files of `source`, each with what `destination` has; creates the directories that `destination` lacks.
fn walk(source: &Path, destination: &Path) -> Result<Vec<FilePair>> {
    let roots = Folders {
        source: openat(CWD, source, FOLDER, Mode::empty())
            .with_context(|| format!("cannot open {}", source.display()))?,
        destination: open_or_create(&CWD, destination)
            .with_context(|| format!("cannot open {}", destination.display()))?,
    };
    let mut files = Vec::new();
    let mut level = vec![Arc::new(roots)];
    while !level.is_empty() {
        let mut below = Vec::new();
        for (folders, found) in on_two_threads(&level, scan)? {
            below.extend(folders);
            files.extend(found);
        }
        level = below;
    }
    Ok(files)
}

fn open_or_create(
    at: &impl std::os::fd::AsFd,
    name: impl rustix::path::Arg + Copy,
) -> rustix::io::Result<OwnedFd> {
    match openat(at, name, FOLDER, Mode::empty()) {
        Err(Errno::NOENT) => {
            mkdirat(at, name, Mode::from_raw_mode(0o777))?;
            openat(at, name, FOLDER, Mode::empty())
        }
        opened => opened,
    }
}

/// The directories and the files of one directory.
fn scan(folders: &Arc<Folders>) -> Result<(Vec<Arc<Folders>>, Vec<FilePair>)> {
    let mut known: HashMap<CString, Stat> = entries(&folders.destination)?.into_iter().collect();
    let (mut below, mut files) = (Vec::new(), Vec::new());
    for (name, source) in entries(&folders.source)? {
        match FileType::from_raw_mode(source.st_mode) {
            FileType::Directory => {
                below.push(Arc::new(Folders::open((&folders.source, &folders.destination), &name)?));
            }
            FileType::RegularFile => {
                let destination = known.remove(&name);
                files.push(FilePair { folders: Arc::clone(folders), name, source, destination });
            }
            _ => {}
        }
    }
    Ok((below, files))
}

fn entries(folder: &OwnedFd) -> Result<Vec<(CString, Stat)>> {
    let mut entries = Vec::new();
    for entry in Dir::read_from(folder)? {
        let name = entry?.file_name().to_owned();
        if !matches!(name.as_bytes(), b"." | b"..") {
            let stat = statat(folder, &name, AtFlags::SYMLINK_NOFOLLOW)?;
            entries.push((name, stat));
        }
    }
    Ok(entries)
}

/// Does the work for each item, two at a time; stops at the first error. The results are in no order.
fn on_two_threads<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> Result<R> + Sync) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let worker = || -> Result<Vec<R>> {
        let mut results = Vec::new();
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            results.push(work(item).inspect_err(|_| next.store(items.len(), Ordering::Relaxed))?);
        }
        Ok(results)
    };
    thread::scope(|scope| {
        let other = scope.spawn(worker);
        let mut results = worker()?;
        results.extend(other.join().map_err(|_| anyhow!("a worker panicked"))??);
        Ok(results)
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn syncs_then_finds_nothing_to_do_then_what_changed() -> Result<()> {
        let root = tempfile::tempdir()?;
        let (source, destination) = (root.path().join("a"), root.path().join("b"));
        fs::create_dir_all(source.join("deep/er"))?;
        fs::write(source.join("deep/er/file"), vec![7; 100_000])?;
        fs::write(source.join("top"), "")?;

        sync(&source, &destination)?;
        check(&source, &destination)?;
        assert!(walk(&source, &destination)?.iter().all(FilePair::is_unchanged));

        fs::write(source.join("deep/er/file"), "other")?;
        assert!(check(&source, &destination).is_err());
        sync(&source, &destination)?;
        check(&source, &destination)?;
        assert_eq!(fs::read_dir(destination.join("deep/er"))?.count(), 1, "a temporary file was left");

        fs::remove_file(destination.join("top"))?;
        assert!(check(&source, &destination).is_err());
        Ok(())
    }

    #[test]
    fn an_error_stops_the_work() {
        let items: Vec<u32> = (0..1000).collect();
        assert!(
            on_two_threads(&items, |item| if *item == 3 { Err(anyhow!("three")) } else { Ok(()) }).is_err()
        );
        let mut done = on_two_threads(&items, |item| Ok(*item)).unwrap();
        done.sort_unstable();
        assert_eq!(done, items);
    }
}
