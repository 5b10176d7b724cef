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
    most_bytes: u64,
}

impl<T> Default for Batch<T> {
    fn default() -> Self {
        Self { items: Vec::new(), bytes: 0, most: MANY, most_bytes: MANY_BYTES }
    }
}

impl<T> Batch<T> {
    /// Batches that take about a second at most where bandwidth is limited, in bytes a second: what was done shows when
    /// its batch is through.
    pub(super) fn of_a_second(bandwidth: Option<u64>) -> Self {
        Self {
            most_bytes: bandwidth.map_or(MANY_BYTES, |bandwidth| bandwidth.min(MANY_BYTES)),
            ..Self::default()
        }
    }

    /// Batches of one object each, so that none waits for another.
    pub(super) const fn of_one() -> Self {
        Self { items: Vec::new(), bytes: 0, most: 1, most_bytes: MANY_BYTES }
    }

    /// Adds an object of that size, and returns what should be transferred now: a large object by itself, or a full
    /// batch.
    pub(super) fn add(&mut self, item: T, size: Option<u64>) -> Option<Vec<T>> {
        let Some(size) = size.filter(|&size| size <= SMALL) else { return Some(vec![item]) };
        self.items.push(item);
        self.bytes += size;
        (self.items.len() >= self.most || self.bytes >= self.most_bytes).then(|| self.take()).flatten()
    }

    /// The objects collected so far, if there are any.
    pub(super) fn take(&mut self) -> Option<Vec<T>> {
        self.bytes = 0;
        let items = std::mem::take(&mut self.items);
        (!items.is_empty()).then_some(items)
    }
}
