//! A range of bytes. What lies compressed has no place to begin at but its start, so the bytes before are read over.

use omnistorage_application::{Checked, Error};

use crate::{NDJSON, answer::Answer, ask::Range};

/// Bytes at most in one answer: its header tells how many they are, so they are read before. A client that wants more asks
/// again from there on.
const LARGEST: u64 = 4 << 20;

/// The range, or as much of it as one answer has.
///
/// # Errors
/// Those of the body.
pub(crate) async fn answer(range: Range, mut body: Checked<u8>) -> Result<Answer, Error> {
    let Range { first, last } = range;
    let wanted = last.map_or(LARGEST, |last| (last - first).saturating_add(1).min(LARGEST));
    let end = first.saturating_add(wanted);
    let (mut piece, mut buffer, mut at) = (Vec::new(), Vec::new(), 0_u64);
    let mut total = None;
    while at < end {
        let Some(chunk) = body.next_into(buffer).await? else {
            total = Some(at);
            break;
        };
        let length = chunk.len() as u64;
        // Both lie within the chunk, whose length is a usize.
        let from = first.saturating_sub(at).min(length) as usize;
        let until = (end - at).min(length) as usize;
        piece.extend_from_slice(chunk.get(from..until).unwrap_or_default());
        at += length;
        buffer = chunk;
    }
    let of = total.map_or_else(|| "*".to_owned(), |total| total.to_string());
    if piece.is_empty() {
        let refused = Answer::refused(416, "the range begins beyond the end");
        return Ok(refused.header("content-range", format!("bytes */{of}")));
    }
    let last = first + piece.len() as u64 - 1;
    Ok(Answer::of(206)
        .header("content-range", format!("bytes {first}-{last}/{of}"))
        .media_type(NDJSON)
        .bytes(piece))
}
