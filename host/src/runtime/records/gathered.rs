//! What a sandbox writes while it converts one part after the other: an object in memory, taken away after each.

use std::{
    any::Any,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use omnistorage_types::ObjectKind;

use crate::{
    Backend, Error, ErrorCode, ObjectInfo, Path, Result,
    backend::{Capabilities, Features, ListOptions, Listing, ReadOptions, Reader, Upload, WriteOptions},
};

/// A backend that holds what was written last.
#[derive(Debug)]
pub(super) struct Gathered {
    chunks: Arc<Mutex<Vec<Bytes>>>,
    /// Bytes that it holds at most.
    most: usize,
}

impl Gathered {
    pub(super) fn with_room_for(most: usize) -> Self {
        Self { chunks: Arc::default(), most }
    }

    /// Takes away what was written.
    pub(super) fn take(&self) -> Vec<Bytes> {
        mem::take(&mut *self.chunks.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Backend for Gathered {
    fn kind(&self) -> &str {
        "gathered"
    }

    fn capabilities(&self) -> Capabilities {
        let features = Features { atomic_write: true, ..Features::default() };
        Capabilities { features, ..Capabilities::default() }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn read(&self, _: &Path, _: &ReadOptions) -> Result<Reader> {
        Err(unsupported())
    }

    async fn write(&self, path: &Path, _: &WriteOptions) -> Result<Box<dyn Upload>> {
        let (path, whole, most) = (path.clone(), self.chunks.clone(), self.most);
        Ok(Box::new(Gathering { path, whole, most, chunks: Vec::new(), size: 0 }))
    }

    async fn stat(&self, _: &Path) -> Result<ObjectInfo> {
        Err(unsupported())
    }

    async fn list(&self, _: &Path, _: &ListOptions) -> Result<Box<dyn Listing>> {
        Err(unsupported())
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        paths.iter().map(|_| Err(unsupported())).collect()
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}

fn unsupported() -> Error {
    Error::new(ErrorCode::Unsupported, "a part of a conversion is only written")
}

struct Gathering {
    path: Path,
    whole: Arc<Mutex<Vec<Bytes>>>,
    most: usize,
    chunks: Vec<Bytes>,
    size: usize,
}

#[async_trait]
impl Upload for Gathering {
    async fn push(&mut self, chunk: Bytes) -> Result<()> {
        self.size += chunk.len();
        if self.size > self.most {
            let message = format!("a part of the conversion has more than {} bytes", self.most);
            return Err(Error::new(ErrorCode::LimitExceeded, message));
        }
        self.chunks.push(chunk);
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<ObjectInfo> {
        *self.whole.lock().unwrap_or_else(PoisonError::into_inner) = self.chunks;
        Ok(ObjectInfo { size: Some(self.size as u64), ..ObjectInfo::new(self.path, ObjectKind::Object) })
    }

    async fn abort(self: Box<Self>) {}
}
