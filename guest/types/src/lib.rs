//! The vocabulary of omnistorage, each word said once: paths, objects, errors, capabilities, options, events, reports.
//!
//! Everything here is plain data. The core decides in these words, the engine schedules in them, the host crate hands
//! them to its users, and the generated bindings of the WIT package map onto them by the tables in [`wit`]. So an option
//! or an error code is declared twice: here, and in WIT.
//!
//! ```
//! use omnistorage_types::{Location, SyncOptions};
//!
//! let target = Location::new("backups", "photos/2026")?;
//! let options = SyncOptions { dry_run: true, ..SyncOptions::default() };
//! assert_eq!(target.to_string(), "backups:photos/2026");
//! assert_eq!(options.transfers, 4);
//! # Ok::<(), omnistorage_types::Error>(())
//! ```

#![cfg_attr(not(test), warn(clippy::disallowed_methods))]
#![forbid(unsafe_code)]

mod backend;
mod bisync;
mod codec;
mod error;
mod extension;
mod filter;
mod hash;
mod listing;
mod multi;
mod object;
mod path;
mod range;
mod records;
mod sync;
mod time;
pub mod wit;

pub use backend::{
    Capabilities, CopyRequest, Features, ListOptions, ObjectVersion, ReadOptions, WriteCondition,
    WriteOptions,
};
pub use bisync::{BisyncAction, BisyncEvent, BisyncOptions, BisyncReport, BisyncSide, DeleteLimit, Winner};
pub use codec::{Codec, Compression, DecompressOptions, Dictionary};
pub use error::{Error, ErrorCode, Result, misleads};
pub use extension::{encoding_from_path, extension};
pub use filter::{Filter, RuleKind, RuleSource};
pub use hash::{Hash, HashAlgorithm};
pub use listing::{Listed, ListingFailure, Unlisted};
pub use multi::{Mode, Outcome, TargetResult, TeeError};
pub use object::{Location, Metadata, ObjectInfo, ObjectKind};
pub use path::{Path, PathError};
pub use range::{KeyRange, Untiled};
pub use records::{
    ConvertReport, CountReport, CsvDialect, Encoding, Form, Format, LengthPrefix, LineEnd, Outline, Part,
    PartReport, Punctuation, Validation,
};
pub use sync::{
    Action, Backup, CheckEntry, CheckReport, Comparison, Deletion, Difference, Event, Explanation,
    MemoTrouble, Order, OrderKey, Recoding, RenameStrategy, Report, Stop, SyncOptions,
};
pub use time::Timestamp;
