//! What a listing holds: entries, and among them whatever could not be listed. So one odd name, or one closed
//! directory, neither ends a listing nor goes missing silently.

use std::fmt::Write as _;

use crate::{Error, ErrorCode, ObjectInfo, Path, Result};

/// What a listing holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// What stands at a path.
    Entry(ObjectInfo),
    /// Something that belongs here and could not be listed. It comes no later than the thing itself would.
    Failure(Box<ListingFailure>),
}

impl Listed {
    /// The entry.
    ///
    /// # Errors
    /// Why it could not be listed.
    pub fn into_entry(self) -> Result<ObjectInfo> {
        match self {
            Self::Entry(entry) => Ok(entry),
            Self::Failure(failure) => Err(failure.error),
        }
    }

    /// The path that decides its place in the order.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Entry(entry) => &entry.path,
            Self::Failure(failure) => failure.what.path(),
        }
    }
}

impl From<ObjectInfo> for Listed {
    fn from(entry: ObjectInfo) -> Self {
        Self::Entry(entry)
    }
}

impl From<ListingFailure> for Listed {
    fn from(failure: ListingFailure) -> Self {
        Self::Failure(Box::new(failure))
    }
}

/// What could not be listed, and why. The rest of the listing is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListingFailure {
    /// What is missing.
    pub what: Unlisted,
    /// Why.
    pub error: Error,
}

impl ListingFailure {
    /// For a name that is no path here: all of it, from the root of the backend.
    #[must_use]
    pub fn of_name(kind: &str, name: &[u8]) -> Self {
        let why = match str::from_utf8(name).map(Path::parse) {
            Err(_) => "it is not UTF-8".to_owned(),
            Ok(Err(why)) => why.to_string(),
            Ok(Ok(_)) => "it stands for something else".to_owned(),
        };
        let message =
            format!("the name `{}` cannot be a path here: {why}; rename or exclude it", escaped(name));
        let directory = Path::longest_above(name);
        let error = Error::new(ErrorCode::InvalidPath, message).at(kind, &directory);
        Self { what: Unlisted::Name { directory, name: String::from_utf8_lossy(name).into_owned() }, error }
    }
}

/// What a listing leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unlisted {
    /// The contents of this directory, or the rest of them: it cannot be read, or is no longer there.
    Directory(Path),
    /// Whatever is at this path, and below it.
    Entry(Path),
    /// One name, and what is below it. It is no path, so nothing else can have it.
    Name {
        /// The directory that holds it: the longest path that it begins with.
        directory: Path,
        /// All of it, from the root of the backend, as far as it can be written: U+FFFD stands for what is not UTF-8.
        name: String,
    },
}

impl Unlisted {
    /// The path; of a name, that of the directory that holds it.
    #[must_use]
    pub const fn path(&self) -> &Path {
        match self {
            Self::Directory(path) | Self::Entry(path) | Self::Name { directory: path, .. } => path,
        }
    }

    /// The path of which, with all below it, nothing is known. Below a name that is no path there is none.
    #[must_use]
    pub const fn covers(&self) -> Option<&Path> {
        match self {
            Self::Directory(path) | Self::Entry(path) => Some(path),
            Self::Name { .. } => None,
        }
    }

    /// What it is called, from the root of the backend. It may be no path, and hold anything.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Directory(path) | Self::Entry(path) => path.as_str(),
            Self::Name { name, .. } => name,
        }
    }
}

/// For a person to read: without characters that would control a terminal, and with each byte shown that is not UTF-8.
fn escaped(name: &[u8]) -> String {
    let mut escaped = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        escaped.extend(chunk.valid().escape_debug());
        for byte in chunk.invalid() {
            // Writing to a string does not fail.
            let _ = write!(escaped, "\\x{byte:02x}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_told_with_where_it_is_and_what_is_wrong_with_it() {
        for (name, directory, written, message) in [
            (&b"a//b"[..], "a", "a//b", "the name `a//b` cannot be a path here: it holds an empty segment"),
            (b"/x", "", "/x", "the name `/x` cannot be a path here: it starts with `/`"),
            (b"a/b/", "a/b", "a/b/", "the name `a/b/` cannot be a path here: it ends with `/`"),
            (b"x/../y", "x", "x/../y", "the name `x/../y` cannot be a path here: it holds a `.` or `..`"),
            (
                b"s/caf\xe9",
                "s",
                "s/caf\u{fffd}",
                "the name `s/caf\\xe9` cannot be a path here: it is not UTF-8",
            ),
            (b"a\0", "", "a\0", "the name `a\\0` cannot be a path here: it holds a NUL"),
        ] {
            let failure = ListingFailure::of_name("test", name);
            assert_eq!((failure.what.path().as_str(), failure.what.name()), (directory, written));
            assert!(failure.error.message().starts_with(message), "{}", failure.error.message());
            assert_eq!(failure.error.code(), ErrorCode::InvalidPath);
        }
    }
}
