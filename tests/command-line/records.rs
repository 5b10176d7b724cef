//! Records through formats and codecs.

use std::fs;

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
    let dash = run_with(b"", &mut command(["records", "count", "-"]));
    assert_eq!(dash.code, Some(2));
    dash.says(&["standard input"]);
}
