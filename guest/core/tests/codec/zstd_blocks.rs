//! Zstandard's blocks, written by hand where no compressor makes them, and what the reference makes of any data. The
//! reference is asked about all of them.

use omnistorage_core::codec::{CodecErrorKind, DecoderLimits};
use proptest::prelude::*;

use crate::{
    damage::mutate,
    drive::{Random, Subject, ZSTD, sample},
};

/// A frame with that window descriptor (RFC 8878 section 3.1.1.1.2), of which the last block is empty.
fn frame(window: u8, blocks: &[&[u8]]) -> Vec<u8> {
    [&b"\x28\xb5\x2f\xfd\0"[..], &[window], &blocks.concat(), &[1, 0, 0]].concat()
}

/// A window of 1 KiB; matches and blocks have to keep within it.
const KIBIBYTE: u8 = 0;
/// One of 128 KiB.
const LARGE: u8 = 7 << 3;

fn block(kind: u32, size: usize, contents: &[u8]) -> Vec<u8> {
    [&(kind << 1 | (size as u32) << 3).to_le_bytes()[..3], contents].concat()
}

fn raw(contents: &[u8]) -> Vec<u8> {
    block(0, contents.len(), contents)
}

fn compressed(literals: &[u8], sequences: &[u8]) -> Vec<u8> {
    block(2, literals.len() + sequences.len(), &[literals, sequences].concat())
}

/// Literals as they are, with the shortest header.
fn raw_literals(contents: &[u8]) -> Vec<u8> {
    let size = contents.len() as u32;
    let (header, length) = match size {
        0..32 => (size << 3, 1),
        32..4096 => (1 << 2 | size << 4, 2),
        _ => (3 << 2 | size << 4, 3),
    };
    [&header.to_le_bytes()[..length], contents].concat()
}

/// Sequences of one code each, with tables of one symbol; `bits` are the extra bits of all sequences, in the order in
/// which they are read.
fn sequences(count: usize, literals: u8, offset: u8, length: u8, bits: &str) -> Vec<u8> {
    [&self::count(count)[..], &[0b01_01_01_00, literals, offset, length], &backwards(bits)].concat()
}

fn count(count: usize) -> Vec<u8> {
    match count {
        0..128 => vec![count as u8],
        128..0x7f00 => vec![(count >> 8) as u8 + 128, count as u8],
        _ => [&[255][..], &((count - 0x7f00) as u16).to_le_bytes()].concat(),
    }
}

/// Bits, of which the first ones are read first: the last byte has them on top, below a 1.
fn backwards(bits: &str) -> Vec<u8> {
    let bits: Vec<u8> = bits.bytes().filter(|bit| *bit != b' ').collect();
    let mut bytes = vec![0; bits.len() / 8 + 1];
    let bits = [b"1", &bits[..]].concat();
    for (place, bit) in bits.iter().rev().enumerate() {
        bytes[place / 8] |= (bit & 1) << (place % 8);
    }
    bytes
}

/// A tree of direct weights with `a` and `b`, one bit each (section 4.2.1.1).
fn tree() -> Vec<u8> {
    let mut weights = [0; 50];
    (weights[0], weights[49]) = (127 + 98, 0x01);
    weights.to_vec()
}

/// Literals in Huffman codes: their number, and bytes of so many streams, for trees of before too.
fn huffman(kind: u32, size: u32, four: bool, contents: &[u8]) -> Vec<u8> {
    let packed = contents.len() as u32;
    let header = kind | u32::from(four) << 2 | size << 4 | packed << 14;
    [&header.to_le_bytes()[..3], contents].concat()
}
const TREE: u32 = 2;
const TREELESS: u32 = 3;

fn is(packed: &[u8], expected: &[u8]) {
    assert!(zstd::decode_all(packed).unwrap() == expected, "the reference disagrees");
    for subject in ZSTD {
        assert!(subject.decompress(packed).unwrap() == expected, "{}", subject.name);
        assert!(subject.decompress_in(packed, 1, 7).unwrap() == expected, "{}", subject.name);
    }
}

fn is_damaged(packed: &[u8]) {
    assert!(zstd::decode_all(packed).is_err(), "the reference accepts it");
    for subject in ZSTD {
        assert_eq!(subject.error_of(packed).0, CodecErrorKind::Corrupted, "{}", subject.name);
    }
}

/// As [`is_damaged`], but the base engine takes a block that is too long as it comes.
fn is_too_long(packed: &[u8]) {
    assert!(zstd::decode_all(packed).is_err(), "the reference accepts it");
    #[cfg(feature = "fast")]
    assert_eq!(crate::drive::ZSTD_FAST.error_of(packed).0, CodecErrorKind::Corrupted);
}

#[test]
fn literals_have_headers_of_every_length() {
    for size in [0, 1, 31, 32, 4095, 4096, 100_000] {
        let contents = sample(size);
        is(&frame(LARGE, &[&compressed(&raw_literals(&contents), &[0])]), &contents);
        for repeated in [&[1 | (size as u8) << 3, b'x'][..], &repeated(size, 2), &repeated(size, 3)] {
            let fits = [32, 4096, 1 << 20][repeated.len() - 2];
            if size < fits {
                is(&frame(LARGE, &[&compressed(repeated, &[0])]), &vec![b'x'; size]);
            }
        }
    }
    is_too_long(&frame(LARGE, &[&compressed(&repeated((128 << 10) + 1, 3), &[0])]));
    is_damaged(&frame(LARGE, &[&compressed(&[5 << 3, b'x'], &[])]));
}

/// One byte so many times, with a header of that length.
fn repeated(size: usize, header: usize) -> Vec<u8> {
    let format = if header == 2 { 1 } else { 3 };
    [&(1 | format << 2 | (size as u32) << 4).to_le_bytes()[..header], b"x"].concat()
}

#[test]
fn trees_are_kept_for_later_blocks() {
    let one = [&tree()[..], &backwards("0110 1000")].concat();
    let four = |bits: [&str; 4]| {
        let streams = bits.map(backwards);
        let lengths: Vec<u8> = streams[..3].iter().flat_map(|stream| [stream.len() as u8, 0]).collect();
        [lengths, streams.concat()].concat()
    };
    let first = compressed(&huffman(TREE, 8, false, &one), &[0]);
    let quarters = four(["010", "111", "000", "1"]);
    let second = compressed(&huffman(TREELESS, 10, true, &quarters), &[0]);
    let between = compressed(&raw_literals(b"-"), &[0]);
    is(&frame(LARGE, &[&first, &between, &second]), b"abbabaaa-ababbbaaab");
    is_damaged(&frame(LARGE, &[&second]));
    // Nor do they outlive their frame.
    is_damaged(&[frame(LARGE, &[&first]), frame(LARGE, &[&second])].concat());

    for (size, contents) in [(7, &one[..]), (9, &one), (8, &tree()), (8, &tree()[..20]), (8, &[])] {
        is_damaged(&frame(LARGE, &[&compressed(&huffman(TREE, size, false, contents), &[0])]));
    }
    for quarters in
        [four(["010", "111", "000", "11"]), four(["01", "111", "000", "1"]), vec![9; 12], vec![0; 5]]
    {
        let contents = [tree(), quarters].concat();
        is_damaged(&frame(LARGE, &[&compressed(&huffman(TREE, 10, true, &contents), &[0])]));
    }
}

#[test]
fn tables_of_one_symbol_are_kept_for_later_blocks() {
    // One literal, an offset value from 4 to 7, which is one from 1 to 4, and three bytes.
    let first = compressed(&raw_literals(b"abcde"), &sequences(3, 1, 2, 0, "00 01 11"));
    let again = [&[1, 0b11_11_11_00][..], &backwards("10")].concat();
    let second = compressed(&raw_literals(b"fg"), &again);
    is(&frame(LARGE, &[&first, &second]), b"aaaababacabadefdefg");
    is_damaged(&frame(LARGE, &[&second]));
    is_damaged(&[frame(LARGE, &[&first]), frame(LARGE, &[&second])].concat());

    for wrong in [
        &sequences(3, 1, 2, 0, "00 01 1")[..],
        &sequences(3, 1, 2, 0, "00 01 11 0"),
        &sequences(2, 1, 2, 0, "11 00"),
        &sequences(6, 1, 2, 0, "00 00 00 00 00 00"),
        &sequences(1, 36, 2, 0, "00 0000000000000000"),
        &sequences(1, 0, 31, 0, &"1".repeat(31)),
        &sequences(2, 1, 31, 0, &"1".repeat(62)),
        &sequences(1, 1, 32, 0, "00"),
        &sequences(1, 1, 2, 53, "00 0000000000000000"),
        &[1, 0b01_01_01_01, 1, 2, 0, 0b101],
        &[1, 0b01_01_01_00, 1, 2],
        &[1],
        &[0, 0],
        &[200],
        &[255, 0],
    ] {
        is_damaged(&frame(LARGE, &[&compressed(&raw_literals(b"abcde"), wrong)]));
    }
}

#[test]
fn offsets_of_before_are_repeated() {
    let start = raw(b"0123456789");
    // Values 1, and 2 and 3 with a bit, behind a literal and without one.
    for (literals, offset, bits, expected) in [
        (1, 0, "", "0123456789xxxxyyyy"),
        (1, 1, "0 0", "0123456789x789yyyy"),
        (1, 1, "1 0", "0123456789x345yyyy"),
        (1, 1, "0 1", "0123456789x789y789"),
        (1, 1, "1 1", "0123456789x345y345"),
        (0, 0, "", "0123456789678888xy"),
        (0, 1, "0 0", "0123456789234923xy"),
    ] {
        let block = compressed(&raw_literals(b"xy"), &sequences(2, literals, offset, 0, bits));
        is(&frame(LARGE, &[&start, &block]), expected.as_bytes());
    }
    // One less than the latest, which is 1 in the beginning: there is no offset of 0.
    is_damaged(&frame(LARGE, &[&start, &compressed(&raw_literals(b"xy"), &sequences(1, 0, 1, 0, "1"))]));
}

#[test]
fn matches_reach_back_as_far_as_the_window() {
    let contents = sample(2500);
    let before: Vec<u8> = contents.chunks(1000).flat_map(raw).collect();
    // An offset value from 1024 on, which is one from 1021.
    let with = |bits: &str| {
        let block = compressed(&raw_literals(b""), &sequences(1, 0, 10, 0, bits));
        frame(KIBIBYTE, &[&before, &block])
    };
    is(&with("00 0000 0000"), &[&contents[..], &contents[2500 - 1021..][..3]].concat());
    is(&with("00 0000 0011"), &[&contents[..], &contents[2500 - 1024..][..3]].concat());
    // The reference has more at hand by chance, and gives it.
    #[cfg(feature = "fast")]
    assert_eq!(crate::drive::ZSTD_FAST.error_of(&with("00 0000 0100")).0, CodecErrorKind::Corrupted);
    // Before the first byte there is nothing.
    let block = compressed(&raw_literals(b"abc"), &sequences(1, 3, 2, 0, "11"));
    is_damaged(&frame(KIBIBYTE, &[&block]));
}

#[test]
fn blocks_are_as_long_as_they_may_be() {
    const MOST: usize = 128 << 10;
    is(
        &frame(LARGE, &[&block(1, MOST, b"x"), &raw(&sample(MOST))]),
        &[&vec![b'x'; MOST][..], &sample(MOST)].concat(),
    );
    // One literal, and it again from offset value 4, which is 1: a match of 65,539 bytes and more.
    let long = |bits: &str| {
        frame(LARGE, &[&compressed(&raw_literals(b"x"), &sequences(1, 1, 2, 52, &format!("00 {bits}")))])
    };
    is(&long("1111111111111100"), &vec![b'x'; MOST]);
    is_too_long(&long("1111111111111101"));
    let short = |literals: &[u8]| {
        let block = compressed(&raw_literals(literals), &sequences(1, 1, 2, 43, "00 1111111"));
        frame(KIBIBYTE, &[&raw(&[b'x'; 700]), &block])
    };
    is(&short(&[b'y'; 766]), &[&[b'x'; 700][..], &[b'y'; 1024]].concat());
    is_too_long(&short(&[b'y'; 767]));
}

#[test]
fn blocks_have_any_number_of_sequences() {
    for count in [1, 127, 128, 0x7eff, 0x7f00, 0xa000] {
        let block = compressed(&raw_literals(b""), &sequences(count, 0, 0, 0, ""));
        is(&frame(LARGE, &[&raw(b"xxxxxxxx"), &block]), &vec![b'x'; 8 + 3 * count]);
    }
}

/// Packed by the reference, with a checksum, and with a window of 2 to that power.
fn reference(contents: &[u8], level: i32, window_log: u32) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), level).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.window_log(window_log).unwrap();
    // In pieces, so that it does not know how much it will be.
    for piece in contents.chunks(10_000) {
        std::io::Write::write_all(&mut encoder, piece).unwrap();
    }
    encoder.finish().unwrap()
}

#[test]
fn every_cut_and_every_split_is_told() {
    let contents = sample(3000);
    for packed in [reference(&contents, 3, 10), reference(&contents, 19, 17), reference(&contents, -7, 10)] {
        for subject in ZSTD {
            for end in 0..packed.len() {
                let (head, tail) = packed.split_at(end);
                let error = subject.decompress(head).unwrap_err();
                assert_eq!((error.kind, error.offset), (CodecErrorKind::Truncated, end as u64));
                assert!(split(&subject, head, tail) == contents, "{}, at {end}", subject.name);
            }
        }
    }
}

fn split(subject: &Subject, head: &[u8], tail: &[u8]) -> Vec<u8> {
    let mut decoder = (subject.decoder)(DecoderLimits::default());
    let mut output = Vec::with_capacity(5000);
    for part in [head, tail] {
        assert_eq!(decoder.push(part, &mut output), Ok(part.len()));
    }
    assert_eq!(decoder.finish(&mut output), Ok(true));
    output
}

/// Damage is found where the reference finds it.
#[test]
fn ten_thousand_mutations_are_judged_as_the_reference_judges_them() {
    let mut random = Random(11);
    let streams: Vec<_> = [(3, 10), (19, 17), (-3, 12), (9, 10)]
        .map(|(level, window_log)| reference(&sample(2000), level, window_log))
        .to_vec();
    for subject in ZSTD {
        for round in 0..10_000 {
            let mutated = mutate(&streams[round % streams.len()], &mut random);
            let ours = subject.decompress(&mutated);
            let is_beyond = ours.as_ref().is_err_and(|error| error.kind == CodecErrorKind::LimitExceeded);
            assert!(
                is_beyond || ours.ok() == zstd::decode_all(&mutated[..]).ok(),
                "{}, {round}",
                subject.name
            );
        }
    }
}

/// Text, noise, runs and periods, one after the other.
fn contents() -> impl Strategy<Value = Vec<u8>> {
    let noise = prop::collection::vec(any::<u8>(), 0..3000);
    let text = (0..60_000_usize).prop_map(sample);
    let run = (any::<u8>(), 0..140_000_usize).prop_map(|(byte, size)| vec![byte; size]);
    let period = (prop::collection::vec(any::<u8>(), 1..40), 0..40_000_usize)
        .prop_map(|(period, size)| period.into_iter().cycle().take(size).collect());
    let few = prop::collection::vec(prop::sample::select(&b"aaaaaab\n"[..]), 0..3000);
    prop::collection::vec(prop_oneof![noise, text, run, period, few], 0..6).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_the_reference_packs_is_unpacked(
        contents in contents(),
        level in -7..=19_i32,
        window_log in 10..=18_u32,
        chunk in 1..70_000_usize,
        room in 1..300_000_usize,
    ) {
        let packed = reference(&contents, level, window_log);
        for subject in ZSTD {
            prop_assert!(subject.decompress_in(&packed, chunk, room).unwrap() == contents, "{}", subject.name);
        }
    }
}
