//! Objects from one place to the other.

use omnistorage_core::{entry::Entry, sync::compare::Reason};

use super::sides::{Reading, Writing};
use crate::imports::{
    backend::{CopyRequest, Features, ReadOptions, WriteCondition, WriteOptions},
    types::{Error, ErrorCode, ObjectInfo},
};

/// An object to transfer, and why.
pub(super) type Item = (Entry, Reason);

/// Transfers objects, in one call if the host can.
pub(super) async fn transfer(
    source: Reading,
    target: Writing,
    items: Vec<Item>,
) -> Vec<(Item, Result<(), Error>)> {
    let mut results = match requests(&source, &target, &items) {
        Ok(requests) if by_host(&source, &target) => {
            source.backend().copy_many(requests, target.0.backend()).await
        }
        Ok(_) => Vec::new(),
        Err(error) => items.iter().map(|_| Err(error.clone())).collect(),
    }
    .into_iter();
    let mut done = Vec::with_capacity(items.len());
    for item in items {
        let copied = match results.next() {
            Some(Err(error)) if error.code == ErrorCode::Unsupported => {
                through(&source, &target, &item.0).await
            }
            Some(result) => result,
            None => through(&source, &target, &item.0).await,
        };
        let verified = copied.and_then(|written| verify(&target, &item.0, &written));
        done.push((item, verified));
    }
    done
}

/// Whether one call of the host copies from here to there.
fn by_host(source: &Reading, target: &Writing) -> bool {
    source.has(Features::TRANSFER) || (source.shares_backend(&target.0) && source.has(Features::COPY))
}

fn requests(source: &Reading, target: &Writing, items: &[Item]) -> Result<Vec<CopyRequest>, Error> {
    let request = |(entry, _): &Item| {
        let (from, to) = (source.full(&entry.path)?, target.0.full(&entry.path)?);
        Ok(CopyRequest { source: from, target: to, options: options(entry) })
    };
    items.iter().map(request).collect()
}

/// What must hold of the bytes; all that goes with them comes from the source.
fn options(entry: &Entry) -> WriteOptions {
    WriteOptions {
        condition: WriteCondition::Always,
        content_type: None,
        modified: None,
        metadata: Vec::new(),
        expected_size: entry.size,
        expected_hash: None,
    }
}

/// Reads and writes: the body is handed on untouched.
async fn through(source: &Reading, target: &Writing, entry: &Entry) -> Result<ObjectInfo, Error> {
    let read = ReadOptions { offset: 0, length: None, if_match: None };
    let reader = source.backend().read(source.full(&entry.path)?, read).await?;
    let mut options = options(entry);
    // A listing need not know the size.
    options.expected_size = options.expected_size.or(reader.info.size);
    if target.0.has(Features::CONTENT_TYPE) {
        options.content_type = reader.info.content_type;
    }
    if target.0.has(Features::SET_MODIFIED) {
        options.modified = reader.info.modified;
    }
    if target.0.has(Features::CUSTOM_METADATA) {
        options.metadata = reader.info.metadata;
    }
    let path = target.0.full(&entry.path)?;
    target.0.backend().write(path, reader.contents, reader.completion, options).await
}

/// The size is always checked, whatever the backend promised.
fn verify(target: &Writing, entry: &Entry, written: &ObjectInfo) -> Result<(), Error> {
    match (entry.size, written.size) {
        (Some(expected), Some(size)) if expected != size => {
            let message = format!("{size} bytes arrived of {expected}");
            Err(target.0.error(ErrorCode::Corrupted, &entry.path, &message))
        }
        _ => Ok(()),
    }
}
