//! Listings, a thousand keys a request, with all that is known of them.

use std::sync::Arc;

use async_trait::async_trait;
use omnistorage_path::Path;
use serde::Deserialize;

use super::{KIND, attributes::Resource, bucket::Bucket};
use crate::{
    backend::{
        ListOptions,
        cloud::{
            self,
            listing::{Order, Page, PagedListing, Pages},
        },
    },
    error::Result,
};

/// What the entries tell.
const FIELDS: &str =
    "nextPageToken,prefixes,items(name,size,generation,contentType,crc32c,md5Hash,metadata,timeCreated)";

/// Opens a listing of what is below a prefix.
pub(super) fn list(
    bucket: &Arc<Bucket>,
    prefix: &Path,
    options: &ListOptions,
) -> Result<PagedListing<GcsPages>> {
    let pages = pages(bucket, prefix, options)?;
    let (root, prefix) = (cloud::key_prefix(&bucket.prefix, &Path::root())?, pages.prefix.clone());
    Ok(PagedListing::new(pages, KIND, root, prefix, options, Order::Keys))
}

/// The pages of such a listing, with all keys that there are.
pub(super) fn pages(bucket: &Arc<Bucket>, prefix: &Path, options: &ListOptions) -> Result<GcsPages> {
    bucket.check_open()?;
    let root = cloud::key_prefix(&bucket.prefix, &Path::root())?;
    Ok(GcsPages {
        bucket: Arc::clone(bucket),
        prefix: cloud::key_prefix(&bucket.prefix, prefix)?,
        start: options.start_after.as_ref().map(|after| format!("{root}{after}")),
        recursive: options.recursive,
    })
}

/// What is asked for, page by page.
pub(super) struct GcsPages {
    bucket: Arc<Bucket>,
    prefix: String,
    /// No key before it.
    start: Option<String>,
    recursive: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Answer {
    items: Vec<Resource>,
    prefixes: Vec<String>,
    next_page_token: Option<String>,
}

#[async_trait]
impl Pages for GcsPages {
    fn check_open(&self) -> Result<()> {
        self.bucket.check_open()
    }

    async fn page(&self, token: Option<&str>) -> Result<Page> {
        self.check_open()?;
        let mut query = vec![("prefix", self.prefix.as_str()), ("maxResults", "1000"), ("fields", FIELDS)];
        if !self.recursive {
            query.push(("delimiter", "/"));
        }
        query.extend(self.start.as_deref().map(|start| ("startOffset", start)));
        query.extend(token.map(|token| ("pageToken", token)));
        let call = self.bucket.objects(&query)?;
        let answer: Answer = self.bucket.get(&call).await.map_err(|error| self.bucket.of_bucket(error))?;
        Ok(Page {
            objects: answer
                .items
                .into_iter()
                .map(|resource| (resource.name.clone(), resource.info(Path::root())))
                .collect(),
            directories: answer.prefixes,
            next: answer.next_page_token.filter(|token| !token.is_empty()),
        })
    }
}
