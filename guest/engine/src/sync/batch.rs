//! Small objects that wait to go together, in one call, where that is of use.

/// Objects up to this size go many to a call. In bytes.
pub(super) const SMALL: u64 = 256 * 1024;

/// Small objects a call: enough that the call costs nothing beside them.
const MANY: usize = 128;

/// Bytes of small objects a call.
const MANY_BYTES: u64 = 4 << 20;

/// What waits.
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
    /// Of one object each: none waits for another.
    pub(super) const fn of_one() -> Self {
        Self { items: Vec::new(), bytes: 0, most: 1 }
    }

    /// Adds an object of that size. What it gives back goes now: a large object by itself, or a batch that is full.
    pub(super) fn add(&mut self, item: T, size: Option<u64>) -> Option<Vec<T>> {
        let Some(size) = size.filter(|&size| size <= SMALL) else { return Some(vec![item]) };
        self.items.push(item);
        self.bytes += size;
        (self.items.len() >= self.most || self.bytes >= MANY_BYTES).then(|| self.take()).flatten()
    }

    /// What is there, if anything.
    pub(super) fn take(&mut self) -> Option<Vec<T>> {
        self.bytes = 0;
        let items = std::mem::take(&mut self.items);
        (!items.is_empty()).then_some(items)
    }
}
