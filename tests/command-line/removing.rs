//! Deleting and renaming, and what is said of it.

use std::fs;

use crate::{
    command::{Run, command, run_with},
    tree::Scratch,
};

fn tree() -> Scratch {
    let scratch = Scratch::new();
    for path in ["t/a/x.gz", "t/a/y.txt", "t/b.gz", "t/c.txt", "t/only/z.gz"] {
        scratch.write(path, "12345");
    }
    scratch
}

fn rm(scratch: &Scratch, options: &[&str], below: &[&str]) -> Run {
    run_with(b"", command(["rm"]).args(options).args(below.iter().map(|below| scratch.path(below))))
}

fn left(scratch: &Scratch) -> Vec<String> {
    let listed = run_with(b"", command(["ls", "-r", "--json"]).arg(scratch.path("t"))).ok();
    listed.json().iter().map(|entry| entry["path"].as_str().unwrap().to_owned()).collect()
}

const ALL: [&str; 7] = ["a", "a/x.gz", "a/y.txt", "b.gz", "c.txt", "only", "only/z.gz"];

#[test]
fn what_is_deleted_is_said() {
    let scratch = tree();
    assert_eq!(rm(&scratch, &["-n"], &["t/b.gz"]).ok().stderr, "dry run: would have deleted 1 object\n");
    let would = rm(&scratch, &["-rn"], &["t"]).ok();
    assert!(would.stderr.contains("a/x.gz`"), "{}", would.stderr);
    assert!(would.stderr.ends_with("dry run: would have deleted 5 objects\n"), "{}", would.stderr);
    assert_eq!(left(&scratch), ALL);
    assert_eq!(rm(&scratch, &[], &["t/b.gz", "t/c.txt"]).ok().stderr, "deleted 2 objects\n");
    assert_eq!(rm(&scratch, &["-q", "-r"], &["t/only"]).ok().stderr, "");
    assert_eq!(left(&scratch), ["a", "a/x.gz", "a/y.txt"]);
    rm(&scratch, &[], &["t/a"]).fails(6, &["-r", "a`"]);
    rm(&scratch, &["-n"], &["t/a"]).fails(6, &["-r", "a`"]);
    rm(&scratch, &["-n"], &["t/gone"]).fails(4, &["gone`"]);
    rm(&scratch, &["-r"], &["t/a/x.gz"]).fails(6, &["x.gz`"]);
    let some = rm(&scratch, &[], &["t/gone", "t/a/x.gz"]);
    assert_eq!((some.code, some.stderr.lines().count()), (Some(4), 2), "{some:?}");
    assert!(some.stderr.ends_with("deleted 1 object\n"));
    assert_eq!(rm(&scratch, &["-r"], &["t"]).ok().stderr, "deleted 1 object\n");
    assert!(!scratch.path("t").exists());
}

#[test]
fn filters_choose_what_is_deleted() {
    let scratch = tree();
    rm(&scratch, &["-r", "--include", "*.gz", "--dry-run"], &["t"]).ok();
    assert_eq!(left(&scratch), ALL);
    assert_eq!(rm(&scratch, &["--min-size", "1K"], &["t/b.gz"]).ok().stderr, "deleted 0 objects\n");
    assert_eq!(rm(&scratch, &["-r", "--include", "*.gz"], &["t"]).ok().stderr, "deleted 3 objects\n");
    assert_eq!(left(&scratch), ["a", "a/y.txt", "c.txt"], "the directory that it emptied is gone");
    rm(&scratch, &["-r", "--include", "*"], &["gone"]).fails(3, &["gone`"]);
    rm(&scratch, &["-r", "--include", "[x"], &["t"]).fails(2, &["[x"]);
}

#[test]
fn a_wildcard_chooses_what_is_deleted() {
    let scratch = tree();
    assert_eq!(
        rm(&scratch, &["-n"], &["t/*"]).ok().stderr.lines().last(),
        Some("dry run: would have deleted 2 objects")
    );
    assert_eq!(rm(&scratch, &[], &["t/*.gz"]).ok().stderr, "deleted 1 object\n");
    assert_eq!(rm(&scratch, &[], &["t/no*"]).ok().stderr, "deleted 0 objects\n");
    assert_eq!(left(&scratch), ["a", "a/x.gz", "a/y.txt", "c.txt", "only", "only/z.gz"]);
    assert_eq!(rm(&scratch, &["-r"], &["t/on*"]).ok().stderr, "deleted 1 object\n");
    assert_eq!(left(&scratch), ["a", "a/x.gz", "a/y.txt", "c.txt"]);
    scratch.write("t/star*", "1");
    assert_eq!(rm(&scratch, &[], &["t/star*"]).ok().stderr, "deleted 1 object\n");
    assert_eq!(left(&scratch), ["a", "a/x.gz", "a/y.txt", "c.txt"]);
}

#[test]
fn an_object_gets_another_name() {
    let scratch = tree();
    let two = |name: &str, options: &[&str], from: &str, to: &str| {
        run_with(b"", command([name]).args(options).arg(scratch.path(from)).arg(scratch.path(to)))
    };
    assert!(
        two("copyto", &["-n"], "t/b.gz", "t/new/b2.gz")
            .ok()
            .stderr
            .contains("would have transferred 1 object")
    );
    assert!(!scratch.path("t/new").exists());
    assert!(two("copyto", &[], "t/b.gz", "t/new/b2.gz").ok().stderr.contains("transferred 1 object"));
    assert_eq!(fs::read(scratch.path("t/new/b2.gz")).unwrap(), b"12345");
    assert!(scratch.path("t/b.gz").exists());
    assert!(two("copyto", &[], "t/b.gz", "t/new/b2.gz").ok().stderr.contains("nothing to do"));
    assert!(two("copyto", &[], "t/b.gz", "t/b.gz").ok().stderr.contains("nothing to do"));

    // It takes the place of an object, and of nothing else.
    scratch.write("t/other", "other contents");
    two("moveto", &["--backup-dir", scratch.path("kept").to_str().unwrap()], "t/b.gz", "t/other").ok();
    assert_eq!(fs::read(scratch.path("t/other")).unwrap(), b"12345");
    assert_eq!(fs::read(scratch.path("kept/other")).unwrap(), b"other contents");
    assert!(!scratch.path("t/b.gz").exists());
    for name in ["copyto", "moveto"] {
        two(name, &[], "t/c.txt", "t/a").fails_with(6, &["directory"]);
        two(name, &[], "t/a", "t/z").fails(6, &["`copy` or `move`"]);
        two(name, &[], "t/gone", "t/z").fails(3, &["gone`"]);
        two(name, &[], "t/c.txt", "t/other/below").fails_with(6, &["other"]);
        run_with(b"", command([name]).arg(scratch.path("t/c.txt")).arg("t/z/")).says(&["directory"]);
    }
    assert_eq!(fs::read(scratch.path("t/c.txt")).unwrap(), b"12345");
    assert!(scratch.path("t/a").is_dir());

    // A rename in one step keeps what it is.
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let before = fs::metadata(scratch.path("t/c.txt")).unwrap().ino();
        two("moveto", &[], "t/c.txt", "t/d.txt").ok();
        assert_eq!(fs::metadata(scratch.path("t/d.txt")).unwrap().ino(), before);
    }
    let odd = two("copyto", &["--compress", "gzip"], "t/d.txt", "t/packed.gz").ok();
    assert!(odd.stderr.contains("transferred 1 object"), "{}", odd.stderr);
    let read = run_with(b"", command(["cat", "--decompress"]).arg(scratch.path("t/packed.gz"))).ok();
    assert_eq!(read.stdout, b"12345");
}

#[test]
fn a_directory_with_the_name_of_a_file_is_no_accident() {
    let scratch = tree();
    let file = scratch.path("t/c.txt");
    for name in ["copy", "move", "sync"] {
        let to = scratch.path("t/new/name.txt");
        run_with(b"", command([name]).arg(&file).arg(&to)).fails(2, &["copyto", "name.txt/`"]);
        assert!(!scratch.path("t/new").exists());
    }
    run_with(b"", command(["copy"]).arg(&file).arg(scratch.path("t/meant.txt/"))).ok();
    assert!(scratch.path("t/meant.txt/c.txt").exists());
    // Directories may be called anything.
    fs::rename(scratch.path("t/a"), scratch.path("t/a.d")).unwrap();
    run_with(b"", command(["copy"]).arg(scratch.path("t/a.d")).arg(scratch.path("t/b.d"))).ok();
    assert!(scratch.path("t/b.d/x.gz").exists());
}
