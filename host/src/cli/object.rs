//! The commands on one object or directory: `stat`, `cat`, `put`, `rm`, `mkdir`, `rmdir`.

use std::{
    io::{self, Read},
    thread,
};

use clap::Args;
use futures::{StreamExt, stream};
use tokio::sync::mpsc;

use super::{
    Globals,
    exit::{Failure, Subject},
    output::{ObjectJson, Output, kind_name, note, printable},
    place::Place,
    records::codec,
    session::{Need, Session},
    time::rfc3339,
};
use crate::{
    Error, Metadata, Result as StorageResult,
    backend::{Contents, ReadOptions, WriteOptions},
    runtime::{Compression, DecompressOptions},
};

/// Tell what is known of an object or a directory
#[derive(Args)]
pub(crate) struct Stat {
    /// Print a JSON object; unknown is null
    #[arg(long)]
    json: bool,
    #[arg(value_parser = Place::parser())]
    place: Place,
}

impl Stat {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let (session, at) = Session::one(globals, &self.place, Need::Contents)?;
        let info = session.storage.stat(&at).await.map_err(session.failure(Subject::Object))?;

        let mut output = Output::new();
        if self.json {
            output.json(&ObjectJson::new(&self.place.typed, &info))?;
            return output.flush();
        }
        let mut field = |name: &str, value: &str| output.line(&format!("{:<13} {value}", format!("{name}:")));
        field("path", &self.place.typed)?;
        field("kind", kind_name(info.kind))?;
        for (name, value) in [
            ("size", info.size.map(|size| size.to_string())),
            ("modified", info.modified.map(rfc3339)),
            ("etag", info.etag),
            ("content type", info.content_type),
        ] {
            if let Some(value) = value {
                field(name, &value)?;
            }
        }
        for hash in &info.hashes {
            field(hash.algorithm.as_str(), &hash.to_string())?;
        }
        for (key, value) in &info.metadata {
            field("metadata", &format!("{key}={value}"))?;
        }
        output.flush()
    }
}

/// Write an object to standard output
#[derive(Args)]
pub(crate) struct Cat {
    /// Begin N bytes after the start
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: u64,
    /// End after N bytes
    #[arg(long, value_name = "N")]
    length: Option<u64>,
    /// Decompress gzip, told from the first bytes
    #[arg(long, conflicts_with_all = ["offset", "length"])]
    decompress: bool,
    #[arg(value_parser = Place::parser())]
    place: Place,
}

impl Cat {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let (session, source) = Session::one(globals, &self.place, Need::Contents)?;
        let failed = session.failure(Subject::Object);
        let options = ReadOptions { offset: self.offset, length: self.length, if_match: None };
        let decompress = self.decompress.then(DecompressOptions::default);
        let mut reader = session.storage.read(&source, &options, decompress).await.map_err(&failed)?;

        let mut output = Output::new();
        while let Some(chunk) = reader.contents.next().await {
            match chunk {
                Ok(chunk) => output.bytes(&chunk)?,
                Err(error) => {
                    output.flush()?;
                    return Err(failed(error));
                }
            }
        }
        output.flush()
    }
}

/// Write standard input to an object
///
/// The object appears, or changes, once all of the input was read: whole or not at all.
#[derive(Args)]
pub(crate) struct Put {
    /// Media type to store with it
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// Metadata to store with it; may be given more than once
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    metadata: Vec<(String, String)>,
    /// Compress with CODEC (gzip), at LEVEL (0 to 9)
    #[arg(long, value_name = "CODEC[:LEVEL]", value_parser = compression)]
    compress: Option<Compression>,
    #[arg(value_parser = Place::parser())]
    place: Place,
}

impl Put {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        if self.place.typed.ends_with('/') {
            let typed = printable(&self.place.typed);
            return Err(Failure::usage(format!("`{typed}` means a directory: give the name of an object")));
        }
        let mut metadata: Metadata = self.metadata;
        metadata.sort();
        if let Some(twice) = metadata.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(Failure::usage(format!("--metadata gives `{}` twice", printable(&twice[0].0))));
        }

        let (session, target) = Session::one(globals, &self.place, Need::Contents)?;
        let options = WriteOptions { content_type: self.content_type, metadata, ..WriteOptions::default() };
        let contents =
            standard_input().map_err(|error| Failure::system("cannot read standard input", error))?;
        let written = session.storage.write(&target, contents, &options, self.compress).await;
        let info = written.map_err(session.failure(Subject::Object))?;
        if globals.is_verbose() {
            let size =
                info.size.map_or_else(String::new, |size| format!(" ({})", indicatif::HumanBytes(size)));
            note(format_args!("written `{}`{size}", printable(&self.place.typed)));
        }
        Ok(())
    }
}

/// Standard input as it comes. Read on a thread of its own, which nobody has to wait for: a terminal may never answer.
fn standard_input() -> io::Result<Contents> {
    const CHUNK: u64 = 256 * 1024;
    const CHUNKS_AHEAD: usize = 2;

    let (sender, mut receiver) = mpsc::channel::<StorageResult<bytes::Bytes>>(CHUNKS_AHEAD);
    thread::Builder::new().name("standard input".to_owned()).spawn(move || {
        let mut input = io::stdin().lock();
        loop {
            let mut chunk = Vec::new();
            let chunk = match input.by_ref().take(CHUNK).read_to_end(&mut chunk) {
                Ok(0) => break,
                Ok(_) => Ok(chunk.into()),
                Err(error) => {
                    let code = Error::from(error);
                    Err(Error::new(code.code(), format!("cannot read standard input: {}", code.message())))
                }
            };
            let is_last = chunk.is_err();
            if sender.blocking_send(chunk).is_err() || is_last {
                break;
            }
        }
    })?;
    Ok(stream::poll_fn(move |context| receiver.poll_recv(context)).boxed())
}

/// Delete an object
#[derive(Args)]
pub(crate) struct Rm {
    /// Delete a directory and everything below it
    #[arg(long, short)]
    recursive: bool,
    #[arg(value_parser = Place::parser())]
    place: Place,
}

impl Rm {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let (session, at) = Session::one(globals, &self.place, Need::Entry)?;
        if !self.recursive {
            return session.storage.remove(&at).await.map_err(session.failure(Subject::Object));
        }
        let deleted = session.storage.purge(&at).await.map_err(session.failure(Subject::Tree))?;
        if globals.is_verbose() {
            note(format_args!("deleted {deleted} objects"));
        }
        Ok(())
    }
}

/// Make a directory, and those above it
#[derive(Args)]
pub(crate) struct Mkdir {
    #[arg(value_parser = Place::parser())]
    place: Place,
}

impl Mkdir {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let (session, at) = Session::one(globals, &self.place, Need::Entry)?;
        session.storage.mkdir(&at).await.map_err(session.failure(Subject::Tree))
    }
}

/// Remove an empty directory
#[derive(Args)]
pub(crate) struct Rmdir {
    #[arg(value_parser = Place::parser())]
    place: Place,
}

impl Rmdir {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let (session, at) = Session::one(globals, &self.place, Need::Entry)?;
        session.storage.rmdir(&at).await.map_err(session.failure(Subject::Tree))
    }
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE".to_owned()),
    }
}

fn compression(text: &str) -> Result<Compression, String> {
    let (name, level) = match text.split_once(':') {
        None => (text, None),
        Some((name, level)) => (name, Some(level.parse().map_err(|_| format!("`{level}` is no level"))?)),
    };
    Ok(Compression { codec: codec(name)?, level })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::Codec;

    #[test]
    fn compression_is_a_codec_and_a_level() {
        let parsed = compression("gzip:9").unwrap();
        assert_eq!((parsed.codec, parsed.level), (Codec::Gzip, Some(9)));
        assert_eq!(compression("gz").unwrap().level, None);
        for text in ["", "gzip:", "gzip:high", "lzma"] {
            assert!(compression(text).is_err(), "{text}");
        }
    }

    #[test]
    fn metadata_is_a_key_and_a_value() {
        assert_eq!(key_and_value("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert_eq!(key_and_value("a="), Ok(("a".into(), String::new())));
        assert!(key_and_value("=b").is_err() && key_and_value("a").is_err());
    }
}
