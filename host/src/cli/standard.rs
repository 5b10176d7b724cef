//! Standard input and output as a backend: `-`, for a command that reads or writes one object.

use std::{
    any::Any,
    fs::File,
    io::{self, Read, Seek, Write},
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::{io::AsyncWriteExt, sync::Mutex};

use super::{
    exit::Failure,
    input::{read_aside, require_input},
};
use crate::{
    Error, ErrorCode, ObjectInfo, ObjectKind, Path, Result,
    backend::{Backend, Capabilities, ListOptions, Listing, ReadOptions, Reader, Upload, WriteOptions},
};

/// One object: reading it reads standard input, writing it writes to standard output, immediately and irrevocably.
#[derive(Debug, Default)]
pub(super) struct Standard {
    input: Mutex<Input>,
    /// Standard input will be read more than once.
    is_kept: AtomicBool,
}

/// Where standard input is.
#[derive(Debug, Default)]
enum Input {
    #[default]
    Untouched,
    /// Being read by somebody.
    Taken,
    /// Being read by somebody, and kept in a file from then on.
    Kept(Kept),
}

/// What was read from standard input, in a file without a name: nothing of it is left when the command ends, however it
/// ends.
#[derive(Debug)]
struct Kept {
    file: File,
    /// All of it is there.
    whole: Arc<AtomicBool>,
}

/// Reads standard input, and keeps it.
struct Keeping {
    input: io::Stdin,
    kept: File,
    whole: Arc<AtomicBool>,
}

impl Read for Keeping {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.kept.write_all(&buffer[..count])?;
        if count == 0 {
            self.whole.store(true, Ordering::SeqCst);
        }
        Ok(count)
    }
}

/// What follows the first bytes.
struct Behind<R> {
    input: R,
    skip: u64,
}

impl<R: Read> Read for Behind<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let skip = mem::take(&mut self.skip);
        io::copy(&mut self.input.by_ref().take(skip), &mut io::sink())?;
        self.input.read(buffer)
    }
}

impl Standard {
    /// What it is called as a backend.
    pub(super) const NAME: &str = "standard";

    /// Whether an error comes from here, and says that nobody reads standard output any more.
    pub(super) fn is_left(error: &Error) -> bool {
        let is_ours = error.location().is_some_and(|(backend, _)| backend == Self::NAME);
        is_ours && error.code() == ErrorCode::Cancelled
    }

    /// From now on, standard input can be read again once it was read to its end.
    pub(super) fn keep_input(&self) {
        self.is_kept.store(true, Ordering::SeqCst);
    }

    /// Standard input, or the kept copy of it.
    async fn input(&self) -> Result<Box<dyn Read + Send>> {
        let mut input = self.input.lock().await;
        if matches!(*input, Input::Untouched) {
            require_input().map_err(unreadable)?;
        }
        match &*input {
            Input::Untouched if self.is_kept.load(Ordering::SeqCst) => {
                let file = tempfile::tempfile().map_err(cannot_keep)?;
                let whole = Arc::<AtomicBool>::default();
                let keeping = Keeping {
                    input: io::stdin(),
                    kept: file.try_clone().map_err(cannot_keep)?,
                    whole: whole.clone(),
                };
                *input = Input::Kept(Kept { file, whole });
                Ok(Box::new(keeping))
            }
            Input::Untouched => {
                *input = Input::Taken;
                Ok(Box::new(io::stdin()))
            }
            Input::Kept(Kept { file, whole }) if whole.load(Ordering::SeqCst) => {
                let mut file = file.try_clone().map_err(cannot_keep)?;
                file.rewind().map_err(cannot_keep)?;
                Ok(Box::new(file))
            }
            Input::Taken | Input::Kept(_) => {
                Err(Error::new(ErrorCode::Unsupported, "standard input can be read only once"))
            }
        }
    }

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
        if options.if_match.is_some() {
            return Err(self.lacks("condition", path));
        }
        let input = self.input().await.map_err(|error| error.at(Self::NAME, path))?;
        let part = Behind { input, skip: options.offset }.take(options.length.unwrap_or(u64::MAX));
        let contents = read_aside(part).map_err(|failure| unreadable(failure).at(Self::NAME, path))?;
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

    /// What was written cannot be taken back: it is written to its end.
    async fn abort(mut self: Box<Self>) {
        // There is an error to tell already.
        let _ = self.output.flush().await;
    }
}

fn unreadable(Failure { message, .. }: Failure) -> Error {
    let message = message.unwrap_or_else(|| "standard input cannot be read".to_owned());
    Error::new(ErrorCode::InvalidArgument, message)
}

fn cannot_keep(error: io::Error) -> Error {
    let error = Error::from(error);
    let place = std::env::temp_dir();
    let message = format!("cannot keep standard input in `{}`: {}", place.display(), error.message());
    error.with_message(message)
}

fn cannot_write(error: io::Error, path: &Path) -> Error {
    let message = format!("cannot write standard output: {error}");
    let error = match error.kind() {
        io::ErrorKind::BrokenPipe => Error::new(ErrorCode::Cancelled, message).with_source(error),
        _ => Error::from(error).with_message(message),
    };
    error.at(Standard::NAME, path)
}
