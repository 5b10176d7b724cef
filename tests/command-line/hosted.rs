//! The command line as a component, in the command line of wasmtime: it does what the native one does, says the same, and ends
//! with the same exit code.

use std::{
    fs::{self, File, FileTimes},
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, SystemTime},
};

use serde_json::Value;

use self::stock::{granted, is_left_out, tool};
use crate::command::{Run, command};

#[allow(dead_code, reason = "the tests of hosts need more of it")]
#[path = "../hosts/shipped.rs"]
mod shipped;
#[allow(dead_code, reason = "the tests of hosts need more of it")]
#[path = "../hosts/stock.rs"]
mod stock;

/// When everything in the trees was written.
fn written() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

/// The files of the source, and those of the target.
const FILES: [(&str, &str); 12] = [
    ("a/changed", "new and longer"),
    ("a/empty", ""),
    ("a/same", "same"),
    ("a/deep/in/here", "deep"),
    ("a/na\u{ef}ve name.txt", "x"),
    ("a/people.csv", "name,age\nAda,36\nAlan,41\n"),
    ("a/broken.ndjson", "{\"n\":1}\n{\"n\":\n"),
    ("a/page.html", "<p>"),
    ("b/changed", "old"),
    ("b/extra", "extra"),
    ("b/same", "same"),
    ("b/deep/gone", "gone"),
];

/// Two trees, `a` and `b`, the same each time.
fn trees() -> tempfile::TempDir {
    let scratch = tempfile::tempdir().unwrap();
    for (path, contents) in FILES {
        let path = scratch.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, contents).unwrap();
    }
    fs::create_dir(scratch.path().join("c")).unwrap();
    for path in all(scratch.path()).into_iter().rev() {
        let times = FileTimes::new().set_modified(written());
        File::open(scratch.path().join(path)).unwrap().set_times(times).unwrap();
    }
    scratch
}

/// The paths below a directory, those of directories with `/` at their ends.
fn all(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            found.push(format!("{name}/"));
            found.extend(all(&entry.path()).into_iter().map(|below| format!("{name}/{below}")));
        } else {
            found.push(name);
        }
    }
    found.sort();
    found
}

/// The contents of a file, and its time unless somebody wrote it just now.
type Contents = (Vec<u8>, Option<SystemTime>);

/// What is there: paths, and what is in those that are files.
fn contents(directory: &Path) -> Vec<(String, Option<Contents>)> {
    let of = |path: &String| {
        let full = directory.join(path);
        (!path.ends_with('/')).then(|| {
            let time = full.metadata().unwrap().modified().unwrap();
            (fs::read(&full).unwrap(), Some(time).filter(|time| *time == written()))
        })
    };
    // A state holds what the places are called, which is another name in a host.
    let compared = all(directory).into_iter().filter(|path| !path.starts_with("c/"));
    compared.map(|path| (path.clone(), of(&path))).collect()
}

fn run(mut command: Command, input: &str) -> Output {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A command that reads nothing may be gone.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

/// `wasmtime run` of it, with the directories `a`, `b` and `c`.
fn hosted(scratch: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(tool("wasmtime"));
    command.arg("run");
    for name in ["a", "b", "c"] {
        command.args(granted(&scratch.join(name), name));
    }
    command.arg(shipped::component("omnistorage-cli")).args(arguments);
    command
}

/// Without what is another each time: how long it took, and what tells one file from another.
fn settled(text: &str) -> Vec<String> {
    let line = |line: &str| match serde_json::from_str::<Value>(line) {
        Ok(Value::Object(mut object)) => {
            for own in ["elapsed_ms", "etag", "calls", "bytes_moved"] {
                object.remove(own);
            }
            Value::Object(object).to_string()
        }
        _ if line.starts_with("etag:") => "etag".to_owned(),
        _ => match line.rsplit_once(" in ") {
            Some((sentence, time)) if time.ends_with(" s") => sentence.to_owned(),
            _ => line.to_owned(),
        },
    };
    let mut lines: Vec<_> = text.lines().map(line).collect();
    // Objects are transferred at once, and told as they are through.
    lines.sort();
    lines
}

/// Runs the same both ways, each over trees of its own, and compares all that can be seen of it.
fn agree(lines: &[&[&str]], input: &str) {
    let [natively, hosted_at] = [trees(), trees()];
    for line in lines {
        let mut native = command(*line);
        // The help would name it.
        native.env_remove("OMNISTORAGE_MEMO").current_dir(natively.path());
        let native = Run::from(run(native, input));
        let in_host = Run::from(run(hosted(hosted_at.path(), line), input));
        assert_eq!(in_host.code, native.code, "{line:?}: {in_host:?}");
        assert_eq!(settled(&in_host.stderr), settled(&native.stderr), "{line:?}");
        assert_eq!(settled(in_host.text()), settled(native.text()), "{line:?}");
        assert_eq!(contents(hosted_at.path()), contents(natively.path()), "{line:?}");
    }
}

#[test]
fn trees_are_synced_as_natively() {
    if is_left_out() {
        return;
    }
    agree(
        &[
            &["check", "a", "b"],
            &["check", "--json", "--one-way", "a", "b"],
            &["sync", "--dry-run", "--json", "a", "b"],
            &["sync", "-v", "--exclude", "*.html", "a", "b"],
            &["sync", "a", "b"],
            &["sync", "--json", "a", "b"],
            &["check", "--download", "a", "b"],
            &["copy", "--compress", "zstd", "a", "b/packed"],
            &["copy", "a/people.csv", "b/one"],
            &["sync", "--max-delete", "1", "a/deep", "b"],
            &["bisync", "--resync", "--state", "c", "a", "b"],
            &["rm", "a/same"],
            &["bisync", "--json", "--state", "c", "a", "b"],
            &["move", "-v", "a", "b/moved"],
            &["sync", "a", "b"],
        ],
        "",
    );
}

#[test]
fn objects_are_looked_at_and_written_as_natively() {
    if is_left_out() {
        return;
    }
    agree(
        &[
            &["ls", "a"],
            &["ls", "-r", "a/"],
            &["ls", "-r", "--json", "./a"],
            &["stat", "a/deep/../same"],
            &["stat", "--json", "b/extra"],
            &["cat", "a/people.csv"],
            &["cat", "--offset", "5", "--length", "3", "a/people.csv"],
            &["hash", "sha256", "a"],
            &["hash", "md5", "a/same"],
            &["features", "--help"],
            &["put", "-v", "b/new/object"],
            &["put", "--compress", "gzip:9", "b/new/object.gz"],
            &["cat", "--decompress", "b/new/object.gz"],
            &["tee", "--json", "b/one", "a/other"],
            &["rm", "b/one"],
            &["rm", "-rv", "b/new"],
            &["mkdir", "b/made/deep"],
            &["rmdir", "b/made/deep"],
            &["records", "convert", "a/people.csv", "b/people.ndjson.zst"],
            &["records", "head", "-n", "1", "b/people.ndjson.zst"],
            &["records", "count", "--quiet", "a/people.csv"],
            &["records", "convert", "--json", "b/people.ndjson.zst", "b/people.json"],
        ],
        "standard input, which\nhas two lines",
    );
}

/// Long enough to come in several parts.
#[test]
fn a_long_input_is_taken_to_its_end() {
    if is_left_out() {
        return;
    }
    let input: String = (0..500_000).map(|number| format!("{number}\n")).collect();
    agree(&[&["put", "b/long"], &["hash", "sha256", "b/long"]], &input);
}

#[test]
fn mistakes_are_answered_as_natively() {
    if is_left_out() {
        return;
    }
    agree(
        // The first page of the help is another one: there is no `config` in a component, and there are no completions.
        &[
            &["help", "sync"],
            &["--version"],
            &["sync", "a"],
            &["sync", "a", "b", "--no-such-option"],
            &["synch", "a", "b"],
            &["sync", "a", "a/deep"],
            &["sync", "a/none", "b"],
            &["ls", "a/none"],
            &["cat", "a/none"],
            &["cat", "a/deep"],
            &["rm", "a/none"],
            &["rm", "a/deep"],
            &["ls", "~/x"],
            &["ls", "s3//bucket"],
            &["put", "b/"],
            &["records", "count", "a/broken.ndjson"],
            &["records", "convert", "a/broken.ndjson", "b/broken.csv"],
            &["records", "count", "a/page.html"],
            &["move", "--copy-links", "a", "b"],
            &["rmdir", "a/deep"],
        ],
        "",
    );
}

#[test]
fn what_has_no_effect_says_so() {
    if is_left_out() {
        return;
    }
    agree(&[&["records", "convert", "--cores", "2", "a/people.csv", "b/people.ndjson.zst"]], "");
    for command in [&["records", "convert", "--help"][..], &["put", "--help"]] {
        let help = Run::from(run(hosted(trees().path(), command), "")).ok();
        assert!(help.text().contains("without effect: a component has one core"), "{help:?}");
    }
}

/// What is not granted does not exist, and one sentence says how to grant it.
#[test]
fn what_the_host_does_not_grant_is_said() {
    if is_left_out() {
        return;
    }
    let scratch = trees();
    let fails = |arguments: &[&str], code: i32, words: &[&str]| {
        Run::from(run(hosted(scratch.path(), arguments), "")).fails(code, words);
    };
    fails(&["sync", "a", "elsewhere"], 2, &["`elsewhere`", "only `/a`, `/b`, `/c`", "--dir"]);
    fails(&["ls", "../a"], 2, &["`../a`", "leads out of what the host grants"]);
    fails(&["ls", "nas:x"], 2, &["no backend `nas` was granted"]);
    fails(&["ls", "s3://bucket/x"], 2, &["OMNISTORAGE_NAME_BUCKET=bucket"]);
    fails(&["cat", "-"], 2, &["`put` writes an object from its standard input"]);
    fails(&["copy", "--links", "a", "b"], 2, &["leave out --links"]);
    fails(&["--config", "a/x.toml", "ls", "a"], 2, &["no configuration file"]);
    assert_eq!(contents(scratch.path()), contents(trees().path()));
}

/// A host may grant one directory twice: a move onto itself would remove what it believes to be somewhere else.
#[test]
fn one_directory_under_two_names_is_not_moved_onto_itself() {
    if is_left_out() {
        return;
    }
    let scratch = trees();
    for (source, target) in [("one", "two"), ("one/deep", "two/deep"), ("one/same", "two")] {
        let mut command = Command::new(tool("wasmtime"));
        command.arg("run");
        for name in ["one", "two"] {
            command.args(granted(&scratch.path().join("a"), name));
        }
        command.arg(shipped::component("omnistorage-cli")).args(["move", source, target]);
        Run::from(run(command, "")).fails(2, &["are one place by two names"]);
    }
    assert_eq!(contents(scratch.path()), contents(trees().path()));
}

/// The environment describes a backend, whose settings hold.
#[test]
fn a_backend_of_the_environment_is_a_place() {
    if is_left_out() {
        return;
    }
    let scratch = trees();
    let described = |arguments: &[&str]| {
        let mut command = hosted(scratch.path(), &[]);
        let component = shipped::component("omnistorage-cli");
        let mut anew = Command::new(command.get_program());
        let before = command.get_args().take_while(|argument| *argument != component.as_os_str());
        anew.args(before);
        for setting in ["KIND=file", "ROOT=/a/deep", "READ_ONLY=true"] {
            anew.args(["--env", &format!("OMNISTORAGE_KEPT_{setting}")]);
        }
        anew.arg(component).args(arguments);
        command = anew;
        Run::from(run(command, "x"))
    };
    assert_eq!(described(&["ls", "-r", "kept:"]).ok().lines(), ["in/here"]);
    assert_eq!(described(&["backends"]).ok().lines(), ["a:", "b:", "c:", "kept:"]);
    assert_ne!(described(&["put", "kept:new"]).code, Some(0));
    described(&["sync", "kept:in", "b"]).ok();
    assert_eq!(all(&scratch.path().join("b")), ["here"]);
}
