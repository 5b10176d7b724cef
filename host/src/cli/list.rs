//! `ls`.

use clap::Args;
use futures::StreamExt;
use serde::Serialize;

use super::{
    Globals,
    exit::{Exit, Failure, Subject},
    local::Need,
    output::{ErrorJson, ObjectJson, Output, kind_name, note, printable},
    place::Place,
    session::{FileSettings, LinkOptions, Session},
};
use crate::{
    ObjectKind,
    backend::{ListOptions, Listed, ListingFailure, Unlisted},
};

/// List what is in a directory, sorted by path
///
/// One path a line, relative to PLACE; directories end with `/`. Links and special files show with --json only. A line
/// that begins with `! ` is a name that cannot be a path here, or a directory that could not be listed; an error says
/// why, and so does the exit code. With --json it has `error` instead of what is known.
#[derive(Args)]
pub(crate) struct Ls {
    /// List everything below, not one level
    #[arg(long, short)]
    recursive: bool,
    /// Print one JSON object a line: path, kind, size, modified, etag, content_type, hashes, metadata
    #[arg(long)]
    json: bool,
    /// Look up content types and metadata too, which may cost one request for each object
    #[arg(long, requires = "json")]
    full: bool,
    #[command(flatten)]
    links: LinkOptions,
    #[arg(value_parser = Place::parser())]
    place: Place,
}

impl Ls {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let files = FileSettings { links: self.links.links(), ..FileSettings::default() };
        let (session, at) = Session::one_with(globals, &self.place, Need::Contents, files)?;
        let failed = session.failure(Subject::Tree);
        let options =
            ListOptions { recursive: self.recursive, full_info: self.full, ..ListOptions::default() };
        let mut entries = session.storage.list(&at, &options).await.map_err(&failed)?;

        let mut output = Output::new();
        let mut exit = Exit::Done;
        while let Some(listed) = entries.next().await {
            let entry = match listed.map_err(&failed)? {
                Listed::Entry(entry) => entry,
                Listed::Failure(failure) => {
                    let name = failure.what.name();
                    let below = name.strip_prefix(at.path.as_str()).filter(|_| !at.path.is_root());
                    let name = below.and_then(|below| below.strip_prefix('/')).unwrap_or(name);
                    if self.json {
                        output.json(&FailureJson::new(name, &failure))?;
                    } else {
                        output.line(&format!("! {name}"))?;
                        note(format_args!("error: {}", session.describe(&failure.error)));
                    }
                    exit = exit.worse(Exit::of(failure.error.code(), Subject::Object));
                    continue;
                }
            };
            let below = entry.path.strip_prefix(&at.path);
            let path = below.as_ref().unwrap_or(&entry.path).as_str();
            if self.json {
                output.json(&ObjectJson::new(path, &entry))?;
                continue;
            }
            match entry.kind {
                ObjectKind::Object => output.line(path)?,
                ObjectKind::Directory if self.recursive => {}
                ObjectKind::Directory => output.line(&format!("{path}/"))?,
                kind @ (ObjectKind::Symlink | ObjectKind::Special) if globals.is_verbose() => {
                    note(format_args!("not listed: `{}` ({})", printable(path), kind_name(kind)));
                }
                ObjectKind::Symlink | ObjectKind::Special => {}
            }
        }
        output.flush()?;
        Failure::told(exit)
    }
}

/// What could not be listed, as JSON.
#[derive(Serialize)]
struct FailureJson<'a> {
    path: &'a str,
    /// What the listing lacks: `directory`, `entry`, or `name`.
    unlisted: &'static str,
    error: ErrorJson<'a>,
}

impl<'a> FailureJson<'a> {
    fn new(path: &'a str, failure: &'a ListingFailure) -> Self {
        let unlisted = match failure.what {
            Unlisted::Directory(_) => "directory",
            Unlisted::Entry(_) => "entry",
            Unlisted::Name { .. } => "name",
        };
        Self { path, unlisted, error: (&failure.error).into() }
    }
}
