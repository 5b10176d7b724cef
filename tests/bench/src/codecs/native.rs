//! The codecs of the core, without a sandbox.

use std::hint::black_box;

use anyhow::Result;
use omnistorage::runtime::{Codec, Compression};
use omnistorage_core::codec::{self, DecoderLimits};

use super::CHUNK;

/// Tells how many bytes came out.
pub(super) fn compress(Compression { codec, level, .. }: &Compression, contents: &[u8]) -> Result<usize> {
    let mut size = 0;
    drive(&mut *codec::encoder(*codec, *level)?, contents, |part| size += part.len())?;
    Ok(size)
}

/// What comes out.
#[cfg(test)]
pub(super) fn compressed(Compression { codec, level, .. }: &Compression, contents: &[u8]) -> Result<Vec<u8>> {
    let mut packed = Vec::new();
    drive(&mut *codec::encoder(*codec, *level)?, contents, |part| packed.extend_from_slice(part))?;
    Ok(packed)
}

/// Tells how many bytes came out.
pub(super) fn decompress(codec: Codec, packed: &[u8]) -> Result<usize> {
    let mut size = 0;
    let limits = DecoderLimits::default();
    drive(&mut *codec::decoder(codec, limits), packed, |part| size += part.len())?;
    Ok(size)
}

/// Sends the input through a codec of the core.
fn drive(codec: &mut dyn codec::Coder, input: &[u8], mut sink: impl FnMut(&[u8])) -> Result<()> {
    let mut output = Vec::with_capacity(CHUNK);
    for mut chunk in input.chunks(CHUNK) {
        loop {
            chunk = &chunk[codec.push(chunk, &mut output)?..];
            let is_full = output.len() == output.capacity();
            sink(black_box(&output));
            output.clear();
            if !is_full {
                break;
            }
        }
    }
    while !codec.finish(&mut output)? {
        sink(black_box(&output));
        output.clear();
    }
    sink(&output);
    Ok(())
}
