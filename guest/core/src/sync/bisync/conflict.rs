//! What changed on both sides: which version takes the name, and what the other is called.

use std::cmp::Ordering;

pub use omnistorage_types::Winner;
use omnistorage_types::{Path, PathError};

use crate::{entry::Entry, sync::merge::Side};

/// The side whose version takes the name; `None` if what should tell is not known, or equal on both sides. Times
/// within the window are equal.
///
/// ```
/// use omnistorage_core::{Path, entry::{Entry, ObjectKind}, sync::merge::Side};
/// use omnistorage_core::sync::bisync::conflict::{Winner, winning_side};
///
/// let object = |size| Ok::<_, omnistorage_core::PathError>(Entry {
///     size: Some(size),
///     ..Entry::new(Path::parse("a")?, ObjectKind::Object)
/// });
/// assert_eq!(winning_side(Winner::Larger, &object(1)?, &object(2)?, 0), Some(Side::Target));
/// assert_eq!(winning_side(Winner::Newer, &object(1)?, &object(2)?, 0), None);
/// # Ok::<(), omnistorage_core::PathError>(())
/// ```
#[must_use]
pub fn winning_side(winner: Winner, first: &Entry, second: &Entry, window_ns: u64) -> Option<Side> {
    let by_time = || {
        let apart = first.modified?.nanoseconds_since(second.modified?);
        (apart.unsigned_abs() > u128::from(window_ns)).then(|| apart.cmp(&0))
    };
    let by_size = || Some(first.size?.cmp(&second.size?));
    let (order, wanted) = match winner {
        Winner::First => return Some(Side::Source),
        Winner::Second => return Some(Side::Target),
        Winner::Newer => (by_time(), Ordering::Greater),
        Winner::Older => (by_time(), Ordering::Less),
        Winner::Larger => (by_size(), Ordering::Greater),
        Winner::Smaller => (by_size(), Ordering::Less),
    };
    match order? {
        Ordering::Equal => None,
        order if order == wanted => Some(Side::Source),
        _ => Some(Side::Target),
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
