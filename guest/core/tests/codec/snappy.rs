//! Snappy: chunks of every type, raw blocks, and another implementation of the framing format.

use std::io::{Read as _, Write as _};

use omnistorage_core::codec::{CodecErrorKind, snappy::raw};

use crate::drive::{SNAPPY, sample};

const IDENTIFIER: &[u8] = b"\xff\x06\0\0sNaPpY";

fn chunk(kind: u8, contents: &[u8]) -> Vec<u8> {
    [&[kind], &(contents.len() as u32).to_le_bytes()[..3], contents].concat()
}

fn stream(chunks: &[Vec<u8>]) -> Vec<u8> {
    [IDENTIFIER, &chunks.concat()].concat()
}

/// Contents as they are, with their checksum: section 3 of the format.
fn uncompressed(contents: &[u8]) -> Vec<u8> {
    let checksum = crc32c::crc32c(contents).rotate_right(15).wrapping_add(0xa282_ead8);
    chunk(1, &[&checksum.to_le_bytes(), contents].concat())
}

/// The framing of the crate `snap` is not ours, although the blocks are.
#[test]
fn other_framing_reads_what_we_write_and_the_other_way_round() {
    for input in [Vec::new(), b"x".to_vec(), sample(400_000), vec![0; 400_000], sample(65_536)] {
        let mut theirs = snap::write::FrameEncoder::new(Vec::new());
        theirs.write_all(&input).unwrap();
        let theirs = theirs.into_inner().unwrap();
        // It writes nothing at all for nothing.
        if !input.is_empty() {
            assert!(SNAPPY.decompress_in(&theirs, 1000, 1000).unwrap() == input);
        }
        let mut unpacked = Vec::new();
        snap::read::FrameDecoder::new(&SNAPPY.compress(&input, None)[..]).read_to_end(&mut unpacked).unwrap();
        assert!(unpacked == input);
    }
}

#[test]
fn chunks_that_are_not_data_are_passed_over() {
    let packed = stream(&[
        chunk(0xfe, &[0; 300]),
        uncompressed(b"one"),
        IDENTIFIER.to_vec(),
        chunk(0x80, b"skippable"),
        chunk(0xfd, &[1; 100_000]),
        uncompressed(b"two"),
        chunk(0xfe, b""),
    ]);
    for (size, room) in [(1, 1), (7, 3), (usize::MAX, 64)] {
        assert_eq!(SNAPPY.decompress_in(&packed, size, room).unwrap(), b"onetwo");
    }
    let cut = stream(&[chunk(0x80, b"skippable")]);
    let cut = &cut[..cut.len() - 1];
    assert_eq!(SNAPPY.error_of(cut), (CodecErrorKind::Truncated, cut.len() as u64));
}

#[test]
fn what_the_format_forbids_is_refused() {
    let refused = |chunk: Vec<u8>, why: &str| {
        let packed = stream(&[uncompressed(b"good"), chunk]);
        assert_eq!(SNAPPY.error_of(&packed), (CodecErrorKind::Corrupted, 22), "{why}");
    };
    for kind in [0x02, 0x40, 0x7f] {
        refused(chunk(kind, b"reserved"), "a reserved type");
    }
    refused(chunk(0xff, b"sNaPpy"), "another identifier");
    refused(chunk(0xff, b"sNaPpYs"), "a longer identifier");
    refused(chunk(1, b"crc"), "no checksum");
    refused(uncompressed(&[0; 65_537]), "too much as it is");
    refused(chunk(0, &[0; 80_000]), "too much compressed");
    // A block that tells 64 KiB + 1.
    refused(chunk(0, b"\0\0\0\0\x81\x80\x04\0"), "too much told");
    refused(chunk(0, b"\0\0\0\0\xff\xff\xff\xff\xff\xff"), "no length");
    let mut wrong = uncompressed(b"contents");
    wrong[5] ^= 1;
    refused(wrong, "another checksum");
    assert_eq!(SNAPPY.error_of(&uncompressed(b"no identifier")), (CodecErrorKind::Corrupted, 0));
    assert_eq!(SNAPPY.error_of(b""), (CodecErrorKind::Truncated, 0));
}

#[test]
fn raw_blocks_round_trip_within_a_limit() {
    for input in [Vec::new(), b"x".to_vec(), sample(200_000), vec![0; 200_000]] {
        let packed = raw::compress(&input).unwrap();
        assert!(raw::decompress(&packed, input.len() as u64).unwrap() == input);
        if let Some(below) = (input.len() as u64).checked_sub(1) {
            assert_eq!(raw::decompress(&packed, below).unwrap_err().kind, CodecErrorKind::LimitExceeded);
        }
        for end in 0..packed.len().min(1000) {
            assert_eq!(raw::decompress(&packed[..end], 1 << 20).unwrap_err().kind, CodecErrorKind::Corrupted);
        }
    }
    // Ten bytes cannot hold 4 GiB - 1, so no memory is taken for them.
    let lie = b"\xff\xff\xff\xff\x0f\0\0\0\0\0";
    assert_eq!(raw::decompress(lie, u64::MAX).unwrap_err().kind, CodecErrorKind::Corrupted);
}
