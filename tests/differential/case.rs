//! Random cases. What is left out of them differs on purpose:
//!
//! - includes beside excludes, which ours refuses;
//! - an empty source, which ours refuses to mirror: `--allow-empty-source` is always given;
//! - objects of both sides of which a bound of size or time excludes one: ours judges by the source alone;
//! - deletes before or during transfers that fail, which ours withholds as soon as it knows;
//! - `--track-renames`, where ours gives the renamed object the time that it has on the source (`options.rs`);
//! - a move with `--update`, where ours leaves an object whose target is newer;
//! - `--delete-excluded` beside `--max-depth`: ours leaves what lies deeper alone;
//! - an object where the other side has a directory, for which ours makes room (`options.rs`);
//! - patterns with a backslash before a letter, which ours refuses.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use proptest::prelude::*;

use crate::{
    contenders::{Contender, messages},
    tree::Scratch,
};

/// A run: two trees, a command and its options.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    command: &'static str,
    options: Vec<String>,
    /// The contents of a file of rules, and the option that takes it.
    rules: Option<(&'static str, Vec<String>)>,
    /// What is replaced or deleted is kept elsewhere.
    keeps: bool,
    source: Tree,
    target: Tree,
}

type Tree = BTreeMap<String, File>;

#[derive(Clone, Debug, PartialEq, Eq)]
struct File {
    contents: &'static str,
    /// Seconds since 1970.
    modified: u64,
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    succeeded: bool,
    source: Tree,
    target: Tree,
    kept: Tree,
    /// Of a check: its report.
    report: Vec<String>,
    /// For a person; not compared.
    pub(crate) messages: String,
}

impl PartialEq for Outcome {
    fn eq(&self, other: &Self) -> bool {
        let parts = |outcome: &Self| {
            let Self { succeeded, source, target, kept, report, messages: _ } = outcome;
            (*succeeded, source.clone(), target.clone(), kept.clone(), report.clone())
        };
        parts(self) == parts(other)
    }
}

impl Case {
    /// Runs it in trees of its own.
    pub(crate) fn run(&self, contender: Contender) -> Outcome {
        let scratch = Scratch::new();
        for (name, tree) in [("source", &self.source), ("target", &self.target)] {
            fs::create_dir(scratch.path(name)).unwrap();
            for (path, file) in tree {
                let path = scratch.write(&format!("{name}/{path}"), file.contents);
                let time = SystemTime::UNIX_EPOCH + Duration::from_secs(file.modified);
                fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
            }
        }
        let (source, target, report) =
            (scratch.path("source"), scratch.path("target"), scratch.path("report"));
        let mut command = contender.command(self.command);
        command.arg(&source).arg(&target).args(&self.options);
        if let Some((option, rules)) = &self.rules {
            command.arg(option).arg(scratch.write("rules", rules.join("\n")));
        }
        let kept = scratch.path("kept");
        fs::create_dir(&kept).unwrap();
        if self.keeps {
            command.arg("--backup-dir").arg(&kept);
        }
        match (self.command, contender) {
            ("check", _) => _ = command.arg("--combined").arg(&report),
            ("sync", Contender::Ours) => _ = command.arg("--allow-empty-source"),
            _ => {}
        }
        let output = command.output().unwrap();
        let mut report: Vec<_> =
            fs::read_to_string(report).unwrap_or_default().lines().map(str::to_owned).collect();
        report.sort();
        Outcome {
            succeeded: output.status.success(),
            source: read(&source),
            target: read(&target),
            kept: read(&kept),
            report,
            messages: messages(&output),
        }
    }

    /// What to type to see it again.
    pub(crate) fn command_line(&self) -> String {
        let keeps = if self.keeps { "--backup-dir KEPT" } else { "" };
        format!("{} SOURCE TARGET {:?} {:?} {keeps}", self.command, self.options, self.rules)
    }
}

/// All files below a directory.
fn read(root: &Path) -> Tree {
    let known = |bytes: Vec<u8>| {
        CONTENTS.into_iter().find(|contents| contents.as_bytes() == bytes).unwrap_or("something else")
    };
    let file = |(path, bytes): (std::path::PathBuf, Vec<u8>)| {
        let modified = fs::metadata(root.join(&path)).unwrap().modified().unwrap();
        let modified = modified.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        (path.to_str().unwrap().to_owned(), File { contents: known(bytes), modified })
    };
    crate::tree::contents(root).into_iter().map(file).collect()
}

const CONTENTS: [&str; 5] = ["", "1", "2", "two words", "a much longer text of more bytes"];
const TIMES: [u64; 3] = [981_173_106, 1_324_817_999, 1_600_000_000];
const SEGMENTS: [&str; 9] = ["a", "b", "ab", "a.b", "c.txt", "d.tmp", ".x", "a b", "B"];
const PATTERNS: [&str; 34] = [
    "a",
    "/a",
    "*",
    "**",
    "*.txt",
    "/*.txt",
    "a/**",
    "/a/**",
    "a/",
    "/a/b/",
    "?",
    "??",
    "a*",
    "*/a",
    "/*/a",
    "**/a",
    "a**b",
    "[ab]",
    "[^a]*",
    "[a-b]/*",
    "{a,b}",
    "{a,b}/*",
    "{a/b,b}/**",
    "a.b",
    "/a b/*",
    "*.{txt,tmp}",
    "{{a+b?}}",
    "/{{[ab]}}/c.txt",
    ".*",
    ".*/**",
    "*b*",
    "/**",
    "B",
    "a/b/*",
];

fn file() -> impl Strategy<Value = File> {
    (prop::sample::select(&CONTENTS[..]), prop::sample::select(&TIMES[..]))
        .prop_map(|(contents, modified)| File { contents, modified })
}

/// The files of both sides. No object stands where the other side has a directory.
fn trees() -> impl Strategy<Value = (Tree, Tree)> {
    let path =
        prop::collection::vec(prop::sample::select(&SEGMENTS[..]), 1..4).prop_map(|path| path.join("/"));
    let sides = prop_oneof![
        (file(), file()).prop_map(|(source, target)| (Some(source), Some(target))),
        file().prop_map(|file| (Some(file.clone()), Some(file))),
        file().prop_map(|source| (Some(source), None)),
        file().prop_map(|target| (None, Some(target))),
    ];
    prop::collection::btree_map(path, sides, 0..16).prop_map(|all| {
        let is_directory = |path: &String| all.keys().any(|other| other.starts_with(&format!("{path}/")));
        let (mut source, mut target) = (Tree::new(), Tree::new());
        for (path, (from, to)) in all.iter().filter(|(path, _)| !is_directory(path)) {
            source.extend(from.clone().map(|file| (path.clone(), file)));
            target.extend(to.clone().map(|file| (path.clone(), file)));
        }
        (source, target)
    })
}

/// Rules as options, or as a file and the option that takes it.
type Rules = (Vec<String>, Option<(&'static str, Vec<String>)>);

fn rules() -> impl Strategy<Value = Rules> {
    let patterns = || prop::collection::vec(prop::sample::select(&PATTERNS[..]), 1..4);
    let rule = (any::<bool>(), prop::sample::select(&PATTERNS[..]))
        .prop_map(|(include, pattern)| format!("{} {pattern}", if include { '+' } else { '-' }));
    let ruled = || prop::collection::vec(rule.clone(), 1..6);
    let repeated = |option: &'static str| {
        move |rules: Vec<String>| (rules.into_iter().map(|rule| format!("{option}={rule}")).collect(), None)
    };
    let owned = |patterns: Vec<&str>| patterns.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let in_file = |option: &'static str| move |rules: Vec<String>| (Vec::new(), Some((option, rules)));
    let path =
        prop::collection::vec(prop::sample::select(&SEGMENTS[..]), 1..4).prop_map(|path| path.join("/"));
    prop_oneof![
        2 => Just((Vec::new(), None)),
        4 => ruled().prop_map(repeated("--filter")),
        2 => ruled().prop_map(in_file("--filter-from")),
        2 => patterns().prop_map(owned).prop_map(repeated("--include")),
        2 => patterns().prop_map(owned).prop_map(repeated("--exclude")),
        1 => patterns().prop_map(owned).prop_map(in_file("--include-from")),
        1 => patterns().prop_map(owned).prop_map(in_file("--exclude-from")),
        1 => prop::collection::vec(path, 1..8).prop_map(in_file("--files-from")),
    ]
}

/// Some of these, each with this chance.
fn some(options: &[&'static str], chance: f64) -> impl Strategy<Value = Option<String>> + use<> {
    prop::option::weighted(chance, prop::sample::select(options.to_vec()).prop_map(str::to_owned))
}

pub(crate) fn case() -> impl Strategy<Value = Case> {
    let command = prop::sample::select(vec!["copy", "sync", "sync", "move", "check"]);
    let comparison = some(&["--checksum", "--size-only", "--ignore-existing", "--ignore-times"], 0.4);
    let bounds =
        some(&["--min-size=2B", "--max-size=8B", "--max-age=2005-01-01", "--min-age=2015-01-01"], 0.2);
    let more = (
        some(&["--update"], 0.2),
        some(&["--max-depth=1", "--max-depth=2"], 0.15),
        some(&["--ignore-case"], 0.15),
        some(&["--delete-excluded"], 0.2),
        some(&["--dry-run"], 0.1),
        some(&["--immutable"], 0.1),
        some(&["--delete-before", "--delete-during", "--delete-after"], 0.3),
        some(&["--order-by=size", "--order-by=modtime,desc", "--order-by=name"], 0.2),
        prop::option::weighted(0.2, Just(())),
    );
    (command, trees(), rules(), comparison, bounds, more).prop_map(
        |(command, (source, mut target), (mut options, rules), comparison, bounds, more)| {
            let (update, depth, ignore_case, delete_excluded, dry_run, immutable, deletes, order, keep) =
                more;
            let is_list = matches!(rules, Some(("--files-from", _)));
            let bounds = bounds.filter(|_| !is_list);
            if bounds.is_some() {
                for (path, file) in &source {
                    target.entry(path.clone()).and_modify(|other| *other = file.clone());
                }
            }
            let has_depth = depth.is_some();
            // Deletes that do not wait for the errors of the transfers.
            let deletes = deletes.filter(|option| immutable.is_none() || option == "--delete-after");
            options.extend(bounds.into_iter().chain(depth).chain(ignore_case.filter(|_| !is_list)));
            match command {
                "check" => options.extend(comparison.filter(|option| option == "--size-only")),
                "move" => options.extend(comparison.into_iter().chain(dry_run).chain(immutable).chain(order)),
                _ => {
                    let more = [update, dry_run, immutable, order];
                    options.extend(comparison.into_iter().chain(more.into_iter().flatten()));
                }
            }
            if command == "sync" {
                options.extend(delete_excluded.filter(|_| !has_depth));
                options.extend(deletes);
            }
            let keeps = keep.is_some() && command != "check";
            Case { command, options, rules, keeps, source, target }
        },
    )
}
