//! What a filter says, and why.

use std::fmt;

use super::RuleText;

/// What a filter says of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling<'f> {
    /// Included: no rule matches.
    NoRule,
    /// The first rule that matches.
    Rule(&'f RuleText),
    /// Included: it is in the list of files, or above one that is.
    Listed,
    /// Excluded: it is not in the list of files.
    NotListed,
    /// Excluded: so many levels are included.
    TooDeep(u32),
    /// Excluded by the smallest size.
    TooSmall,
    /// Excluded by the largest size.
    TooLarge,
    /// Excluded by the earliest time.
    TooOld,
    /// Excluded by the latest time.
    TooNew,
}

impl Ruling<'_> {
    /// Whether it includes the path.
    #[must_use]
    pub const fn is_included(self) -> bool {
        match self {
            Self::NoRule | Self::Listed => true,
            Self::Rule(rule) => rule.include,
            Self::NotListed
            | Self::TooDeep(_)
            | Self::TooSmall
            | Self::TooLarge
            | Self::TooOld
            | Self::TooNew => false,
        }
    }
}

impl fmt::Display for Ruling<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_included() { "included" } else { "excluded" })?;
        match self {
            Self::NoRule => f.write_str(": no rule matches"),
            Self::Rule(rule) => write!(f, " by {rule}"),
            Self::Listed => f.write_str(" by the list of files"),
            Self::NotListed => f.write_str(": it is not in the list of files"),
            Self::TooDeep(depth) => write!(f, ": it is deeper than {depth} levels"),
            Self::TooSmall => f.write_str(": it is smaller than the smallest size"),
            Self::TooLarge => f.write_str(": it is larger than the largest size"),
            Self::TooOld => f.write_str(": it is older than the greatest age"),
            Self::TooNew => f.write_str(": it is newer than the least age"),
        }
    }
}
