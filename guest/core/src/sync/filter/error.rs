//! What is wrong with a filter, and where.

use std::fmt;

use omnistorage_types::{Error, ErrorCode};

use omnistorage_types::PathError;

use super::PatternError;

/// Why a filter cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// The file and the line of it, from 1; `None` if it is not about a line of a file.
    pub line: Option<(String, usize)>,
    /// What is wrong.
    pub kind: FilterErrorKind,
}

/// What is wrong with a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FilterErrorKind {
    /// A rule that is neither `+ PATTERN` nor `- PATTERN` nor `!`.
    Malformed {
        /// The rule.
        rule: String,
    },
    /// A pattern that cannot be understood.
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        error: PatternError,
    },
    /// A listed file that cannot be one.
    Path {
        /// As it is listed.
        path: String,
        /// What is wrong with it.
        error: PathError,
    },
    /// Includes and excludes: which of them goes first is not said.
    Mixed,
    /// A list of files, and another condition.
    FilesAndMore,
    /// The lower bound of the size is above the upper one.
    SizeBounds,
    /// The lower bound of the time is above the upper one.
    TimeBounds,
    /// A depth of 0 is nothing at all.
    Depth,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((file, line)) = &self.line {
            write!(f, "`{file}`, line {line}: ")?;
        }
        match &self.kind {
            FilterErrorKind::Malformed { rule } => {
                write!(
                    f,
                    "the rule `{rule}` must be `+ PATTERN` to include, `- PATTERN` to exclude, or `!` to forget \
                     the rules before it"
                )
            }
            FilterErrorKind::Pattern { pattern, error } => write!(f, "the pattern `{pattern}`: {error}"),
            FilterErrorKind::Path { path, error } => write!(f, "no file can be called `{path}`: {error}"),
            FilterErrorKind::Mixed => f.write_str(
                "includes and excludes together have no order: give ordered rules, `+ PATTERN` and `- PATTERN`, \
                 as filters instead",
            ),
            FilterErrorKind::FilesAndMore => f.write_str(
                "a list of files is all that is transferred: it goes with no other rule, size, age or ignore-case",
            ),
            FilterErrorKind::SizeBounds => f.write_str("the smallest size is above the largest: nothing fits"),
            FilterErrorKind::TimeBounds => f.write_str("the least age is above the greatest: nothing fits"),
            FilterErrorKind::Depth => f.write_str("a depth must be at least 1: the directory itself"),
        }
    }
}

impl std::error::Error for FilterError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            FilterErrorKind::Pattern { error, .. } => Some(error),
            FilterErrorKind::Path { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl From<FilterError> for Error {
    fn from(why: FilterError) -> Self {
        Self::new(ErrorCode::InvalidArgument, format!("the filter is refused: {why}"))
    }
}

impl From<FilterErrorKind> for FilterError {
    fn from(kind: FilterErrorKind) -> Self {
        Self { line: None, kind }
    }
}
