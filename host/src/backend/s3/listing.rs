//! Listings, a thousand keys in each request.

use std::sync::Arc;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream};
use http::Method;
use omnistorage_types::Path;

use super::{KIND, attributes::md5_of, bucket::Bucket, page::Listed};
use crate::{
    ErrorCode, Result,
    backend::{
        ListOptions, ListingFailure, Unlisted,
        cloud::{
            self,
            pages::{Order, Page, Pages},
            store,
        },
    },
};

/// How many objects are asked about at once if everything about them is wanted.
const IN_FLIGHT: usize = 16;

/// Keys in a request.
const PAGE: u64 = 1000;

/// The pages of such a listing, with all keys that there are.
pub(super) fn pages(bucket: &Arc<Bucket>, prefix: &Path, options: &ListOptions) -> Result<S3Pages> {
    bucket.check_open()?;
    let root = cloud::key_prefix(&bucket.prefix, &Path::root())?;
    Ok(S3Pages {
        bucket: Arc::clone(bucket),
        prefix: cloud::key_prefix(&bucket.prefix, prefix)?,
        start_after: options.start_after.as_ref().map(|after| format!("{root}{after}")),
        recursive: options.recursive,
        full_info: options.full_info,
        limit: options.limit,
    })
}

/// What is asked for, page by page.
pub(in crate::backend) struct S3Pages {
    bucket: Arc<Bucket>,
    prefix: String,
    start_after: Option<String>,
    recursive: bool,
    full_info: bool,
    limit: Option<u64>,
}

#[async_trait]
impl Pages for S3Pages {
    fn check_open(&self) -> Result<()> {
        self.bucket.check_open()
    }

    fn is_unsorted(&self) {
        self.bucket.is_unsorted();
    }

    async fn page(&self, token: Option<&str>, order: Order) -> Result<Page> {
        self.check_open()?;
        let mut query = vec![("list-type", "2"), ("encoding-type", "url"), ("prefix", self.prefix.as_str())];
        if !self.recursive {
            query.push(("delimiter", "/"));
        }
        let max_keys = self.limit.filter(|limit| *limit < PAGE && token.is_none() && order == Order::Keys);
        let max_keys = max_keys.map(|limit| limit.to_string());
        query.extend(max_keys.as_deref().map(|limit| ("max-keys", limit)));
        match (token, &self.start_after) {
            (Some(token), _) => query.push(("continuation-token", token)),
            // Another order has another "after".
            (None, Some(after)) if order == Order::Keys => query.push(("start-after", after)),
            (None, _) => {}
        }
        let listed: Listed = self.bucket.ask(&self.bucket.query(Method::GET, &query)).await?;
        let mut page = listed.of(&self.prefix, &cloud::key_prefix(&self.bucket.prefix, &Path::root())?)?;
        if self.bucket.lists_md5() {
            for (_, info) in &mut page.objects {
                info.hashes.extend(info.etag.as_deref().and_then(md5_of));
            }
        }
        if self.full_info {
            self.complete(&mut page).await?;
        }
        Ok(page)
    }
}

impl S3Pages {
    /// What a listing does not carry is requested, one object at a time. An object that is gone by now is left out; one
    /// that the store refuses to tell about is a failure.
    async fn complete(&self, page: &mut Page) -> Result<()> {
        let root = cloud::key_prefix(&self.bucket.prefix, &Path::root())?;
        let asked = std::mem::take(&mut page.objects).into_iter().map(|(key, listed)| {
            let path = key.strip_prefix(&root).map(Path::parse);
            async move {
                // Keys that are no paths are judged with the others.
                let Some(Ok(path)) = path else { return Ok(Some((key, Ok(listed)))) };
                match store::stat(&*self.bucket, &path).await {
                    Ok(info) => Ok(Some((key, Ok(info)))),
                    Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
                    Err(error) if error.code().may_pass() => Err(error),
                    Err(error) => {
                        let error = error.at(KIND, &path);
                        Ok(Some((key, Err(ListingFailure { what: Unlisted::Entry(path), error }))))
                    }
                }
            }
        });
        let known: Vec<_> = stream::iter(asked).buffered(IN_FLIGHT).try_collect().await?;
        for (key, info) in known.into_iter().flatten() {
            match info {
                Ok(info) => page.objects.push((key, info)),
                Err(failure) => page.failures.push(failure),
            }
        }
        Ok(())
    }
}
