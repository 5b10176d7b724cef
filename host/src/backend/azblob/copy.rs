//! Copies on the server, within an account; and changes in place.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use omnistorage_types::Path;

use super::{
    answer::{self, precondition_failed, unclear},
    attributes::Attributes,
    container::{Container, conditional, etag, no_etag, of_version, quoted, with_body},
};
use crate::{
    Error, ErrorCode, ObjectInfo, Result, Timestamp,
    backend::{
        WriteCondition, WriteOptions,
        clock::sleep,
        cloud::{expectation, store},
    },
};

/// The service answers only once it has copied what is small.
const PATIENCE: Duration = Duration::from_secs(600);
/// Between two looks at a copy that goes on by itself.
const PAUSE: Duration = Duration::from_secs(1);

/// What else a writer may say about the bytes: it goes with them, and is lost if it is not said again when the content
/// type is changed.
const SAID: [(&str, &str); 5] = [
    ("cache-control", "x-ms-blob-cache-control"),
    ("content-disposition", "x-ms-blob-content-disposition"),
    ("content-encoding", "x-ms-blob-content-encoding"),
    ("content-language", "x-ms-blob-content-language"),
    ("content-md5", "x-ms-blob-content-md5"),
];

/// Copies an object, between two containers of one identity.
pub(super) async fn copy(
    from: &Arc<Container>,
    source: &Path,
    to: &Arc<Container>,
    target: &Path,
    options: &WriteOptions,
) -> Result<ObjectInfo> {
    let (source_key, target_key) = (from.key(source)?, to.key(target)?);
    let (info, headers) = from.head(source, None).await?;
    expectation::check_source(&info, options, async |algorithm| store::hash(from, source, algorithm).await)
        .await?;
    if from.name == to.name && source_key == target_key {
        return Ok(info);
    }
    let attributes = Attributes::of_copy(&info, options)?;
    let version = info.etag.as_deref().ok_or_else(no_etag)?;
    let call = to
        .object(Method::PUT, &target_key, &[])?
        .header("x-ms-copy-source", &from.copy_source(&source_key))?
        .header("x-ms-source-if-match", &quoted(version)?)?
        .patience(PATIENCE);
    let call = with_body(attributes.on_metadata(conditional(call, &options.condition)?)?, Bytes::new())?;
    let answer = to.ask(&call).await?;
    let made = match answer.status() {
        StatusCode::ACCEPTED => etag(answer.headers()).ok_or_else(no_etag)?,
        StatusCode::PRECONDITION_FAILED | StatusCode::CONFLICT if answer::is_condition(answer.headers()) => {
            // The first answer may have been lost although the copy exists.
            if answer.repeated
                && let Ok((there, _)) = to.head(target, None).await
                && is_copy(&there, &info)
                && attributes.are_of(&there)
            {
                return Ok(there);
            }
            return Err(match options.condition {
                WriteCondition::Always => {
                    let message = "the source changed while it was copied: copy it again";
                    Error::new(ErrorCode::Unavailable, message)
                }
                _ => precondition_failed(),
            });
        }
        _ => return Err(to.failure(answer).await),
    };
    let made = finished(to, target, answer.headers(), made).await?;
    if info.content_type.as_ref() != Some(&attributes.content_type) {
        retype(to, &target_key, &headers, &attributes.content_type, &made).await?;
    }
    let (there, _) = to.head(target, None).await?;
    if !is_copy(&there, &info) {
        let message = "the copy has other bytes than the source: it was written again meanwhile, or damaged";
        return Err(Error::new(ErrorCode::Corrupted, message));
    }
    Ok(there)
}

/// Whether an object has the bytes of another one, as far as is known without reading them.
fn is_copy(copy: &ObjectInfo, source: &ObjectInfo) -> bool {
    copy.size == source.size && copy.hashes == source.hashes
}

/// Waits until a copy is done; gives its etag.
async fn finished(to: &Container, target: &Path, headers: &HeaderMap, made: String) -> Result<String> {
    let mut state = state(headers);
    let mut made = made;
    while state.as_deref() == Some("pending") {
        to.check_open()?;
        sleep(PAUSE).await;
        let (info, headers) = to.head(target, None).await?;
        state = self::state(&headers);
        made = info.etag.ok_or_else(no_etag)?;
    }
    match state.as_deref() {
        Some("success") => Ok(made),
        Some(other) => {
            let message =
                format!("the store did not finish the copy ({}): copy it again", other.escape_debug());
            Err(Error::new(ErrorCode::Unavailable, message))
        }
        None => Err(unclear("does not say what became of the copy")),
    }
}

/// What became of a copy.
fn state(headers: &HeaderMap) -> Option<String> {
    Some(headers.get("x-ms-copy-status")?.to_str().ok()?.to_owned())
}

/// Gives an object another content type: a copy has that of its source.
async fn retype(
    container: &Container,
    key: &str,
    headers: &HeaderMap,
    content_type: &str,
    version: &str,
) -> Result<()> {
    let call = container
        .object(Method::PUT, key, &[("comp", "properties")])?
        .header("x-ms-blob-content-type", content_type)?;
    let mut call = of_version(call, Some(version))?;
    for (said, name) in SAID {
        if let Some(value) = headers.get(said).and_then(|value| value.to_str().ok()) {
            call = call.header(name, value)?;
        }
    }
    container.send(&with_body(call, Bytes::new())?).await.map(drop)
}

/// Sets the time of an object in place, and changes nothing else.
pub(super) async fn set_modified(container: &Container, path: &Path, modified: Timestamp) -> Result<()> {
    let key = container.key(path)?;
    let (info, _) = container.head(path, None).await?;
    let attributes = Attributes { modified, ..Attributes::of_copy(&info, &WriteOptions::default())? };
    let call = container.object(Method::PUT, &key, &[("comp", "metadata")])?;
    let call = attributes.on_metadata(of_version(call, info.etag.as_deref())?)?;
    let answer = container.ask(&with_body(call, Bytes::new())?).await?;
    match answer.status() {
        status if status.is_success() => Ok(()),
        StatusCode::PRECONDITION_FAILED if answer::is_condition(answer.headers()) => {
            // Our own request, whose answer was lost, may have set it.
            if answer.repeated && container.head(path, None).await?.0.modified == Some(modified) {
                return Ok(());
            }
            let message = "the object was changed meanwhile: try again";
            Err(Error::new(ErrorCode::Unavailable, message))
        }
        _ => Err(container.failure(answer).await),
    }
}
