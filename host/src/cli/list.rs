//! `ls`.

mod fields;

use clap::{ArgGroup, Args};
use serde::Serialize;

use self::fields::{Fields, Sorting, parse_fields, parse_sorting};
use super::{
    Globals,
    exit::Failure,
    filter::FilterOptions,
    found::{self, Found},
    local::Need,
    output::{ErrorJson, ObjectJson, Output, kind_name, note, printable},
    place::Place,
    session::{FileSettings, Session},
    time::to_the_second,
    units::Units,
    wildcard,
};
use crate::{
    ObjectInfo, ObjectKind,
    backend::{ListOptions, ListingFailure, Unlisted, file::Links},
};

/// List what is in a directory, sorted by path; or an object
///
/// One path a line, relative to PLACE; directories end with `/`. Links and special files show with --json only. A line
/// that begins with `! ` is a name that cannot be a path here, or a directory that could not be listed; an error says
/// why, and so does the exit code. With --json it has `error` instead of what is known.
#[derive(Args)]
#[command(
    disable_help_flag = true,
    visible_alias = "lsf",
    group = ArgGroup::new("fields").multiple(true),
    after_help = EXAMPLES
)]
pub(crate) struct Ls {
    /// List everything below, not one level
    #[arg(long, short, short_alias = 'R')]
    recursive: bool,
    /// Size and modification time, in UTC, before each path. In a listing of S3 the time is that of the write
    #[arg(long, short)]
    long: bool,
    #[command(flatten)]
    units: Units,
    /// Directories alone
    #[arg(long, conflicts_with = "files_only")]
    dirs_only: bool,
    /// Objects alone
    #[arg(long)]
    files_only: bool,
    /// By name, size or modtime, then `,asc` or `,desc`; all of the listing is held in memory for that
    #[arg(long, value_name = "ORDER", value_parser = parse_sorting)]
    sort: Option<Sorting>,
    /// Print these fields, with commas between them: path, size, modified, kind, etag, type, md5, sha1, sha256, crc32c.
    /// What is unknown is empty. rclone's letters p, s, t, m are taken, too
    #[arg(long, value_name = "FIELDS", value_parser = parse_fields, group = "fields")]
    format: Option<Fields>,
    /// Between the fields
    #[arg(long, value_name = "TEXT", default_value = ";")]
    separator: String,
    /// Print one JSON object a line: path, kind, size, modified, etag, content_type, hashes, metadata
    #[arg(long, group = "fields")]
    json: bool,
    /// Look up content types and metadata too, which may cost one request for each object
    #[arg(long, requires = "fields")]
    full: bool,
    /// Keep symbolic links as objects `NAME.rclonelink`
    #[arg(long)]
    links: bool,
    /// Follow symbolic links to what they lead to within the place
    #[arg(long, short = 'L', conflicts_with = "links")]
    copy_links: bool,
    #[command(flatten)]
    filter: FilterOptions,
    /// A directory, an object, or `s3://` for the buckets of an account; a `*` in it is a wildcard: s3://bucket/logs/*.gz
    #[arg(value_parser = Place::parser())]
    place: Place,
}

const EXAMPLES: &str = "\
Examples:
  omnistorage ls -lh s3://bucket/logs
  omnistorage ls -lh --sort size,desc -r ./photos
  omnistorage ls 's3://bucket/logs/2026-*.gz'
  omnistorage ls -r --max-age 1d --format path,size nas:backup";

impl Ls {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let (place, pattern) = wildcard::split(&self.place)?;
        let pattern = pattern.map(|pattern| if self.recursive { pattern.deep() } else { pattern });
        let filter = self.filter.filter_within(pattern.as_ref())?;
        let reaches_down = |depth| depth != Some(1);
        let recursive = self.recursive
            || pattern.as_ref().is_some_and(|pattern| reaches_down(pattern.depth()))
            || (filter.max_depth.is_some() && reaches_down(filter.max_depth));
        let files = FileSettings { links: self.links(), ..FileSettings::default() };
        let (session, at) = Session::one_with(globals, &place, Need::Contents, files)?;
        let options = ListOptions { recursive, full_info: self.full, ..ListOptions::default() };

        let mut output = Output::new();
        let mut kept = Vec::new();
        let exit = found::each(&session, &at, &filter, &options, self.json, |found| match found {
            Found::Failure(name, failure) if self.json => output.json(&FailureJson::new(name, &failure)),
            Found::Failure(name, _) => output.line(&format!("! {name}")),
            Found::Entry(path, entry) if self.leaves_out(&entry, recursive) => {
                let is_odd = matches!(entry.kind, ObjectKind::Symlink | ObjectKind::Special);
                if is_odd && globals.is_verbose() {
                    note(format_args!("not listed: `{}` ({})", printable(path), kind_name(entry.kind)));
                }
                Ok(())
            }
            Found::Entry(path, entry) if self.sort.is_some() => {
                kept.push((path.to_owned(), entry));
                Ok(())
            }
            Found::Entry(path, entry) => self.print(&mut output, path, &entry),
        })
        .await?;
        if let Some(sorting) = &self.sort {
            sorting.sort(&mut kept);
        }
        kept.iter().try_for_each(|(path, entry)| self.print(&mut output, path, entry))?;
        output.flush()?;
        Failure::told(exit)
    }

    fn links(&self) -> Links {
        match self {
            Self { links: true, .. } => Links::Keep,
            Self { copy_links: true, .. } => Links::Follow,
            _ => Links::Skip,
        }
    }

    fn leaves_out(&self, entry: &ObjectInfo, recursive: bool) -> bool {
        match entry.kind {
            ObjectKind::Object => self.dirs_only,
            // All that is below a directory tells of it.
            ObjectKind::Directory => self.files_only || (recursive && !self.dirs_only && !self.json),
            ObjectKind::Symlink | ObjectKind::Special => !self.json || self.dirs_only || self.files_only,
        }
    }

    fn print(&self, output: &mut Output, path: &str, entry: &ObjectInfo) -> Result<(), Failure> {
        if self.json {
            return output.json(&ObjectJson::new(path, entry));
        }
        let slash = if entry.kind == ObjectKind::Directory { "/" } else { "" };
        let path = format!("{path}{slash}");
        if let Some(fields) = &self.format {
            return output.line(&fields.line(&path, entry, &self.separator, &self.units));
        }
        if !self.long {
            return output.line(&path);
        }
        let size = entry.size.map_or_else(|| "-".to_owned(), |size| self.units.size(size));
        let modified = entry.modified.map_or_else(|| "-".to_owned(), to_the_second);
        output.line(&format!("{size:>12}  {modified:<20}  {path}"))
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
