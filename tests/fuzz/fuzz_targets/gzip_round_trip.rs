//! What is compressed, at any level and in any chunks, decompresses to itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use omnistorage_core::codec::{
    Codec, CodecError, DecoderLimits,
    gzip::{Decoder, Encoder},
};

fn run(codec: &mut dyn Codec, input: &[u8], chunk: usize, room: usize) -> Result<Vec<u8>, CodecError> {
    let (mut all, mut output) = (Vec::new(), Vec::with_capacity(room));
    for mut part in input.chunks(chunk) {
        loop {
            part = &part[codec.push(part, &mut output)?..];
            let full = output.len() == output.capacity();
            all.append(&mut output);
            if !full {
                break;
            }
        }
    }
    while !codec.finish(&mut output)? {
        all.append(&mut output);
    }
    all.append(&mut output);
    Ok(all)
}

fuzz_target!(|input: &[u8]| {
    let Some((&[level, chunk, room], input)) = input.split_first_chunk::<3>() else { return };
    let (chunk, room) = (usize::from(chunk) + 1, usize::from(room) + 1);
    let packed = Encoder::new(Some(i32::from(level % 10)))
        .and_then(|mut encoder| run(&mut encoder, input, chunk, room));
    let unpacked =
        packed.and_then(|packed| run(&mut Decoder::new(DecoderLimits::default()), &packed, room, chunk));
    assert_eq!(unpacked.as_deref(), Ok(input));
});
