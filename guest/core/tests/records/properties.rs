//! What holds for any input. The tests hold readers and writers to it with damaged files, and fuzzing with whatever it
//! finds.

use omnistorage_core::record::{
    Batch, Format, RecordError, RecordErrorKind, RecordOptions,
    convert::{Conversion, Plan},
    csv::Dialect,
    reader, writer,
};

/// What reading gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The row that names the columns.
    pub(crate) header: Option<Vec<u8>>,
    /// Those before the end, or before the error.
    pub(crate) records: Vec<Vec<u8>>,
    /// How it ended.
    pub(crate) outcome: Result<(), RecordError>,
}

/// Reads the input in chunks, in batches of so many records.
pub(crate) fn read(
    format: &Format,
    options: RecordOptions,
    input: &[u8],
    chunk: usize,
    max_records: usize,
) -> Reading {
    let mut reader = reader(format, options).unwrap();
    let (mut records, mut batch) = (Vec::new(), Batch::new());
    let mut header = None;
    let mut drive = || {
        for mut part in input.chunks(chunk) {
            while !part.is_empty() {
                let pushed = reader.push(part, &mut batch, max_records);
                assert!(batch.len() <= max_records);
                records.extend(batch.iter().map(<[u8]>::to_vec));
                let given = !batch.is_empty();
                batch.clear();
                header = header.take().or(reader.header().map(<[u8]>::to_vec));
                let taken = pushed?;
                assert!(taken == part.len() || given, "nothing taken and nothing given");
                part = &part[taken..];
            }
        }
        let finished = reader.finish(&mut batch);
        records.extend(batch.iter().map(<[u8]>::to_vec));
        header = header.take().or(reader.header().map(<[u8]>::to_vec));
        finished
    };
    let outcome = drive();
    Reading { header, records, outcome }
}

/// The records laid end to end.
pub(crate) fn batch<R: AsRef<[u8]>>(records: &[R]) -> Batch {
    let mut batch = Batch::new();
    records.iter().for_each(|record| batch.push(record.as_ref()).unwrap());
    batch
}

/// Writes the records, and says what came out before an error.
pub(crate) fn write<R: AsRef<[u8]>>(
    format: &Format,
    options: RecordOptions,
    records: &[R],
) -> (Vec<u8>, Result<(), RecordError>) {
    let mut writer = writer(format, options).unwrap();
    let mut output = Vec::new();
    let written = writer.write(&batch(records), &mut output);
    let outcome = written.and_then(|()| writer.finish(&mut output));
    (output, outcome)
}

/// Converts the whole input, as a file.
pub(crate) fn convert(
    source: &Format,
    target: &Format,
    options: RecordOptions,
    input: &[u8],
) -> Result<Vec<u8>, RecordError> {
    convert_batches(source, target, options, input, usize::MAX)
}

/// Converts the whole input, in batches of so many records.
pub(crate) fn convert_batches(
    source: &Format,
    target: &Format,
    options: RecordOptions,
    input: &[u8],
    size: usize,
) -> Result<Vec<u8>, RecordError> {
    let mut plan = Plan::between(source.clone(), target.clone())?;
    let Reading { header, records, outcome } = read(plan.source(), options, input, usize::MAX, usize::MAX);
    outcome?;
    let batches: Vec<_> = records.chunks(size).map(batch).collect();
    let unlimited = RecordOptions { max_record: u64::MAX, ..options };
    let mut guessed = None;
    if let Some(mut survey) = plan.survey(options) {
        guessed = guess(&plan, options, &batches);
        batches.iter().try_for_each(|records| survey.see(records, 0))?;
        plan.learn(&survey)?;
    }
    let (target, mut conversion) = plan.start(header.as_deref(), unlimited)?;
    let converted = carry(&target, &mut *conversion, &batches);
    if let Some(guessed) = guessed {
        assert_eq!(guessed, converted);
    }
    converted
}

/// Converts by the columns of the first batch. `None` if they are not those of all: then a survey that goes on where
/// the guess stopped finds what one of everything finds.
fn guess(plan: &Plan, options: RecordOptions, batches: &[Batch]) -> Option<Result<Vec<u8>, RecordError>> {
    let unlimited = RecordOptions { max_record: u64::MAX, ..options };
    let (first, mut survey) = (batches.first()?, plan.survey(options)?);
    survey.see(first, 0).ok()?;
    let (target, mut conversion) = plan.guess(&survey)?.start(None, unlimited).unwrap();
    if let Ok(guessed) = carry(&target, &mut *conversion, batches) {
        return Some(Ok(guessed));
    }
    survey.go_on_behind(conversion.records());
    let behind = batches.iter().flat_map(Batch::iter).skip(conversion.records() as usize);
    let seen = survey.see(&batch(&behind.map(<[u8]>::to_vec).collect::<Vec<_>>()), 0);
    let mut whole = plan.survey(options)?;
    assert_eq!(seen, batches.iter().try_for_each(|records| whole.see(records, 0)));
    if seen.is_ok() {
        let format = |survey| plan.guess(survey).unwrap().start(None, unlimited).unwrap().0;
        assert_eq!(format(&survey), format(&whole));
    }
    None
}

fn carry(
    target: &Format,
    conversion: &mut dyn Conversion,
    batches: &[Batch],
) -> Result<Vec<u8>, RecordError> {
    let options = RecordOptions { max_record: u64::MAX, ..RecordOptions::default() };
    let (mut unlooked, mut made) = (writer(target, options)?, Vec::new());
    let (mut writer, mut output, mut scratch) = (writer(target, options)?, Vec::new(), Batch::new());
    for records in batches {
        let mut next = 0;
        while next < records.len() {
            let piece = conversion.convert(records, next, &mut scratch)?;
            assert!(next < piece.next && piece.next <= records.len());
            // Before its last record, a piece that is made is not full.
            let last = piece.records.iter().last().map_or(0, <[u8]>::len);
            assert!(piece.next == records.len() || piece.records.size() - last < 256 << 10);
            assert_eq!(piece.records.len(), piece.next - next);
            let before = output.len();
            writer.write(piece.records, &mut output)?;
            if piece.are_made {
                // Whoever looks at them finds nothing, and writes the same.
                unlooked.write_made(piece.records, &mut made)?;
                assert!(output[before..] == made[..], "{}", String::from_utf8_lossy(&made));
                made.clear();
            }
            next = piece.next;
        }
    }
    writer.finish(&mut output)?;
    Ok(output)
}

/// Reading does not depend on how the input is cut, keeps to the limit, and what was read can be written and read
/// again.
pub(crate) fn reading_is_sound(format: &Format, options: RecordOptions, input: &[u8], chunk: usize) {
    let whole = read(format, options, input, usize::MAX, usize::MAX);
    assert_eq!(read(format, options, input, chunk, 2), whole);
    assert!(whole.records.iter().all(|record| record.len() as u64 <= options.max_record));

    // As rows the header is a record, too.
    let (format, records) = match format {
        Format::Csv(dialect) => {
            let rows = Dialect { header: false, columns: None, ..dialect.clone() };
            (Format::Csv(rows), whole.header.into_iter().chain(whole.records).collect())
        }
        _ => (format.clone(), whole.records),
    };
    let (written, outcome) = write(&format, options, &records);
    match outcome {
        Ok(()) => {
            let again = read(&format, options, &written, usize::MAX, usize::MAX);
            assert_eq!((again.records, again.outcome), (records, Ok(())));
        }
        Err(error) => {
            // A line that ends with two CRs is a record that ends with one, and a mark behind a mark is data.
            assert_eq!(error.kind, RecordErrorKind::Unrepresentable, "{error}");
            let refused = &records[error.record as usize - 1];
            assert!(refused.ends_with(b"\r") || refused.starts_with(b"\xef\xbb\xbf"), "{error}");
        }
    }
}

/// Rows that are converted to JSON and back have the same fields.
pub(crate) fn rows_survive_json(dialect: &Dialect, input: &[u8]) {
    let options = RecordOptions::default();
    let strict = Format::Csv(Dialect { columns: None, lenient: false, ..dialect.clone() });
    let Ok(json) = convert(&strict, &Format::Ndjson, options, input) else { return };
    // Without a record, nobody knows the columns any more.
    if json.is_empty() {
        return;
    }
    let rows = convert(&Format::Ndjson, &strict, options, &json).unwrap();
    assert_eq!(convert(&strict, &Format::Ndjson, options, &rows).unwrap(), json);
}
