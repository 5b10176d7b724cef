//! Deleting objects, many a call.

use futures::{StreamExt, stream};
use omnistorage_core::entry::Entry;
use omnistorage_types::{Error, ErrorCode, Path};

use super::{
    place::{Reading, Writing},
    retry::retrying_many,
};

/// Objects looked at once more, at a time.
const LOOKS: usize = 8;

/// Deletes objects: one result a path, in their order.
pub(super) async fn delete(place: &Writing, paths: &[&Path]) -> Vec<Result<(), Error>> {
    if paths.is_empty() {
        return Vec::new();
    }
    retrying_many(&place.0.attempts, paths, async |paths| {
        let full: Result<Vec<_>, _> = paths.iter().map(|path| place.0.full(path)).collect();
        let mut results = match full {
            Ok(full) => place.0.backend().delete(full).await,
            Err(error) => paths.iter().map(|_| Err(error.clone())).collect(),
        }
        .into_iter();
        let result = |path: &&Path| {
            let message = "the backend gave no result for it";
            results.next().unwrap_or_else(|| Err(place.0.error(ErrorCode::Other, path, message)))
        };
        paths.iter().map(result).collect()
    })
    .await
}

/// Deletes objects that may go, unless they are not what was listed any more.
pub(super) async fn delete_unchanged(source: &Writing, entries: &[&Entry]) -> Vec<Result<(), Error>> {
    let looks = stream::iter(entries).map(async |entry| match is_unchanged(&source.0, entry).await? {
        true => Ok(()),
        false => {
            let message = "it changed meanwhile, and stays where it is";
            Err(source.0.error(ErrorCode::Unavailable, &entry.path, message))
        }
    });
    let mut results: Vec<_> = looks.buffered(LOOKS).collect().await;
    let unchanged = entries.iter().zip(&results).filter(|(_, look)| look.is_ok());
    let unchanged: Vec<_> = unchanged.map(|(entry, _)| &entry.path).collect();
    let mut deleted = delete(source, &unchanged).await.into_iter();
    for result in &mut results {
        if result.is_ok()
            && let Some(deleted) = deleted.next()
        {
            *result = deleted;
        }
    }
    results
}

/// Whether an object is what was listed. One that is gone is: there is nothing left to lose.
pub(super) async fn is_unchanged(place: &Reading, entry: &Entry) -> Result<bool, Error> {
    let Some(now) = place.stat(&entry.path).await? else { return Ok(true) };
    let same = match (&entry.etag, &now.etag) {
        (Some(listed), Some(now)) => listed == now,
        _ => (entry.size, entry.modified) == (now.size, now.modified),
    };
    Ok(same && entry.kind == now.kind)
}
