//! Records through formats and codecs.

use std::{fs, io::Read, path::Path, process::Stdio};

use omnistorage_test_servers::{Canned, Fault, Proxy, python_web};

use crate::{
    command::{Run, command, pair, run_with},
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
    let array = scratch.path("a.json");
    convert(&csv, &array, &[]).ok();
    let elements = objects.trim_end().replace('\n', ",\n");
    assert_eq!(fs::read_to_string(&array).unwrap(), format!("[\n{elements}\n]\n"));
    assert_eq!(pair("records", "head".as_ref(), &array, &[]).ok().text(), objects);
    let again = scratch.path("again.csv");
    convert(&array, &again, &["--line-end", "crlf"]).ok();
    assert_eq!(fs::read_to_string(&again).unwrap(), rows);
    convert(&json, &again, &["--from", "json"]).fails(6, &["a.ndjson`", "not a JSON array"]);
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
    // The columns are not known before the end: what was read is kept for a second reading.
    assert!(run_with(&packed.stdout, &mut convert(&["--from", "ndjson", "--to", "csv"])).ok().text() == rows);
    run_with(b"{\"a\":1}\n{", &mut convert(&["--from", "ndjson", "--to", "csv"]))
        .fails(6, &["`-`", "record 2"]);
    run_with(b"", &mut convert(&["--from", "ndjson", "--to", "lp", "--json"])).fails(2, &["--json"]);
    run_with(b"1\n{", &mut convert(&["--from", "ndjson", "--to", "lp", "--validate"]))
        .fails(6, &["record 2"]);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_records() {
    let scratch = Scratch::new();
    for (name, text) in [("a.ndjson", "{\"a\":1}\n{\"a\":2}\n"), ("a.csv", "a\n1\n2\n")] {
        let (marked, target) = (scratch.write(name, format!("\u{feff}{text}")), scratch.path("b"));
        assert_eq!(pair("records", "count".as_ref(), &marked, &["--validate"]).ok().text(), "2\n");
        assert_eq!(pair("records", "head".as_ref(), &marked, &[]).ok().text(), text);
        let same = name.split_once('.').map_or("", |(_, format)| format);
        for (format, expected) in [(same, text), ("csv", "a\n1\n2\n")] {
            pair("records", "convert".as_ref(), &marked, &[target.to_str().unwrap(), "--to", format]).ok();
            assert_eq!(fs::read_to_string(&target).unwrap(), expected);
        }
    }
}

#[test]
fn nested_values_go_through_csv_as_json() {
    let scratch = Scratch::new();
    let records = "{\"a\":{\"b\":[1,\"x\"]},\"c\":\"[1]\"}\n{\"a\":[],\"c\":\"plain\"}\n";
    let (json, csv, back) =
        (scratch.write("a.ndjson", records), scratch.path("a.csv"), scratch.path("b.ndjson"));
    pair("records", "convert".as_ref(), &json, &[csv.to_str().unwrap()]).ok();
    let rows = "a,c\n\"{\"\"b\"\":[1,\"\"x\"\"]}\",[1]\n[],plain\n";
    assert_eq!(fs::read_to_string(&csv).unwrap(), rows);
    for path in [&csv, &back] {
        let source = if path == &csv { &json } else { &csv };
        pair("records", "convert".as_ref(), source, &[path.to_str().unwrap(), "--infer"]).ok();
    }
    assert_eq!(fs::read_to_string(&back).unwrap(), records);
}

#[test]
fn lenient_takes_rows_of_any_length_and_stray_quotes() {
    let scratch = Scratch::new();
    let rows = scratch.write("a.csv", "a,b\n1\n1,2,,3\n1,2,\n5\" disk,\"x\"y\n");
    let convert = |target: &Path, options: &[&str]| {
        let options = [&[target.to_str().unwrap()], options].concat();
        pair("records", "convert".as_ref(), &rows, &options)
    };
    let (json, tabs) = (scratch.path("b.ndjson"), scratch.path("b.tsv"));
    convert(&json, &[]).fails(6, &["a.csv`", "record 1", "1 field instead of 2"]);
    convert(&json, &["--lenient"]).ok();
    let objects = "{\"a\":\"1\"}\n{\"a\":\"1\",\"b\":\"2\",\"4\":\"3\"}\n{\"a\":\"1\",\"b\":\"2\"}\n{\"a\":\"5\\\" disk\",\"b\":\"xy\"}\n";
    assert_eq!(fs::read_to_string(&json).unwrap(), objects);
    convert(&tabs, &["--lenient"]).ok();
    assert_eq!(fs::read_to_string(&tabs).unwrap(), "a\tb\n1\t\n1\t2\t\t3\n1\t2\n\"5\"\" disk\"\txy\n");
    assert_eq!(pair("records", "count".as_ref(), &rows, &["--lenient"]).ok().text(), "4\n");
    let open = scratch.write("open.csv", "a,b\n\"1,2\n3,4\n");
    pair("records", "count".as_ref(), &open, &["--lenient"]).fails(6, &["never closed", "line 2"]);
}

#[test]
fn a_header_of_one_field_gets_a_hint() {
    let scratch = Scratch::new();
    let semicolons = scratch.write("a.csv", "a;b\n1;2\n");
    let target = scratch.path("b.ndjson");
    let convert = |options: &[&str]| {
        let options = [&[target.to_str().unwrap()], options].concat();
        pair("records", "convert".as_ref(), &semicolons, &options).ok()
    };
    let hints = |run: &Run| run.stderr.lines().filter(|line| line.starts_with("hint: ")).count();
    let hinted = convert(&[]);
    assert_eq!(hints(&hinted), 1, "{hinted:?}");
    assert!(hinted.stderr.contains("--delimiter ';'"), "{hinted:?}");
    assert_eq!(convert(&["-q"]).stderr, "");
    for options in [&["--delimiter", ";"][..], &["--delimiter", ","]] {
        assert_eq!(hints(&convert(options)), 0);
    }
    for command in ["count", "head"] {
        assert_eq!(hints(&pair("records", command.as_ref(), &semicolons, &[]).ok()), 1);
    }
    // Where a number has a comma, nothing comes of it at all.
    let commas = scratch.write("c.csv", "a;b\n1,5;2\n");
    pair("records", "count".as_ref(), &commas, &["-q"]).fails(6, &["2 fields instead of 1", "`--delimiter`"]);
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let scratch = Scratch::new();
    let source = scratch.write("a.ndjson", "{\"a\":1}\n".repeat(1_000_000));
    let source = source.to_str().unwrap();
    for arguments in [
        &["records", "convert", source, "-", "--to", "csv"][..],
        &["records", "convert", source, "-", "--to", "ndjson.gz", "--level", "0"],
        &["records", "head", "-n", "1000000", source],
        &["cat", source],
    ] {
        let mut child = command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut [0; 100]).unwrap();
        drop(stdout);
        let run = Run::from(child.wait_with_output().unwrap()).ok();
        assert_eq!(run.stderr, "", "{arguments:?}");
    }
}

#[test]
fn limits_name_the_file_and_the_option() {
    let scratch = Scratch::new();
    let long = scratch.write("long.ndjson", "{\"a\":\"0123456789\"}\n");
    let target = scratch.path("x.csv");
    let target = target.to_str().unwrap();
    pair("records", "count".as_ref(), &long, &["--max-record", "10"])
        .fails(6, &["long.ndjson`", "`--max-record`"]);
    // Each of the records is short, and the row of their names is not.
    let keys: String = (0..10).map(|n| format!("{{\"{n}\":1}}\n")).collect();
    let keys = scratch.write("keys.ndjson", &keys);
    pair("records", "convert".as_ref(), &keys, &[target, "--max-record", "10"])
        .fails(6, &["keys.ndjson`", "`--max-record`", "`--columns`"]);
    // A record that grows is one of the target.
    let quotes = scratch.write("quotes.csv", format!("a\n{}\n", "\u{1}".repeat(5)));
    let json = scratch.path("x.ndjson");
    pair("records", "convert".as_ref(), &quotes, &[json.to_str().unwrap(), "--max-record", "10"])
        .fails(6, &["record 1", "`--max-record`"]);
}

/// What standard output got of a conversion that fails with these words, if its reader is slow.
fn shown(source: &Path, options: &[&str], words: &[&str]) -> Vec<u8> {
    let arguments = [&["records", "convert"], options, &[source.to_str().unwrap(), "-"]].concat();
    let mut child = command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut output, mut all) = (child.stdout.take().unwrap(), Vec::new());
    let mut piece = vec![0; 3 << 20];
    while let count @ 1.. = output.read(&mut piece).unwrap() {
        all.extend_from_slice(&piece[..count]);
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    Run::from(child.wait_with_output().unwrap()).fails(6, words);
    all
}

#[test]
fn input_that_breaks_off_ends_the_output_behind_a_record() {
    let scratch = Scratch::new();
    // Longer than what is on its way at a time, and of lengths that no buffer ends with.
    let records: Vec<String> =
        (0..60_000).map(|n| format!("{{\"n\":{n},\"text\":\"{}\"}}", "x".repeat(n % 97))).collect();
    let lines = records.iter().map(|record| format!("{record}\n")).collect::<String>();
    let rows: String = (0..60_000).map(|n| format!("{n},{}\n", "x".repeat(n % 97))).collect();
    let whole = scratch.write("whole.ndjson", &lines);
    let cut = |name: &str| {
        let packed = scratch.path(name);
        pair("records", "convert".as_ref(), &whole, &[packed.to_str().unwrap()]).ok();
        let bytes = fs::read(&packed).unwrap();
        fs::write(&packed, &bytes[..bytes.len() / 2]).unwrap();
        packed
    };
    for name in ["cut.ndjson.gz", "cut.ndjson.zst", "cut.ndjson.lz4"] {
        let packed = cut(name);
        for cores in ["1", "2"] {
            let output = shown(&packed, &["--to", "ndjson", "--cores", cores], &[name]);
            assert!(
                output.ends_with(b"\n") && output.len() > 1 << 20 && lines.as_bytes().starts_with(&output)
            );
        }
        // An object gets all of it or nothing.
        let target = scratch.write("old.ndjson", "old");
        pair("records", "convert".as_ref(), &packed, &[target.to_str().unwrap()]).fails(6, &[name]);
        assert_eq!(fs::read(&target).unwrap(), b"old");
    }

    // All records before the one that is none, in each form.
    let before = 55_555;
    let array = format!("[{},{{]", records[..before].join(","));
    let array = scratch.write("wrong.json", array);
    let output = shown(&array, &["--to", "ndjson"], &["wrong.json", "record 55556"]);
    assert!(
        output == records[..before].iter().map(|record| format!("{record}\n")).collect::<String>().as_bytes()
    );
    let output =
        String::from_utf8(shown(&array, &["--to", "json"], &["wrong.json", "record 55556"])).unwrap();
    assert_eq!(serde_json::from_str::<Vec<serde_json::Value>>(&format!("{output}]")).unwrap().len(), before);
    let output = shown(&array, &["--to", "length-prefixed"], &["wrong.json"]);
    let mut rest = output.as_slice();
    for record in &records[..before] {
        let (length, record_and_rest) = rest.split_first_chunk::<4>().unwrap();
        let length = u32::from_be_bytes(*length) as usize;
        assert_eq!(&record_and_rest[..length], record.as_bytes());
        rest = &record_and_rest[length..];
    }
    assert!(rest.is_empty());
    let table = scratch.write("wrong.csv", format!("n,text\n{rows}\"x\" y,z\n"));
    let output = shown(&table, &["--to", "csv"], &["wrong.csv", "record 60001"]);
    assert!(output == format!("n,text\n{rows}").as_bytes());
}

#[test]
fn a_connection_that_breaks_ends_the_output_behind_a_record() {
    let scratch = Scratch::new();
    let web = python_web();
    let lines: String = (0..60_000).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    fs::write(web.directory.join("a.ndjson"), &lines).unwrap();
    let proxy = Proxy::before(&web.endpoint);
    let mut is_cut = false;
    proxy.plan(move |request| {
        let cut = if is_cut { Fault::Answer(Canned::status(403)) } else { Fault::CutAnswer };
        is_cut |= request.method == "GET";
        (request.method == "GET").then_some(cut)
    });
    let source = format!("{}/a.ndjson", proxy.endpoint);
    let output = scratch.path("output");
    let failed = command(["records", "convert", "--to", "ndjson", &source, "-"])
        .stdout(fs::File::create(&output).unwrap())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    Run::from(failed).fails(6, &["a.ndjson"]);
    let output = fs::read(output).unwrap();
    assert!(output.ends_with(b"\n") && output.len() > 200_000 && lines.as_bytes().starts_with(&output));
}
