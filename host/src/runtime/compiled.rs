//! The compiled component, kept for the next process.
//!
//! One file per component and engine, mapped uncompressed, so that only the pages that run are read. (Wasmtime's own
//! cache compresses: unpacking and copying took half of the start of the command line.)
//!
//! Such a file holds machine code that is run unchecked. So it lies in a directory that nobody else can write to, or
//! there is no such file; and it is checked and mapped through the same descriptor.

use std::{
    env,
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process,
    time::Duration,
};

use sha2::{Digest, Sha256};
use wasmtime::{Engine, component::Component};

use super::{binary::Binary, compile::compile, private::Private};
use crate::Timestamp;

/// Files that were not made anew for this long are removed: their engine or component is no longer in use.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Where compiled components are kept.
pub(super) struct Compiled {
    directory: Private,
}

impl Compiled {
    /// `omnistorage` in the user's cache directory; `None` without one.
    pub(super) fn of_user() -> Option<Self> {
        let caches = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let caches = caches.or_else(|| Some(env::home_dir()?.join(".cache")))?;
        Self::new(&caches.join("omnistorage"))
    }

    /// Opens a directory, and makes it if it is missing; `None` if it cannot be trusted or used.
    fn new(directory: &Path) -> Option<Self> {
        match Private::open(directory) {
            Ok(directory) => Some(Self { directory }),
            Err(error) => {
                tracing::info!("compiled components are not kept in {}: {error}", directory.display());
                None
            }
        }
    }

    /// Loads the component as it was compiled before, or else compiles and keeps it.
    pub(super) fn load(&self, engine: &Engine, binary: &Binary<'_>) -> wasmtime::Result<Component> {
        let name = key(engine, binary);
        if let Some(component) = self.read(engine, &name) {
            return Ok(component);
        }
        let component = compile(engine, binary.bytes)?;
        // Not fatal, as on a full disk: the next process compiles again.
        let _ = component.serialize().map(|code| self.keep(&name, &code));
        Ok(component)
    }

    /// `None` if there is no such file, or this engine cannot run it.
    fn read(&self, engine: &Engine, name: &str) -> Option<Component> {
        run(engine, self.directory.file(name).ok()?).ok()
    }

    /// Writes a file, whole or not at all, and removes old ones.
    fn keep(&self, name: &str, code: &[u8]) -> io::Result<()> {
        let draft = format!("{name}.{}", process::id());
        let written = self.directory.create(&draft).and_then(|mut draft| {
            draft.write_all(code)?;
            // Before it gets its name: even after a power cut, no half-written file may have it.
            draft.sync_all()
        });
        let kept = written.and_then(|()| self.directory.rename(&draft, name));
        if kept.is_err() {
            let _ = self.directory.remove(&*draft);
        }
        self.sweep();
        kept
    }

    fn sweep(&self) {
        let kept = i64::try_from(KEPT.as_secs()).unwrap_or(i64::MAX);
        let limit = Timestamp::now().seconds.saturating_sub(kept);
        for (name, modified) in self.directory.entries().into_iter().flatten() {
            if modified < limit {
                let _ = self.directory.remove(&*name);
            }
        }
    }
}

/// The name of a file: what it was compiled from, and by and for which engine.
fn key(engine: &Engine, binary: &Binary<'_>) -> String {
    use std::hash::Hash;

    let mut hasher = StdHasher(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.0.update(binary.digest.as_bytes());
    format!("{:x}", hasher.0.finalize())
}

/// SHA-256 as a hasher of the standard library.
struct StdHasher(Sha256);

impl std::hash::Hasher for StdHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Never called: the whole digest is used.
    fn finish(&self) -> u64 {
        0
    }
}

/// Maps what an open file holds, ready to run.
#[allow(unsafe_code, reason = "compiled code cannot be checked, only trusted")]
pub(super) fn run(engine: &Engine, mut file: File) -> wasmtime::Result<Component> {
    // SAFETY: the file must hold what `Component::serialize` gave, and must not change while it is mapped. Nobody but
    // this user may write to it or to its directory (`Private`), and this user writes there by `keep` alone, or installs a
    // package there. Wasmtime checks again that it is of this engine. It has its name only when it is whole and on the
    // disk, and is replaced by another file, never written to. Both ways lead to the file that was looked at, by its
    // descriptor.
    if let Some(path) = path_of(&file) {
        return unsafe { Component::deserialize_file(engine, path) };
    }
    let mut code = Vec::new();
    file.read_to_end(&mut code)?;
    unsafe { Component::deserialize(engine, code) }
}

/// A path that opens exactly the file behind a descriptor; `None` where there is no such path, as without `/proc`.
#[cfg(target_os = "linux")]
fn path_of(file: &File) -> Option<PathBuf> {
    use std::os::fd::AsRawFd;

    let is_proc =
        rustix::fs::statfs("/proc/self/fd").is_ok_and(|fs| fs.f_type == rustix::fs::PROC_SUPER_MAGIC);
    is_proc.then(|| format!("/proc/self/fd/{}", file.as_raw_fd()).into())
}

#[cfg(not(target_os = "linux"))]
fn path_of(_: &File) -> Option<PathBuf> {
    None
}

#[cfg(test)]
mod tests {
    use std::{fs, time::SystemTime};

    use wasmtime::Config;

    use super::*;

    /// The smallest component: a magic number, a version, and nothing.
    fn empty() -> Binary<'static> {
        Binary::given(b"\0asm\x0d\0\x01\0")
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn what_was_compiled_is_found_again_and_what_is_damaged_is_replaced() {
        let (place, engine) = (tempfile::tempdir().unwrap(), Engine::default());
        let directory = place.path().join("caches/omnistorage");
        let compiled = Compiled::new(&directory).unwrap();
        compiled.load(&engine, &empty()).unwrap();
        let [name] = &names(&directory)[..] else { panic!("one file") };
        let file = directory.join(name);
        assert_eq!(name, &key(&engine, &empty()));
        let whole = fs::read(&file).unwrap();
        assert!(compiled.read(&engine, name).is_some());

        for damaged in [&b""[..], b"nonsense", &whole[..whole.len() / 2]] {
            // As a crash might leave it: another file of that name.
            fs::remove_file(&file).unwrap();
            fs::write(&file, damaged).unwrap();
            assert!(compiled.read(&engine, name).is_none());
            compiled.load(&engine, &empty()).unwrap();
            assert_eq!(fs::read(&file).unwrap(), whole);
        }
        assert_eq!(names(&directory).len(), 1);
    }

    #[test]
    fn other_engines_and_other_components_have_other_files() {
        let (plain, interrupted) =
            (Engine::default(), Engine::new(Config::new().epoch_interruption(true)).unwrap());
        assert_ne!(key(&plain, &empty()), key(&interrupted, &empty()));
        assert_ne!(key(&plain, &empty()), key(&plain, &Binary::given(b"")));
        assert_eq!(key(&plain, &empty()), key(&Engine::default(), &empty()));
    }

    #[test]
    fn what_is_put_in_the_place_of_the_directory_is_not_run() {
        let (place, engine) = (tempfile::tempdir().unwrap(), Engine::default());
        let directory = place.path().join("omnistorage");
        let compiled = Compiled::new(&directory).unwrap();
        compiled.load(&engine, &empty()).unwrap();
        fs::rename(&directory, place.path().join("away")).unwrap();
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join(key(&engine, &empty())), "theirs").unwrap();
        assert!(compiled.read(&engine, &key(&engine, &empty())).is_some());
    }

    #[test]
    fn old_files_are_swept_when_another_is_kept() {
        let place = tempfile::tempdir().unwrap();
        let compiled = Compiled::new(place.path()).unwrap();
        let (old, young) = (place.path().join("old"), place.path().join("young"));
        for file in [&old, &young] {
            fs::write(file, "").unwrap();
        }
        let long_ago = SystemTime::now() - KEPT - Duration::from_secs(1);
        fs::File::options().write(true).open(&old).unwrap().set_modified(long_ago).unwrap();
        compiled.load(&Engine::default(), &empty()).unwrap();
        assert!(!old.exists() && young.exists());
    }
}
