//! In which order objects are transferred.

use std::cmp::Ordering;

use crate::entry::Entry;

/// By what to order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderKey {
    /// The path.
    Name,
    /// The size; unknown counts as the smallest.
    Size,
    /// The modification time; unknown counts as the earliest.
    Modified,
}

/// An order of objects.
///
/// ```
/// use omnistorage_core::{Path, entry::{Entry, ObjectKind}, sync::order::{Order, OrderKey}};
///
/// let sized = |path, size| Ok::<_, omnistorage_core::PathError>(Entry {
///     size: Some(size),
///     ..Entry::new(Path::parse(path)?, ObjectKind::Object)
/// });
/// let mut entries = vec![sized("a", 1)?, sized("b", 3)?, sized("c", 2)?];
/// let largest_first = Order { key: OrderKey::Size, descending: true };
/// entries.sort_by(|one, other| largest_first.compare(one, other));
/// assert_eq!(entries.iter().map(|entry| entry.path.as_str()).collect::<String>(), "bca");
/// # Ok::<(), omnistorage_core::PathError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Order {
    /// By what.
    pub key: OrderKey,
    /// The largest, latest or last first.
    pub descending: bool,
}

impl Order {
    /// Which of two goes first. Those that are equal go by their paths.
    #[must_use]
    pub fn compare(self, one: &Entry, other: &Entry) -> Ordering {
        let by_key = match self.key {
            OrderKey::Name => one.path.cmp(&other.path),
            OrderKey::Size => one.size.cmp(&other.size),
            OrderKey::Modified => one.modified.cmp(&other.modified),
        };
        let by_key = if self.descending { by_key.reverse() } else { by_key };
        by_key.then_with(|| one.path.cmp(&other.path))
    }
}
