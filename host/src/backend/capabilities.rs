//! What a backend can do, and how well.

use std::{fmt, time::Duration};

use crate::hash::HashAlgorithm;

/// One flag for each feature. A function or an option whose flag is not set fails with
/// [`ErrorCode::Unsupported`](crate::ErrorCode::Unsupported) and changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// Copies within the backend, without the bytes passing through the caller.
    pub copy: bool,
    /// Moves within the backend, in one step.
    pub move_to: bool,
    /// Deletes all below a prefix in one call.
    pub purge: bool,
    /// Copies to every other backend of the same host.
    pub transfer: bool,
    /// Directories exist by themselves: they can be made and removed, and are listed when they are empty.
    pub directories: bool,
    /// Modification times can be set.
    pub set_modified: bool,
    /// User metadata is kept.
    pub custom_metadata: bool,
    /// Content types are kept.
    pub content_type: bool,
    /// Reading a range reads only the range.
    pub range_read: bool,
    /// A reader sees the old object or the new one, never a mixture.
    pub atomic_write: bool,
    /// Writes only where nothing is yet.
    pub if_absent: bool,
    /// Writes only over the object of a given etag.
    pub if_match: bool,
    /// Listings come in byte order of the full paths.
    pub sorted_list: bool,
    /// The times in listings are those that `stat` tells. Otherwise a listing without
    /// [`full_info`](super::ListOptions::full_info) tells when an object was written, whatever time it was given.
    pub listed_times: bool,
    /// Many small objects should be handed over in one call rather than in one call each, for example where there is no
    /// network in between.
    pub batches: bool,
}

impl Features {
    /// The names, as in the WIT package, and whether each is there.
    #[must_use]
    pub fn entries(self) -> [(&'static str, bool); 15] {
        [
            ("copy", self.copy),
            ("move", self.move_to),
            ("purge", self.purge),
            ("transfer", self.transfer),
            ("directories", self.directories),
            ("set-modified", self.set_modified),
            ("custom-metadata", self.custom_metadata),
            ("content-type", self.content_type),
            ("range-read", self.range_read),
            ("atomic-write", self.atomic_write),
            ("if-absent", self.if_absent),
            ("if-match", self.if_match),
            ("sorted-list", self.sorted_list),
            ("listed-times", self.listed_times),
            ("batches", self.batches),
        ]
    }
}

impl fmt::Display for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> =
            self.entries().into_iter().filter_map(|(name, has)| has.then_some(name)).collect();
        f.write_str(&names.join(" "))
    }
}

/// What a backend can do, and how well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// One flag a feature.
    pub features: Features,
    /// Algorithms the backend knows without reading the object.
    pub hashes: Vec<HashAlgorithm>,
    /// The smallest difference of modification times that survives a round trip; `None` where times are not kept.
    pub modified_precision: Option<Duration>,
}
