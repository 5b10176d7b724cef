//! The compiled component, kept for the next process.
//!
//! A file a component and engine, mapped as it is: a page of it is read when it runs. (The cache that wasmtime has
//! compresses: to unpack it and to copy it took half of the start of the command line.)
//!
//! What such a file holds is machine code that is run as it is found. So it lies in a directory that belongs to the user
//! of this process and that nobody else may write to, or there is none.

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process,
    time::{Duration, SystemTime},
};

use sha2::{Digest, Sha256};
use wasmtime::{Engine, component::Component};

/// Files that nobody made for so long are removed: those of engines and components that are used no more.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Where compiled components are kept.
pub(super) struct Compiled {
    directory: PathBuf,
}

impl Compiled {
    /// `omnistorage` in the user's directory of caches; `None` without one.
    pub(super) fn of_user() -> Option<Self> {
        let caches = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let caches = caches.or_else(|| Some(env::home_dir()?.join(".cache")))?;
        Self::new(caches.join("omnistorage"))
    }

    /// A directory that is made if it is not there; `None` where it cannot be trusted or used.
    fn new(directory: PathBuf) -> Option<Self> {
        make_private(&directory).ok()?;
        belongs_to_us(&directory).then_some(Self { directory })
    }

    /// The component as it was compiled before, else compiles and keeps it.
    pub(super) fn load(&self, engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Component> {
        let file = self.directory.join(key(engine, bytes));
        if let Some(component) = read(engine, &file) {
            return Ok(component);
        }
        let component = Component::from_binary(engine, bytes)?;
        // A full disk is no reason to fail: the next process compiles again.
        let _ = component.serialize().map(|code| self.keep(&file, &code));
        Ok(component)
    }

    /// Writes a file, whole or not at all; and sweeps.
    fn keep(&self, file: &Path, code: &[u8]) -> io::Result<()> {
        let draft = file.with_extension(process::id().to_string());
        let written = create_private(&draft).and_then(|mut draft| {
            draft.write_all(code)?;
            // Before it gets its name: half a file must not have it, whatever happens to the machine.
            draft.sync_all()
        });
        let kept = written.and_then(|()| fs::rename(&draft, file));
        if kept.is_err() {
            let _ = fs::remove_file(&draft);
        }
        self.sweep();
        kept
    }

    fn sweep(&self) {
        let Some(limit) = SystemTime::now().checked_sub(KEPT) else { return };
        for entry in fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            let made = entry.metadata().and_then(|metadata| metadata.modified());
            if made.is_ok_and(|made| made < limit) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// The name of a file: what it was compiled from, and by and for which engine.
fn key(engine: &Engine, bytes: &[u8]) -> String {
    use std::hash::Hash;

    let mut hasher = StdHasher(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.0.update(bytes);
    format!("{:x}", hasher.0.finalize())
}

/// SHA-256 for what can be hashed in the way of the standard library.
struct StdHasher(Sha256);

impl std::hash::Hasher for StdHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Nobody asks.
    fn finish(&self) -> u64 {
        0
    }
}

/// `None` if there is no such file, or it is not what this engine can run.
#[allow(unsafe_code, reason = "compiled code cannot be checked, only trusted")]
fn read(engine: &Engine, file: &Path) -> Option<Component> {
    // SAFETY: the file must hold what `Component::serialize` gave, and must not change while it is mapped. Only `keep`
    // writes in the directory, and nobody but this user may: `belongs_to_us`. Its name is that of the component and of
    // the engine (`key`), which wasmtime checks again. It has its name only when it is whole and on the disk, and is
    // replaced by another file, never written to.
    unsafe { Component::deserialize_file(engine, file) }.ok()
}

/// Makes a directory for this user alone, and those above it.
#[cfg(unix)]
fn make_private(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;

    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// Makes a file that only this user may read and write.
#[cfg(unix)]
fn create_private(file: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;

    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)
}

/// Whether it is a directory of this user that nobody else may write to.
#[cfg(unix)]
fn belongs_to_us(directory: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    fs::symlink_metadata(directory).is_ok_and(|metadata| {
        let others_may_write = metadata.mode() & 0o022 != 0;
        metadata.is_dir() && metadata.uid() == rustix::process::geteuid().as_raw() && !others_may_write
    })
}

/// Who may write where cannot be told here: there is no such directory.
#[cfg(not(unix))]
fn make_private(_: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(unix))]
fn create_private(_: &Path) -> io::Result<fs::File> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(unix))]
fn belongs_to_us(_: &Path) -> bool {
    false
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use wasmtime::Config;

    use super::*;

    /// The smallest component: a magic number, a version, and nothing.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn what_was_compiled_is_found_again_and_what_is_damaged_is_replaced() {
        let (place, engine) = (tempfile::tempdir().unwrap(), Engine::default());
        let compiled = Compiled::new(place.path().join("caches/omnistorage")).unwrap();
        compiled.load(&engine, EMPTY).unwrap();
        let [name] = &names(&compiled.directory)[..] else { panic!("one file") };
        let file = compiled.directory.join(name);
        assert_eq!(name, &key(&engine, EMPTY));
        let whole = fs::read(&file).unwrap();
        assert!(read(&engine, &file).is_some());

        for damaged in [&b""[..], b"nonsense", &whole[..whole.len() / 2]] {
            // As a crash might leave it: another file of that name.
            fs::remove_file(&file).unwrap();
            fs::write(&file, damaged).unwrap();
            assert!(read(&engine, &file).is_none());
            compiled.load(&engine, EMPTY).unwrap();
            assert_eq!(fs::read(&file).unwrap(), whole);
        }
        assert_eq!(names(&compiled.directory).len(), 1);
    }

    #[test]
    fn other_engines_and_other_components_have_other_files() {
        let (plain, interrupted) =
            (Engine::default(), Engine::new(Config::new().epoch_interruption(true)).unwrap());
        assert_ne!(key(&plain, EMPTY), key(&interrupted, EMPTY));
        assert_ne!(key(&plain, EMPTY), key(&plain, b""));
        assert_eq!(key(&plain, EMPTY), key(&Engine::default(), EMPTY));
    }

    #[test]
    fn a_directory_that_others_may_write_to_is_not_used() {
        let place = tempfile::tempdir().unwrap();
        assert!(Compiled::new(place.path().join("new")).is_some());
        for mode in [0o770, 0o707, 0o777] {
            fs::set_permissions(place.path(), fs::Permissions::from_mode(mode)).unwrap();
            assert!(Compiled::new(place.path().to_owned()).is_none());
        }
        let link = place.path().join("link");
        std::os::unix::fs::symlink(place.path().join("new"), &link).unwrap();
        assert!(Compiled::new(link).is_none());
        fs::write(place.path().join("file"), "").unwrap();
        assert!(Compiled::new(place.path().join("file")).is_none());
    }

    #[test]
    fn old_files_are_swept_when_another_is_kept() {
        let place = tempfile::tempdir().unwrap();
        let compiled = Compiled::new(place.path().join("new")).unwrap();
        let (old, young) = (compiled.directory.join("old"), compiled.directory.join("young"));
        for file in [&old, &young] {
            fs::write(file, "").unwrap();
        }
        let long_ago = SystemTime::now() - KEPT - Duration::from_secs(1);
        fs::File::options().write(true).open(&old).unwrap().set_modified(long_ago).unwrap();
        compiled.load(&Engine::default(), EMPTY).unwrap();
        assert!(!old.exists() && young.exists());
    }
}
