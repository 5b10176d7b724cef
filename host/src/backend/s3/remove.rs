//! Deleting, a thousand keys a request.

use std::sync::Arc;

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_STANDARD};
use futures::{StreamExt, stream};
use http::Method;
use md5::{Digest, Md5};
use omnistorage_path::Path;
use serde::{Deserialize, Serialize};

use super::{answer::Refusal, bucket::Bucket, listing};
use crate::{
    backend::{
        ListOptions,
        cloud::remove::{self, Keys},
    },
    error::{Error, ErrorCode, Result},
    object::ObjectInfo,
};

/// The most keys of one request.
const BATCH: usize = 1000;
/// How many requests are on their way at once.
const IN_FLIGHT: usize = 4;

#[derive(Serialize)]
#[serde(rename = "Delete", rename_all = "PascalCase")]
struct Deletion<'a> {
    quiet: bool,
    object: Vec<Target<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Target<'a> {
    key: &'a str,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Deleted {
    #[serde(rename = "Error")]
    errors: Vec<KeyError>,
}

#[derive(Deserialize)]
struct KeyError {
    #[serde(rename = "Key")]
    key: String,
    #[serde(flatten)]
    refusal: Refusal,
}

/// Deletes objects: one result a path, in their order.
pub(super) async fn delete(bucket: &Arc<Bucket>, paths: &[Path]) -> Vec<Result<()>> {
    remove::delete(bucket, paths).await
}

/// Deletes all below a prefix; gives the number of objects.
pub(super) async fn purge(bucket: &Arc<Bucket>, prefix: &Path) -> Result<u64> {
    let options = ListOptions { recursive: true, ..ListOptions::default() };
    remove::purge(bucket, listing::pages(bucket, prefix, &options)?, prefix).await
}

#[async_trait]
impl Keys for Arc<Bucket> {
    fn key(&self, path: &Path) -> Result<String> {
        Bucket::key(self, path)
    }

    async fn delete(&self, keys: &[&str]) -> Vec<Result<()>> {
        delete_keys(self, keys).await
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        Bucket::stat(self, path).await
    }
}

/// Deletes keys: one result a key, in their order.
async fn delete_keys(bucket: &Arc<Bucket>, keys: &[&str]) -> Vec<Result<()>> {
    let mut requests = Vec::new();
    for keys in keys.chunks(BATCH) {
        requests.push(delete_batch(bucket, keys));
    }
    stream::iter(requests).buffered(IN_FLIGHT).collect::<Vec<_>>().await.concat()
}

async fn delete_one(bucket: &Bucket, key: &str) -> Result<()> {
    match bucket.send(&bucket.object(Method::DELETE, key)).await {
        Err(error) if error.code() == ErrorCode::NotFound && !bucket.is_missing().await => Ok(()),
        answer => answer.map(drop),
    }
}

async fn delete_batch(bucket: &Bucket, keys: &[&str]) -> Vec<Result<()>> {
    if let [key] = keys {
        return vec![delete_one(bucket, key).await];
    }
    // What XML cannot say goes by itself.
    let is_text =
        |key: &&&str| !key.chars().any(|char| char.is_control() || matches!(char, '\u{fffe}' | '\u{ffff}'));
    let object: Vec<_> = keys.iter().filter(is_text).map(|key| Target { key }).collect();
    let outcome = match object.is_empty() {
        true => Ok(Vec::new()),
        false => request(bucket, &Deletion { quiet: true, object }).await,
    };
    let mut results = Vec::with_capacity(keys.len());
    for key in keys {
        results.push(match &outcome {
            _ if !is_text(&key) => delete_one(bucket, key).await,
            Err(error) => Err(error.clone()),
            Ok(errors) => match errors.iter().find(|error| error.key == **key) {
                Some(error) if error.refusal.is("NoSuchKey") => Ok(()),
                Some(error) => {
                    let headers = http::HeaderMap::new();
                    Err(error.refusal.explain(&bucket.name, http::StatusCode::OK, &headers))
                }
                None => Ok(()),
            },
        });
    }
    results
}

async fn request(bucket: &Bucket, deletion: &Deletion<'_>) -> Result<Vec<KeyError>> {
    let body = quick_xml::se::to_string(deletion)
        .map_err(|error| Error::new(ErrorCode::Other, error.to_string()))?;
    let digest = BASE64_STANDARD.encode(Md5::digest(&body));
    let call = bucket
        .query(Method::POST, &[("delete", "")])
        .header("content-md5", &digest)?
        .header("content-type", "application/xml")?
        .body(body.into());
    Ok(bucket.ask::<Deleted>(&call).await?.errors)
}
