//! What changed on both sides: which version takes the name, and what the other is called.

use std::cmp::Ordering;

use omnistorage_path::{Path, PathError};

use crate::{entry::Entry, sync::merge::Side};

/// Which of two versions takes the name on both sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Winner {
    /// The one that was modified last.
    #[default]
    Newer,
    /// The one that was modified first.
    Older,
    /// The one of more bytes.
    Larger,
    /// The one of fewer bytes.
    Smaller,
    /// That of the first place.
    First,
    /// That of the second place.
    Second,
}

impl Winner {
    /// The side whose version takes the name; `None` if what should tell is not known, or equal on both sides. Times
    /// within the window are equal.
    ///
    /// ```
    /// use omnistorage_core::{Path, entry::{Entry, ObjectKind}, sync::{bisync::conflict::Winner, merge::Side}};
    ///
    /// let object = |size| Ok::<_, omnistorage_core::PathError>(Entry {
    ///     size: Some(size),
    ///     ..Entry::new(Path::parse("a")?, ObjectKind::Object)
    /// });
    /// assert_eq!(Winner::Larger.of(&object(1)?, &object(2)?, 0), Some(Side::Target));
    /// assert_eq!(Winner::Newer.of(&object(1)?, &object(2)?, 0), None);
    /// # Ok::<(), omnistorage_core::PathError>(())
    /// ```
    #[must_use]
    pub fn of(self, first: &Entry, second: &Entry, window_ns: u64) -> Option<Side> {
        let by_time = || {
            let apart = first.modified?.nanoseconds_since(second.modified?);
            (apart.unsigned_abs() > u128::from(window_ns)).then(|| apart.cmp(&0))
        };
        let by_size = || Some(first.size?.cmp(&second.size?));
        let (order, wanted) = match self {
            Self::First => return Some(Side::Source),
            Self::Second => return Some(Side::Target),
            Self::Newer => (by_time(), Ordering::Greater),
            Self::Older => (by_time(), Ordering::Less),
            Self::Larger => (by_size(), Ordering::Greater),
            Self::Smaller => (by_size(), Ordering::Less),
        };
        match order? {
            Ordering::Equal => None,
            order if order == wanted => Some(Side::Source),
            _ => Some(Side::Target),
        }
    }
}

/// The name of the version that lost: the suffix and a number behind the name, as in `report.txt.conflict1`.
///
/// # Errors
/// If that makes no path.
///
/// ```
/// use omnistorage_core::{Path, sync::bisync::conflict::name};
///
/// assert_eq!(name(&Path::parse("d/report.txt")?, ".conflict", 2)?.as_str(), "d/report.txt.conflict2");
/// # Ok::<(), omnistorage_core::PathError>(())
/// ```
pub fn name(path: &Path, suffix: &str, number: u32) -> Result<Path, PathError> {
    Path::parse(format!("{path}{suffix}{number}"))
}
