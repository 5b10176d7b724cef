//! What must not be done: sync a place with itself, or delete on doubtful grounds.

use std::fmt;

use crate::entry::Location;

/// How two places lie in each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// They are the same.
    Same,
    /// The source is below the target.
    SourceInTarget,
    /// The target is below the source.
    TargetInSource,
}

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Same => "source and target are the same place",
            Self::SourceInTarget => "the source lies in the target",
            Self::TargetInSource => "the target lies in the source",
        })
    }
}

/// Whether two places overlap: in the same backend, the path of one starts with that of the other, by whole segments.
/// Two names for one store are beyond what can be told here.
///
/// ```
/// use omnistorage_core::{Path, PathError, entry::Location, sync::guard::{Overlap, overlap}};
///
/// let at = |path| Ok::<_, PathError>(Location { backend: "disk".to_owned(), path: Path::parse(path)? });
/// assert_eq!(overlap(&at("data")?, &at("data/2026")?), Some(Overlap::TargetInSource));
/// assert_eq!(overlap(&at("data")?, &at("database")?), None);
/// # Ok::<(), PathError>(())
/// ```
#[must_use]
pub fn overlap(source: &Location, target: &Location) -> Option<Overlap> {
    if source.backend != target.backend {
        return None;
    }
    match (source.path.starts_with(&target.path), target.path.starts_with(&source.path)) {
        (true, true) => Some(Overlap::Same),
        (true, false) => Some(Overlap::SourceInTarget),
        (false, true) => Some(Overlap::TargetInSource),
        (false, false) => None,
    }
}

/// What is known when deletes are due: after the listings are through and all transfers done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeletePlan {
    /// Errors of the run so far, of any kind.
    pub errors: u64,
    /// Objects that the source has.
    pub source_objects: u64,
    /// Objects of the target that the source does not have: what would be deleted.
    pub extras: u64,
}

/// How far deletes may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeleteLimits {
    /// Objects; `None`: no limit.
    pub max_delete: Option<u64>,
    /// An empty source may empty the target.
    pub allow_empty_source: bool,
    /// Errors do not keep anything from being deleted.
    pub ignore_errors: bool,
}

/// Why nothing is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteRefusal {
    /// There were errors: what looks extra may only be what could not be read. The run goes on to its end.
    Withheld {
        /// Deletes that were due.
        extras: u64,
        /// Errors of the run.
        errors: u64,
    },
    /// The source has no object: more often a mistake than a wish. The run fails.
    EmptySource {
        /// Deletes that were due.
        extras: u64,
    },
    /// More deletes are due than allowed. The run fails.
    TooMany {
        /// Deletes that were due.
        extras: u64,
        /// Deletes that are allowed.
        max_delete: u64,
    },
}

impl fmt::Display for DeleteRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Withheld { extras, errors } => {
                write!(f, "{extras} deletes were withheld because of {errors} errors")
            }
            Self::EmptySource { extras } => write!(
                f,
                "the source is empty, and the sync would delete all {extras} objects of the target: allow an empty \
                 source (`allow-empty-source`) if that is meant"
            ),
            Self::TooMany { extras, max_delete } => {
                write!(
                    f,
                    "{extras} objects would be deleted, but at most {max_delete} may be: nothing was deleted"
                )
            }
        }
    }
}

impl std::error::Error for DeleteRefusal {}

/// Whether the extra objects of the target may be deleted. Where there are none, there is nothing to refuse.
///
/// ```
/// use omnistorage_core::sync::guard::{DeleteLimits, DeletePlan, DeleteRefusal, deletes_allowed};
///
/// let plan = DeletePlan { errors: 0, source_objects: 0, extras: 7 };
/// assert_eq!(deletes_allowed(plan, DeleteLimits::default()), Err(DeleteRefusal::EmptySource { extras: 7 }));
/// assert_eq!(deletes_allowed(DeletePlan { source_objects: 1, ..plan }, DeleteLimits::default()), Ok(()));
/// ```
///
/// # Errors
/// The first reason, in the order of [`DeleteRefusal`]; then nothing at all may be deleted.
pub const fn deletes_allowed(plan: DeletePlan, limits: DeleteLimits) -> Result<(), DeleteRefusal> {
    let DeletePlan { errors, source_objects, extras } = plan;
    if extras == 0 {
        return Ok(());
    }
    if errors > 0 && !limits.ignore_errors {
        return Err(DeleteRefusal::Withheld { extras, errors });
    }
    if source_objects == 0 && !limits.allow_empty_source {
        return Err(DeleteRefusal::EmptySource { extras });
    }
    match limits.max_delete {
        Some(max_delete) if extras > max_delete => Err(DeleteRefusal::TooMany { extras, max_delete }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use omnistorage_types::Path;

    use super::*;

    #[test]
    fn overlap_goes_by_whole_segments() {
        use Overlap::*;
        for (source, target, expected) in [
            ("", "", Some(Same)),
            ("a", "a", Some(Same)),
            ("", "a", Some(TargetInSource)),
            ("a/b", "", Some(SourceInTarget)),
            ("root", "root/sub", Some(TargetInSource)),
            ("root/sub/deep", "root/sub", Some(SourceInTarget)),
            ("root", "rooty", None),
            ("a/b", "a/c", None),
        ] {
            let at =
                |backend: &str, path| Location { backend: backend.into(), path: Path::parse(path).unwrap() };
            assert_eq!(overlap(&at("x", source), &at("x", target)), expected, "{source:?} {target:?}");
            assert_eq!(overlap(&at("x", source), &at("y", target)), None);
        }
    }

    #[test]
    fn deletes_need_a_clean_run_a_source_and_a_limit_that_holds() {
        let limits = |max_delete, allow_empty_source| DeleteLimits {
            max_delete,
            allow_empty_source,
            ..DeleteLimits::default()
        };
        let plan = |errors, source_objects, extras| DeletePlan { errors, source_objects, extras };
        for (plan, limits, expected) in [
            (plan(0, 1, 3), limits(None, false), Ok(())),
            (plan(0, 1, 3), limits(Some(3), false), Ok(())),
            (plan(0, 1, 3), limits(Some(2), false), Err(DeleteRefusal::TooMany { extras: 3, max_delete: 2 })),
            (plan(0, 1, 1), limits(Some(0), false), Err(DeleteRefusal::TooMany { extras: 1, max_delete: 0 })),
            (plan(1, 1, 3), limits(None, true), Err(DeleteRefusal::Withheld { extras: 3, errors: 1 })),
            (plan(1, 0, 3), limits(Some(2), false), Err(DeleteRefusal::Withheld { extras: 3, errors: 1 })),
            (plan(0, 0, 3), limits(None, false), Err(DeleteRefusal::EmptySource { extras: 3 })),
            (plan(0, 0, 3), limits(None, true), Ok(())),
            (plan(0, 0, 3), limits(Some(2), true), Err(DeleteRefusal::TooMany { extras: 3, max_delete: 2 })),
            (plan(1, 0, 0), limits(Some(0), false), Ok(())),
        ] {
            assert_eq!(deletes_allowed(plan, limits), expected, "{plan:?} {limits:?}");
        }
        let despite_errors = DeleteLimits { ignore_errors: true, ..DeleteLimits::default() };
        assert_eq!(deletes_allowed(plan(5, 1, 3), despite_errors), Ok(()));
        assert!(deletes_allowed(plan(5, 0, 3), despite_errors).is_err());
    }
}
