//! Gzip: its header, its members, and gzip(1).

use std::num::NonZero;

use omnistorage_core::codec::{CodecErrorKind, gzip};

use crate::drive::{GZIP, pipe, run, sample};

fn compress(input: &[u8], level: i32) -> Vec<u8> {
    GZIP.compress(input, Some(level))
}

fn error_of(input: &[u8]) -> (CodecErrorKind, u64) {
    GZIP.error_of(input)
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
fn members_follow_each_other() {
    let (one, two) = (sample(50_000), b"two".repeat(1000));
    let mut packed = compress(&one, 6);
    packed.extend(compress(b"", 6));
    packed.extend(compress(&two, 1));
    assert_eq!(GZIP.decompress_in(&packed, 1000, 1000).unwrap(), [one, two].concat());
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
    assert_eq!(GZIP.decompress_in(&with(&[0; 1000]), 100, 100).unwrap(), b"contents");
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
    assert_eq!(GZIP.decompress_in(&header, 1, 1).unwrap(), b"");
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
fn gzip_1_reads_what_we_write_and_the_other_way_round() {
    for input in [Vec::new(), b"x".to_vec(), sample(200_000), vec![0; 200_000]] {
        for level in [0, 1, 6, 9] {
            assert_eq!(pipe("gzip", &["-dc"], &compress(&input, level)), input, "ours, level {level}");
        }
        for level in ["-1", "-6", "-9"] {
            assert_eq!(
                GZIP.decompress_in(&pipe("gzip", &["-c", level], &input), 5000, 5000).unwrap(),
                input,
                "theirs, {level}"
            );
        }
    }
}

#[test]
fn the_header_is_written_and_read() {
    let header = gzip::Header {
        name: Some(c"log.txt".into()),
        comment: Some(c"a comment".into()),
        modified: NonZero::new(1_700_000_000),
    };
    let (packed, result) = run(&mut *gzip::encoder(None, &header).unwrap(), b"contents", 1, 1);
    assert_eq!(result, Ok(()));
    assert_eq!(gzip::Header::read(&packed), Ok(Some(header)));
    assert_eq!(GZIP.decompress(&packed).unwrap(), b"contents");
    assert_eq!(pipe("gzip", &["-dc"], &packed), b"contents");
    for end in 0..packed.len() - b"contents".len() - 10 {
        assert_eq!(gzip::Header::read(&packed[..end.min(27)]), Ok(None), "{end}");
    }
    assert_eq!(gzip::Header::read(&compress(b"", 1)), Ok(Some(gzip::Header::default())));
    assert_eq!(gzip::Header::read(b"no").unwrap_err().kind, CodecErrorKind::Corrupted);

    let endless = [b"\x1f\x8b\x08\x08\0\0\0\0\0\x03".to_vec(), vec![b'x'; 1 << 20], vec![0]].concat();
    assert_eq!(gzip::Header::read(&endless), Ok(Some(gzip::Header::default())));
}

/// Raw deflate as a member.
fn member(deflate: &[u8], contents: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(contents);
    let trailer = [crc.sum().to_le_bytes(), crc.amount().to_le_bytes()].concat();
    [b"\x1f\x8b\x08\0\0\0\0\0\0\xff", deflate, &trailer].concat()
}

/// With the feature `fast` ours is zlib-rs, so that the engines are held against each other.
#[test]
fn miniz_oxide_reads_what_we_write_and_the_other_way_round() {
    for input in [Vec::new(), b"x".to_vec(), sample(100_000), vec![0; 100_000]] {
        for level in [0_u8, 1, 6, 9] {
            let ours = compress(&input, level.into());
            let body = &ours[10..ours.len() - 8];
            assert_eq!(miniz_oxide::inflate::decompress_to_vec(body).unwrap(), input, "level {level}");
            let theirs = member(&miniz_oxide::deflate::compress_to_vec(&input, level), &input);
            assert_eq!(GZIP.decompress(&theirs).unwrap(), input, "level {level}");
        }
    }
}
