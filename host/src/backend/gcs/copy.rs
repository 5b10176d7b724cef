//! Copies on the server, within a bucket and between two of the same account; and changes in place.

use std::sync::Arc;

use http::{Method, StatusCode};
use omnistorage_types::Path;
use serde::Deserialize;

use super::{
    answer::precondition_failed,
    attributes::{Attributes, Changed, Resource, Stored},
    bucket::{Bucket, condition},
    session::PATIENCE,
};
use crate::{
    Error, ErrorCode, ObjectInfo, Result, Timestamp,
    backend::{
        WriteCondition, WriteOptions,
        cloud::{expectation, metadata::DEFAULT_CONTENT_TYPE, query_string, store},
    },
};

/// The result of one step of a copy. Large objects, and those that change their location, need several; see the method
/// `objects.rewrite`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Step {
    #[serde(rename = "kind")]
    _kind: Kind,
    done: bool,
    rewrite_token: Option<String>,
    resource: Option<Stored>,
}

#[derive(Debug, Deserialize)]
enum Kind {
    #[serde(rename = "storage#rewriteResponse")]
    RewriteResponse,
}

/// Copies an object, between two buckets of one identity.
pub(super) async fn copy(
    from: &Arc<Bucket>,
    source: &Path,
    to: &Arc<Bucket>,
    target: &Path,
    options: &WriteOptions,
) -> Result<ObjectInfo> {
    let (source_key, target_key) = (from.key(source)?, to.key(target)?);
    let condition = condition(&options.condition)?;
    let found = from.find(source, None).await?;
    let info = found.info(source.clone());
    expectation::check_source(&info, options, async |algorithm| store::hash(from, source, algorithm).await)
        .await?;
    if from.name == to.name && source_key == target_key {
        return Ok(info);
    }
    if !to.preconditions.copy {
        check_target(to, target, &options.condition).await?;
    }
    let attributes = attributes(&info, options)?;
    let is_plain =
        options.content_type.is_none() && options.modified.is_none() && options.metadata.is_empty();
    // Without a body everything comes along. But an object written by another tool has no time in its metadata to
    // bring.
    let body = if is_plain && found.keeps_time() { None } else { Some(found.with(&attributes)) };

    let mut query = vec![
        ("fields", "kind,done,rewriteToken,resource"),
        ("ifSourceGenerationMatch", found.generation.as_str()),
    ];
    query.extend(condition);
    let path = format!("{}/rewriteTo{}", from.resource(&source_key), to.place(&target_key));
    let made = rewrite(to, &path, &query, body.as_ref()).await?;
    match made {
        Made::Object(made) if made.crc32c == found.crc32c => Ok(made.info(target.clone())),
        Made::Object(_) => {
            Err(Error::new(ErrorCode::Corrupted, "the store made a copy of other bytes: copy it again"))
        }
        // The first answer may have been lost although the copy exists.
        Made::Refused { repeated } => {
            if repeated
                && let Ok(there) = to.find(target, None).await
                && there.crc32c == found.crc32c
                && attributes.are_of(&there.info(target.clone()))
            {
                return Ok(there.info(target.clone()));
            }
            Err(match options.condition {
                WriteCondition::Always => {
                    let message = "the source changed while it was copied: copy it again";
                    Error::new(ErrorCode::Unavailable, message)
                }
                _ => precondition_failed(),
            })
        }
    }
}

enum Made {
    Object(Box<Stored>),
    /// By a condition.
    Refused {
        repeated: bool,
    },
}

/// Step by step, until it is done.
async fn rewrite(
    bucket: &Bucket,
    path: &str,
    query: &[(&str, &str)],
    body: Option<&Resource>,
) -> Result<Made> {
    let body = body.map(Resource::to_json).transpose()?;
    let mut token: Option<String> = None;
    loop {
        bucket.check_open()?;
        let mut query = query.to_vec();
        query.extend(token.as_deref().map(|token| ("rewriteToken", token)));
        let mut call =
            bucket.call(Method::POST, &format!("{path}?{}", query_string(&query)))?.patience(PATIENCE);
        if let Some(body) = &body {
            call = call.header("content-type", "application/json")?.body(body.clone().into());
        }
        let answer = bucket.ask(&call).await?;
        if answer.status() == StatusCode::PRECONDITION_FAILED {
            return Ok(Made::Refused { repeated: answer.repeated });
        }
        if !answer.status().is_success() {
            return Err(bucket.failure(answer).await);
        }
        let step: Step = bucket.read(&answer.body().await?)?;
        match step {
            Step { done: true, resource: Some(resource), .. } => {
                return Ok(Made::Object(Box::new(resource)));
            }
            Step { done: false, rewrite_token: Some(next), .. } if !next.is_empty() => token = Some(next),
            _ => return Err(Error::new(ErrorCode::Other, "the store does not say how the copy goes on")),
        }
    }
}

/// The attributes of the source, except those that the options replace.
fn attributes(info: &ObjectInfo, options: &WriteOptions) -> Result<Attributes> {
    let given = Attributes::new(options)?;
    let own = || info.content_type.clone().unwrap_or_else(|| DEFAULT_CONTENT_TYPE.to_owned());
    Ok(Attributes {
        content_type: if options.content_type.is_some() { given.content_type } else { own() },
        modified: options.modified.or(info.modified).unwrap_or(given.modified),
        metadata: if given.metadata.is_empty() { info.metadata.clone() } else { given.metadata },
    })
}

/// For a store that may ignore the condition: then what is written in the same instant is not seen.
async fn check_target(to: &Bucket, path: &Path, condition: &WriteCondition) -> Result<()> {
    let expected = match condition {
        WriteCondition::Always => return Ok(()),
        WriteCondition::IfAbsent => None,
        WriteCondition::IfMatch(etag) => Some(etag),
    };
    let actual = match store::stat(to, path).await {
        Ok(info) => info.etag,
        Err(error) if error.code() == ErrorCode::NotFound => None,
        Err(error) => return Err(error),
    };
    if actual.as_ref() == expected { Ok(()) } else { Err(precondition_failed()) }
}

/// Sets the time of an object in place, and changes nothing else.
pub(super) async fn set_modified(bucket: &Bucket, path: &Path, modified: Timestamp) -> Result<()> {
    let key = bucket.key(path)?;
    let call = bucket
        .object(Method::PATCH, &key, &[("fields", "name,metadata")])?
        .header("content-type", "application/json")?
        .body(Resource::of_time(modified).to_json()?.into());
    let changed: Changed = bucket.get(&call).await?;
    match changed.has_time(&key, modified) {
        true => Ok(()),
        false => Err(Error::new(ErrorCode::Other, "the store did not keep the time")),
    }
}
