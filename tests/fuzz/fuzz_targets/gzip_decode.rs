//! The result does not depend on how the input is cut, and stays within the output limit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use omnistorage_core::codec::{Codec, CodecError, DecoderLimits, gzip::Decoder};

const MAX_OUTPUT: u64 = 1 << 20;

fn decode(input: &[u8], chunk: usize, room: usize) -> (Vec<u8>, Result<(), CodecError>) {
    let mut decoder =
        Decoder::new(DecoderLimits { max_output: Some(MAX_OUTPUT), ..DecoderLimits::default() });
    let (mut all, mut output) = (Vec::new(), Vec::with_capacity(room));
    let mut drive = || {
        for mut part in input.chunks(chunk) {
            loop {
                part = &part[decoder.push(part, &mut output)?..];
                let full = output.len() == output.capacity();
                all.append(&mut output);
                if !full {
                    assert!(part.is_empty());
                    break;
                }
            }
        }
        while !decoder.finish(&mut output)? {
            all.append(&mut output);
        }
        Ok(())
    };
    let result = drive();
    all.append(&mut output);
    (all, result)
}

fuzz_target!(|input: &[u8]| {
    let Some((&[chunk, room], input)) = input.split_first_chunk::<2>() else { return };
    let (whole, result) = decode(input, usize::MAX, 1 << 16);
    assert!(whole.len() as u64 <= MAX_OUTPUT);
    let (cut, cut_result) = decode(input, usize::from(chunk) + 1, usize::from(room) + 1);
    assert_eq!(cut_result.is_ok(), result.is_ok());
    if result.is_ok() {
        assert_eq!(cut, whole);
    }
});
