//! Targets that must stay as they were.

use std::{path::PathBuf, sync::Arc, time::Duration};

use omnistorage::{
    Backend, FileBackend, Path,
    backend::{WriteOptions, file::FileOptions},
    runtime::Storage,
};
use tempfile::TempDir;

use crate::setup::{memory, put, storage, tree};

pub(crate) const OLD: &str = "the old object";

/// A backend with one old object.
pub(crate) struct Target {
    pub(crate) backend: Arc<dyn Backend>,
    directory: Option<TempDir>,
    path: &'static str,
}

impl Target {
    /// One of each kind.
    pub(crate) async fn all(path: &'static str) -> [Self; 2] {
        let directory = tempfile::tempdir().unwrap();
        let file = Arc::new(FileBackend::open(directory.path(), FileOptions::default()).unwrap());
        let targets = [
            Self { backend: memory(), directory: None, path },
            Self { backend: file, directory: Some(directory), path },
        ];
        for target in &targets {
            let path = Path::parse(path).unwrap();
            target.backend.write_all(&path, OLD.into(), &WriteOptions::default()).await.unwrap();
        }
        targets
    }

    pub(crate) fn storage(&self) -> Storage {
        storage([("here", self.backend.clone())])
    }

    /// The old object is as it was, there is nothing else, and what is to be written can be written now.
    pub(crate) async fn is_as_it_was(&self) {
        self.has_no_debris().await;
        assert_eq!(tree(&*self.backend).await, [(self.path.to_owned(), OLD.to_owned())]);
        put(&self.storage(), "here", &[(self.path, "new")]).await;
        assert_eq!(tree(&*self.backend).await, [(self.path.to_owned(), "new".to_owned())]);
    }

    /// What was dropped may need a moment to go.
    pub(crate) async fn has_no_debris(&self) {
        let Some(directory) = &self.directory else { return };
        let mut debris = hidden(directory.path().to_owned());
        for _ in 0..200 {
            if debris.is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
            debris = hidden(directory.path().to_owned());
        }
        assert!(debris.is_empty(), "left behind: {debris:?}");
    }
}

/// The temporary files below a directory.
fn hidden(directory: PathBuf) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![directory]);
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                open.push(entry.path());
            } else if entry.file_name().to_string_lossy().starts_with(".omnistorage-") {
                found.push(entry.path());
            }
        }
    }
    found
}
