//! Zstandard: frames of every kind, and the reference (its C library, and zstd(1) where there is one).

use std::process::Command;

use omnistorage_core::codec::{CodecErrorKind, DecoderLimits};

use crate::drive::{Subject, ZSTD, ZSTD_BASE, pipe, sample};

fn inputs() -> [Vec<u8>; 5] {
    [Vec::new(), b"x".to_vec(), sample(400_000), vec![0; 400_000], sample(128 << 10)]
}

#[test]
fn each_engine_reads_what_each_engine_wrote() {
    for input in inputs() {
        for (writer, reader) in ZSTD.into_iter().flat_map(|writer| ZSTD.map(|reader| (writer, reader))) {
            let unpacked = reader.decompress_in(&writer.compress(&input, None), 1000, 100_000);
            assert!(unpacked.unwrap() == input, "{} read by {}", writer.name, reader.name);
        }
    }
}

#[test]
fn the_reference_reads_what_we_write_and_the_other_way_round() {
    for input in inputs() {
        for subject in ZSTD {
            for level in subject.levels {
                let theirs = zstd::decode_all(&subject.compress(&input, Some(*level))[..]).unwrap();
                assert!(theirs == input, "{}, level {level}", subject.name);
            }
            for level in [-50, 1, 3, 9, 19] {
                let packed = zstd::encode_all(&input[..], level).unwrap();
                assert!(subject.decompress_in(&packed, 5000, 5000).unwrap() == input, "level {level}");
            }
        }
    }
}

#[test]
fn zstd_1_reads_what_we_write_and_the_other_way_round() {
    if Command::new("zstd").arg("--version").output().is_err() {
        eprintln!("not tested: there is no zstd on the PATH");
        return;
    }
    let input = sample(300_000);
    for subject in ZSTD {
        assert!(pipe("zstd", &["-dc"], &subject.compress(&input, None)) == input, "{}", subject.name);
        for arguments in [&["-c", "--check"][..], &["-c", "--no-check", "-19"], &["-c", "--fast=9"]] {
            let packed = pipe("zstd", arguments, &input);
            assert!(subject.decompress(&packed).unwrap() == input, "{}, {arguments:?}", subject.name);
        }
    }
}

/// The levels of the reference make about what they make there.
#[cfg(feature = "fast")]
#[test]
fn levels_have_the_ratio_of_the_reference() {
    let input = sample(1 << 20);
    for (level, most) in [(1, 102), (3, 102), (9, 102), (16, 103), (19, 103), (22, 103)] {
        let ours = crate::drive::ZSTD_FAST.compress(&input, Some(level)).len();
        let theirs = zstd::encode_all(&input[..], level).unwrap().len();
        assert!(ours * 100 < theirs * most, "level {level}: {ours} instead of {theirs}");
    }
}

/// Source code has much to weigh: matches of three bytes, and the third of the latest offsets.
#[cfg(feature = "fast")]
#[test]
fn optimal_levels_make_of_text_what_the_reference_makes() {
    let text = [
        include_str!("zstd.rs"),
        include_str!("zstd_blocks.rs"),
        include_str!("drive.rs"),
        include_str!("gzip.rs"),
        include_str!("every.rs"),
        include_str!("properties.rs"),
    ];
    let text = text.concat().into_bytes();
    // Whole, the end alone, and with as much noise in between as a window holds.
    let mut noise = vec![0; 300_000];
    let mut random = crate::drive::Random(3);
    noise.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&random.next().to_le_bytes()[..chunk.len()]));
    for input in [text.clone(), text[text.len() - 3000..].to_vec(), [&text[..], &noise, &text].concat()] {
        for level in [13, 15, 17, 19, 22] {
            let ours = crate::drive::ZSTD_FAST.compress(&input, Some(level));
            let theirs = zstd::encode_all(&input[..], level).unwrap().len();
            // With little to share them, tables weigh more.
            let most = if input.len() < 10_000 { 104 } else { 103 };
            assert!(ours.len() * 100 <= theirs * most, "level {level}: {} instead of {theirs}", ours.len());
            assert!(zstd::decode_all(&ours[..]).unwrap() == input, "level {level}");
        }
    }
}

fn skippable(contents: &[u8]) -> Vec<u8> {
    [b"\x57\x2a\x4d\x18", &(contents.len() as u32).to_le_bytes()[..], contents].concat()
}

#[test]
fn frames_follow_each_other_and_skippable_ones_are_passed_over() {
    for subject in ZSTD {
        let one = subject.compress(b"one", None);
        let two = zstd::encode_all(&b"two"[..], 1).unwrap();
        let stream = [&skippable(b"first")[..], &one, &skippable(b""), &two, &skippable(&[9; 3000])].concat();
        for (chunk, room) in [(1, 1), (7, 3), (usize::MAX, 64)] {
            assert_eq!(subject.decompress_in(&stream, chunk, room).unwrap(), b"onetwo");
        }
        assert_eq!(subject.decompress(&skippable(b"alone")).unwrap(), b"");
        let cut = &stream[..stream.len() - 1];
        assert_eq!(subject.error_of(cut), (CodecErrorKind::Truncated, cut.len() as u64));
    }
}

#[test]
fn only_frames_may_follow_a_frame() {
    for subject in ZSTD {
        let packed = subject.compress(b"contents", None);
        for tail in [&b"junk"[..], b"\0", b"\x28\xb5\x2f\xfe"] {
            let expected = (CodecErrorKind::Corrupted, packed.len() as u64);
            assert_eq!(subject.error_of(&[&packed, tail].concat()), expected, "{}", subject.name);
        }
    }
}

/// A frame with a window descriptor and one empty raw block.
fn windowed(descriptor: u8) -> Vec<u8> {
    [b"\x28\xb5\x2f\xfd\0", &[descriptor][..], b"\x01\0\0"].concat()
}

#[test]
fn windows_are_held_to_the_limit() {
    let with = |subject: &Subject, packed: &[u8], max_window| {
        let limits = DecoderLimits { max_window, ..DecoderLimits::default() };
        subject.decode(packed, 3, 10, limits).1.map_err(|error| error.kind)
    };
    for subject in ZSTD {
        // 2^(10 + exponent) with eighths: RFC 8878 section 3.1.1.1.2.
        let (eight, nine, huge) = (windowed(13 << 3), windowed((13 << 3) + 1), windowed(0xff));
        assert_eq!(with(&subject, &eight, None), Ok(()));
        assert_eq!(with(&subject, &nine, None), Err(CodecErrorKind::LimitExceeded));
        assert_eq!(with(&subject, &nine, Some(9 << 20)), Ok(()));
        assert_eq!(with(&subject, &eight, Some((8 << 20) - 1)), Err(CodecErrorKind::LimitExceeded));
        assert_eq!(with(&subject, &huge, Some(u64::MAX)), Err(CodecErrorKind::LimitExceeded));
    }
}

#[test]
fn a_dictionary_is_named_that_is_needed() {
    // Two bytes of dictionary, single segment, no contents.
    let packed = b"\x28\xb5\x2f\xfd\x22\x39\x30\0\x01\0\0";
    for subject in ZSTD {
        let error = subject.decompress(packed).unwrap_err();
        assert_eq!(error.kind, CodecErrorKind::Unsupported);
        assert!(error.message.contains("12345"), "{error}");
    }
}

#[test]
fn checksums_and_lengths_are_checked() {
    for subject in ZSTD {
        let mut packed = subject.compress(b"contents", None);
        let checksum = packed.len() - 4;
        packed[checksum] ^= 1;
        assert_eq!(
            subject.error_of(&packed),
            (CodecErrorKind::Corrupted, checksum as u64),
            "{}",
            subject.name
        );

        // Single segment: eight bytes told, as many there.
        let told = |told: u8| [b"\x28\xb5\x2f\xfd\x20", &[told][..], b"\x41\0\0contents"].concat();
        assert_eq!(subject.decompress(&told(8)).unwrap(), b"contents", "{}", subject.name);
        for wrong in [7, 9] {
            assert_eq!(subject.error_of(&told(wrong)).0, CodecErrorKind::Corrupted, "{}", subject.name);
        }
    }
}

#[test]
fn what_the_format_forbids_is_refused() {
    let frame = |descriptor: u8, rest: &[u8]| [b"\x28\xb5\x2f\xfd", &[descriptor][..], rest].concat();
    for subject in ZSTD {
        assert_eq!(
            subject.error_of(&frame(8, b"\0\x01\0\0")),
            (CodecErrorKind::Corrupted, 0),
            "a reserved flag"
        );
        assert_eq!(
            subject.error_of(&frame(0, b"\0\x07\0\0")),
            (CodecErrorKind::Corrupted, 6),
            "block type 3"
        );
        // A block of 1025 bytes in a window of 1 KiB.
        assert_eq!(
            subject.error_of(&frame(0, b"\0\x09\x20\0")),
            (CodecErrorKind::Corrupted, 6),
            "a long block"
        );
        assert_eq!(subject.error_of(b""), (CodecErrorKind::Truncated, 0));
        assert_eq!(subject.error_of(b"{\"a\": 1}"), (CodecErrorKind::Corrupted, 0));
    }
}

#[test]
fn the_base_engine_makes_one_frame_a_mebibyte() {
    let input = sample((2 << 20) + 5);
    let packed = ZSTD_BASE.compress(&input, Some(19));
    let frames = packed.windows(4).filter(|bytes| *bytes == b"\x28\xb5\x2f\xfd").count();
    assert_eq!(frames, 3);
    assert!(ZSTD_BASE.decompress(&packed).unwrap() == input);
}
