//! Deleting, a thousand keys in each request.

use std::collections::HashMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use futures::{StreamExt, stream};
use http::{Method, StatusCode};
use md5::{Digest, Md5};
use serde::Serialize;

use super::{
    answer::{Refusal, read_refusal},
    bucket::Bucket,
    xml::{Answer, Document, not_understood, required},
};
use crate::{Error, ErrorCode, Result, backend::cloud::store::Doomed};

/// The most keys of one request.
const BATCH: usize = 1000;
/// How many requests are in flight at once.
const IN_FLIGHT: usize = 4;
/// How many keys of one request are deleted one by one at the same time.
const SINGLES_IN_FLIGHT: usize = 8;

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
    #[serde(rename = "ETag", skip_serializing_if = "Option::is_none")]
    etag: Option<&'a str>,
}

/// What the store says became of the keys: gone, or refused.
#[derive(Default)]
struct Deleted(HashMap<String, Result<(), Refusal>>);

impl Answer for Deleted {
    const ROOT: &'static str = "DeleteResult";

    fn read(document: &mut Document<'_>) -> Result<Self> {
        let mut deleted = Self::default();
        while let Some(element) = document.element()? {
            match element.name() {
                "Deleted" => drop(deleted.0.insert(key(document)?, Ok(()))),
                Refusal::ROOT => {
                    let mut refusal = Refusal::read(document)?;
                    deleted.0.insert(required(refusal.key.take(), "Key")?, Err(refusal));
                }
                _ => document.skip(&element)?,
            }
        }
        Ok(deleted)
    }
}

fn key(document: &mut Document<'_>) -> Result<String> {
    let mut key = None;
    while let Some(element) = document.element()? {
        match element.name() {
            "Key" => key = Some(document.word("Key")?.into_owned()),
            _ => document.skip(&element)?,
        }
    }
    required(key, "Key")
}

/// Deletes keys: one result for each key, in their order.
pub(super) async fn delete_keys(bucket: &Bucket, keys: &[Doomed<'_>]) -> Vec<Result<()>> {
    let mut requests = Vec::new();
    for keys in keys.chunks(BATCH) {
        requests.push(delete_batch(bucket, keys));
    }
    stream::iter(requests).buffered(IN_FLIGHT).collect::<Vec<_>>().await.concat()
}

/// Deletes a single key: a failure that may pass is tried again, with pauses.
async fn delete_one(bucket: &Bucket, doomed: Doomed<'_>) -> Result<()> {
    let key = doomed.key;
    let call = bucket.object(Method::DELETE, key);
    let call = match doomed.if_match {
        Some(etag) => call.header("if-match", etag)?,
        None => call,
    };
    let answer = bucket.ask_anything(&call).await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    if status == StatusCode::NOT_FOUND {
        let body = answer.body().await?;
        return match read_refusal(&body) {
            Some(refusal) if refusal.is("NoSuchKey") => Ok(()),
            None if body.is_empty() => bucket.check_exists().await,
            _ => Err(bucket.refusal(status, &headers, &body)),
        };
    }
    if !status.is_success() {
        let error = bucket.failure(answer).await;
        return match error.code() {
            ErrorCode::PreconditionFailed => other_version(bucket, key, error).await,
            _ => Err(error),
        };
    }
    let body = answer.body().await?;
    match (status, body.trim_ascii()) {
        (StatusCode::NO_CONTENT, _) => Ok(()),
        // Not every store says it in that way, so we check whether it is true.
        (_, []) => check_gone(bucket, key).await,
        _ => Err(read_refusal(&body).map_or_else(
            || not_understood("it says something else about what is to be deleted"),
            |refusal| refusal.explain(&bucket.name, status, &headers),
        )),
    }
}

/// A condition that failed. What is gone, perhaps by our own request whose answer was lost, is of no version.
async fn other_version(bucket: &Bucket, key: &str, error: Error) -> Result<()> {
    match bucket.send(&bucket.object(Method::HEAD, key)).await {
        Err(missing) if missing.code() == ErrorCode::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(error),
    }
}

async fn check_gone(bucket: &Bucket, key: &str) -> Result<()> {
    match bucket.send(&bucket.object(Method::HEAD, key)).await {
        Err(error) if error.code() == ErrorCode::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(Error::new(ErrorCode::Other, "the store says that it was deleted, and it is there")),
    }
}

async fn delete_batch(bucket: &Bucket, keys: &[Doomed<'_>]) -> Vec<Result<()>> {
    if let [key] = keys {
        return vec![delete_one(bucket, *key).await];
    }
    // A key that XML cannot express is deleted alone.
    let is_text = |doomed: &&Doomed<'_>| {
        !doomed.key.chars().any(|char| char.is_control() || matches!(char, '\u{fffe}' | '\u{ffff}'))
    };
    let object: Vec<_> =
        keys.iter().filter(is_text).map(|doomed| Target { key: doomed.key, etag: doomed.if_match }).collect();
    let outcome = match object.is_empty() {
        true => Ok(Deleted::default()),
        // Not quiet: the store has to say that a key is gone; silence is no evidence.
        false => request(bucket, &Deletion { quiet: false, object }).await,
    };
    let told = match outcome {
        Ok(Deleted(told)) => told,
        Err(error) => return vec![Err(error); keys.len()],
    };
    let mut results = Vec::with_capacity(keys.len());
    for key in keys {
        let told = told.get(key.key);
        results.push(async move {
            match told {
                Some(Ok(())) => Ok(()),
                Some(Err(refusal)) => refused(bucket, *key, refusal).await,
                None => delete_one(bucket, *key).await,
            }
        });
    }
    stream::iter(results).buffered(SINGLES_IN_FLIGHT).collect().await
}

/// A key that was refused while others were not, which says nothing about those.
async fn refused(bucket: &Bucket, doomed: Doomed<'_>, refusal: &Refusal) -> Result<()> {
    let error = refusal.explain(&bucket.name, StatusCode::OK, &http::HeaderMap::new());
    match error.code() {
        _ if refusal.is("NoSuchKey") => Ok(()),
        code if code.may_pass() => delete_one(bucket, doomed).await,
        ErrorCode::PreconditionFailed => other_version(bucket, doomed.key, error).await,
        _ => Err(error),
    }
}

async fn request(bucket: &Bucket, deletion: &Deletion<'_>) -> Result<Deleted> {
    let body = quick_xml::se::to_string(deletion)
        .map_err(|error| Error::new(ErrorCode::Other, error.to_string()))?;
    let digest = BASE64_STANDARD.encode(Md5::digest(&body));
    let call = bucket
        .query(Method::POST, &[("delete", "")])
        .header("content-md5", &digest)?
        .header("content-type", "application/xml")?
        .body(body.into());
    bucket.ask(&call).await
}
