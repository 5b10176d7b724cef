//! Standard input and output as a backend: `-`, for a command that reads or writes one object.

use std::{
    any::Any,
    sync::atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::AsyncWriteExt;

use super::input::standard_input;
use crate::{
    Error, ErrorCode, ObjectInfo, ObjectKind, Path, Result,
    backend::{Backend, Capabilities, ListOptions, Listing, ReadOptions, Reader, Upload, WriteOptions},
};

/// One object: what is read is standard input, what is written goes to standard output, at once and not to be taken back.
#[derive(Debug, Default)]
pub(super) struct Standard {
    /// Standard input is on its way to somebody.
    taken: AtomicBool,
}

impl Standard {
    /// What it is called as a backend.
    pub(super) const NAME: &str = "standard";

    fn lacks(&self, what: &str, path: &Path) -> Error {
        Error::unsupported(Self::NAME, what).at(Self::NAME, path)
    }
}

#[async_trait]
impl Backend for Standard {
    fn kind(&self) -> &str {
        Self::NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader> {
        if *options != ReadOptions::default() {
            return Err(self.lacks("range", path));
        }
        if self.taken.swap(true, Ordering::SeqCst) {
            let message =
                "standard input can be read only once: to write CSV, name its columns, or convert a file";
            return Err(Error::new(ErrorCode::Unsupported, message).at(Self::NAME, path));
        }
        let contents = standard_input().map_err(|failure| {
            let message = failure.message.unwrap_or_else(|| "standard input cannot be read".to_owned());
            Error::new(ErrorCode::Other, message).at(Self::NAME, path)
        })?;
        Ok(Reader { info: self.stat(path).await?, contents })
    }

    async fn write(&self, path: &Path, _: &WriteOptions) -> Result<Box<dyn Upload>> {
        Ok(Box::new(Output { path: path.clone(), output: tokio::io::stdout(), bytes: 0 }))
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        Ok(ObjectInfo::new(path.clone(), ObjectKind::Object))
    }

    async fn list(&self, prefix: &Path, _: &ListOptions) -> Result<Box<dyn Listing>> {
        Err(self.lacks("listing", prefix))
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        paths.iter().map(|path| Err(self.lacks("delete", path))).collect()
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}

struct Output {
    path: Path,
    output: tokio::io::Stdout,
    bytes: u64,
}

#[async_trait]
impl Upload for Output {
    async fn push(&mut self, chunk: Bytes) -> Result<()> {
        self.output.write_all(&chunk).await.map_err(|error| cannot_write(error, &self.path))?;
        self.bytes += chunk.len() as u64;
        Ok(())
    }

    async fn commit(mut self: Box<Self>) -> Result<ObjectInfo> {
        self.output.flush().await.map_err(|error| cannot_write(error, &self.path))?;
        Ok(ObjectInfo { size: Some(self.bytes), ..ObjectInfo::new(self.path, ObjectKind::Object) })
    }

    async fn abort(self: Box<Self>) {}
}

fn cannot_write(error: std::io::Error, path: &Path) -> Error {
    let error = Error::from(error);
    Error::new(error.code(), format!("cannot write standard output: {}", error.message()))
        .at(Standard::NAME, path)
}
