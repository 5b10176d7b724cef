//! A host of MCP, which makes a tool of each function of a component: wassette. It gives components WASI 0.2 and nothing of
//! 0.3, so it takes the component of codecs, and says what it lacks of the others.

use std::{
    fs,
    io::{self, Write},
    path::Path,
    process::Command,
};

use crate::{
    shipped::{component, plugged},
    stock::{is_left_out, tool},
};

/// Wassette with a directory of its own. `None` where it is left out, or where it cannot run: its binary needs glibc 2.39.
fn wassette(home: &Path) -> Option<impl Fn(&[&str]) -> (bool, String)> {
    if is_left_out() {
        return None;
    }
    let wassette = tool("wassette");
    let version = Command::new(&wassette).arg("--version").output().unwrap();
    if !version.status.success() {
        let why = String::from_utf8_lossy(&version.stderr);
        assert!(why.contains("GLIBC_"), "{why}");
        // What a test prints is not shown if it passes.
        let _ = writeln!(
            io::stderr(),
            "LEFT OUT and not passed: what is tested on wassette, which needs glibc 2.39 or newer"
        );
        return None;
    }
    let store = home.join("components");
    fs::create_dir(&store).unwrap();
    let home = home.to_owned();
    Some(move |arguments: &[&str]| {
        let mut command = Command::new(&wassette);
        command.args(arguments).arg("--component-dir").arg(&store);
        let done = command.env("HOME", &home).env("XDG_DATA_HOME", &home).output().unwrap();
        let told = [done.stdout, done.stderr].concat();
        (done.status.success(), String::from_utf8(told).unwrap())
    })
}

fn file(component: &Path) -> String {
    format!("file://{}", component.display())
}

#[test]
fn the_codecs_are_tools() {
    let home = tempfile::tempdir().unwrap();
    let Some(wassette) = wassette(home.path()) else { return };
    let (is_loaded, told) = wassette(&["component", "load", &file(&component("omnistorage-codec"))]);
    assert!(is_loaded && told.contains("omnistorage_codec_records_0_1_0_convert"), "{told}");

    let call = |interface: &str, function: &str, arguments: &str| {
        let name = format!("omnistorage_codec_{interface}_0_1_0_{function}");
        wassette(&["tool", "invoke", &name, "--args", arguments])
    };
    let (is_told, format) = call("records", "detect-format", r#"{"path":"a.ndjson.gz"}"#);
    assert!(is_told && format.contains("ndjson"), "{format}");
    let (is_told, codec) = call("compression", "detect-codec", r#"{"path":null,"head":[31,139,8]}"#);
    assert!(is_told && codec.contains("gzip"), "{codec}");
}

#[test]
fn what_needs_more_than_the_host_has_is_named() {
    let home = tempfile::tempdir().unwrap();
    let Some(wassette) = wassette(home.path()) else { return };
    let tools = plugged("omnistorage-example-agent-tools", "omnistorage-files");
    let (is_loaded, told) = wassette(&["component", "load", &file(&tools)]);
    assert!(!is_loaded && told.contains("@0.3."), "{told}");
}
