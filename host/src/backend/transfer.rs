//! Transfers between any two backends: reads from one, writes to the other.

mod ahead;

use bytes::{Bytes, BytesMut};
use omnistorage_types::Path;

use self::ahead::{Body, Ranges};
use super::{Backend, Meter, ReadOptions, Upload, WriteOptions};
use crate::{Error, ObjectInfo, Result};

/// Objects of up to this many bytes are written by value: one call of the target instead of three, each of which may
/// wait for a thread or for a store.
const SMALL: u64 = 256 * 1024;

/// Copies an object by its bytes, with back-pressure. Content type, modification time and metadata come along as far
/// as both sides keep them, each unless the options give another.
///
/// An object of 256 MiB or more that comes over a network is read by up to four ranges at once, if the options expect
/// its size and the source reads ranges and tells its etag. All such transfers together hold no more than 64 MiB of
/// what they read ahead.
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
    transfer_by(Ranges::DEFAULT, source_backend, source, target_backend, target, options).await
}

async fn transfer_by(
    ranges: Ranges<'_>,
    source_backend: &dyn Backend,
    source: &Path,
    target_backend: &dyn Backend,
    target: &Path,
    options: &WriteOptions,
) -> Result<ObjectInfo> {
    let (info, mut body) = match ranges.open(source_backend, source, options.expected_size).await {
        Some(opened) => opened,
        None => {
            let reader = source_backend.read(source, &ReadOptions::default()).await?;
            (reader.info, Body::of(reader.contents))
        }
    };
    let features = target_backend.capabilities().features;
    let mut options = options.clone();
    if features.content_type {
        options.content_type = options.content_type.or(info.content_type);
    }
    if features.set_modified {
        options.modified = options.modified.or(info.modified);
    }
    if features.custom_metadata && options.metadata.is_empty() {
        options.metadata = info.metadata;
    }
    options.expected_size = options.expected_size.or(info.size);

    if let Some(size) = info.size.filter(|size| *size <= SMALL) {
        let contents = whole(body, size).await?;
        let bytes = contents.len() as u64;
        let written = target_backend.write_all(target, contents, &options).await.map_err(Error::on_target)?;
        options.meter.moved(bytes);
        return Ok(written);
    }
    let mut upload = body.during(target_backend.write(target, &options)).await.map_err(Error::on_target)?;
    if let Err(error) = push_all(body, &mut *upload, &options.meter).await {
        upload.abort().await;
        return Err(error);
    }
    upload.commit().await.map_err(Error::on_target)
}

async fn push_all(mut body: Body<'_>, upload: &mut dyn Upload, meter: &Meter) -> Result<()> {
    while let Some(chunk) = body.next().await? {
        let bytes = chunk.len() as u64;
        body.during(upload.push(chunk)).await.map_err(Error::on_target)?;
        meter.moved(bytes);
    }
    Ok(())
}

/// Contents that should be `size` bytes, in one piece. If there are more, just enough of them to show it.
async fn whole(mut body: Body<'_>, size: u64) -> Result<Bytes> {
    let Some(first) = body.next().await? else { return Ok(Bytes::new()) };
    // We wait for the end, because an error may come there that says the bytes are wrong.
    let Some(second) = body.next().await? else { return Ok(first) };
    let mut all = BytesMut::from(&*first);
    all.extend_from_slice(&second);
    while all.len() as u64 <= size
        && let Some(chunk) = body.next().await?
    {
        all.extend_from_slice(&chunk);
    }
    Ok(all.freeze())
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;

    use super::*;
    use crate::ErrorCode;

    fn body(chunks: &[&'static str], end: Option<ErrorCode>) -> Body<'static> {
        let chunks: Vec<_> = chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))).collect();
        let end = end.map(|code| Err(Error::new(code, "at the end")));
        // A stream that, like most, must not be polled again after its end.
        let chunks = futures::stream::unfold(chunks.into_iter().chain(end), |mut chunks| async {
            chunks.next().map(|chunk| (chunk, chunks))
        });
        Body::of(chunks.boxed())
    }

    #[tokio::test]
    async fn small_contents_come_in_one_piece() {
        for (chunks, size, expected) in [
            (&[][..], 0, ""),
            (&["abc"], 3, "abc"),
            (&["a", "", "bc"], 3, "abc"),
            (&["ab"], 3, "ab"),
            // More than there should be, so that the check of the size fails.
            (&["abc", "d", "never asked for"], 3, "abcd"),
        ] {
            assert_eq!(whole(body(chunks, None), size).await.unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn an_error_behind_all_bytes_is_one() {
        for chunks in [&[][..], &["abc"], &["a", "bc"]] {
            let error = whole(body(chunks, Some(ErrorCode::Corrupted)), 3).await.unwrap_err();
            assert_eq!(error.code(), ErrorCode::Corrupted);
        }
    }
}
