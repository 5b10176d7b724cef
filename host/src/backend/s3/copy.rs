//! Copies on the server, within a bucket and between two of the same account. The metadata of an object can only be
//! changed by copying the object onto itself.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use http::{HeaderMap, Method};
use omnistorage_types::Path;

use super::{
    answer::precondition_failed,
    attributes::{self, Attributes, METADATA, RCLONE_MD5},
    bucket::Bucket,
    draft::Draft,
    multipart::{Copied, PATIENCE},
    part::PartRange,
};
use crate::{
    Error, ErrorCode, ObjectInfo, Result, Timestamp,
    backend::{
        WriteCondition, WriteOptions,
        cloud::{MODIFIED_KEY, client::Call, expectation, metadata::DEFAULT_CONTENT_TYPE, store},
    },
};

/// How many parts are copied at once.
const IN_FLIGHT: usize = 4;

/// What else a writer may say about the bytes. It is not copied if metadata is replaced.
const SAID: [&str; 6] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "expires",
    "x-amz-website-redirect-location",
];

/// How the store keeps the bytes, which is not copied either.
const KEPT: [&str; 3] =
    ["x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id", "x-amz-storage-class"];

/// What is copied.
struct Source {
    /// As the target's server finds it.
    at: String,
    etag: String,
    size: u64,
    info: ObjectInfo,
    headers: HeaderMap,
}

impl Source {
    async fn find(bucket: &Bucket, path: &Path, if_match: Option<&str>) -> Result<Self> {
        let (info, headers) = bucket.head(path, if_match).await?;
        let unclear =
            || Error::new(ErrorCode::Other, "the store tells neither size nor version of the object");
        Ok(Self {
            at: bucket.copy_source(&bucket.key(path)?),
            etag: info.etag.clone().ok_or_else(unclear)?,
            size: info.size.ok_or_else(unclear)?,
            info,
            headers,
        })
    }

    /// The attributes of the source, except those that the options replace.
    fn attributes(&self, options: &WriteOptions) -> Result<Attributes> {
        let given = Attributes::new(options)?;
        let own = || self.info.content_type.clone().unwrap_or_else(|| DEFAULT_CONTENT_TYPE.to_owned());
        Ok(Attributes {
            content_type: if options.content_type.is_some() { given.content_type } else { own() },
            modified: options.modified.or(self.info.modified).unwrap_or(given.modified),
            metadata: if given.metadata.is_empty() { self.info.metadata.clone() } else { given.metadata },
        })
    }

    /// With what is carried along.
    fn carried(&self, mut call: Call) -> Result<Call> {
        for name in SAID.into_iter().chain(KEPT) {
            if let Some(value) = self.headers.get(name).and_then(|value| value.to_str().ok()) {
                call = call.header(name, value)?;
            }
        }
        Ok(call)
    }

    /// Whether a plain copy has the same time: an object written by another tool has none in its metadata.
    fn keeps_time(&self) -> bool {
        self.headers.contains_key(format!("{METADATA}{MODIFIED_KEY}"))
    }

    /// Removes what our own writers would not say about the bytes; returns whether there was anything.
    fn silence(&mut self) -> bool {
        let has_md5 = self.headers.remove(format!("{METADATA}{RCLONE_MD5}")).is_some();
        if has_md5 {
            // It may be that of other bytes.
            self.info.hashes = attributes::checksums(&self.headers);
        }
        let said = SAID.into_iter().filter_map(|name| self.headers.remove(name)).count();
        has_md5 || said > 0
    }
}

/// What the metadata of a copy will be.
enum Directive {
    Copy,
    Replace,
}

/// Copies an object, between two buckets of one identity.
pub(super) async fn copy(
    from: &Arc<Bucket>,
    source: &Path,
    to: &Arc<Bucket>,
    target: &Path,
    options: &WriteOptions,
) -> Result<ObjectInfo> {
    let source_key = from.key(source)?;
    let target_key = to.key(target)?;
    to.check_condition(&options.condition)?;
    let found = Source::find(from, source, None).await?;
    let hash = async |algorithm| store::hash(from, source, algorithm).await;
    expectation::check_source(&found.info, options, hash).await?;
    if from.name == to.name && source_key == target_key {
        return Ok(found.info);
    }
    let attributes = found.attributes(options)?;
    let is_ignored = options.condition != WriteCondition::Always && !to.traits.conditional_copy;
    if is_ignored {
        check_target(to, target, &options.condition).await?;
    }
    if is_ignored && found.size == 0 {
        return Draft::with(to, target, &options.condition, attributes)?.put(bytes::Bytes::new()).await;
    }
    if is_ignored || to.traits.copy_limit.is_below(found.size) {
        return by_parts(&found, to, target, &options.condition, attributes).await;
    }
    let is_plain =
        options.content_type.is_none() && options.modified.is_none() && options.metadata.is_empty();
    let directive = if is_plain && found.keeps_time() { Directive::Copy } else { Directive::Replace };
    at_once(&found, to, target, &options.condition, attributes, &directive).await
}

/// Sets the time of an object, and changes nothing else.
pub(super) async fn set_modified(bucket: &Arc<Bucket>, path: &Path, modified: Timestamp) -> Result<()> {
    let found = Source::find(bucket, path, None).await?;
    let options = WriteOptions { modified: Some(modified), ..WriteOptions::default() };
    let attributes = found.attributes(&options)?;
    onto_itself(&found, bucket, path, attributes).await.map(drop)
}

/// Gives an object made from an upload that an earlier run began, perhaps another program's, the attributes that are
/// wanted and no others. If another writer has replaced the object since, it is left alone.
pub(super) async fn set_attributes(
    bucket: &Arc<Bucket>,
    made: ObjectInfo,
    attributes: Attributes,
) -> Result<ObjectInfo> {
    let mut found = match Source::find(bucket, &made.path, made.etag.as_deref()).await {
        Err(error) if matches!(error.code(), ErrorCode::PreconditionFailed | ErrorCode::NotFound) => {
            return Ok(made);
        }
        found => found?,
    };
    if !found.silence() && attributes.are_those_of(&found.info) {
        return Ok(found.info);
    }
    onto_itself(&found, bucket, &made.path, attributes).await
}

/// Replaces the attributes of an object, in parts if it is too large for one request.
async fn onto_itself(
    found: &Source,
    bucket: &Arc<Bucket>,
    path: &Path,
    attributes: Attributes,
) -> Result<ObjectInfo> {
    if bucket.traits.copy_limit.is_below(found.size) {
        return by_parts(found, bucket, path, &WriteCondition::Always, attributes).await;
    }
    at_once(found, bucket, path, &WriteCondition::Always, attributes, &Directive::Replace).await
}

/// If the condition fails already, there is no need to copy. In the end the store decides whether it holds.
async fn check_target(bucket: &Bucket, path: &Path, condition: &WriteCondition) -> Result<()> {
    let expected = match condition {
        WriteCondition::Always => return Ok(()),
        WriteCondition::IfAbsent => None,
        WriteCondition::IfMatch(etag) => Some(etag),
    };
    let actual = match store::stat(bucket, path).await {
        Ok(info) => info.etag,
        Err(error) if error.code() == ErrorCode::NotFound => None,
        Err(error) => return Err(error),
    };
    if actual.as_ref() == expected { Ok(()) } else { Err(precondition_failed()) }
}

async fn at_once(
    source: &Source,
    to: &Arc<Bucket>,
    target: &Path,
    condition: &WriteCondition,
    attributes: Attributes,
    directive: &Directive,
) -> Result<ObjectInfo> {
    let call = to
        .object(Method::PUT, &to.key(target)?)
        .header("x-amz-copy-source", &source.at)?
        .header("x-amz-copy-source-if-match", &source.etag)?
        .patience(PATIENCE);
    let call = match directive {
        Directive::Copy => call.header("x-amz-metadata-directive", "COPY")?,
        Directive::Replace => {
            source.carried(attributes.on(call.header("x-amz-metadata-directive", "REPLACE")?)?)?
        }
    };
    let Copied(etag) = match condition {
        WriteCondition::Always => to.ask(&call).await.map_err(source_changed)?,
        _ => match to.ask_conditional(&to.conditional(call, condition)?).await? {
            Ok(copied) => copied,
            Err(refused) => {
                return Draft::with(to, target, condition, attributes)?.refused(refused, source.size).await;
            }
        },
    };
    // The bytes have the same hashes, whatever the etag stands for.
    Ok(attributes.info(target, source.size, etag, source.info.hashes.clone()))
}

/// In parts, which also obey a condition that a single copy may ignore.
async fn by_parts(
    source: &Source,
    to: &Arc<Bucket>,
    target: &Path,
    condition: &WriteCondition,
    attributes: Attributes,
) -> Result<ObjectInfo> {
    let draft = Draft::with(to, target, condition, attributes)?;
    let multipart = draft.begin_with(|call| source.carried(call)).await?;
    let size = to.traits.copy_limit.part(source.size);
    let copies = (0..source.size.div_ceil(size)).map(|at| {
        let range = PartRange { start: at * size, end: ((at + 1) * size).min(source.size) };
        multipart.copy(at + 1, &source.at, &source.etag, range)
    });
    let copied: Result<Vec<_>> = stream::iter(copies).buffered(IN_FLIGHT).try_collect().await;
    match copied {
        Ok(parts) => draft.complete(multipart, parts, source.size).await,
        Err(error) => {
            multipart.give_up().await;
            Err(source_changed(error))
        }
    }
}

fn source_changed(error: Error) -> Error {
    match error.code() {
        ErrorCode::PreconditionFailed => {
            Error::new(ErrorCode::Unavailable, "the source changed while it was copied: copy it again")
        }
        _ => error,
    }
}
