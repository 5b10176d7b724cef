//! Small objects that wait to go together, in one call.

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
}

impl<T> Default for Batch<T> {
    fn default() -> Self {
        Self { items: Vec::new(), bytes: 0 }
    }
}

impl<T> Batch<T> {
    /// Adds an object of that size. What it gives back goes now: a large object by itself, or a batch that is full.
    pub(super) fn add(&mut self, item: T, size: Option<u64>) -> Option<Vec<T>> {
        let Some(size) = size.filter(|&size| size <= SMALL) else { return Some(vec![item]) };
        self.items.push(item);
        self.bytes += size;
        (self.items.len() >= MANY || self.bytes >= MANY_BYTES).then(|| self.take()).flatten()
    }

    /// What is there, if anything.
    pub(super) fn take(&mut self) -> Option<Vec<T>> {
        let items = std::mem::take(self).items;
        (!items.is_empty()).then_some(items)
    }
}
