//! Where the data is kept while it is moved.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// A file system in memory, on Linux: no disk has a part in what is measured there.
const MEMORY: &str = "/dev/shm";

/// The trees of a full run and their copies need so much. In bytes.
const ROOM: u64 = 4 << 30;

/// A directory for the data.
pub(crate) struct Place {
    path: PathBuf,
    /// In memory, nothing is left behind.
    keep: bool,
}

impl Place {
    /// The one that was asked for; else one in memory if there is room, else `otherwise`.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) fn choose(given: Option<PathBuf>, otherwise: PathBuf) -> Result<Self> {
        let room = rustix::fs::statvfs(MEMORY).map_or(0, |stat| stat.f_bavail * stat.f_frsize);
        let place = match given {
            Some(path) => Self { path, keep: true },
            None if room >= ROOM => Self { path: Path::new(MEMORY).join("omnistorage-bench"), keep: false },
            None => Self { path: otherwise, keep: true },
        };
        fs::create_dir_all(&place.path).with_context(|| format!("cannot create {}", place.path.display()))?;
        Ok(place)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// For people.
    pub(crate) fn describe(&self) -> &'static str {
        if self.path.starts_with(MEMORY) { "data in memory (tmpfs)" } else { "data on disk" }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.keep {
            // Whatever keeps it from going, the next run uses it.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
