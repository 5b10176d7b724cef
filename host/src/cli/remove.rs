//! `rm`.

use clap::Args;
use futures::StreamExt;
use indicatif::HumanBytes;

use super::{
    Globals,
    exit::{Exit, Failure, Subject},
    filter::{FilterOptions, within},
    follow::objects,
    local::Need,
    output::{note, printable},
    place::Place,
    session::{Session, join},
    wildcard,
};
use crate::{
    Error, ErrorCode, Location, ObjectKind,
    backend::{ListOptions, Listed},
    runtime::{Action, Deletion, Event, Filter, SyncOptions},
};

/// Delete objects
///
/// With -r a directory and everything below it; with filters or a wildcard only what they include. Directories that become
/// empty go too, but for PLACE itself if anything was to be left out.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Rm {
    /// Delete directories, and everything below them
    #[arg(long, short, short_alias = 'R')]
    recursive: bool,
    /// Tell what would be deleted, and delete nothing
    #[arg(long, short = 'n')]
    dry_run: bool,
    #[command(flatten)]
    filter: FilterOptions,
    /// Objects, or with -r directories; a `*` in it is a wildcard: s3://bucket/logs/*.gz
    #[arg(required = true, value_name = "PLACE", value_parser = Place::parser())]
    places: Vec<Place>,
}

const EXAMPLES: &str = "\
Examples:
  omnistorage rm s3://bucket/a.txt s3://bucket/b.txt
  omnistorage rm --dry-run 's3://bucket/logs/2025-*.gz'
  omnistorage rm -r --min-age 30d nas:backup/old";

/// What is to go.
enum Doomed {
    Object,
    /// All of it.
    Tree,
    /// What a filter includes.
    Some(Box<Filter>),
}

impl Rm {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let filter = self.filter.filter()?;
        let (mut places, mut doomed) = (Vec::new(), Vec::new());
        for place in &self.places {
            let (place, pattern) = wildcard::split(place)?;
            let pattern = pattern.map(|pattern| if self.recursive { pattern.deep() } else { pattern });
            doomed.push(if pattern.is_some() || (self.recursive && self.filter.is_given()) {
                Doomed::Some(Box::new(within(filter.clone(), pattern.as_ref())?))
            } else if self.recursive {
                Doomed::Tree
            } else {
                Doomed::Object
            });
            places.push(place);
        }
        let is_some = |doomed: &Doomed| matches!(doomed, Doomed::Some(_));
        // A link to a directory is a link, unless something in the directory is meant.
        let needs = doomed.iter().map(|doomed| if is_some(doomed) { Need::Contents } else { Need::Entry });
        let places: Vec<_> = places.iter().zip(needs).collect();
        let (session, locations, nothing) = Session::each_and_nothing(globals, &places)?;

        let (mut deleted, mut exit) = (0, Exit::Done);
        for ((at, (place, _)), doomed) in locations.iter().zip(&places).zip(doomed) {
            let gone = match doomed {
                Doomed::Object => self.delete(&session, at, &filter).await.map(|count| (count, Exit::Done)),
                Doomed::Tree if !self.dry_run => {
                    let purged = session.storage.purge(at).await.map_err(session.failure(Subject::Tree));
                    purged.map(|count| (count, Exit::Done))
                }
                Doomed::Tree => {
                    self.empty(globals, &session, place, nothing.as_ref(), at, Filter::default()).await
                }
                Doomed::Some(filter) => {
                    self.empty(globals, &session, place, nothing.as_ref(), at, *filter).await
                }
            };
            match gone {
                Ok((count, worst)) => {
                    deleted += count;
                    exit = exit.worse(worst);
                }
                Err(Failure { exit: why, message }) => {
                    message.into_iter().for_each(|message| note(format_args!("error: {message}")));
                    exit = if exit == Exit::Done { why } else { exit.worse(why) };
                }
            }
        }
        if !globals.quiet && (deleted > 0 || exit == Exit::Done) {
            let done = if self.dry_run { "dry run: would have deleted" } else { "deleted" };
            note(format_args!("{done} {}", objects(deleted)));
        }
        Failure::told(exit)
    }

    /// Deletes what a filter includes of a place, by making the place like one that holds nothing; gives the number of
    /// objects, and the worst of the failures, which were told.
    async fn empty(
        &self,
        globals: &Globals,
        session: &Session,
        place: &Place,
        nothing: Option<&Location>,
        at: &Location,
        filter: Filter,
    ) -> Result<(u64, Exit), Failure> {
        let nothing = nothing.ok_or_else(|| {
            Failure::usage("a component deletes single objects and whole directories: leave out filters, wildcards and --dry-run")
        })?;
        let options = SyncOptions {
            dry_run: self.dry_run,
            filter,
            deletion: Deletion::During,
            allow_empty_source: true,
            ignore_errors: true,
            ..SyncOptions::default()
        };
        let failed = session.failure(Subject::Tree);
        if session.storage.stat(at).await.map_err(&failed)?.kind != ObjectKind::Directory {
            let error = Error::new(ErrorCode::NotDirectory, "it is an object, not a directory");
            return Err(failed(error.at(&at.backend, &at.path)));
        }
        let mut job = session.storage.sync(nothing, at, &options).await.map_err(&failed)?;
        let mut worst = Exit::Done;
        while let Some(event) = job.next().await {
            match (event.action, &event.error) {
                (Action::Failed, Some(error)) => {
                    note(format_args!("error: {}", session.describe(error)));
                    worst = worst.worse(Exit::of(error.code(), Subject::Object));
                }
                (Action::Deleted, _) if globals.is_verbose() || (self.dry_run && !globals.quiet) => {
                    note(self.line(place, &event));
                }
                _ => {}
            }
        }
        let report = job.outcome().await.map_err(&failed)?;
        let worst = if report.errors > 0 && worst == Exit::Done { Exit::Other } else { worst };
        Ok((report.deleted, worst))
    }

    /// What becomes of one of many.
    fn line(&self, place: &Place, event: &Event) -> String {
        let done = if self.dry_run { "would delete" } else { "deleted" };
        let size = event.size.map_or_else(String::new, |size| format!(" ({})", HumanBytes(size)));
        format!("{done} `{}`{size}", printable(&join(&place.typed, &event.path)))
    }

    /// Deletes an object, if the filter includes it.
    async fn delete(&self, session: &Session, at: &Location, filter: &Filter) -> Result<u64, Failure> {
        let failed = session.failure(Subject::Object);
        let directory = || {
            let message = "it is a directory: -r deletes it, and everything below it";
            Error::new(ErrorCode::IsDirectory, message).at(&at.backend, &at.path)
        };
        if self.dry_run || self.filter.is_given() {
            if session.storage.stat(at).await.map_err(&failed)?.kind == ObjectKind::Directory {
                return Err(failed(directory()));
            }
            let options = ListOptions::default();
            let mut entries = session.storage.find(at, filter, &options).await.map_err(&failed)?;
            match entries.next().await {
                None => return Ok(0),
                Some(Ok(Listed::Entry(_))) if self.dry_run => return Ok(1),
                Some(Ok(Listed::Entry(_))) => {}
                Some(Ok(Listed::Failure(failure))) => return Err(failed(failure.error)),
                Some(Err(error)) => return Err(failed(error)),
            }
        }
        match session.storage.remove(at).await {
            Ok(()) => Ok(1),
            Err(error) if error.code() == ErrorCode::IsDirectory => Err(failed(directory())),
            Err(error) => Err(failed(error)),
        }
    }
}
