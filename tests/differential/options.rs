//! Options one by one, each on a small tree: both must end in the same trees and with the same exit code, or differ as
//! is said here, with the reason. The list in `host/docs/rclone.md` is made of these reasons.

use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};

use crate::{
    contenders::Contender,
    tree::{Scratch, contents},
};

/// What both do, or how they differ.
enum Expected {
    Same,
    /// The exit codes of rclone and of ours, and whether the trees are the same.
    Differ {
        codes: (i32, i32),
        same_trees: bool,
        reason: &'static str,
    },
    /// What rclone does is a matter of chance. Ours ends with this exit code, and with a target that is as the source;
    /// where rclone ends so, too, the trees are the same.
    Chance {
        code: i32,
        reason: &'static str,
    },
}

use Expected::{Chance, Differ, Same};

type Files = &'static [(&'static str, &'static str, u64)];

/// Each file: its path, contents and time, in seconds since 1970.
struct Case {
    arguments: &'static [&'static str],
    source: Files,
    target: Files,
    expected: Expected,
}

const A: (&str, &str, u64) = ("a", "one", 1_000_000_000);
const B: (&str, &str, u64) = ("d/b.txt", "two words", 1_100_000_000);
const CHANGED: (&str, &str, u64) = ("a", "changed", 1_200_000_000);
const EXTRA: (&str, &str, u64) = ("x/extra", "too much", 1_000_000_000);
const EXTRA_TOO: (&str, &str, u64) = ("y.txt", "too much, too", 1_000_000_000);
const RENAMED: (&str, &str, u64) = ("e/renamed", "two words", 1_100_000_000);

/// Where others have [`EXTRA`].
const CLASH: Files = &[A, ("x", "an object", 1_000_000_000)];
const MAKES_ROOM: &str = "whenever a sync deletes, what stands in the place of something else goes before it";

const CASES: &[Case] = &[
    // Moves.
    Case { arguments: &["move", "S", "T"], source: &[A, B], target: &[], expected: Same },
    Case { arguments: &["move", "S", "T"], source: &[CHANGED, B], target: &[A, B, EXTRA], expected: Same },
    Case {
        arguments: &["move", "S", "T", "--ignore-existing"],
        source: &[CHANGED, B],
        target: &[A],
        expected: Same,
    },
    Case {
        arguments: &["move", "S", "T", "--exclude", "*.txt"],
        source: &[A, B],
        target: &[],
        expected: Same,
    },
    Case { arguments: &["move", "S", "T", "--dry-run"], source: &[A, B], target: &[A], expected: Same },
    Case { arguments: &["move", "S/a", "T/new"], source: &[A, B], target: &[], expected: Same },
    Case {
        arguments: &["move", "S", "T", "--immutable"],
        source: &[CHANGED, B],
        target: &[A],
        expected: Same,
    },
    Case {
        arguments: &["move", "S", "T", "--update"],
        source: &[A],
        target: &[CHANGED],
        expected: Differ {
            codes: (0, 0),
            same_trees: false,
            reason: "a move with `--update` leaves an object on the source whose target is newer: rclone deletes it",
        },
    },
    // Backups.
    Case {
        arguments: &["sync", "S", "T", "--backup-dir", "K"],
        source: &[CHANGED],
        target: &[A, EXTRA],
        expected: Same,
    },
    Case {
        arguments: &["copy", "S", "T", "--backup-dir", "K"],
        source: &[CHANGED],
        target: &[A, EXTRA],
        expected: Same,
    },
    Case {
        arguments: &["move", "S", "T", "--backup-dir", "K"],
        source: &[CHANGED],
        target: &[A],
        expected: Same,
    },
    Case {
        arguments: &["sync", "S", "T", "--backup-dir", "K", "--suffix", ".bak"],
        source: &[CHANGED, B],
        target: &[A, EXTRA, EXTRA_TOO],
        expected: Same,
    },
    Case {
        arguments: &["sync", "S", "T", "--backup-dir", "K", "--suffix", "-1", "--suffix-keep-extension"],
        source: &[CHANGED],
        target: &[A, EXTRA_TOO],
        expected: Same,
    },
    Case {
        arguments: &["sync", "S", "T", "--suffix", ".bak"],
        source: &[CHANGED],
        target: &[A, EXTRA],
        expected: Same,
    },
    Case {
        arguments: &["sync", "S", "T", "--suffix", ".bak"],
        source: &[A],
        target: &[A, ("a.bak", "kept before", 1)],
        expected: Differ {
            codes: (0, 0),
            same_trees: false,
            reason: "with `--suffix` alone, what an earlier run kept is not extra: rclone keeps it once more, as \
                     `a.bak.bak`",
        },
    },
    Case {
        arguments: &["sync", "S", "T", "--suffix", "-1", "--suffix-keep-extension"],
        source: &[A],
        target: &[A, (".hidden", "1", 1)],
        expected: Differ {
            codes: (0, 0),
            same_trees: false,
            reason: "a dot that begins a name begins no extension: `.hidden` is kept as `.hidden-1`, not `-1.hidden`",
        },
    },
    Case {
        arguments: &["sync", "S", "T", "--backup-dir", "T/kept"],
        source: &[A],
        target: &[EXTRA],
        expected: Same,
    },
    // An object where the other side has a directory.
    Case {
        arguments: &["sync", "S", "T", "--delete-before"],
        source: CLASH,
        target: &[A, EXTRA],
        expected: Same,
    },
    Case {
        arguments: &["sync", "S", "T", "--delete-before"],
        source: &[A, EXTRA],
        target: CLASH,
        expected: Same,
    },
    Case {
        arguments: &["sync", "S", "T", "--delete-during"],
        source: &[A, EXTRA],
        target: CLASH,
        expected: Chance {
            code: 0,
            reason: "rclone deletes what is in the way and copies at the same time: whichever comes first",
        },
    },
    Case {
        arguments: &["sync", "S", "T", "--delete-before", "--backup-dir", "K"],
        source: &[A, EXTRA],
        target: CLASH,
        expected: Same,
    },
    Case {
        arguments: &["sync", "S", "T", "--delete-during"],
        source: CLASH,
        target: &[A, EXTRA],
        expected: Differ { codes: (1, 0), same_trees: false, reason: MAKES_ROOM },
    },
    Case {
        arguments: &["sync", "S", "T"],
        source: CLASH,
        target: &[A, EXTRA],
        expected: Differ { codes: (1, 0), same_trees: false, reason: MAKES_ROOM },
    },
    Case {
        arguments: &["sync", "S", "T"],
        source: &[A, EXTRA],
        target: CLASH,
        expected: Differ { codes: (1, 0), same_trees: false, reason: MAKES_ROOM },
    },
    // Renames.
    Case {
        arguments: &["sync", "S", "T", "--track-renames"],
        source: &[A, RENAMED],
        target: &[A, B],
        expected: Same,
    },
    Case {
        arguments: &["sync", "S", "T", "--track-renames", "--track-renames-strategy", "modtime"],
        source: &[A, RENAMED],
        target: &[A, B, EXTRA],
        expected: Same,
    },
    Case {
        arguments: &["sync", "S", "T", "--track-renames", "--track-renames-strategy", "leaf"],
        source: &[("e/b.txt", "two words", 1_100_000_000)],
        target: &[B],
        expected: Same,
    },
    Case {
        arguments: &["sync", "S", "T", "--track-renames"],
        source: &[A, ("e/renamed", "two words", 1_300_000_000)],
        target: &[A, B],
        expected: Differ {
            codes: (0, 0),
            same_trees: false,
            reason: "a renamed object gets the time that it has on the source, so that the next run finds nothing to do",
        },
    },
    Case {
        arguments: &["sync", "S", "T", "--track-renames", "--delete-before"],
        source: &[A, RENAMED],
        target: &[A, B],
        expected: Differ {
            codes: (7, 2),
            same_trees: true,
            reason: "options that contradict each other are wrong use (2): nothing of the places was looked at",
        },
    },
    // Changes that are not allowed.
    Case {
        arguments: &["sync", "S", "T", "--immutable"],
        source: &[CHANGED, B],
        target: &[A, EXTRA],
        expected: Same,
    },
    Case { arguments: &["copy", "S", "T", "--immutable"], source: &[A, B], target: &[A], expected: Same },
    // Deletes.
    Case {
        arguments: &["sync", "S", "T", "--delete-before"],
        source: &[A, B],
        target: &[CHANGED, EXTRA],
        expected: Same,
    },
    Case {
        arguments: &["sync", "S", "T", "--delete-during"],
        source: &[A, B],
        target: &[CHANGED, EXTRA],
        expected: Same,
    },
    Case {
        arguments: &["sync", "S", "T", "--delete-after"],
        source: &[A, B],
        target: &[CHANGED, EXTRA],
        expected: Same,
    },
    Case {
        arguments: &["sync", "S", "T", "--delete-during", "--immutable"],
        source: &[CHANGED],
        target: &[A, EXTRA],
        expected: Differ {
            codes: (6, 6),
            same_trees: false,
            reason: "an error withholds the deletes of `--delete-during` that were not begun: rclone goes on with them",
        },
    },
    Case {
        arguments: &["sync", "S", "T", "--max-delete", "2"],
        source: &[A],
        target: &[A, EXTRA, EXTRA_TOO],
        expected: Same,
    },
    Case {
        arguments: &["sync", "S", "T", "--max-delete", "1"],
        source: &[A],
        target: &[A, EXTRA, EXTRA_TOO],
        expected: Differ {
            codes: (7, 7),
            same_trees: false,
            reason: "beyond `--max-delete` nothing is deleted: rclone deletes as many as it may, and then fails",
        },
    },
    Case {
        arguments: &["sync", "S", "T", "--max-delete", "0"],
        source: &[A],
        target: &[A, EXTRA],
        expected: Same,
    },
    Case {
        arguments: &["sync", "S", "T"],
        source: &[],
        target: &[A],
        expected: Differ {
            codes: (0, 7),
            same_trees: false,
            reason: "an empty source is refused without `--allow-empty-source`: it is more often a mistake",
        },
    },
    // Limits and order.
    Case {
        arguments: &["copy", "S", "T", "--max-transfer", "1k"],
        source: &[A, B],
        target: &[],
        expected: Same,
    },
    Case {
        arguments: &["copy", "S", "T", "--max-transfer", "2B", "--transfers", "1"],
        source: &[A],
        target: &[],
        expected: Same,
    },
    Case {
        arguments: &["copy", "S", "T", "--order-by", "size,desc"],
        source: &[A, B, EXTRA],
        target: &[A],
        expected: Same,
    },
    Case {
        arguments: &["sync", "S", "T", "--order-by", "modtime,ascending"],
        source: &[A, B],
        target: &[EXTRA],
        expected: Same,
    },
    // Ends.
    Case { arguments: &["check", "S", "T"], source: &[A], target: &[CHANGED], expected: Same },
    Case { arguments: &["check", "S", "T"], source: &[A], target: &[A], expected: Same },
    Case { arguments: &["check", "S", "T", "--one-way"], source: &[A], target: &[A, B], expected: Same },
    Case { arguments: &["sync", "S/nowhere", "T"], source: &[A], target: &[B], expected: Same },
    Case { arguments: &["sync", "S", "S"], source: &[A], target: &[], expected: Same },
    Case { arguments: &["sync", "S", "S/d"], source: &[A, B], target: &[], expected: Same },
    Case { arguments: &["sync", "S/d", "S"], source: &[A, B], target: &[], expected: Same },
    Case { arguments: &["sync", "S", "T", "--no-such-option"], source: &[A], target: &[], expected: Same },
    Case { arguments: &["sync", "S"], source: &[A], target: &[], expected: Same },
    Case { arguments: &["no-such-command", "S", "T"], source: &[A], target: &[], expected: Same },
    Case { arguments: &["copy", "S", "T", "--min-size", "much"], source: &[A], target: &[], expected: Same },
    Case {
        arguments: &["copy", "S", "T", "--filter", "- [a"],
        source: &[A],
        target: &[],
        expected: Differ {
            codes: (1, 2),
            same_trees: true,
            reason: "a malformed pattern is wrong use (2), as any other option that is malformed",
        },
    },
    Case {
        arguments: &["copy", "S", "T"],
        source: &[("a", "an object", 1), B],
        target: &[("a/below", "a directory", 1)],
        expected: Differ {
            codes: (1, 6),
            same_trees: true,
            reason: "an object where a directory stands is an error that no retry mends (6)",
        },
    },
];

/// All files below, with their times.
type Found = BTreeMap<PathBuf, (Vec<u8>, u64)>;

fn run(case: &Case, contender: Contender) -> (i32, [Found; 3], String) {
    let scratch = Scratch::new();
    for (name, files) in [("S", case.source), ("T", case.target), ("K", &[])] {
        fs::create_dir(scratch.path(name)).unwrap();
        for (path, contents, seconds) in files {
            let file = scratch.write(&format!("{name}/{path}"), contents);
            let time = std::time::UNIX_EPOCH + Duration::from_secs(*seconds);
            fs::File::options().write(true).open(file).unwrap().set_modified(time).unwrap();
        }
    }
    let (name, arguments) = case.arguments.split_first().unwrap();
    let mut command = contender.command(name);
    for argument in arguments {
        let is_place = matches!(argument.split('/').next(), Some("S" | "T" | "K"));
        if is_place {
            command.arg(scratch.path(argument))
        } else {
            command.arg(argument)
        };
    }
    let output = command.output().unwrap();
    let found = ["S", "T", "K"].map(|name| {
        let root = scratch.path(name);
        let dated = |(path, contents): (PathBuf, Vec<u8>)| {
            let modified = fs::metadata(root.join(&path)).unwrap().modified().unwrap();
            let seconds = modified.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
            (path, (contents, seconds))
        };
        contents(&root).into_iter().map(dated).collect()
    });
    (output.status.code().unwrap(), found, crate::contenders::messages(&output))
}

#[test]
fn both_take_each_option_in_the_same_way_or_the_reason_stands_here() {
    let mut wrong = Vec::new();
    for case in CASES {
        let (rclone, ours) = (run(case, Contender::Rclone), run(case, Contender::Ours));
        let same_trees = rclone.1 == ours.1;
        let found = (rclone.0, ours.0, same_trees);
        let expected = match case.expected {
            Same => (rclone.0, rclone.0, true),
            Differ { codes: (theirs, own), same_trees, reason } => {
                assert!(!reason.is_empty());
                (theirs, own, same_trees)
            }
            Chance { code, reason } => {
                assert!(!reason.is_empty());
                let [source, target, ..] = &ours.1;
                assert_eq!(source, target, "{:?}", case.arguments);
                (rclone.0, code, same_trees || rclone.0 == code)
            }
        };
        if found != expected {
            wrong.push(format!(
                "{:?}: rclone {}, ours {}, trees {}\n{:?}\n{:?}\n{}{}",
                case.arguments,
                found.0,
                found.1,
                if same_trees { "the same" } else { "differ" },
                rclone.1,
                ours.1,
                rclone.2,
                ours.2,
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
