//! `tree`: a directory as a picture.

use std::collections::BTreeMap;

use clap::Args;

use super::{
    Globals,
    exit::{Exit, Failure},
    filter::FilterOptions,
    follow::objects,
    found::{self, Found},
    local::Need,
    output::{Output, printable},
    place::Place,
    session::Session,
    time::to_the_second,
    units::Units,
    wildcard,
};
use crate::{
    ObjectInfo, ObjectKind,
    backend::{ListOptions, Unlisted},
};

/// Draw a directory as a tree
///
/// All of it is held in memory: --max-depth bounds that. In names, characters that would control a terminal are escaped.
#[derive(Args)]
#[command(disable_help_flag = true, after_help = EXAMPLES)]
pub(crate) struct Tree {
    /// Size and modification time, in UTC, before each name
    #[arg(long, short)]
    long: bool,
    #[command(flatten)]
    units: Units,
    /// Directories alone
    #[arg(long, short)]
    dirs_only: bool,
    #[command(flatten)]
    filter: FilterOptions,
    /// A directory; a `*` in it is a wildcard
    #[arg(value_parser = Place::parser())]
    place: Place,
}

const EXAMPLES: &str = "\
Examples:
  omnistorage tree --max-depth 2 s3://bucket
  omnistorage tree -lh --exclude '.git/**' .";

/// What stands at a name.
#[derive(Default)]
struct Node {
    /// `None` for a directory of which nothing else is known.
    info: Option<ObjectInfo>,
    is_directory: bool,
    is_unlisted: bool,
    /// By name. Stores may have an object and a directory of the same.
    below: BTreeMap<(String, bool), Node>,
}

impl Node {
    /// What stands at a path; what is above it is made.
    fn at(&mut self, path: &str, is_directory: bool) -> &mut Self {
        let mut node = self;
        let mut names = path.split('/').peekable();
        while let Some(name) = names.next() {
            let directory = is_directory || names.peek().is_some();
            node = node.below.entry((name.to_owned(), directory)).or_default();
            node.is_directory = directory;
        }
        node
    }
}

impl Tree {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let (place, pattern) = wildcard::split(&self.place)?;
        let filter = self.filter.filter_within(pattern.map(wildcard::Pattern::deep).as_ref())?;
        // A level by itself shows its directories also where those are only prefixes.
        let recursive = filter.max_depth != Some(1);
        let (session, at) = Session::one(globals, &place, Need::Contents)?;
        let options = ListOptions { recursive, ..ListOptions::default() };
        let (mut root, mut directories, mut files) = (Node::default(), 0, 0);
        let exit = found::each(&session, &at, &filter, &options, false, |found| {
            match found {
                Found::Failure("", _) => root.is_unlisted = true,
                Found::Failure(name, failure) => {
                    let is_directory = matches!(failure.what, Unlisted::Directory(_));
                    root.at(name, is_directory).is_unlisted = true;
                }
                Found::Entry(path, entry) => match entry.kind {
                    ObjectKind::Directory => drop(root.at(path, true).info.insert(entry)),
                    ObjectKind::Object if self.dirs_only => {
                        if let Some((above, _)) = path.rsplit_once('/') {
                            root.at(above, true);
                        }
                    }
                    ObjectKind::Object => {
                        files += 1;
                        root.at(path, false).info = Some(entry);
                    }
                    ObjectKind::Symlink | ObjectKind::Special => {}
                },
            }
            Ok(())
        })
        .await?;
        let mut output = Output::new();
        output.line(&printable(&self.place.typed))?;
        self.draw(&mut output, &root, "", &mut directories)?;
        let least = if exit == Exit::Done { "" } else { "at least " };
        let directories =
            if directories == 1 { "1 directory".to_owned() } else { format!("{directories} directories") };
        let files = if self.dirs_only { String::new() } else { format!(", {}", objects(files)) };
        output.line("")?;
        output.line(&format!("{least}{directories}{files}"))?;
        output.flush()?;
        Failure::told(exit)
    }

    fn draw(
        &self,
        output: &mut Output,
        node: &Node,
        indent: &str,
        directories: &mut u64,
    ) -> Result<(), Failure> {
        let mut below = node.below.iter().peekable();
        while let Some(((name, _), node)) = below.next() {
            let (branch, trunk) =
                if below.peek().is_some() { ("├── ", "│   ") } else { ("└── ", "    ") };
            *directories += u64::from(node.is_directory);
            let slash = if node.is_directory { "/" } else { "" };
            let unlisted = if node.is_unlisted { "  [not listed]" } else { "" };
            let facts = if self.long { self.facts(node) } else { String::new() };
            output.line(&format!("{indent}{branch}{facts}{}{slash}{unlisted}", printable(name)))?;
            self.draw(output, node, &format!("{indent}{trunk}"), directories)?;
        }
        Ok(())
    }

    fn facts(&self, node: &Node) -> String {
        let info = node.info.as_ref();
        let size =
            info.and_then(|info| info.size).map_or_else(|| "-".to_owned(), |size| self.units.size(size));
        let modified = info.and_then(|info| info.modified).map_or_else(|| "-".to_owned(), to_the_second);
        format!("[{size:>10}  {modified:<20}]  ")
    }
}
