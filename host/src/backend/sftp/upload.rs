//! Writes: bytes go to a hidden temporary object beside the target, which a rename puts in place once it is whole.

use std::{collections::VecDeque, sync::Arc};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use omnistorage_types::Path;
use tokio::runtime::Handle;

use super::{
    KIND,
    attributes::{Attributes, Times, seconds},
    pool::Lease,
    remote::{Remote, Shared, above, inside},
    reply::Reply,
    wire::{Extension, Opening, Request},
};
use crate::{
    Error, ErrorCode, ObjectInfo, Result, Timestamp,
    backend::{Announced, Upload, WriteCondition, WriteOptions, temporary_name},
};

/// The most bytes that are under way to the server.
const WINDOW: u64 = 2 << 20;
/// Bytes that come in smaller pieces are gathered to so many.
const GATHERED: usize = 32 << 10;
/// How often a directory is made again that somebody else removed because it looked empty.
const ATTEMPTS: u32 = 5;

/// Refuses what the protocol does not keep.
///
/// # Errors
/// [`ErrorCode::Unsupported`], and times that cannot be.
pub(super) fn check_options(options: &WriteOptions) -> Result<()> {
    let lacks = if options.content_type.is_some() {
        "content types"
    } else if !options.metadata.is_empty() {
        "metadata"
    } else if options.condition != WriteCondition::Always {
        "conditions"
    } else {
        return options.modified.map(seconds).transpose().map(drop);
    };
    Err(Error::unsupported(KIND, lacks))
}

/// The times of an object that was changed then.
fn times(modified: u32) -> Times {
    Times { accessed: seconds(Timestamp::now()).unwrap_or(modified), modified }
}

/// A name for what is not in place, in the directory of something.
pub(super) fn temporary(at: &[u8]) -> Vec<u8> {
    let name = temporary_name::new(format_args!("{:016x}", temporary_name::ELSEWHERE));
    inside(&above(at).unwrap_or_else(|| b".".to_vec()), name.as_bytes())
}

/// An upload, of which nothing is left once it is dropped.
pub(super) struct Draft {
    remote: Shared,
    path: Path,
    announced: Announced,
    modified: Option<u32>,
    /// The permission bits of what it replaces.
    permissions: Option<u32>,
    pending: BytesMut,
    sent: u64,
    /// The answers that are to come, and the bytes of each.
    acknowledged: VecDeque<(u64, Reply)>,
    under_way: u64,
    /// `None` once it is in place, or removed.
    temporary: Option<Temporary>,
}

/// The temporary object on the server.
struct Temporary {
    lease: Lease,
    at: Vec<u8>,
    is_there: bool,
    /// `None` as long as it is not open.
    handle: Option<Bytes>,
    /// The directories that were made for it.
    made: Vec<Vec<u8>>,
}

impl Temporary {
    /// Makes one for an object, and the directories above it.
    async fn create(remote: &Shared, lease: Lease, path: &Path, permissions: Option<u32>) -> Result<Self> {
        let target = remote.at(path);
        // Everybody can see it from the start, so it is never more open than what it will replace.
        let attributes = Attributes { mode: permissions, ..Attributes::NONE };
        let mut temporary =
            Self { lease, at: temporary(&target), is_there: false, handle: None, made: Vec::new() };
        for attempt in 1.. {
            let Self { lease, at, .. } = &temporary;
            let created = lease.send(Request::open(at, Opening::Create, &attributes)).handle().await;
            match created {
                Ok(handle) => return Ok(Self { is_there: true, handle: Some(handle), ..temporary }),
                Err(error) if error.code() == ErrorCode::NotFound && attempt < ATTEMPTS => {
                    let (lease, parent) = (temporary.lease.clone(), path.parent().unwrap_or_default());
                    if let Err(error) = remote.make_directory(&lease, &parent, &mut temporary.made).await
                        && error.code() != ErrorCode::NotFound
                    {
                        temporary.remove(remote).await;
                        return Err(error);
                    }
                }
                Err(error) => {
                    let error = remote.explain_write(&temporary.lease, &target, error).await;
                    temporary.remove(remote).await;
                    return Err(error);
                }
            }
        }
        Err(Error::new(ErrorCode::Unavailable, "its directory was removed while it was written: try again"))
    }

    /// Removes it, over another connection if its own was lost.
    async fn remove(mut self, remote: &Shared) {
        if let Some(handle) = self.handle.take() {
            drop(self.lease.send(Request::close(&handle)));
        }
        if !self.is_there && self.made.is_empty() {
            return;
        }
        if !self.lease.is_open() {
            let Ok(lease) = remote.pool.lease().await else { return };
            self.lease = lease;
        }
        // Whatever keeps it from being removed, somebody sweeps later.
        if self.is_there {
            let _ = self.lease.send(Request::remove(&self.at)).done().await;
        }
        Remote::remove_empty(&self.lease, &self.made).await;
    }
}

impl Draft {
    /// Begins one. It is begun to its end also if nobody waits for it any more, so that nothing is left of it.
    pub(super) async fn begin(remote: &Shared, path: &Path, options: &WriteOptions) -> Result<Self> {
        check_options(options)?;
        let (remote, path, options) = (Arc::clone(remote), path.clone(), options.clone());
        let beginning = tokio::spawn(async move {
            let lease = remote.pool.lease().await?;
            let replaced = remote.replaced(&lease, &path).await?;
            let permissions = replaced.and_then(|replaced| replaced.permissions());
            let temporary = Temporary::create(&remote, lease, &path, permissions).await?;
            Ok(Self {
                announced: Announced::new(&options),
                modified: options.modified.map(seconds).transpose()?,
                permissions,
                pending: BytesMut::new(),
                sent: 0,
                acknowledged: VecDeque::new(),
                under_way: 0,
                temporary: Some(temporary),
                remote,
                path,
            })
        });
        beginning.await.map_err(|_| ending())?
    }

    fn object(&self) -> Result<&Temporary> {
        let message = "an earlier part of the write failed or was given up";
        self.temporary.as_ref().ok_or_else(|| Error::new(ErrorCode::WriterClosed, message))
    }

    /// The file, as long as it is open.
    fn file(&self) -> Result<(&Lease, &Bytes)> {
        let Temporary { lease, handle, .. } = self.object()?;
        let closed = || Error::new(ErrorCode::WriterClosed, "the write has ended");
        Ok((lease, handle.as_ref().ok_or_else(closed)?))
    }

    async fn take(&mut self, chunk: Bytes) -> Result<()> {
        self.remote.pool.check_open()?;
        self.announced.update(&chunk);
        if self.pending.is_empty() && chunk.len() >= GATHERED {
            return self.send(chunk).await;
        }
        self.pending.extend_from_slice(&chunk);
        if self.pending.len() >= GATHERED {
            let gathered = self.pending.split().freeze();
            return self.send(gathered).await;
        }
        Ok(())
    }

    async fn send(&mut self, mut bytes: Bytes) -> Result<()> {
        while !bytes.is_empty() {
            let (lease, handle) = self.file()?;
            let most = usize::try_from(lease.limits().write).unwrap_or(GATHERED);
            let piece = bytes.split_to(most.min(bytes.len()));
            let len = piece.len() as u64;
            let reply = lease.send(Request::write(handle, self.sent, piece));
            self.acknowledged.push_back((len, reply));
            self.sent += len;
            self.under_way += len;
            while self.under_way > WINDOW {
                self.acknowledge().await?;
            }
        }
        Ok(())
    }

    /// Waits for the next answer.
    async fn acknowledge(&mut self) -> Result<()> {
        let Some((len, reply)) = self.acknowledged.pop_front() else { return Ok(()) };
        self.under_way -= len;
        let Err(refused) = reply.done().await else { return Ok(()) };
        let Temporary { lease, at, .. } = self.object()?;
        Err(self.remote.explain_write(lease, at, refused).await)
    }

    async fn finish(&mut self) -> Result<ObjectInfo> {
        self.remote.pool.check_open()?;
        self.announced.check()?;
        let last = self.pending.split().freeze();
        self.send(last).await?;
        while !self.acknowledged.is_empty() {
            self.acknowledge().await?;
        }
        let info = self.complete().await?;
        self.put_in_place().await?;
        self.temporary = None;
        Ok(info)
    }

    /// All that is to be done while the file is open; then it is closed, and its place is looked at again. All of it is
    /// asked at once.
    async fn complete(&mut self) -> Result<ObjectInfo> {
        let (lease, handle) = self.file()?;
        let set = Attributes { mode: self.permissions, times: self.modified.map(times), ..Attributes::NONE };
        let set = (set != Attributes::NONE).then(|| lease.send(Request::fsetstat(handle, &set)));
        let fsync = self.remote.pool.settings.fsync && lease.has(Extension::Fsync);
        let fsync = fsync.then(|| lease.send(Request::extended_of(Extension::Fsync, handle)));
        let told = lease.send(Request::fstat(handle));
        let closed = lease.send(Request::close(handle));
        let place = self.remote.ask(lease, &self.path)?;
        if let Some(temporary) = &mut self.temporary {
            temporary.handle = None;
        }
        for done in set.into_iter().chain(fsync) {
            done.done().await?;
        }
        let mut told = told.attributes().await?;
        if let (Some(modified), Some(times)) = (self.modified, &mut told.times) {
            times.modified = modified;
        }
        let info = told.info(&self.path)?;
        if info.size != Some(self.announced.size()) {
            let size = info.size.unwrap_or_default();
            let message = format!("{} bytes were sent and there are {size}", self.announced.size());
            return Err(Error::new(ErrorCode::Corrupted, message));
        }
        closed.done().await?;
        place.found().await?.replaced()?;
        Ok(info)
    }

    async fn put_in_place(&self) -> Result<()> {
        let Temporary { lease, at, .. } = self.object()?;
        let target = self.remote.at(&self.path);
        let placed = self.remote.put_in_place(lease, at, &target, || temporary(&target)).await;
        placed.map_err(|error| match error.code() {
            ErrorCode::NotFound => {
                let message =
                    "its temporary object, or its directory, was removed while it was written: try again";
                Error::new(ErrorCode::Unavailable, message)
            }
            _ => error,
        })
    }

    /// What removes it, unless that is done.
    fn discard(&mut self) -> Option<impl Future<Output = ()> + Send + 'static> {
        let temporary = self.temporary.take()?;
        let remote = Arc::clone(&self.remote);
        Some(async move { temporary.remove(&remote).await })
    }
}

fn ending() -> Error {
    Error::new(ErrorCode::Cancelled, "the program is ending")
}

#[async_trait]
impl Upload for Draft {
    async fn push(&mut self, chunk: Bytes) -> Result<()> {
        self.take(chunk).await.map_err(|error| error.at(KIND, &self.path))
    }

    async fn commit(mut self: Box<Self>) -> Result<ObjectInfo> {
        // To its end also if nobody waits for it any more: what is moved aside must not stay there.
        let committing = tokio::spawn(async move {
            let finished = self.finish().await.map_err(|error| error.at(KIND, &self.path));
            if finished.is_err()
                && let Some(discard) = self.discard()
            {
                discard.await;
            }
            finished
        });
        committing.await.map_err(|_| ending())?
    }

    async fn abort(mut self: Box<Self>) {
        if let Some(discard) = self.discard() {
            discard.await;
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let (Ok(runtime), Some(discard)) = (Handle::try_current(), self.discard()) {
            runtime.spawn(discard);
        }
    }
}
