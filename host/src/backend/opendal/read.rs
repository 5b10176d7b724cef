//! Reading: a range of one version, checked against its length.

use ::opendal::{
    BytesRange,
    raw::{OpRead, oio},
};
use futures::{StreamExt, stream};
use omnistorage_types::Path;
use tokio::time::Instant;

use super::{
    super::{ReadOptions, Reader, WriteOptions, require_object, throughput::Throughput},
    KIND, Shared,
    convert::failed,
};
use crate::{Error, ErrorCode, Hasher, ObjectInfo, ObjectKind, Result};

impl Shared {
    pub(super) async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader> {
        require_object(path)?;
        let info = self.require_version(path, options.if_match.as_deref()).await?;
        let size = info.size.unwrap_or_default();
        let offset = options.offset.min(size);
        let length = options.length.unwrap_or(u64::MAX).min(size - offset);
        if length == 0 {
            return Ok(Reader { info, contents: stream::empty().boxed() });
        }
        let is_part = length < size;
        let range = if is_part { BytesRange::new(offset, Some(length)) } else { BytesRange::default() };
        let opened = async {
            let reader = self.0.calls.read_dyn(&self.0.context, path.as_str(), OpRead::new())?;
            reader.open_dyn(range).await
        };
        let (_, body) = opened.await.map_err(|error| failed(&error))?;
        let reading = Reading {
            service: self.clone(),
            path: path.clone(),
            if_match: options.if_match.clone(),
            left: length,
            throughput: Throughput::new(self.0.io_timeout),
            body,
        };
        let contents = stream::try_unfold(reading, Reading::next).boxed();
        Ok(Reader { info, contents })
    }

    /// What is known about an object, which must be of that version.
    pub(super) async fn require_version(&self, path: &Path, etag: Option<&str>) -> Result<ObjectInfo> {
        let info = self.stat(path).await?;
        if info.kind == ObjectKind::Directory {
            return Err(Error::new(ErrorCode::IsDirectory, "a directory is there"));
        }
        if etag.is_some() && info.etag.as_deref() != etag {
            return Err(Error::new(ErrorCode::PreconditionFailed, "the object is another one by now"));
        }
        Ok(info)
    }

    /// Checks an object that is copied or moved against what is expected of it.
    pub(super) async fn require_expected(
        &self,
        path: &Path,
        info: &ObjectInfo,
        options: &WriteOptions,
    ) -> Result<()> {
        if let (Some(expected), Some(size)) = (options.expected_size, info.size)
            && expected != size
        {
            let message = format!("{expected} bytes were expected and there are {size}");
            return Err(Error::new(ErrorCode::Corrupted, message));
        }
        if let Some(expected) = &options.expected_hash {
            let mut contents = self.read(path, &ReadOptions::default()).await?.contents;
            let mut hasher = Hasher::new(expected.algorithm);
            while let Some(chunk) = contents.next().await {
                hasher.update(&chunk?);
            }
            let actual = hasher.finish();
            if actual != *expected {
                let message = format!("the {} {expected} was expected and is {actual}", expected.algorithm);
                return Err(Error::new(ErrorCode::Corrupted, message));
            }
        }
        Ok(())
    }
}

/// A body that is being read.
struct Reading {
    service: Shared,
    path: Path,
    if_match: Option<String>,
    left: u64,
    throughput: Throughput,
    body: Box<dyn oio::ReadStreamDyn>,
}

impl Reading {
    /// The next bytes. If a server sends the whole object, OpenDAL takes it for the range, and if it sends too few
    /// bytes, for all of them.
    async fn next(mut self) -> Result<Option<(bytes::Bytes, Self)>> {
        let at = |error: Error| error.at(KIND, &self.path);
        self.service.check_open().map_err(at)?;
        if self.left == 0 {
            // The service was asked for the version before it was asked for the bytes; in between another one may have
            // come.
            if self.if_match.is_some() {
                self.service.require_version(&self.path, self.if_match.as_deref()).await.map_err(at)?;
            }
            return Ok(None);
        }
        let asked = Instant::now();
        let chunk = self.body.read_dyn().await.map_err(|error| at(failed(&error)))?;
        if !chunk.is_empty() && !self.throughput.goes_on(asked.elapsed(), chunk.len()) {
            let message = "the service sends next to nothing; try again later";
            return Err(at(Error::new(ErrorCode::Timeout, message)));
        }
        match u64::try_from(chunk.len()) {
            Ok(0) => {
                let message = format!("the body ended {} bytes before its end", self.left);
                Err(at(Error::new(ErrorCode::Unavailable, message)))
            }
            Ok(count) if count <= self.left => {
                self.left -= count;
                Ok(Some((chunk.to_bytes(), self)))
            }
            _ => {
                let message = "the service sent more bytes than it was asked for";
                Err(at(Error::new(ErrorCode::Corrupted, message)))
            }
        }
    }
}
