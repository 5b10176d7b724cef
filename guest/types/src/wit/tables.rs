//! The tables: which words of an interface are which of ours.

/// Conversions both ways of types that have the same fields or cases.
#[macro_export]
macro_rules! mirror {
    () => {};
    (enum $ours:ty = $theirs:ty { $($case:ident),* $(,)? } $($rest:tt)*) => {
        const _: () = {
            type Ours = $ours;
            type Theirs = $theirs;
            impl $crate::wit::IntoWit<Theirs> for Ours {
                fn into_wit(self) -> Theirs {
                    match self { $(Ours::$case => Theirs::$case,)* }
                }
            }
            impl $crate::wit::FromWit<Theirs> for Ours {
                fn from_wit(wit: Theirs) -> $crate::Result<Self> {
                    Ok(wit.into())
                }
            }
            impl From<Theirs> for Ours {
                fn from(wit: Theirs) -> Self {
                    match wit { $(Theirs::$case => Ours::$case,)* }
                }
            }
            $crate::mirror_from!(total Ours, Theirs);
        };
        $crate::mirror! { $($rest)* }
    };
    (variant $ours:ty = $theirs:ty { $($case:ident $(($value:ident))?),* $(,)? } $($rest:tt)*) => {
        const _: () = {
            type Ours = $ours;
            type Theirs = $theirs;
            impl $crate::wit::IntoWit<Theirs> for Ours {
                fn into_wit(self) -> Theirs {
                    match self { $(Ours::$case $(($value))? => Theirs::$case $(($crate::wit::IntoWit::into_wit($value)))?,)* }
                }
            }
            impl $crate::wit::FromWit<Theirs> for Ours {
                fn from_wit(wit: Theirs) -> $crate::Result<Self> {
                    Ok(match wit { $(Theirs::$case $(($value))? => Ours::$case $(($crate::wit::FromWit::from_wit($value)?))?,)* })
                }
            }
            $crate::mirror_from!(Ours, Theirs);
        };
        $crate::mirror! { $($rest)* }
    };
    (struct $ours:ty = $theirs:ty { $($field:ident),* $(; $($name:ident = $other:ident),*)? $(,)? } $($rest:tt)*) => {
        const _: () = {
            type Ours = $ours;
            type Theirs = $theirs;
            impl $crate::wit::IntoWit<Theirs> for Ours {
                fn into_wit(self) -> Theirs {
                    Theirs {
                        $($field: $crate::wit::IntoWit::into_wit(self.$field),)*
                        $($($other: $crate::wit::IntoWit::into_wit(self.$name),)*)?
                    }
                }
            }
            impl $crate::wit::FromWit<Theirs> for Ours {
                fn from_wit(wit: Theirs) -> $crate::Result<Self> {
                    Ok(Ours {
                        $($field: $crate::wit::FromWit::from_wit(wit.$field)?,)*
                        $($($name: $crate::wit::FromWit::from_wit(wit.$other)?,)*)?
                    })
                }
            }
            $crate::mirror_from!(Ours, Theirs);
        };
        $crate::mirror! { $($rest)* }
    };
    (flags $ours:ty = $theirs:ty { $($field:ident = $flag:ident),* $(,)? } $($rest:tt)*) => {
        const _: () = {
            type Ours = $ours;
            type Theirs = $theirs;
            impl $crate::wit::IntoWit<Theirs> for Ours {
                fn into_wit(self) -> Theirs {
                    let flag = |is_set, flag| if is_set { flag } else { Theirs::empty() };
                    Theirs::empty() $(| flag(self.$field, Theirs::$flag))*
                }
            }
            impl $crate::wit::FromWit<Theirs> for Ours {
                fn from_wit(wit: Theirs) -> $crate::Result<Self> {
                    Ok(wit.into())
                }
            }
            impl From<Theirs> for Ours {
                fn from(wit: Theirs) -> Self {
                    Ours { $($field: wit.contains(Theirs::$flag)),* }
                }
            }
            $crate::mirror_from!(total Ours, Theirs);
        };
        $crate::mirror! { $($rest)* }
    };
}

/// The same by the traits of the standard library, so that a call site says `into()` or `try_into()?`.
#[doc(hidden)]
#[macro_export]
macro_rules! mirror_from {
    ($ours:ty, $theirs:ty) => {
        $crate::mirror_from!(total $ours, $theirs);
        impl TryFrom<$theirs> for $ours {
            type Error = $crate::Error;
            fn try_from(theirs: $theirs) -> $crate::Result<Self> {
                $crate::wit::FromWit::from_wit(theirs)
            }
        }
    };
    (total $ours:ty, $theirs:ty) => {
        impl From<$ours> for $theirs {
            fn from(ours: $ours) -> Self {
                $crate::wit::IntoWit::into_wit(ours)
            }
        }
        impl From<&$ours> for $theirs {
            fn from(ours: &$ours) -> Self {
                $crate::wit::IntoWit::into_wit(ours.clone())
            }
        }
    };
}

/// The interface `types`.
#[macro_export]
macro_rules! mirror_types {
    ($wit:ident) => {
        $crate::mirror_error_code!($wit);
        $crate::mirror_features!($wit);
        $crate::mirror! {
            enum $crate::ObjectKind = $wit::ObjectKind { Object, Directory, Symlink, Special }
            enum $crate::HashAlgorithm = $wit::HashAlgorithm { Md5, Sha1, Sha256, Crc32c }
            struct $crate::Hash = $wit::Hash { algorithm, digest }
            struct $crate::ObjectInfo = $wit::ObjectInfo {
                path, kind, size, modified, etag, content_type, hashes, metadata
            }
            struct $crate::ListingFailure = $wit::ListingFailure { what, error }
            variant $crate::Listed = $wit::Listed { Entry(entry), Failure(failure) }
            struct $crate::Capabilities = $wit::Capabilities {
                features, hashes; modified_precision = modified_precision_ns
            }
            struct $crate::ReadOptions = $wit::ReadOptions { offset, length, if_match }
            variant $crate::WriteCondition = $wit::WriteCondition { Always, IfAbsent, IfMatch(etag) }
            struct $crate::WriteOptions = $wit::WriteOptions {
                condition, content_type, modified, metadata, expected_size, expected_hash
            }
            struct $crate::ListOptions = $wit::ListOptions { recursive, start_after, until, limit, full_info }
        }
        const _: () = {
            use $crate::{
                Error, Location, Path, Result, Timestamp, Unlisted,
                wit::{FromWit, IntoWit},
            };

            impl IntoWit<$wit::Timestamp> for Timestamp {
                fn into_wit(self) -> $wit::Timestamp {
                    $wit::Timestamp { seconds: self.seconds, nanoseconds: self.nanoseconds }
                }
            }
            impl FromWit<$wit::Timestamp> for Timestamp {
                fn from_wit($wit::Timestamp { seconds, nanoseconds }: $wit::Timestamp) -> Result<Self> {
                    Ok(Self { seconds, nanoseconds: $crate::wit::nanoseconds(nanoseconds)? })
                }
            }
            impl IntoWit<$wit::Location> for Location {
                fn into_wit(self) -> $wit::Location {
                    $wit::Location { backend: self.backend, path: self.path.into() }
                }
            }
            impl FromWit<$wit::Location> for Location {
                fn from_wit($wit::Location { backend, path }: $wit::Location) -> Result<Self> {
                    Self::new(backend, &path)
                }
            }
            impl IntoWit<$wit::Error> for Error {
                fn into_wit(self) -> $wit::Error {
                    $wit::Error {
                        code: self.code().into_wit(),
                        at: self.location().map(|(backend, path)| $wit::Location {
                            backend: backend.to_owned(),
                            path: path.to_owned(),
                        }),
                        offset: self.offset(),
                        message: self.message().to_owned(),
                        retry_after_ms: self
                            .retry_after()
                            .map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX)),
                        given_up: self.is_given_up(),
                    }
                }
            }
            impl From<Error> for $wit::Error {
                fn from(error: Error) -> Self {
                    error.into_wit()
                }
            }
            impl FromWit<$wit::Error> for Error {
                fn from_wit(wit: $wit::Error) -> Result<Self> {
                    Ok(wit.into())
                }
            }
            impl From<$wit::Error> for Error {
                fn from(wit: $wit::Error) -> Self {
                    let mut error = Self::new(wit.code.into(), wit.message);
                    if let Some($wit::Location { backend, path }) = wit.at {
                        error = error.at_location(backend, path);
                    }
                    if let Some(offset) = wit.offset {
                        error = error.with_offset(offset);
                    }
                    if let Some(milliseconds) = wit.retry_after_ms {
                        error = error.with_retry_after(std::time::Duration::from_millis(milliseconds));
                    }
                    if wit.given_up {
                        error = error.given_up();
                    }
                    error
                }
            }
            $crate::mirror_from!(Timestamp, $wit::Timestamp);
            $crate::mirror_from!(Location, $wit::Location);
            impl IntoWit<$wit::Unlisted> for Unlisted {
                fn into_wit(self) -> $wit::Unlisted {
                    match self {
                        Self::Directory(path) => $wit::Unlisted::Directory(path.into()),
                        Self::Entry(path) => $wit::Unlisted::Entry(path.into()),
                        Self::Name { directory, name } => {
                            $wit::Unlisted::Name($wit::OddName { directory: directory.into(), name })
                        }
                    }
                }
            }
            impl FromWit<$wit::Unlisted> for Unlisted {
                fn from_wit(wit: $wit::Unlisted) -> Result<Self> {
                    Ok(match wit {
                        $wit::Unlisted::Directory(path) => Self::Directory(Path::parse(path)?),
                        $wit::Unlisted::Entry(path) => Self::Entry(Path::parse(path)?),
                        $wit::Unlisted::Name($wit::OddName { directory, name }) => {
                            Self::Name { directory: Path::parse(directory)?, name }
                        }
                    })
                }
            }
        };
    };
}

/// The values of the interface `backend`.
#[macro_export]
macro_rules! mirror_backend {
    ($wit:ident) => {
        $crate::mirror! {
            struct $crate::CopyRequest = $wit::CopyRequest { source, target, options }
            struct $crate::ObjectVersion = $wit::ObjectVersion { path, etag }
        }
    };
}

/// The interface `filters`.
#[macro_export]
macro_rules! mirror_filters {
    ($wit:ident) => {
        $crate::mirror! {
            enum $crate::RuleKind = $wit::RuleKind { Filter, Include, Exclude, Files, FilesRaw }
            struct $crate::RuleSource = $wit::RuleSource { kind, text, file }
            struct $crate::Filter = $wit::Filter {
                rules, min_size, max_size, modified_from, modified_until, max_depth, ignore_case, delete_excluded
            }
        }
    };
}

/// The values of the interfaces `compression` and `objects`.
#[macro_export]
macro_rules! mirror_objects {
    ($compression:ident, $objects:ident) => {
        $crate::mirror_codec!($compression);
        $crate::mirror! {
            struct $crate::DecompressOptions = $compression::DecompressOptions {
                codec, max_output, max_ratio, max_window, dictionary
            }
            struct $crate::Compression = $objects::CompressionOptions { codec, level, dictionary }
        }
    };
}

/// The values of the interface `multi`.
#[macro_export]
macro_rules! mirror_multi {
    ($wit:ident) => {
        $crate::mirror! {
            enum $crate::Mode = $wit::Mode { All, BestEffort, Quorum }
            variant $crate::Outcome = $wit::Outcome {
                Written(info), Failed(error), Withheld, Undone, Stranded(error)
            }
            struct $crate::TargetResult = $wit::TargetResult { target, outcome }
            struct $crate::TeeError = $wit::Failure { error, targets }
        }
    };
}

/// The values of the interface `sync`.
#[macro_export]
macro_rules! mirror_sync {
    ($wit:ident) => {
        $crate::mirror! {
            enum $crate::Comparison = $wit::Comparison {
                Automatic, ExactTimes, WriteTimes, Checksum, SizeOnly, Always, IgnoreExisting
            }
            enum $crate::Deletion = $wit::Deletion { None, Before, During, After }
            struct $crate::Backup = $wit::Backup { place, suffix, keep_extension }
            flags $crate::RenameStrategy = $wit::RenameStrategy { hash = HASH, modified = MODIFIED, name = NAME }
            variant $crate::Recoding = $wit::Recoding { Compress(compression), Decompress(dictionary) }
            enum $crate::OrderKey = $wit::OrderKey { Name, Size, Modified }
            struct $crate::Order = $wit::Order { key, descending }
            struct $crate::SyncOptions = $wit::SyncOptions {
                dry_run, comparison, ignore_size, update_only, immutable, deletion, ignore_errors, hold_deletes,
                max_delete, allow_empty_source, backup, track_renames, empty_directories, delete_empty_source_directories, order,
                transfers, checkers, retries, max_errors, max_transfer, deadline, target_name, bandwidth, recoding,
                max_window, one_way, start_after, stop_at, memo, filter; modify_window = modify_window_ns
            }
            enum $crate::Action = $wit::Action {
                Transferred, UpdatedTime, Deleted, Renamed, SourceRemoved, Skipped, Failed
            }
            enum $crate::Stop = $wit::Stop { MaxErrors, MaxTransfer, Deadline }
            enum $crate::MemoTrouble = $wit::MemoTrouble { Overlap, Unreadable, Foreign, Damaged, NotKept }
            struct $crate::Event = $wit::Event { action, path, size, reason, error }
            struct $crate::Report = $wit::Report {
                checked, transferred, bytes, updated_times, deleted, renamed, sources_removed, skipped, errors,
                deletes_withheld, source_objects, extras, stopped, memo
            }
            struct $crate::Explanation = $wit::Explanation { included, ruling, action, reason }
            enum $crate::Difference = $wit::Difference { Same, Differ, MissingOnSource, MissingOnTarget, Error }
            struct $crate::CheckEntry = $wit::CheckEntry { path, difference, reason, error }
            struct $crate::CheckReport = $wit::CheckReport {
                checked, same, differ, missing_on_source, missing_on_target, errors
            }
        }
    };
}

/// The values of the interface `bisync`.
#[macro_export]
macro_rules! mirror_bisync {
    ($wit:ident) => {
        $crate::mirror! {
            enum $crate::BisyncSide = $wit::Side { First, Second }
            enum $crate::Winner = $wit::Winner { Newer, Older, Larger, Smaller, First, Second }
            variant $crate::DeleteLimit = $wit::DeleteLimit { Count(count), Percent(percent) }
            struct $crate::BisyncOptions = $wit::BisyncOptions {
                dry_run, resync, comparison, winner, keep_loser, conflict_suffix, max_delete, allow_empty, names,
                transfers, retries, bandwidth, filter; modify_window = modify_window_ns
            }
            enum $crate::BisyncAction = $wit::BisyncAction {
                Transferred, Deleted, Renamed, Replaced, Skipped, Failed
            }
            struct $crate::BisyncEvent = $wit::BisyncEvent { action, side, path, size, reason, error }
            struct $crate::BisyncReport = $wit::BisyncReport {
                checked, transferred_to_first, transferred_to_second, bytes, deleted_on_first, deleted_on_second,
                conflicts, skipped, errors, deletes_withheld
            }
        }
    };
}

/// The values of the interface `records`.
#[macro_export]
macro_rules! mirror_records {
    ($wit:ident) => {
        $crate::mirror_format!($wit);
        $crate::mirror! {
            enum $crate::LineEnd = $wit::LineEnd { Lf, Crlf }
            enum $crate::LengthPrefix = $wit::LengthPrefix { BigEndian, LittleEndian, Varint }
            enum $crate::Validation = $wit::Validation { Framing, Utf8, Syntax }
        }
        const _: () = {
            use $crate::{
                CsvDialect, Punctuation, Result,
                wit::{FromWit, IntoWit},
            };

            impl IntoWit<$wit::CsvDialect> for CsvDialect {
                fn into_wit(self) -> $wit::CsvDialect {
                    $wit::CsvDialect {
                        delimiter: char::from(self.punctuation.delimiter()),
                        quote: char::from(self.punctuation.quote()),
                        header: self.header,
                        columns: self.columns,
                        infer: self.infer,
                        lenient: self.lenient,
                        line_end: self.line_end.into_wit(),
                    }
                }
            }
            $crate::mirror_from!(CsvDialect, $wit::CsvDialect);
            impl FromWit<$wit::CsvDialect> for CsvDialect {
                fn from_wit(wit: $wit::CsvDialect) -> Result<Self> {
                    Ok(Self {
                        punctuation: Punctuation::new(wit.delimiter, wit.quote)?,
                        header: wit.header,
                        columns: wit.columns,
                        infer: wit.infer,
                        lenient: wit.lenient,
                        line_end: FromWit::from_wit(wit.line_end)?,
                    })
                }
            }
        };
    };
}

/// How records are stored, of the interface `records` of the whole library.
#[macro_export]
macro_rules! mirror_encoding {
    ($wit:ident) => {
        $crate::mirror! {
            struct $crate::Encoding = $wit::Encoding {
                format, codec, level, max_record, max_window, dictionary, validation
            }
            struct $crate::ConvertReport = $wit::ConvertReport { records, bytes_read, bytes_written, header }
            struct $crate::Outline = $wit::Outline { version, columns, header }
            struct $crate::Part = $wit::Part { start, end, starts_record }
            struct $crate::PartReport = $wit::PartReport { border, end, records }
        }
    };
}
