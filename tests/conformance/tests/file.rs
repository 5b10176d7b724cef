//! The file backend keeps its promises.
#![cfg(unix)]

use std::sync::Arc;

use omnistorage::{Backend, FileBackend, backend::file::FileOptions};
use tempfile::TempDir;

#[allow(clippy::unwrap_used, reason = "without a directory there is nothing to test")]
async fn file() -> (Arc<dyn Backend>, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let backend = FileBackend::open(directory.path(), FileOptions::default()).unwrap();
    (Arc::new(backend), directory)
}

omnistorage_conformance::conformance_tests!(file);

/// What only the system itself can make: names that are not UTF-8, and a directory that is closed to all but root.
mod odd {
    use std::{
        ffi::OsStr,
        fs,
        os::unix::{ffi::OsStrExt, fs::PermissionsExt},
        path::PathBuf,
    };

    use super::*;

    /// Opens the closed directory again, so that it can be removed.
    struct Guard {
        closed: PathBuf,
        _directory: TempDir,
    }

    impl Drop for Guard {
        fn drop(&mut self) {
            // Without it, an empty directory is left.
            let _ = fs::set_permissions(&self.closed, fs::Permissions::from_mode(0o755));
        }
    }

    #[allow(clippy::unwrap_used, reason = "without a directory there is nothing to test")]
    async fn odd() -> (Arc<dyn Backend>, Guard) {
        let (backend, directory) = file().await;
        let closed = directory.path().join("odd/closed");
        fs::create_dir_all(&closed).unwrap();
        for name in ["a", "odd/a", "odd/z", "z"] {
            fs::write(directory.path().join(name), "x").unwrap();
        }
        let no_text = directory.path().join("odd").join(OsStr::from_bytes(b"caf\xe9"));
        fs::create_dir(&no_text).unwrap();
        fs::write(no_text.join("x"), "x").unwrap();
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
        (backend, Guard { closed, _directory: directory })
    }

    omnistorage_conformance::conformance_tests_unlisted!(odd);
}
