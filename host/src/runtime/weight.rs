//! How much host memory the arguments of a call take.

use super::bindings::omnistorage::storage::{backend as wit, types};

/// The bytes of a value from a component, besides those that every value of its type takes.
pub(super) trait Weight {
    fn weight(&self) -> usize;
}

impl Weight for String {
    fn weight(&self) -> usize {
        self.len()
    }
}

impl<T: Weight> Weight for Vec<T> {
    fn weight(&self) -> usize {
        self.iter().fold(0, |sum, item| sum.saturating_add(size_of::<T>()).saturating_add(item.weight()))
    }
}

impl<T: Weight> Weight for Option<T> {
    fn weight(&self) -> usize {
        self.as_ref().map_or(0, T::weight)
    }
}

impl<A: Weight, B: Weight> Weight for (A, B) {
    fn weight(&self) -> usize {
        self.0.weight().saturating_add(self.1.weight())
    }
}

impl Weight for types::Hash {
    fn weight(&self) -> usize {
        self.digest.len()
    }
}

impl Weight for wit::WriteCondition {
    fn weight(&self) -> usize {
        match self {
            Self::Always | Self::IfAbsent => 0,
            Self::IfMatch(etag) => etag.weight(),
        }
    }
}

impl Weight for wit::WriteOptions {
    fn weight(&self) -> usize {
        let Self { condition, content_type, modified: _, metadata, expected_size: _, expected_hash } = self;
        [condition.weight(), content_type.weight(), metadata.weight(), expected_hash.weight()]
            .into_iter()
            .fold(0, usize::saturating_add)
    }
}

impl Weight for wit::ReadOptions {
    fn weight(&self) -> usize {
        self.if_match.weight()
    }
}

impl Weight for wit::ListOptions {
    fn weight(&self) -> usize {
        self.start_after.weight().saturating_add(self.until.weight())
    }
}

impl Weight for wit::ObjectVersion {
    fn weight(&self) -> usize {
        let Self { path, etag } = self;
        path.weight().saturating_add(etag.weight())
    }
}

impl Weight for wit::CopyRequest {
    fn weight(&self) -> usize {
        let Self { source, target, options } = self;
        source.weight().saturating_add(target.weight()).saturating_add(options.weight())
    }
}
