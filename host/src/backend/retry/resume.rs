//! Bodies and listings that continue where they broke off.

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream};
use omnistorage_types::Path;

use super::{Attempts, Retry};
use crate::{
    Error, Result,
    backend::{Contents, ListOptions, Listed, Listing, ReadOptions, Reader},
};

/// A body, and the part of it that is still to come.
struct Body {
    contents: Contents,
    retry: Retry,
    path: Path,
    /// The options for the rest, on condition that the object is the same.
    rest: ReadOptions,
    /// Since the last byte.
    attempts: Attempts,
}

impl Body {
    /// The next chunk, across as many breaks as are allowed.
    async fn next(&mut self) -> Option<Result<Bytes>> {
        loop {
            match self.contents.next().await? {
                Ok(chunk) => {
                    self.given(chunk.len() as u64);
                    return Some(Ok(chunk));
                }
                Err(error) => {
                    if let Err(error) = self.resume(error).await {
                        return Some(Err(error));
                    }
                }
            }
        }
    }

    fn given(&mut self, bytes: u64) {
        self.rest.offset = self.rest.offset.saturating_add(bytes);
        self.rest.length = self.rest.length.map(|length| length.saturating_sub(bytes));
        self.attempts = self.retry.attempts();
    }

    /// Opens the rest.
    async fn resume(&mut self, mut error: Error) -> Result<()> {
        loop {
            self.attempts.again_after(error).await?;
            match self.retry.inner.read(&self.path, &self.rest).await {
                Ok(Reader { contents, .. }) => {
                    self.contents = contents;
                    return Ok(());
                }
                Err(again) => error = again,
            }
        }
    }
}

/// The contents, continued after errors that may pass. `options` hold the etag of the object.
pub(super) fn resuming(contents: Contents, retry: Retry, path: Path, options: ReadOptions) -> Contents {
    let attempts = retry.attempts();
    let body = Body { contents, retry, path, rest: options, attempts };
    let chunks = stream::unfold(Some(body), async |body| {
        let mut body = body?;
        let chunk = body.next().await?;
        let goes_on = chunk.is_ok();
        Some((chunk, goes_on.then_some(body)))
    });
    chunks.fuse().boxed()
}

/// A sorted listing that is opened again after its last entry.
pub(super) struct RetryListing {
    listing: Box<dyn Listing>,
    retry: Retry,
    prefix: Path,
    rest: ListOptions,
    /// How many failures were returned since the last entry.
    given: u64,
    /// How many of them a reopened listing returns again, since it begins after an entry.
    repeated: u64,
}

impl RetryListing {
    pub(super) fn new(listing: Box<dyn Listing>, retry: Retry, prefix: Path, options: ListOptions) -> Self {
        Self { listing, retry, prefix, rest: options, given: 0, repeated: 0 }
    }

    /// Without what was returned before.
    fn take(&mut self, mut page: Vec<Listed>) -> Vec<Listed> {
        if self.repeated > 0 {
            page.retain(|listed| match listed {
                Listed::Entry(_) => {
                    self.repeated = 0;
                    true
                }
                Listed::Failure(_) => {
                    let is_new = self.repeated == 0;
                    self.repeated = self.repeated.saturating_sub(1);
                    is_new
                }
            });
        }
        let entries = page.iter().filter(|listed| matches!(listed, Listed::Entry(_))).count() as u64;
        self.rest.limit = self.rest.limit.map(|limit| limit.saturating_sub(entries));
        let last = page.iter().rposition(|listed| matches!(listed, Listed::Entry(_)));
        if let Some(last) = last.and_then(|last| page.get(last)) {
            self.rest.start_after = Some(last.path().clone());
            self.given = 0;
        }
        self.given += (page.len() - last.map_or(0, |last| last + 1)) as u64;
        page
    }
}

#[async_trait]
impl Listing for RetryListing {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        let mut attempts = self.retry.attempts();
        loop {
            let mut failed = match self.listing.next(max).await {
                Ok(page) if page.is_empty() => return Ok(page),
                Ok(page) => match self.take(page) {
                    page if page.is_empty() => continue,
                    page => return Ok(page),
                },
                Err(error) => error,
            };
            // A listing that failed has ended: only a new one can continue.
            loop {
                attempts.again_after(failed).await?;
                match self.retry.inner.list(&self.prefix, &self.rest).await {
                    Ok(listing) => {
                        (self.listing, self.repeated) = (listing, self.given);
                        break;
                    }
                    Err(error) => failed = error,
                }
            }
        }
    }
}
