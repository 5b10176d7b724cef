//! Between any two backends: read here, write there.

use futures::StreamExt;
use omnistorage_path::Path;

use super::{Backend, ReadOptions, WriteOptions};
use crate::{error::Result, object::ObjectInfo};

/// Copies an object by its bytes, with back-pressure. Content type, modification time and metadata come along as far
/// as both sides keep them, each unless the options give another.
///
/// # Errors
/// As [`Backend::read`], [`Backend::write`] and [`Upload::commit`](super::Upload::commit); the target is whole or as
/// it was.
pub async fn transfer(
    source_backend: &dyn Backend,
    source: &Path,
    target_backend: &dyn Backend,
    target: &Path,
    options: &WriteOptions,
) -> Result<ObjectInfo> {
    let reader = source_backend.read(source, &ReadOptions::default()).await?;
    let features = target_backend.capabilities().features;
    let mut options = options.clone();
    if features.content_type {
        options.content_type = options.content_type.or(reader.info.content_type);
    }
    if features.set_modified {
        options.modified = options.modified.or(reader.info.modified);
    }
    if features.custom_metadata && options.metadata.is_empty() {
        options.metadata = reader.info.metadata;
    }
    options.expected_size = options.expected_size.or(reader.info.size);

    let mut upload = target_backend.write(target, &options).await?;
    let mut contents = reader.contents;
    while let Some(chunk) = contents.next().await {
        let pushed = match chunk {
            Ok(chunk) => {
                let bytes = chunk.len() as u64;
                upload.push(chunk).await.map(|()| bytes)
            }
            Err(error) => Err(error),
        };
        match pushed {
            Ok(bytes) => options.meter.moved(bytes),
            Err(error) => {
                upload.abort().await;
                return Err(error);
            }
        }
    }
    upload.commit().await
}
