//! The examples in other languages: they do what the command line does.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

use crate::{
    build::build,
    sandbox::{Codec, DecompressOptions, Sandbox},
};

pub(crate) const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples");

/// Where `make test` put what a language runs in; `None` if it is left out on purpose.
pub(crate) fn tools(language: &str) -> Option<PathBuf> {
    let without = env::var("OMNISTORAGE_WITHOUT").unwrap_or_default();
    if without.split_whitespace().any(|left_out| left_out == language) {
        return None;
    }
    let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../tools").join(language);
    let needs = match language {
        "python" => "Python 3.9 and its module venv",
        "node" => "Node 20 and npm",
        _ => "Node 20, npm and Chromium",
    };
    assert!(
        tools.join("example").exists(),
        "{} has not what the example in {language} needs: run `make test`, which installs it (with the network, {needs}), \
         or leave it out with OMNISTORAGE_WITHOUT={language}",
        tools.display(),
    );
    Some(tools.canonicalize().unwrap())
}

/// A directory with records to convert, good ones and bad ones.
fn scratch() -> TempDir {
    let scratch = tempfile::tempdir().unwrap();
    let records: String = (0..5000)
        .map(|n| {
            let city = if n % 3 == 0 { ",\"city\":\"Rome\"" } else { "" };
            format!("{{\"id\":{n},\"note\":\"say \\\"{}\\\", ä😀\\n\"{city}}}\n", n * 7919 % 1013)
        })
        .collect();
    let mut packed = Sandbox::new().compress(records.as_bytes(), Codec::Gzip, None).unwrap();
    fs::write(scratch.path().join("good.ndjson.gz"), &packed).unwrap();
    packed.truncate(packed.len() / 2);
    fs::write(scratch.path().join("bad.ndjson.gz"), &packed).unwrap();
    scratch
}

/// The example converts as the command line does, and leaves nothing where it cannot.
fn converts_as_the_command_line_does(scratch: &Path, mut example: impl FnMut(&Path, &Path) -> Output) {
    let (good, bad) = (scratch.join("good.ndjson.gz"), scratch.join("bad.ndjson.gz"));
    let (expected, converted) = (scratch.join("expected.csv"), scratch.join("converted.csv.zst"));
    let mut command_line = Command::new(env!("CARGO_BIN_EXE_omnistorage"));
    command_line.env("XDG_CONFIG_HOME", "/nonexistent").args(["records", "convert"]);
    let done = command_line.args([&good, &expected]).output().unwrap();
    assert!(done.status.success(), "{done:?}");

    let done = example(&good, &converted);
    assert!(done.status.success(), "{done:?}");
    let any =
        DecompressOptions { codec: Some(Codec::Zstd), max_output: None, max_ratio: None, max_window: None };
    let converted = Sandbox::new().decompress(&fs::read(&converted).unwrap(), any).unwrap();
    let expected = fs::read(&expected).unwrap();
    assert!(expected.starts_with(b"id,note,city\n0,\"say \"\"0\"\", "));
    assert!(converted == expected, "{}", String::from_utf8_lossy(&converted));

    let failed = example(&bad, &scratch.join("never.csv.zst"));
    assert_eq!(failed.status.code(), Some(1), "{failed:?}");
    let said = String::from_utf8(failed.stderr).unwrap();
    assert!(said.lines().count() == 1 && said.contains("cut off") && said.contains("at byte"), "{said}");
    let left: Vec<_> = fs::read_dir(scratch).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("never")), "{left:?}");
}

#[test]
fn python() {
    let Some(tools) = tools("python") else { return };
    let scratch = scratch();
    let component = build("omnistorage-codec");
    converts_as_the_command_line_does(scratch.path(), |source, target| {
        let mut python = Command::new(tools.join("bin/python"));
        python.arg(format!("{EXAMPLES}/python/convert.py")).args([source, target]);
        python.env("OMNISTORAGE_CODEC", &component).env("PYTHONDONTWRITEBYTECODE", "1").output().unwrap()
    });
}

#[test]
fn node() {
    let Some(tools) = tools("node") else { return };
    let scratch = scratch();
    let package = scratch.path().join("package");
    fs::create_dir(&package).unwrap();
    for file in ["package.json", "transpile.js", "convert.js"] {
        fs::copy(format!("{EXAMPLES}/node/{file}"), package.join(file)).unwrap();
    }
    std::os::unix::fs::symlink(tools.join("node_modules"), package.join("node_modules")).unwrap();
    let node = || {
        let mut node = Command::new("node");
        node.current_dir(&package);
        node
    };
    let mut transpile = node();
    transpile.arg("transpile.js").arg(build("omnistorage-codec")).arg("omnistorage-codec");
    let done = transpile.output().unwrap();
    assert!(done.status.success(), "{done:?}");
    converts_as_the_command_line_does(scratch.path(), |source, target| {
        node().arg("convert.js").args([source, target]).output().unwrap()
    });
}
