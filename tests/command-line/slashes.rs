//! A slash at the end of a place in a bucket means a directory, whatever object has its name.

use omnistorage_test_servers::{ACCESS_KEY, BUCKET, SECRET_KEY, moto};

use crate::{
    command::{Run, command, run_with},
    tree::{Scratch, contents},
};

fn run(input: &[u8], arguments: &[&str]) -> Run {
    let mut command = command(arguments);
    command
        .env("AWS_ENDPOINT_URL", &moto().endpoint)
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .env("AWS_EC2_METADATA_DISABLED", "true");
    run_with(input, &mut command)
}

#[test]
fn with_a_slash_it_is_the_directory_and_without_the_object() {
    let scratch = Scratch::new();
    let place = format!("s3://{BUCKET}/slashes/{}/k", std::process::id());
    let directory = format!("{place}/");
    run(b"the object", &["put", &place]).ok();
    for (name, contents) in [("a", &b"1"[..]), ("d/b", b"2")] {
        run(contents, &["put", &format!("{directory}{name}")]).ok();
    }
    let local = |name: &str| scratch.path(name).to_str().unwrap().to_owned();
    let names = |name: &str| contents(&scratch.path(name)).into_keys().collect::<Vec<_>>();

    assert_eq!(run(b"", &["ls", "-r", &directory]).ok().stdout, b"a\nd/b\n");
    run(b"", &["copy", &directory, &local("tree")]).ok();
    assert_eq!(names("tree"), ["a", "d/b"].map(std::path::PathBuf::from));
    run(b"", &["copy", &place, &local("object")]).ok();
    assert_eq!(names("object"), ["k"].map(std::path::PathBuf::from));
    run(b"", &["check", &directory, &local("tree")]).ok();

    // As a target, too: what goes there stands below it, and the object stays.
    scratch.write("one/new", "3");
    run(b"", &["sync", &local("one"), &directory]).ok();
    assert_eq!(run(b"", &["ls", "-r", &directory]).ok().stdout, b"new\n");
    assert_eq!(run(b"", &["cat", &place]).ok().stdout, b"the object");
    // A directory is no object.
    let read = run(b"", &["cat", &directory]);
    assert!(read.code != Some(0) && read.stdout.is_empty(), "{read:?}");
}
