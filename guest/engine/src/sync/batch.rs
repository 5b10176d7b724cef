//! Collects small objects so that one call transfers many of them, where that helps.

/// The largest object that shares a call with others, in bytes.
pub(super) const SMALL: u64 = 256 * 1024;

/// The most small objects in one call: enough to make the cost of the call itself negligible.
const MANY: usize = 128;

/// The most bytes of small objects in one call.
const MANY_BYTES: u64 = 4 << 20;

/// The objects that are waiting.
pub(super) struct Batch<T> {
    items: Vec<T>,
    bytes: u64,
    most: usize,
}

impl<T> Default for Batch<T> {
    fn default() -> Self {
        Self { items: Vec::new(), bytes: 0, most: MANY }
    }
}

impl<T> Batch<T> {
    /// Batches of one object each, so that none waits for another.
    pub(super) const fn of_one() -> Self {
        Self { items: Vec::new(), bytes: 0, most: 1 }
    }

    /// Adds an object of that size, and returns what should be transferred now: a large object by itself, or a full
    /// batch.
    pub(super) fn add(&mut self, item: T, size: Option<u64>) -> Option<Vec<T>> {
        let Some(size) = size.filter(|&size| size <= SMALL) else { return Some(vec![item]) };
        self.items.push(item);
        self.bytes += size;
        (self.items.len() >= self.most || self.bytes >= MANY_BYTES).then(|| self.take()).flatten()
    }

    /// The objects collected so far, if there are any.
    pub(super) fn take(&mut self) -> Option<Vec<T>> {
        self.bytes = 0;
        let items = std::mem::take(&mut self.items);
        (!items.is_empty()).then_some(items)
    }
}
