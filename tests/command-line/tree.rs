//! Trees of files to work on.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// Names that have broken tools before.
pub(crate) const ODD_NAMES: [&str; 16] = [
    " blank at both ends ",
    "..foo",
    "...",
    "%2F",
    "100%",
    "-n",
    "a\\b",
    "back`tick",
    "colon:name",
    "emoji 😀",
    "e\u{301}",
    "new\nline",
    "quote\"and'",
    "tab\tbed",
    "~",
    "*?[x]",
];

/// A directory that vanishes at the end of the test.
pub(crate) struct Scratch(TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().expect("there is room for a temporary directory"))
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    /// Writes a file, and makes its directories.
    pub(crate) fn write(&self, below: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(below);
        fs::create_dir_all(path.parent().expect("it has a directory")).expect("a directory can be made");
        fs::write(&path, contents).expect("a file can be written");
        path
    }

    /// Writes some 200 files with odd names, empty ones, long ones and deep ones.
    pub(crate) fn odd_tree(&self, below: &str) -> PathBuf {
        for name in ODD_NAMES {
            self.write(&format!("{below}/{name}"), name);
            self.write(&format!("{below}/in {name}/{name}/x"), name.repeat(100));
        }
        self.write(&format!("{below}/empty"), "");
        self.write(&format!("{below}/{}", "n".repeat(200)), "long name");
        self.write(&format!("{below}/{}/deep", ["d"; 30].join("/")), "deep");
        for number in 0..160 {
            self.write(&format!("{below}/many/{:02}/{number}", number % 7), bytes(number, number * 37));
        }
        self.write(&format!("{below}/large"), bytes(1, 3 << 20));
        self.path(below)
    }
}

/// Bytes that do not repeat early (a linear congruential generator with the constants of Knuth's MMIX).
pub(crate) fn bytes(seed: usize, length: usize) -> Vec<u8> {
    let mut state = seed as u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// All files below a directory and their contents.
pub(crate) fn contents(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut files, mut directories) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).expect("a directory can be read") {
            let path = entry.expect("an entry can be read").path();
            if path.is_dir() {
                directories.push(path);
            } else {
                let below = path.strip_prefix(root).expect("it is below").to_owned();
                files.insert(below, fs::read(&path).expect("a file can be read"));
            }
        }
    }
    files
}

#[track_caller]
pub(crate) fn assert_equal(one: &Path, other: &Path) {
    let (one, other) = (contents(one), contents(other));
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (path, bytes) in &one {
        assert!(other[path] == *bytes, "{} differs", path.display());
    }
}

/// Temporary files that writers have left.
pub(crate) fn debris(root: &Path) -> Vec<PathBuf> {
    let is_temporary = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".omnistorage-"))
    };
    contents(root).into_keys().filter(is_temporary).collect()
}
