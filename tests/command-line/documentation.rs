//! The pages say what is so: the reference is that of the binary.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::command::run;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// `UPDATE_GOLDEN=1` writes it.
#[test]
fn the_reference_is_that_of_the_binary() {
    let page = repository().join("host/docs/command-line.md");
    let reference = run(["reference"]).ok();
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&page, reference.text()).unwrap();
    }
    assert_eq!(fs::read_to_string(&page).unwrap(), reference.text());
}
