//! Gzip against every split of its input, against damage, and against gzip(1).
#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use omnistorage_core::codec::{
    Codec, CodecError, CodecErrorKind, CodecKind, DecoderLimits, decoder, encoder,
};
use proptest::prelude::*;

/// Sends the input through in chunks, with so much room for output at a time.
fn run(codec: &mut dyn Codec, input: &[u8], chunk: usize, room: usize) -> (Vec<u8>, Result<(), CodecError>) {
    let (mut all, mut output) = (Vec::new(), Vec::with_capacity(room));
    let room = output.capacity();
    let mut drive = || {
        for mut part in input.chunks(chunk) {
            loop {
                let taken = codec.push(part, &mut output)?;
                part = &part[taken..];
                assert_eq!(output.capacity(), room, "the output grew");
                let full = output.len() == room;
                assert!(full || part.is_empty(), "input was left although there was room");
                all.append(&mut output);
                if !full {
                    break;
                }
            }
        }
        while !codec.finish(&mut output)? {
            assert_eq!(output.len(), room, "finish asked for room that it had");
            all.append(&mut output);
        }
        Ok(())
    };
    let result = drive();
    all.append(&mut output);
    (all, result)
}

fn compress(input: &[u8], level: i32) -> Vec<u8> {
    let (packed, result) = run(&mut *encoder(CodecKind::Gzip, Some(level)).unwrap(), input, 1 << 16, 1 << 16);
    result.unwrap();
    packed
}

fn decompress(input: &[u8], chunk: usize, room: usize) -> Result<Vec<u8>, CodecError> {
    let (output, result) =
        run(&mut *decoder(CodecKind::Gzip, DecoderLimits::default()).unwrap(), input, chunk, room);
    result.map(|()| output)
}

fn error_of(input: &[u8]) -> (CodecErrorKind, u64) {
    let error = decompress(input, 1 << 16, 1 << 16).unwrap_err();
    for chunk in [1, 3] {
        assert_eq!(decompress(input, chunk, 1 << 16), Err(error.clone()), "in chunks of {chunk}");
    }
    (error.kind, error.offset)
}

/// Text with repetitions near and far, and some noise.
fn sample(size: usize) -> Vec<u8> {
    let mut random = Random(7);
    let mut bytes = Vec::with_capacity(size + 32);
    while bytes.len() < size {
        match random.below(3) {
            0 => bytes.extend_from_slice(b"{\"level\": \"info\", \"user\": "),
            1 => bytes.extend_from_slice(random.next().to_string().as_bytes()),
            _ => bytes.extend_from_slice(&random.next().to_le_bytes()),
        }
    }
    bytes.truncate(size);
    bytes
}

/// SplitMix64 (Steele, Lea and Flood 2014): seeded, so that a failure can be had again.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

/// A member with all optional fields around an empty body; the CRC-16 is that of the header.
fn full_header() -> Vec<u8> {
    let mut member = b"\x1f\x8b\x08\x1f\x01\x02\x03\x04\x00\x03\x03\x00abcname\0comment\0".to_vec();
    let mut crc = flate2::Crc::new();
    crc.update(&member);
    member.extend_from_slice(&(crc.sum() as u16).to_le_bytes());
    member.extend_from_slice(b"\x03\x00\0\0\0\0\0\0\0\0");
    member
}

#[test]
fn every_level_round_trips() {
    for size in [0, 1, 100_000] {
        let input = sample(size);
        for level in 0..=9 {
            assert_eq!(
                decompress(&compress(&input, level), 1 << 16, 1 << 16).unwrap(),
                input,
                "level {level}"
            );
        }
    }
}

#[test]
fn levels_that_do_not_exist_are_refused() {
    for level in [-1, 10, i32::MAX, i32::MIN] {
        let error = encoder(CodecKind::Gzip, Some(level)).err().unwrap();
        assert_eq!(error.kind, CodecErrorKind::InvalidLevel);
    }
}

#[test]
fn chunks_and_room_do_not_matter() {
    let input = sample(20_000);
    let packed = compress(&input, 6);
    for chunk in [1, 7, 4096, usize::MAX] {
        for room in [1, 7, 4096, 1 << 20] {
            assert_eq!(decompress(&packed, chunk, room).unwrap(), input, "chunk {chunk}, room {room}");
            let mut encoder = encoder(CodecKind::Gzip, None).unwrap();
            let (again, result) = run(&mut *encoder, &input, chunk, room);
            assert_eq!(result, Ok(()));
            assert_eq!(decompress(&again, 1 << 16, 1 << 16).unwrap(), input, "chunk {chunk}, room {room}");
        }
    }
}

#[test]
fn input_may_be_split_anywhere() {
    let mut packed = full_header();
    packed.extend(compress(b"second member, second member", 6));
    packed.extend([0; 5]);
    for split in 0..=packed.len() {
        let mut decoder = decoder(CodecKind::Gzip, DecoderLimits::default()).unwrap();
        let mut output = Vec::with_capacity(64);
        for part in [&packed[..split], &packed[split..]] {
            assert_eq!(decoder.push(part, &mut output), Ok(part.len()), "split at {split}");
        }
        assert_eq!(decoder.finish(&mut output), Ok(true));
        assert_eq!(output, b"second member, second member");
    }
}

#[test]
fn truncation_at_every_byte_is_an_error() {
    let mut packed = full_header();
    let first = packed.len();
    packed.extend(compress(&sample(300), 6));
    for end in (0..packed.len()).filter(|end| *end != first) {
        assert_eq!(error_of(&packed[..end]), (CodecErrorKind::Truncated, end as u64));
    }
}

#[test]
fn members_follow_each_other() {
    let (one, two) = (sample(50_000), b"two".repeat(1000));
    let mut packed = compress(&one, 6);
    packed.extend(compress(b"", 6));
    packed.extend(compress(&two, 1));
    assert_eq!(decompress(&packed, 1000, 1000).unwrap(), [one, two].concat());
}

#[test]
fn a_damaged_second_member_is_an_error() {
    let mut packed = compress(b"one", 6);
    let first = packed.len();
    packed.extend(compress(&sample(1000), 6));
    let crc = packed.len() - 8;
    packed[crc] ^= 1;
    assert_eq!(error_of(&packed), (CodecErrorKind::Corrupted, packed.len() as u64 - 1));
    packed[crc] ^= 1;
    packed[first + 2] = 7;
    assert_eq!(error_of(&packed), (CodecErrorKind::Corrupted, first as u64 + 2));
}

#[test]
fn only_zeros_may_follow_the_last_member() {
    let packed = compress(b"contents", 6);
    let end = packed.len() as u64;
    let with = |tail: &[u8]| [&packed, tail].concat();
    assert_eq!(decompress(&with(&[0; 1000]), 100, 100).unwrap(), b"contents");
    assert_eq!(error_of(&with(b"junk")), (CodecErrorKind::Corrupted, end));
    assert_eq!(error_of(&with(b"\x1fjunk")), (CodecErrorKind::Corrupted, end));
    assert_eq!(error_of(&with(b"\0\0junk")), (CodecErrorKind::Corrupted, end + 2));
    assert_eq!(error_of(&with(b"\x1f\x8b")), (CodecErrorKind::Truncated, end + 2));
    let padded = [&with(&[0]), &packed[..]].concat();
    assert_eq!(error_of(&padded), (CodecErrorKind::Corrupted, end + 1));
}

#[test]
fn headers_are_checked() {
    let header = full_header();
    assert_eq!(decompress(&header, 1, 1).unwrap(), b"");
    let with = |at: usize, byte: u8| {
        let mut header = header.clone();
        header[at] = byte;
        error_of(&header)
    };
    assert_eq!(with(0, 0), (CodecErrorKind::Corrupted, 0));
    assert_eq!(with(1, 0), (CodecErrorKind::Corrupted, 1));
    assert_eq!(with(2, 9), (CodecErrorKind::Corrupted, 2));
    for reserved in [0x20, 0x40, 0x80] {
        assert_eq!(with(3, reserved), (CodecErrorKind::Corrupted, 3));
    }
    let crc = header.len() as u64 - 11;
    assert_eq!(with(4, 9), (CodecErrorKind::Corrupted, crc), "a time that the CRC-16 does not cover");
    assert_eq!(error_of(b""), (CodecErrorKind::Truncated, 0));
    assert_eq!(error_of(b"{\"a\": 1}"), (CodecErrorKind::Corrupted, 0));
}

#[test]
fn the_checksum_and_the_length_are_checked() {
    let packed = compress(b"contents", 6);
    for field in 1..=8 {
        let mut packed = packed.clone();
        let at = packed.len() - field;
        packed[at] ^= 0x10;
        assert_eq!(error_of(&packed).0, CodecErrorKind::Corrupted, "{field} bytes before the end");
    }
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let packed = compress(&vec![0; 8 << 20], 9);
    assert!(packed.len() < 10_000);
    for (limit, good) in [(0, false), (1000, false), ((8 << 20) - 1, false), (8 << 20, true)] {
        let limits = DecoderLimits { max_output: Some(limit), ..DecoderLimits::default() };
        let (output, result) = run(&mut *decoder(CodecKind::Gzip, limits).unwrap(), &packed, 4096, 1 << 16);
        assert_eq!(output.len() as u64, limit);
        assert_eq!(
            result.map_err(|error| error.kind),
            if good { Ok(()) } else { Err(CodecErrorKind::LimitExceeded) }
        );
    }
}

#[test]
fn errors_are_final() {
    let mut decoder = decoder(CodecKind::Gzip, DecoderLimits::default()).unwrap();
    let mut output = Vec::with_capacity(16);
    let error = decoder.push(b"no", &mut output).unwrap_err();
    assert_eq!(decoder.push(&compress(b"", 6), &mut output), Err(error.clone()));
    assert_eq!(decoder.finish(&mut output), Err(error));

    let mut encoder = encoder(CodecKind::Gzip, None).unwrap();
    let mut output = Vec::with_capacity(64);
    assert_eq!(encoder.finish(&mut output), Ok(true));
    assert_eq!(encoder.finish(&mut output), Ok(true));
    assert_eq!(encoder.push(b"more", &mut output).unwrap_err().kind, CodecErrorKind::Finished);
    assert_eq!(decompress(&output, 1, 1).unwrap(), b"");
}

#[test]
fn two_thousand_mutations_neither_panic_nor_pass_for_good() {
    let input = sample(4000);
    let packed = compress(&input, 6);
    let limits = DecoderLimits { max_output: Some(1 << 16), ..DecoderLimits::default() };
    let (mut random, mut refused) = (Random(42), 0);
    for _ in 0..2000 {
        let mut mutated = packed.clone();
        let at = random.below(mutated.len());
        match random.below(6) {
            0 => mutated.truncate(at),
            1 => mutated[at] ^= 1 << random.below(8),
            2 => mutated[at] = random.next() as u8,
            3 => drop(mutated.drain(at..(at + 1 + random.below(20)).min(packed.len()))),
            4 => mutated.extend_from_within(at.max(1)..),
            _ => mutated[random.below(10)] = random.next() as u8,
        }
        let (output, result) = run(&mut *decoder(CodecKind::Gzip, limits).unwrap(), &mutated, 1000, 5000);
        assert!(output.len() <= 1 << 16);
        match result {
            // Only bytes that tell nothing about the contents may change: the time, the flags of the compressor.
            Ok(()) => assert_eq!(output, input),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 1500, "only {refused} refused");
}

/// Runs gzip(1).
fn gzip(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("gzip")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("this test needs gzip(1) on the PATH: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).unwrap());
        child.wait_with_output().unwrap()
    });
    assert!(output.status.success());
    output.stdout
}

#[test]
fn gzip_1_reads_what_we_write_and_the_other_way_round() {
    for input in [Vec::new(), b"x".to_vec(), sample(200_000), vec![0; 200_000]] {
        for level in [0, 1, 6, 9] {
            assert_eq!(gzip(&["-dc"], &compress(&input, level)), input, "ours, level {level}");
        }
        for level in ["-1", "-6", "-9"] {
            assert_eq!(
                decompress(&gzip(&["-c", level], &input), 5000, 5000).unwrap(),
                input,
                "theirs, {level}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_goes_in_comes_out(
        members in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..3000), 0..10), 1..4),
        chunk in 1_usize..3000,
        room in 1_usize..3000,
    ) {
        let packed = members.iter().flat_map(|(contents, level)| compress(contents, *level)).collect::<Vec<_>>();
        let contents = members.into_iter().flat_map(|(contents, _)| contents).collect::<Vec<_>>();
        prop_assert_eq!(decompress(&packed, chunk, room).unwrap(), contents);
    }

    #[test]
    fn noise_never_panics(noise in prop::collection::vec(any::<u8>(), 0..500), chunk in 1_usize..50) {
        let mut packed = b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec();
        packed.extend(noise);
        let whole = decompress(&packed, usize::MAX, 100);
        prop_assert_eq!(decompress(&packed, chunk, 100), whole);
    }
}
