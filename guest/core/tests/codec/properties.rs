//! What holds for any bytes: proptest runs it here, and libFuzzer in `tests/fuzz`.

use omnistorage_core::codec::DecoderLimits;

use crate::drive::{GZIP, Subject, ZSTD, run, subjects};

const MAX_OUTPUT: u64 = 1 << 20;

/// Decodes bytes as every codec: the result does not depend on how they are cut, and stays within the output limit. The
/// first bytes say how to cut.
pub(crate) fn decode(input: &[u8]) {
    let Some((&[chunk, room], input)) = input.split_first_chunk() else { return };
    let limits = DecoderLimits { max_output: Some(MAX_OUTPUT), ..DecoderLimits::default() };
    for subject in subjects() {
        let (whole, result) = subject.decode(input, usize::MAX, 1 << 16, limits);
        assert!(whole.len() as u64 <= MAX_OUTPUT);
        let (cut, cut_result) = subject.decode(input, usize::from(chunk) + 1, usize::from(room) + 1, limits);
        assert_eq!(cut_result.is_ok(), result.is_ok(), "{}", subject.name);
        assert!(result.is_err() || cut == whole, "{}", subject.name);
    }
}

/// What is compressed, at any level and in any chunks, decompresses to itself. The first bytes say how.
pub(crate) fn round_trip(input: &[u8]) {
    let Some((&[level, chunk, room], input)) = input.split_first_chunk() else { return };
    let (chunk, room) = (usize::from(chunk) + 1, usize::from(room) + 1);
    for subject in subjects() {
        let level = subject.levels.get(usize::from(level) % (subject.levels.len() + 1)).copied();
        let (packed, result) = run(&mut *(subject.encoder)(level).unwrap(), input, chunk, room);
        assert_eq!(result, Ok(()), "{}", subject.name);
        assert!(subject.decompress_in(&packed, room, chunk).unwrap() == input, "{}", subject.name);
    }
}

/// The engines of a codec agree about any bytes: these as they are, and these as the damage to a good stream.
pub(crate) fn differential(input: &[u8]) {
    for bytes in [input.to_vec(), damaged(&ZSTD[0], input)] {
        agree(&ZSTD, &bytes);
    }
    let member = [b"\x1f\x8b\x08\0\0\0\0\0\0\xff", input].concat();
    for bytes in [member, damaged(&GZIP[0], input)] {
        agree(&GZIP, &bytes);
    }
}

/// What another engine takes, that of the base set takes for the same. The other way round it is laxer: ruzstd passes over
/// the reserved bits of a section of sequences, and miniz_oxide takes what is before the contents for zeros.
fn agree(engines: &[Subject], bytes: &[u8]) {
    let mut contents = engines.iter().map(|engine| engine.decompress(bytes).ok());
    let base = contents.next().flatten();
    for other in contents.flatten() {
        assert!(base.as_ref() == Some(&other), "the engines disagree");
    }
}

/// Any bytes as the content of a dictionary: what is compressed with it decompresses to itself, and what any other bytes
/// decompress to does not depend on how they are cut. The first bytes say how.
#[cfg(feature = "fast")]
pub(crate) fn dictionary(input: &[u8]) {
    use omnistorage_core::codec::{Dictionary, zstd::fast};

    const TRAINED: &[u8] = include_bytes!("records.dictionary");

    let Some((&[level, length, chunk], input)) = input.split_first_chunk() else { return };
    let (level, chunk) = (i32::from(level) % 30 - 7, usize::from(chunk) + 1);
    let (content, input) = input.split_at(usize::from(length).min(input.len()));
    // By itself, and behind tables.
    for bytes in [content.to_vec(), [&TRAINED[..150], content].concat()] {
        let Ok(dictionary) = Dictionary::new(bytes) else { continue };
        let (packed, result) =
            run(&mut *fast::encoder_with(&dictionary, Some(level)).unwrap(), input, chunk, 1 << 16);
        assert_eq!(result, Ok(()));
        let limits = DecoderLimits { max_output: Some(MAX_OUTPUT), ..DecoderLimits::default() };
        let decode = |bytes: &[u8], chunk: usize| {
            let (output, result) = run(&mut *fast::decoder_with(&dictionary, limits), bytes, chunk, 1 << 16);
            result.ok().map(|()| output)
        };
        assert!(decode(&packed, chunk).is_some_and(|output| output == input));
        assert!(decode(input, chunk) == decode(input, usize::MAX));
    }
}

/// A stream of some of these bytes, with one of them changed.
fn damaged(subject: &Subject, input: &[u8]) -> Vec<u8> {
    let mut packed = subject.compress(input, None);
    if let Some(&[at, change]) = input.first_chunk() {
        let at = usize::from(at) % packed.len();
        packed[at] ^= change;
    }
    packed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let noise = prop::collection::vec(any::<u8>(), 0..400);
        let text = prop::collection::vec(prop::sample::select(&b"ab{}\"\n"[..]), 0..4000);
        let magic = prop::sample::select(vec![
            &b""[..],
            b"xx\x1f\x8b\x08\0\0\0\0\0\0\x03",
            b"xx\x28\xb5\x2f\xfd",
            b"xx\xff\x06\0\0sNaPpY",
            b"xx\x04\x22\x4d\x18\x40\x40\xc0",
        ]);
        (magic, prop_oneof![noise, text]).prop_map(|(magic, rest)| [magic, &rest].concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn decode(input in bytes()) {
            super::decode(&input);
        }

        #[test]
        fn differential(input in bytes()) {
            super::differential(&input);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn round_trip(input in bytes()) {
            super::round_trip(&input);
        }

        #[cfg(feature = "fast")]
        #[test]
        fn dictionary(input in bytes()) {
            super::dictionary(&input);
        }
    }
}
