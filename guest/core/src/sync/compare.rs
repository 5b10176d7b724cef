//! Whether a path that both sides have needs a transfer. The order of the questions is rclone's (`NeedTransfer` and
//! `equal` of its `fs/operations`); where rclone would trust the size alone for lack of a hash, the object is
//! transferred here.

use std::fmt;

use crate::entry::{Entry, Hash, ObjectKind};

/// When an object that is on both sides counts as the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Comparison {
    /// Size and modification time, within the window. Where the time of the target is that of the write, since it keeps
    /// none or its listings do not tell them, one that is not older than the source's is as good.
    #[default]
    Automatic,
    /// Size and modification time, asked for where a listing does not tell it; where one side keeps no times, a
    /// checksum.
    ExactTimes,
    /// Size and a checksum.
    Checksum,
    /// Size alone.
    SizeOnly,
    /// Never: transfer all.
    Always,
    /// Whatever is on the target stays.
    IgnoreExisting,
}

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
    /// What [`modify_window`] gives: differences of time up to this count as none, in nanoseconds; `None`: one side
    /// keeps no times.
    pub window_ns: Option<u64>,
    /// Whose times are not those that objects were given.
    pub write_times: WriteTimes,
}

/// The sides that keep times and whose listings do not tell them: a time there is that of the write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteTimes {
    /// Of the source.
    pub source: bool,
    /// Of the target.
    pub target: bool,
}

impl WriteTimes {
    const fn any(self) -> bool {
        self.source || self.target
    }
}

impl CompareOptions {
    /// For entries that tell the times that objects were given: what to ask after [`Verdict::NeedTimes`].
    #[must_use]
    pub fn with_times(self) -> Self {
        Self { write_times: WriteTimes::default(), ..self }
    }
}

/// What is to be done with a path that both sides have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: both are the same, as far as was asked.
    Same,
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
    /// The verdict where objects of the target must not change.
    const fn of_immutable(self) -> Self {
        match self {
            Self::Transfer(reason) => Self::Refuse(reason),
            Self::SetTime => Self::Refuse(Reason::TimeDiffers),
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
            Self::LimitReached => "a limit ended the run before it",
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
/// `None` is one side without times. What was asked widens the window and never narrows it, for no comparison can be
/// finer than its coarser side.
///
/// ```
/// use omnistorage_core::sync::compare::modify_window;
///
/// assert_eq!(modify_window(Some(1), Some(1), None), Some(0));
/// assert_eq!(modify_window(Some(1), Some(1_000_000_000), None), Some(999_999_999));
/// assert_eq!(modify_window(Some(1), Some(1), Some(2_000_000_000)), Some(2_000_000_000));
/// assert_eq!(modify_window(Some(1), None, Some(2_000_000_000)), None);
/// ```
#[must_use]
pub fn modify_window(source_ns: Option<u64>, target_ns: Option<u64>, asked_ns: Option<u64>) -> Option<u64> {
    let precision = source_ns?.max(target_ns?);
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

/// What is to be done with an object that both sides have.
///
/// ```
/// use omnistorage_core::{Path, entry::{Entry, ObjectKind, Timestamp}};
/// use omnistorage_core::sync::compare::{CompareOptions, Reason, Verdict, compare};
///
/// let mut source = Entry::new(Path::parse("a")?, ObjectKind::Object);
/// source.size = Some(3);
/// source.modified = Some(Timestamp { seconds: 1_700_000_000, nanoseconds: 0 });
/// let mut target = source.clone();
/// let options = CompareOptions { window_ns: Some(0), ..CompareOptions::default() };
/// assert_eq!(compare(&source, &target, options), Verdict::Same);
/// target.size = Some(4);
/// assert_eq!(compare(&source, &target, options), Verdict::Transfer(Reason::SizeDiffers));
/// # Ok::<(), omnistorage_core::PathError>(())
/// ```
#[must_use]
pub fn compare(source: &Entry, target: &Entry, options: CompareOptions) -> Verdict {
    let verdict = compare_kinds(source, target, options);
    if options.immutable { verdict.of_immutable() } else { verdict }
}

fn compare_kinds(source: &Entry, target: &Entry, options: CompareOptions) -> Verdict {
    use ObjectKind::{Directory, Object, Special, Symlink};
    match (source.kind, target.kind) {
        (Object, Object) => compare_objects(source, target, options),
        (Directory, Directory) => Verdict::Same,
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
    let verdict = compare_recoded_objects(source, target, options);
    if options.immutable { verdict.of_immutable() } else { verdict }
}

fn compare_recoded_objects(source: &Entry, target: &Entry, options: CompareOptions) -> Verdict {
    let time = target_time(source, target, options.window_ns.unwrap_or(0));
    let by_write = if options.window_ns.is_some() { options.write_times } else { WriteTimes::default() };
    match (options.comparison, time) {
        (Comparison::IgnoreExisting, _) => Verdict::Skip(Reason::ExistsOnTarget),
        (Comparison::Always, _) => Verdict::Transfer(Reason::TransferAll),
        // Written after the source was changed for the last time: what stands there was made of what the source is now.
        (Comparison::Automatic, TargetTime::Within | TargetTime::Newer)
            if by_write.target && !by_write.source =>
        {
            Verdict::Same
        }
        _ if by_write.any() => Verdict::NeedHash(IfEqual::Same),
        (_, TargetTime::Newer) if options.update_only => Verdict::Skip(Reason::TargetNewer),
        (Comparison::Checksum, _) | (_, TargetTime::Unknown) => Verdict::NeedHash(IfEqual::Same),
        (_, TargetTime::Within) => Verdict::Same,
        (Comparison::Automatic, TargetTime::Newer) if options.window_ns.is_none() => Verdict::Same,
        _ => Verdict::Transfer(Reason::TimeDiffers),
    }
}

fn compare_objects(source: &Entry, target: &Entry, options: CompareOptions) -> Verdict {
    match options.comparison {
        Comparison::IgnoreExisting => return Verdict::Skip(Reason::ExistsOnTarget),
        Comparison::Always => return Verdict::Transfer(Reason::TransferAll),
        Comparison::Automatic | Comparison::ExactTimes | Comparison::Checksum | Comparison::SizeOnly => {}
    }
    // A side without any times leaves nothing to ask for.
    let by_write = if options.window_ns.is_some() { options.write_times } else { WriteTimes::default() };
    // Where one side keeps no times, rclone takes a second for `--update`; less one nanosecond, as in `modify_window`.
    let without_times = if options.update_only { 999_999_999 } else { 0 };
    let time = target_time(source, target, options.window_ns.unwrap_or(without_times));
    let sizes = match (source.size, target.size) {
        _ if options.ignore_size => None,
        (Some(source), Some(target)) if source != target => Some(Reason::SizeDiffers),
        (None, _) | (_, None) if options.comparison == Comparison::SizeOnly => Some(Reason::SizeUnknown),
        _ => None,
    };
    // Written after the source was changed for the last time: what stands there was made of what the source is now.
    let is_later = options.comparison == Comparison::Automatic
        && (options.window_ns.is_none() || by_write.target)
        && matches!(time, TargetTime::Within | TargetTime::Newer);
    if options.update_only {
        match time {
            _ if by_write.any() && !(is_later && sizes.is_none()) => return Verdict::NeedTimes,
            TargetTime::Newer if !by_write.any() => return Verdict::Skip(Reason::TargetNewer),
            _ => {}
        }
    }
    if let Some(reason) = sizes {
        return Verdict::Transfer(reason);
    }
    match options.comparison {
        Comparison::SizeOnly => Verdict::Same,
        Comparison::Checksum => need_hash(source, target, IfEqual::Same),
        Comparison::ExactTimes if by_write.any() => Verdict::NeedTimes,
        _ if is_later || time == TargetTime::Within => Verdict::Same,
        // No time of the target can be set: what its contents say is the last word.
        Comparison::ExactTimes if options.window_ns.is_none() => need_hash(source, target, IfEqual::Same),
        _ if hashes_are_near(source, target, by_write) => need_hash(source, target, IfEqual::Same),
        _ if by_write.any() => Verdict::NeedTimes,
        _ => need_hash(source, target, IfEqual::SetTime),
    }
}

/// Whether contents cost less than times: the listing of a source that does not tell its times tells a hash, and that of
/// the target is in its listing too, or can be had without asking a store of that sort.
fn hashes_are_near(source: &Entry, target: &Entry, by_write: WriteTimes) -> bool {
    by_write.source
        && !source.hashes.is_empty()
        && (!by_write.target || common_hash(&source.hashes, &target.hashes).is_some())
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

/// Hashes that came with the listings save the asking.
fn need_hash(source: &Entry, target: &Entry, if_equal: IfEqual) -> Verdict {
    match common_hash(&source.hashes, &target.hashes) {
        Some((source, target)) => by_hash(if_equal, Some(source), Some(target)),
        None => Verdict::NeedHash(if_equal),
    }
}

/// The verdict after [`Verdict::NeedHash`]; `None` is a hash that could not be had. Never `NeedHash` again.
#[must_use]
pub fn after_hashing(
    if_equal: IfEqual,
    source: Option<&Hash>,
    target: Option<&Hash>,
    options: CompareOptions,
) -> Verdict {
    let verdict = by_hash(if_equal, source, target);
    if options.immutable { verdict.of_immutable() } else { verdict }
}

fn by_hash(if_equal: IfEqual, source: Option<&Hash>, target: Option<&Hash>) -> Verdict {
    match (source, target) {
        (Some(source), Some(target)) if source.algorithm == target.algorithm => {
            match (source.digest == target.digest, if_equal) {
                (false, _) => Verdict::Transfer(Reason::ContentsDiffer),
                (true, IfEqual::Same) => Verdict::Same,
                (true, IfEqual::SetTime) => Verdict::SetTime,
            }
        }
        _ => Verdict::Transfer(Reason::NoCommonHash),
    }
}
