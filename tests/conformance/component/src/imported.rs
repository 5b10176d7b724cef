//! A backend of this crate's kind made of the import.

use std::{any::Any, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream};
use omnistorage::{
    Backend, Error, Hash, HashAlgorithm, ObjectInfo, Path, Result, Timestamp,
    backend::{
        Capabilities, CopyRequest, ListOptions, Listed, Listing, ObjectVersion, ReadOptions, Reader, Upload,
        WriteOptions,
    },
};
use send_wrapper::SendWrapper;
use wit_bindgen::{FutureReader, StreamReader, StreamResult};

use crate::{bindings::omnistorage::storage::types, upload::Sent, wit};

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;

/// The backend of a name. A component has one thread, so what cannot leave it may be wrapped as if it could.
#[derive(Debug)]
pub(crate) struct Imported {
    name: String,
    capabilities: Capabilities,
    backend: Arc<wit::Backend>,
}

impl Imported {
    pub(crate) async fn new(name: String, backend: wit::Backend) -> Self {
        // Flags and numbers alone: nothing in them can be refused.
        let capabilities = backend.capabilities().await.try_into().unwrap_or_default();
        Self { name, capabilities, backend: Arc::new(backend) }
    }
}

/// A future that is only ever polled by the one thread.
macro_rules! here {
    ($($body:tt)*) => {
        SendWrapper::new(async move { $($body)* }).await
    };
}

fn info(told: types::ObjectInfo) -> Result<ObjectInfo> {
    ObjectInfo::try_from(told)
}

fn listed(told: types::Listed) -> Result<Listed> {
    Listed::try_from(told)
}

/// Without the meter, which no import sees.
pub(crate) fn plain(options: &WriteOptions) -> wit::WriteOptions {
    omnistorage_types::WriteOptions::from(options).into()
}

fn owned(path: &Path) -> String {
    path.as_str().to_owned()
}

#[async_trait]
impl Backend for Imported {
    fn kind(&self) -> &str {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities.clone()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader> {
        here! {
            let reader = self.backend.read(owned(path), options.into()).await?;
            let reading = (reader.contents, Some(reader.completion));
            let contents = SendWrapper::new(stream::try_unfold(reading, next).boxed_local()).boxed();
            Ok(Reader { info: info(reader.info)?, contents })
        }
    }

    async fn read_all(&self, path: &Path, options: &ReadOptions, max: usize) -> Result<Bytes> {
        here! {
            let max = u32::try_from(max).unwrap_or(u32::MAX);
            Ok(self.backend.read_all(owned(path), options.into(), max).await?.into())
        }
    }

    async fn write(&self, path: &Path, options: &WriteOptions) -> Result<Box<dyn Upload>> {
        here! { Ok(Box::new(Sent::begin(self.backend.clone(), owned(path), options).await?) as Box<dyn Upload>) }
    }

    async fn write_all(&self, path: &Path, contents: Bytes, options: &WriteOptions) -> Result<ObjectInfo> {
        here! { info(self.backend.write_all(owned(path), contents.to_vec(), plain(options)).await?) }
    }

    async fn exists(&self, path: &Path) -> Result<bool> {
        here! { Ok(self.backend.exists(owned(path)).await?) }
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        here! { info(self.backend.stat(owned(path)).await?) }
    }

    async fn list(&self, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
        here! {
            let listing = self.backend.list(owned(prefix), options.into()).await?;
            Ok(Box::new(Cursor(listing)) as Box<dyn Listing>)
        }
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        here! {
            let results = self.backend.delete(paths.iter().map(owned).collect()).await;
            results.into_iter().map(|result| result.map_err(Error::from)).collect()
        }
    }

    async fn delete_if_match(&self, versions: &[ObjectVersion]) -> Vec<Result<()>> {
        let versions = versions
            .iter()
            .map(|version| wit::ObjectVersion { path: owned(&version.path), etag: version.etag.clone() })
            .collect();
        here! {
            let results = self.backend.delete_if_match(versions).await;
            results.into_iter().map(|result| result.map_err(Error::from)).collect()
        }
    }

    async fn mkdir(&self, path: &Path) -> Result<()> {
        here! { Ok(self.backend.mkdir(owned(path)).await?) }
    }

    async fn rmdir(&self, path: &Path) -> Result<()> {
        here! { Ok(self.backend.rmdir(owned(path)).await?) }
    }

    async fn purge(&self, prefix: &Path) -> Result<u64> {
        here! { Ok(self.backend.purge(owned(prefix)).await?) }
    }

    async fn sweep(&self, prefix: &Path, older_than: Duration) -> Result<u64> {
        here! { Ok(self.backend.sweep(owned(prefix), older_than.as_secs()).await?) }
    }

    async fn copy_to(
        &self,
        source: &Path,
        target_backend: &dyn Backend,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let Some(other) = target_backend.as_any().downcast_ref::<Self>() else {
            return Err(Error::unsupported(self.kind(), "way to what is not imported"));
        };
        here! { info(self.backend.copy(owned(source), &other.backend, owned(target), plain(options)).await?) }
    }

    async fn copy_many(
        &self,
        requests: &[CopyRequest],
        target_backend: &dyn Backend,
    ) -> Vec<Result<ObjectInfo>> {
        let Some(other) = target_backend.as_any().downcast_ref::<Self>() else {
            let refused = || Err(Error::unsupported(self.kind(), "way to what is not imported"));
            return requests.iter().map(|_| refused()).collect();
        };
        here! {
            let requests = requests.iter().map(|request| wit::CopyRequest {
                source: owned(&request.source),
                target: owned(&request.target),
                options: plain(&request.options),
            });
            let results = self.backend.copy_many(requests.collect(), &other.backend).await;
            results.into_iter().map(|result| info(result?)).collect()
        }
    }

    async fn move_to(
        &self,
        source: &Path,
        target_backend: &dyn Backend,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let Some(other) = target_backend.as_any().downcast_ref::<Self>() else {
            return Err(Error::unsupported(self.kind(), "way to what is not imported"));
        };
        here! { info(self.backend.move_(owned(source), &other.backend, owned(target), plain(options)).await?) }
    }

    async fn set_modified(&self, path: &Path, modified: Timestamp) -> Result<()> {
        here! { Ok(self.backend.set_modified(owned(path), modified.into()).await?) }
    }

    async fn hash(&self, path: &Path, algorithm: HashAlgorithm) -> Result<Hash> {
        here! { self.backend.hash(owned(path), algorithm.into()).await?.try_into() }
    }

    async fn hash_many(&self, paths: &[Path], algorithm: HashAlgorithm) -> Vec<Result<Hash>> {
        here! {
            let results = self.backend.hash_many(paths.iter().map(owned).collect(), algorithm.into()).await;
            results.into_iter().map(|result| result?.try_into()).collect()
        }
    }

    async fn close(&self) -> Result<()> {
        here! { Ok(self.backend.close().await?) }
    }
}

type Body = (StreamReader<u8>, Option<FutureReader<Result<(), types::Error>>>);

/// The next bytes of a body, and what comes after them.
async fn next((mut contents, mut completion): Body) -> Result<Option<(Bytes, Body)>> {
    loop {
        let (state, chunk) = contents.read(Vec::with_capacity(CHUNK)).await;
        if !chunk.is_empty() {
            return Ok(Some((chunk.into(), (contents, completion))));
        }
        if state == StreamResult::Dropped {
            if let Some(completion) = completion.take() {
                completion.await?;
            }
            return Ok(None);
        }
    }
}

struct Cursor(wit::Listing);

#[async_trait]
impl Listing for Cursor {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        here! {
            let page = self.0.next(u32::try_from(max).unwrap_or(u32::MAX)).await?;
            page.into_iter().map(listed).collect()
        }
    }
}
