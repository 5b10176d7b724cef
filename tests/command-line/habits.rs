//! Everyday tasks as users of rclone, s5cmd and aws type them: each does here what it does there, or is answered with the
//! command that does. None does anything else.

use std::fs;

use crate::{
    command::{Run, command, run_with},
    tree::Scratch,
};

/// What becomes of a line that was typed.
enum Here {
    /// It works: the exit code, and what it leaves behind (`+path`, `-path`) or prints.
    Works(i32, &'static [&'static str]),
    /// It is refused, with these words.
    Answered(&'static [&'static str]),
}

use Here::{Answered, Works};

/// A fresh tree, and what one line does in it.
fn typed(line: &str, here: &Here) {
    let scratch = Scratch::new();
    for (path, contents) in [
        ("src/a.txt", "alpha\n"),
        ("src/sub/b.gz", "beta"),
        ("dst/old.txt", "old"),
        ("one.txt", "one\ntwo\n"),
    ] {
        scratch.write(path, contents);
    }
    fs::create_dir(scratch.path("empty")).unwrap();
    let words: Vec<_> = line.split_whitespace().map(|word| word.trim_matches('\'')).collect();
    let mut command = command(&words);
    command.current_dir(scratch.path(""));
    let run = run_with(b"from input\n", &mut command);
    match here {
        Works(code, effects) => {
            assert_eq!(run.code, Some(*code), "{line}: {run:?}");
            for effect in *effects {
                if let Some(path) = effect.strip_prefix('+') {
                    assert!(scratch.path(path).exists(), "{line}: no {path}: {run:?}");
                } else if let Some(path) = effect.strip_prefix('-') {
                    assert!(!scratch.path(path).exists(), "{line}: there is {path}: {run:?}");
                } else {
                    assert!(said(&run).contains(effect), "{line}: {effect:?} is not said: {run:?}");
                }
            }
        }
        Answered(words) => {
            assert_eq!((run.code, run.text()), (Some(2), ""), "{line}: {run:?}");
            assert!(run.stderr.starts_with("error: "), "{line}: {}", run.stderr);
            for word in *words {
                assert!(run.stderr.contains(word), "{line}: no {word:?} in: {}", run.stderr);
            }
            for path in ["src/a.txt", "src/sub/b.gz", "dst/old.txt", "one.txt", "empty"] {
                assert!(scratch.path(path).exists(), "{line}: {path} is gone");
            }
            assert_eq!(fs::read_dir(scratch.path("")).unwrap().count(), 4, "{line} made something");
        }
    }
}

fn said(run: &Run) -> String {
    format!("{}{}", run.text(), run.stderr)
}

#[test]
fn what_users_of_rclone_type() {
    for (line, here) in [
        ("ls src", Works(0, &["a.txt\nsub/\n"])),
        ("lsl src", Works(0, &["6  ", "  sub/b.gz"])),
        ("lsf src", Works(0, &["a.txt\nsub/\n"])),
        ("lsf -R --files-only --format ps src", Works(0, &["a.txt;6\nsub/b.gz;4\n"])),
        ("lsd src", Works(0, &["  sub/\n"])),
        ("lsjson src", Answered(&["`omnistorage ls --json PLACE`"])),
        ("tree src", Works(0, &["└── sub/\n", "b.gz"])),
        ("size src", Works(0, &["2 objects, 10 B"])),
        ("md5sum src", Works(0, &["9f9f90dbe3e5ee1218c86b8839db1995  a.txt"])),
        ("hashsum sha1 one.txt", Works(0, &["  one.txt"])),
        ("cat one.txt", Works(0, &["one\ntwo\n"])),
        ("copy src dst", Works(0, &["+dst/a.txt", "+dst/old.txt", "transferred 2 objects"])),
        ("copyto one.txt dst/two.txt", Works(0, &["+dst/two.txt", "+one.txt"])),
        ("sync src dst", Works(0, &["+dst/sub/b.gz", "-dst/old.txt"])),
        ("move src dst", Works(0, &["+dst/a.txt", "-src/a.txt"])),
        ("moveto one.txt dst/two.txt", Works(0, &["+dst/two.txt", "-one.txt"])),
        ("check src dst", Works(1, &["2 only in the source"])),
        ("deletefile one.txt", Works(0, &["-one.txt", "deleted 1 object"])),
        ("delete src", Answered(&["`omnistorage rm -r PLACE`"])),
        ("purge src", Works(0, &["-src", "deleted 2 objects"])),
        ("mkdir new/deep", Works(0, &["+new/deep"])),
        ("rmdir empty", Works(0, &["-empty"])),
        ("rmdirs empty", Answered(&["`omnistorage rmdir PLACE`"])),
        ("rcat dst/in.txt", Works(0, &["+dst/in.txt"])),
        ("version", Works(0, &["omnistorage 0."])),
        ("listremotes", Works(0, &["file"])),
        ("ncdu src", Works(0, &["sub/", "10 B"])),
        ("mount src dst", Answered(&["nothing is served or mounted"])),
        ("copy --fast-list src dst", Answered(&["--fast-list", "listings stream"])),
        ("sync --use-json-log src dst", Answered(&["--log-format json"])),
        ("touch new.txt", Answered(&["`omnistorage put PLACE < /dev/null`"])),
        ("dedupe src", Answered(&["two objects of one name"])),
    ] {
        typed(line, &here);
    }
}

#[test]
fn what_users_of_s5cmd_type() {
    for (line, here) in [
        ("ls src/*", Works(0, &["a.txt\nsub/\n"])),
        ("ls -h src", Works(0, &["a.txt"])),
        ("ls src/**.gz", Works(0, &["sub/b.gz\n"])),
        ("cp one.txt dst/two.txt", Answered(&["`omnistorage copyto one.txt dst/two.txt`"])),
        ("cp src/ dst/", Answered(&["`omnistorage copy src/ dst/`"])),
        ("cp --sse AES256 one.txt dst/", Answered(&["`omnistorage copy SOURCE DIRECTORY`"])),
        ("mv one.txt dst/two.txt", Answered(&["`omnistorage moveto one.txt dst/two.txt`"])),
        ("rm one.txt", Works(0, &["-one.txt"])),
        ("rm src/*.txt", Works(0, &["-src/a.txt", "+src/sub/b.gz"])),
        ("rm one.txt src/a.txt", Works(0, &["-one.txt", "-src/a.txt", "deleted 2 objects"])),
        ("rm --dry-run src/*.txt", Works(0, &["+src/a.txt", "would have deleted 1 object"])),
        ("du -h src", Works(0, &["10 B\t."])),
        ("cat src/a.txt one.txt", Works(0, &["alpha\none\n"])),
        ("pipe dst/in.txt", Works(0, &["+dst/in.txt"])),
        ("head -n 1 one.txt", Works(0, &["one\n"])),
        ("mb new", Works(0, &["+new"])),
        ("rb empty", Works(0, &["-empty"])),
        ("run commands.txt", Answered(&["`sh FILE`"])),
        ("select one.txt", Answered(&["`omnistorage records convert PLACE -`"])),
        ("sync --delete src dst", Answered(&["`omnistorage sync` deletes"])),
        ("sync --size-only src dst", Works(0, &["-dst/old.txt"])),
        ("sync --exclude *.gz src/ dst/", Works(0, &["+dst/a.txt", "-dst/sub"])),
        ("copy --numworkers 8 src dst", Answered(&["--transfers"])),
        ("copy --no-clobber src dst", Answered(&["--ignore-existing"])),
        ("copy --if-size-differ src dst", Answered(&["--size-only"])),
        ("copy --if-source-newer src dst", Answered(&["--update"])),
        ("bucket-version b", Answered(&["the tool of the store"])),
        ("presign one.txt", Answered(&["no links for others"])),
        ("version", Works(0, &["omnistorage 0."])),
    ] {
        typed(line, &here);
    }
}

#[test]
fn what_users_of_aws_type() {
    for (line, here) in [
        ("s3 ls", Answered(&["`omnistorage ls s3://bucket`"])),
        ("s3api list-buckets", Answered(&["`omnistorage ls s3://bucket`"])),
        ("ls src", Works(0, &["a.txt\n"])),
        ("ls src --recursive", Works(0, &["sub/b.gz\n"])),
        ("ls src --recursive --human-readable -l", Works(0, &["6 B", "4 B"])),
        ("ls src --summarize", Answered(&["`omnistorage size`"])),
        ("cp one.txt dst/", Answered(&["`omnistorage copy one.txt dst/`"])),
        ("cp src dst --recursive", Answered(&["`omnistorage copy src dst`"])),
        ("mv src dst --recursive", Answered(&["`omnistorage move src dst`"])),
        ("rm one.txt", Works(0, &["-one.txt", "deleted 1 object"])),
        ("rm src --recursive", Works(0, &["-src", "deleted 2 objects"])),
        ("rm src --recursive --exclude *.gz", Works(0, &["-src/a.txt", "+src/sub/b.gz"])),
        ("rm src --recursive --dryrun", Answered(&["--dry-run"])),
        ("sync src dst", Works(0, &["+dst/a.txt", "-dst/old.txt"])),
        ("sync src dst --delete", Answered(&["deletes what is extra"])),
        ("sync src dst --exact-timestamps", Answered(&["--exact-times"])),
        ("copy src dst --recursive", Answered(&["--max-depth 1"])),
        ("copy -r src dst", Answered(&["with all that is below it"])),
        ("copy src dst --profile p", Answered(&["AWS_PROFILE", "omnistorage config"])),
        ("copy src dst --region eu-west-1", Answered(&["AWS_REGION", "omnistorage config"])),
        ("copy src dst --endpoint-url http://h", Answered(&["AWS_ENDPOINT_URL", "omnistorage config"])),
        ("ls src --no-sign-request", Answered(&["anonymous"])),
        ("copy src dst --storage-class GLACIER", Answered(&["its bucket gives by default"])),
        ("copy src dst --acl public-read", Answered(&["its bucket gives by default"])),
        ("copy src dst --only-show-errors", Answered(&["-q"])),
        ("copy src dst --quiet", Works(0, &["+dst/a.txt"])),
        ("copy src dst --follow-symlinks", Answered(&["--copy-links"])),
        ("mb new", Works(0, &["+new"])),
        ("rb empty", Works(0, &["-empty"])),
        ("rb src", Works(6, &["+src/a.txt"])),
        ("presign one.txt", Answered(&["no links for others"])),
        ("website b", Answered(&["the tool of the store"])),
    ] {
        typed(line, &here);
    }
}

#[test]
fn what_users_of_gsutil_and_mc_type() {
    for (line, here) in [
        ("rsync -r -d src dst", Answered(&["`omnistorage sync SOURCE TARGET`", "rsync -d"])),
        ("mirror --remove src dst", Answered(&["`omnistorage sync SOURCE TARGET`"])),
        ("-m copy src dst", Answered(&["--transfers"])),
        ("hash md5 one.txt", Works(0, &["  one.txt"])),
        ("stat one.txt", Works(0, &["size:         8"])),
        ("diff src dst", Answered(&["`omnistorage check SOURCE TARGET`"])),
        ("find src", Answered(&["`omnistorage ls -r PLACE`"])),
        (
            "compose one.txt src/a.txt dst/x",
            Answered(&["`omnistorage cat PLACE... | omnistorage put PLACE`"]),
        ),
        ("signurl one.txt", Answered(&["no links for others"])),
        ("setmeta -h x one.txt", Answered(&["--content-type"])),
    ] {
        typed(line, &here);
    }
}

/// A name that nobody knows is answered as before.
#[test]
fn an_unknown_command_is_unknown() {
    let run = run_with(b"", &mut command(["rename", "a", "b"]));
    assert_eq!(run.code, Some(2));
    run.says(&["rename"]);
}
