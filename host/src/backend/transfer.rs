//! Between any two backends: read here, write there.

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, TryStreamExt};
use omnistorage_path::Path;

use super::{Backend, Contents, ReadOptions, WriteOptions};
use crate::{error::Result, object::ObjectInfo};

/// Objects of up to so many bytes are written by value: one call of the target instead of three, each of which may wait
/// for a thread or for a store.
const SMALL: u64 = 256 * 1024;

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

    if let Some(size) = reader.info.size.filter(|size| *size <= SMALL) {
        let contents = whole(reader.contents, size).await?;
        let bytes = contents.len() as u64;
        let written = target_backend.write_all(target, contents, &options).await?;
        options.meter.moved(bytes);
        return Ok(written);
    }
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

/// What should be `size` bytes, in one piece; of more, only so much that it shows.
async fn whole(mut contents: Contents, size: u64) -> Result<Bytes> {
    let Some(first) = contents.try_next().await? else { return Ok(Bytes::new()) };
    // The end is waited for: what comes then may say that the bytes are wrong.
    let Some(second) = contents.try_next().await? else { return Ok(first) };
    let mut all = BytesMut::from(&*first);
    all.extend_from_slice(&second);
    while all.len() as u64 <= size
        && let Some(chunk) = contents.try_next().await?
    {
        all.extend_from_slice(&chunk);
    }
    Ok(all.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, ErrorCode};

    fn contents(chunks: &[&'static str], end: Option<ErrorCode>) -> Contents {
        let chunks: Vec<_> = chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))).collect();
        let end = end.map(|code| Err(Error::new(code, "at the end")));
        // One that may not be asked again after its end, as most streams.
        futures::stream::unfold(chunks.into_iter().chain(end), |mut chunks| async {
            chunks.next().map(|chunk| (chunk, chunks))
        })
        .boxed()
    }

    #[tokio::test]
    async fn small_contents_come_in_one_piece() {
        for (chunks, size, expected) in [
            (&[][..], 0, ""),
            (&["abc"], 3, "abc"),
            (&["a", "", "bc"], 3, "abc"),
            (&["ab"], 3, "ab"),
            // More than there should be, so that whoever checks the size sees it.
            (&["abc", "d", "never asked for"], 3, "abcd"),
        ] {
            assert_eq!(whole(contents(chunks, None), size).await.unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn an_error_behind_all_bytes_is_one() {
        for chunks in [&[][..], &["abc"], &["a", "bc"]] {
            let error = whole(contents(chunks, Some(ErrorCode::Corrupted)), 3).await.unwrap_err();
            assert_eq!(error.code(), ErrorCode::Corrupted);
        }
    }
}
