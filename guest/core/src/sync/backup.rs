//! Under which name a run keeps what it replaces or deletes.

use omnistorage_types::{Path, PathError};

/// Names of kept objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackupNames {
    /// Put behind the name.
    pub suffix: String,
    /// It goes before the extension.
    pub keep_extension: bool,
}

impl BackupNames {
    /// The path of the kept object, in the place of the backup.
    ///
    /// The extension is what follows the last dot of the name, together with a `.tar` before it; a dot that begins the
    /// name begins no extension.
    ///
    /// # Errors
    /// If the name with its suffix makes no path.
    ///
    /// ```
    /// use omnistorage_core::{Path, sync::backup::BackupNames};
    ///
    /// let names = |keep_extension| BackupNames { suffix: "-old".to_owned(), keep_extension };
    /// let path = Path::parse("d/a.tar.gz")?;
    /// assert_eq!(names(false).path(&path)?.as_str(), "d/a.tar.gz-old");
    /// assert_eq!(names(true).path(&path)?.as_str(), "d/a-old.tar.gz");
    /// # Ok::<(), omnistorage_core::PathError>(())
    /// ```
    pub fn path(&self, path: &Path) -> Result<Path, PathError> {
        let (stem, extension) = path.as_str().split_at(self.suffix_at(path));
        Path::parse(format!("{stem}{}{extension}", self.suffix))
    }

    /// Whether the path is one that [`path`](Self::path) gives: such objects are backups if they lie beside the
    /// objects.
    #[must_use]
    pub fn is_backup(&self, path: &Path) -> bool {
        let stem = path.as_str().get(..self.suffix_at(path)).unwrap_or_default();
        !self.suffix.is_empty() && stem.ends_with(&self.suffix)
    }

    fn suffix_at(&self, path: &Path) -> usize {
        let (whole, name) = (path.as_str(), path.name().unwrap_or_default());
        let Some((stem, _)) =
            name.rsplit_once('.').filter(|(stem, _)| self.keep_extension && !stem.is_empty())
        else {
            return whole.len();
        };
        let stem = stem.strip_suffix(".tar").filter(|stem| !stem.is_empty()).unwrap_or(stem);
        whole.len() - name.len() + stem.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_may_stay_last() {
        let names = BackupNames { suffix: "-1".to_owned(), keep_extension: true };
        for (path, kept) in [
            ("a", "a-1"),
            ("a.txt", "a-1.txt"),
            ("d.e/a", "d.e/a-1"),
            (".hidden", ".hidden-1"),
            (".hidden.txt", ".hidden-1.txt"),
            ("a.b.c", "a.b-1.c"),
            ("a.tar.gz", "a-1.tar.gz"),
            (".tar.gz", ".tar-1.gz"),
            ("a.", "a-1."),
        ] {
            let path = Path::parse(path).unwrap();
            let backup = names.path(&path).unwrap();
            assert_eq!(backup.as_str(), kept);
            assert!(names.is_backup(&backup) && !names.is_backup(&path), "{backup}");
        }
    }
}
