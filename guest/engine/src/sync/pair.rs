//! An object that exists on both sides.

use omnistorage_core::entry::Entry;

/// An object that exists on both sides.
pub(super) struct Pair {
    pub(super) source: Entry,
    pub(super) target: Entry,
    /// Both are the versions that were listed.
    pub(super) as_listed: bool,
}

impl Pair {
    pub(super) const fn listed(source: Entry, target: Entry) -> Self {
        Self { source, target, as_listed: true }
    }

    /// The same pair as a look-up returns it.
    pub(super) fn seen(&self, source: Entry, target: Entry) -> Self {
        let as_listed =
            self.as_listed && (&source.etag, &target.etag) == (&self.source.etag, &self.target.etag);
        Self { source, target, as_listed }
    }
}
