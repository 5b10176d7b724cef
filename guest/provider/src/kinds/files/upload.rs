//! Writes: by chunks or by value.

use async_trait::async_trait;
use bytes::Bytes;
use omnistorage::{
    Error, ErrorCode, ObjectInfo, Path, Result,
    backend::{Announced, Upload, WriteCondition, WriteOptions},
};
use send_wrapper::SendWrapper;
use wasip3::filesystem::types::NewTimestamp;

use super::{
    KIND,
    directory::Directory,
    failure::failure,
    info::{of_open, time},
    place,
    temporary::Temporary,
};

/// An object in the making.
pub(super) struct Writing {
    root: Directory,
    path: Path,
    temporary: Temporary,
    announced: Announced,
    modified: Option<NewTimestamp>,
    is_exclusive: bool,
}

impl Writing {
    /// Begins to write; fails at once if something stands at the path that cannot be replaced.
    ///
    /// # Errors
    /// As [`Backend::write`](omnistorage::Backend::write).
    pub(super) async fn begin(root: &Directory, path: &Path, options: &WriteOptions) -> Result<Self> {
        place::check_options(options, path)?;
        let modified = options.modified.map(time).transpose()?;
        let is_exclusive = options.condition == WriteCondition::IfAbsent;
        let directory = place::begin(root, path, is_exclusive).await?;
        let temporary = Temporary::create(&directory).await.map_err(|errno| failure(errno, path))?;
        let announced = Announced::new(options);
        Ok(Self { root: root.clone(), path: path.clone(), temporary, announced, modified, is_exclusive })
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// As [`Upload::push`].
    pub(super) async fn push(&mut self, chunk: Bytes) -> Result<()> {
        self.announced.update(&chunk);
        self.temporary.write(chunk.into()).await.map_err(|errno| failure(errno, &self.path))
    }

    /// Puts the object in place.
    ///
    /// # Errors
    /// As [`Upload::commit`].
    pub(super) async fn commit(&mut self) -> Result<ObjectInfo> {
        self.announced.check()?;
        let path = &self.path;
        let failed = |errno| failure(errno, path);
        self.temporary.end(self.modified).await.map_err(failed)?;
        let info = of_open(self.temporary.file(), path.clone()).await.map_err(failed)?;
        if info.size != Some(self.announced.size()) {
            let message = format!("{} bytes were written, and the file has others", self.announced.size());
            return Err(Error::new(ErrorCode::Corrupted, message));
        }
        place::put(&mut self.temporary, &self.root, path, self.is_exclusive).await?;
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
