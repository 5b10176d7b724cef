//! Training: a dictionary of what samples have in common.
//!
//! What is chosen for the content: `cover`; the tables: `Statistics` of the compressor.

mod cover;

use std::hash::Hasher as _;

use twox_hash::XxHash64;

use super::{
    super::{CodecError, CodecErrorKind},
    compress::Statistics,
    dictionary::{Dictionary, MAGIC, MAX_LENGTH},
    fast,
    symbols::FIRST_OFFSETS,
};

/// A smaller dictionary would be hardly more than its tables.
pub const MIN_LENGTH: usize = 1024;

/// Fewer samples have nothing in common, but by chance.
pub const MIN_SAMPLES: usize = 8;

/// How long the pieces are that the content is made of. Which length is best depends on the samples.
const PIECES: [usize; 5] = [64, 128, 256, 512, 1024];

/// What a dictionary is judged by, at most.
const JUDGES: usize = 1000;

/// Of a long sample, what is looked at: behind its start it repeats itself.
const MAX_SAMPLE: usize = 128 << 10;

/// Makes a dictionary of at most `size` bytes that the samples, each by itself, are compressed well with. The more there are,
/// the better: a hundred times its size is enough. The same samples give the same dictionary.
///
/// # Errors
/// [`CodecErrorKind::InvalidDictionary`] for a size out of [`MIN_LENGTH`] to [`MAX_LENGTH`], and for samples that are too few
/// ([`MIN_SAMPLES`]), together not longer than the dictionary would be, or like noise.
pub fn train(samples: &[&[u8]], size: usize) -> Result<Vec<u8>, CodecError> {
    if !(MIN_LENGTH..=MAX_LENGTH).contains(&size) {
        return Err(refused(format!("a dictionary has {MIN_LENGTH} to {MAX_LENGTH} bytes, and not {size}")));
    }
    let samples: Vec<&[u8]> = samples
        .iter()
        .map(|sample| &sample[..sample.len().min(MAX_SAMPLE)])
        .filter(|sample| sample.len() >= cover::WORD)
        .collect();
    if samples.len() < MIN_SAMPLES {
        let message = format!(
            "{} samples of {} bytes and more are too few to train a dictionary: give {MIN_SAMPLES} at least, better \
             thousands",
            samples.len(),
            cover::WORD
        );
        return Err(refused(message));
    }
    let total: usize = samples.iter().map(|sample| sample.len()).sum();
    if total <= size {
        let message = format!(
            "the samples have {total} bytes together, not more than the dictionary of {size} would have: give more of them, \
             or ask for a smaller one"
        );
        return Err(refused(message));
    }
    let frequencies = cover::Frequencies::of(&samples);
    let judges: Vec<&[u8]> = samples.iter().step_by(samples.len().div_ceil(JUDGES)).copied().collect();
    let mut best: Option<(usize, Vec<u8>)> = None;
    for piece in PIECES {
        let content = cover::choose(&samples, &frequencies, size, piece);
        let bytes = finish(&judges, content, size)?;
        let cost = cost(&judges, &Dictionary::new(bytes.clone())?)?;
        if best.as_ref().is_none_or(|(least, _)| cost < *least) {
            best = Some((cost, bytes));
        }
    }
    best.map(|(_, bytes)| bytes).ok_or_else(|| refused("there is no dictionary".to_owned()))
}

/// Puts the number and the tables before the content, which loses at its start what is too much.
fn finish(samples: &[&[u8]], content: Vec<u8>, size: usize) -> Result<Vec<u8>, CodecError> {
    let plain = Dictionary::new(content)?;
    let mut statistics = Statistics::new(plain.content().len());
    samples.iter().for_each(|sample| statistics.add(plain.writing(), sample));
    let tables = statistics.describe().ok_or_else(|| refused("the samples are like noise".to_owned()))?;

    let mut hasher = XxHash64::with_seed(0);
    hasher.write(plain.content());
    // As the reference has it: numbers below are registered ones, and the highest are reserved.
    let id = (hasher.finish() % ((1 << 31) - (1 << 15))) as u32 + (1 << 15);
    let mut bytes = [&MAGIC[..], &id.to_le_bytes(), &tables].concat();
    FIRST_OFFSETS.iter().for_each(|offset| bytes.extend_from_slice(&offset.to_le_bytes()));
    let room = size.saturating_sub(bytes.len());
    let content = plain.content();
    bytes.extend_from_slice(&content[content.len().saturating_sub(room)..]);
    Ok(bytes)
}

/// What the samples come to with a dictionary.
fn cost(samples: &[&[u8]], dictionary: &Dictionary) -> Result<usize, CodecError> {
    let mut output = Vec::with_capacity(MAX_SAMPLE + 1024);
    let mut cost = 0;
    for mut sample in samples.iter().copied() {
        let mut encoder = fast::encoder_with(dictionary, None)?;
        while !sample.is_empty() {
            sample = &sample[encoder.push(sample, &mut output)?..];
            cost += output.len();
            output.clear();
        }
        while !encoder.finish(&mut output)? {
            cost += output.len();
            output.clear();
        }
        cost += output.len();
        output.clear();
    }
    Ok(cost)
}

fn refused(message: String) -> CodecError {
    CodecError::new(CodecErrorKind::InvalidDictionary, 0, message)
}
