//! Which objects were counted before their deletes were allowed.
//!
//! Guards look at a count: so many objects would go, and so many may. Where the paths themselves are not kept, a second
//! look at the listings finds them again, and may find more by then, or a source that is gone. So what was counted is
//! remembered, in eight bytes a path, and nothing else is deleted.
//!
//! ```
//! use omnistorage_core::{Path, sync::counted::Counted};
//!
//! let mut counted = Counted::default();
//! counted.add(&Path::parse("old")?);
//! assert!(counted.holds(&Path::parse("old")?));
//! assert!(!counted.holds(&Path::parse("kept")?));
//! # Ok::<(), omnistorage_core::PathError>(())
//! ```

use std::hash::{DefaultHasher, Hash, Hasher};

use omnistorage_types::Path;

/// Paths remembered at most, in 32 MiB: what is beyond them is left to the next run.
const MOST: usize = 4 << 20;

/// A set of paths, each as a hash of 64 bits. That a path which was not counted has the hash of one that was is less
/// likely than a fault of the memory it lies in.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    hashes: Vec<u64>,
    is_sorted: bool,
}

impl Counted {
    /// Remembers a path, unless there are too many.
    pub fn add(&mut self, path: &Path) {
        if self.hashes.len() < MOST {
            self.hashes.push(hash(path));
            self.is_sorted = false;
        }
    }

    /// Whether a path was added.
    pub fn holds(&mut self, path: &Path) -> bool {
        if !self.is_sorted {
            self.hashes.sort_unstable();
            self.is_sorted = true;
        }
        self.hashes.binary_search(&hash(path)).is_ok()
    }

    /// How many are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }
}

fn hash(path: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.as_str().hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_was_added_and_nothing_else() {
        let path = |number: usize| Path::parse(format!("d{}/{number}", number % 7)).unwrap();
        let mut counted = Counted::default();
        assert!(counted.is_empty() && !counted.holds(&path(0)));
        (0..20_000).for_each(|number| counted.add(&path(number)));
        assert!((0..20_000).all(|number| counted.holds(&path(number))));
        assert!(!(20_000..100_000).any(|number| counted.holds(&path(number))));
        counted.add(&path(20_000));
        assert!(counted.holds(&path(20_000)));
        assert_eq!(counted.len(), 20_001);
    }
}
