//! Listings, a thousand keys in each request, with all that is known about them.

use std::sync::Arc;

use async_trait::async_trait;
use omnistorage_types::Path;
use serde::Deserialize;

use super::{KIND, attributes::Stored, bucket::Bucket};
use crate::{
    Result,
    backend::{
        ListOptions,
        cloud::{
            self,
            ordered::OrderedListing,
            pages::{Order, Page, Pages},
        },
    },
};

/// What a page tells.
pub(super) const FIELDS: &str = "kind,nextPageToken,prefixes,\
                                 items(kind,name,size,generation,contentType,crc32c,md5Hash,metadata,timeCreated)";

/// Opens a listing of what is below a prefix.
pub(super) fn list(
    bucket: &Arc<Bucket>,
    prefix: &Path,
    options: &ListOptions,
) -> Result<OrderedListing<GcsPages>> {
    let pages = pages(bucket, prefix, options)?;
    let (root, prefix) = (cloud::key_prefix(&bucket.prefix, &Path::root())?, pages.prefix.clone());
    Ok(OrderedListing::new(pages, KIND, root, prefix, options, Order::Keys))
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

/// Proves that an answer is a listing: no other answer has this field with this value.
#[derive(Debug, Deserialize)]
enum Kind {
    #[serde(rename = "storage#objects")]
    Objects,
}

/// A page. Whatever is empty has no field.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed {
    #[serde(rename = "kind")]
    _kind: Kind,
    #[serde(default)]
    items: Vec<Stored>,
    #[serde(default)]
    prefixes: Vec<String>,
    next_page_token: Option<String>,
}

impl Listed {
    /// Whether an object of that key is on the page.
    pub(super) fn holds(&self, key: &str) -> bool {
        self.items.iter().any(|object| object.name == key)
    }
}

#[async_trait]
impl Pages for GcsPages {
    fn check_open(&self) -> Result<()> {
        self.bucket.check_open()
    }

    async fn page(&self, token: Option<&str>, order: Order) -> Result<Page> {
        self.check_open()?;
        let mut query = vec![("prefix", self.prefix.as_str()), ("maxResults", "1000"), ("fields", FIELDS)];
        if !self.recursive {
            query.push(("delimiter", "/"));
        }
        if order == Order::Keys {
            query.extend(self.start.as_deref().map(|start| ("startOffset", start)));
        }
        query.extend(token.map(|token| ("pageToken", token)));
        let call = self.bucket.objects(&query)?;
        let answer: Listed = self.bucket.get(&call).await.map_err(|error| self.bucket.of_bucket(error))?;
        Ok(Page {
            objects: answer
                .items
                .into_iter()
                .map(|mut object| (std::mem::take(&mut object.name), object.info(Path::root())))
                .collect(),
            directories: answer.prefixes,
            failures: Vec::new(),
            next: answer.next_page_token.filter(|token| !token.is_empty()),
        })
    }
}
