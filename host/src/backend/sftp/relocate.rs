//! Moves in one step, and times that are set.

use std::sync::Arc;

use omnistorage_types::Path;

use super::{
    attributes::{Attributes, Times, seconds},
    pool::Lease,
    remote::{Remote, Shared, above, is_unspecific, require_kind_object},
    upload::{check_options, temporary},
    wire::{Extension, Request},
};
use crate::{
    Error, ErrorCode, Hash, HashAlgorithm, Hasher, ObjectInfo, ObjectKind, Result, Timestamp,
    backend::{ReadOptions, WriteOptions},
};
use futures::StreamExt;

/// Moves an object in one step, and replaces the one at the target.
pub(super) async fn rename(
    remote: &Shared,
    source: &Path,
    target: &Path,
    options: &WriteOptions,
) -> Result<ObjectInfo> {
    let lease = remote.pool.lease().await?;
    check_options(options)?;
    let found = remote.object(&lease, source).await?;
    let mut info = found.info(source)?;
    check_expected(remote, source, &info, options).await?;
    if source == target {
        return Ok(info);
    }
    remote.replaced(&lease, target).await.map_err(Error::on_target)?;
    let set = options.modified.map(seconds).transpose()?;
    if let Some(modified) = set {
        set_times(&lease, &remote.at(source), &found, modified).await?;
        info.modified = Some(Timestamp { seconds: modified.into(), nanoseconds: 0 });
    }
    // To its end also if nobody waits for it any more: what is moved aside must not stay there.
    let (owned, from, to) = (Arc::clone(remote), source.clone(), target.clone());
    let moving = tokio::spawn(async move { put(&owned, &lease, &from, &to).await });
    moving.await.map_err(|_| Error::new(ErrorCode::Cancelled, "the program is ending"))??;
    info.path = target.clone();
    Ok(info)
}

async fn put(remote: &Remote, lease: &Lease, source: &Path, target: &Path) -> Result<()> {
    let (from, to) = (remote.at(source), remote.at(target));
    let mut made = Vec::new();
    let mut placed = remote.put_in_place(lease, &from, &to, || temporary(&to)).await;
    if placed.as_ref().is_err_and(|error| error.code() == ErrorCode::NotFound) {
        let parent = target.parent().unwrap_or_default();
        placed = match remote.make_directory(lease, &parent, &mut made).await {
            Ok(()) => remote.put_in_place(lease, &from, &to, || temporary(&to)).await,
            Err(error) => Err(error.on_target()),
        };
    }
    let Err(refused) = placed else { return Ok(()) };
    Remote::remove_empty(lease, &made).await;
    if is_unspecific(&refused) && !is_one_file_system(remote, lease, &from, &to).await {
        let message = "source and target are on different file systems of the server, between which nothing moves in one step";
        return Err(Error::new(ErrorCode::Unsupported, message));
    }
    Err(refused)
}

/// Whether the server says that both are on one file system. Where it does not say, a refusal may mean that they are not.
async fn is_one_file_system(remote: &Remote, lease: &Lease, from: &[u8], to: &[u8]) -> bool {
    let to = above(to).unwrap_or_else(|| to.to_vec());
    let both = futures::try_join!(remote.file_system(lease, from), remote.file_system(lease, &to));
    both.is_ok_and(|(from, to)| from.id == to.id)
}

async fn check_expected(
    remote: &Shared,
    path: &Path,
    info: &ObjectInfo,
    options: &WriteOptions,
) -> Result<()> {
    if let Some(expected) = options.expected_size.filter(|expected| info.size != Some(*expected)) {
        let size = info.size.unwrap_or_default();
        let message = format!("{expected} bytes were expected and there are {size}");
        return Err(Error::new(ErrorCode::Corrupted, message));
    }
    let Some(expected) = &options.expected_hash else { return Ok(()) };
    let hash = hash(remote, path, expected.algorithm).await?;
    if hash == *expected {
        return Ok(());
    }
    let message = format!("the {} {expected} was expected and is {hash}", expected.algorithm);
    Err(Error::new(ErrorCode::Corrupted, message))
}

async fn hash(remote: &Shared, path: &Path, algorithm: HashAlgorithm) -> Result<Hash> {
    let mut contents = super::read::read(remote, path, &ReadOptions::default()).await?.contents;
    let mut hasher = Hasher::new(algorithm);
    while let Some(chunk) = contents.next().await {
        hasher.update(&chunk?);
    }
    Ok(hasher.finish())
}

/// Sets the modification time of an object or a directory.
pub(super) async fn set_modified(remote: &Remote, path: &Path, modified: Timestamp) -> Result<()> {
    let lease = remote.pool.lease().await?;
    let found = remote.existing(&lease, path).await?;
    let kind = found.kind()?;
    if kind != ObjectKind::Directory {
        require_kind_object(kind)?;
    }
    set_times(&lease, &remote.at(path), &found, seconds(modified)?).await
}

/// Sets the modification time of what was found, and leaves when it was last read.
async fn set_times(lease: &Lease, at: &[u8], found: &Attributes, modified: u32) -> Result<()> {
    let accessed = found.times.map_or(modified, |times| times.accessed);
    let attributes = Attributes { times: Some(Times { accessed, modified }), ..Attributes::NONE };
    // Not through a link that was put there meanwhile, where the server can do that.
    let request = match lease.has(Extension::LSetStat) {
        true => Request::lsetstat(at, &attributes),
        false => Request::setstat(at, &attributes),
    };
    lease.send(request).done().await
}
