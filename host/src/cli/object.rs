//! The commands on one object or directory: `stat`, `put`, `mkdir`, `rmdir`, `sweep`.

use std::time::Duration;

use clap::Args;

use super::{
    Globals,
    exit::{Failure, Subject},
    input::{StoredWith, refuse_directory, standard_input},
    local::Need,
    output::{ObjectJson, Output, kind_name, note, printable},
    place::Place,
    session::Session,
    time::rfc3339,
};
use crate::duration::parse_duration;

/// Tell what is known about an object or a directory
#[derive(Args)]
#[command(after_help = "Examples:\n  omnistorage stat s3://bucket/a.txt\n  omnistorage stat --json ./photos")]
pub(crate) struct Stat {
    /// Print a JSON object; unknown is null
    #[arg(long)]
    json: bool,
    /// An object or a directory
    #[arg(value_parser = Place::parser())]
    place: Place,
}

impl Stat {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let (session, at) = Session::one(globals, &self.place, Need::Contents)?;
        let subject = if at.path.is_root() { Subject::Tree } else { Subject::Object };
        let info = session.storage.stat(&at).await.map_err(session.failure(subject))?;

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

/// Write standard input to an object
///
/// The object appears, or changes, once all of the input was read: whole or not at all.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  omnistorage put s3://bucket/a.txt < a.txt\n  omnistorage put --compress zstd --content-type text/plain nas:log.zst < log"
)]
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

/// Make a directory, and those above it; or a bucket
#[derive(Args)]
#[command(
    after_help = "Examples:\n  omnistorage mkdir ./backup/2026\n  omnistorage mkdir s3://bucket\n  GOOGLE_CLOUD_PROJECT=me omnistorage mkdir gs://bucket"
)]
pub(crate) struct Mkdir {
    /// A directory, or `s3://bucket`, `gs://bucket`
    #[arg(value_parser = Place::parser())]
    place: Place,
}

impl Mkdir {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let (session, at) = Session::one(globals, &self.place.into_directory(), Need::Entry)?;
        session.storage.mkdir(&at).await.map_err(session.failure(Subject::Tree))
    }
}

/// Remove an empty directory, or an empty bucket
#[derive(Args)]
#[command(after_help = "Examples:\n  omnistorage rmdir ./backup/2026\n  omnistorage rmdir s3://bucket")]
pub(crate) struct Rmdir {
    /// A directory, or `s3://bucket`, `gs://bucket`
    #[arg(value_parser = Place::parser())]
    place: Place,
}

impl Rmdir {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let (session, at) = Session::one(globals, &self.place.into_directory(), Need::Entry)?;
        session.storage.rmdir(&at).await.map_err(session.failure(Subject::Tree))
    }
}

/// Remove the leftovers of unfinished writes
///
/// A program that was killed, or lost its connection, leaves uploads at a store, or temporary files in a directory,
/// that never became objects. No listing shows them. Those of other programs are removed, too.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  omnistorage sweep s3://bucket\n  omnistorage sweep --older-than 2w nas:backup"
)]
pub(crate) struct Sweep {
    /// Only those that are at least this old, as `36h` or `2w`: a younger one may still be in progress
    #[arg(long, value_name = "AGE", default_value = "1d", value_parser = parse_duration)]
    older_than: Duration,
    /// The directory, or the bucket, in which they were begun
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
