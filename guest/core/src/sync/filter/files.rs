//! A list of files: the only objects that are meant.

use std::collections::HashSet;

use omnistorage_types::Path;

use super::{
    FilterError, FilterErrorKind,
    source::{Line, error_at},
};

/// The files, and the directories above them.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    objects: HashSet<Path>,
    directories: HashSet<Path>,
}

impl Files {
    /// Adds a file. A `/` at either end does not count.
    pub(super) fn add(&mut self, file: &str, line: Option<Line<'_>>) -> Result<(), FilterError> {
        let path = Path::parse(file.trim_matches('/'))
            .map_err(|error| error_at(line, FilterErrorKind::Path { path: file.to_owned(), error }))?;
        let mut above = path.parent();
        while let Some(directory) = above.filter(|directory| !directory.is_root()) {
            above = directory.parent();
            if !self.directories.insert(directory) {
                break;
            }
        }
        self.objects.insert(path);
        Ok(())
    }

    pub(super) fn lists(&self, path: &Path) -> bool {
        self.objects.contains(path)
    }

    pub(super) fn lists_below(&self, directory: &Path) -> bool {
        self.directories.contains(directory)
    }
}
