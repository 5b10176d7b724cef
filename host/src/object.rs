//! What is known of an object.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use omnistorage_path::Path;

use crate::hash::Hash;

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
    /// The time of the system's clock.
    #[must_use]
    pub fn now() -> Self {
        SystemTime::now().into()
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self {
                seconds: i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
                nanoseconds: after.subsec_nanos(),
            },
            Err(before) => {
                let before: Duration = before.duration();
                let seconds = i64::try_from(before.as_secs()).map_or(i64::MIN, |seconds| -seconds);
                match before.subsec_nanos() {
                    0 => Self { seconds, nanoseconds: 0 },
                    nanoseconds => {
                        Self { seconds: seconds.saturating_sub(1), nanoseconds: 1_000_000_000 - nanoseconds }
                    }
                }
            }
        }
    }
}

/// What is known of an object. `None` means unknown, never zero.
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
    pub fn new(backend: impl Into<String>, path: &str) -> crate::Result<Self> {
        let backend = backend.into();
        match Path::parse(path) {
            Ok(path) => Ok(Self { backend, path }),
            Err(error) => Err(crate::Error::from(error).at_location(backend, path.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_1970_count_forward() {
        let half_a_second_before = UNIX_EPOCH - Duration::from_millis(500);
        assert_eq!(
            Timestamp::from(half_a_second_before),
            Timestamp { seconds: -1, nanoseconds: 500_000_000 }
        );
        assert_eq!(Timestamp::from(UNIX_EPOCH), Timestamp { seconds: 0, nanoseconds: 0 });
    }
}
