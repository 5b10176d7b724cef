//! Bugs of kinds that once existed, planted on purpose to show that the simulation finds them.
//!
//! Without the feature `planted` there are none, and the compiler removes the checks.

#[cfg(feature = "planted")]
use std::cell::Cell;

/// A bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Objects are deleted although others failed.
    DeletesAfterErrors,
    /// A move lets an object go since the times are equal.
    MoveTrustsTimes,
    /// Each attempt at an object keeps what it replaces, also what an earlier attempt put there.
    RetryKeepsAgain,
    /// The completion of a body is lost.
    LosesCompletion,
    /// A listing that fails is taken for one that ends.
    FailedListingEnds,
    /// An entry that could not be listed is taken for missing.
    UnlistedIsMissing,
    /// An object that failed is counted twice.
    CountsTwice,
    /// A dry run deletes.
    DryRunDeletes,
    /// A fact of the memo is believed although the object changed.
    BelievesMemo,
    /// A deleted object is not kept in the backup.
    ForgetsBackup,
    /// A tee succeeds with one target too few.
    TeeNeedsFewer,
    /// The losing version of a conflict is replaced instead of kept.
    ReplacesLoser,
    /// What came to the target after the listing is replaced, or deleted.
    ReplacesUnseen,
    /// Whatever is in the place of an object is taken for what an attempt brought there.
    ClaimsForeign,
    /// The source is not looked at again before extra objects go.
    LooksOnce,
    /// What a listing lacks is taken for missing, although it may leave names out.
    TrustsListings,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::DeletesAfterErrors,
        Self::MoveTrustsTimes,
        Self::RetryKeepsAgain,
        Self::LosesCompletion,
        Self::FailedListingEnds,
        Self::UnlistedIsMissing,
        Self::CountsTwice,
        Self::DryRunDeletes,
        Self::BelievesMemo,
        Self::ForgetsBackup,
        Self::TeeNeedsFewer,
        Self::ReplacesLoser,
        Self::ReplacesUnseen,
        Self::ClaimsForeign,
        Self::LooksOnce,
        Self::TrustsListings,
    ];
}

#[cfg(feature = "planted")]
thread_local! {
    static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
}

/// Plants a bug for this thread, or none.
#[cfg(feature = "planted")]
pub fn plant(bug: Option<Bug>) {
    PLANTED.set(bug);
}

/// Whether a bug is planted.
#[cfg(feature = "planted")]
pub(crate) fn has(bug: Bug) -> bool {
    PLANTED.get() == Some(bug)
}

/// Never.
#[cfg(not(feature = "planted"))]
pub(crate) const fn has(_bug: Bug) -> bool {
    false
}
