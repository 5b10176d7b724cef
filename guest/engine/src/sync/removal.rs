//! Deletes objects, many in one call.

use futures::{StreamExt, stream};
use omnistorage_core::entry::Entry;
use omnistorage_types::{Error, ErrorCode, ObjectVersion, Path};

use super::{
    copying::is_unsupported,
    place::{Reading, Writing},
    retry::retrying_many,
};
use crate::planted::{self, Bug};

/// How many objects are looked up again at a time.
const LOOKS: usize = 8;

/// An object that is to go, as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Doomed {
    /// Relative to its place.
    pub(super) path: Path,
    /// Its version, if that is known.
    pub(super) etag: Option<String>,
}

impl From<&Entry> for Doomed {
    fn from(seen: &Entry) -> Self {
        Self { path: seen.path.clone(), etag: seen.etag.clone() }
    }
}

impl From<Entry> for Doomed {
    fn from(seen: Entry) -> Self {
        Self { path: seen.path, etag: seen.etag }
    }
}

/// Deletes objects, and returns one result per path, in their order.
async fn delete(place: &Writing, paths: &[&Path]) -> Vec<Result<(), Error>> {
    if paths.is_empty() {
        return Vec::new();
    }
    retrying_many(&place.0.attempts, paths, async |paths| {
        let full: Result<Vec<_>, _> = paths.iter().map(|path| place.0.full(path)).collect();
        let deleted = match full {
            Ok(full) => place.0.backend().delete(full).await,
            Err(error) => return paths.iter().map(|_| Err(error.clone())).collect(),
        };
        one_each(place, &paths, deleted)
    })
    .await
}

/// Deletes objects of versions, and no others: one result each, in their order.
async fn delete_versions(place: &Writing, versions: &[(&Path, &str)]) -> Vec<Result<(), Error>> {
    if versions.is_empty() {
        return Vec::new();
    }
    retrying_many(&place.0.attempts, versions, async |versions| {
        let full = versions
            .iter()
            .map(|(path, etag)| Ok(ObjectVersion { path: place.0.full(path)?, etag: (*etag).to_owned() }));
        let deleted = match full.collect::<Result<Vec<_>, Error>>() {
            Ok(full) => place.0.backend().delete_if_match(full).await,
            Err(error) => return versions.iter().map(|_| Err(error.clone())).collect(),
        };
        let paths: Vec<_> = versions.iter().map(|(path, _)| *path).collect();
        one_each(place, &paths, deleted)
    })
    .await
}

fn one_each(place: &Writing, paths: &[&Path], results: Vec<Result<(), Error>>) -> Vec<Result<(), Error>> {
    let mut results = results.into_iter();
    let result = |path: &&Path| {
        let message = "the backend gave no result for it";
        results.next().unwrap_or_else(|| Err(place.0.error(ErrorCode::Other, path, message)))
    };
    paths.iter().map(result).collect()
}

/// Deletes objects as they were seen, where the store tells versions apart as it deletes: another version stays. What
/// it cannot tell of is `unsupported`.
async fn delete_as_seen(place: &Writing, doomed: &[&Doomed], message: &str) -> Vec<Result<(), Error>> {
    let can_tell = place.0.features().conditional_delete && !planted::has(Bug::ReplacesUnseen);
    let versions: Vec<_> = doomed
        .iter()
        .filter_map(|doomed| Some((&doomed.path, doomed.etag.as_deref().filter(|_| can_tell)?)))
        .collect();
    let mut deleted = delete_versions(place, &versions).await.into_iter();
    let result = |doomed: &&Doomed| {
        let untold = || Err(Error::new(ErrorCode::Unsupported, "no version is known"));
        let result = match doomed.etag {
            Some(_) if can_tell => deleted.next().unwrap_or_else(untold),
            _ => untold(),
        };
        result.map_err(|error| match error.code() {
            ErrorCode::PreconditionFailed => place.0.error(ErrorCode::Unavailable, &doomed.path, message),
            _ => error,
        })
    };
    doomed.iter().map(result).collect()
}

/// Puts results in place of those that are unsupported so far.
fn replace_unsupported(results: &mut [Result<(), Error>], next: Vec<Result<(), Error>>) {
    let open = results.iter_mut().filter(|result| is_unsupported(&**result));
    open.zip(next).for_each(|(result, next)| *result = next);
}

/// Deletes objects of the target as they were seen: one result each, in their order. Where the store cannot tell
/// versions apart as it deletes, and in a file system, whatever is there goes.
pub(super) async fn delete_seen(place: &Writing, doomed: &[&Doomed]) -> Vec<Result<(), Error>> {
    if place.0.is_file_system() {
        let paths: Vec<_> = doomed.iter().map(|doomed| &doomed.path).collect();
        return delete(place, &paths).await;
    }
    let message = "it changed on the target after it was listed, and stays: run it again";
    let mut results = delete_as_seen(place, doomed, message).await;
    let rest = doomed.iter().zip(&results).filter(|(_, result)| is_unsupported(result));
    let rest: Vec<_> = rest.map(|(doomed, _)| &doomed.path).collect();
    let rest = delete(place, &rest).await;
    replace_unsupported(&mut results, rest);
    results
}

/// Deletes objects, except those that are not what was listed any more. Where the store cannot tell that as it
/// deletes, it is looked at first.
pub(super) async fn delete_unchanged(source: &Writing, entries: &[&Entry]) -> Vec<Result<(), Error>> {
    const MESSAGE: &str = "it changed meanwhile, and stays where it is";
    let doomed: Vec<_> = entries.iter().map(|entry| Doomed::from(*entry)).collect();
    let mut results = delete_as_seen(source, &doomed.iter().collect::<Vec<_>>(), MESSAGE).await;
    let rest = entries.iter().zip(&results).filter(|(_, result)| is_unsupported(result));
    let rest: Vec<_> = rest.map(|(entry, _)| *entry).collect();
    let looks = stream::iter(&rest).map(async |entry| match is_unchanged(&source.0, entry).await? {
        true => Ok(()),
        false => Err(source.0.error(ErrorCode::Unavailable, &entry.path, MESSAGE)),
    });
    let mut looked: Vec<_> = looks.buffered(LOOKS).collect().await;
    let unchanged = rest.iter().zip(&looked).filter(|(_, look)| look.is_ok());
    let unchanged: Vec<_> = unchanged.map(|(entry, _)| &entry.path).collect();
    let mut deleted = delete(source, &unchanged).await.into_iter();
    for result in &mut looked {
        if result.is_ok()
            && let Some(deleted) = deleted.next()
        {
            *result = deleted;
        }
    }
    replace_unsupported(&mut results, looked);
    results
}

/// Whether an object is still what was listed. One that is gone counts: there is nothing left to lose.
pub(super) async fn is_unchanged(place: &Reading, entry: &Entry) -> Result<bool, Error> {
    let Some(now) = place.stat(&entry.path).await? else { return Ok(true) };
    let same = match (&entry.etag, &now.etag) {
        (Some(listed), Some(now)) => listed == now,
        _ => (entry.size, entry.modified) == (now.size, now.modified),
    };
    Ok(same && entry.kind == now.kind)
}
