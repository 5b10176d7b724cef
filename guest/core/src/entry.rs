//! What a listing says of an object, relative to the place that is listed.

pub use omnistorage_types::{
    Hash, HashAlgorithm, ListingFailure, Location, ObjectInfo, ObjectKind, Timestamp, Unlisted,
};

use crate::Path;

/// What a listing says of an object. `None` means unknown, never zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the place that is listed.
    pub path: Path,
    /// What stands there.
    pub kind: ObjectKind,
    /// In bytes; only objects have one.
    pub size: Option<u64>,
    /// When the contents last changed, or were said to.
    pub modified: Option<Timestamp>,
    /// Opaque; changes whenever the contents change.
    pub etag: Option<String>,
    /// Those that came with the listing.
    pub hashes: Vec<Hash>,
}

/// What a listing holds, and why what it leaves out is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// What stands at a path.
    Entry(Entry),
    /// What could not be listed. It comes no later than what it is about would.
    Failure(Box<ListingFailure>),
}

impl Entry {
    /// What is known about an object, at a path relative to the place that is listed.
    #[must_use]
    pub fn of(info: ObjectInfo, path: Path) -> Self {
        let ObjectInfo { kind, size, modified, etag, hashes, .. } = info;
        Self { path, kind, size, modified, etag, hashes }
    }

    /// Of that path and kind, all else unknown.
    #[must_use]
    pub const fn new(path: Path, kind: ObjectKind) -> Self {
        Self { path, kind, size: None, modified: None, etag: None, hashes: Vec::new() }
    }
}
