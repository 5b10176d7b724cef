//! What a backend can do, and how it is asked.

use std::{fmt, time::Duration};

use crate::{Error, Hash, HashAlgorithm, Metadata, Path, Result, Timestamp, range};

/// Makes the flags, and all that can be derived from a table, so that a feature is one row here.
macro_rules! features {
    ($dollar:tt $($(#[$doc:meta])* $field:ident: $name:literal, $flag:ident;)*) => {
        /// One flag for each feature. A function or an option whose flag is not set fails with
        /// [`ErrorCode::Unsupported`](crate::ErrorCode::Unsupported) and changes nothing.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Features {
            $($(#[$doc])* pub $field: bool,)*
        }

        impl Features {
            /// The names, as in the WIT package, and whether each is there.
            #[must_use]
            pub const fn entries(self) -> [(&'static str, bool); [$($name),*].len()] {
                [$(($name, self.$field)),*]
            }
        }

        /// The features of a module of bindings.
        #[macro_export]
        macro_rules! mirror_features {
            ($dollar wit:ident) => {
                $crate::mirror! { flags $crate::Features = $dollar wit::Features { $($field = $flag),* } }
            };
        }
    };
}

features! { $
    /// Copies within the backend, without the bytes passing through the caller.
    copy: "copy", COPY;
    /// Moves in one step: within the backend, and to other backends of the same host that lie in the same store.
    move_to: "move", MOVE;
    /// Deletes all below a prefix in one call.
    purge: "purge", PURGE;
    /// Copies to every other backend of the same host.
    transfer: "transfer", TRANSFER;
    /// Directories exist by themselves: they can be made, removed and are listed when empty.
    directories: "directories", DIRECTORIES;
    /// Modification times can be set.
    set_modified: "set-modified", SET_MODIFIED;
    /// User metadata is kept.
    custom_metadata: "custom-metadata", CUSTOM_METADATA;
    /// Content types are kept.
    content_type: "content-type", CONTENT_TYPE;
    /// Reading a range reads only the range.
    range_read: "range-read", RANGE_READ;
    /// A reader sees the old object or the new one, never a mixture.
    atomic_write: "atomic-write", ATOMIC_WRITE;
    /// Writes only where nothing is yet.
    if_absent: "if-absent", IF_ABSENT;
    /// Writes only over the object of a given etag.
    if_match: "if-match", IF_MATCH;
    /// Listings come in byte order of the full paths.
    sorted_list: "sorted-list", SORTED_LIST;
    /// The times in listings are those that `stat` tells. Otherwise a listing without
    /// [`full_info`](ListOptions::full_info) tells when an object was written, whatever time it was given.
    listed_times: "listed-times", LISTED_TIMES;
    /// Many small objects are better handed over in one call than in as many, as where no network is between.
    batches: "batches", BATCHES;
    /// What copies within its store checks the condition as it copies: it costs no request more.
    conditional_copy: "conditional-copy", CONDITIONAL_COPY;
    /// Deletes only the object of a given etag.
    conditional_delete: "conditional-delete", CONDITIONAL_DELETE;
    /// Listings may leave out names that [`ErrorCode::NotFound`](crate::ErrorCode::NotFound) of `stat` alone shows to be free.
    /// Otherwise what a listing lacks does not exist.
    partial_list: "partial-list", PARTIAL_LIST;
}

/// The names of those that are there.
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

/// Which part of which version to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// In bytes. At or beyond the end gives no bytes.
    pub offset: u64,
    /// In bytes, `None` for all that follows. A longer range than there is gives what there is.
    pub length: Option<u64>,
    /// Fail with [`ErrorCode::PreconditionFailed`](crate::ErrorCode::PreconditionFailed) unless the object still has
    /// this etag.
    pub if_match: Option<String>,
}

impl ReadOptions {
    /// For backends of the given kind that know neither ranges nor etags.
    ///
    /// # Errors
    /// [`ErrorCode::Unsupported`](crate::ErrorCode::Unsupported) if a range or an etag is asked for.
    pub fn require_whole(&self, kind: &str) -> Result<()> {
        if *self == Self::default() { Ok(()) } else { Err(Error::unsupported(kind, "ranges or etags")) }
    }
}

/// When a write may take place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum WriteCondition {
    /// Whatever is there.
    #[default]
    Always,
    /// Only where nothing is yet.
    IfAbsent,
    /// Only over the object with this etag.
    IfMatch(String),
}

/// What is stored beside the bytes, and what must hold of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// When the write may take place.
    pub condition: WriteCondition,
    /// A media type.
    pub content_type: Option<String>,
    /// `None`: the time of the write; of a copy, that of the source.
    pub modified: Option<Timestamp>,
    /// Replaces all user metadata of the old object.
    pub metadata: Metadata,
    /// The write fails with [`ErrorCode::Corrupted`](crate::ErrorCode::Corrupted), and the old object stays, if the
    /// size differs.
    pub expected_size: Option<u64>,
    /// The same for the hash of the bytes.
    pub expected_hash: Option<Hash>,
}

/// What to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// Everything below the prefix; otherwise one level, where deeper objects show as directories.
    pub recursive: bool,
    /// Only paths after this one, in byte order. Full, as in the entries; it need not exist.
    pub start_after: Option<Path>,
    /// Only paths up to this one, which is among them, in byte order. Full, as in the entries; it need not exist.
    pub until: Option<Path>,
    /// At most so many entries; failures do not count. They are the first ones in byte order where the backend lists in
    /// that order, and any of them elsewhere.
    pub limit: Option<u64>,
    /// Also what a listing does not carry by itself (content type, metadata).
    pub full_info: bool,
}

impl ListOptions {
    /// Whether a path, or a name that cannot be one, lies between the bounds.
    ///
    /// ```
    /// use omnistorage_types::{ListOptions, Path};
    ///
    /// let options = ListOptions {
    ///     start_after: Some(Path::parse("a")?),
    ///     until: Some(Path::parse("b")?),
    ///     ..ListOptions::default()
    /// };
    /// assert!(!options.spans("a") && options.spans("a-b") && options.spans("a/x") && options.spans("b"));
    /// assert!(!options.spans("b/x"));
    /// # Ok::<(), omnistorage_types::PathError>(())
    /// ```
    #[must_use]
    pub fn spans(&self, path: &str) -> bool {
        range::spans(self.start_after.as_ref(), self.until.as_ref(), path)
    }

    /// Whether anything below a directory can lie between the bounds: what is below `a` begins with `a/`, which sorts
    /// behind `a-b`. The directory itself may lie elsewhere.
    ///
    /// ```
    /// use omnistorage_types::{ListOptions, Path};
    ///
    /// let options = ListOptions { until: Some(Path::parse("a-b")?), ..ListOptions::default() };
    /// assert!(options.spans("a") && !options.spans_below("a"));
    /// # Ok::<(), omnistorage_types::PathError>(())
    /// ```
    #[must_use]
    pub fn spans_below(&self, directory: &str) -> bool {
        range::spans_below(self.start_after.as_ref(), self.until.as_ref(), directory)
    }

    /// Whether there can be nothing between the bounds, or nothing is wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        range::is_empty(self.start_after.as_ref(), self.until.as_ref()) || self.limit == Some(0)
    }
}

/// An object as it was seen: one version of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectVersion {
    /// Where it stands.
    pub path: Path,
    /// As a listing, a look or a write told it.
    pub etag: String,
}

/// One of many copies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyRequest {
    /// In the backend that is asked.
    pub source: Path,
    /// In the target backend.
    pub target: Path,
    /// What must hold, and what is to be kept otherwise than at the source.
    pub options: WriteOptions,
}
