//! Deleting by keys: what paths come to, and all below a prefix.

use std::sync::Arc;

use async_trait::async_trait;
use futures::{TryStreamExt, stream};
use omnistorage_path::Path;

use super::listing::Pages;
use crate::{
    error::{Error, ErrorCode, Result},
    object::{ObjectInfo, ObjectKind},
};

/// Of how many pages the keys are deleted at once.
const PAGES_IN_FLIGHT: usize = 4;

/// A store that deletes many keys a request.
#[async_trait]
pub(in crate::backend) trait Keys: Sync {
    /// The key of an object.
    fn key(&self, path: &Path) -> Result<String>;

    /// Deletes keys: one result a key, in their order.
    async fn delete(&self, keys: &[&str]) -> Vec<Result<()>>;

    /// What is at a path.
    async fn stat(&self, path: &Path) -> Result<ObjectInfo>;
}

/// Deletes objects: one result a path, in their order.
pub(in crate::backend) async fn delete(store: &impl Keys, paths: &[Path]) -> Vec<Result<()>> {
    let keys: Vec<_> = paths.iter().map(|path| store.key(path)).collect();
    let legal: Vec<&str> = keys.iter().flatten().map(String::as_str).collect();
    let mut results = store.delete(&legal).await.into_iter();
    let in_order = keys.iter().map(|key| match key {
        Ok(_) => results.next().unwrap_or(Ok(())),
        Err(error) => Err(error.clone()),
    });
    in_order.collect()
}

/// Deletes all that pages list, which are those below the prefix; gives the number of objects. Markers of directories
/// go too, and are not counted. While some pages are deleted, the next one is listed: a page begins behind a key, whether
/// or not that is still there.
///
/// # Errors
/// [`ErrorCode::NotDirectory`] if the prefix is an object.
pub(in crate::backend) async fn purge(
    store: &(impl Keys + Clone + 'static),
    pages: impl Pages,
    prefix: &Path,
) -> Result<u64> {
    let listed = stream::try_unfold((Arc::new(pages), Some(None)), |(pages, token)| async move {
        let Some(token) = token else { return Ok::<_, Error>(None) };
        let page = pages.page(Option::as_deref(&token)).await?;
        Ok(Some((page.objects, (pages, page.next.map(Some)))))
    });
    let deleted = listed.map_ok(|objects| {
        let store = store.clone();
        async move {
            let keys: Vec<_> = objects.iter().map(|(key, _)| key.as_str()).collect();
            store.delete(&keys).await.into_iter().collect::<Result<()>>()?;
            Ok((keys.is_empty(), keys.iter().filter(|key| !key.ends_with('/')).count() as u64))
        }
    });
    let (is_empty, count) = deleted
        .try_buffer_unordered(PAGES_IN_FLIGHT)
        .try_fold((true, 0), |(is_empty, count), (none, objects)| async move {
            Ok((is_empty & none, count + objects))
        })
        .await?;
    if is_empty && !prefix.is_root() {
        match store.stat(prefix).await {
            Ok(info) if info.kind == ObjectKind::Object => {
                return Err(Error::new(ErrorCode::NotDirectory, "it is an object"));
            }
            Err(error) if error.code() != ErrorCode::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(count)
}
