//! Bugs of kinds that were found once, to be planted again: so the simulation shows that it would find them.
//!
//! Without the feature `planted` there is none, and the compiler leaves nothing of it.

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
    /// The word that a body has ended is lost.
    LosesCompletion,
    /// A listing that fails is taken for one that ends.
    FailedListingEnds,
    /// What a listing could not tell is taken for missing.
    UnlistedIsMissing,
    /// An object that failed is counted twice.
    CountsTwice,
    /// A dry run deletes.
    DryRunDeletes,
    /// What was remembered is believed of whatever is there now.
    BelievesMemo,
    /// What is deleted is not kept, although that was asked for.
    ForgetsBackup,
    /// A tee is content with one target fewer.
    TeeNeedsFewer,
    /// A version that lost a conflict is replaced, although it was to be kept.
    ReplacesLoser,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 12] = [
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

/// None is.
#[cfg(not(feature = "planted"))]
pub(crate) const fn has(_bug: Bug) -> bool {
    false
}
