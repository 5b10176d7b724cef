//! A listing that ends after so many entries.

use async_trait::async_trait;

use super::{Listed, Listing};
use crate::Result;

/// The first entries of a listing, which is asked for no more than those.
struct LimitedListing {
    /// `None` once all of them were given.
    listing: Option<Box<dyn Listing>>,
    left: u64,
}

/// A listing that ends after so many entries, if there is a limit; failures do not count. For backends whose store
/// knows no limit: see [`ListOptions::limit`](super::ListOptions::limit).
#[must_use]
pub fn limited(listing: Box<dyn Listing>, limit: Option<u64>) -> Box<dyn Listing> {
    match limit {
        Some(left) => Box::new(LimitedListing { listing: (left > 0).then_some(listing), left }),
        None => listing,
    }
}

#[async_trait]
impl Listing for LimitedListing {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        let Some(listing) = &mut self.listing else { return Ok(Vec::new()) };
        let batch = listing.next(max.min(usize::try_from(self.left).unwrap_or(max))).await?;
        let entries = batch.iter().filter(|listed| matches!(listed, Listed::Entry(_))).count();
        self.left = self.left.saturating_sub(entries as u64);
        if self.left == 0 {
            self.listing = None;
        }
        Ok(batch)
    }
}
