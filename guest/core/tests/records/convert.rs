//! From format to format and back.

use omnistorage_core::record::{
    Format, RecordErrorKind, RecordOptions, csv::Dialect, length_prefixed::LengthPrefix,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::{
    csv, limit,
    properties::{convert, convert_batches, rows_survive_json},
    rows,
};

const LENGTH_PREFIXED: Format = Format::LengthPrefixed(LengthPrefix::BigEndian);

fn text(source: &Format, target: &Format, input: &str) -> Result<String, (RecordErrorKind, String)> {
    let converted = convert(source, target, RecordOptions::default(), input.as_bytes());
    converted.map(|bytes| String::from_utf8(bytes).unwrap()).map_err(|error| (error.kind, error.to_string()))
}

fn plain() -> Format {
    csv(|_| {})
}

fn inferring() -> Format {
    csv(|dialect| dialect.infer = true)
}

fn columns(names: &[&str]) -> Format {
    csv(|dialect| dialect.columns = Some(names.iter().map(|name| (*name).to_owned()).collect()))
}

#[test]
fn rows_become_objects_by_the_header() {
    let input = "id,\"full \"\"name\"\"\"\n007,\"Ann\nLee\"\n,1.50\n";
    let output = "{\"id\":\"007\",\"full \\\"name\\\"\":\"Ann\\nLee\"}\n{\"id\":\"\",\"full \\\"name\\\"\":\"1.50\"}\n";
    assert_eq!(text(&plain(), &Format::Ndjson, input).unwrap(), output);
    assert_eq!(text(&Format::Ndjson, &plain(), output).unwrap(), input);
}

#[test]
fn rows_without_names_become_arrays() {
    assert_eq!(text(&rows(), &Format::Ndjson, "a,b\n1,\n").unwrap(), "[\"a\",\"b\"]\n[\"1\",\"\"]\n");
    assert_eq!(text(&Format::Ndjson, &rows(), "[\"a\",\"b\"]\n[1,null]\n").unwrap(), "a,b\n1,\n");
    let named =
        csv(|dialect| (dialect.header, dialect.columns) = (false, Some(vec!["x".into(), "y".into()])));
    assert_eq!(text(&named, &Format::Ndjson, "a,b\n").unwrap(), "{\"x\":\"a\",\"y\":\"b\"}\n");
    assert_eq!(text(&Format::Ndjson, &named, "{\"y\":\"b\"}\n[1,2]\n").unwrap(), ",b\n1,2\n");
}

#[test]
fn values_are_inferred_only_on_request_and_only_without_quotes() {
    let input =
        "a,b,c,d,e,f\n1,-2.50e3,true,,007,\"\"\n\"1\",1e999,\"true\",x,12345678901234567890123,null\n";
    let output = "{\"a\":1,\"b\":-2.50e3,\"c\":true,\"d\":null,\"e\":\"007\",\"f\":\"\"}\n\
                  {\"a\":\"1\",\"b\":1e999,\"c\":\"true\",\"d\":\"x\",\"e\":12345678901234567890123,\"f\":\"null\"}\n";
    assert_eq!(text(&inferring(), &Format::Ndjson, input).unwrap(), output);
    assert_eq!(text(&Format::Ndjson, &inferring(), output).unwrap(), input);
    let strings = text(&plain(), &Format::Ndjson, input).unwrap();
    assert!(strings.starts_with("{\"a\":\"1\",\"b\":\"-2.50e3\",\"c\":\"true\",\"d\":\"\""), "{strings}");
    // From one dialect to another, fields keep being what they were.
    let tabs = csv(|dialect| *dialect = Dialect { infer: true, ..Dialect::tabs() });
    assert_eq!(text(&inferring(), &tabs, input).unwrap(), input.replace(',', "\t"));
    assert_eq!(text(&plain(), &inferring(), "a,b\n1,x\n").unwrap(), "a,b\n\"1\",x\n");
}

#[test]
fn columns_are_every_key_in_the_order_in_which_they_appear() {
    let input = "{\"b\":1}\n{\"a\":2,\"b\":3}\n{}\n{\"c\":\"\\u00e9\",\"a\":false}\n";
    assert_eq!(text(&Format::Ndjson, &plain(), input).unwrap(), "b,a,c\n1,,\n3,2,\n,,\n,false,é\n");
    assert_eq!(
        text(&Format::Ndjson, &columns(&["c", "d", "a", "b"]), input).unwrap(),
        "c,d,a,b\n,,,1\n,,2,3\n,,,\né,,false,\n"
    );
    assert_eq!(text(&Format::Ndjson, &plain(), "").unwrap(), "");
    assert_eq!(text(&Format::Ndjson, &columns(&["a"]), "").unwrap(), "a\n");
}

#[test]
fn what_the_target_cannot_hold_names_the_record_and_the_field() {
    use RecordErrorKind::{InvalidOption, LimitExceeded, Malformed, Unrepresentable};
    let ndjson = &Format::Ndjson;
    for (source, target, input, kind, words) in [
        (
            ndjson,
            &plain(),
            "{\"a\":1,\"b\":2,\"a\":3}\n",
            Unrepresentable,
            "record 1: field \"a\": the key is there twice",
        ),
        (ndjson, &plain(), "{\"a\":\"\\ud800\"}\n", Unrepresentable, "record 1: field \"a\": not Unicode"),
        (ndjson, &plain(), "1\n", Unrepresentable, "record 1: only an object or an array"),
        (ndjson, &plain(), "{\"a\":1}\n{a}\n", Malformed, "record 2: not JSON at byte 2"),
        (ndjson, &plain(), "{\"a\":1}\n[1]\n", Unrepresentable, "record 2: an array has no names"),
        (ndjson, &rows(), "{\"a\":1}\n[1]\n", Unrepresentable, "record 2: an array among objects"),
        (ndjson, &rows(), "[1]\n{\"a\":1}\n", Unrepresentable, "record 2: an object among arrays"),
        (ndjson, &rows(), "[1,2]\n[1]\n", Malformed, "record 2: 1 field instead of 2"),
        (ndjson, &rows(), "[]\n", Unrepresentable, "record 1: an array of 0 values"),
        (ndjson, &plain(), "{}\n", Unrepresentable, "no object has any key"),
        (
            ndjson,
            &columns(&["a"]),
            "{\"a\":1}\n{\"a\":1,\"b\":2}\n",
            Unrepresentable,
            "record 2: field \"b\": it is none of the columns",
        ),
        (ndjson, &columns(&["a", "a"]), "{\"a\":1}\n", InvalidOption, "two columns have the name \"a\""),
        (ndjson, &columns(&[]), "{\"a\":1}\n", InvalidOption, "at least one"),
        (ndjson, &inferring(), "{\"a\":1}\n{\"a\":null}\n", Unrepresentable, "record 2: null alone"),
        (&plain(), ndjson, "a,b,a\n1,2,3\n", InvalidOption, "two columns have the name \"a\""),
        (&columns(&["a"]), &LENGTH_PREFIXED, "a\n1\n", InvalidOption, "no use for columns"),
        (&plain(), &columns(&["a"]), "a,b\n1,2\n", InvalidOption, "\"b\" of the source is none"),
    ] {
        let (found, message) = text(source, target, input).unwrap_err();
        assert_eq!(found, kind, "{input:?}: {message}");
        assert!(message.contains(words), "{input:?}: {message}");
    }
    let latin = convert(&plain(), ndjson, RecordOptions::default(), b"n,\"na\"\"me\"\nx,\xe9\n").unwrap_err();
    assert_eq!(latin.to_string(), "record 1: field \"na\\\"me\": not UTF-8 at byte 1");
    let header = convert(&plain(), ndjson, RecordOptions::default(), b"a,\xe9\n").unwrap_err();
    assert!(header.to_string().contains("the name of column 2 is not UTF-8"), "{header}");
    // Keys without end must not fill the memory.
    let full = many_columns(1_100_000);
    assert_eq!((full.kind, full.record), (LimitExceeded, 1), "{full}");
    assert!(full.to_string().contains("columns"), "{full}");
    let many: String = (0..20).map(|n| format!("{{\"key{n}\":1}}\n")).collect();
    let full = convert(ndjson, &plain(), limit(50), many.as_bytes()).unwrap_err();
    assert_eq!((full.kind, full.record), (LimitExceeded, 11), "{full}");
}

#[test]
fn dialects_turn_into_each_other_by_name() {
    let input = "a,b,c\n1,\"2;\",3\n";
    let semicolons = |names: &[&str]| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Format::Csv(Dialect { columns: Some(names), ..Dialect::new(';', '"').unwrap() })
    };
    assert_eq!(
        text(&plain(), &semicolons(&["c", "new", "b", "a"]), input).unwrap(),
        "c;new;b;a\n3;;\"2;\";1\n"
    );
    assert_eq!(text(&rows(), &semicolons(&["x", "y", "z"]), input).unwrap(), "x;y;z\na;b;c\n1;\"2;\";3\n");
    assert_eq!(text(&rows(), &plain(), "a,b\n1,2\n").unwrap(), "a,b\n1,2\n");
    assert_eq!(text(&plain(), &plain(), "a,b\n").unwrap(), "a,b\n", "a header without rows stays");
}

#[test]
fn every_format_converts_to_every_other_and_back() {
    let tabs = Format::Csv(Dialect::tabs());
    let formats = [Format::Ndjson, Format::JsonArray, plain(), tabs];
    let rows = "id,text\n1,\"a, [b]\"\n2,\"say \"\"hi\"\"\"\n";
    for first in &formats {
        let one = text(&plain(), first, rows).unwrap();
        for second in &formats {
            let two = text(first, second, &one).unwrap();
            assert_eq!(two, text(&plain(), second, rows).unwrap(), "{first} to {second}");
            assert_eq!(text(second, &plain(), &two).unwrap(), rows, "{second}");
        }
        // Records are carried as they are.
        let carried = text(first, &LENGTH_PREFIXED, &one).unwrap();
        assert_eq!(text(&LENGTH_PREFIXED, first, &carried).unwrap(), one, "{first}");
    }
    let array = "[\n{\"id\":\"1\",\"text\":\"a, [b]\"},\n{\"id\":\"2\",\"text\":\"say \\\"hi\\\"\"}\n]\n";
    assert_eq!(text(&plain(), &Format::JsonArray, rows).unwrap(), array);
    assert_eq!(
        text(&Format::JsonArray, &plain(), "[{\"b\":1},\n {\"a\":[1,\n2]}]").unwrap(),
        "b,a\n1,\n,\"[1,2]\"\n"
    );
}

#[test]
fn length_prefixed_carries_records_as_they_are() {
    for (format, input) in [(&plain(), "a,b\n1,\"x\ny\"\n"), (&Format::Ndjson, "{\"a\" : 1}\n 2 \n")] {
        let carried = convert(format, &LENGTH_PREFIXED, RecordOptions::default(), input.as_bytes()).unwrap();
        let back = convert(&LENGTH_PREFIXED, format, RecordOptions::default(), &carried).unwrap();
        assert_eq!(String::from_utf8(back).unwrap(), input);
    }
    let error = convert(&LENGTH_PREFIXED, &Format::Ndjson, RecordOptions::default(), b"\0\0\0\x03a\nb");
    assert_eq!(error.unwrap_err().kind, RecordErrorKind::Unrepresentable);
}

/// What comes of so many columns.
fn many_columns(count: u32) -> omnistorage_core::record::RecordError {
    let keys: Vec<_> = (0..count).map(|n| format!("\"{n}\":0")).collect();
    let record = format!("{{{}}}\n", keys.join(","));
    convert(&Format::Ndjson, &plain(), limit(u64::MAX), record.as_bytes()).unwrap_err()
}

#[test]
fn nested_values_are_compact_json_in_a_field_and_come_back_with_inference() {
    let input = "{\"a\": {\"b\": [1, \"x y\"]}, \"c\": [ ], \"d\": \"[]\"}\n{\"a\": [1], \"c\": null, \"d\": \"\\\"[]\\\"\"}\n";
    let plainly = text(&Format::Ndjson, &plain(), input).unwrap();
    assert_eq!(plainly, "a,c,d\n\"{\"\"b\"\":[1,\"\"x y\"\"]}\",[],[]\n[1],,\"\"\"[]\"\"\"\n");
    let inferred = text(&Format::Ndjson, &inferring(), input).unwrap();
    assert!(
        inferred.starts_with("a,c,d\n\"{\"\"b\"\":[1,\"\"x y\"\"]}\",[],\"\"\"[]\"\"\"\n[1],,"),
        "{inferred}"
    );
    let back = text(&inferring(), &Format::Ndjson, &inferred).unwrap();
    let compact =
        "{\"a\":{\"b\":[1,\"x y\"]},\"c\":[],\"d\":\"[]\"}\n{\"a\":[1],\"c\":null,\"d\":\"\\\"[]\\\"\"}\n";
    assert_eq!(back, compact);
    // Line ends between tokens would end the record, and what others wrote has quotes or not.
    assert_eq!(
        text(&inferring(), &Format::Ndjson, "a,b\n\"[1,\n 2]\",{}\n").unwrap(),
        "{\"a\":[1,2],\"b\":{}}\n"
    );
    // From one dialect to another, values stay what they were.
    let tabs = |infer| Format::Csv(Dialect { infer, ..Dialect::tabs() });
    assert_eq!(
        text(&inferring(), &tabs(true), &inferred).unwrap(),
        text(&Format::Ndjson, &tabs(true), input).unwrap()
    );
    assert_eq!(
        text(&inferring(), &tabs(false), &inferred).unwrap(),
        text(&Format::Ndjson, &tabs(false), input).unwrap()
    );
    assert_eq!(text(&plain(), &inferring(), "a,b\n[],x\n").unwrap(), "a,b\n\"\"\"[]\"\"\",x\n");
}

#[test]
fn a_record_that_grows_too_long_ends_the_conversion() {
    let escaped = format!("a\n{}\n", "\u{1}".repeat(30));
    for (source, target, input) in [
        (&plain(), &Format::Ndjson, escaped.as_str()),
        (&plain(), &Format::Ndjson, "a long name of a column,b\n1,2\n"),
        (&Format::Ndjson, &rows(), "[\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\"]\n"),
    ] {
        let mut plan =
            omnistorage_core::record::convert::Plan::between(source.clone(), target.clone()).unwrap();
        let reading = crate::records(plan.source(), input.as_bytes(), 100, RecordOptions::default());
        let records = crate::properties::batch(&reading.records);
        if let Some(mut survey) = plan.survey(RecordOptions::default()) {
            survey.see(&records, 0).unwrap();
            plan.learn(&survey).unwrap();
        }
        let (_, mut conversion) = plan.start(reading.header.as_deref(), limit(20)).unwrap();
        let error = conversion
            .convert(&records, 0, &mut omnistorage_core::record::Batch::new())
            .map(drop)
            .unwrap_err();
        assert_eq!((error.kind, error.record), (RecordErrorKind::LimitExceeded, 1), "{error}");
        assert!(error.to_string().contains("`max-record`"), "{error}");
    }
}

#[test]
fn wide_tables_are_converted_in_pieces() {
    // Three thousand rows of nothing are each as long as the header.
    let names: Vec<_> = (0..1000).map(|n| format!("column {n}")).collect();
    let sparse: String = (0..3000).map(|n| format!("{{\"column {}\":{n}}}\n", n % 1000)).collect();
    let wide = names.iter().map(|name| format!("\"{name}\":null")).collect::<Vec<_>>().join(",");
    let input = format!("{{{wide}}}\n{sparse}");
    // The pieces themselves are looked at where they are made.
    let rows = text(&Format::Ndjson, &plain(), &input).unwrap();
    assert_eq!(rows.lines().count(), 3002);
    assert_eq!(rows.lines().nth(2).unwrap(), format!("0{}", ",".repeat(999)));
    let objects = text(&plain(), &Format::Ndjson, &rows).unwrap();
    assert_eq!(objects.lines().count(), 3001);
    assert!(objects.len() > 10 * input.len());
    assert_eq!(text(&Format::Ndjson, &plain(), &objects).unwrap(), rows);
}

/// A value that fits into one field.
fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        "[ab,\"\r\n \u{feff}é01-]{0,5}".prop_map(Value::from),
        prop::sample::select(vec![
            json!(""),
            json!("true"),
            json!("1"),
            json!("-1.5e7"),
            json!(true),
            json!(null)
        ]),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
    ]
}

/// Any value, and strings that look like the JSON text of one.
fn value() -> impl Strategy<Value = Value> {
    let nested = scalar().prop_recursive(3, 12, 3, |inner| {
        let keys = "[a,\"\n]{0,2}";
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::hash_map(keys, inner, 0..3)
                .prop_map(|map| map.into_iter().collect::<Map<_, _>>().into()),
        ]
    });
    (nested, 0..4).prop_map(|(value, quotations)| {
        (0..quotations).fold(value, |value, _| Value::from(value.to_string()))
    })
}

proptest! {
    #[test]
    fn tables_of_any_values_survive_with_inference(
        table in (2_usize..4).prop_flat_map(|width| {
            (prop::collection::hash_set("[a-z]{0,3}", width), prop::collection::vec(prop::collection::vec(value(), width), 1..5))
        }),
        blanks in any::<bool>(),
    ) {
        let (names, values) = table;
        let lines = |print: fn(&Value) -> String| -> String {
            values
                .iter()
                .map(|row| Value::from(names.iter().cloned().zip(row.iter().cloned()).collect::<Map<_, _>>()))
                .map(|record| print(&record) + "\n")
                .collect()
        };
        let compact = lines(Value::to_string);
        // The same with blanks between its tokens.
        let pretty = |record: &Value| serde_json::to_string_pretty(record).unwrap().replace('\n', " ");
        let input = if blanks { lines(pretty) } else { compact.clone() };
        let written = text(&Format::Ndjson, &inferring(), &input).unwrap();
        prop_assert_eq!(text(&inferring(), &Format::Ndjson, &written).unwrap(), compact);
    }

    #[test]
    fn a_conversion_in_pieces_is_that_of_the_whole(
        rows in prop::collection::vec((prop::collection::vec(0_usize..400, 0..4), value()), 1..40),
        size in 1_usize..10,
        lenient in any::<bool>(),
    ) {
        let record = |(keys, value): &(Vec<usize>, Value)| {
            let keys = keys.iter().map(|key| (format!("{key:0>200}"), value.clone()));
            Value::from(keys.collect::<Map<_, _>>()).to_string() + "\n"
        };
        let input = rows.iter().map(record).collect::<String>() + "{\"last\":1,\"of all\":2}\n";
        let options = RecordOptions::default();
        let wide = csv(|dialect| (dialect.infer, dialect.lenient) = (true, lenient));
        let tabs = Format::Csv(Dialect { infer: true, ..Dialect::tabs() });
        let table = convert(&Format::Ndjson, &wide, options, input.as_bytes()).unwrap();
        for (source, target, input) in [
            (&Format::Ndjson, &wide, input.as_bytes()),
            (&wide, &Format::Ndjson, &table),
            (&wide, &tabs, &table),
            (&wide, &LENGTH_PREFIXED, &table),
        ] {
            let whole = convert(source, target, options, input).unwrap();
            prop_assert!(convert_batches(source, target, options, input, size).unwrap() == whole);
        }
    }

    #[test]
    fn tables_of_scalars_survive_with_inference(
        table in (2_usize..5).prop_flat_map(|width| {
            (prop::collection::hash_set("[a-z,\"\n]{0,3}", width), prop::collection::vec(prop::collection::vec(scalar(), width), 1..6))
        }),
    ) {
        let (names, values) = table;
        let input: String = values
            .iter()
            .map(|row| Value::from(names.iter().cloned().zip(row.iter().cloned()).collect::<Map<_, _>>()).to_string() + "\n")
            .collect();
        let written = text(&Format::Ndjson, &inferring(), &input).unwrap();
        prop_assert_eq!(text(&inferring(), &Format::Ndjson, &written).unwrap(), input);
    }

    #[test]
    fn rows_survive_a_conversion_to_json(
        input in prop::collection::vec(prop::sample::select(&b"ab,,\"\"\"\r\n\n1"[..]), 0..60),
        header in any::<bool>(),
        infer in any::<bool>(),
    ) {
        rows_survive_json(&Dialect { header, infer, ..Dialect::default() }, &input);
    }
}
