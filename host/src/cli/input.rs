//! What goes into an object: standard input, and what is stored with it.

#![allow(
    clippy::disallowed_methods,
    reason = "whether standard input is the null device is told by the files"
)]

#[cfg(target_family = "wasm")]
mod granted;

#[cfg(not(target_family = "wasm"))]
use std::{
    fs,
    io::{self, Read},
    os::unix::fs::MetadataExt,
    thread,
};
use std::{num::NonZero, path::PathBuf};

use clap::Args;
#[cfg(not(target_family = "wasm"))]
use futures::{StreamExt, stream};
#[cfg(not(target_family = "wasm"))]
use rustix::fs::{OFlags, fcntl_getfl, fstat};
#[cfg(not(target_family = "wasm"))]
use tokio::sync::mpsc;

#[cfg(target_family = "wasm")]
pub(crate) use self::granted::{require_input, standard_input};
use super::{codec, dictionary, exit::Failure, output::printable, place::Place};
#[cfg(not(target_family = "wasm"))]
use crate::{Error, Result as StorageResult};
use crate::{
    Metadata,
    backend::{Contents, WriteOptions},
    runtime::{Compression, Storage},
};

/// What is stored with an object, and how.
#[derive(Args)]
pub(crate) struct StoredWith {
    /// Media type to store with it
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// Metadata to store with it; may be given more than once
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    metadata: Vec<(String, String)>,
    #[arg(
        long,
        value_name = "CODEC[:LEVEL]",
        value_parser = codec::compression,
        help = format!("Compress with CODEC: {}", codec::with_levels())
    )]
    compress: Option<Compression>,
    /// Compress with the zstd dictionary in FILE, which whoever reads the object needs as well
    #[arg(long, value_name = "FILE", requires = "compress")]
    dictionary: Option<PathBuf>,
    #[cfg_attr(
        not(target_family = "wasm"),
        doc = "Compress on up to N cores, in blocks that every tool can read"
    )]
    #[cfg_attr(target_family = "wasm", doc = "Taken, and without effect: a component has one core")]
    #[arg(long, value_name = "N", default_value = "1", requires = "compress")]
    cores: NonZero<usize>,
}

/// How the bytes of an object are compressed on their way into it.
pub(crate) enum Compressed {
    /// At the place they are written to, if at all.
    There(Option<Compression>),
    /// Before, on several cores.
    #[cfg(not(target_family = "wasm"))]
    Before(Compression, NonZero<usize>),
}

impl Compressed {
    /// The contents to write, and the compression that is left to be done while writing.
    #[cfg_attr(target_family = "wasm", allow(unused_variables, reason = "there is one core"))]
    pub(crate) fn apply(self, storage: &Storage, contents: Contents) -> (Contents, Option<Compression>) {
        match self {
            Self::There(compression) => (contents, compression),
            #[cfg(not(target_family = "wasm"))]
            Self::Before(compression, cores) => (storage.compress(contents, compression, cores), None),
        }
    }
}

impl StoredWith {
    /// In the words of the library.
    pub(crate) fn options(self) -> Result<(WriteOptions, Compressed), Failure> {
        let mut metadata: Metadata = self.metadata;
        metadata.sort();
        if let Some(twice) = metadata.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(Failure::usage(format!("--metadata gives `{}` twice", printable(&twice[0].0))));
        }
        let options = WriteOptions { content_type: self.content_type, metadata, ..WriteOptions::default() };
        let file = self.dictionary.as_deref();
        let compress = self.compress.map(|compression| dictionary::add_to(compression, file)).transpose()?;
        let compressed = match compress {
            #[cfg(not(target_family = "wasm"))]
            Some(compression) if self.cores.get() > 1 => Compressed::Before(compression, self.cores),
            compression => Compressed::There(compression),
        };
        Ok((options, compressed))
    }
}

/// A place that should be an object must not be written like a directory.
pub(crate) fn refuse_directory(place: &Place) -> Result<(), Failure> {
    if place.typed.ends_with('/') {
        let typed = printable(&place.typed);
        return Err(Failure::usage(format!("`{typed}` means a directory: give the name of an object")));
    }
    Ok(())
}

/// Refuses a closed standard input, as after `<&-`: reading it would give nothing, and that would replace an object. By
/// now Rust's runtime has opened the null device in its place, for reading and writing, which distinguishes it from `<
/// /dev/null`. A parent process that opens the null device like that is refused, too.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn require_input() -> Result<(), Failure> {
    let input = io::stdin();
    let is_null = match (fstat(&input), fs::metadata("/dev/null")) {
        (Ok(input), Ok(null)) => input.st_rdev == null.rdev() && null.rdev() != 0,
        _ => false,
    };
    let is_closed = is_null && fcntl_getfl(&input).is_ok_and(|flags| flags.contains(OFlags::RDWR));
    if is_closed {
        return Err(Failure::usage(
            "standard input is closed: give a file or a pipe, or `< /dev/null` if nothing is what you mean",
        ));
    }
    Ok(())
}

/// Standard input as it comes.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn standard_input() -> Result<Contents, Failure> {
    require_input()?;
    read_aside(io::stdin())
}

/// Standard input, or the kept copy of it. It is read on a thread of its own that nobody has to wait for: a terminal
/// may never answer.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn read_aside(mut input: impl Read + Send + 'static) -> Result<Contents, Failure> {
    const CHUNK: u64 = 256 * 1024;
    const CHUNKS_AHEAD: usize = 2;

    let (sender, mut receiver) = mpsc::channel::<StorageResult<bytes::Bytes>>(CHUNKS_AHEAD);
    let read = move || {
        loop {
            let mut chunk = Vec::new();
            let chunk = match input.by_ref().take(CHUNK).read_to_end(&mut chunk) {
                Ok(0) => break,
                Ok(_) => Ok(chunk.into()),
                Err(error) => {
                    let message = format!("cannot read standard input: {error}");
                    Err(Error::from(error).with_message(message))
                }
            };
            let is_last = chunk.is_err();
            if sender.blocking_send(chunk).is_err() || is_last {
                break;
            }
        }
    };
    let started = thread::Builder::new().name("standard input".to_owned()).spawn(read);
    started.map_err(|error| Failure::system("cannot read standard input", error))?;
    Ok(stream::poll_fn(move |context| receiver.poll_recv(context)).boxed())
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_a_key_and_a_value() {
        assert_eq!(key_and_value("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert_eq!(key_and_value("a="), Ok(("a".into(), String::new())));
        assert!(key_and_value("=b").is_err() && key_and_value("a").is_err());
    }
}
