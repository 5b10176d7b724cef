//! The commands on one object or directory: `stat`, `cat`, `put`, `rm`, `mkdir`, `rmdir`, `sweep`.

use std::time::Duration;

use clap::Args;
use futures::StreamExt;

use super::{
    Globals,
    exit::{Failure, Subject},
    input::{StoredWith, refuse_directory, standard_input},
    local::Need,
    output::{ObjectJson, Output, kind_name, note, printable},
    place::Place,
    session::Session,
    time::rfc3339,
    window::{self, parse_window},
};
use crate::{
    backend::ReadOptions,
    duration::parse_duration,
    runtime::{Codec, DecompressOptions},
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
    #[arg(
        long,
        conflicts_with_all = ["offset", "length"],
        help = format!("Decompress what the first bytes show to be compressed: {}", Codec::names())
    )]
    decompress: bool,
    /// Refuse zstd data whose window is more than SIZE
    #[arg(
        long,
        value_name = "SIZE",
        default_value = window::DEFAULT,
        value_parser = parse_window,
        requires = "decompress"
    )]
    max_window: u64,
    /// Continue with PLACE, a replica of the object, if the first one cannot be read; may be given more than once
    #[arg(long, value_name = "PLACE", value_parser = Place::parser())]
    replica: Vec<Place>,
    /// The object; `-` is standard input
    #[arg(value_parser = Place::or_standard())]
    place: Place,
}

impl Cat {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let places: Vec<_> = [self.place].into_iter().chain(self.replica).collect();
        let (session, sources) = Session::many(globals, &places)?;
        let failed = session.failure(Subject::Object);
        let options = ReadOptions { offset: self.offset, length: self.length, if_match: None };
        let max_window = Some(self.max_window);
        let decompress = self.decompress.then(|| DecompressOptions { max_window, ..Default::default() });
        let reader = match sources.as_slice() {
            [source] => session.storage.read(source, &options, decompress).await,
            replicas => session.storage.read_any(replicas, &options, decompress).await,
        };
        let mut reader = reader.map_err(&failed)?;

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
    #[command(flatten)]
    stored_with: StoredWith,
    /// The object; `-` is standard output, which gets the bytes as they are read
    #[arg(value_parser = Place::or_standard())]
    place: Place,
}

impl Put {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        refuse_directory(&self.place)?;
        let (options, compress) = self.stored_with.options()?;
        let (session, target) = Session::one(globals, &self.place, Need::Contents)?;
        let (contents, compress) = compress.apply(&session.storage, standard_input()?);
        let written = session.storage.write(&target, contents, &options, compress).await;
        let info = written.map_err(session.failure(Subject::Object))?;
        if globals.is_verbose() {
            let size =
                info.size.map_or_else(String::new, |size| format!(" ({})", indicatif::HumanBytes(size)));
            note(format_args!("written `{}`{size}", printable(&self.place.typed)));
        }
        Ok(())
    }
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

/// Remove the leftovers of unfinished writes
///
/// A program that was killed, or lost its connection, leaves uploads at a store, or temporary files in a directory,
/// that never became objects. No listing shows them. Those of other programs are removed, too.
#[derive(Args)]
pub(crate) struct Sweep {
    /// Only those that are at least this old, as `36h` or `2w`: a younger one may still be in progress
    #[arg(long, value_name = "AGE", default_value = "1d", value_parser = parse_duration)]
    older_than: Duration,
    #[arg(value_parser = Place::parser())]
    place: Place,
}

impl Sweep {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let (session, at) = Session::one(globals, &self.place, Need::Contents)?;
        let swept = session.storage.sweep(&at, self.older_than).await;
        let swept = swept.map_err(session.failure(Subject::Tree))?;
        if !globals.quiet {
            note(format_args!("removed {swept} unfinished writes"));
        }
        Ok(())
    }
}
