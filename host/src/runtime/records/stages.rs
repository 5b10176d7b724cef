//! Conversion in stages: decompression, conversion and compression, each in a sandbox of its own.

use std::{
    any::Any,
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use omnistorage_types::{
    Codec, Compression, ConvertReport, DecompressOptions, Encoding, Format, encoding_from_path,
};
use tokio::sync::mpsc;

use crate::{
    Backend, Error, ErrorCode, Location, ObjectInfo, Path, Result,
    backend::{
        Capabilities, Contents, ListOptions, Listing, ReadOptions, Reader, Upload, WriteOptions,
        layer::Layered, observe::Observe,
    },
    runtime::{Storage, sandbox::Task},
};

/// Chunks between two stages.
const AHEAD: usize = 4;

const SOURCE: &str = "source";
const TARGET: &str = "target";

impl Storage {
    /// As [`convert`](Self::convert), on up to so many cores. NDJSON and CSV that are not compressed are read and converted
    /// in several ranges at once, by up to four sandboxes; what is compressed is decompressed by a sandbox of its own, ahead
    /// of the conversion. The target is [compressed](Self::compress) in blocks by others behind it; one that is not
    /// compressed is the same as with one core. Needs a multi-threaded tokio runtime to be of use.
    ///
    /// Ranges need a source that can read them, and a target whose writes are atomic. A record that does not fit the ones
    /// before, as one with a further column or an error, ends them, and one core converts the whole from its start.
    ///
    /// # Errors
    /// As [`convert`](Self::convert).
    pub async fn convert_on_cores(
        &self,
        source: &Location,
        source_encoding: &Encoding,
        target: &Location,
        target_encoding: &Encoding,
        cores: NonZero<usize>,
    ) -> Result<ConvertReport> {
        let compression =
            coded(target, target_encoding).map(|(_, codec)| compression(codec, target_encoding));
        if coded(source, source_encoding).is_none() {
            let sides = ((source, source_encoding), (target, target_encoding));
            if let Some(report) = self.convert_in_parts(sides.0, sides.1, compression, cores).await? {
                return Ok(report);
            }
        }
        let (unpacking, packing) = (coded(source, source_encoding), coded(target, target_encoding));
        // The conversion, what reads for it, what compresses what it writes, and what compression leaves free.
        let (reading, writing) = (usize::from(unpacking.is_some()), packing.is_some());
        let needed = |cores: usize| 1 + reading + if writing { cores + 1 } else { 0 };
        let several = (reading > 0 || writing).then(|| self.on_cores(cores, needed, 0));
        let Some((storage, cores)) = several.flatten() else {
            return self.convert(source, source_encoding, target, target_encoding).await;
        };
        let stages =
            Arc::new(Stages::new(&storage, source, target, source_encoding, target_encoding, cores)?);
        let mut name = "stages".to_owned();
        while storage.mount(&name).is_some() {
            name.push('-');
        }
        let within = |path: &str| Location::new(&name, path);
        let plain = |encoding: &Encoding, format| Encoding {
            format,
            codec: None,
            level: None,
            dictionary: None,
            ..encoding.clone()
        };
        let (from, from_encoding) = match &unpacking {
            Some((format, _)) => (within(SOURCE)?, plain(source_encoding, Some(format.clone()))),
            None => (source.clone(), source_encoding.clone()),
        };
        let (to, to_encoding) = match &packing {
            Some((format, _)) => (within(TARGET)?, plain(target_encoding, Some(format.clone()))),
            None => (target.clone(), target_encoding.clone()),
        };
        let storage = storage.with_mount(&name, stages.clone());
        let converted = storage.convert(&from, &from_encoding, &to, &to_encoding).await;
        let mut report = converted.map_err(|error| {
            let real = match error.location() {
                Some((stages, SOURCE)) if stages == name => source,
                Some((stages, TARGET)) if stages == name => target,
                _ => return error,
            };
            error.at_location(real.backend.clone(), real.path.to_string())
        })?;
        if unpacking.is_some() {
            report.bytes_read = stages.bytes_read();
        }
        if packing.is_some() {
            report.bytes_written = stages.written.load(Ordering::Relaxed);
        }
        Ok(report)
    }
}

/// The format and codec of a place, if both are known and there is a codec.
fn coded(at: &Location, encoding: &Encoding) -> Option<(Format, Codec)> {
    let (format, codec) = encoding_from_path(&at.path);
    Some((encoding.format.clone().or(format)?, encoding.codec.or(codec)?))
}

/// How a target of an encoding with this codec is compressed.
fn compression(codec: Codec, Encoding { level, dictionary, .. }: &Encoding) -> Compression {
    Compression { codec, level: *level, dictionary: dictionary.clone() }
}

/// A backend with two objects without compression: a source that is read, and a target that is written. What is stored
/// elsewhere for them is compressed.
#[derive(Debug)]
struct Stages {
    /// Counts what is read of the source.
    reading: Storage,
    counted: Arc<Layered<Observe>>,
    source: Location,
    unpacking: DecompressOptions,
    /// Bytes that were read before the source was opened last.
    read_before: AtomicU64,
    packing: Storage,
    target: Location,
    backend: Arc<dyn Backend>,
    compression: Option<Compression>,
    cores: NonZero<usize>,
    /// Bytes of the target, compressed.
    written: Arc<AtomicU64>,
}

impl Stages {
    fn new(
        storage: &Storage,
        source: &Location,
        target: &Location,
        from: &Encoding,
        to: &Encoding,
        cores: NonZero<usize>,
    ) -> Result<Self> {
        let mount = |at: &Location| {
            storage.mount(&at.backend).ok_or_else(|| {
                let message = format!("there is no backend of the name `{}`", at.backend);
                Error::new(ErrorCode::UnknownBackend, message)
                    .at_location(at.backend.clone(), at.path.to_string())
            })
        };
        let counted = Arc::new(Layered::new(mount(source)?, Observe::default()));
        Ok(Self {
            reading: storage.with_mount(&source.backend, counted.clone()),
            counted,
            source: source.clone(),
            unpacking: DecompressOptions {
                codec: from.codec,
                max_window: from.max_window,
                dictionary: from.dictionary.clone(),
                ..DecompressOptions::default()
            },
            read_before: AtomicU64::new(0),
            packing: storage.clone(),
            target: target.clone(),
            backend: mount(target)?,
            compression: coded(target, to).map(|(_, codec)| compression(codec, to)),
            cores,
            written: Arc::default(),
        })
    }

    /// Bytes of the source that the last reading took, compressed.
    fn bytes_read(&self) -> u64 {
        self.counted.layer().metrics().bytes_read() - self.read_before.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Backend for Stages {
    fn kind(&self) -> &str {
        self.backend.kind()
    }

    fn capabilities(&self) -> Capabilities {
        self.backend.capabilities()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader> {
        self.read_before.store(self.counted.layer().metrics().bytes_read(), Ordering::Relaxed);
        let read = self.reading.read(&self.source, options, Some(self.unpacking.clone())).await;
        let Reader { info, contents } = read.map_err(|error| here(error, path))?;
        let at = path.clone();
        let contents = contents.map_err(move |error| here(error, &at)).boxed();
        Ok(Reader { info: ObjectInfo { path: path.clone(), ..info }, contents })
    }

    async fn write(&self, path: &Path, options: &WriteOptions) -> Result<Box<dyn Upload>> {
        let Some(compression) = self.compression.clone() else { return Err(unsupported()) };
        let begun = self.backend.write(&self.target.path, options).await;
        let mut upload = begun.map_err(|error| here(error, path))?;
        let (sender, receiver) = mpsc::channel(AHEAD);
        let contents: Contents =
            futures::stream::unfold(receiver, |mut receiver: mpsc::Receiver<Bytes>| async {
                receiver.recv().await.map(|chunk| (Ok(chunk), receiver))
            })
            .boxed();
        let mut packed = self.packing.compress(contents, compression, self.cores);
        let written = self.written.clone();
        written.store(0, Ordering::Relaxed);
        let packing = Task::spawn(async move {
            while let Some(chunk) = packed.next().await {
                let chunk = chunk?;
                written.fetch_add(chunk.len() as u64, Ordering::Relaxed);
                upload.push(chunk).await?;
            }
            Ok(upload)
        });
        Ok(Box::new(Packing { sender, packing, path: path.clone() }))
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

    /// What it stands on is the application's.
    async fn close(&self) -> Result<()> {
        Ok(())
    }
}

/// The error at an object of the stages, wherever it is from.
fn here(error: Error, path: &Path) -> Error {
    error.at_location("stages".to_owned(), path.to_string())
}

fn unsupported() -> Error {
    Error::new(ErrorCode::Unsupported, "a stage of a conversion is only read or written")
}

/// An upload whose bytes are compressed on their way.
struct Packing {
    sender: mpsc::Sender<Bytes>,
    packing: Task<Box<dyn Upload>>,
    path: Path,
}

#[async_trait]
impl Upload for Packing {
    async fn push(&mut self, chunk: Bytes) -> Result<()> {
        match self.sender.send(chunk).await {
            Ok(()) => Ok(()),
            // Nobody takes it any more: the task has failed, and says why.
            Err(_) => Err(match self.packing.outcome().await {
                Err(error) => here(error, &self.path),
                Ok(_) => Error::new(ErrorCode::Other, "the compression ended early"),
            }),
        }
    }

    async fn commit(self: Box<Self>) -> Result<ObjectInfo> {
        let Self { sender, packing, path } = *self;
        drop(sender);
        let committed = async { packing.join().await?.commit().await };
        let info = committed.await.map_err(|error| here(error, &path))?;
        Ok(ObjectInfo { path, ..info })
    }

    async fn abort(self: Box<Self>) {
        let Self { sender, packing, .. } = *self;
        drop(sender);
        if let Ok(upload) = packing.join().await {
            upload.abort().await;
        }
    }
}
