//! Deleting by keys: what paths come to, and all below a prefix.

use async_trait::async_trait;
use omnistorage_path::Path;

use super::listing::Pages;
use crate::{
    error::{Error, ErrorCode, Result},
    object::{ObjectInfo, ObjectKind},
};

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
/// go too, and are not counted.
///
/// # Errors
/// [`ErrorCode::NotDirectory`] if the prefix is an object.
pub(in crate::backend) async fn purge(store: &impl Keys, pages: impl Pages, prefix: &Path) -> Result<u64> {
    let (mut token, mut count) = (None, 0);
    let mut is_empty = true;
    loop {
        let page = pages.page(token.as_deref()).await?;
        let keys: Vec<_> = page.objects.iter().map(|(key, _)| key.as_str()).collect();
        is_empty &= keys.is_empty();
        for result in store.delete(&keys).await {
            result?;
        }
        count += keys.iter().filter(|key| !key.ends_with('/')).count() as u64;
        token = page.next;
        if token.is_none() {
            break;
        }
    }
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
