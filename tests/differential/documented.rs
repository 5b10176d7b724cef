//! Command lines as rclone's documentation and its users write them, each run by both over the same trees: they end in the
//! same trees and with the same exit code. What differs on purpose stands in `options.rs`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use crate::{
    contenders::{Contender, messages},
    tree::Scratch,
};

/// Words are separated by blanks; `_` stands for one in a word. `S` and `T` are the two places, `K` is empty.
const LINES: &[&str] = &[
    "copy S T",
    "copy -v S T",
    "copy -n S T",
    "copy --progress S T",
    "copy -vv S T",
    "copy -q S T",
    "copy S/a.txt T",
    "copy S/a.txt T/sub",
    "copy S T/new",
    "copy S/d T/d",
    "copy S/sp_ace T",
    "copy S/. T",
    "copy ./S ./T/",
    "copy S T --exclude *.bak",
    "copy S T --exclude *.{bak,bin}",
    "copy S T --exclude /d/**",
    "copy S T --exclude -_x",
    "copy S T --include *.{jpg,txt}",
    "copy S T --include *.jpg --include *.txt",
    "copy S T --include /d/**",
    "copy S T --include -draft.txt",
    "copy S T --include=-draft.txt",
    "copy S T --filter -_*.bak",
    "copy S T --filter +_*.jpg --filter -_*",
    "copy S T -f -_d/",
    "copy S T --filter-from rules",
    "copy S T --include-from included",
    "copy S T --exclude-from excluded",
    "copy S T --files-from listed",
    "copy S T --files-from-raw listed",
    "copy S T --ignore-case --include *.txt",
    "copy S T --min-size 1k",
    "copy S T --max-size 1k",
    "copy S T --min-size 100B --max-size 10k",
    "copy S T --min-size off --max-size off",
    "copy S T --max-age 2y",
    "copy S T --min-age 2y",
    "copy S T --max-age 2002-01-01",
    "copy S T --max-age off",
    "copy S T --max-depth 1",
    "copy S T --max-depth 2",
    "copy S T --max-depth -1",
    "copy S T --create-empty-src-dirs",
    "copy S T --transfers 8 --checkers 16",
    "copy S T --transfers=1 --order-by size,ascending",
    "copy S T --order-by modtime,desc",
    "copy S T --bwlimit 10M",
    "copy S T --bwlimit off",
    "copy S T --bwlimit 0",
    "copy S T --max-transfer 100M",
    "copy S T --max-transfer off",
    "copy S T --update",
    "copy -u S T --modify-window 1s",
    "copy S T --modify-window 100000000s",
    "copy S T --modify-window 100000001s",
    "copy -c S T",
    "copy -I S T",
    "copy S T --size-only",
    "copy S T --ignore-existing",
    "copy S T --ignore-size",
    "copy S T --ignore-size --size-only",
    "copy S T --immutable",
    "copy -M S T",
    "copy S T --retries 3",
    "copy S T --backup-dir K",
    "copy S T --backup-dir K --suffix .old",
    "copy S T --suffix .old",
    "copy S T --suffix-keep-extension",
    "copy S T --suffix -1 --suffix-keep-extension",
    "sync S T",
    "sync -n S T",
    "sync S T --delete-before",
    "sync S T --delete-during",
    "sync S T --delete-after",
    "sync S T --delete-excluded --exclude *.bak",
    "sync S T --exclude *.bak",
    "sync S T --max-delete 0",
    "sync S T --max-delete -1",
    "sync S T --max-delete 100",
    "sync S T --backup-dir K --delete-after",
    "sync S T --backup-dir K --suffix -2026-01-01",
    "sync S T --track-renames",
    "sync S T --track-renames --track-renames-strategy modtime,leaf",
    "sync S T --create-empty-src-dirs",
    "sync S T --ignore-errors",
    "sync S T --immutable",
    "sync S/nowhere T",
    "sync S S",
    "sync S S/d",
    "sync S/d S",
    "move S T",
    "move S T --delete-empty-src-dirs",
    "move S/a.txt T",
    "move S/a.txt T/sub",
    "move S T --exclude *.bak",
    "move S T --ignore-existing",
    "move S T --min-age 1d",
    "move S T --max-age 1d",
    "move S T --ignore-times",
    "move S T --immutable",
    "move -n S T",
    "move S T --backup-dir K",
    "move S S/d",
    "check S T --combined report",
    "check S T --one-way --combined report",
    "check S T --size-only --combined report",
    "check S T --download --combined report",
    "check S T --exclude *.bak --combined report",
    "check S T --include *.txt --combined report",
    "check S T --checkers 1 --combined report",
    "check S T --max-size 10B --combined report",
    "check S/nowhere T",
];

/// Each file of both sides: its path, contents and time.
const SOURCE: &[(&str, &str, u64)] = &[
    ("a.txt", "one", EARLY),
    ("d/b.txt", "two words", LATE),
    (
        "d/e/c.jpg",
        "a picture of two hundred bytes or so, which is more than the others have, all of them together, and so \
      is good for bounds of size: it is in the middle between what is small and what is not small any more",
        EARLY,
    ),
    ("same", "s", EARLY),
    ("touched", "one", LATE),
    ("newer", "new", LATE),
    ("older", "old", EARLY),
    (".hidden", "h", EARLY),
    ("d/b.bak", "bak", EARLY),
    ("Up.TXT", "U", EARLY),
    ("sp ace/f g.txt", "sp", LATE),
    ("-draft.txt", "draft", EARLY),
    ("- x", "x", EARLY),
];
const TARGET: &[(&str, &str, u64)] = &[
    ("a.txt", "eno", EARLY - 1000),
    ("same", "s", EARLY),
    ("touched", "one", EARLY),
    ("newer", "old", EARLY),
    ("older", "newer", LATE),
    ("extra", "x", EARLY),
    ("d/extra.bak", "xb", EARLY),
    ("x/y/z", "z", LATE),
];
const EARLY: u64 = 1_000_000_000;
const LATE: u64 = 1_100_000_000;

/// Files of rules.
const RULES: [(&str, &str); 4] = [
    ("rules", "- *.bak\n+ d/**\n- U*\n"),
    ("included", "*.txt\n# comment\n*.jpg\n"),
    ("excluded", "*.bak\n; note\nempty/**\n"),
    ("listed", "a.txt\nd/b.txt\nnowhere\n"),
];

/// What is below the three places, with times: of a directory that holds nothing, none.
type Found = BTreeMap<PathBuf, Option<(Vec<u8>, u64)>>;

fn found(root: &Path) -> Found {
    let (mut found, mut directories) = (Found::new(), vec![root.to_owned()]);
    while let Some(directory) = directories.pop() {
        let below: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        if below.is_empty() {
            found.insert(directory, None);
        }
        for path in below {
            if path.is_dir() {
                directories.push(path);
            } else {
                let modified = fs::metadata(&path).unwrap().modified().unwrap();
                let seconds = modified.duration_since(UNIX_EPOCH).unwrap().as_secs();
                let contents = fs::read(&path).unwrap();
                found.insert(path, Some((contents, seconds)));
            }
        }
    }
    found.into_iter().map(|(path, file)| (path.strip_prefix(root).unwrap().to_owned(), file)).collect()
}

type Outcome = (Option<i32>, [Found; 3], Vec<String>);

fn run(line: &str, contender: Contender) -> (Outcome, String) {
    let scratch = Scratch::new();
    for (side, files) in [("S", SOURCE), ("T", TARGET)] {
        for (path, contents, seconds) in files {
            let file = scratch.write(&format!("{side}/{path}"), contents);
            let time = UNIX_EPOCH + Duration::from_secs(*seconds);
            fs::File::options().write(true).open(file).unwrap().set_modified(time).unwrap();
        }
    }
    for directory in ["S/empty", "K"] {
        fs::create_dir(scratch.path(directory)).unwrap();
    }
    for (name, rules) in RULES {
        scratch.write(name, rules);
    }
    let mut words = line.split(' ').map(|word| word.replace('_', " "));
    let mut command = contender.command(&words.next().unwrap());
    let output = command.args(words).current_dir(scratch.path("")).output().unwrap();
    let places = ["S", "T", "K"].map(|place| found(&scratch.path(place)));
    let report = fs::read_to_string(scratch.path("report")).unwrap_or_default();
    let mut report: Vec<_> = report.lines().map(str::to_owned).collect();
    report.sort();
    ((output.status.code(), places, report), messages(&output))
}

#[test]
fn what_is_documented_for_rclone_does_the_same() {
    let mut wrong = Vec::new();
    for line in LINES {
        let (rclone, said) = run(line, Contender::Rclone);
        let (ours, we_said) = run(line, Contender::Ours);
        if rclone != ours {
            wrong.push(format!("{line}\nrclone: {rclone:?}\n{said}\nours: {ours:?}\n{we_said}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n\n"));
}
