//! In which order objects are transferred.

use std::cmp::Ordering;

pub use omnistorage_types::{Order, OrderKey};

use crate::entry::Entry;

/// Which of two goes first. Those that are equal go by their paths; a size that is not known counts as the smallest, a
/// time as the earliest.
///
/// ```
/// use omnistorage_core::{Path, entry::{Entry, ObjectKind}, sync::order::{Order, OrderKey, first}};
///
/// let sized = |path, size| Ok::<_, omnistorage_core::PathError>(Entry {
///     size: Some(size),
///     ..Entry::new(Path::parse(path)?, ObjectKind::Object)
/// });
/// let mut entries = vec![sized("a", 1)?, sized("b", 3)?, sized("c", 2)?];
/// let largest_first = Order { key: OrderKey::Size, descending: true };
/// entries.sort_by(|one, other| first(largest_first, one, other));
/// assert_eq!(entries.iter().map(|entry| entry.path.as_str()).collect::<String>(), "bca");
/// # Ok::<(), omnistorage_core::PathError>(())
/// ```
#[must_use]
pub fn first(order: Order, one: &Entry, other: &Entry) -> Ordering {
    let by_key = match order.key {
        OrderKey::Name => one.path.cmp(&other.path),
        OrderKey::Size => one.size.cmp(&other.size),
        OrderKey::Modified => one.modified.cmp(&other.modified),
    };
    let by_key = if order.descending { by_key.reverse() } else { by_key };
    by_key.then_with(|| one.path.cmp(&other.path))
}
