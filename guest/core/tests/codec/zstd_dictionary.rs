//! Zstandard's dictionaries: those that the reference made are read, what it compresses with them too, and the other way
//! round.

use std::process::Command;

use omnistorage_core::codec::{
    Codec, CodecError, CodecErrorKind, DecoderLimits, Dictionary, decoder_with, encoder_with, zstd::fast,
};

use crate::{
    damage::mutate,
    drive::{Random, ZSTD_FAST, pipe, run, sample},
};

/// What `zstd --train --maxdict=4096` makes of the first thousand [`records`].
const TRAINED: &[u8] = include_bytes!("records.dictionary");

/// Where the three offsets are in it; the content follows.
const OFFSETS: usize = 112;

/// Small objects that resemble each other.
pub(crate) fn records(count: usize) -> Vec<Vec<u8>> {
    let mut random = Random(11);
    let words = ["pending", "shipped", "returned", "express", "standard", "invoice", "payment", "gift"];
    let places = ["Oslo", "Berlin", "Lisboa", "Roma", "London", "Wien"];
    let word = |from: &[&'static str], random: &mut Random| from[random.below(from.len())];
    (0..count)
        .map(|_| {
            let items: Vec<String> = (0..1 + random.below(6))
                .map(|_| {
                    format!(
                        r#"{{"sku": "SKU-{:06}", "quantity": {}, "price": {}.{:02}, "currency": "EUR", "note": "{} {}"}}"#,
                        random.below(1_000_000),
                        1 + random.below(9),
                        random.below(500),
                        random.below(100),
                        word(&words, &mut random),
                        word(&words, &mut random),
                    )
                })
                .collect();
            format!(
                r#"{{"id": "{:016x}", "created": "2026-{:02}-{:02}T{:02}:{:02}:00Z", "status": "{}", "customer": {{"name": "Ada {}", "email": "user{}@example.com", "city": "{}"}}, "items": [{}], "total": {}}}"#,
                random.next(),
                1 + random.below(12),
                1 + random.below(28),
                random.below(24),
                random.below(60),
                word(&words, &mut random),
                random.below(100),
                random.below(10_000),
                word(&places, &mut random),
                items.join(", "),
                random.below(100_000),
            )
            .into_bytes()
        })
        .collect()
}

fn trained() -> Dictionary {
    Dictionary::new(TRAINED.to_vec()).unwrap()
}

fn decompress(dictionary: &Dictionary, packed: &[u8], chunk: usize) -> Result<Vec<u8>, CodecError> {
    let mut decoder = fast::decoder_with(dictionary, DecoderLimits::default());
    let (output, result) = run(&mut *decoder, packed, chunk, 10_000);
    result.map(|()| output)
}

/// What the reference makes of it with a dictionary.
fn reference(dictionary: &[u8], input: &[u8], level: i32) -> Vec<u8> {
    zstd::bulk::Compressor::with_dictionary(level, dictionary).unwrap().compress(input).unwrap()
}

fn compress(dictionary: &Dictionary, input: &[u8], level: i32) -> Vec<u8> {
    let mut encoder = fast::encoder_with(dictionary, Some(level)).unwrap();
    let (packed, result) = run(&mut *encoder, input, 100_000, 1 << 16);
    assert_eq!(result, Ok(()));
    packed
}

/// Compresses, and has both decoders read it.
fn round_trip(bytes: &[u8], dictionary: &Dictionary, input: &[u8], level: i32) -> usize {
    let packed = compress(dictionary, input, level);
    let mut theirs = zstd::Decoder::with_dictionary(&packed[..], bytes).unwrap();
    let mut output = Vec::new();
    std::io::copy(&mut theirs, &mut output).unwrap();
    assert!(output == input, "level {level}, {} bytes", input.len());
    assert!(decompress(dictionary, &packed, 5000).unwrap() == input, "level {level}, {} bytes", input.len());
    packed.len()
}

#[test]
fn the_reference_reads_what_we_compress_with_a_dictionary() {
    let records = records(60);
    let large = [records.concat().repeat(20), sample(300_000), records.concat()].concat();
    // One with tables, one of content alone, and some of hardly any.
    for bytes in [TRAINED, &large[..600_000], b"x", b"\"status\": "] {
        let dictionary = Dictionary::new(bytes.to_vec()).unwrap();
        for level in ZSTD_FAST.levels {
            for record in &records {
                round_trip(bytes, &dictionary, record, *level);
            }
            for length in [0, 1, 7, 8, 9, 300] {
                round_trip(bytes, &dictionary, &records[0][..length], *level);
                round_trip(bytes, &dictionary, &bytes[..length.min(bytes.len())], *level);
            }
        }
        for level in [-1, 1, 3, 6, 9, 13, 19] {
            for length in [16_384, 128 << 10, (128 << 10) + 1, large.len()] {
                round_trip(bytes, &dictionary, &large[..length], level);
            }
        }
    }
}

#[test]
fn a_dictionary_is_out_of_reach_behind_a_window() {
    let mut noise = vec![0; 700_000];
    let mut random = Random(17);
    noise.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&random.next().to_le_bytes()[..chunk.len()]));
    let (bytes, between) = noise.split_at(100_000);
    let dictionary = Dictionary::new(bytes.to_vec()).unwrap();
    // Level 1 has a window of 512 KiB: the first time it is a match, and the second time no more.
    let input = [bytes, between, bytes].concat();
    let packed = round_trip(bytes, &dictionary, &input, 1);
    assert_eq!(packed.div_ceil(100_000), 7 + 1, "{packed}");
}

#[test]
fn numbers_of_any_length_name_a_dictionary() {
    let [record, ..] = &records(1)[..] else { panic!("there is one") };
    let mut lengths = Vec::new();
    for id in [1_u32, 255, 256, 65_535, 65_536, u32::MAX] {
        let mut bytes = TRAINED.to_vec();
        bytes[4..8].copy_from_slice(&id.to_le_bytes());
        let dictionary = Dictionary::new(bytes.clone()).unwrap();
        lengths.push(round_trip(&bytes, &dictionary, record, 3));
        let named = zstd::zstd_safe::get_dict_id_from_frame(&compress(&dictionary, record, 3));
        assert_eq!(named.map(std::num::NonZero::get), Some(id));
    }
    assert_eq!(lengths.iter().map(|length| length - lengths[0]).collect::<Vec<_>>(), [0, 0, 1, 1, 3, 3]);
}

/// A thousand small objects, each a frame of its own.
#[test]
fn small_objects_become_as_small_as_those_of_the_reference() {
    let (records, dictionary) = (records(1000), trained());
    for level in [1, 3, 9, 19] {
        let mut theirs = zstd::bulk::Compressor::with_dictionary(level, TRAINED).unwrap();
        theirs.set_parameter(zstd::zstd_safe::CParameter::ChecksumFlag(true)).unwrap();
        let theirs: usize = records.iter().map(|record| theirs.compress(record).unwrap().len()).sum();
        let ours: usize = records.iter().map(|record| compress(&dictionary, record, level).len()).sum();
        assert!(ours * 100 <= theirs * 103, "level {level}: {ours} instead of {theirs}");
    }
}

#[test]
fn zstd_1_reads_what_we_compress_with_a_dictionary_and_the_other_way_round() {
    if Command::new("zstd").arg("--version").output().is_err() {
        eprintln!("not tested: there is no zstd on the PATH");
        return;
    }
    let [record, ..] = &records(1)[..] else { panic!("there is one") };
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/codec/records.dictionary");
    let packed = compress(&trained(), record, 19);
    assert!(pipe("zstd", &["-dc", "-D", path], &packed) == *record);
    for arguments in [&["-c", "-D", path][..], &["-c", "-19", "--no-dictID", "-D", path]] {
        let packed = pipe("zstd", arguments, record);
        assert!(decompress(&trained(), &packed, 100).unwrap() == *record, "{arguments:?}");
    }
}

#[test]
fn what_the_reference_compresses_with_a_dictionary_is_read() {
    let records = records(100);
    let large = records.concat().repeat(20);
    let inputs: Vec<&[u8]> = records.iter().map(Vec::as_slice).chain([&b""[..], b"x", &large]).collect();
    // One with tables, and one of content alone.
    for bytes in [TRAINED, &records[5]] {
        let dictionary = Dictionary::new(bytes.to_vec()).unwrap();
        for level in [-5, 1, 3, 9, 19] {
            let packed: Vec<_> = inputs.iter().map(|input| reference(bytes, input, level)).collect();
            for (packed, input) in packed.iter().zip(&inputs) {
                assert!(decompress(&dictionary, packed, 1 << 20).unwrap() == *input, "level {level}");
            }
            // Each frame begins with it anew.
            assert!(
                decompress(&dictionary, &packed.concat(), 7).unwrap() == inputs.concat(),
                "level {level}"
            );
        }
    }
}

/// With a small window, the dictionary is in reach at first and then no more, and the ring goes round.
#[test]
fn a_dictionary_is_in_reach_until_a_window_has_gone_by() {
    let input = records(300).concat();
    for log in [10, 12, 17] {
        let mut encoder = zstd::Encoder::with_dictionary(Vec::new(), 5, TRAINED).unwrap();
        encoder.set_parameter(zstd::zstd_safe::CParameter::WindowLog(log)).unwrap();
        std::io::copy(&mut &input[..], &mut encoder).unwrap();
        let packed = encoder.finish().unwrap();
        assert!(decompress(&trained(), &packed, 1000).unwrap() == input, "a window of 2^{log}");
    }
}

#[test]
fn frames_that_name_no_dictionary_or_another_one() {
    let [record, ..] = &records(1)[..] else { panic!("there is one") };
    let packed = reference(TRAINED, record, 3);
    let id = trained().id().unwrap().get();
    let content = Dictionary::new(record.clone()).unwrap();
    assert!(content.id().is_none() && content.content() == record);
    let mut other = TRAINED.to_vec();
    other[4..8].copy_from_slice(&77_u32.to_le_bytes());
    for (dictionary, what) in [(content, "no number"), (Dictionary::new(other).unwrap(), "77")] {
        let error = decompress(&dictionary, &packed, 100).unwrap_err();
        assert_eq!(error.kind, CodecErrorKind::Unsupported);
        assert!(error.message.contains(&id.to_string()) && error.message.contains(what), "{error}");
    }

    // What names none begins with it all the same. Here it is not used; if it were, the offsets would differ.
    let plain = zstd::encode_all(&record[..], 3).unwrap();
    assert!(decompress(&trained(), &plain, 100).unwrap() == *record);
    let mut encoder = zstd::Encoder::with_dictionary(Vec::new(), 3, TRAINED).unwrap();
    encoder.include_dictid(false).unwrap();
    std::io::copy(&mut &record[..], &mut encoder).unwrap();
    let unnamed = encoder.finish().unwrap();
    assert!(decompress(&trained(), &unnamed, 100).unwrap() == *record);
}

#[test]
fn what_is_no_dictionary_is_refused() {
    let refused = |bytes: Vec<u8>| match Dictionary::new(bytes) {
        Ok(_) => panic!("it is accepted"),
        Err(error) => assert_eq!(error.kind, CodecErrorKind::InvalidDictionary),
    };
    refused(Vec::new());
    refused(vec![0; (4 << 20) + 1]);
    for end in 4..=OFFSETS + 12 {
        refused(TRAINED[..end].to_vec());
    }
    let content = TRAINED.len() - OFFSETS - 12;
    let with_offset = |place: usize, offset: usize| {
        let (mut bytes, at) = (TRAINED.to_vec(), OFFSETS + 4 * place);
        bytes[at..at + 4].copy_from_slice(&(offset as u32).to_le_bytes());
        bytes
    };
    for place in 0..3 {
        refused(with_offset(place, 0));
        refused(with_offset(place, content + 1));
        assert!(Dictionary::new(with_offset(place, content)).is_ok());
    }
    let mut unnumbered = TRAINED.to_vec();
    unnumbered[4..8].fill(0);
    refused(unnumbered);
}

/// A dictionary, or what was compressed with it, that is damaged never passes for other data, and never panics.
#[test]
fn damage_is_noticed() {
    let [record, ..] = &records(1)[..] else { panic!("there is one") };
    let mut encoder = zstd::Encoder::with_dictionary(Vec::new(), 3, TRAINED).unwrap();
    encoder.include_checksum(true).unwrap();
    std::io::copy(&mut &record[..], &mut encoder).unwrap();
    let packed = encoder.finish().unwrap();
    let (mut random, mut refused) = (Random(3), 0);
    let start = &TRAINED[..OFFSETS + 12];
    for round in 0..10_000 {
        let (dictionary, packed) = if round % 2 == 0 {
            let start = mutate(start, &mut random);
            (Dictionary::new([&start[..], &TRAINED[OFFSETS + 12..]].concat()), packed.clone())
        } else {
            (Ok(trained()), mutate(&packed, &mut random))
        };
        let output = dictionary.and_then(|dictionary| decompress(&dictionary, &packed, 1000));
        // Two frames one after the other are sound, and so is nothing that was changed where it is of no use.
        match output {
            Ok(output) => assert!(output.is_empty() || output == *record || output == record.repeat(2)),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 7000, "{refused}");
}

#[test]
fn only_zstd_has_dictionaries_and_they_take_memory() {
    for codec in Codec::ALL {
        let decoder = decoder_with(codec, DecoderLimits::default(), Some(&trained())).map(drop);
        let encoder = encoder_with(codec, None, Some(&trained())).map(drop);
        for result in [decoder, encoder] {
            match result {
                Ok(()) => assert_eq!(codec, Codec::Zstd),
                Err(error) => {
                    assert_eq!(error.kind, CodecErrorKind::InvalidDictionary);
                    assert!(error.message.contains(codec.as_str()));
                }
            }
        }
    }
    let packed = reference(TRAINED, b"", 1);
    let limits = DecoderLimits { max_window: Some(2000), ..DecoderLimits::default() };
    let (_, result) = run(&mut *fast::decoder_with(&trained(), limits), &packed, 100, 100);
    assert_eq!(result.unwrap_err().kind, CodecErrorKind::LimitExceeded);
    // Blocks of it are as long as any.
    let long = reference(TRAINED, &sample(200_000), 1);
    assert!(decompress(&trained(), &long, 1 << 20).unwrap() == sample(200_000));
}
