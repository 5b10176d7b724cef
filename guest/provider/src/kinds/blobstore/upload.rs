//! Writes: to an object of a temporary name, which is moved into place once it is whole.

use async_trait::async_trait;
use bytes::Bytes;
use omnistorage::{
    Error, ErrorCode, ObjectInfo, ObjectKind, Path, Result,
    backend::{Announced, Upload, WriteOptions, require_object},
};

use super::{
    KIND,
    bindings::wasi::{
        blobstore::types::OutgoingValue,
        io::streams::{OutputStream, StreamError},
    },
    container::Container,
    failure::{broken, failure},
    names,
};

/// An object of a temporary name, gone when dropped unless it was put in place.
pub(super) struct Temporary {
    container: Container,
    /// `None` once it has the name of its object.
    name: Option<String>,
}

impl Temporary {
    /// The name for a write to a path, which must be one of an object.
    ///
    /// # Errors
    /// [`ErrorCode::IsDirectory`] for the root; [`ErrorCode::InvalidPath`].
    pub(super) fn new(container: &Container, path: &Path) -> Result<Self> {
        require_object(path)?;
        names::check(path)?;
        Ok(Self { container: container.clone(), name: Some(names::temporary(path)) })
    }

    pub(super) fn name(&self) -> Result<&str> {
        self.name.as_deref().ok_or_else(|| Error::new(ErrorCode::WriterClosed, "the write is over"))
    }

    /// Puts it in place, if it is of that size.
    ///
    /// # Errors
    /// As [`Container::put`].
    pub(super) fn put(&mut self, path: &Path, size: u64) -> Result<ObjectInfo> {
        self.container.put(self.name()?, path, size)?;
        self.name = None;
        Ok(ObjectInfo { size: Some(size), ..ObjectInfo::new(path.clone(), ObjectKind::Object) })
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(name) = self.name.take() {
            // What cannot be removed is left for a sweep, as after a kill.
            let _ = self.container.delete(&name);
        }
    }
}

/// A write in the making. The order of the fields is that in which they may be dropped: some hosts store under the
/// temporary name what a dropped value has.
pub(super) struct BlobstoreUpload {
    stream: OutputStream,
    value: OutgoingValue,
    temporary: Temporary,
    path: Path,
    announced: Announced,
}

impl BlobstoreUpload {
    /// Begins to write.
    ///
    /// # Errors
    /// [`ErrorCode::Unsupported`], as [`Temporary::new`], and what the host says.
    pub(super) fn begin(container: &Container, path: &Path, options: &WriteOptions) -> Result<Self> {
        options.require_plain(KIND)?;
        let temporary = Temporary::new(container, path)?;
        let value = OutgoingValue::new_outgoing_value();
        // First the name: there are hosts that take no more bytes than a buffer holds before they know it.
        container.resource().write_data(temporary.name()?, &value).map_err(|told| failure(&told))?;
        let stream = value.outgoing_value_write_body().map_err(|()| failure("a value has no body"))?;
        Ok(Self { stream, value, temporary, path: path.clone(), announced: Announced::new(options) })
    }

    fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        let stream = &self.stream;
        self.announced.update(bytes);
        while !bytes.is_empty() {
            let permitted = match stream.check_write() {
                Ok(permitted) => usize::try_from(permitted).unwrap_or(usize::MAX).min(bytes.len()),
                Err(StreamError::Closed) => {
                    let message = "the host's blobstore takes no more bytes: it may have no room for objects this large";
                    return Err(Error::new(ErrorCode::NoSpace, message));
                }
                Err(error) => return Err(broken(&error)),
            };
            if permitted == 0 {
                stream.subscribe().block();
                continue;
            }
            let (now, later) = bytes.split_at(permitted);
            stream.write(now).map_err(|error| broken(&error))?;
            bytes = later;
        }
        Ok(())
    }

    fn finish(self) -> Result<ObjectInfo> {
        // What is bound last is dropped first, so an error drops them in the order above.
        let Self { announced, path, mut temporary, value, stream } = self;
        announced.check()?;
        match stream.blocking_flush() {
            // A stream that is full takes no more, and has what it took: the size tells.
            Ok(()) | Err(StreamError::Closed) => {}
            Err(error) => return Err(broken(&error)),
        }
        drop(stream);
        OutgoingValue::finish(value).map_err(|told| temporary.container.refusal(&path, &told))?;
        temporary.put(&path, announced.size())
    }
}

#[async_trait]
impl Upload for BlobstoreUpload {
    async fn push(&mut self, chunk: Bytes) -> Result<()> {
        self.write(&chunk).map_err(|error| error.at(KIND, &self.path))
    }

    async fn commit(self: Box<Self>) -> Result<ObjectInfo> {
        let path = self.path.clone();
        self.finish().map_err(|error| error.at(KIND, &path))
    }

    async fn abort(self: Box<Self>) {}
}
