//! Gzip: its header, its members, and gzip(1).

use std::num::NonZero;

use omnistorage_core::codec::{CodecErrorKind, gzip};

use crate::drive::{GZIP, pipe, run, sample};

fn compress(input: &[u8], level: i32) -> Vec<u8> {
    GZIP[0].compress(input, Some(level))
}

/// What every engine makes of it.
fn decompress(input: &[u8]) -> Vec<u8> {
    let mut contents = GZIP.map(|subject| subject.decompress_in(input, 1000, 1000).unwrap()).into_iter();
    let first = contents.next().unwrap();
    assert!(contents.all(|other| other == first));
    first
}

/// What every engine fails with.
fn error_of(input: &[u8]) -> (CodecErrorKind, u64) {
    let mut errors = GZIP.map(|subject| subject.error_of(input)).into_iter();
    let first = errors.next().unwrap();
    assert!(errors.all(|other| other == first));
    first
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
    assert_eq!(decompress(&packed), [one, two].concat());
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
    assert_eq!(decompress(&with(&[0; 1000])), b"contents");
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
    assert_eq!(decompress(&header), b"");
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
        for (subject, level) in
            GZIP.into_iter().flat_map(|subject| [0, 1, 6, 9].map(|level| (subject, level)))
        {
            let packed = subject.compress(&input, Some(level));
            assert_eq!(pipe("gzip", &["-dc"], &packed), input, "{}, level {level}", subject.name);
            assert_eq!(decompress(&packed), input, "{}, level {level}", subject.name);
        }
        for level in ["-1", "-6", "-9"] {
            assert_eq!(decompress(&pipe("gzip", &["-c", level], &input)), input, "theirs, {level}");
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
    assert_eq!(decompress(&packed), b"contents");
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

/// Blocks of each kind, with what their headers may hold: made by hand, a bit at a time.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    /// The bits of a number, the lowest first.
    fn number(mut self, number: u32, bits: usize) -> Self {
        for bit in 0..bits {
            if self.count.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= ((number >> bit & 1) as u8) << (self.count % 8);
            self.count += 1;
        }
        self
    }

    /// A code, its first bit first.
    fn code(self, code: &str) -> Self {
        code.bytes().fold(self, |bits, bit| bits.number(u32::from(bit == b'1'), 1))
    }

    /// The start of a block with codes of its own: how many there are of literals, of distances and of lengths.
    fn dynamic(literals: u32, distances: u32, lengths: &[u32]) -> Self {
        let start = Self::default().number(0b101, 3).number(literals - 257, 5).number(distances - 1, 5);
        let start = start.number(lengths.len() as u32 - 4, 4);
        lengths.iter().fold(start, |bits, length| bits.number(*length, 3))
    }
}

/// Two lengths of codes are used, 0 and 1, and many times 0: 0 is `0`, 1 is `10`, 18 is `11`.
const LENGTHS: [u32; 18] = [0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];

#[test]
fn blocks_with_codes_of_their_own() {
    // `a` and the end have a bit each: 97 zeros, 1, 158 zeros, 1, and one distance without a code.
    let block = || {
        let zeros = |bits: Bits, count: u32| bits.code("11").number(count - 11, 7);
        let bits = zeros(Bits::dynamic(257, 1, &LENGTHS), 97).code("10");
        zeros(zeros(bits, 138), 20).code("10")
    };
    // The distance is a zero more; then `a`, `a` and the end.
    let packed = member(&block().code("0").code("001").bytes, b"aa");
    assert_eq!(decompress(&packed), b"aa");
}

#[test]
fn what_deflate_forbids_is_refused() {
    let refused = |bits: Bits, why: &str| {
        let packed = [b"\x1f\x8b\x08\0\0\0\0\0\0\xff", &bits.bytes[..], &[0xff; 400]].concat();
        for subject in GZIP {
            assert!(subject.decompress(&packed).is_err(), "{}: {why}", subject.name);
        }
        // The engine of the base set takes what was never there for zeros, and goes on to the checksum.
        #[cfg(feature = "fast")]
        {
            let (kind, at) = crate::drive::GZIP_FAST.error_of(&packed);
            assert_eq!(kind, CodecErrorKind::Corrupted, "{why}");
            assert!(at <= 10 + bits.bytes.len() as u64, "{why}: at {at}");
        }
    };
    refused(Bits::default().number(0b111, 3), "the reserved type");
    refused(Bits::default().number(0b001, 3).number(0, 5).number(0x1234, 16).number(0x1234, 16), "a length");
    refused(Bits::dynamic(287, 1, &LENGTHS), "too many codes of literals");
    refused(Bits::dynamic(257, 31, &LENGTHS), "too many codes of distances");
    refused(Bits::dynamic(257, 1, &[0; 4]), "no codes of lengths");
    refused(Bits::dynamic(257, 1, &[1, 1, 1, 0]), "more codes of lengths than fit");
    refused(Bits::dynamic(257, 1, &[0, 0, 2, 1]), "fewer than fill the space");
    // 16 repeats the length before, of which there is none.
    refused(Bits::dynamic(257, 1, &[1, 0, 0, 1]).code("1"), "nothing to repeat");
    let zeros = |bits: Bits| bits.code("11").number(127, 7);
    refused(zeros(zeros(Bits::dynamic(257, 1, &LENGTHS))), "more lengths than there are codes");
    let endless = zeros(Bits::dynamic(257, 1, &LENGTHS).code("10").code("10")).code("11").number(106, 7);
    refused(endless.code("0"), "no end");
    // With the fixed codes: a match where there is nothing, and codes that stand for nothing.
    let fixed = || Bits::default().number(0b011, 3);
    refused(fixed().code("0000001").code("00000"), "too far back");
    refused(fixed().code("00110000").code("0000001").code("00001"), "too far back by one");
    refused(fixed().code("11000110"), "length 286");
    refused(fixed().code("00110000").code("0000001").code("11110"), "distance 30");
}

/// Every length at distances around those where copying changes its step, and as far back as can be.
#[test]
fn matches_of_every_length_and_many_distances() {
    let codes = |distance: usize| {
        // The longest distance of a code, and the bits that it takes to tell one.
        let start =
            |symbol: usize| 1 + if symbol < 4 { symbol } else { (2 + symbol % 2) << (symbol / 2 - 1) };
        let symbol = (0..30).rev().find(|symbol| start(*symbol) <= distance).unwrap();
        (symbol as u32, (distance - start(symbol)) as u32, if symbol < 4 { 0 } else { symbol / 2 - 1 })
    };
    let seed = sample(40_000);
    for distance in [1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 1000, 32_767, 32_768] {
        let (mut expected, mut packed) = (seed.clone(), Bits::default().number(0, 3).number(0, 5));
        packed = packed.number(40_000, 16).number(!40_000, 16);
        packed.bytes.extend_from_slice(&seed);
        packed.count += 8 * seed.len();
        packed = packed.number(0b011, 3);
        for length in 3..=258_usize {
            let (symbol, extra, bits) = match length {
                3..=10 => (257 + length - 3, 0, 0),
                258 => (285, 0, 0),
                _ => {
                    let bits = (length - 3).ilog2() as usize - 2;
                    (257 + 4 * bits + ((length - 3) >> bits), (length - 3) & ((1 << bits) - 1), bits)
                }
            };
            packed = match symbol {
                ..280 => packed.code(&format!("{:07b}", symbol - 256)),
                _ => packed.code(&format!("{:08b}", 0b1100_0000 + symbol - 280)),
            };
            let (far, more, width) = codes(distance);
            packed = packed.number(extra as u32, bits).code(&format!("{far:05b}")).number(more, width);
            for _ in 0..length {
                expected.push(expected[expected.len() - distance]);
            }
        }
        let packed = member(&packed.code("0000000").bytes, &expected);
        assert!(decompress(&packed) == expected, "distance {distance}");
    }
}

#[test]
fn miniz_oxide_reads_what_we_write_and_the_other_way_round() {
    for input in [Vec::new(), b"x".to_vec(), sample(100_000), vec![0; 100_000]] {
        for level in [0_u8, 1, 6, 9] {
            for subject in GZIP {
                let ours = subject.compress(&input, Some(level.into()));
                let body = &ours[10..ours.len() - 8];
                let read = miniz_oxide::inflate::decompress_to_vec(body).unwrap();
                assert_eq!(read, input, "{}, level {level}", subject.name);
            }
            let theirs = member(&miniz_oxide::deflate::compress_to_vec(&input, level), &input);
            assert_eq!(decompress(&theirs), input, "level {level}");
        }
    }
}
