//! The path grammar.
//!
//! A [`Path`] names an object, a directory or a prefix, relative to the root of a backend. It is UTF-8, its segments
//! are joined by `/`, and it cannot leave the root: there is no empty, `.` or `..` segment, no NUL, no leading or
//! trailing `/`, and it has at most [`Path::MAX_LEN`] bytes. The empty path is the root. Everything else is legal and
//! kept to the byte: blanks at the ends, `%2F`, emoji, `..foo`, control characters, `\`.
//!
//! Nothing is repaired on the way in. A path that breaks the grammar is an error that says how, so that two spellings
//! never become one object.
//!
//! ```
//! use omnistorage_types::Path;
//!
//! let path = Path::parse("logs/2026/a b.ndjson")?;
//! assert_eq!(path.name(), Some("a b.ndjson"));
//! assert!(path.starts_with(&Path::parse("logs")?));
//! assert!(!path.starts_with(&Path::parse("lo")?));
//! assert!(Path::parse("../etc/passwd").is_err());
//! # Ok::<(), omnistorage_types::PathError>(())
//! ```

use std::{borrow::Borrow, fmt};

/// A checked path. The order is that of the bytes, as in listings.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(String);

/// How a string breaks the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathError {
    /// It starts with `/`: paths are relative to the root of a backend.
    Absolute,
    /// It ends with `/`.
    TrailingSlash,
    /// It holds `//`.
    EmptySegment,
    /// It holds a `.` or `..` segment.
    DotSegment,
    /// It holds a NUL character.
    Nul,
    /// It is longer than [`Path::MAX_LEN`] bytes.
    TooLong,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absolute => "it starts with `/`, but paths are relative to the root of a backend",
            Self::TrailingSlash => "it ends with `/`",
            Self::EmptySegment => "it holds an empty segment (`//`)",
            Self::DotSegment => "it holds a `.` or `..` segment",
            Self::Nul => "it holds a NUL character",
            Self::TooLong => "it is longer than 4096 bytes",
        })
    }
}

impl std::error::Error for PathError {}

impl Path {
    /// The longest path, in bytes: `PATH_MAX` of Linux; object stores take less (S3 and GCS 1024).
    pub const MAX_LEN: usize = 4096;

    /// The root of a backend: the empty path.
    #[must_use]
    pub const fn root() -> Self {
        Self(String::new())
    }

    /// Checks a string.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn parse(path: impl Into<String>) -> Result<Self, PathError> {
        let path = path.into();
        check(&path)?;
        Ok(Self(path))
    }

    /// The longest path above a name that may be none itself, as whole segments: where to look for what has that name.
    ///
    /// ```
    /// # use omnistorage_types::Path;
    /// for (name, above) in [("a/b//c", "a/b"), ("a/", "a"), ("/a", ""), ("a/../b", "a"), ("a/b", "a"), ("a", "")] {
    ///     assert_eq!(Path::longest_above(name.as_bytes()).as_str(), above);
    /// }
    /// ```
    #[must_use]
    pub fn longest_above(name: &[u8]) -> Self {
        let slashes = name.iter().enumerate().rev().filter(|(_, byte)| **byte == b'/');
        let above = |(end, _)| Self::parse(str::from_utf8(name.get(..end)?).ok()?).ok();
        slashes.filter_map(above).next().unwrap_or_default()
    }

    /// The path as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The segments from the root; none for the root itself.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|segment| !segment.is_empty())
    }

    /// The last segment; `None` for the root.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        if self.is_root() { None } else { self.0.rsplit('/').next() }
    }

    /// The path without its last segment; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        Some(Self(self.0.rsplit_once('/').map_or_else(String::new, |(parent, _)| parent.to_owned())))
    }

    /// This path, then the other below it.
    ///
    /// ```
    /// # use omnistorage_types::Path;
    /// let joined = Path::parse("a")?.join(&Path::parse("b/c")?)?;
    /// assert_eq!(joined.as_str(), "a/b/c");
    /// # Ok::<(), omnistorage_types::PathError>(())
    /// ```
    ///
    /// # Errors
    /// [`PathError::TooLong`]; the other rules hold of both already.
    pub fn join(&self, below: &Self) -> Result<Self, PathError> {
        if self.is_root() {
            return Ok(below.clone());
        }
        if below.is_root() {
            return Ok(self.clone());
        }
        let joined = format!("{}/{}", self.0, below.0);
        if joined.len() > Self::MAX_LEN { Err(PathError::TooLong) } else { Ok(Self(joined)) }
    }

    /// What follows the prefix, segment by segment; `None` if this path is not below it. A path is below itself: the
    /// rest is the root.
    ///
    /// ```
    /// # use omnistorage_types::Path;
    /// let path = Path::parse("database/x")?;
    /// assert_eq!(path.strip_prefix(&Path::parse("database")?), Some(Path::parse("x")?));
    /// assert_eq!(path.strip_prefix(&Path::parse("data")?), None);
    /// # Ok::<(), omnistorage_types::PathError>(())
    /// ```
    #[must_use]
    pub fn strip_prefix(&self, prefix: &Self) -> Option<Self> {
        if prefix.is_root() {
            return Some(self.clone());
        }
        let rest = self.0.strip_prefix(&prefix.0)?;
        if rest.is_empty() {
            Some(Self::root())
        } else {
            rest.strip_prefix('/').map(|rest| Self(rest.to_owned()))
        }
    }

    /// Whether this path is the prefix or below it, segment by segment.
    #[must_use]
    pub fn starts_with(&self, prefix: &Self) -> bool {
        prefix.is_root()
            || self.0.strip_prefix(&prefix.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// The one function that knows the grammar.
fn check(path: &str) -> Result<(), PathError> {
    if path.is_empty() {
        return Ok(());
    }
    if path.len() > Path::MAX_LEN {
        return Err(PathError::TooLong);
    }
    if path.starts_with('/') {
        return Err(PathError::Absolute);
    }
    if path.ends_with('/') {
        return Err(PathError::TrailingSlash);
    }
    for segment in path.split('/') {
        match segment {
            "" => return Err(PathError::EmptySegment),
            "." | ".." => return Err(PathError::DotSegment),
            _ if segment.contains('\0') => return Err(PathError::Nul),
            _ => {}
        }
    }
    Ok(())
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Path {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// For maps by path: the order, equality and hash of a path are those of its string.
impl Borrow<str> for Path {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for Path {
    type Error = PathError;
    fn try_from(path: &str) -> Result<Self, PathError> {
        Self::parse(path)
    }
}

impl TryFrom<String> for Path {
    type Error = PathError;
    fn try_from(path: String) -> Result<Self, PathError> {
        Self::parse(path)
    }
}

impl std::str::FromStr for Path {
    type Err = PathError;
    fn from_str(path: &str) -> Result<Self, PathError> {
        Self::parse(path)
    }
}

impl From<Path> for String {
    fn from(path: Path) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_breaks_the_grammar_says_how() {
        let long = "x".repeat(Path::MAX_LEN + 1);
        for (path, error) in [
            ("/", PathError::Absolute),
            ("/a", PathError::Absolute),
            ("a/", PathError::TrailingSlash),
            ("a//b", PathError::EmptySegment),
            (".", PathError::DotSegment),
            ("..", PathError::DotSegment),
            ("a/../b", PathError::DotSegment),
            ("a/./b", PathError::DotSegment),
            ("a\0b", PathError::Nul),
            (long.as_str(), PathError::TooLong),
        ] {
            assert_eq!(Path::parse(path), Err(error), "{path:?}");
        }
    }

    #[test]
    fn odd_names_are_kept_to_the_byte() {
        for path in
            ["", " a ", "%2F", "😀", "..foo", "...", "a\tb", "a\nb", "\\", "C:", "~", "é", "a.b/..c/ d"]
        {
            assert_eq!(Path::parse(path).unwrap().as_str(), path);
        }
    }

    #[test]
    fn the_root_has_neither_name_nor_parent() {
        let root = Path::root();
        assert_eq!((root.name(), root.parent(), root.segments().count()), (None, None, 0));
        assert_eq!(Path::parse("a").unwrap().parent(), Some(root));
    }

    proptest! {
        #[test]
        fn join_and_strip_are_inverse(a in "[a-z.%/ ]{0,12}", b in "[a-z.%/ ]{0,12}") {
            let (Ok(a), Ok(b)) = (Path::parse(a), Path::parse(b)) else { return Ok(()) };
            let joined = a.join(&b).unwrap();
            prop_assert!(Path::parse(joined.as_str()).is_ok());
            prop_assert!(joined.starts_with(&a));
            prop_assert_eq!(joined.strip_prefix(&a), Some(b));
        }

        #[test]
        fn no_accepted_path_leaves_the_root(path in "[a./]{0,9}") {
            if let Ok(path) = Path::parse(path.as_str()) {
                prop_assert!(path.segments().all(|segment| segment != ".." && segment != "." && !segment.is_empty()));
            }
        }
    }
}
