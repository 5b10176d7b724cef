//! Record formats by themselves: the readers of the core, on bytes that are in memory already.

use omnistorage_core::{
    Path,
    encoding::encoding_from_path,
    record::{Batch, Format, RecordError, RecordOptions, Validation, reader},
};
use wit_bindgen::{StreamReader, StreamResult};

use crate::BUFFER;

/// Reads all of the bytes into memory, and takes them apart as often as the path says: `frame/ROUNDS/CHECK/NAME`, where
/// CHECK is `framing` or `syntax`, and the extension of the name tells the format. Gives the number of records.
pub(crate) async fn count(path: &str, mut source: StreamReader<u8>) -> u64 {
    let mut bytes = Vec::new();
    loop {
        let (state, chunk) = source.read(Vec::with_capacity(BUFFER)).await;
        bytes.extend(chunk);
        if state == StreamResult::Dropped {
            break;
        }
    }
    let mut segments = path.split('/').skip(1);
    let rounds = segments.next().and_then(|rounds| rounds.parse().ok()).unwrap_or(1);
    let validation = match segments.next() {
        Some("syntax") => Validation::Syntax,
        _ => Validation::Framing,
    };
    let format = encoding_from_path(&Path::parse(path).unwrap_or_default()).0.unwrap_or(Format::Ndjson);
    let options = RecordOptions { validation, ..RecordOptions::default() };
    (0..rounds).map(|_| records(&format, options, &bytes).unwrap_or_else(|error| panic!("{error}"))).sum()
}

/// The number of records in the bytes, which come in chunks, as they do from a backend.
fn records(format: &Format, options: RecordOptions, bytes: &[u8]) -> Result<u64, RecordError> {
    let (mut reader, mut batch, mut count) = (reader(format, options)?, Batch::new(), 0);
    for mut chunk in bytes.chunks(BUFFER) {
        while !chunk.is_empty() {
            chunk = &chunk[reader.push(chunk, &mut batch, usize::MAX)?..];
            count += batch.len() as u64;
            batch.clear();
        }
    }
    reader.finish(&mut batch)?;
    Ok(count + batch.len() as u64)
}
