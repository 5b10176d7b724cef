//! One body to several targets at once, and one object from whichever of its replicas can be read.

use std::fmt;

use crate::{Error, Location, ObjectInfo};

/// How many targets of a tee must hold the object in the end, of those asked for: whether a target could be opened
/// makes no difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Every one.
    #[default]
    All,
    /// One at least.
    BestEffort,
    /// More than half.
    Quorum,
}

impl Mode {
    /// How many of so many targets must succeed.
    ///
    /// ```
    /// use omnistorage_types::Mode;
    ///
    /// assert_eq!([1, 2, 3, 4, 5].map(|targets| Mode::Quorum.needed(targets)), [1, 2, 2, 3, 3]);
    /// ```
    #[must_use]
    pub const fn needed(self, targets: usize) -> usize {
        match self {
            Self::All => targets,
            Self::BestEffort => 1,
            Self::Quorum => targets / 2 + 1,
        }
    }
}

/// What became of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds the new object.
    Written(ObjectInfo),
    /// It failed, and is as it was.
    Failed(Error),
    /// It was given up because of the others or of the body, and is as it was.
    Withheld,
    /// It had the new object for a moment; then the old one was put back, or the new one deleted.
    Undone,
    /// It was left with the new object, or a damaged one, although it failed or the tee did: what was there before
    /// could not be brought back.
    Stranded(Error),
}

impl Outcome {
    /// Its word: `written`, `failed`, `withheld`, `undone` or `stranded`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Written(_) => "written",
            Self::Failed(_) => "failed",
            Self::Withheld => "withheld",
            Self::Undone => "undone",
            Self::Stranded(_) => "stranded",
        }
    }

    /// The new object, where it is whole and meant to be there.
    #[must_use]
    pub const fn written(&self) -> Option<&ObjectInfo> {
        match self {
            Self::Written(info) => Some(info),
            _ => None,
        }
    }

    /// What went wrong at this target.
    #[must_use]
    pub const fn error(&self) -> Option<&Error> {
        match self {
            Self::Failed(error) | Self::Stranded(error) => Some(error),
            Self::Written(_) | Self::Withheld | Self::Undone => None,
        }
    }
}

/// A target, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetResult {
    /// As it was given.
    pub target: Location,
    /// What became of it.
    pub outcome: Outcome,
}

/// Too few targets hold the object. Turns into its [`Error`], for those who do not want to know more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeeError {
    /// Of the contents, if they failed, else of the first target that did.
    pub error: Error,
    /// In the order of the targets; empty if nothing was opened.
    pub targets: Vec<TargetResult>,
}

impl fmt::Display for TeeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for TeeError {}

impl From<Error> for TeeError {
    fn from(error: Error) -> Self {
        Self { error, targets: Vec::new() }
    }
}

impl From<TeeError> for Error {
    fn from(TeeError { error, .. }: TeeError) -> Self {
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quorum_is_of_the_targets_asked_for() {
        for (targets, needed) in [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (6, 4), (256, 129)] {
            assert_eq!(Mode::Quorum.needed(targets), needed, "{targets}");
            assert_eq!(Mode::All.needed(targets), targets);
            assert_eq!(Mode::BestEffort.needed(targets), 1);
        }
    }
}
