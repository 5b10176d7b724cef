//! What the sandbox costs the record formats: the readers of the core in the component, beside the same natively and
//! beside [what is usual](usual) in native Rust, over the same bytes in memory. Rows are bytes read a second, medians of
//! runs in turns.
//!
//! NDJSON lines are some 340 bytes, and length-prefixed records are the same lines; rows of CSV have eleven fields and
//! some 80 bytes, every twelfth field with quotes. The elements of the array are the lines. *Checked* is the full syntax of
//! JSON, which is that of an array, too.

mod usual;

use std::{fs, path::Path, sync::Arc};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use futures::TryStreamExt;
use omnistorage::{
    Backend, Location, MemoryBackend,
    backend::{ReadOptions, WriteOptions},
    runtime::{Runtime, RuntimeOptions, Storage},
};
use omnistorage_core::{
    encoding::encoding_from_path,
    record::{Batch, Format, RecordError, RecordOptions, Validation, reader},
};

use crate::inside::{Comparison, Times};

/// Bytes of each format.
const SIZE: usize = 16 << 20;

/// What the test guest takes a source in.
const CHUNK: usize = 256 << 10;

/// Measures every row.
///
/// # Errors
/// The first work that fails.
pub(crate) async fn measure(test_guest: &Path, rounds: u32) -> Result<Vec<Comparison>> {
    let wasm = fs::read(test_guest).with_context(|| format!("cannot read {}", test_guest.display()))?;
    let runtime = Runtime::with_component(&RuntimeOptions::default(), &wasm)?;
    let (lines, rows) = (lines(), rows());
    let prefixed: Vec<u8> = lines
        .split_inclusive(|byte| *byte == b'\n')
        .flat_map(|line| (line.len() as u32).to_be_bytes().into_iter().chain(line.iter().copied()))
        .collect();
    let elements: Vec<_> = lines.trim_ascii_end().split(|byte| *byte == b'\n').collect();
    let array = [b"[", &elements.join(&b',')[..], b"]"].concat();
    let mut table = Vec::new();
    // So often that reading the bytes into the component does not count.
    for (what, name, check, validation, bytes, often) in [
        ("NDJSON framed", "x.ndjson", "framing", Validation::Framing, &lines, 300),
        ("NDJSON checked", "x.ndjson", "syntax", Validation::Syntax, &lines, 20),
        ("length-prefixed", "x.lp", "framing", Validation::Framing, &prefixed, 300),
        ("CSV", "x.csv", "framing", Validation::Framing, &rows, 20),
        ("JSON array", "x.json", "syntax", Validation::Syntax, &array, 20),
    ] {
        let at = Location::new("memory", &format!("frame/{often}/{check}/{name}"))?;
        let memory = Arc::new(MemoryBackend::new());
        memory.write_all(&at.path, Bytes::from(bytes.clone()), &WriteOptions::default()).await?;
        let storage = Storage::builder(&runtime).mount("memory", memory).build();
        let format = encoding_from_path(&at.path).0.context("it is a format")?;
        let options = RecordOptions { validation, ..RecordOptions::default() };
        let once = count(&format, options, bytes)?;
        let inside = async || {
            let contents = storage.read(&at, &ReadOptions::default(), None).await?.contents;
            let counted: Vec<Bytes> = contents.try_collect().await?;
            ensure!(counted.concat() == (once * often).to_string().as_bytes());
            Ok(())
        };
        let native = async || {
            for _ in 0..often {
                ensure!(count(&format, options, bytes)? == once);
            }
            Ok(())
        };
        let times = Times::measure(rounds, inside, native).await?;
        table.push(times.rate(what, "the same, native", bytes.len() as u64 * often));
        let usual = async || {
            for _ in 0..often {
                ensure!(usual::count(&format, validation, bytes, CHUNK)? == once);
            }
            Ok(())
        };
        let times = Times::measure(rounds, inside, usual).await?;
        table.push(times.rate(what, usual::name(&format), bytes.len() as u64 * often));
    }
    Ok(table)
}

fn count(format: &Format, options: RecordOptions, bytes: &[u8]) -> Result<u64, RecordError> {
    let (mut reader, mut batch, mut count) = (reader(format, options)?, Batch::new(), 0);
    for mut chunk in bytes.chunks(CHUNK) {
        while !chunk.is_empty() {
            chunk = &chunk[reader.push(chunk, &mut batch, usize::MAX)?..];
            count += batch.len() as u64;
            batch.clear();
        }
    }
    reader.finish(&mut batch)?;
    Ok(count + batch.len() as u64)
}

/// Log lines.
fn lines() -> Vec<u8> {
    let mut lines = Vec::with_capacity(SIZE + 512);
    for n in 0_usize.. {
        if lines.len() >= SIZE {
            break;
        }
        let words =
            "the request was served from the cache after a short wait in the queue ".repeat(1 + n % 3);
        lines.extend_from_slice(
            format!(
                "{{\"time\":\"2026-01-02T03:04:{:02}.{:06}Z\",\"level\":\"info\",\"id\":{n},\"ok\":{},\"took\":{}.{},\
                 \"host\":\"server-{}.example.org\",\"tags\":[\"a\",\"b{}\"],\"peer\":null,\"text\":\"{words}\\n\"}}\n",
                n % 60, n * 7919 % 1_000_000, n % 3 > 0, n % 977, n % 10, n % 17, n % 5
            )
            .as_bytes(),
        );
    }
    lines
}

/// Orders.
fn rows() -> Vec<u8> {
    let mut rows = b"id,date,customer,city,item,note,count,price,currency,paid,total\n".to_vec();
    for n in 0_usize.. {
        if rows.len() >= SIZE {
            break;
        }
        let note = if n % 12 == 0 { "\"left at \"\"the door\"\", twice\"" } else { "none" };
        rows.extend_from_slice(
            format!(
                "{n},2026-{:02}-{:02},customer {},\"City, {}\",item-{:06},{note},{},{}.{:02},EUR,{},{}\n",
                n % 12 + 1,
                n % 28 + 1,
                n * 31 % 10_007,
                n % 97,
                n * 7919 % 1_000_000,
                n % 9,
                n % 499,
                n % 100,
                n % 2 == 0,
                n % 4999
            )
            .as_bytes(),
        );
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_is_well_formed() {
        let checked = RecordOptions { validation: Validation::Syntax, ..RecordOptions::default() };
        let (lines, rows) = (lines(), rows());
        let records = count(&Format::Ndjson, checked, &lines).unwrap();
        assert!((250..400).contains(&(lines.len() as u64 / records)));
        let format = Format::from_name("csv").unwrap();
        assert!((75..95).contains(&(rows.len() as u64 / count(&format, checked, &rows).unwrap())));
    }

    #[test]
    fn what_is_usual_reads_the_same() {
        let prefixed = [&b"\0\0\0\x02ab"[..], b"\0\0\0\0"].concat();
        for (name, bytes, records) in [
            ("x.ndjson", &b"{}\n[1]\n2"[..], 3),
            ("x.csv", b"a,b\n\"1\n2\",3\n4,5\n", 2),
            ("x.lp", &prefixed, 2),
        ] {
            let format = Format::from_name(name.trim_start_matches("x.")).unwrap();
            for validation in [Validation::Framing, Validation::Syntax] {
                assert_eq!(usual::count(&format, validation, bytes, 3).unwrap(), records, "{name}");
            }
            assert_eq!(count(&format, RecordOptions::default(), bytes).unwrap(), records, "{name}");
        }
    }
}
