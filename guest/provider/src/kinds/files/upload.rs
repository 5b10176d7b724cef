//! Writes: by chunks or by value.

use async_trait::async_trait;
use bytes::Bytes;
use omnistorage::{
    Error, ErrorCode, ObjectInfo, Path, Result,
    backend::{Announced, Upload, WriteCondition, WriteOptions},
};
use send_wrapper::SendWrapper;
use wasip3::filesystem::types::{ErrorCode as Errno, NewTimestamp};
use wit_bindgen::StreamReader;

use super::{
    KIND,
    directory::{Directory, Root},
    failure::failure,
    info::{of_open, time},
    place::{self, Found, gone},
    temporary::Temporary,
};

/// An object in the making.
pub(super) struct Writing {
    root: Directory,
    path: Path,
    temporary: Temporary,
    announced: Announced,
    /// How many bytes the host was to move by itself.
    piped: Option<u64>,
    modified: Option<NewTimestamp>,
    is_exclusive: bool,
    is_parent: bool,
}

impl Writing {
    /// Begins to write; fails at once if something stands at the path that cannot be replaced.
    ///
    /// # Errors
    /// As [`Backend::write`](omnistorage::Backend::write).
    pub(super) async fn begin(root: &Root, path: &Path, options: &WriteOptions) -> Result<Self> {
        place::check_options(options, path)?;
        let found = place::find(root, path, options.condition == WriteCondition::IfAbsent).await?;
        Self::at(root, path, &found, options).await
    }

    /// The same where it is known already what stands at the path.
    ///
    /// # Errors
    /// As [`Writing::begin`].
    pub(super) async fn at(root: &Root, path: &Path, found: &Found, options: &WriteOptions) -> Result<Self> {
        let modified = options.modified.map(time).transpose()?;
        let temporary = Temporary::create(&found.directory).await.map_err(|errno| match errno {
            Errno::NoEntry => gone(path),
            errno => failure(errno, path),
        })?;
        Ok(Self {
            root: root.top.clone(),
            path: path.clone(),
            temporary,
            announced: Announced::new(options),
            piped: None,
            modified,
            is_exclusive: options.condition == WriteCondition::IfAbsent,
            is_parent: found.is_parent,
        })
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// As [`Upload::push`].
    pub(super) async fn push(&mut self, chunk: Bytes) -> Result<()> {
        self.announced.update(&chunk);
        self.temporary.write(chunk.into()).await.map_err(|errno| failure(errno, &self.path))
    }

    /// Takes all bytes, of which there must be so many, from a stream of the host's, whose hash nobody asks for.
    ///
    /// # Errors
    /// As [`Upload::push`].
    pub(super) async fn fill(&mut self, stream: StreamReader<u8>, size: u64) -> Result<()> {
        self.piped = Some(size);
        self.temporary.fill(stream).await.map_err(|errno| failure(errno, &self.path))
    }

    /// Puts the object in place.
    ///
    /// # Errors
    /// As [`Upload::commit`].
    pub(super) async fn commit(&mut self) -> Result<ObjectInfo> {
        let path = &self.path;
        let size = match self.piped {
            Some(size) => size,
            None => self.announced.check().map(|()| self.announced.size())?,
        };
        let failed = |errno| failure(errno, path);
        self.temporary.end(self.modified).await.map_err(failed)?;
        let info = of_open(self.temporary.file(), path.clone()).await.map_err(failed)?;
        if info.size != Some(size) {
            let message = format!("the file has not the {size} bytes that were to be written");
            return Err(Error::new(ErrorCode::Corrupted, message));
        }
        place::put(&mut self.temporary, &self.root, path, self.is_exclusive, self.is_parent).await?;
        Ok(info)
    }

    async fn abort(mut self) {
        self.temporary.remove().await;
    }
}

/// A write by chunks.
pub(super) struct FilesUpload(SendWrapper<Writing>);

impl FilesUpload {
    pub(super) fn new(writing: Writing) -> Self {
        Self(SendWrapper::new(writing))
    }
}

#[async_trait]
impl Upload for FilesUpload {
    async fn push(&mut self, chunk: Bytes) -> Result<()> {
        let path = self.0.path.clone();
        SendWrapper::new(self.0.push(chunk)).await.map_err(|error| error.at(KIND, &path))
    }

    async fn commit(mut self: Box<Self>) -> Result<ObjectInfo> {
        let path = self.0.path.clone();
        let committed = SendWrapper::new(self.0.commit()).await;
        committed.map_err(|error| error.at(KIND, &path))
    }

    async fn abort(self: Box<Self>) {
        let writing = self.0.take();
        SendWrapper::new(writing.abort()).await;
    }
}
