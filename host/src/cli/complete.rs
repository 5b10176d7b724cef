//! Shell completions, which know places: names of the configuration, buckets, and keys by one listing.

use std::{any::TypeId, time::Duration};

use clap::{Args, ValueHint};
use clap_complete::Shell;
use futures::StreamExt;

use super::{
    Globals,
    exit::Failure,
    local::Need,
    output::Output,
    place::{Place, PlaceKind},
    remotes::Remotes,
    session::Session,
};
use crate::{
    ObjectKind,
    backend::{ListOptions, Listed},
};

/// Print shell completions
///
/// Those of bash, zsh and fish know places: names of the configuration, buckets, and keys.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  source <(omnistorage completions bash)\n  source <(omnistorage completions zsh)        \
                        after compinit\n  omnistorage completions fish | source"
)]
pub(crate) struct Completions {
    /// Whose
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self, command: clap::Command) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut mark_places(command), "omnistorage", &mut script);
        let mut output = Output::new();
        match self.shell {
            Shell::Bash => {
                output.bytes(&script)?;
                output.bytes(include_bytes!("complete/places.bash"))?;
            }
            Shell::Zsh => {
                // The function must be there before the last lines run: they complete at once where zsh loads the
                // script as a function.
                let (first, rest) =
                    script.split_at(script.iter().position(|byte| *byte == b'\n').unwrap_or(0));
                output.bytes(first)?;
                output.bytes(include_bytes!("complete/places.zsh"))?;
                output.bytes(
                    String::from_utf8_lossy(rest).replace(":_urls", ":_omnistorage_places").as_bytes(),
                )?;
            }
            Shell::Fish => {
                output.bytes(&script)?;
                output.bytes(include_bytes!("complete/places.fish"))?;
            }
            _ => output.bytes(&script)?,
        }
        output.flush()
    }
}

/// Gives the arguments that are places the hint of a URL, which no other argument has. In the script of zsh it becomes
/// a function of our own.
fn mark_places(command: clap::Command) -> clap::Command {
    command.mut_subcommands(mark_places).mut_args(|argument| {
        if argument.get_value_parser().type_id() == TypeId::of::<Place>() {
            argument.value_hint(ValueHint::Url)
        } else {
            argument
        }
    })
}

/// Print the places that begin with WORD, one a line: for shells
#[derive(Args)]
pub(crate) struct CompletePlace {
    word: String,
}

/// A shell that waits is worse than one that knows nothing.
const PATIENCE: Duration = Duration::from_secs(3);
/// Nobody reads more.
const MOST: usize = 1000;

impl CompletePlace {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let found = match self.word.rfind(['/', ':']).filter(|_| self.word.contains(':')) {
            None => Ok(names(globals, &self.word)),
            Some(end) => {
                let (above, name) = self.word.split_at(end + 1);
                tokio::time::timeout(PATIENCE, below(globals, above, name)).await.unwrap_or(Ok(Vec::new()))
            }
        };
        let mut output = Output::new();
        // In the middle of a line that is typed nobody wants to read an error.
        for place in found.unwrap_or_default() {
            output.line(&place)?;
        }
        output.flush()
    }
}

/// What stands before a colon. Local paths are for the shell.
fn names(globals: &Globals, word: &str) -> Vec<String> {
    let configured: Vec<_> = match globals.configuration() {
        Ok(configuration) => configuration.backends().map(|(name, _)| format!("{name}:")).collect(),
        Err(_) => Vec::new(),
    };
    let remotes = Remotes::all(globals).unwrap_or_default();
    let remotes = remotes.iter().map(|remote| format!("{}:", remote.name()));
    let kinds = ["s3://", "gs://", "az://", "sftp://", "webdav://", "webdavs://", "http://", "https://"]
        .map(ToOwned::to_owned);
    kinds.into_iter().chain(configured).chain(remotes).filter(|name| name.starts_with(word)).collect()
}

/// What stands in a place and begins with a name.
async fn below(globals: &Globals, above: &str, name: &str) -> Result<Vec<String>, Failure> {
    let place = Place::parse(above.as_ref()).map_err(Failure::usage)?;
    if matches!(place.kind, PlaceKind::Local { .. } | PlaceKind::Memory(_)) {
        return Ok(Vec::new());
    }
    let quiet = Globals { quiet: true, ..globals.clone() };
    let (session, at) = Session::one(&quiet, &place, Need::Contents)?;
    let failed = session.failure(super::exit::Subject::Tree);
    let mut entries = session.storage.list(&at, &ListOptions::default()).await.map_err(&failed)?;
    let mut found = Vec::new();
    while let Some(listed) = entries.next().await {
        let Listed::Entry(entry) = listed.map_err(&failed)? else { continue };
        let Some(own) = entry.path.name().filter(|own| own.starts_with(name)) else { continue };
        let slash = if entry.kind == ObjectKind::Directory { "/" } else { "" };
        // A shell takes a line for a word.
        if !own.contains(['\n', '\r']) {
            found.push(format!("{above}{own}{slash}"));
        }
        if found.len() >= MOST {
            break;
        }
    }
    Ok(found)
}
