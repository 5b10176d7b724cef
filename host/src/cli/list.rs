//! `ls`.

use clap::Args;
use futures::StreamExt;

use super::{
    Globals,
    exit::{Failure, Subject},
    output::{ObjectJson, Output, kind_name, note, printable},
    place::Place,
    session::{Need, Session},
};
use crate::{ObjectKind, backend::ListOptions};

/// List what is in a directory, sorted by path
///
/// One path a line, relative to PLACE; directories end with `/`. Links and special files show with --json only.
#[derive(Args)]
pub(crate) struct Ls {
    /// List everything below, not one level
    #[arg(long, short)]
    recursive: bool,
    /// Print one JSON object a line: path, kind, size, modified, etag, content_type, hashes, metadata
    #[arg(long)]
    json: bool,
    /// Look up content types and metadata too, which may cost a request an object
    #[arg(long, requires = "json")]
    full: bool,
    #[arg(value_parser = Place::parser())]
    place: Place,
}

impl Ls {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let (session, at) = Session::one(globals, &self.place, Need::Contents)?;
        let failed = session.failure(Subject::Tree);
        let options =
            ListOptions { recursive: self.recursive, full_info: self.full, ..ListOptions::default() };
        let mut entries = session.storage.list(&at, &options).await.map_err(&failed)?;

        let mut output = Output::new();
        while let Some(entry) = entries.next().await {
            let entry = entry.map_err(&failed)?;
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
        output.flush()
    }
}
