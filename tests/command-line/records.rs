//! Records through formats and codecs.

use std::{fs, path::Path};

use crate::{
    command::{command, pair, run_with},
    tree::Scratch,
};

#[test]
fn records_survive_a_round_trip() {
    let scratch = Scratch::new();
    let records: String = (0..5_000).map(|n| format!("{{\"n\":{n},\"text\":\"ä😀\\n\"}}\n")).collect();
    let (plain, packed, back) =
        (scratch.write("a.ndjson", &records), scratch.path("b.ndjson.gz"), scratch.path("c.jsonl"));

    let report =
        &pair("records", "convert".as_ref(), &plain, &[packed.to_str().unwrap(), "--json"]).ok().json()[0];
    assert_eq!(report["records"], 5_000);
    assert_eq!(report["bytes_read"], records.len());
    assert_eq!(report["bytes_written"], fs::metadata(&packed).unwrap().len());
    pair("records", "convert".as_ref(), &packed, &[back.to_str().unwrap()]).ok();
    assert!(fs::read_to_string(&back).unwrap() == records);

    assert_eq!(pair("records", "count".as_ref(), &packed, &[]).ok().text(), "5000\n");
    let head = pair("records", "head".as_ref(), &packed, &["-n", "2"]).ok();
    assert_eq!(head.lines(), records.lines().take(2).collect::<Vec<_>>());
    let all = pair("records", "head".as_ref(), &plain, &["-n", "9999", "--validate"]).ok();
    assert!(all.text() == records);
}

#[test]
fn what_is_no_record_is_named() {
    let scratch = Scratch::new();
    let wrong = scratch.write("wrong.ndjson", "{}\n{]\n{}\n");
    pair("records", "count".as_ref(), &wrong, &["--validate"]).fails(6, &["wrong.ndjson`", "record 2"]);
    let target = scratch.write("old.ndjson.gz", "old");
    pair("records", "convert".as_ref(), &wrong, &[target.to_str().unwrap(), "--validate"])
        .fails(6, &["record 2"]);
    assert_eq!(fs::read(&target).unwrap(), b"old");
    let unnamed = scratch.write("data", "{}\n");
    pair("records", "count".as_ref(), &unnamed, &[]).fails(2, &["data"]);
    assert_eq!(pair("records", "count".as_ref(), &unnamed, &["--from", "ndjson"]).ok().text(), "1\n");
    run_with(b"", &mut command(["records", "count", "-"])).fails(2, &["`-`", "format"]);
}

#[test]
fn formats_are_told_by_names_or_options() {
    let scratch = Scratch::new();
    let rows = "id,name\r\n1,\"Lee, Ann\"\r\n02,\"two\nlines\"\r\n";
    let (csv, json, back) = (scratch.write("a.csv", rows), scratch.path("a.ndjson"), scratch.path("b.data"));
    let convert = |source: &Path, target: &Path, options: &[&str]| {
        let options = [&[target.to_str().unwrap()], options].concat();
        pair("records", "convert".as_ref(), source, &options)
    };
    convert(&csv, &json, &[]).ok();
    let objects = "{\"id\":\"1\",\"name\":\"Lee, Ann\"}\n{\"id\":\"02\",\"name\":\"two\\nlines\"}\n";
    assert_eq!(fs::read_to_string(&json).unwrap(), objects);
    convert(&json, &back, &["--to", "csv.gz", "--line-end", "crlf"]).ok();
    assert_eq!(fs::read(&back).unwrap()[..2], [0x1f, 0x8b]);
    let head = pair("records", "head".as_ref(), &back, &["--from", "csv", "-n", "1"]).ok();
    assert_eq!(head.text(), "id,name\n1,\"Lee, Ann\"\n");
    convert(&back, &scratch.path("c.csv"), &["--from", "csv", "--line-end", "crlf"]).ok();
    assert_eq!(fs::read_to_string(scratch.path("c.csv")).unwrap(), rows);

    for (options, expected) in [
        (&["--infer"][..], "{\"id\":1,\"name\":\"Lee, Ann\"}\n{\"id\":\"02\",\"name\":\"two\\nlines\"}\n"),
        (&["--columns", "id,name"], objects),
        (
            &["--delimiter", ";", "--lenient", "--no-header"],
            "[\"id,name\"]\n[\"1,\\\"Lee, Ann\\\"\"]\n[\"02,\\\"two\"]\n[\"lines\\\"\"]\n",
        ),
    ] {
        convert(&csv, &json, options).ok();
        assert_eq!(fs::read_to_string(&json).unwrap(), expected, "{options:?}");
    }
    let carried = scratch.path("a.lp");
    convert(&csv, &carried, &["--length-prefix", "varint"]).ok();
    assert_eq!(
        pair("records", "count".as_ref(), &carried, &["--length-prefix", "varint"]).ok().text(),
        "3\n"
    );
    assert_eq!(pair("records", "count".as_ref(), &csv, &[]).ok().text(), "2\n");
}

#[test]
fn options_that_have_no_effect_are_refused() {
    let scratch = Scratch::new();
    let json = scratch.write("a.ndjson", "{\"a\":1}\n2\n");
    let count = |options: &[&str]| pair("records", "count".as_ref(), &json, options);
    count(&["--delimiter", ";"]).fails(2, &["--delimiter", "CSV"]);
    count(&["--infer"]).fails(2, &["--infer"]);
    count(&["--length-prefix", "varint"]).fails(2, &["--length-prefix"]);
    count(&["--from", "xml"]).fails(2, &["`xml`", "csv"]);
    count(&["--from", "csv.rar"]).fails(2, &["`rar`"]);
    count(&["--from", "csv", "--delimiter", "\""]).fails(2, &["must differ"]);
    assert_eq!(count(&["--validate=utf8"]).ok().text(), "2\n");
    assert_eq!(count(&["--validate=all"]).code, Some(2));
    let target = scratch.path("b.csv");
    let convert = |options: &[&str]| {
        let options = [&[target.to_str().unwrap()], options].concat();
        pair("records", "convert".as_ref(), &json, &options)
    };
    convert(&[]).fails(2, &["a.ndjson`", "record 2", "object"]);
    convert(&["--columns", "b"]).fails(2, &["record 1", "\"a\"", "columns"]);
    assert!(!target.exists());
}

#[test]
fn records_run_through_a_pipe() {
    let convert = |options: &[&str]| command([&["records", "convert", "-", "-", "-q"], options].concat());
    let rows = "a,b\n".to_owned() + &"1,\"two\nlines\"\n".repeat(100_000);
    let packed = run_with(rows.as_bytes(), &mut convert(&["--from", "csv", "--to", "ndjson.gz"])).ok();
    assert_eq!(packed.stdout[..2], [0x1f, 0x8b]);
    let counted = run_with(&packed.stdout, &mut command(["records", "count", "--from", "ndjson", "-"])).ok();
    assert_eq!(counted.text(), "100000\n");
    let named = &["--from", "ndjson", "--to", "csv", "--columns", "a,b"];
    assert!(run_with(&packed.stdout, &mut convert(named)).ok().text() == rows);
    // The columns are not known before the end, and there is no second reading.
    run_with(&packed.stdout, &mut convert(&["--from", "ndjson", "--to", "csv"]))
        .fails(2, &["once", "columns"]);
    run_with(b"", &mut convert(&["--from", "ndjson", "--to", "lp", "--json"])).fails(2, &["--json"]);
    run_with(b"1\n{", &mut convert(&["--from", "ndjson", "--to", "lp", "--validate"]))
        .fails(6, &["record 2"]);
}
