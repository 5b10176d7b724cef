//! The example `agent-tools`: each function as a host calls it, with plain values in and out.

use std::fs;

use crate::{
    shipped::plugged,
    stock::{granted, is_left_out, returned, wasmtime},
};

#[test]
fn each_tool_answers_in_plain_values() {
    if is_left_out() {
        return;
    }
    let tools = plugged("omnistorage-example-agent-tools", "omnistorage-files");
    let scratch = tempfile::tempdir().unwrap();
    fs::create_dir_all(scratch.path().join("logs/old")).unwrap();
    let rows: String = (0..20_000).map(|n| format!("{n},\u{e9}\n")).collect();
    fs::write(scratch.path().join("logs/a.csv"), format!("n,name\n{rows}")).unwrap();
    fs::write(scratch.path().join("logs/b.bin"), [0xff, 0xfe, 0]).unwrap();
    fs::write(scratch.path().join("logs/c.ndjson"), "{\"n\":1}\n{\"n\":\n").unwrap();

    let granted = [granted(scratch.path(), "data")];
    let call = |call: &str| returned(&wasmtime(&tools, &granted, call).output().unwrap());
    for (asked, expected) in [
        ("list-objects(\"data/logs/\",10)", "ok([\"a.csv\", \"b.bin\", \"c.ndjson\", \"old/\"])"),
        ("list-objects(\"data/logs\",2)", "ok([\"a.csv\", \"b.bin\", \"...\"])"),
        ("list-objects(\"data\",0)", "ok([\"logs/\"])"),
        ("list-objects(\"data/none\",1)", "err("),
        ("list-objects(\"elsewhere\",1)", "err(\"no backend `elsewhere` was granted"),
        ("describe(\"data/logs/b.bin\")", "ok({kind: \"object\", size: some(3), modified: some("),
        ("describe(\"data/logs\")", "ok({kind: \"directory\", modified: some("),
        ("convert-records(\"data/logs/a.csv\",\"data/new/a.ndjson.gz\")", "ok(20000)"),
        (
            "convert-records(\"data/logs/a.csv\",\"data/new/a.ndjson.gz\")",
            "err(\"there is something at the target already",
        ),
        ("convert-records(\"data/logs/c.ndjson\",\"data/new/c.csv\")", "err("),
        ("count-records(\"data/new/a.ndjson.gz\")", "ok(20000)"),
        ("count-records(\"data/logs/b.bin\")", "err("),
        // A character that would be cut in two is left out.
        ("preview(\"data/new/a.ndjson.gz\",18)", "ok(\"{\\\"n\\\":\\\"0\\\",\\\"name\\\":\\\"\")"),
        ("preview(\"data/logs/a.csv\",10)", "ok(\"n,name\\n0,\")"),
        ("preview(\"data/logs/b.bin\",100)", "err(\"it is no text\")"),
    ] {
        let told = call(asked);
        assert!(told.starts_with(expected), "{asked}: {told}");
    }
    assert!(call("preview(\"data/logs/a.csv\",4294967295)").len() > 60_000);
    assert!(!scratch.path().join("new/c.csv").exists(), "a conversion that failed left something");
}
