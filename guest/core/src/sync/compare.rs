//! Whether a path that both sides have needs a transfer. The order of the questions is rclone's (`NeedTransfer` and
//! `equal` of its `fs/operations`); where rclone would trust the size alone for lack of a hash, the object is
//! transferred here.
//!
//! Two objects are the same only on [evidence](Evidence): on their contents, or on the source's own time as the target
//! keeps it. When a target was written says nothing of what was written.

use std::fmt;

pub use omnistorage_types::Comparison;

use crate::entry::{Entry, Hash, ObjectKind};

/// Up to so many bytes, an object that lies where it can be read without a network is hashed rather than a store asked
/// for anything: that takes half a millisecond of one core, and no answer of a store comes sooner or is free.
pub const CHEAP_TO_HASH: u64 = 256 * 1024;

/// How to compare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompareOptions {
    /// What counts as the same.
    pub comparison: Comparison,
    /// Leave target objects alone that are newer than the source's.
    pub update_only: bool,
    /// Sizes do not decide.
    pub ignore_size: bool,
    /// To change an object of the target is refused.
    pub immutable: bool,
    /// Nothing but contents proves that two objects are the same: what is found so may go from the source.
    pub contents_only: bool,
    /// What [`modify_window`] gives: differences of time up to this count as none, in nanoseconds; `None`: the target
    /// keeps no time of the source.
    pub window_ns: Option<u64>,
    /// Whose times are not those that objects were given.
    pub write_times: Sides,
    /// Where an object can be read without a network between.
    pub near: Sides,
    /// Whose listings were seen to tell hashes that are some, although they may tell what only looks like one: of those
    /// with [`write_times`](Self::write_times).
    pub confirmed: Sides,
    /// An earlier run found this very pair to be the same.
    pub remembered: bool,
}

/// One of the two sides, both or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sides {
    /// The source.
    pub source: bool,
    /// The target.
    pub target: bool,
}

impl Sides {
    /// Whether it is any.
    #[must_use]
    pub const fn any(self) -> bool {
        self.source || self.target
    }

    const fn all_of(self, others: Self) -> bool {
        (self.source || !others.source) && (self.target || !others.target)
    }
}

impl CompareOptions {
    /// For entries that tell the times that objects were given, and hashes that are some: what to ask after
    /// [`Verdict::NeedTimes`].
    #[must_use]
    pub fn with_times(self) -> Self {
        Self { write_times: Sides::default(), remembered: false, ..self }
    }

    /// Whether the times that both listings carry are evidence.
    #[must_use]
    pub const fn lists_given_times(&self) -> bool {
        self.window_ns.is_some() && !self.write_times.any()
    }

    /// Whether given times are kept, and a listing does not carry them.
    const fn can_ask_for_times(&self) -> bool {
        self.window_ns.is_some() && self.write_times.any()
    }

    /// Whether hashes that both listings carry may be none. Where times can be asked for, a look tells.
    const fn doubts_hashes(&self) -> bool {
        self.can_ask_for_times() && !self.confirmed.all_of(self.write_times)
    }

    /// What differing hashes mean that a listing had a part in.
    const fn listed_hashes_differ(&self) -> Verdict {
        if self.doubts_hashes() { Verdict::NeedTimes } else { Verdict::Transfer(Reason::ContentsDiffer) }
    }
}

/// On what two objects count as the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// The bytes, or hashes of both.
    Contents,
    /// The time of the source, which the target keeps.
    Times,
    /// What an earlier run found of this very pair.
    Memo,
    /// The time at which the target was written: [`Comparison::WriteTimes`].
    WriteTime,
    /// The size alone: [`Comparison::SizeOnly`].
    Size,
    /// Both are directories.
    Directories,
}

impl Evidence {
    /// In plain English.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contents => "their contents are",
            Self::Times => "their sizes and times are",
            Self::Memo => "an earlier run found this very pair so",
            Self::WriteTime => "the target was written no earlier than the source's time",
            Self::Size => "their sizes are",
            Self::Directories => "both are directories",
        }
    }
}

/// What to do with a path that both sides have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: both are the same.
    Same(Evidence),
    /// Transfer the object.
    Transfer(Reason),
    /// The contents are the same, only the time is not: give the target the time of the source. Where the target
    /// cannot, the transfer is the only way.
    SetTime,
    /// Hash both, then ask [`after_hashing`].
    NeedHash(IfEqual),
    /// Ask for the times that both were given, then compare again [with them](CompareOptions::with_times).
    NeedTimes,
    /// Leave the target alone, although it is not the same.
    Skip(Reason),
    /// The target would have to change, and must not: see [`CompareOptions::immutable`].
    Refuse(Reason),
}

impl Verdict {
    /// What becomes of it where the options allow no change of the target, or none for that reason.
    fn under(self, options: CompareOptions) -> Self {
        match self {
            // The size was to decide: what proves nothing is no reason for a transfer either.
            Self::Transfer(reason @ (Reason::ContentsDiffer | Reason::NoCommonHash))
                if options.comparison == Comparison::SizeOnly =>
            {
                Self::Skip(reason)
            }
            Self::Transfer(reason) if options.immutable => Self::Refuse(reason),
            Self::SetTime if options.immutable => Self::Refuse(Reason::TimeDiffers),
            kept => kept,
        }
    }
}

/// What equal hashes mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfEqual {
    /// [`Verdict::Same`].
    Same,
    /// [`Verdict::SetTime`].
    SetTime,
}

/// Why something was done, or was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Only the source has it.
    MissingOnTarget,
    /// Only the target has it.
    MissingOnSource,
    /// The sizes are known and differ.
    SizeDiffers,
    /// The sizes were to decide, and one is not known.
    SizeUnknown,
    /// The times differ, and nothing else does.
    TimeDiffers,
    /// The hashes or the bytes differ.
    ContentsDiffer,
    /// Hashes were to decide, and there are none of the same algorithm.
    NoCommonHash,
    /// [`Comparison::Always`].
    TransferAll,
    /// [`Comparison::IgnoreExisting`].
    ExistsOnTarget,
    /// [`CompareOptions::update_only`].
    TargetNewer,
    /// An object on one side, a directory on the other.
    KindDiffers,
    /// A symbolic link on either side.
    SymbolicLink,
    /// A device, a socket or a named pipe on either side.
    SpecialFile,
    /// The target has the same object, as far as was asked.
    SameOnTarget,
    /// It was transferred and verified.
    Transferred,
    /// A limit ended the run before it.
    LimitReached,
    /// What is in its place is extra, and deletes are held.
    DeletesHeld,
    /// The listing of the other side failed there.
    Unlisted,
}

impl Reason {
    /// In plain English, for events and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingOnTarget => "missing on the target",
            Self::MissingOnSource => "missing on the source",
            Self::SizeDiffers => "size differs",
            Self::SizeUnknown => "size is not known",
            Self::TimeDiffers => "time differs",
            Self::ContentsDiffer => "contents differ",
            Self::NoCommonHash => "no common hash",
            Self::TransferAll => "everything is transferred",
            Self::ExistsOnTarget => "exists on the target",
            Self::TargetNewer => "target is newer",
            Self::KindDiffers => "an object on one side, a directory on the other",
            Self::SymbolicLink => "symbolic link",
            Self::SpecialFile => "special file",
            Self::SameOnTarget => "the same on the target",
            Self::Transferred => "transferred",
            Self::DeletesHeld => "what is in its place is extra, and deletes are held",
            Self::LimitReached => "a limit ended the run before it",
            Self::Unlisted => "the other side could not be listed there",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The window of [`CompareOptions`], from the precisions of both sides and what the caller asked for, in nanoseconds.
///
/// A precision is the smallest difference that survives, so any smaller one counts as none: its share is one less.
/// A source without times that were given has times of its own, which the target gets; a target without is `None`. What
/// was asked widens the window and never narrows it, for no comparison can be finer than its coarser side.
///
/// ```
/// use omnistorage_core::sync::compare::modify_window;
///
/// assert_eq!(modify_window(Some(1), Some(1), None), Some(0));
/// assert_eq!(modify_window(Some(1), Some(1_000_000_000), None), Some(999_999_999));
/// assert_eq!(modify_window(Some(1), Some(1), Some(2_000_000_000)), Some(2_000_000_000));
/// assert_eq!(modify_window(None, Some(1), None), Some(0));
/// assert_eq!(modify_window(Some(1), None, Some(2_000_000_000)), None);
/// ```
#[must_use]
pub fn modify_window(source_ns: Option<u64>, target_ns: Option<u64>, asked_ns: Option<u64>) -> Option<u64> {
    let precision = source_ns.unwrap_or(0).max(target_ns?);
    Some(precision.saturating_sub(1).max(asked_ns.unwrap_or(0)))
}

/// How a time of the target stands to that of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TargetTime {
    Unknown,
    Older,
    Within,
    Newer,
}

/// What to do with an object that both sides have.
///
/// ```
/// use omnistorage_core::{Path, entry::{Entry, ObjectKind, Timestamp}};
/// use omnistorage_core::sync::compare::{CompareOptions, Evidence, Reason, Verdict, compare};
///
/// let mut source = Entry::new(Path::parse("a")?, ObjectKind::Object);
/// source.size = Some(3);
/// source.modified = Some(Timestamp { seconds: 1_700_000_000, nanoseconds: 0 });
/// let mut target = source.clone();
/// let options = CompareOptions { window_ns: Some(0), ..CompareOptions::default() };
/// assert_eq!(compare(&source, &target, options), Verdict::Same(Evidence::Times));
/// target.size = Some(4);
/// assert_eq!(compare(&source, &target, options), Verdict::Transfer(Reason::SizeDiffers));
/// # Ok::<(), omnistorage_core::PathError>(())
/// ```
#[must_use]
pub fn compare(source: &Entry, target: &Entry, options: CompareOptions) -> Verdict {
    compare_kinds(source, target, options).under(options)
}

fn compare_kinds(source: &Entry, target: &Entry, options: CompareOptions) -> Verdict {
    use ObjectKind::{Directory, Object, Special, Symlink};
    match (source.kind, target.kind) {
        (Object, Object) => compare_objects(source, target, options),
        (Directory, Directory) => Verdict::Same(Evidence::Directories),
        // A link on the target is a name that is taken, and not what it leads to: it is replaced.
        (Object, Symlink) if options.comparison == Comparison::IgnoreExisting => {
            Verdict::Skip(Reason::ExistsOnTarget)
        }
        (Object, Symlink) => Verdict::Transfer(Reason::SymbolicLink),
        (Symlink, _) | (_, Symlink) => Verdict::Skip(Reason::SymbolicLink),
        (Special, _) | (_, Special) => Verdict::Skip(Reason::SpecialFile),
        (Object, Directory) | (Directory, Object) => Verdict::Skip(Reason::KindDiffers),
    }
}

/// The same for objects of which one side is the other one compressed. Neither sizes nor hashes can be compared then:
/// the time decides, which a transfer gives to the target. [`Verdict::NeedHash`] means to compare the contents, as they
/// are without compression.
#[must_use]
pub fn compare_recoded(source: &Entry, target: &Entry, options: CompareOptions) -> Verdict {
    if (source.kind, target.kind) != (ObjectKind::Object, ObjectKind::Object) {
        return compare(source, target, options);
    }
    compare_recoded_objects(source, target, options).under(options)
}

fn compare_recoded_objects(source: &Entry, target: &Entry, options: CompareOptions) -> Verdict {
    let time = target_time(source, target, options.window_ns.unwrap_or(0));
    let may_remember = options.remembered && !options.contents_only;
    match (options.comparison, time) {
        (Comparison::IgnoreExisting, _) => Verdict::Skip(Reason::ExistsOnTarget),
        (Comparison::Always, _) => Verdict::Transfer(Reason::TransferAll),
        (Comparison::WriteTimes, _)
            if was_written_later(source, target, options) && !options.contents_only =>
        {
            Verdict::Same(Evidence::WriteTime)
        }
        (Comparison::Automatic, _) if may_remember => Verdict::Same(Evidence::Memo),
        (_, TargetTime::Newer) if options.update_only && !options.can_ask_for_times() => {
            Verdict::Skip(Reason::TargetNewer)
        }
        // To compare the contents of what was written before the source was would cost more than to write it.
        (Comparison::Automatic | Comparison::ExactTimes | Comparison::WriteTimes, TargetTime::Older)
            if options.window_ns.is_none() && !options.contents_only =>
        {
            Verdict::Transfer(Reason::TimeDiffers)
        }
        _ if !options.lists_given_times() => Verdict::NeedHash(IfEqual::Same),
        (Comparison::Checksum, _) | (_, TargetTime::Unknown) => Verdict::NeedHash(IfEqual::Same),
        _ if options.contents_only => Verdict::NeedHash(IfEqual::Same),
        (_, TargetTime::Within) => Verdict::Same(Evidence::Times),
        _ => Verdict::Transfer(Reason::TimeDiffers),
    }
}

fn compare_objects(source: &Entry, target: &Entry, options: CompareOptions) -> Verdict {
    match options.comparison {
        Comparison::IgnoreExisting => return Verdict::Skip(Reason::ExistsOnTarget),
        Comparison::Always => return Verdict::Transfer(Reason::TransferAll),
        _ => {}
    }
    let sizes = match (source.size, target.size) {
        _ if options.ignore_size => None,
        (Some(source), Some(target)) if source != target => Some(Reason::SizeDiffers),
        (None, _) | (_, None) if options.comparison == Comparison::SizeOnly => Some(Reason::SizeUnknown),
        _ => None,
    };
    let same = if sizes.is_none() { same_as_listed(source, target, options) } else { None };
    if options.update_only {
        // Where one side keeps no times, rclone takes a second; less one nanosecond, as in `modify_window`.
        let window = options.window_ns.unwrap_or(999_999_999);
        match target_time(source, target, window) {
            _ if options.can_ask_for_times() => {
                return same.map_or(Verdict::NeedTimes, Verdict::Same);
            }
            TargetTime::Newer => return Verdict::Skip(Reason::TargetNewer),
            _ => {}
        }
    }
    match (sizes, same) {
        (Some(reason), _) => Verdict::Transfer(reason),
        (None, Some(evidence)) => Verdict::Same(evidence),
        (None, None) => compare_contents(source, target, options),
    }
}

/// On what both are the same, as far as the listings and what an earlier run found tell. Not for
/// [`Comparison::SizeOnly`] and [`Comparison::Checksum`], which ask other questions.
fn same_as_listed(source: &Entry, target: &Entry, options: CompareOptions) -> Option<Evidence> {
    match options.comparison {
        Comparison::WriteTimes if was_written_later(source, target, options) && !options.contents_only => {
            Some(Evidence::WriteTime)
        }
        // Times that both listings carry are to be the same too.
        Comparison::Automatic | Comparison::WriteTimes
            if !options.lists_given_times() && listed_hashes(source, target) == Some(true) =>
        {
            Some(Evidence::Contents)
        }
        Comparison::Automatic if options.remembered && !options.contents_only => Some(Evidence::Memo),
        _ => None,
    }
}

/// The questions that are left where sizes do not tell and nothing is the same so far.
fn compare_contents(source: &Entry, target: &Entry, options: CompareOptions) -> Verdict {
    match options.comparison {
        Comparison::SizeOnly if !options.contents_only => return Verdict::Same(Evidence::Size),
        Comparison::SizeOnly | Comparison::Checksum => {
            return need_hash(source, target, IfEqual::Same, options);
        }
        _ => {}
    }
    // Equal times are no evidence any more.
    if listed_hashes(source, target) == Some(false) {
        return options.listed_hashes_differ();
    }
    if options.lists_given_times() {
        let within = target_time(source, target, options.window_ns.unwrap_or(0)) == TargetTime::Within;
        return match (within, options.contents_only) {
            (true, false) => Verdict::Same(Evidence::Times),
            (true, true) => need_hash(source, target, IfEqual::Same, options),
            (false, _) => need_hash(source, target, IfEqual::SetTime, options),
        };
    }
    // A target that keeps no time of the source: what its contents say is the last word.
    if options.window_ns.is_none() || options.contents_only {
        return need_hash(source, target, IfEqual::Same, options);
    }
    if options.comparison != Comparison::ExactTimes && is_cheap_to_hash(source, target, options.near) {
        return Verdict::NeedHash(IfEqual::Same);
    }
    Verdict::NeedTimes
}

/// Whether a target that does not tell the times that it was given was written after the source was changed for the
/// last time, or when it was.
fn was_written_later(source: &Entry, target: &Entry, options: CompareOptions) -> bool {
    let time = target_time(source, target, options.window_ns.unwrap_or(0));
    (options.window_ns.is_none() || options.write_times.target)
        && matches!(time, TargetTime::Within | TargetTime::Newer)
}

/// Whether hashes that both listings carry are equal; `None` without a pair of one algorithm.
fn listed_hashes(source: &Entry, target: &Entry) -> Option<bool> {
    common_hash(&source.hashes, &target.hashes).map(|(source, target)| source.digest == target.digest)
}

/// Whether a hash costs less than a request: the listing of one side carries one, and the other side is near and small.
fn is_cheap_to_hash(source: &Entry, target: &Entry, near: Sides) -> bool {
    let is_small = |entry: &Entry| entry.size.is_some_and(|size| size <= CHEAP_TO_HASH);
    (near.source && is_small(source) && !target.hashes.is_empty())
        || (near.target && is_small(target) && !source.hashes.is_empty())
}

fn target_time(source: &Entry, target: &Entry, window_ns: u64) -> TargetTime {
    let (Some(source), Some(target)) = (source.modified, target.modified) else { return TargetTime::Unknown };
    match target.nanoseconds_since(source) {
        later if later > i128::from(window_ns) => TargetTime::Newer,
        later if later < -i128::from(window_ns) => TargetTime::Older,
        _ => TargetTime::Within,
    }
}

/// Of hashes that are known of both sides, a pair of one algorithm.
#[must_use]
pub fn common_hash<'a>(source: &'a [Hash], target: &'a [Hash]) -> Option<(&'a Hash, &'a Hash)> {
    source.iter().find_map(|hash| {
        let same_algorithm = |other: &&Hash| other.algorithm == hash.algorithm;
        target.iter().find(same_algorithm).map(|other| (hash, other))
    })
}

/// Hashes that came with the listings save the asking, unless they may be none.
fn need_hash(source: &Entry, target: &Entry, if_equal: IfEqual, options: CompareOptions) -> Verdict {
    match listed_hashes(source, target) {
        Some(true) => of_equal(if_equal),
        Some(false) => options.listed_hashes_differ(),
        None => Verdict::NeedHash(if_equal),
    }
}

const fn of_equal(if_equal: IfEqual) -> Verdict {
    match if_equal {
        IfEqual::Same => Verdict::Same(Evidence::Contents),
        IfEqual::SetTime => Verdict::SetTime,
    }
}

/// Hashes of both sides that were asked for, or that a listing told.
#[derive(Clone, Copy, Debug)]
pub struct Hashes<'a> {
    /// That of the source; `None` if it could not be had.
    pub source: Option<&'a Hash>,
    /// That of the target.
    pub target: Option<&'a Hash>,
    /// One of them is what a listing told.
    pub listed: bool,
}

/// The verdict after [`Verdict::NeedHash`]. Never `NeedHash` again, and [`Verdict::NeedTimes`] only where a listing
/// told what may be no hash.
#[must_use]
pub fn after_hashing(if_equal: IfEqual, hashes: Hashes<'_>, options: CompareOptions) -> Verdict {
    let verdict = match (hashes.source, hashes.target) {
        (Some(source), Some(target)) if source.algorithm == target.algorithm => {
            match source.digest == target.digest {
                true => of_equal(if_equal),
                false if hashes.listed => options.listed_hashes_differ(),
                false => Verdict::Transfer(Reason::ContentsDiffer),
            }
        }
        _ => Verdict::Transfer(Reason::NoCommonHash),
    };
    verdict.under(options)
}
