//! What holds for every codec.

use omnistorage_core::codec::{Codec, CodecErrorKind, DecoderLimits};

use crate::drive::{Subject, run, sample, subjects};

/// What a subject is an engine of.
fn codec(subject: &Subject) -> Codec {
    Codec::ALL.into_iter().find(|codec| subject.name.starts_with(codec.as_str())).unwrap()
}

#[test]
fn every_codec_is_tested() {
    for kind in Codec::ALL {
        assert!(subjects().any(|subject| codec(&subject) == kind), "{kind}");
    }
}

#[test]
fn every_level_round_trips() {
    for subject in subjects() {
        for input in [Vec::new(), b"x".to_vec(), sample(60_000), vec![7; 300_000]] {
            for level in [None].into_iter().chain(subject.levels.iter().map(|level| Some(*level))) {
                let packed = subject.compress(&input, level);
                assert!(subject.decompress(&packed).unwrap() == input, "{}, level {level:?}", subject.name);
            }
        }
    }
}

#[test]
fn levels_that_do_not_exist_are_refused() {
    for subject in subjects() {
        let levels = codec(&subject).levels();
        let beyond = levels.as_ref().map_or([0, 1], |levels| [levels.start() - 1, levels.end() + 1]);
        for level in [i32::MAX, i32::MIN].into_iter().chain(beyond) {
            let error = (subject.encoder)(Some(level)).err().unwrap();
            assert_eq!(error.kind, CodecErrorKind::InvalidLevel, "{}", subject.name);
        }
        for level in levels.into_iter().flat_map(|levels| [*levels.start(), *levels.end()]) {
            assert!((subject.encoder)(Some(level)).is_ok(), "{}, level {level}", subject.name);
        }
    }
}

#[test]
fn the_first_bytes_and_the_extension_tell_each_codec() {
    for subject in subjects() {
        let kind = codec(&subject);
        assert_eq!(Codec::from_magic(&subject.compress(b"", None)), Some(kind));
        assert_eq!(Codec::from_extension(&format!("a.{}", kind.extension())), Some(kind));
    }
}

#[test]
fn chunks_and_room_do_not_matter() {
    // More than a block of zstd and a chunk of snappy.
    let input = [sample(150_000), vec![0; 150_000]].concat();
    for subject in subjects() {
        let packed = subject.compress(&input, None);
        for (chunk, room) in [(1, 1 << 20), (7, 70_000), (4096, 7), (usize::MAX, 1), (65_536, 65_536)] {
            let unpacked = subject.decompress_in(&packed, chunk, room).unwrap();
            assert!(unpacked == input, "{}, chunk {chunk}, room {room}", subject.name);
            let (again, result) = run(&mut *(subject.encoder)(None).unwrap(), &input, chunk, room);
            assert_eq!(result, Ok(()));
            assert!(
                again == packed || subject.name.starts_with("gzip"),
                "{}, chunk {chunk}, room {room}",
                subject.name
            );
            assert!(subject.decompress(&again).unwrap() == input, "{}", subject.name);
        }
    }
}

#[test]
fn input_may_be_split_anywhere() {
    for subject in subjects() {
        let input = b"second part, second part";
        let packed = [subject.compress(b"", None), subject.compress(input, None)].concat();
        for split in 0..=packed.len() {
            let mut decoder = (subject.decoder)(DecoderLimits::default());
            let mut output = Vec::with_capacity(64);
            for part in [&packed[..split], &packed[split..]] {
                assert_eq!(decoder.push(part, &mut output), Ok(part.len()), "{}, at {split}", subject.name);
            }
            assert_eq!(decoder.finish(&mut output), Ok(true), "{}, at {split}", subject.name);
            assert_eq!(output, input, "{}, at {split}", subject.name);
        }
    }
}

#[test]
fn errors_are_final() {
    for subject in subjects() {
        let mut decoder = (subject.decoder)(DecoderLimits::default());
        let mut output = Vec::with_capacity(64);
        let error = decoder.push(b"no", &mut output).unwrap_err();
        assert_eq!((error.kind, error.offset), (CodecErrorKind::Corrupted, 0), "{}", subject.name);
        assert_eq!(decoder.push(&subject.compress(b"", None), &mut output), Err(error.clone()));
        assert_eq!(decoder.finish(&mut output), Err(error));
    }
}

#[test]
fn nothing_is_taken_after_the_end() {
    for subject in subjects() {
        let mut encoder = (subject.encoder)(None).unwrap();
        let mut output = Vec::with_capacity(64);
        assert_eq!(encoder.finish(&mut output), Ok(true));
        assert_eq!(encoder.finish(&mut output), Ok(true), "{}", subject.name);
        assert_eq!(encoder.push(b"", &mut output), Ok(0));
        assert_eq!(encoder.push(b"more", &mut output).unwrap_err().kind, CodecErrorKind::Finished);
        assert_eq!(subject.decompress_in(&output, 1, 1).unwrap(), b"");
    }
}
