//! Web servers by `http://`: mirrored, and never taken for empty.

use std::fs;

use omnistorage_test_servers::python_web;

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
