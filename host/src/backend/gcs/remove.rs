//! Deleting, a hundred keys a request.

use std::sync::Arc;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use http::{Method, StatusCode};
use omnistorage_path::Path;

use super::{batch, bucket::Bucket, listing};
use crate::{
    backend::{
        ListOptions,
        cloud::remove::{self, Keys},
    },
    error::{Error, ErrorCode, Result},
    object::ObjectInfo,
};

/// How many requests are on their way at once.
const IN_FLIGHT: usize = 4;

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
    for keys in keys.chunks(batch::MOST) {
        requests.push(delete_batch(bucket, keys));
    }
    let deleted = stream::iter(requests).buffered(IN_FLIGHT).collect::<Vec<_>>().await.concat();
    // What was not there may be so for want of a bucket.
    let missing = |deleted: &Deleted| matches!(deleted, Deleted::Missing);
    let exists = if deleted.iter().any(missing) { bucket.check_exists().await } else { Ok(()) };
    let results = deleted.into_iter().map(|deleted| match deleted {
        Deleted::Gone => Ok(()),
        Deleted::Missing => exists.clone(),
        Deleted::Failed(error) => Err(error),
    });
    results.collect()
}

/// What became of a key.
#[derive(Clone)]
enum Deleted {
    Gone,
    /// There was nothing.
    Missing,
    Failed(Error),
}

impl From<Result<()>> for Deleted {
    fn from(result: Result<()>) -> Self {
        match result {
            Ok(()) => Self::Gone,
            Err(error) if error.code() == ErrorCode::NotFound => Self::Missing,
            Err(error) => Self::Failed(error),
        }
    }
}

async fn delete_one(bucket: &Bucket, key: &str) -> Deleted {
    let deleted = match bucket.object(Method::DELETE, key, &[]) {
        Ok(call) => bucket.send(&call).await.map(drop),
        Err(error) => Err(error),
    };
    deleted.into()
}

async fn delete_batch(bucket: &Bucket, keys: &[&str]) -> Vec<Deleted> {
    if let [key] = keys {
        return vec![delete_one(bucket, key).await];
    }
    let answered = match request(bucket, keys).await {
        Ok(answered) => answered,
        Err(error) => return vec![Deleted::Failed(error); keys.len()],
    };
    let mut results = Vec::with_capacity(keys.len());
    for (key, deleted) in keys.iter().zip(answered) {
        results.push(match deleted {
            // By itself it is tried again, with pauses.
            None => delete_one(bucket, key).await,
            Some(deleted) => deleted,
        });
    }
    results
}

/// One result a key; `None` where there is none, or one that may be better the next time.
async fn request(bucket: &Bucket, keys: &[&str]) -> Result<Vec<Option<Deleted>>> {
    bucket.check_open()?;
    let paths = keys.iter().map(|key| bucket.resource(key));
    let call = bucket
        .call(Method::POST, "/batch/storage/v1")?
        .header("content-type", &batch::content_type())?
        .body(batch::deletions(paths, bucket.user_project.as_deref()).into());
    let answer = bucket.send(&call).await?;
    let headers = answer.response.headers().clone();
    let body = answer.body().await?;
    let mut results = vec![None; keys.len()];
    for part in batch::answers(&headers, &String::from_utf8_lossy(&body)) {
        let Some(result) = results.get_mut(part.number) else { continue };
        *result = match part.status {
            status if status.is_success() => Some(Deleted::Gone),
            StatusCode::NOT_FOUND => Some(Deleted::Missing),
            status => {
                let error = bucket.refusal(status, &http::HeaderMap::new(), part.body.as_bytes());
                (!error.code().is_retryable()).then_some(Deleted::Failed(error))
            }
        };
    }
    Ok(results)
}
