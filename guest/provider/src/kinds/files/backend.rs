//! A granted directory as a [`Backend`].

use std::{any::Any, fmt, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use omnistorage::{
    Backend, ObjectInfo, Path, Result, Timestamp,
    backend::{
        Capabilities, CopyRequest, Features, ListOptions, Listing, ReadOptions, Reader, Upload, WriteOptions,
        limited,
    },
};
use send_wrapper::SendWrapper;

use super::{
    KIND,
    copy::Request,
    directory::{Directory, Root},
    listing::FilesListing,
    read, remove, sweep,
    upload::{FilesUpload, Writing},
};

/// Objects as files below a directory; see the [module](super).
pub(super) struct FilesBackend {
    root: SendWrapper<Directory>,
}

impl FilesBackend {
    pub(super) fn new(root: Directory) -> Self {
        Self { root: SendWrapper::new(root) }
    }

    /// For one call.
    fn root(&self) -> Root {
        Root::new(&self.root)
    }
}

impl fmt::Debug for FilesBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FilesBackend")
    }
}

/// A future that is only ever polled by the one thread of a component; its errors get the path.
macro_rules! at {
    ($path:expr, $($body:tt)*) => {
        SendWrapper::new(async { $($body)* }).await.map_err(|error: omnistorage::Error| error.at(KIND, $path))
    };
}

#[async_trait]
impl Backend for FilesBackend {
    fn kind(&self) -> &str {
        KIND
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            features: Features {
                copy: true,
                move_to: true,
                purge: true,
                transfer: false,
                directories: true,
                set_modified: true,
                custom_metadata: false,
                content_type: false,
                range_read: true,
                atomic_write: true,
                if_absent: true,
                if_match: false,
                sorted_list: true,
                listed_times: true,
                batches: true,
                conditional_copy: true,
                conditional_delete: false,
                partial_list: false,
            },
            hashes: Vec::new(),
            modified_precision: Some(Duration::from_nanos(1)),
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader> {
        at!(path, read::read(&self.root(), path, options).await)
    }

    async fn write(&self, path: &Path, options: &WriteOptions) -> Result<Box<dyn Upload>> {
        at!(path, {
            let writing = Writing::begin(&self.root(), path, options).await?;
            Ok(Box::new(FilesUpload::new(writing)) as Box<dyn Upload>)
        })
    }

    async fn write_all(&self, path: &Path, contents: Bytes, options: &WriteOptions) -> Result<ObjectInfo> {
        at!(path, {
            let mut writing = Writing::begin(&self.root(), path, options).await?;
            writing.push(contents).await?;
            writing.commit().await
        })
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        at!(path, read::stat(&self.root(), path).await)
    }

    async fn list(&self, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
        at!(prefix, {
            let listing = FilesListing::begin(&self.root(), prefix, options).await?;
            Ok(limited(Box::new(listing), options.limit))
        })
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        SendWrapper::new(async {
            let (root, mut results) = (self.root(), Vec::with_capacity(paths.len()));
            for path in paths {
                results.push(remove::delete(&root, path).await.map_err(|error| error.at(KIND, path)));
            }
            results
        })
        .await
    }

    async fn mkdir(&self, path: &Path) -> Result<()> {
        at!(path, remove::mkdir(&self.root(), path).await)
    }

    async fn rmdir(&self, path: &Path) -> Result<()> {
        at!(path, remove::rmdir(&self.root(), path).await)
    }

    async fn purge(&self, prefix: &Path) -> Result<u64> {
        at!(prefix, remove::purge(&self.root(), prefix).await)
    }

    async fn sweep(&self, prefix: &Path, older_than: Duration) -> Result<u64> {
        at!(prefix, sweep::sweep(&self.root(), prefix, older_than).await)
    }

    async fn copy_to(
        &self,
        source: &Path,
        target_backend: &dyn Backend,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let Some(to) = target_backend.as_any().downcast_ref::<Self>() else {
            return target_backend.copy_from(self, source, target, options).await;
        };
        at!(source, {
            let (from, to) = (&self.root(), &to.root());
            Request { from, source, to, target, options }.copy().await
        })
    }

    async fn copy_many(
        &self,
        requests: &[CopyRequest],
        target_backend: &dyn Backend,
    ) -> Vec<Result<ObjectInfo>> {
        let mut results = Vec::with_capacity(requests.len());
        let Some(to) = target_backend.as_any().downcast_ref::<Self>() else {
            for CopyRequest { source, target, options } in requests {
                results.push(target_backend.copy_from(self, source, target, options).await);
            }
            return results;
        };
        SendWrapper::new(async {
            let (from, to) = (&self.root(), &to.root());
            for CopyRequest { source, target, options } in requests {
                let copied = Request { from, source, to, target, options }.copy().await;
                results.push(copied.map_err(|error| error.at(KIND, source)));
            }
            results
        })
        .await
    }

    async fn move_to(
        &self,
        source: &Path,
        target_backend: &dyn Backend,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let Some(to) = target_backend.as_any().downcast_ref::<Self>() else {
            return target_backend.move_from(self, source, target, options).await;
        };
        at!(source, {
            let (from, to) = (&self.root(), &to.root());
            Request { from, source, to, target, options }.rename().await
        })
    }

    async fn set_modified(&self, path: &Path, modified: Timestamp) -> Result<()> {
        at!(path, read::set_modified(&self.root(), path, modified).await)
    }

    async fn close(&self) -> Result<()> {
        // The directory is the host's, and other handles may lead to it.
        Ok(())
    }
}
