//! Uploads that were begun and never finished: the store keeps their bytes, and no listing of objects shows them.

use std::time::Duration;

use http::Method;
use omnistorage_types::Path;

use super::{
    arrived::Arrivals,
    bucket::Bucket,
    xml::{Answer, Document, required, time_of},
};
use crate::{
    ErrorCode, Result, Timestamp,
    backend::cloud::{self, pages::Trail},
};

/// The longest time for which a request is repeated, in seconds.
const LOST_WITHIN: u64 = 600;

struct Uploads {
    uploads: Vec<Upload>,
    /// The key and the upload after which the next page begins.
    next: Option<(String, String)>,
}

impl Answer for Uploads {
    const ROOT: &'static str = "ListMultipartUploadsResult";

    fn read(document: &mut Document<'_>) -> Result<Self> {
        let (mut uploads, mut is_truncated, mut key, mut id) = (Vec::new(), None, None, None);
        while let Some(element) = document.element()? {
            match element.name() {
                "Upload" => uploads.push(upload(document)?),
                "IsTruncated" => is_truncated = Some(document.value("IsTruncated")?),
                "NextKeyMarker" => key = Some(document.text()?.into_owned()),
                "NextUploadIdMarker" => id = Some(document.text()?.into_owned()),
                _ => document.skip(&element)?,
            }
        }
        let next = match required(is_truncated, "IsTruncated")? {
            true => Some((required(key, "NextKeyMarker")?, required(id, "NextUploadIdMarker")?)),
            false => None,
        };
        Ok(Self { uploads, next })
    }
}

struct Upload {
    key: String,
    upload_id: String,
    begun: Timestamp,
    checksum_algorithm: Option<String>,
}

fn upload(document: &mut Document<'_>) -> Result<Upload> {
    let (mut key, mut upload_id, mut begun, mut checksum_algorithm) = (None, None, None, None);
    while let Some(element) = document.element()? {
        match element.name() {
            "Key" => key = Some(document.word("Key")?.into_owned()),
            "UploadId" => upload_id = Some(document.word("UploadId")?.into_owned()),
            "Initiated" => begun = Some(time_of(&document.text()?)?),
            "ChecksumAlgorithm" => checksum_algorithm = Some(document.text()?.into_owned()),
            _ => document.skip(&element)?,
        }
    }
    Ok(Upload {
        key: required(key, "Key")?,
        upload_id: required(upload_id, "UploadId")?,
        begun: required(begun, "Initiated")?,
        checksum_algorithm,
    })
}

impl Upload {
    /// Whether it takes parts as we send them: another program may have begun it with other checksums.
    fn takes_parts_for(&self, bucket: &Bucket) -> bool {
        match self.checksum_algorithm.as_deref() {
            None | Some("") => true,
            Some(algorithm) => bucket.traits.checksum && algorithm == "CRC32C",
        }
    }
}

/// The unfinished uploads whose keys have this prefix. Not every store looks at the prefix.
async fn list(bucket: &Bucket, prefix: &str) -> Result<Vec<Upload>> {
    let (mut after, mut all, mut trail) = (None, Vec::new(), Trail::new(prefix));
    loop {
        let mut query = vec![("uploads", ""), ("prefix", prefix)];
        if let Some((key, id)) = &after {
            query.extend(
                [("key-marker", key), ("upload-id-marker", id)]
                    .map(|(name, value): (_, &String)| (name, value.as_str())),
            );
        }
        let page: Uploads = bucket.ask(&bucket.query(Method::GET, &query)).await?;
        let token = page.next.as_ref().map(|(key, id)| format!("{key}\0{id}"));
        trail.step(token.as_deref(), None, page.uploads.is_empty())?;
        all.extend(page.uploads.into_iter().filter(|upload| upload.key.starts_with(prefix)));
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(all),
        }
    }
}

/// The id of the unfinished upload of a key that was begun last.
pub(super) async fn last(bucket: &Bucket, key: &str) -> Result<Option<String>> {
    let uploads = list(bucket, key).await?.into_iter();
    let own = uploads.filter(|upload| upload.key == key && upload.takes_parts_for(bucket));
    Ok(own.max_by_key(|upload| upload.begun).map(|upload| upload.upload_id))
}

/// Aborts the uploads below a prefix that are at least this old; returns their number.
pub(super) async fn sweep(bucket: &Bucket, prefix: &Path, age: Duration) -> Result<u64> {
    bucket.check_open()?;
    let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
    let limit = Timestamp { seconds: Timestamp::now().seconds.saturating_sub(seconds), nanoseconds: 0 };
    let (mut count, mut failure) = (0, None);
    for upload in list(bucket, &cloud::key_prefix(&bucket.prefix, prefix)?).await? {
        if upload.begun <= limit {
            match abort(bucket, &upload.key, &upload.upload_id).await {
                Ok(()) => count += 1,
                Err(error) => failure = failure.or(Some(error)),
            }
        }
    }
    failure.map_or(Ok(count), Err)
}

/// Aborts uploads that were begun by earlier attempts of a request whose answers were lost: those of the same key that
/// began shortly before the one with this id, or before now, and have no parts. Call it before that one ends: by then
/// another writer of the key would have added a part. Failures are left to a later sweep.
pub(super) async fn abort_lost(bucket: &Bucket, key: &str, own: Option<&str>) {
    let Ok(mut uploads) = list(bucket, key).await else { return };
    uploads.retain(|upload| upload.key == key);
    let is_own = |upload: &Upload| own == Some(upload.upload_id.as_str());
    let last = uploads.iter().find(|upload| is_own(upload)).map(|upload| upload.begun);
    let last = last.unwrap_or_else(Timestamp::now).seconds;
    for upload in uploads.iter().filter(|upload| !is_own(upload)) {
        let is_near = last.abs_diff(upload.begun.seconds) <= LOST_WITHIN;
        let query = [("uploadId", upload.upload_id.as_str()), ("max-parts", "1")];
        let call = bucket.object_query(Method::GET, key, &query);
        if is_near && bucket.ask(&call).await.is_ok_and(|arrived: Arrivals| arrived.parts.is_empty()) {
            abort_or_leave(bucket, key, &upload.upload_id).await;
        }
    }
}

/// Aborts an upload; it is fine if it no longer exists.
pub(super) async fn abort(bucket: &Bucket, key: &str, id: &str) -> Result<()> {
    let call = bucket.object_query(Method::DELETE, key, &[("uploadId", id)]);
    match bucket.send(&call).await {
        Err(error) if error.code() != ErrorCode::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Aborts an upload. A failure leaves it to a later sweep.
pub(super) async fn abort_or_leave(bucket: &Bucket, key: &str, id: &str) {
    if let Err(error) = abort(bucket, key, id).await {
        tracing::warn!(key, %error, "an upload stays open at the store: `sweep` aborts it later");
    }
}
