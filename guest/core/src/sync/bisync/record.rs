//! What was known of an object when both sides agreed on it last.

use omnistorage_types::Path;
use serde::{Deserialize, Serialize};

use crate::entry::{Entry, Timestamp};

/// What a listing said of an object on one side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// In bytes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub size: Option<u64>,
    /// Seconds and nanoseconds since 1970-01-01T00:00:00Z, as in [`Timestamp`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub modified: Option<(i64, u32)>,
    /// As the backend gave it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub etag: Option<String>,
}

/// An object that both sides had, and agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Relative to both places.
    pub path: Path,
    /// What the first place had.
    pub first: Known,
    /// What the second place had.
    pub second: Known,
}

/// The smallest differences of time that both places keep, in nanoseconds; `None`: a place keeps no times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Precisions {
    /// Of the first place.
    pub first: Option<u64>,
    /// Of the second place.
    pub second: Option<u64>,
}

impl From<&Entry> for Known {
    fn from(entry: &Entry) -> Self {
        let modified = entry.modified.map(|modified| (modified.seconds, modified.nanoseconds));
        Self { size: entry.size, modified, etag: entry.etag.clone() }
    }
}

impl Known {
    /// Whether an object is what was known, as far as can be told without reading it: the size must agree, and so must
    /// the time and the etag where both have one, and one of these must be there. What cannot be told counts as changed,
    /// and is compared.
    ///
    /// A version may come with its time, as one that another name had before: then the etag alone shows it.
    ///
    /// ```
    /// use omnistorage_core::{Path, entry::{Entry, ObjectKind, Timestamp}, sync::bisync::Known};
    ///
    /// let mut entry = Entry::new(Path::parse("a")?, ObjectKind::Object);
    /// entry.size = Some(3);
    /// let mut known = Known::from(&entry);
    /// assert!(!known.is_still(&entry, None), "nothing tells");
    /// (known.etag, entry.etag) = (Some("1".to_owned()), Some("1".to_owned()));
    /// assert!(known.is_still(&entry, None));
    /// // A time that was given says less than another etag.
    /// (known.modified, entry.modified) = (Some((5, 0)), Some(Timestamp { seconds: 5, nanoseconds: 0 }));
    /// assert!(known.is_still(&entry, None));
    /// known.etag = Some("2".to_owned());
    /// assert!(!known.is_still(&entry, None));
    /// known.etag = None;
    /// assert!(known.is_still(&entry, None));
    /// entry.size = Some(4);
    /// assert!(!known.is_still(&entry, None));
    /// # Ok::<(), omnistorage_core::PathError>(())
    /// ```
    #[must_use]
    pub fn is_still(&self, entry: &Entry, precision_ns: Option<u64>) -> bool {
        if let (Some(known), Some(size)) = (self.size, entry.size)
            && known != size
        {
            return false;
        }
        let by_time = self.modified.zip(entry.modified).map(|((seconds, nanoseconds), now)| {
            let apart = now.nanoseconds_since(Timestamp { seconds, nanoseconds }).unsigned_abs();
            apart < u128::from(precision_ns.unwrap_or(1).max(1))
        });
        let by_etag = self.etag.as_ref().zip(entry.etag.as_ref()).map(|(known, etag)| known == etag);
        match (by_time, by_etag) {
            (None, None) => false,
            (by_time, by_etag) => by_time.unwrap_or(true) && by_etag.unwrap_or(true),
        }
    }
}
