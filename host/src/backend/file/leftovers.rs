//! Temporary files that listings met. When something is written in their directory later, those of dead writers are
//! removed.
//!
//! A listing itself removes nothing: looking changes nothing, and what looks like a temporary file may belong to
//! somebody else.

use std::{
    collections::BTreeMap,
    os::fd::OwnedFd,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use super::temporary::{self, Dead};

/// How many directories are remembered; the rest is left to the next time.
const DIRECTORIES: usize = 1024;

/// What listings of one root found.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    /// Whether there is anything at all: most writes find nothing.
    any: AtomicBool,
    by_directory: Mutex<BTreeMap<String, Vec<Vec<u8>>>>,
}

impl Leftovers {
    /// Remembers what a directory holds of them.
    pub(super) fn note(&self, directory: &str, names: Vec<Vec<u8>>) {
        let mut noted = self.by_directory.lock().unwrap_or_else(PoisonError::into_inner);
        if names.is_empty() {
            noted.remove(directory);
        } else if noted.len() < DIRECTORIES {
            noted.insert(directory.to_owned(), names);
        }
        self.any.store(!noted.is_empty(), Ordering::Relaxed);
    }

    /// Removes those that dead writers left in a directory in which something was written.
    pub(super) fn sweep(&self, directory: &str, opened: &OwnedFd) {
        if !self.any.load(Ordering::Relaxed) {
            return;
        }
        let mut noted = self.by_directory.lock().unwrap_or_else(PoisonError::into_inner);
        let names = noted.remove(directory);
        self.any.store(!noted.is_empty(), Ordering::Relaxed);
        drop(noted);
        for name in names.into_iter().flatten() {
            temporary::sweep(opened, &name, Dead::Proven);
        }
    }
}
