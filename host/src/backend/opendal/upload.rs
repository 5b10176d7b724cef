//! Writes: bytes are gathered into pieces that the service takes, and the commit puts them in place.

use std::time::Duration;

use ::opendal::{
    Buffer, options,
    raw::{OpWrite, oio},
};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::future::join;
use omnistorage_types::Path;

use super::{
    super::{
        Allowance, Allowed, Announced, Upload, WriteCondition, WriteOptions, allowance::grown, temporary_name,
    },
    KIND, Shared,
    convert::failed,
};
use crate::{Error, ErrorCode, ObjectInfo, Result};

/// The size of a piece that every store takes; the last one of an upload may be smaller.
const PART: usize = 8 << 20;
/// Below the 10,000 that stores allow.
const PARTS: u64 = 9_000;

/// The pause before a call that found nothing is repeated; twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LAST_PAUSE: Duration = Duration::from_millis(80);

/// Whether an object of that name is an upload that is not finished, or never was.
pub(super) fn is_temporary(name: &str) -> bool {
    temporary_name::is_one(name.as_bytes())
}

/// A name that nobody else writes to, in the same directory.
fn temporary(path: &Path) -> String {
    let name = temporary_name::new(format_args!("{:016x}", temporary_name::ELSEWHERE));
    match path.parent().filter(|parent| !parent.is_root()) {
        Some(parent) => format!("{}/{name}", parent.as_str()),
        None => name,
    }
}

/// An upload.
pub(super) struct Draft {
    service: Shared,
    path: Path,
    /// Where the bytes go: a temporary name, or the object's own where the service puts it in place in one step.
    key: String,
    /// Set once a piece was sent, or is about to be. The commit takes it.
    writer: Option<oio::Writer>,
    options: OpWrite,
    pending: BytesMut,
    allowance: Allowance,
    allowed: Allowed,
    /// The most that is gathered, as far as it is known.
    most: u64,
    /// Bytes in a piece; `None` if the service takes the object in one.
    part: Option<usize>,
    max_object: u64,
    announced: Announced,
}

impl Draft {
    pub(super) fn begin(service: &Shared, path: &Path, options: &WriteOptions) -> Result<Self> {
        let capability = &service.0.capability;
        let mut wanted = options::WriteOptions {
            content_type: options.content_type.clone(),
            user_metadata: (!options.metadata.is_empty()).then(|| options.metadata.iter().cloned().collect()),
            ..options::WriteOptions::default()
        };
        match &options.condition {
            WriteCondition::Always => {}
            WriteCondition::IfAbsent => wanted.if_not_exists = true,
            WriteCondition::IfMatch(etag) => wanted.if_match = Some(etag.clone()),
        }
        let (wanted, _) = OpWrite::from_options(capability, wanted).map_err(|error| failed(&error))?;
        let by_size = options.expected_size.unwrap_or_default().div_ceil(PARTS);
        let part = PART.max(usize::try_from(by_size).unwrap_or(PART));
        let part = capability.write_can_multi.then_some(part);
        let most = part.map_or(service.0.max_object, |part| part as u64);
        Ok(Self {
            service: service.clone(),
            path: path.clone(),
            key: if service.is_tree() { temporary(path) } else { path.as_str().to_owned() },
            writer: None,
            options: wanted,
            pending: BytesMut::new(),
            part,
            allowance: options.allowance.clone(),
            allowed: options.allowance.none(),
            most: options.expected_size.unwrap_or(u64::MAX).min(most),
            max_object: service.0.max_object,
            announced: Announced::new(options),
        })
    }

    async fn send(&mut self, piece: Bytes) -> Result<()> {
        if self.writer.is_none() {
            let (calls, context) = (&self.service.0.calls, &self.service.0.context);
            let begun = calls.write_dyn(context, &self.key, self.options.clone());
            self.writer = Some(begun.map_err(|error| failed(&error))?);
        }
        match &mut self.writer {
            Some(writer) => writer.write_dyn(Buffer::from(piece)).await.map_err(|error| failed(&error)),
            None => Ok(()),
        }
    }

    async fn send_last(&mut self, piece: Bytes) -> Result<()> {
        self.send(piece).await?;
        match &mut self.writer {
            Some(writer) => writer.close_dyn().await.map(drop).map_err(|error| failed(&error)),
            None => Ok(()),
        }
    }

    /// Sends an object in one piece, and gives whether there is one in its place. Where its directory is known, both is
    /// asked at once.
    async fn send_all(&mut self, all: Bytes) -> Result<bool> {
        let (service, path) = (self.service.clone(), self.path.clone());
        if service.knows_directory_of(&path) {
            let (is_there, sent) =
                join(service.require_no_directory(&path), self.send_last(all.clone())).await;
            match (is_there?, sent) {
                (is_there, Ok(())) => return Ok(is_there),
                // Servers say this and that of a directory that is gone.
                (_, Err(error)) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::Other) => {}
                (_, Err(error)) => return Err(error),
            }
            service.0.known.forget();
            self.writer = None;
        }
        let is_there = service.make_place(&path).await?;
        self.send_last(all).await?;
        Ok(is_there)
    }

    async fn take(&mut self, chunk: Bytes) -> Result<()> {
        self.service.check_open()?;
        self.announced.update(&chunk);
        let needed = grown(self.pending.capacity(), self.pending.len() + chunk.len());
        let most = if self.allowance.is_patient() { self.most } else { 0 };
        self.allowed.grow(needed.max(most)).await?;
        self.pending.extend_from_slice(&chunk);
        match self.part {
            Some(part) => {
                while self.pending.len() > part {
                    let piece = self.pending.split_to(part).freeze();
                    self.send(piece).await?;
                }
            }
            None if self.announced.size() > self.max_object => {
                let message = format!(
                    "the service takes an object in one request, and this one has more than the {} bytes that may be \
                     held in memory for it: raise `max_object`",
                    self.max_object
                );
                return Err(Error::new(ErrorCode::LimitExceeded, message));
            }
            None => {}
        }
        Ok(())
    }

    async fn finish(&mut self) -> Result<ObjectInfo> {
        self.service.check_open()?;
        self.announced.check()?;
        let last = self.pending.split().freeze();
        let is_there = if self.service.0.moves.is_some() {
            self.send_all(last).await?
        } else {
            self.service.require_place(&self.path).await?;
            self.send_last(last).await?;
            true
        };
        if self.key != self.path.as_str() {
            let (sent, size) = (&Path::parse(self.key.as_str())?, Some(self.announced.size()));
            let placed = || self.service.put_in_place(sent, size, &self.path, is_there);
            if let Err(error) = among_others(placed).await {
                self.service.0.known.forget();
                let removed =
                    "its temporary object, or its directory, was removed while it was written: try again";
                return Err(match error.code() {
                    ErrorCode::NotFound => Error::new(ErrorCode::Unavailable, removed),
                    _ => error,
                });
            }
        }
        self.writer = None;
        let info = among_others(|| self.service.stat(&self.path)).await?;
        match info.size {
            Some(size) if size != self.announced.size() => {
                let message = format!("{} bytes were sent and there are {size}", self.announced.size());
                Err(Error::new(ErrorCode::Corrupted, message))
            }
            _ => Ok(info),
        }
    }

    /// Undoes what was sent.
    async fn discard(service: Shared, mut writer: oio::Writer, key: Option<String>) {
        let _ = writer.abort_dyn().await;
        if let Some(key) = key {
            let _ = service.delete_key(&key).await;
        }
    }

    fn take_sent(&mut self) -> Option<impl Future<Output = ()> + Send + 'static> {
        let writer = self.writer.take()?;
        let temporary = (self.key != self.path.as_str()).then(|| std::mem::take(&mut self.key));
        Some(Self::discard(self.service.clone(), writer, temporary))
    }
}

/// Repeats a call that finds nothing. A service that removes an object before it puts another in its place, as rclone's
/// does, shows no object for a moment; and of two calls that want to remove it, one finds it gone.
async fn among_others<T, F: Future<Output = Result<T>>>(call: impl Fn() -> F) -> Result<T> {
    let mut pause = FIRST_PAUSE;
    while pause <= LAST_PAUSE {
        match call().await {
            Err(error) if error.code() == ErrorCode::NotFound => tokio::time::sleep(pause).await,
            done => return done,
        }
        pause *= 2;
    }
    call().await
}

#[async_trait]
impl Upload for Draft {
    async fn push(&mut self, chunk: Bytes) -> Result<()> {
        self.take(chunk).await.map_err(|error| error.at(KIND, &self.path))
    }

    async fn commit(mut self: Box<Self>) -> Result<ObjectInfo> {
        let finished = self.finish().await.map_err(|error| error.at(KIND, &self.path));
        if finished.is_err()
            && let Some(discard) = self.take_sent()
        {
            discard.await;
        }
        finished
    }

    async fn abort(mut self: Box<Self>) {
        if let Some(discard) = self.take_sent() {
            discard.await;
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let (Some(discard), Ok(runtime)) = (self.take_sent(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(discard);
        }
    }
}
