//! LZ4: frames of every kind, and the reference (its C library, and lz4(1) where there is one).

use std::{
    io::{Read as _, Write as _},
    process::Command,
};

use lz4::{BlockMode, BlockSize, ContentChecksum, EncoderBuilder, liblz4::BlockChecksum};
use omnistorage_core::codec::{CodecErrorKind, DecoderLimits};
use twox_hash::XxHash32;

use crate::drive::{LZ4, pipe, run, sample};

const MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];

fn inputs() -> [Vec<u8>; 6] {
    let repeated = sample(150_000).repeat(3);
    [Vec::new(), b"x".to_vec(), sample(400_000), vec![0; 9 << 20], sample(256 << 10), repeated]
}

/// What the reference writes, with what is set.
fn theirs(input: &[u8], set: impl Fn(&mut EncoderBuilder)) -> Vec<u8> {
    let mut builder = EncoderBuilder::new();
    set(&mut builder);
    let mut encoder = builder.build(Vec::new()).unwrap();
    // In parts, so that there is more than a block at a time.
    input.chunks(10_000).for_each(|part| encoder.write_all(part).unwrap());
    let (packed, result) = encoder.finish();
    result.unwrap();
    packed
}

fn read_by_the_reference(packed: &[u8]) -> Vec<u8> {
    let mut contents = Vec::new();
    lz4::Decoder::new(packed).unwrap().read_to_end(&mut contents).unwrap();
    contents
}

#[test]
fn the_reference_reads_what_we_write() {
    for input in inputs() {
        assert!(read_by_the_reference(&LZ4.compress(&input, None)) == input, "{} bytes", input.len());
    }
}

#[test]
fn we_read_what_the_reference_writes_of_every_kind() {
    let sizes = || [BlockSize::Max64KB, BlockSize::Max256KB, BlockSize::Max1MB, BlockSize::Max4MB];
    for input in inputs() {
        for (n, size) in (0..8).flat_map(|n| sizes().map(|size| (n, size))) {
            let packed = theirs(&input, |builder| {
                let is_set = |bit: usize| (n >> bit) & 1 == 1;
                builder.block_size(size.clone()).level(if is_set(0) { 9 } else { 1 });
                if is_set(0) {
                    builder.block_mode(BlockMode::Independent).content_size(input.len() as u64);
                }
                if is_set(1) {
                    builder.block_checksum(BlockChecksum::BlockChecksumEnabled).auto_flush(true);
                }
                if is_set(2) {
                    builder.checksum(ContentChecksum::NoChecksum);
                }
            });
            for (chunk, room) in [(5000, 5000), (usize::MAX, 1 << 20)] {
                assert!(
                    LZ4.decompress_in(&packed, chunk, room).unwrap() == input,
                    "{} bytes, {n}",
                    input.len()
                );
            }
        }
    }
}

#[test]
fn lz4_1_reads_what_we_write_and_the_other_way_round() {
    if Command::new("lz4").arg("--version").output().is_err() {
        eprintln!("not tested: there is no lz4 on the PATH");
        return;
    }
    for input in inputs() {
        let packed = LZ4.compress(&input, None);
        assert!(pipe("lz4", &["-dc"], &packed) == input);
        assert!(pipe("lz4", &["-dc"], &packed.repeat(2)) == input.repeat(2));
        for arguments in [&["-c"][..], &["-cBD"], &["-cBD", "-B4", "-BX"], &["-c9", "--no-frame-crc"]] {
            let packed = pipe("lz4", arguments, &input);
            assert!(LZ4.decompress(&packed).unwrap() == input, "{} bytes, {arguments:?}", input.len());
        }
    }
}

/// A frame with these flags and this size of blocks, and what else its header holds.
fn header(flags: u8, size: u8, rest: &[u8]) -> Vec<u8> {
    let descriptor = [&[flags, size], rest].concat();
    let checksum = (XxHash32::oneshot(0, &descriptor) >> 8) as u8;
    [&MAGIC[..], &descriptor, &[checksum]].concat()
}

/// A block as it is.
fn stored(contents: &[u8]) -> Vec<u8> {
    [&(contents.len() as u32 | 1 << 31).to_le_bytes(), contents].concat()
}

fn skippable(contents: &[u8]) -> Vec<u8> {
    [b"\x57\x2a\x4d\x18", &(contents.len() as u32).to_le_bytes()[..], contents].concat()
}

const END: [u8; 4] = [0; 4];

/// Version 1, independent blocks of up to 64 KiB.
const PLAIN: (u8, u8) = (0x60, 0x40);

#[test]
fn frames_follow_each_other_and_skippable_ones_are_passed_over() {
    let two =
        [header(PLAIN.0, PLAIN.1, b""), stored(b"tw"), stored(b""), stored(b"o"), END.to_vec()].concat();
    let packed =
        [skippable(b"first"), LZ4.compress(b"one", None), skippable(b""), two, skippable(&[1; 9000])];
    let packed = packed.concat();
    for (chunk, room) in [(1, 1), (7, 3), (usize::MAX, 64)] {
        assert_eq!(LZ4.decompress_in(&packed, chunk, room).unwrap(), b"onetwo");
    }
    let cut = &packed[..packed.len() - 1];
    assert_eq!(LZ4.error_of(cut), (CodecErrorKind::Truncated, cut.len() as u64));
}

#[test]
fn what_is_not_there_or_not_allowed_is_refused() {
    use CodecErrorKind::{Corrupted, Truncated, Unsupported};
    let plain = header(PLAIN.0, PLAIN.1, b"");
    let mut wrong = plain.clone();
    wrong[6] ^= 1;
    let frame = |parts: &[&[u8]]| [&plain[..], &parts.concat()].concat();
    let long = stored(&[0; 65_537]);
    let sized = |told: u64| header(0x68, 0x40, &told.to_le_bytes());
    for (packed, kind, offset, why) in [
        (Vec::new(), Truncated, 0, "nothing"),
        (b"\x02\x21\x4c\x18\x05\0\0\0".to_vec(), Unsupported, 0, "the legacy format"),
        (header(0x61, 0x40, &7_u32.to_le_bytes()), Unsupported, 0, "a dictionary"),
        (header(0xa0, 0x40, b""), Corrupted, 0, "version 2"),
        (header(0x62, 0x40, b""), Corrupted, 0, "a reserved flag"),
        (header(0x60, 0x30, b""), Corrupted, 0, "blocks too small"),
        (header(0x60, 0xc0, b""), Corrupted, 0, "a reserved bit"),
        (wrong, Corrupted, 0, "another checksum of the header"),
        (frame(&[&long]), Corrupted, 7, "a block too long"),
        (frame(&[b"\x05\0\0\0\x10abcd"]), Corrupted, 7, "a match of nothing"),
        (frame(&[b"\x03\0\0\0\x1fa\x01"]), Corrupted, 7, "a block that is cut off"),
        (frame(&[&stored(b"a"), &END, b"x"]), Corrupted, 16, "data after the frame"),
        (frame(&[&stored(b"a")]), Truncated, 12, "no end mark"),
        ([sized(2), stored(b"abc"), END.to_vec()].concat(), Corrupted, 15, "longer than told"),
        ([sized(4), stored(b"abc"), END.to_vec()].concat(), Corrupted, 22, "shorter than told"),
        (
            [header(0x64, 0x40, b""), stored(b"a"), END.to_vec(), vec![0; 4]].concat(),
            Corrupted,
            16,
            "checksum",
        ),
        ([header(0x70, 0x40, b""), stored(b"a"), vec![0; 4]].concat(), Corrupted, 7, "checksum of a block"),
    ] {
        assert_eq!(LZ4.error_of(&packed), (kind, offset), "{why}");
    }
    assert_eq!(LZ4.decompress(&[sized(3), stored(b"abc"), END.to_vec()].concat()).unwrap(), b"abc");
}

/// A match refers to the block before only if the frame says that they are linked, and never to another frame.
#[test]
fn matches_reach_as_far_as_the_frame_allows() {
    // No literal, a match of eight bytes from eight back, and the five literals that a block must end with.
    let block = b"\x09\0\0\0\x04\x08\0\x50tail!";
    let frame = |flags| [&header(flags, 0x40, b"")[..], &stored(b"12345678"), block, &END].concat();
    assert_eq!(LZ4.decompress(&frame(0x40)).unwrap(), b"1234567812345678tail!");
    assert_eq!(LZ4.error_of(&frame(0x60)), (CodecErrorKind::Corrupted, 19));
    let next = [&frame(0x40)[..], &header(0x40, 0x40, b""), block, &END].concat();
    assert_eq!(LZ4.error_of(&next).0, CodecErrorKind::Corrupted);
}

/// Linked blocks of any length: what matches may refer to stays, and nothing grows.
#[test]
fn short_linked_blocks_keep_the_window() {
    let noise = sample(70_000);
    let mut packed = header(0x40, 0x40, b"");
    noise.chunks(37).for_each(|part| packed.extend(stored(part)));
    // The farthest match there is: 65,535 back.
    packed.extend(b"\x09\0\0\0\x04\xff\xff\x50tail!");
    packed.extend(END);
    let mut expected = noise.clone();
    let at = noise.len() - 65_535;
    expected.extend_from_slice(&noise[at..at + 8]);
    expected.extend_from_slice(b"tail!");
    for (chunk, room) in [(1, 1 << 16), (1000, 50), (usize::MAX, 1 << 20)] {
        assert!(LZ4.decompress_in(&packed, chunk, room).unwrap() == expected, "{chunk}, {room}");
    }
}

#[test]
fn text_becomes_about_as_small_as_by_the_reference() {
    let input = sample(2 << 20);
    let ours = LZ4.compress(&input, None).len();
    let theirs = theirs(&input, |builder| {
        builder.block_size(BlockSize::Max256KB).block_mode(BlockMode::Independent);
    });
    assert!(ours * 100 < theirs.len() * 105, "{ours} instead of {}", theirs.len());
}

#[test]
fn noise_becomes_hardly_longer() {
    let input: Vec<u8> =
        (0..70_000_u64).flat_map(|n| XxHash32::oneshot(0, &n.to_le_bytes()).to_le_bytes()).collect();
    let (packed, result) = run(&mut *(LZ4.encoder)(None).unwrap(), &input, 1000, 1000);
    assert_eq!(result, Ok(()));
    // Two blocks; the header, the end mark and the checksum.
    assert_eq!(packed.len(), input.len() + 2 * 4 + 7 + 4 + 4);
    let limits = DecoderLimits { max_output: Some(input.len() as u64), ..DecoderLimits::default() };
    assert!(LZ4.decode(&packed, 1000, 1000, limits).0 == input);
}
