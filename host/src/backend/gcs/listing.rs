//! Listings, a thousand keys in each request, with all that is known about them.

use std::sync::Arc;

use async_trait::async_trait;
use omnistorage_types::Path;

use super::{
    bucket::Bucket,
    page::{FIELDS, Listed},
};
use crate::{
    Result,
    backend::{
        ListOptions,
        cloud::{
            self,
            pages::{Order, Page, Pages},
        },
    },
};

/// Keys in a request.
const PAGE: u64 = 1000;

/// The pages of such a listing, with all keys that there are.
pub(super) fn pages(bucket: &Arc<Bucket>, prefix: &Path, options: &ListOptions) -> Result<GcsPages> {
    bucket.check_open()?;
    let root = cloud::key_prefix(&bucket.prefix, &Path::root())?;
    Ok(GcsPages {
        bucket: Arc::clone(bucket),
        prefix: cloud::key_prefix(&bucket.prefix, prefix)?,
        start: options.start_after.as_ref().map(|after| format!("{root}{after}")),
        end: cloud::end(&root, prefix, options),
        recursive: options.recursive,
        limit: options.limit,
    })
}

/// What is asked for, page by page.
pub(in crate::backend) struct GcsPages {
    bucket: Arc<Bucket>,
    prefix: String,
    /// No key before it.
    start: Option<String>,
    /// No key from it on.
    end: Option<String>,
    recursive: bool,
    limit: Option<u64>,
}

#[async_trait]
impl Pages for GcsPages {
    fn check_open(&self) -> Result<()> {
        self.bucket.check_open()
    }

    async fn page(&self, token: Option<&str>, order: Order) -> Result<Page> {
        self.check_open()?;
        // What a listing is to start after may come first.
        let is_short = |limit: &u64| *limit < PAGE && token.is_none() && order == Order::Keys;
        let most = self.limit.filter(is_short).map_or(PAGE, |limit| limit + 1).to_string();
        let mut query = vec![("prefix", self.prefix.as_str()), ("maxResults", &most), ("fields", FIELDS)];
        if !self.recursive {
            query.push(("delimiter", "/"));
        }
        if order == Order::Keys {
            query.extend(self.start.as_deref().map(|start| ("startOffset", start)));
            query.extend(self.end.as_deref().map(|end| ("endOffset", end)));
        }
        query.extend(token.map(|token| ("pageToken", token)));
        let call = self.bucket.objects(&query)?;
        let answer: Listed = self.bucket.get(&call).await.map_err(|error| self.bucket.of_bucket(error))?;
        Ok(answer.into_page())
    }
}
