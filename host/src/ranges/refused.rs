//! The options that a run over ranges cannot have, by their names.

use std::fmt;

use crate::{
    Error, ErrorCode,
    runtime::{Deletion, RenameStrategy, SyncOptions},
};

/// An option that a run over ranges cannot have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsplittable {
    /// As on the command line.
    pub option: &'static str,
    /// Why not.
    pub why: &'static str,
    pub(crate) among: Among,
}

/// Who does the ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Among {
    /// Jobs of this process.
    Ranges,
    /// Machines.
    #[cfg(feature = "cluster")]
    Machines,
}

impl fmt::Display for Among {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ranges => "ranges",
            #[cfg(feature = "cluster")]
            Self::Machines => "machines",
        })
    }
}

impl fmt::Display for Unsplittable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--{} cannot be shared among {}: {}", self.option, self.among, self.why)
    }
}

impl Unsplittable {
    /// The first option of a run that cannot be shared among ranges at once.
    #[must_use]
    pub fn of(options: &SyncOptions) -> Option<Self> {
        Self::among(options, Among::Ranges)
    }

    pub(crate) fn among(options: &SyncOptions, among: Among) -> Option<Self> {
        let refused = [
            (options.deletion == Deletion::Before, "delete-before", BARRIER),
            (options.deletion == Deletion::During, "delete-during", BARRIER),
            (
                options.track_renames != RenameStrategy::default(),
                "track-renames",
                "an object may be renamed across a border",
            ),
            (
                options.recoding.is_some(),
                "compress and --decompress",
                "names change, and with them the ranges that they lie in",
            ),
            (options.max_errors.is_some(), "max-errors", ALONE),
            (options.max_transfer.is_some() && among == Among::Ranges, "max-transfer", ALONE),
            (options.order.is_some(), "order-by", "each range knows its own objects alone"),
            (options.memo.is_some(), "memo", "each range would remember a part alone"),
            (options.target_name.is_some(), "target-name", "one object is nothing to share"),
        ];
        let (_, option, why) = refused.into_iter().find(|(is_given, ..)| *is_given)?;
        Some(Self { option, why, among })
    }
}

impl From<Unsplittable> for Error {
    fn from(refused: Unsplittable) -> Self {
        Self::new(ErrorCode::Unsupported, refused.to_string())
    }
}

/// Why deletes come last.
pub(crate) const BARRIER: &str = "nothing may be deleted before the reports of all ranges were added up";
/// Why there is no limit of one range.
pub(crate) const ALONE: &str = "each range would count for itself alone";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::{Order, OrderKey, Recoding};

    #[test]
    fn what_cannot_be_shared_is_refused_by_its_name() {
        let refused = |options: SyncOptions| Unsplittable::of(&options).unwrap().option;
        let options = SyncOptions::default;
        assert_eq!(refused(SyncOptions { deletion: Deletion::Before, ..options() }), "delete-before");
        assert_eq!(refused(SyncOptions { deletion: Deletion::During, ..options() }), "delete-during");
        let track_renames = RenameStrategy { name: true, ..RenameStrategy::default() };
        assert_eq!(refused(SyncOptions { track_renames, ..options() }), "track-renames");
        let recoding = Some(Recoding::Decompress(None));
        assert_eq!(refused(SyncOptions { recoding, ..options() }), "compress and --decompress");
        assert_eq!(refused(SyncOptions { max_transfer: Some(1), ..options() }), "max-transfer");
        let order = Some(Order { key: OrderKey::Size, descending: true });
        assert_eq!(refused(SyncOptions { order, ..options() }), "order-by");
        assert_eq!(Unsplittable::of(&SyncOptions { bandwidth: Some(1), ..options() }), None);
    }
}
