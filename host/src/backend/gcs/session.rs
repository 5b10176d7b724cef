//! An upload in several parts: a session that the store keeps, part after part, until the last one makes the object. A
//! session that is never finished is never visible, costs nothing and is forgotten after a week.
//!
//! The protocol is that of [resumable uploads](https://cloud.google.com/storage/docs/performing-resumable-uploads).

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, StatusCode};
use tokio::runtime::Handle;

use super::{
    attributes::{Resource, encoded},
    bucket::Bucket,
};
use crate::{Error, ErrorCode, Result, backend::cloud::client::Answer};

/// The store checks the whole object before it answers.
pub(super) const PATIENCE: Duration = Duration::from_secs(600);

/// What follows the last byte.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// More.
    Open,
    /// Nothing: the object is whole, and this is the CRC-32C of all of it.
    Whole { crc32c: u32 },
}

/// A session that is open at the store. Dropped, it is cancelled from a task of its own.
pub(in crate::backend) struct Session {
    bucket: Arc<Bucket>,
    /// Its address, from the host on. Whoever knows it may write: it is in no message.
    at: String,
    is_open: bool,
}

impl Session {
    /// Opens a session for an object. The conditions in the query are checked when it is finished.
    pub(super) async fn begin(
        bucket: &Arc<Bucket>,
        query: &[(&str, &str)],
        resource: &Resource,
        size: Option<u64>,
    ) -> Result<Self> {
        let mut call = bucket
            .upload(query)?
            .header("content-type", "application/json; charset=UTF-8")?
            .header("x-upload-content-type", resource.content_type.as_deref().unwrap_or_default())?
            .body(resource.to_json()?.into());
        if let Some(size) = size {
            call = call.header("x-upload-content-length", &size.to_string())?;
        }
        let answer = bucket.send(&call).await.map_err(|error| bucket.of_bucket(error))?;
        let unclear = || Error::new(ErrorCode::Other, "the store does not say where to upload to");
        let location = answer.header("location").ok_or_else(unclear)?;
        // Only to the endpoint, whatever name it gives itself: nobody else may see our token.
        let location: http::Uri = location.parse().map_err(|_| unclear())?;
        let at = location.path_and_query().ok_or_else(unclear)?.to_string();
        Ok(Self { bucket: Arc::clone(bucket), at, is_open: true })
    }

    /// Sends bytes that are not the last ones, beginning at `start`; returns once all are kept.
    pub(super) async fn send(&self, start: u64, bytes: Bytes) -> Result<()> {
        match self.put(start, bytes, End::Open).await? {
            None => Ok(()),
            Some(answer) if answer.status().is_success() => {
                Err(Error::new(ErrorCode::Other, "the store ended the upload before its last part"))
            }
            Some(answer) => Err(self.failure(answer).await),
        }
    }

    /// Sends the last bytes, at least one, and makes the object. An answer that is no success is left to the caller,
    /// who must then still cancel the session.
    pub(super) async fn finish(&mut self, start: u64, bytes: Bytes, crc32c: u32) -> Result<Answer> {
        let early =
            || Error::new(ErrorCode::Unavailable, "the store kept all bytes, and made no object of them");
        let answer = self.put(start, bytes, End::Whole { crc32c }).await?.ok_or_else(early)?;
        if answer.status().is_success() {
            self.is_open = false;
        }
        Ok(answer)
    }

    /// `None`: all bytes are kept, and the store waits for more.
    async fn put(&self, mut start: u64, mut bytes: Bytes, end: End) -> Result<Option<Answer>> {
        let mut fruitless = 0;
        while !bytes.is_empty() {
            self.bucket.check_open()?;
            let behind = start + bytes.len() as u64;
            let size = match end {
                End::Open => "*".to_owned(),
                End::Whole { .. } => behind.to_string(),
            };
            let mut call = self
                .bucket
                .call(Method::PUT, &self.at)?
                .header("content-range", &format!("bytes {start}-{}/{size}", behind - 1))?
                .body(bytes.clone());
            if let End::Whole { crc32c } = end {
                call = call.header("x-goog-hash", &format!("crc32c={}", encoded(crc32c)))?.patience(PATIENCE);
            }
            let answer = self.bucket.ask(&call).await?;
            if answer.status() != StatusCode::PERMANENT_REDIRECT {
                return Ok(Some(answer));
            }
            // A part may be kept in part.
            let kept = kept(&answer);
            let lost =
                || Error::new(ErrorCode::Unavailable, "the store lost a part of the upload: write it again");
            let new = kept.checked_sub(start).filter(|new| *new <= bytes.len() as u64).ok_or_else(lost)?;
            fruitless = if new == 0 { fruitless + 1 } else { 0 };
            if fruitless >= answer.retry.attempts.get() {
                let message = "the store keeps nothing of the upload: try again later";
                return Err(answer.retry.used_up(Error::new(ErrorCode::Unavailable, message)));
            }
            if fruitless > 0 {
                tokio::time::sleep(answer.retry.pause(fruitless)).await;
            }
            // At most the length of the bytes, which is a `usize`.
            bytes = bytes.split_off(new as usize);
            start = kept;
        }
        Ok(None)
    }

    /// The error of a refused part.
    pub(super) async fn failure(&self, answer: Answer) -> Error {
        match answer.status() {
            StatusCode::NOT_FOUND | StatusCode::GONE => lost(),
            _ => self.bucket.failure(answer).await,
        }
    }

    /// The store has made the object.
    pub(super) fn is_done(&mut self) {
        self.is_open = false;
    }

    /// Gives up the session, and waits until the store has.
    pub(super) async fn cancel(mut self) {
        self.is_open = false;
        cancel(&self.bucket, &self.at).await;
    }
}

/// The store knows nothing of the session.
pub(super) fn lost() -> Error {
    Error::new(ErrorCode::Unavailable, "the store has given up the upload: write it again")
}

/// How many bytes are kept: `Range: bytes=0-9` means 10, and no such header means none.
fn kept(answer: &Answer) -> u64 {
    let last = answer.header("range").and_then(|range| range.strip_prefix("bytes=0-")?.parse::<u64>().ok());
    last.map_or(0, |last| last.saturating_add(1))
}

impl Drop for Session {
    fn drop(&mut self) {
        if !self.is_open {
            return;
        }
        let (bucket, at) = (Arc::clone(&self.bucket), std::mem::take(&mut self.at));
        // Without a runtime the store forgets it by itself.
        if let Ok(runtime) = Handle::try_current() {
            drop(runtime.spawn(async move { cancel(&bucket, &at).await }));
        }
    }
}

async fn cancel(bucket: &Bucket, at: &str) {
    let asked = match bucket.call(Method::DELETE, at) {
        Ok(call) => bucket.ask(&call).await,
        Err(error) => Err(error),
    };
    // The answer of success is 499, "Client Closed Request".
    if let Err(error) = asked {
        tracing::debug!(%error, "an upload was not cancelled: the store forgets it in a week");
    }
}
