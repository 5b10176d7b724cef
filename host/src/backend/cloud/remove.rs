//! Deletes by keys: those of paths, and all below a prefix.

use std::sync::Arc;

use futures::{TryStreamExt, stream};
use omnistorage_types::Path;

use super::{
    pages::{Order, Pages, Trail},
    store::{Doomed, Store, stat},
};
use crate::{
    Error, ErrorCode, ObjectKind, Result,
    backend::{ListOptions, ObjectVersion},
};

/// How many pages of keys are deleted at once.
const PAGES_IN_FLIGHT: usize = 4;

/// Deletes objects: one result for each path, in their order.
pub(in crate::backend) async fn delete(store: &impl Store, paths: &[Path]) -> Vec<Result<()>> {
    let keys = paths.iter().map(|path| Ok((store.key(path)?, None))).collect();
    delete_keys(store, keys).await
}

/// Deletes objects that are still of these versions: one result for each version, in their order.
pub(in crate::backend) async fn delete_if_match<S: Store>(
    store: &S,
    versions: &[ObjectVersion],
) -> Vec<Result<()>> {
    if !store.capabilities().features.conditional_delete {
        let unsupported = || Error::unsupported(S::KIND, "conditions for deletes, as it is configured");
        return versions.iter().map(|_| Err(unsupported())).collect();
    }
    let key =
        |ObjectVersion { path, etag }: &_| Ok((store.key(path)?, Some(store.condition(etag)?.to_owned())));
    delete_keys(store, versions.iter().map(key).collect()).await
}

async fn delete_keys(store: &impl Store, keys: Vec<Result<(String, Option<String>)>>) -> Vec<Result<()>> {
    let legal = keys.iter().flatten();
    let legal: Vec<_> = legal.map(|(key, etag)| Doomed { key, if_match: etag.as_deref() }).collect();
    let mut results = store.delete_keys(&legal).await.into_iter();
    let in_order = keys.iter().map(|key| match key {
        Ok(_) => results
            .next()
            .unwrap_or_else(|| Err(Error::new(ErrorCode::Other, "nothing is known of what became of it"))),
        Err(error) => Err(error.clone()),
    });
    in_order.collect()
}

/// The result of deleting all keys of a page, or of several.
#[derive(Default)]
struct Purged {
    /// How many objects are gone. Markers of directories are not counted.
    objects: u64,
    is_empty: bool,
    /// How many keys are left.
    left: u64,
    /// Why a key is left, if one is. An error that no retry mends takes precedence.
    error: Option<Error>,
}

impl Purged {
    fn nothing() -> Self {
        Self { is_empty: true, ..Self::default() }
    }

    fn and(self, other: Self) -> Self {
        let error = match (self.error, other.error) {
            (Some(one), Some(other)) if one.code().may_pass() => Some(other),
            (one, other) => one.or(other),
        };
        Self {
            objects: self.objects + other.objects,
            is_empty: self.is_empty & other.is_empty,
            left: self.left + other.left,
            error,
        }
    }

    /// The number of objects, if all of them are gone.
    fn count(self) -> Result<u64> {
        match self.error {
            None => Ok(self.objects),
            Some(error) if self.left == 1 => Err(error),
            Some(error) => Err(error.with_note(format_args!("{} others are left, too", self.left - 1))),
        }
    }
}

/// Deletes all below a path; gives the number of objects. Markers of directories go too, and are not counted. While some pages are deleted, the next one is listed: a page begins
/// after a key, whether or not that key is still there. A key that cannot be deleted does not stop the others.
///
/// # Errors
/// [`ErrorCode::NotDirectory`] if the path is an object; [`ErrorCode::Corrupted`] if the store lists something else, of
/// which nothing is deleted; and why a key is left.
pub(in crate::backend) async fn purge<S: Store>(store: &Arc<S>, path: &Path) -> Result<u64> {
    let options = ListOptions { recursive: true, ..ListOptions::default() };
    let pages = S::pages(store, path, &options)?;
    let key_prefix = &super::key_prefix(store.prefix(), path)?;
    let way = (Arc::new(pages), Trail::new(key_prefix), Some(None));
    let listed = stream::try_unfold(way, |(pages, mut trail, token)| async move {
        let Some(token) = token else { return Ok::<_, Error>(None) };
        let page = pages.page(Option::as_deref(&token), Order::Keys).await?;
        trail.accept(&page)?;
        Ok(Some(((page.objects, page.failures), (pages, trail, page.next.map(Some)))))
    });
    let deleted = listed.map_ok(|(objects, failures)| {
        let store = Arc::clone(store);
        async move {
            let keys: Vec<_> = objects.iter().map(|(key, _)| key.as_str()).collect();
            let is_empty = keys.is_empty() && failures.is_empty();
            let mut purged = Purged { is_empty, ..Purged::default() };
            for failure in failures {
                purged = purged.and(Purged { left: 1, error: Some(failure.error), ..Purged::default() });
            }
            let doomed: Vec<_> = keys.iter().map(|key| Doomed::always(key)).collect();
            for (key, deleted) in keys.iter().zip(store.delete_keys(&doomed).await) {
                match deleted {
                    Ok(()) => purged.objects += u64::from(!key.ends_with('/')),
                    Err(error) => {
                        let error = error.at(S::KIND, &place(key, key_prefix, path));
                        purged = purged.and(Purged { left: 1, error: Some(error), ..Purged::default() });
                    }
                }
            }
            Ok(purged)
        }
    });
    let purged = deleted
        .try_buffer_unordered(PAGES_IN_FLIGHT)
        .try_fold(Purged::nothing(), |all, some| async move { Ok(all.and(some)) })
        .await?;
    if purged.is_empty && !path.is_root() {
        match stat(&**store, path).await {
            Ok(info) if info.kind == ObjectKind::Object => {
                return Err(Error::new(ErrorCode::NotDirectory, "it is an object"));
            }
            Err(error) if error.code() != ErrorCode::NotFound => return Err(error),
            _ => {}
        }
    }
    purged.count()
}

/// The path of a key below a path, or as much of it as is one.
fn place(key: &str, key_prefix: &str, path: &Path) -> Path {
    let below = key.strip_prefix(key_prefix).unwrap_or(key);
    let below = Path::parse(below).ok().and_then(|below| path.join(&below).ok());
    below.unwrap_or_else(|| path.clone())
}
