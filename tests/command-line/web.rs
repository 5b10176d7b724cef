//! Web servers by `http://`: mirrored, and never taken for empty.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use omnistorage_test_servers::{Web, nginx, python_web};

use crate::{
    command::{command, run},
    tree::{Scratch, assert_equal, contents},
};

#[test]
fn a_tree_is_mirrored_and_what_is_no_listing_deletes_nothing() {
    let scratch = Scratch::new();
    let web = python_web();
    let place = |path: &str| format!("{}/{path}", web.endpoint);
    for name in ["tree/a", "tree/b c/d%e", "tree/b c/f", "tree/g/h"] {
        let file = web.directory.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, name.repeat(100)).unwrap();
    }
    let target = scratch.path("target");
    let sync = |source: &str| run(["sync", "--json", source, target.to_str().unwrap()]);
    assert_eq!(sync(&place("tree")).ok().summary()["transferred"], 4);
    assert_equal(&web.directory.join("tree"), &target);
    assert_eq!(sync(&place("tree/")).ok().summary()["transferred"], 0);
    run(["check", "--download", &place("tree"), target.to_str().unwrap()]).ok();

    let before = contents(&target);
    fs::write(web.directory.join("tree/b c/index.html"), "<html><title>Welcome</title></html>").unwrap();
    let failed = sync(&place("tree"));
    assert_ne!(failed.code, Some(0), "{failed:?}");
    let left = sync(&place("typo"));
    assert_ne!(left.code, Some(0), "{left:?}");
    assert_eq!(contents(&target), before);
    fs::remove_file(web.directory.join("tree/b c/index.html")).unwrap();
    fs::remove_file(web.directory.join("tree/a")).unwrap();
    assert_eq!(sync(&place("tree")).ok().summary()["deleted"], 1);

    assert_eq!(run(["ls", &place("tree")]).ok().lines(), ["b c/", "g/"]);
    assert_eq!(run(["cat", &place("tree/b%20c/d%25e")]).ok().text(), "tree/b c/d%e".repeat(100));
    run(["cat", &place("tree/none")]).fails(4, &["tree/none"]);
    run(["put", &place("tree/new")]).fails(2, &["tree/new", "read"]);
    run(["rm", &place("tree/g/h")]).fails(2, &["tree/g/h", "read"]);
    run(["ls", "http://me:hush@127.0.0.1/x"]).fails_with(2, &["everybody"]);

    // A remote of rclone's configuration.
    let remotes = scratch.write("rclone.conf", format!("[mirror]\ntype = http\nurl = {}\n", place("tree/")));
    let mut listing = command(["ls", "mirror:b c"]);
    let listing = listing.env("RCLONE_CONFIG", remotes).output().unwrap();
    assert_eq!(String::from_utf8(listing.stdout).unwrap(), "d%e\nf\n");
}

/// A tree that nginx serves, and a copy of it that has more than the pages of nginx show.
fn with_hidden_names(web: &Web, scratch: &Scratch) -> (String, PathBuf) {
    for name in ["a", ".hidden", ".git/config", "c/.d"] {
        write(&web.directory.join("tree").join(name), name);
    }
    let target = scratch.path("target");
    for name in ["a", ".hidden", ".git/config", "c/.d", ".gone", "gone"] {
        write(&target.join(name), name);
    }
    (format!("{}/tree", web.endpoint), target)
}

fn write(file: &Path, contents: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, contents).unwrap();
}

#[test]
fn what_the_pages_of_a_server_do_not_show_is_asked_for_before_it_is_deleted() {
    let Some(web) = nginx() else { return };
    for more in [&["--delete-before"][..], &["--delete-during"], &["--delete-after"], &["--track-renames"]] {
        let scratch = Scratch::new();
        let (source, target) = with_hidden_names(&web, &scratch);
        let at = target.to_str().unwrap();
        let dry = run(["sync", "--json", "--dry-run", &source, at].iter().chain(more).copied()).ok();
        assert_eq!(dry.summary()["deleted"], 2, "{dry:?}");
        // A guard counts what goes, and not what is merely not shown.
        let guarded = run(["sync", "--json", "--max-delete", "1", &source, at].iter().chain(more).copied());
        guarded.fails(7, &["2"]);
        let synced = run(["sync", "--json", &source, at].iter().chain(more).copied()).ok();
        assert_eq!(synced.summary()["deleted"], 2, "{more:?}: {synced:?}");
        assert_equal(&web.directory.join("tree"), &target);
    }
}

#[test]
fn more_than_are_kept_in_memory_are_asked_for_as_well() {
    let Some(web) = nginx() else { return };
    let scratch = Scratch::new();
    let (source, target) = with_hidden_names(&web, &scratch);
    // Beyond 10,000 the listings are merged once more.
    for number in 0..10_050 {
        write(&target.join(format!("many/{number}")), "");
    }
    let synced = run(["sync", "--json", &source, target.to_str().unwrap()]).ok();
    assert_eq!(synced.summary()["deleted"], 10_052, "{synced:?}");
    assert_equal(&web.directory.join("tree"), &target);
}

#[test]
fn a_check_compares_what_the_pages_of_a_server_do_not_show() {
    let Some(web) = nginx() else { return };
    let scratch = Scratch::new();
    let (source, target) = with_hidden_names(&web, &scratch);
    let at = target.to_str().unwrap();
    for gone in [".gone", "gone"] {
        fs::remove_file(target.join(gone)).unwrap();
    }
    assert_eq!(run(["check", "--json", "--download", &source, at]).ok().summary()["same"], 4);
    write(&target.join(".hidden"), "changed");
    write(&target.join(".gone"), "gone");
    let checked = run(["check", "--json", "--download", &source, at]);
    let summary = checked.summary();
    assert_eq!((&summary["differ"], &summary["missing_on_source"]), (&1.into(), &1.into()), "{checked:?}");
    assert_eq!(checked.code, Some(1), "{checked:?}");
    // From there on it is the business of whoever wrote it: a run brings and replaces what the pages show alone.
    run(["sync", &source, at]).ok();
    assert_eq!(fs::read_to_string(target.join(".hidden")).unwrap(), "changed");
    let explained = run(["sync", "--explain", ".git/config", &source, at]).ok();
    assert!(explained.text().contains("does not show"), "{explained:?}");
    let explained =
        run(["copy", "--explain", ".hidden", &source, scratch.path("new").to_str().unwrap()]).ok();
    assert!(explained.text().contains("does not show"), "{explained:?}");
    // One object is asked for by its name.
    let alone = scratch.path("alone");
    run(["copy", &format!("{source}/.hidden"), alone.to_str().unwrap()]).ok();
    assert_eq!(fs::read_to_string(alone.join(".hidden")).unwrap(), ".hidden");
}

#[test]
fn a_name_that_a_server_refuses_to_tell_of_deletes_nothing() {
    let Some(web) = nginx() else { return };
    let scratch = Scratch::new();
    let (source, target) = with_hidden_names(&web, &scratch);
    let at = target.to_str().unwrap();
    // nginx answers 403 where links go round in circles.
    symlink(".secret", web.directory.join("tree/.secret")).unwrap();
    write(&target.join(".secret"), "secret");
    let before = contents(&target);
    run(["sync", "--json", &source, at]).fails(6, &[".secret"]);
    assert_eq!(contents(&target), before);
    run(["sync", "--json", &source, at, "--exclude", ".secret"]).ok();
    assert!(target.join(".secret").exists() && !target.join("gone").exists());
}

#[test]
fn what_lists_in_part_is_not_synced_both_ways() {
    let web = python_web();
    write(&web.directory.join("tree/a"), "a");
    let scratch = Scratch::new();
    let target = scratch.path("target");
    let both = run(["bisync", "--resync", &format!("{}/tree", web.endpoint), target.to_str().unwrap()]);
    both.fails(2, &["both ways"]);
    assert!(!target.exists());
}
