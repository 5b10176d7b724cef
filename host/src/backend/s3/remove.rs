//! Deleting, a thousand keys a request.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use futures::{StreamExt, stream};
use http::Method;
use md5::{Digest, Md5};
use omnistorage_path::Path;
use serde::{Deserialize, Serialize};

use super::{answer::Refusal, bucket::Bucket, listing};
use crate::{
    backend::{ListOptions, cloud::listing::Pages},
    error::{Error, ErrorCode, Result},
    object::ObjectKind,
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
    let keys: Vec<_> = paths.iter().map(|path| bucket.key(path)).collect();
    let legal: Vec<&str> = keys.iter().flatten().map(String::as_str).collect();
    let mut results = delete_keys(bucket, &legal).await.into_iter();
    let in_order = keys.iter().map(|key| match key {
        Ok(_) => results.next().unwrap_or(Ok(())),
        Err(error) => Err(error.clone()),
    });
    in_order.collect()
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

/// Deletes all below a prefix; gives the number of objects. Markers of directories go too, and are not counted.
pub(super) async fn purge(bucket: &Arc<Bucket>, prefix: &Path) -> Result<u64> {
    let options = ListOptions { recursive: true, ..ListOptions::default() };
    let pages = listing::pages(bucket, prefix, &options)?;
    let (mut token, mut count) = (None, 0);
    let mut is_empty = true;
    loop {
        let page = pages.page(token.as_deref()).await?;
        let keys: Vec<_> = page.objects.iter().map(|(key, _)| key.as_str()).collect();
        is_empty &= keys.is_empty();
        for result in delete_keys(bucket, &keys).await {
            result?;
        }
        count += keys.iter().filter(|key| !key.ends_with('/')).count() as u64;
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    if is_empty && !prefix.is_root() {
        match bucket.stat(prefix).await {
            Ok(info) if info.kind == ObjectKind::Object => {
                return Err(Error::new(ErrorCode::NotDirectory, "it is an object"));
            }
            Err(error) if error.code() != ErrorCode::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(count)
}
