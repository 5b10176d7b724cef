//! Deleting, a hundred keys in each request.

use std::sync::Arc;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use http::{Method, StatusCode};
use omnistorage_types::Path;

use super::{
    KIND, answer, batch,
    bucket::Bucket,
    listing,
    page::{self, Listed},
};
use crate::{
    Error, ErrorCode, ObjectInfo, Result,
    backend::{
        ListOptions,
        cloud::{
            self,
            remove::{self, Keys},
        },
    },
};

/// How many requests are in flight at once.
const IN_FLIGHT: usize = 4;

/// Deletes objects: one result for each path, in their order.
pub(super) async fn delete(bucket: &Arc<Bucket>, paths: &[Path]) -> Vec<Result<()>> {
    remove::delete(bucket, paths).await
}

/// Deletes all below a prefix; gives the number of objects.
pub(super) async fn purge(bucket: &Arc<Bucket>, prefix: &Path) -> Result<u64> {
    let options = ListOptions { recursive: true, ..ListOptions::default() };
    let pages = listing::pages(bucket, prefix, &options)?;
    remove::purge(bucket, pages, &cloud::key_prefix(&bucket.prefix, prefix)?, prefix).await
}

#[async_trait]
impl Keys for Arc<Bucket> {
    fn kind(&self) -> &'static str {
        KIND
    }

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

/// Deletes keys: one result for each key, in their order.
async fn delete_keys(bucket: &Arc<Bucket>, keys: &[&str]) -> Vec<Result<()>> {
    let mut requests = Vec::new();
    for keys in keys.chunks(batch::MOST) {
        requests.push(delete_batch(bucket, keys));
    }
    let deleted = stream::iter(requests).buffered(IN_FLIGHT).collect::<Vec<_>>().await.concat();
    // If an object is missing, the bucket may be missing, too.
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

async fn delete_one(bucket: &Bucket, key: &str) -> Deleted {
    ask_one(bucket, key).await.unwrap_or_else(Deleted::Failed)
}

async fn ask_one(bucket: &Bucket, key: &str) -> Result<Deleted> {
    let answer = bucket.ask(&bucket.object(Method::DELETE, key, &[])?).await?;
    match answer.status() {
        StatusCode::NO_CONTENT => Ok(Deleted::Gone),
        StatusCode::NOT_FOUND => match answer::refused(&answer.body().await?) {
            Some(StatusCode::NOT_FOUND) => Ok(Deleted::Missing),
            _ => check_gone(bucket, key).await,
        },
        status if status.is_success() => {
            let (headers, body) = (answer.headers().clone(), answer.body().await?);
            match answer::refused(&body) {
                Some(status) => Err(bucket.refusal(status, &headers, &body)),
                None => check_gone(bucket, key).await,
            }
        }
        _ => Err(bucket.failure(answer).await),
    }
}

/// Not every server says in the store's way that an object is gone, and other servers answer the same to what they do
/// not understand. The listing shows whether it is true.
async fn check_gone(bucket: &Bucket, key: &str) -> Result<Deleted> {
    let query = [("prefix", key), ("maxResults", "1"), ("fields", page::FIELDS)];
    let listed: Listed =
        bucket.get(&bucket.objects(&query)?).await.map_err(|error| bucket.of_bucket(error))?;
    match listed.holds(key) {
        false => Ok(Deleted::Gone),
        true => Err(Error::new(ErrorCode::Other, "the store does not delete it, and does not say why")),
    }
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
            // Sent alone, it is tried again with pauses.
            None => delete_one(bucket, key).await,
            Some(deleted) => deleted,
        });
    }
    results
}

/// One result for each key; `None` if there is none, or an error that may pass.
async fn request(bucket: &Bucket, keys: &[&str]) -> Result<Vec<Option<Deleted>>> {
    bucket.check_open()?;
    let paths = keys.iter().map(|key| bucket.resource(key));
    let call = bucket
        .call(Method::POST, "/batch/storage/v1")?
        .header("content-type", &batch::content_type())?
        .body(batch::deletions(paths, bucket.user_project.as_deref()).into());
    let answer = bucket.send(&call).await?;
    let headers = answer.headers().clone();
    let body = answer.body().await?;
    let mut results = vec![None; keys.len()];
    for part in batch::answers(&headers, &String::from_utf8_lossy(&body)) {
        let Some(result) = results.get_mut(part.number) else { continue };
        *result = match part.status {
            StatusCode::NO_CONTENT => Some(Deleted::Gone),
            // Anything else is asked again, alone.
            status if status.is_success() => None,
            StatusCode::NOT_FOUND => {
                let is_refused = answer::refused(part.body.as_bytes()) == Some(StatusCode::NOT_FOUND);
                is_refused.then_some(Deleted::Missing)
            }
            status => {
                let error = bucket.refusal(status, &http::HeaderMap::new(), part.body.as_bytes());
                (!error.code().may_pass()).then_some(Deleted::Failed(error))
            }
        };
    }
    Ok(results)
}
