//! The way of a copy from elsewhere into what a decorator decorates.

use omnistorage_types::Path;

use super::{Backend, WriteOptions};
use crate::{ObjectInfo, Result};

/// Goes on to copy into what is inside of a decorator: straight through those that are left, since the source knows no
/// shorter way to any of them, and at the last it is the source that is asked.
pub(super) async fn copy(
    inside: &dyn Backend,
    source_backend: &dyn Backend,
    source: &Path,
    target: &Path,
    options: &WriteOptions,
) -> Result<ObjectInfo> {
    match inside.is_decorator() {
        true => inside.copy_from(source_backend, source, target, options).await,
        false => source_backend.copy_to(source, inside, target, options).await,
    }
}

/// The same for a move.
pub(super) async fn relocate(
    inside: &dyn Backend,
    source_backend: &dyn Backend,
    source: &Path,
    target: &Path,
    options: &WriteOptions,
) -> Result<ObjectInfo> {
    match inside.is_decorator() {
        true => inside.move_from(source_backend, source, target, options).await,
        false => source_backend.move_to(source, inside, target, options).await,
    }
}
