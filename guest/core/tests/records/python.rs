//! Both ways with Python's `csv` and `json`.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use omnistorage_core::record::{
    Format,
    csv::{Dialect, LineEnd},
};
use serde_json::{Value, json};

use crate::{
    checked, csv,
    properties::{convert, read},
};

/// Runs a script on an input.
fn python(script: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("python3")
        .args(["-c", script])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test needs python3");
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "{script}");
    output.stdout
}

fn table() -> Vec<u8> {
    let awkward = [
        "",
        " ",
        "a,b",
        "say \"hi\"",
        "two\nlines",
        "\r\n",
        "\r",
        "é😀",
        "007",
        "1.5",
        "\t",
        ";",
        "'",
        "null",
        "\u{feff}x",
        "\"",
        "\\",
    ];
    let row = |n: usize| {
        let field = |at: usize| Value::from(awkward[(n * 7 + at * 3) % awkward.len()]);
        json!({"id": n.to_string(), "first, \"quoted\"": field(0), "zweite\nSpalte": field(1), "é": field(n)})
    };
    (0..200).flat_map(|n| (row(n).to_string() + "\n").into_bytes()).collect()
}

fn dialects() -> [(&'static str, Dialect); 4] {
    let semicolons = Dialect::new(';', '\'').unwrap();
    [
        ("{}", Dialect::default()),
        ("{'lineterminator': '\\n', 'quoting': csv.QUOTE_ALL}", Dialect::default()),
        ("{'dialect': 'excel-tab'}", Dialect { line_end: LineEnd::Crlf, ..Dialect::tabs() }),
        ("{'delimiter': ';', 'quotechar': \"'\"}", semicolons),
    ]
}

#[test]
fn python_reads_our_rows() {
    let script = "import csv, io, json, sys
text = io.TextIOWrapper(sys.stdin.buffer, encoding='utf-8', newline='')
for row in csv.DictReader(text, strict=True, **eval(sys.argv[1])):
    sys.stdout.buffer.write(json.dumps(row, ensure_ascii=False, separators=(',', ':')).encode() + b'\\n')";
    for (options, dialect) in dialects() {
        let rows = convert(&Format::Ndjson, &Format::Csv(dialect), checked(), &table()).unwrap();
        let read = python(script, &[options], &rows);
        assert_eq!(String::from_utf8(read).unwrap(), String::from_utf8(table()).unwrap(), "{options}");
    }
}

#[test]
fn we_read_the_rows_of_python() {
    let script = "import csv, io, json, sys
rows = [json.loads(line) for line in sys.stdin.buffer]
text = io.StringIO(newline='')
writer = csv.DictWriter(text, rows[0].keys(), **eval(sys.argv[1]))
writer.writeheader()
writer.writerows(rows)
sys.stdout.buffer.write(text.getvalue().encode(sys.argv[2]))";
    for (options, dialect) in dialects() {
        for encoding in ["utf-8", "utf-8-sig"] {
            let rows = python(script, &[options, encoding], &table());
            let back = convert(&Format::Csv(dialect.clone()), &Format::Ndjson, checked(), &rows).unwrap();
            assert_eq!(String::from_utf8(back).unwrap(), String::from_utf8(table()).unwrap(), "{options}");
        }
    }
}

#[test]
fn numbers_and_null_reach_python_and_come_back() {
    let input = "{\"a\":1,\"b\":-2.5e-3,\"c\":true,\"d\":null,\"e\":\"1\",\"f\":\"\"}\n";
    // In Python's QUOTE_STRINGS style strings have quotes and numbers none: to us a special case of `infer`.
    let script = "import json, sys
row = json.loads(sys.stdin.buffer.read())
cell = lambda value: '' if value is None else json.dumps(value)
print(','.join(row))
print(','.join(map(cell, row.values())))";
    let inferring = csv(|dialect| dialect.infer = true);
    let rows = python(script, &[], input.as_bytes());
    let expected = "{\"a\":1,\"b\":-0.0025,\"c\":true,\"d\":null,\"e\":\"1\",\"f\":\"\"}\n";
    let back = convert(&inferring, &Format::Ndjson, checked(), &rows).unwrap();
    assert_eq!(String::from_utf8(back).unwrap(), expected);
}

/// Values of every kind, among them those that look like the framing of an array.
fn values() -> Vec<Value> {
    let nested = json!({"a": [{"b": [[], {}, null]}, "],[", "}{", "\\", "\"", "\n"], "": {"é": -2.5e-3}});
    let mut values = vec![nested, json!([]), json!({}), json!(""), json!(" , "), json!(true), json!(null)];
    values.extend((0..300).map(|n| json!({"n": n, "list": vec![n; n % 5], "text": "[1,\n2]".repeat(n % 3)})));
    values
}

#[test]
fn we_read_the_arrays_of_python() {
    let script = "import json, sys
json.dump(json.load(sys.stdin), sys.stdout, **eval(sys.argv[1]))";
    let input = serde_json::to_vec(&values()).unwrap();
    for options in
        ["{}", "{'indent': 2}", "{'indent': '\\t', 'ensure_ascii': False}", "{'separators': (',', ':')}"]
    {
        let lines =
            convert(&Format::JsonArray, &Format::Ndjson, checked(), &python(script, &[options], &input));
        let lines = String::from_utf8(lines.unwrap()).unwrap();
        let found: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(found, values(), "{options}");
    }
}

#[test]
fn python_reads_our_arrays() {
    let script = "import json, sys
for value in json.load(sys.stdin): print(json.dumps(value))";
    let lines: String = values().iter().map(|value| format!("{value}\n")).collect();
    for input in [lines.as_str(), ""] {
        let array = convert(&Format::Ndjson, &Format::JsonArray, checked(), input.as_bytes()).unwrap();
        let read = String::from_utf8(python(script, &[], &array)).unwrap();
        let parse = |text: &str| text.lines().map(|line| line.parse().unwrap()).collect::<Vec<Value>>();
        assert_eq!(parse(&read), parse(input));
    }
}

#[test]
fn we_judge_json_as_python_does() {
    let script = "import json, sys
def refuse(constant): raise ValueError(constant)
for line in sys.stdin.buffer.read().split(b'\\n'):
    try: json.loads(line.decode('utf-8'), parse_constant=refuse); print(1)
    except ValueError: print(0)";
    let lines: [&[u8]; 20] = [
        b"{}",
        b"[1,]",
        b"{\"a\":1,}",
        b"nul",
        b"01",
        b"-0",
        b"1.",
        b".5",
        b"1e5",
        b"1e",
        b"\"\\u12\"",
        b"\"\\x\"",
        b"\"\x01\"",
        b"'a'",
        b"NaN",
        b"\"\xff\"",
        b"[[[]]]",
        b"{\"a\" 1}",
        b"\"a\" \"b\"",
        b" true ",
    ];
    let verdicts = python(script, &[], &lines.join(&b"\n"[..]));
    let ours: String = lines
        .iter()
        .map(|line| read(&Format::Ndjson, checked(), line, usize::MAX, 1).outcome.map_or("0\n", |()| "1\n"))
        .collect();
    assert_eq!(ours, String::from_utf8(verdicts).unwrap());
}
