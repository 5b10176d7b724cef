//! Listings, a thousand keys a request.

use std::{borrow::Cow, sync::Arc};

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream};
use http::Method;
use omnistorage_path::Path;
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::{KIND, attributes::md5_of, bucket::Bucket};
use crate::{
    backend::{
        ListOptions,
        cloud::{
            self,
            listing::{Order, Page, PagedListing, Pages},
            time,
        },
    },
    error::{Error, ErrorCode, Result},
    object::{ObjectInfo, ObjectKind},
};

/// How many objects are asked about at once where all is to be known of them.
const IN_FLIGHT: usize = 16;

/// Opens a listing of what is below a prefix.
pub(super) fn list(
    bucket: &Arc<Bucket>,
    prefix: &Path,
    options: &ListOptions,
) -> Result<PagedListing<S3Pages>> {
    let pages = pages(bucket, prefix, options)?;
    let (root, prefix) = (cloud::key_prefix(&bucket.prefix, &Path::root())?, pages.prefix.clone());
    Ok(PagedListing::new(pages, KIND, root, prefix, options, bucket.traits.order))
}

/// The pages of such a listing, with all keys that there are.
pub(super) fn pages(bucket: &Arc<Bucket>, prefix: &Path, options: &ListOptions) -> Result<S3Pages> {
    bucket.check_open()?;
    let root = cloud::key_prefix(&bucket.prefix, &Path::root())?;
    Ok(S3Pages {
        bucket: Arc::clone(bucket),
        prefix: cloud::key_prefix(&bucket.prefix, prefix)?,
        // Another order has another "after".
        start_after: options
            .start_after
            .as_ref()
            .filter(|_| bucket.traits.order == Order::Keys)
            .map(|after| format!("{root}{after}")),
        recursive: options.recursive,
        full_info: options.full_info,
    })
}

/// What is asked for, page by page.
pub(super) struct S3Pages {
    bucket: Arc<Bucket>,
    prefix: String,
    start_after: Option<String>,
    recursive: bool,
    full_info: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Answer {
    contents: Vec<Object>,
    common_prefixes: Vec<CommonPrefix>,
    is_truncated: bool,
    next_continuation_token: Option<String>,
    /// `url` if keys are encoded.
    encoding_type: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Object {
    key: String,
    #[serde(rename = "ETag")]
    etag: Option<String>,
    size: Option<u64>,
    /// When it was written: the time that it was given is in its metadata, which no listing tells.
    last_modified: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CommonPrefix {
    prefix: String,
}

impl Answer {
    /// A key as it is. Encoded, since XML has no way to write control characters.
    fn key(&self, key: &str) -> Result<String> {
        if self.encoding_type.as_deref() != Some("url") {
            return Ok(key.to_owned());
        }
        let key = if key.contains('+') { Cow::Owned(key.replace('+', " ")) } else { Cow::Borrowed(key) };
        match percent_decode_str(&key).decode_utf8() {
            Ok(key) => Ok(key.into_owned()),
            Err(_) => {
                let message = format!("the key `{key}` is not UTF-8: rename it with a tool of the store");
                Err(Error::new(ErrorCode::InvalidPath, message))
            }
        }
    }

    fn page(self) -> Result<Page> {
        let mut page = Page::default();
        for object in &self.contents {
            let mut info = ObjectInfo::new(Path::root(), ObjectKind::Object);
            info.size = object.size;
            info.modified = object.last_modified.as_deref().and_then(time::from_rfc3339);
            info.hashes.extend(object.etag.as_deref().and_then(md5_of));
            info.etag.clone_from(&object.etag);
            page.objects.push((self.key(&object.key)?, info));
        }
        for directory in &self.common_prefixes {
            page.directories.push(self.key(&directory.prefix)?);
        }
        page.next = match (self.is_truncated, self.next_continuation_token) {
            (false, _) => None,
            (true, Some(next)) => Some(next),
            (true, None) => {
                let message =
                    "the store cut the listing and did not say how it goes on: is it an S3 endpoint?";
                return Err(Error::new(ErrorCode::Other, message));
            }
        };
        Ok(page)
    }
}

#[async_trait]
impl Pages for S3Pages {
    fn check_open(&self) -> Result<()> {
        self.bucket.check_open()
    }

    async fn page(&self, token: Option<&str>) -> Result<Page> {
        self.check_open()?;
        let mut query = vec![("list-type", "2"), ("encoding-type", "url"), ("prefix", self.prefix.as_str())];
        if !self.recursive {
            query.push(("delimiter", "/"));
        }
        match (token, &self.start_after) {
            (Some(token), _) => query.push(("continuation-token", token)),
            (None, Some(after)) => query.push(("start-after", after)),
            (None, None) => {}
        }
        let mut page = self.bucket.ask::<Answer>(&self.bucket.query(Method::GET, &query)).await?.page()?;
        if self.full_info {
            page.objects = self.complete(page.objects).await?;
        }
        Ok(page)
    }
}

impl S3Pages {
    /// What a listing does not tell is asked for, an object at a time. One that is gone by now is left out.
    async fn complete(&self, objects: Vec<(String, ObjectInfo)>) -> Result<Vec<(String, ObjectInfo)>> {
        let root = cloud::key_prefix(&self.bucket.prefix, &Path::root())?;
        let asked = objects.into_iter().map(|(key, listed)| {
            let path = key.strip_prefix(&root).map(Path::parse);
            async move {
                // Keys that are no paths are judged with the others.
                let Some(Ok(path)) = path else { return Ok(Some((key, listed))) };
                match self.bucket.stat(&path).await {
                    Ok(info) => Ok(Some((key, info))),
                    Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
                    Err(error) => Err(error),
                }
            }
        });
        let known: Vec<_> = stream::iter(asked).buffered(IN_FLIGHT).try_collect().await?;
        Ok(known.into_iter().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(xml: &str) -> Result<Page> {
        quick_xml::de::from_str::<Answer>(xml).unwrap().page()
    }

    #[test]
    fn keys_are_decoded_where_they_are_encoded() {
        let body = |encoding: &str| {
            format!(
                "<ListBucketResult><Name>b</Name>{encoding}<Contents><Key>a+b%2Bc%01</Key><Size>1</Size></Contents>\
                 <CommonPrefixes><Prefix>d%2F/</Prefix></CommonPrefixes><IsTruncated>false</IsTruncated>\
                 </ListBucketResult>"
            )
        };
        let encoded = page(&body("<EncodingType>url</EncodingType>")).unwrap();
        assert_eq!((encoded.objects[0].0.as_str(), encoded.directories[0].as_str()), ("a b+c\u{1}", "d//"));
        let plain = page(&body("")).unwrap();
        assert_eq!((plain.objects[0].0.as_str(), plain.directories[0].as_str()), ("a+b%2Bc%01", "d%2F/"));
    }

    #[test]
    fn a_cut_listing_says_how_it_goes_on() {
        let cut = "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>";
        assert!(page(cut).is_err());
        assert!(page("<ListBucketResult/>").unwrap().next.is_none());
    }
}
