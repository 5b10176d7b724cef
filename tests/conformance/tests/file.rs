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
