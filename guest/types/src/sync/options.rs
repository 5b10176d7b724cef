//! The options of a run of the sync engine.

use std::time::Duration;

use crate::{Compression, Dictionary, Filter, KeyRange, Location, Path, Timestamp};

/// When an object that is on both sides counts as the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Comparison {
    /// Size, and the first of these that can be had: the times that both were given, within the coarser precision of
    /// the two sides, where both listings carry them; hashes that both listings carry; what the
    /// [`memo`](SyncOptions::memo) says of the very pair; the hash of an object of at most 256 KiB that lies where no
    /// network is between, where the other listing carries one; else the times are asked for, or hashes where the
    /// target keeps none. When a target was written tells nothing.
    #[default]
    Automatic,
    /// Size and modification time, asked for where a listing does not carry it; where one side keeps no times, a
    /// checksum.
    ExactTimes,
    /// As [`Automatic`](Self::Automatic), but a target whose listing does not carry the time that it was given, or that
    /// keeps none, is the same if it was written no earlier than the source's time. That says nothing of contents: what
    /// is changed and dated back, or takes another's name, goes unseen. Refused for a move.
    WriteTimes,
    /// Size and a checksum both sides can give.
    Checksum,
    /// Size alone.
    SizeOnly,
    /// Never: transfer all. For a check: compare the bytes themselves.
    Always,
    /// Whatever is on the target stays.
    IgnoreExisting,
}

/// What becomes of target objects that the source does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deletion {
    /// They stay.
    None,
    /// They are deleted first, to make room: the listings are merged twice.
    Before,
    /// They are deleted as they are found.
    During,
    /// They are deleted once everything was transferred without an error.
    #[default]
    After,
}

/// Where a run keeps what it replaces or deletes on the target, under the same paths; what is there already is
/// replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// `None`: beside the objects, which needs a suffix.
    pub place: Option<Location>,
    /// Put behind the name. May be empty; holds no `/`.
    pub suffix: String,
    /// The suffix goes before the extension of the name.
    pub keep_extension: bool,
}

/// What must agree, beside the size, for an object that only the source has and one that only the target has to be
/// one object that was renamed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RenameStrategy {
    /// A checksum that both sides can give.
    pub hash: bool,
    /// The modification time.
    pub modified: bool,
    /// The last segment of the path.
    pub name: bool,
}

impl RenameStrategy {
    /// Whether nothing is set: renames are not looked for.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        !self.hash && !self.modified && !self.name
    }
}

/// How objects change on their way. A name is that of a compressed object if it ends in the extension of a codec. Two
/// objects that would have one name on the target end the run
/// ([`ErrorCode::InvalidArgument`](crate::ErrorCode::InvalidArgument)).
///
/// Objects of which one side is the other one compressed are the same if their times are; where a listing carries no
/// times, a look at the object tells, and where nobody keeps any, the contents. [`Comparison::Checksum`] compares the
/// contents, as does a move before it lets an object go that it did not transfer. [`Comparison::SizeOnly`] and renames
/// are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recoding {
    /// They are compressed, and get the extension of the codec. What is compressed by its name goes as it is.
    Compress(Compression),
    /// What is compressed by its name is decompressed, and loses the extension. The rest goes as it is. With a dictionary
    /// of zstd, an object of another codec is an error.
    Decompress(Option<Dictionary>),
}

/// By what transfers are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderKey {
    /// The path.
    Name,
    /// The size.
    Size,
    /// The modification time.
    Modified,
}

/// In which order objects are transferred, as far as so many are known at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// By what.
    pub key: OrderKey,
    /// The largest, latest or last first.
    pub descending: bool,
}

/// How to run. What concerns deletes is for `sync` alone; `check` takes heed of `comparison`,
/// `checkers`, `retries` and `one_way`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncOptions {
    /// Tell what would be done, and do nothing.
    pub dry_run: bool,
    /// When objects count as the same.
    pub comparison: Comparison,
    /// Sizes neither decide nor are verified.
    pub ignore_size: bool,
    /// Leave target objects alone that are newer than the source's.
    pub update_only: bool,
    /// Differences of time up to this count as none; `None`: the coarser precision of both sides.
    pub modify_window: Option<Duration>,
    /// Objects may be added and deleted; to change one is an error
    /// ([`ErrorCode::AlreadyExists`](crate::ErrorCode::AlreadyExists)).
    pub immutable: bool,
    /// What becomes of extra objects.
    pub deletion: Deletion,
    /// Delete even after errors.
    pub ignore_errors: bool,
    /// Count what is extra, and delete nothing: [`Report::extras`](crate::Report::extras) tells how many. What needs
    /// the place of something extra waits for another run. For whoever adds up the reports of ranges before anything is
    /// deleted.
    pub hold_deletes: bool,
    /// Fail if more objects than this would go, and delete nothing ([`Deletion::During`]: no more than this).
    pub max_delete: Option<u64>,
    /// Mirror a source without any object onto a target that has some: refused otherwise.
    pub allow_empty_source: bool,
    /// Keep what is replaced or deleted.
    pub backup: Option<Backup>,
    /// Move objects on the target that were renamed on the source. Nothing set: transfer and delete them. What only one
    /// side has is held in memory until both listings are through.
    pub track_renames: RenameStrategy,
    /// Make directories on the target that hold nothing, too.
    pub empty_directories: bool,
    /// For `move_to`: remove the directories of the source that are empty afterwards.
    pub delete_empty_source_directories: bool,
    /// `None`: in the order of the listings.
    pub order: Option<Order>,
    /// Calls of the backends in flight for transfers, from 1 to 256. Default 4.
    pub transfers: u32,
    /// Calls in flight for comparisons that need more than a listing, from 1 to 256. Default 8.
    pub checkers: u32,
    /// Attempts at an object, in all, from 1 to 100. Only what may pass is tried again. Default 3.
    pub retries: u32,
    /// Begin nothing more after so many errors.
    pub max_errors: Option<u64>,
    /// Begin no transfer that would bring the bytes transferred above this.
    pub max_transfer: Option<u64>,
    /// Begin nothing more from this time on, by the clock of the host.
    pub deadline: Option<Timestamp>,
    /// For a copy or a move of one object: its name on the target, instead of the one that it has. A source that is a
    /// directory is refused then ([`ErrorCode::IsDirectory`](crate::ErrorCode::IsDirectory)).
    pub target_name: Option<String>,
    /// Bytes a second that move, at most.
    pub bandwidth: Option<u64>,
    /// `None`: objects stay as they are.
    pub recoding: Option<Recoding>,
    /// For [`recoding`](Self::recoding), where objects are decompressed: as in
    /// [`DecompressOptions`](crate::DecompressOptions); `None`: 8 MiB. Objects that need more than that are
    /// decompressed one at a time.
    pub max_window: Option<u64>,
    /// For `check`: ignore what only the target has.
    pub one_way: bool,
    /// Only paths after this one, in byte order of the whole paths; below both places. What lies outside of the range
    /// is neither looked at, transferred, deleted nor counted, and all guards hold for the range.
    pub start_after: Option<Path>,
    /// Only paths up to this one, which is among them.
    pub stop_at: Option<Path>,
    /// Where the memo of this source and this target is, an object that a run reads beside the listings, and replaces
    /// in one step at its end: which pairs earlier runs made or found to be the same. Such a pair needs nothing but the
    /// listings; whatever they tell otherwise is looked at as if there were no memo, so that one that is missing, old
    /// or damaged costs requests alone. It is used where listings do not carry the times that objects were given, by
    /// `sync` and `copy` of trees; a
    /// dry run leaves it as it is.
    pub memo: Option<Location>,
    /// Which objects are meant. An object of both sides is judged by the source. A target within the source is no
    /// overlap if its directory is excluded.
    pub filter: Filter,
}

impl SyncOptions {
    /// Which paths are looked at.
    #[must_use]
    pub fn range(&self) -> KeyRange {
        KeyRange { after: self.start_after.clone(), until: self.stop_at.clone() }
    }
}

impl Default for SyncOptions {
    fn default() -> Self {
        Self {
            dry_run: false,
            comparison: Comparison::default(),
            ignore_size: false,
            update_only: false,
            modify_window: None,
            immutable: false,
            deletion: Deletion::default(),
            ignore_errors: false,
            hold_deletes: false,
            max_delete: None,
            allow_empty_source: false,
            backup: None,
            track_renames: RenameStrategy::default(),
            empty_directories: false,
            delete_empty_source_directories: false,
            order: None,
            transfers: 4,
            checkers: 8,
            retries: 3,
            max_errors: None,
            max_transfer: None,
            deadline: None,
            target_name: None,
            bandwidth: None,
            recoding: None,
            max_window: None,
            one_way: false,
            start_after: None,
            stop_at: None,
            memo: None,
            filter: Filter::default(),
        }
    }
}
