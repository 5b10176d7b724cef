//! From the words of the WIT package to those of this crate and back.

use std::time::Duration;

use omnistorage_path::Path;

use super::bindings::omnistorage::storage::{backend as wit, types};
use crate::{
    backend::{
        Allowance, Capabilities, Features, ListOptions, Listed, ListingFailure, Meter, ReadOptions, Unlisted,
        WriteCondition, WriteOptions,
    },
    error::{Error, ErrorCode, Result},
    hash::{Hash, HashAlgorithm},
    object::{Location, ObjectInfo, ObjectKind, Timestamp},
};

/// Pairs of enum cases that mean the same, both ways.
macro_rules! same_words {
    ($($ours:ident = $theirs:path { $($case:ident),* $(,)? })*) => { $(
        impl From<$theirs> for $ours {
            fn from(value: $theirs) -> Self {
                match value { $(<$theirs>::$case => Self::$case,)* }
            }
        }
        impl From<$ours> for $theirs {
            fn from(value: $ours) -> Self {
                match value { $($ours::$case => Self::$case,)* }
            }
        }
    )* };
}

same_words! {
    ObjectKind = types::ObjectKind { Object, Directory, Symlink, Special }
    HashAlgorithm = types::HashAlgorithm { Md5, Sha1, Sha256, Crc32c }
}

macro_rules! error_codes {
    ($($case:ident),* $(,)?) => {
        impl From<types::ErrorCode> for ErrorCode {
            fn from(code: types::ErrorCode) -> Self {
                match code { $(types::ErrorCode::$case => Self::$case,)* }
            }
        }
        impl From<ErrorCode> for types::ErrorCode {
            fn from(code: ErrorCode) -> Self {
                match code {
                    $(ErrorCode::$case => Self::$case,)*
                    // `Trapped`: only a host sees a trap.
                    _ => Self::Other,
                }
            }
        }
    };
}

error_codes! {
    NotFound, AlreadyExists, PermissionDenied, BackendClosed, WriterClosed, ReaderClosed, InvalidPath, InvalidArgument,
    IsDirectory, NotDirectory, NotEmpty, UnknownBackend, Unsupported, PreconditionFailed, RateLimited, Timeout,
    Unavailable, Corrupted, LimitExceeded, Cancelled, NoSpace, Other,
}

impl From<types::Error> for Error {
    fn from(error: types::Error) -> Self {
        let mut ours = Self::new(error.code.into(), error.message);
        if let Some(types::Location { backend, path }) = error.at {
            ours = ours.at_location(backend, path);
        }
        if let Some(offset) = error.offset {
            ours = ours.with_offset(offset);
        }
        if let Some(milliseconds) = error.retry_after_ms {
            ours = ours.with_retry_after(Duration::from_millis(milliseconds));
        }
        ours
    }
}

impl From<Error> for types::Error {
    fn from(error: Error) -> Self {
        Self {
            code: error.code().into(),
            at: error.location().map(|(backend, path)| types::Location {
                backend: backend.to_owned(),
                path: path.to_owned(),
            }),
            offset: error.offset(),
            message: error.message().to_owned(),
            retry_after_ms: error
                .retry_after()
                .map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX)),
        }
    }
}

impl From<types::Timestamp> for Timestamp {
    fn from(time: types::Timestamp) -> Self {
        // A guest may say anything; beyond the last nanosecond of a second there is nothing.
        Self { seconds: time.seconds, nanoseconds: time.nanoseconds.min(999_999_999) }
    }
}

impl From<Timestamp> for types::Timestamp {
    fn from(time: Timestamp) -> Self {
        Self { seconds: time.seconds, nanoseconds: time.nanoseconds }
    }
}

impl From<types::Hash> for Hash {
    fn from(hash: types::Hash) -> Self {
        Self { algorithm: hash.algorithm.into(), digest: hash.digest }
    }
}

impl From<Hash> for types::Hash {
    fn from(hash: Hash) -> Self {
        Self { algorithm: hash.algorithm.into(), digest: hash.digest }
    }
}

impl From<ObjectInfo> for types::ObjectInfo {
    fn from(info: ObjectInfo) -> Self {
        Self {
            path: info.path.into(),
            kind: info.kind.into(),
            size: info.size,
            modified: info.modified.map(Into::into),
            etag: info.etag,
            content_type: info.content_type,
            hashes: info.hashes.into_iter().map(Into::into).collect(),
            metadata: info.metadata,
        }
    }
}

impl TryFrom<types::ObjectInfo> for ObjectInfo {
    type Error = Error;
    fn try_from(info: types::ObjectInfo) -> Result<Self> {
        Ok(Self {
            path: Path::parse(info.path)?,
            kind: info.kind.into(),
            size: info.size,
            modified: info.modified.map(Into::into),
            etag: info.etag,
            content_type: info.content_type,
            hashes: info.hashes.into_iter().map(Into::into).collect(),
            metadata: info.metadata,
        })
    }
}

impl From<Listed> for types::Listed {
    fn from(listed: Listed) -> Self {
        match listed {
            Listed::Entry(entry) => Self::Entry(entry.into()),
            Listed::Failure(failure) => Self::Failure(types::ListingFailure {
                what: match failure.what {
                    Unlisted::Directory(path) => types::Unlisted::Directory(path.into()),
                    Unlisted::Entry(path) => types::Unlisted::Entry(path.into()),
                    Unlisted::Name { directory, name } => {
                        types::Unlisted::Name(types::OddName { directory: directory.into(), name })
                    }
                },
                error: failure.error.into(),
            }),
        }
    }
}

impl TryFrom<types::Listed> for Listed {
    type Error = Error;
    fn try_from(listed: types::Listed) -> Result<Self> {
        let failure = match listed {
            types::Listed::Entry(entry) => return Ok(Self::Entry(entry.try_into()?)),
            types::Listed::Failure(failure) => failure,
        };
        let what = match failure.what {
            types::Unlisted::Directory(path) => Unlisted::Directory(Path::parse(path)?),
            types::Unlisted::Entry(path) => Unlisted::Entry(Path::parse(path)?),
            types::Unlisted::Name(types::OddName { directory, name }) => {
                Unlisted::Name { directory: Path::parse(directory)?, name }
            }
        };
        Ok(ListingFailure { what, error: failure.error.into() }.into())
    }
}

impl From<&Location> for types::Location {
    fn from(location: &Location) -> Self {
        Self { backend: location.backend.clone(), path: location.path.as_str().to_owned() }
    }
}

impl From<wit::ReadOptions> for ReadOptions {
    fn from(options: wit::ReadOptions) -> Self {
        Self { offset: options.offset, length: options.length, if_match: options.if_match }
    }
}

impl From<&ReadOptions> for wit::ReadOptions {
    fn from(options: &ReadOptions) -> Self {
        Self { offset: options.offset, length: options.length, if_match: options.if_match.clone() }
    }
}

impl From<wit::WriteOptions> for WriteOptions {
    fn from(options: wit::WriteOptions) -> Self {
        Self {
            condition: match options.condition {
                wit::WriteCondition::Always => WriteCondition::Always,
                wit::WriteCondition::IfAbsent => WriteCondition::IfAbsent,
                wit::WriteCondition::IfMatch(etag) => WriteCondition::IfMatch(etag),
            },
            content_type: options.content_type,
            modified: options.modified.map(Into::into),
            metadata: options.metadata,
            expected_size: options.expected_size,
            expected_hash: options.expected_hash.map(Into::into),
            meter: Meter::default(),
            allowance: Allowance::default(),
        }
    }
}

impl From<&WriteOptions> for wit::WriteOptions {
    fn from(options: &WriteOptions) -> Self {
        Self {
            condition: match &options.condition {
                WriteCondition::Always => wit::WriteCondition::Always,
                WriteCondition::IfAbsent => wit::WriteCondition::IfAbsent,
                WriteCondition::IfMatch(etag) => wit::WriteCondition::IfMatch(etag.clone()),
            },
            content_type: options.content_type.clone(),
            modified: options.modified.map(Into::into),
            metadata: options.metadata.clone(),
            expected_size: options.expected_size,
            expected_hash: options.expected_hash.clone().map(Into::into),
        }
    }
}

impl TryFrom<wit::ListOptions> for ListOptions {
    type Error = Error;
    fn try_from(options: wit::ListOptions) -> Result<Self> {
        Ok(Self {
            recursive: options.recursive,
            start_after: options.start_after.map(Path::parse).transpose()?,
            full_info: options.full_info,
        })
    }
}

impl From<&ListOptions> for wit::ListOptions {
    fn from(options: &ListOptions) -> Self {
        Self {
            recursive: options.recursive,
            start_after: options.start_after.clone().map(String::from),
            full_info: options.full_info,
        }
    }
}

/// Where a flag is kept.
type Field = fn(&mut Features) -> &mut bool;

/// The flags by both names.
const FLAGS: [(wit::Features, Field); 15] = [
    (wit::Features::COPY, |features| &mut features.copy),
    (wit::Features::MOVE, |features| &mut features.move_to),
    (wit::Features::PURGE, |features| &mut features.purge),
    (wit::Features::TRANSFER, |features| &mut features.transfer),
    (wit::Features::DIRECTORIES, |features| &mut features.directories),
    (wit::Features::SET_MODIFIED, |features| &mut features.set_modified),
    (wit::Features::CUSTOM_METADATA, |features| &mut features.custom_metadata),
    (wit::Features::CONTENT_TYPE, |features| &mut features.content_type),
    (wit::Features::RANGE_READ, |features| &mut features.range_read),
    (wit::Features::ATOMIC_WRITE, |features| &mut features.atomic_write),
    (wit::Features::IF_ABSENT, |features| &mut features.if_absent),
    (wit::Features::IF_MATCH, |features| &mut features.if_match),
    (wit::Features::SORTED_LIST, |features| &mut features.sorted_list),
    (wit::Features::LISTED_TIMES, |features| &mut features.listed_times),
    (wit::Features::BATCHES, |features| &mut features.batches),
];

impl From<wit::Features> for Features {
    fn from(flags: wit::Features) -> Self {
        let mut features = Self::default();
        for (flag, field) in FLAGS {
            *field(&mut features) = flags.contains(flag);
        }
        features
    }
}

impl From<Features> for wit::Features {
    fn from(mut features: Features) -> Self {
        let set = FLAGS.into_iter().filter(|(_, field)| *field(&mut features));
        set.fold(Self::empty(), |flags, (flag, _)| flags | flag)
    }
}

impl From<Capabilities> for wit::Capabilities {
    fn from(capabilities: Capabilities) -> Self {
        Self {
            features: capabilities.features.into(),
            hashes: capabilities.hashes.into_iter().map(Into::into).collect(),
            modified_precision_ns: capabilities
                .modified_precision
                .map(|precision| u64::try_from(precision.as_nanos()).unwrap_or(u64::MAX)),
        }
    }
}

impl From<wit::Capabilities> for Capabilities {
    fn from(capabilities: wit::Capabilities) -> Self {
        Self {
            features: capabilities.features.into(),
            hashes: capabilities.hashes.into_iter().map(Into::into).collect(),
            modified_precision: capabilities.modified_precision_ns.map(Duration::from_nanos),
        }
    }
}
