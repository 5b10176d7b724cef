//! Ranges of paths, in byte order.

use crate::Path;

/// The paths after one and up to another, in byte order of the whole paths: that of listings. Ranges of which each begins
/// where the one before it ends tile a tree.
///
/// A directory and what is in it may lie in different ranges: `a` < `a-b` < `a/x`.
///
/// ```
/// use omnistorage_types::{KeyRange, Path};
///
/// let range = KeyRange { after: Some(Path::parse("a")?), until: Some(Path::parse("b")?) };
/// assert!(!range.spans("a") && range.spans("a-b") && range.spans("a/x") && range.spans("b") && !range.spans("b/x"));
/// # Ok::<(), omnistorage_types::PathError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyRange {
    /// The last path before it; `None`: it has no beginning.
    pub after: Option<Path>,
    /// Its last path; `None`: it has no end.
    pub until: Option<Path>,
}

impl KeyRange {
    /// Whether it has neither beginning nor end.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.after.is_none() && self.until.is_none()
    }

    /// Whether no path can lie in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        is_empty(self.after.as_ref(), self.until.as_ref())
    }

    /// Whether a path, or a name that cannot be one, lies in it.
    #[must_use]
    pub fn spans(&self, path: &str) -> bool {
        spans(self.after.as_ref(), self.until.as_ref(), path)
    }

    /// Whether anything below a directory can lie in it; the directory itself may lie elsewhere.
    #[must_use]
    pub fn spans_below(&self, directory: &str) -> bool {
        spans_below(self.after.as_ref(), self.until.as_ref(), directory)
    }
}

pub(crate) fn is_empty(after: Option<&Path>, until: Option<&Path>) -> bool {
    after.zip(until).is_some_and(|(after, until)| after >= until)
}

pub(crate) fn spans(after: Option<&Path>, until: Option<&Path>, path: &str) -> bool {
    after.is_none_or(|after| path > after.as_str()) && until.is_none_or(|until| path <= until.as_str())
}

pub(crate) fn spans_below(after: Option<&Path>, until: Option<&Path>, directory: &str) -> bool {
    if directory.is_empty() {
        return true;
    }
    let first = || directory.bytes().chain([b'/']);
    let is_below = |path: &str| path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'));
    after.is_none_or(|after| is_below(after.as_str()) || after.as_str().bytes().lt(first()))
        && until.is_none_or(|until| first().lt(until.as_str().bytes()))
}
