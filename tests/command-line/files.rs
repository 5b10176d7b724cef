//! What is particular to places in the file system.

use std::{
    fs,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink},
    process::Command,
};

use crate::{
    command::{command, pair, run, run_with},
    tree::Scratch,
};

fn mode(path: impl AsRef<std::path::Path>) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

fn set_mode(path: impl AsRef<std::path::Path>, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_pipe_is_never_replaced() {
    let scratch = Scratch::new();
    let pipe = scratch.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let object = scratch.write("object.ndjson", "{\"a\":1}\n");
    let runs = [
        run_with(b"x", command(["put"]).arg(&pipe)),
        run_with(b"x", command(["tee"]).arg(&pipe)),
        run_with(b"", command(["records", "convert", "--to", "csv"]).arg(&object).arg(&pipe)),
    ];
    for run in runs {
        assert_eq!(run.code, Some(6), "{run:?}");
        assert!(run.stderr.contains("named pipe"), "{run:?}");
    }
    assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
}

#[test]
fn private_files_stay_private() {
    let scratch = Scratch::new();
    for (name, bits) in [("private/key", 0o600), ("script", 0o700)] {
        set_mode(scratch.write(&format!("source/{name}"), name), bits);
    }
    set_mode(scratch.path("source/private"), 0o700);
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    for (command, options) in [("sync", vec![]), ("copy", vec!["-M"]), ("move", vec![])] {
        pair(command, &source, &target, &options).ok();
        for (name, bits) in [("private", 0o700), ("private/key", 0o600), ("script", 0o700)] {
            assert_eq!(mode(target.join(name)), bits, "{command} {name}");
        }
        let _ = fs::remove_dir_all(&target);
    }
}

#[test]
fn with_metadata_directories_that_are_made_keep_their_mode_whatever_the_umask() {
    let scratch = Scratch::new();
    for (directory, bits) in [("shared", 0o775), ("shared/team", 0o770), ("closed", 0o550)] {
        scratch.write(&format!("source/{directory}/file"), "x");
        set_mode(scratch.path(&format!("source/{directory}")), bits);
    }
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    let copied = |options: &[&str]| {
        let _ = fs::remove_dir_all(&target);
        let mut limited = Command::new("sh");
        limited.args(["-c", "umask 027; exec \"$0\" \"$@\""]).arg(crate::command::BINARY).arg("copy");
        run_with(b"", limited.args(options).arg(&source).arg(&target)).ok();
        ["shared", "shared/team", "closed"].map(|directory| mode(target.join(directory)))
    };
    // Who writes in it must be able to.
    assert_eq!(copied(&["--metadata"]), [0o775, 0o770, 0o750]);
    assert_eq!(copied(&[]), [0o750, 0o750, 0o750]);
    set_mode(source.join("closed"), 0o750);
}

#[test]
fn a_file_that_the_process_may_not_write_is_an_error() {
    let scratch = Scratch::new();
    scratch.write("source/large", vec![1; 3 << 20]);
    let script = "ulimit -f 1024; exec \"$0\" \"$@\"";
    let mut limited = Command::new("sh");
    limited.args(["-c", script]).arg(crate::command::BINARY).arg("copy");
    limited.arg(scratch.path("source")).arg(scratch.path("target"));
    let run = run_with(b"", &mut limited);
    assert_eq!(run.code, Some(6), "{run:?}");
    assert!(run.stderr.contains("ulimit"), "{run:?}");
}

#[test]
fn what_the_system_makes_up_is_read_and_copied() {
    let scratch = Scratch::new();
    let contents = fs::read("/proc/version").unwrap();
    assert_eq!(run(["cat", "/proc/version"]).ok().stdout, contents);
    run_with(b"", command(["copy", "/proc/version"]).arg(scratch.path("target"))).ok();
    assert_eq!(fs::read(scratch.path("target/version")).unwrap(), contents);
}

#[test]
fn where_no_files_can_be_made_the_reason_is_told() {
    for place in ["/proc/new", "/proc/new/object", "/proc/sys/kernel/new"] {
        let run = run_with(b"x", command(["put"]).arg(place)).fails(6, &[place]);
        assert!(!run.stderr.contains("removed"), "{run:?}");
    }
    run_with(b"x", command(["put"]).arg("/proc/new")).says(&["no files can be made"]);
}

#[test]
fn links_are_left_out_or_kept_and_both_are_clean_afterwards() {
    let scratch = Scratch::new();
    scratch.write("source/file", "x");
    symlink("file", scratch.path("source/link")).unwrap();
    symlink("../outside", scratch.path("source/out")).unwrap();
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    fs::create_dir(&target).unwrap();
    symlink("elsewhere", target.join("own")).unwrap();
    let skipped = pair("sync", &source, &target, &["-q"]).ok();
    assert_eq!(skipped.stderr.lines().count(), 1, "{}", skipped.stderr);
    assert!(skipped.stderr.contains("link"), "{}", skipped.stderr);
    pair("check", &source, &target, &[]).ok();
    // A link that only the target has is nobody's extra, unless links are kept.
    assert!(target.join("own").is_symlink() && !target.join("link").is_symlink());

    pair("sync", &source, &target, &["--links"]).ok();
    pair("check", &source, &target, &["--links"]).ok();
    pair("check", &source, &target, &[]).ok();
    for (link, leads_to) in [("link", "file"), ("out", "../outside")] {
        assert_eq!(fs::read_link(target.join(link)).unwrap().to_str().unwrap(), leads_to);
    }
    assert!(!target.join("own").is_symlink());
    let again = pair("sync", &source, &target, &["--links", "--json"]).ok().summary();
    assert_eq!(again["transferred"], 0, "{again}");
}

#[test]
fn links_are_followed_within_the_source_and_both_are_clean_afterwards() {
    let scratch = Scratch::new();
    scratch.write("source/d/file", "x");
    symlink("d/file", scratch.path("source/a")).unwrap();
    symlink("d", scratch.path("source/l")).unwrap();
    let (source, target) = (scratch.path("source"), scratch.path("target"));
    fs::create_dir(&target).unwrap();
    symlink("elsewhere", target.join("own")).unwrap();
    for command in ["sync", "copy"] {
        pair(command, &source, &target, &["--copy-links"]).ok();
        for file in ["a", "l/file", "d/file"] {
            assert_eq!(fs::read_to_string(target.join(file)).unwrap(), "x");
        }
        assert!(!target.join("a").is_symlink() && !target.join("l").is_symlink());
        pair("check", &source, &target, &["-L"]).ok();
        let again = pair(command, &source, &target, &["-L", "--json"]).ok().summary();
        assert_eq!(again["transferred"], 0, "{again}");
    }
    assert!(target.join("own").is_symlink());
    let listed = run_with(b"", command(["ls", "-r", "-L"]).arg(&source)).ok();
    assert_eq!(listed.stdout, b"a\nd/file\nl/file\n");

    // Each of these is told by its name, all else goes on, and what the target has stays.
    scratch.write("outside", "secret");
    scratch.write("target/out", "kept");
    scratch.write("source/z", "last");
    symlink("../outside", source.join("out")).unwrap();
    symlink("nothing", source.join("dangling")).unwrap();
    symlink("..", source.join("d/around")).unwrap();
    for name in ["sync", "check"] {
        let run = pair(name, &source, &target, &["-L"]);
        assert_eq!(run.code, Some(6), "{run:?}");
        for (link, why) in
            [("out", "leads out"), ("dangling", "leads to nothing"), ("d/around", "in a circle")]
        {
            let is_told = |line: &str| line.contains(&format!("{link}`")) && line.contains(why);
            assert!(run.stderr.lines().any(is_told), "{link}: {run:?}");
        }
    }
    assert_eq!(fs::read_to_string(target.join("out")).unwrap(), "kept");
    assert_eq!(fs::read_to_string(target.join("z")).unwrap(), "last");

    for refused in [
        pair("sync", &source, &target, &["--links", "--copy-links"]),
        pair("move", &source, &target, &["--copy-links"]),
    ] {
        assert_eq!(refused.code, Some(2), "{refused:?}");
    }
    assert_eq!(fs::read_to_string(source.join("z")).unwrap(), "last");
}
