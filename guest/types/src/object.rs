//! What is known about an object.

use std::fmt;

use crate::{Error, Hash, Path, Result, Timestamp};

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// Bytes that can be read and replaced.
    Object,
    /// A directory, or a prefix that objects share.
    Directory,
    /// A symbolic link: listed, never followed.
    Symlink,
    /// A device, a socket or a named pipe: listed, never opened.
    Special,
}

/// What is known about an object. `None` means unknown, never zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Full path, from the root of the backend.
    pub path: Path,
    /// What stands there.
    pub kind: ObjectKind,
    /// In bytes; only objects have one.
    pub size: Option<u64>,
    /// When the contents last changed, or were said to.
    pub modified: Option<Timestamp>,
    /// Opaque; changes whenever the contents change.
    pub etag: Option<String>,
    /// A media type (RFC 6838).
    pub content_type: Option<String>,
    /// Those that cost nothing to know.
    pub hashes: Vec<Hash>,
    /// User metadata, sorted by key; keys are unique.
    pub metadata: Metadata,
}

/// User metadata: pairs sorted by key; keys are unique.
pub type Metadata = Vec<(String, String)>;

impl ObjectInfo {
    /// Of that path and kind, all else unknown.
    #[must_use]
    pub fn new(path: Path, kind: ObjectKind) -> Self {
        Self {
            path,
            kind,
            size: None,
            modified: None,
            etag: None,
            content_type: None,
            hashes: Vec::new(),
            metadata: Metadata::new(),
        }
    }
}

/// An object or a prefix: the name of a backend, as it was mounted, and a path in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Location {
    /// The name under which the backend was granted.
    pub backend: String,
    /// A path in it.
    pub path: Path,
}

impl Location {
    /// A path in a backend.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidPath`](crate::ErrorCode::InvalidPath) if the path breaks the grammar.
    pub fn new(backend: impl Into<String>, path: &str) -> Result<Self> {
        let backend = backend.into();
        match Path::parse(path) {
            Ok(path) => Ok(Self { backend, path }),
            Err(error) => Err(Error::from(error).at_location(backend, path.to_owned())),
        }
    }
}

/// `BACKEND:PATH`.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.backend, self.path)
    }
}
