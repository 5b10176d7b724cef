//! Uploads that were begun and never finished: the store keeps their bytes, and no listing of objects shows them.

use std::{sync::Arc, time::Duration};

use http::Method;
use omnistorage_path::Path;
use serde::Deserialize;

use super::{bucket::Bucket, parts};
use crate::{
    backend::cloud::{self, time},
    error::Result,
    object::Timestamp,
};

/// No request is sent again for longer. In seconds.
const LOST_WITHIN: i64 = 600;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Uploads {
    upload: Vec<Upload>,
    is_truncated: bool,
    next_key_marker: String,
    next_upload_id_marker: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Upload {
    key: String,
    upload_id: String,
    initiated: Option<String>,
    checksum_algorithm: Option<String>,
}

impl Upload {
    fn begun(&self) -> Option<Timestamp> {
        time::from_rfc3339(self.initiated.as_deref()?)
    }

    /// Whether it takes parts as we send them there: another program may have begun it with other checksums.
    fn takes_parts_for(&self, bucket: &Bucket) -> bool {
        match self.checksum_algorithm.as_deref() {
            None | Some("") => true,
            Some(algorithm) => bucket.traits.checksum && algorithm == "CRC32C",
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Parts {
    #[serde(rename = "Part")]
    parts: Vec<serde::de::IgnoredAny>,
}

/// The unfinished uploads whose keys begin so.
async fn list(bucket: &Bucket, prefix: &str) -> Result<Vec<Upload>> {
    let (mut key_marker, mut id_marker, mut all) = (String::new(), String::new(), Vec::new());
    loop {
        let mut query = vec![("uploads", ""), ("prefix", prefix)];
        if !key_marker.is_empty() {
            query.extend([("key-marker", key_marker.as_str()), ("upload-id-marker", id_marker.as_str())]);
        }
        let page: Uploads = bucket.ask(&bucket.query(Method::GET, &query)).await?;
        all.extend(page.upload.into_iter().filter(|upload| upload.key.starts_with(prefix)));
        let next = (page.next_key_marker, page.next_upload_id_marker);
        if !page.is_truncated || next == (key_marker.clone(), id_marker.clone()) {
            return Ok(all);
        }
        (key_marker, id_marker) = next;
    }
}

/// The id of the unfinished upload of a key that was begun last.
pub(super) async fn last(bucket: &Bucket, key: &str) -> Result<Option<String>> {
    let uploads = list(bucket, key).await?.into_iter();
    let own = uploads.filter(|upload| upload.key == key && upload.takes_parts_for(bucket));
    Ok(own.max_by_key(Upload::begun).map(|upload| upload.upload_id))
}

/// Aborts the uploads below a prefix that began so long ago; gives their number.
pub(super) async fn sweep(bucket: &Arc<Bucket>, prefix: &Path, age: Duration) -> Result<u64> {
    bucket.check_open()?;
    let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
    let limit = Timestamp { seconds: Timestamp::now().seconds.saturating_sub(seconds), nanoseconds: 0 };
    let mut count = 0;
    for upload in list(bucket, &cloud::key_prefix(&bucket.prefix, prefix)?).await? {
        if upload.begun().is_some_and(|begun| begun <= limit) {
            parts::abort(bucket, &upload.key, &upload.upload_id).await;
            count += 1;
        }
    }
    Ok(count)
}

/// Aborts what earlier sendings of a request began whose answers were lost: uploads of the same key that began shortly
/// before the one of that id, or before now, and to which nothing was added since. To be called before that one comes to
/// its end, by when another writer of the key would have added something. What fails is left to a later sweep.
pub(super) async fn abort_lost(bucket: &Bucket, key: &str, own: Option<&str>) {
    let Ok(mut uploads) = list(bucket, key).await else { return };
    uploads.retain(|upload| upload.key == key);
    let is_own = |upload: &Upload| own == Some(upload.upload_id.as_str());
    let last = uploads.iter().find(|upload| is_own(upload)).and_then(Upload::begun);
    let last = last.unwrap_or_else(Timestamp::now).seconds;
    for upload in uploads.iter().filter(|upload| !is_own(upload)) {
        let is_near = upload.begun().is_some_and(|begun| (last - begun.seconds).abs() <= LOST_WITHIN);
        let query = [("uploadId", upload.upload_id.as_str()), ("max-parts", "1")];
        let call = bucket.object_query(Method::GET, key, &query);
        if is_near && bucket.ask(&call).await.is_ok_and(|Parts { parts }| parts.is_empty()) {
            parts::abort(bucket, key, &upload.upload_id).await;
        }
    }
}
