//! Deleting, a hundred keys in each request.

use futures::{StreamExt, stream};
use http::{Method, StatusCode};

use super::{
    answer::{self, precondition_failed},
    batch,
    bucket::Bucket,
    page::{self, Listed},
};
use crate::{Error, ErrorCode, Result, backend::cloud::store::Doomed};

/// How many requests are in flight at once.
const IN_FLIGHT: usize = 4;
/// The parameter of a condition.
const CONDITION: &str = "ifGenerationMatch";

/// Deletes keys: one result for each key, in their order.
pub(super) async fn delete_keys(bucket: &Bucket, keys: &[Doomed<'_>]) -> Vec<Result<()>> {
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

async fn delete_one(bucket: &Bucket, doomed: Doomed<'_>) -> Deleted {
    ask_one(bucket, doomed).await.unwrap_or_else(Deleted::Failed)
}

async fn ask_one(bucket: &Bucket, Doomed { key, if_match }: Doomed<'_>) -> Result<Deleted> {
    let condition: Vec<_> = if_match.map(|generation| (CONDITION, generation)).into_iter().collect();
    let answer = bucket.ask(&bucket.object(Method::DELETE, key, &condition)?).await?;
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
        // What is gone, perhaps by our own request whose answer was lost, is of no version.
        StatusCode::PRECONDITION_FAILED => match check_gone(bucket, key).await? {
            Deleted::Failed(_) => Ok(Deleted::Failed(precondition_failed())),
            gone => Ok(gone),
        },
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
        true => {
            let message = "the store does not delete it, and does not say why";
            Ok(Deleted::Failed(Error::new(ErrorCode::Other, message)))
        }
    }
}

async fn delete_batch(bucket: &Bucket, keys: &[Doomed<'_>]) -> Vec<Deleted> {
    if let [key] = keys {
        return vec![delete_one(bucket, *key).await];
    }
    let answered = match request(bucket, keys).await {
        Ok(answered) => answered,
        Err(error) => return vec![Deleted::Failed(error); keys.len()],
    };
    let mut results = Vec::with_capacity(keys.len());
    for (key, deleted) in keys.iter().zip(answered) {
        results.push(match deleted {
            // Sent alone, it is tried again with pauses.
            None => delete_one(bucket, *key).await,
            Some(deleted) => deleted,
        });
    }
    results
}

/// One result for each key; `None` if there is none, or an error that may pass.
async fn request(bucket: &Bucket, keys: &[Doomed<'_>]) -> Result<Vec<Option<Deleted>>> {
    bucket.check_open()?;
    let paths = keys.iter().map(|Doomed { key, if_match }| {
        let condition = if_match.map_or_else(String::new, |generation| format!("?{CONDITION}={generation}"));
        format!("{}{condition}", bucket.resource(key))
    });
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
            StatusCode::PRECONDITION_FAILED => None,
            status => {
                let error = bucket.refusal(status, &http::HeaderMap::new(), part.body.as_bytes());
                (!error.code().may_pass()).then_some(Deleted::Failed(error))
            }
        };
    }
    Ok(results)
}
