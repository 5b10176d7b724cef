//! Tables of many columns: what comes of a record may be larger than it by any factor.

use omnistorage::runtime::{Codec, CsvDialect, Encoding, Format, Limits, Storage};

use crate::setup::{at, memory, put, runtime};

/// A quarter of what a sandbox may have.
const MEMORY: usize = 64 << 20;

fn encoding(format: Format) -> Encoding {
    Encoding { format: Some(format), ..Encoding::default() }
}

/// Compressed, so that it takes no memory of the test's.
fn packed(format: Format) -> Encoding {
    Encoding { codec: Some(Codec::Gzip), level: Some(1), ..encoding(format) }
}

/// Sparse rows, as CSV has them and as NDJSON has them.
struct Table {
    name: &'static str,
    csv: String,
    ndjson: String,
    records: usize,
}

/// Rows of nothing but one field in each.
fn table(name: &'static str, names: &[String], records: usize) -> Table {
    let mut csv = names.join(",") + "\n";
    // The first record has all keys, so that the columns are in this order.
    csv += &(vec!["x"; names.len()].join(",") + "\n");
    let all: Vec<_> = names.iter().map(|name| format!("\"{name}\":\"x\"")).collect();
    let mut ndjson = format!("{{{}}}\n", all.join(","));
    for record in 1..records {
        let place = record * 7 % names.len();
        csv += &format!("{}x{}\n", ",".repeat(place), ",".repeat(names.len() - 1 - place));
        ndjson += &format!("{{\"{}\":\"x\"}}\n", names[place]);
    }
    Table { name, csv, ndjson, records }
}

#[tokio::test]
async fn memory_does_not_grow_with_columns_times_rows() {
    let names = |count: usize, width: usize| (0..count).map(|n| format!("{n:0>width$}")).collect::<Vec<_>>();
    for Table { name, csv, ndjson, records } in [
        table("many columns", &names(10_000, 0), 3_000),
        table("a header of a mebibyte", &names(1_000, 1_048), 100),
        table("as many names as that holds", &names(200_000, 0), 20),
        table("one long name", &names(1, 1_000), 100_000),
    ] {
        let limits = Limits { memory: MEMORY, ..Limits::default() };
        let storage = Storage::builder(runtime()).mount("here", memory()).limits(limits).build();
        put(&storage, "here", &[("csv", &csv), ("ndjson", &ndjson)]).await;
        let given = csv.lines().next().unwrap().split(',').map(str::to_owned).collect();
        let rows = CsvDialect { columns: Some(given), ..CsvDialect::new(';', '"').unwrap() };
        for (source, from, to) in [
            ("csv", Format::Csv(CsvDialect::default()), Format::Ndjson),
            ("csv", Format::Csv(CsvDialect::default()), Format::Csv(rows)),
            ("ndjson", Format::Ndjson, Format::Csv(CsvDialect::default())),
        ] {
            let what = format!("{name}, from {source} to {to:?}").chars().take(80).collect::<String>();
            let (here, there) = (at("here", source), at("here", "target"));
            let converted = storage.convert(&here, &encoding(from), &there, &packed(to)).await;
            let report = converted.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(report.records, records as u64, "{what}");
        }
        // What came last came of NDJSON, and is the same table.
        let reader = storage.read(&at("here", "target"), &Default::default(), Some(Default::default())).await;
        let mut contents = reader.unwrap().contents;
        let mut rest = csv.as_bytes();
        while let Some(chunk) = futures::StreamExt::next(&mut contents).await {
            rest = rest.strip_prefix(&*chunk.unwrap()).unwrap();
        }
        assert!(rest.is_empty());
    }
}
