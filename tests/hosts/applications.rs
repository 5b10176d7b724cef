//! The page for authors of applications says what is so: its code is that of the example, and its session is run.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    shipped::plugged,
    stock::{granted, is_left_out, tool},
};

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The example, with the library and the files of the host in it.
fn packer() -> PathBuf {
    plugged("omnistorage-example-application", "omnistorage-files")
}

fn page() -> String {
    fs::read_to_string(repository().join("host/docs/applications.md")).unwrap()
}

/// The blocks of the page in a language.
fn blocks<'p>(page: &'p str, language: &str) -> Vec<&'p str> {
    let begin = format!("\n```{language}\n");
    page.split(&begin).skip(1).map(|rest| rest.split_once("```").unwrap().0).collect()
}

#[test]
fn the_code_of_the_page_is_that_of_the_example() {
    let page = page();
    let example = fs::read_to_string(repository().join("examples/application/src/lib.rs")).unwrap();
    assert_eq!(blocks(&page, "rust,ignore"), [example]);
}

/// A block of commands, each after `$ `, with what they print.
#[test]
fn the_session_of_the_page_is_what_happens() {
    if is_left_out() {
        return;
    }
    let page = page();
    let [session] = blocks(&page, "console")[..] else { panic!("the page has one session") };
    let scratch = tempfile::tempdir().unwrap();
    fs::copy(packer(), scratch.path().join("packed.wasm")).unwrap();
    let (mut commands, mut expected) = (String::new(), String::new());
    for line in session.lines() {
        match line.strip_prefix("$ ") {
            Some(command) => commands += &format!("{command}\n"),
            None => expected += &format!("{line}\n"),
        }
    }
    let commands = commands.replace("wasmtime", tool("wasmtime").to_str().unwrap());
    let done = Command::new("sh").arg("-ec").arg(commands).current_dir(scratch.path()).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    assert_eq!(String::from_utf8(done.stdout).unwrap(), expected);
}

#[test]
fn a_directory_that_is_not_granted_is_named() {
    if is_left_out() {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    fs::write(scratch.path().join("a.log"), "a line\n").unwrap();
    let mut command = Command::new(tool("wasmtime"));
    command.arg("run").args(granted(scratch.path(), "/logs"));
    let done = command.arg(packer()).output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(!done.status.success() && said.lines().count() == 1 && said.contains("archive"), "{said}");
}
