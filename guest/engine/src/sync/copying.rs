//! Copies objects unchanged from one place to another: by the host if it can, else by reading and writing.

use futures::{StreamExt, stream};
use omnistorage_core::{entry::Entry, sync::compare::common_hash};
use omnistorage_types::{
    CopyRequest, Error, ErrorCode, ObjectInfo, ReadOptions, WriteCondition, WriteOptions,
};

use super::place::Reading;
use crate::port::Reader;

/// How many moves of one call run at a time.
const MOVES: usize = 8;

/// Copies everything that belongs to the object.
pub(super) fn as_it_is() -> WriteOptions {
    WriteOptions::default()
}

/// Always checks the size, whatever the backend promised, and the hash if both sides know one.
pub(super) fn verify(
    target: &Reading,
    entry: &Entry,
    written: &ObjectInfo,
    ignore_size: bool,
) -> Result<(), Error> {
    let corrupted = |message: &str| Err(target.error(ErrorCode::Corrupted, &entry.path, message));
    match (entry.size, written.size) {
        (Some(expected), Some(size)) if expected != size && !ignore_size => {
            return corrupted(&format!("{size} bytes arrived of {expected}"));
        }
        _ => {}
    }
    match common_hash(&entry.hashes, &written.hashes) {
        Some((sent, arrived)) if sent.digest != arrived.digest => {
            corrupted("its hash on the target is not that of the source")
        }
        _ => Ok(()),
    }
}

/// Replaces each result that is `Ok` so far by the new one.
pub(super) fn fill_in(results: &mut [Result<(), Error>], next: Vec<Result<(), Error>>) {
    let open = results.iter_mut().filter(|result| result.is_ok());
    open.zip(next).for_each(|(result, next)| *result = next);
}

/// Moves objects between two places, each in one step. An object that would take more than one step is `unsupported`.
pub(super) async fn move_many(
    source: &Reading,
    target: &Reading,
    requests: Vec<CopyRequest>,
) -> Vec<Result<(), Error>> {
    if ![source, target].into_iter().all(|side| side.features().move_to) {
        let unsupported = || Error::new(ErrorCode::Unsupported, "there is no move in one step");
        return requests.iter().map(|_| Err(unsupported())).collect();
    }
    // No file system moves over a certain version alone: there whatever is in the place makes room.
    let is_tree = target.features().directories;
    let moves = stream::iter(requests).map(async |CopyRequest { source: from, target: to, mut options }| {
        if is_tree && matches!(options.condition, WriteCondition::IfMatch(_)) {
            options.condition = WriteCondition::Always;
        }
        source.backend().move_to(from, target.backend(), to, options).await.map(drop)
    });
    moves.buffered(MOVES).collect().await
}

pub(super) fn is_unsupported<T>(result: &Result<T, Error>) -> bool {
    result.as_ref().is_err_and(|error| error.code() == ErrorCode::Unsupported)
}

/// Copies objects between two places: in one call if the host can, else by reading and writing.
pub(super) async fn copy_many(
    source: &Reading,
    target: &Reading,
    requests: Vec<CopyRequest>,
) -> Vec<Result<ObjectInfo, Error>> {
    if requests.is_empty() {
        return Vec::new();
    }
    let by_host = source.features().transfer || (source.shares_backend(target) && source.features().copy);
    let mut results = match by_host {
        true => source.backend().copy_many(requests.clone(), target.backend()).await,
        false => Vec::new(),
    }
    .into_iter();
    let mut copied = Vec::with_capacity(requests.len());
    for request in requests {
        copied.push(match results.next() {
            Some(Err(error)) if error.code() == ErrorCode::Unsupported => {
                through(source, target, request, None).await
            }
            Some(result) => result,
            None => through(source, target, request, None).await,
        });
    }
    copied
}

/// Reads any version of an object, or exactly one, and writes the body unchanged.
pub(super) async fn through(
    source: &Reading,
    target: &Reading,
    request: CopyRequest,
    if_match: Option<String>,
) -> Result<ObjectInfo, Error> {
    let CopyRequest { source: from, target: to, mut options } = request;
    let Reader { info, contents } =
        source.backend().read(from, ReadOptions { if_match, ..ReadOptions::default() }).await?;
    // A listing may not carry the size.
    options.expected_size = options.expected_size.or(info.size);
    let features = target.features();
    if features.content_type {
        options.content_type = info.content_type;
    }
    if features.set_modified {
        options.modified = info.modified;
    }
    if features.custom_metadata {
        options.metadata = info.metadata;
    }
    target.backend().write(to, contents, options).await
}
