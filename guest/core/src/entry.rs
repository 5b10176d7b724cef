//! What a listing says of an object, and where it is.

use std::fmt;

use omnistorage_path::Path;

/// An object or a prefix: the name of a backend, and a path in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Location {
    /// The name under which the backend is opened.
    pub backend: String,
    /// A path in it.
    pub path: Path,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.backend, self.path)
    }
}

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

/// A point in time: seconds and nanoseconds since 1970-01-01T00:00:00Z. The nanoseconds count forward, also for times
/// before 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Whole seconds, rounded down.
    pub seconds: i64,
    /// Below 1_000_000_000.
    pub nanoseconds: u32,
}

impl Timestamp {
    /// How much later this time is than the other, in nanoseconds; negative if it is earlier.
    ///
    /// ```
    /// use omnistorage_core::entry::Timestamp;
    ///
    /// let (before, after) = (Timestamp { seconds: -1, nanoseconds: 999_999_999 }, Timestamp { seconds: 0, nanoseconds: 1 });
    /// assert_eq!(after.nanoseconds_since(before), 2);
    /// assert_eq!(before.nanoseconds_since(after), -2);
    /// ```
    #[must_use]
    pub fn nanoseconds_since(self, other: Self) -> i128 {
        self.since_epoch() - other.since_epoch()
    }

    fn since_epoch(self) -> i128 {
        i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanoseconds)
    }
}

/// A checksum that a backend may know, or that is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HashAlgorithm {
    /// RFC 1321, 16 bytes.
    Md5,
    /// FIPS 180-4, 20 bytes.
    Sha1,
    /// FIPS 180-4, 32 bytes.
    Sha256,
    /// CRC-32C (Castagnoli, RFC 3720), 4 bytes, big-endian.
    Crc32c,
}

/// The digest of a whole object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hash {
    /// How it was computed.
    pub algorithm: HashAlgorithm,
    /// Its bytes.
    pub digest: Vec<u8>,
}

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
pub enum Listed<E> {
    /// What stands at a path.
    Entry(Entry),
    /// What could not be listed. It comes no later than what it is about would.
    Failure(Box<Failure<E>>),
}

/// What a listing could not tell, and why. The rest of the listing is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure<E> {
    /// What is missing.
    pub what: Unlisted,
    /// Why.
    pub error: E,
}

/// What a listing leaves out. Relative to the place that is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unlisted {
    /// What is in this directory, or the rest of it.
    Directory(Path),
    /// What stands at this path, and what is below it.
    Entry(Path),
    /// One name that is no path, and what is below it.
    Name {
        /// The directory that holds it.
        directory: Path,
        /// All of it.
        name: String,
    },
}

impl Unlisted {
    /// What it is called; it may be no path, and hold anything.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Directory(path) | Self::Entry(path) => path.as_str(),
            Self::Name { name, .. } => name,
        }
    }

    /// The path of which, with all below it, nothing is known. Below a name that is no path there is none.
    #[must_use]
    pub const fn path(&self) -> Option<&Path> {
        match self {
            Self::Directory(path) | Self::Entry(path) => Some(path),
            Self::Name { .. } => None,
        }
    }
}

impl Entry {
    /// Of that path and kind, all else unknown.
    #[must_use]
    pub const fn new(path: Path, kind: ObjectKind) -> Self {
        Self { path, kind, size: None, modified: None, etag: None, hashes: Vec::new() }
    }
}
