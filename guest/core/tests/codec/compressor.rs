//! Our own zstd compressor: blocks, windows, and the ratio of the reference.

use std::num::NonZero;

use omnistorage_core::codec::zstd::fast as zstd_fast;

use crate::{
    drive::{Random, ZSTD, ZSTD_FAST, run, sample},
    text::Text,
};

const BLOCK: usize = 128 << 10;

/// Compresses at a level, and has every decoder read it.
fn round_trip(input: &[u8], level: i32) -> usize {
    let packed = ZSTD_FAST.compress(input, Some(level));
    assert!(zstd::decode_all(&packed[..]).unwrap() == input, "level {level}, {} bytes", input.len());
    for reader in ZSTD {
        assert!(reader.decompress(&packed).unwrap() == input, "level {level}, {} bytes", input.len());
    }
    packed.len()
}

fn noise(size: usize, seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    (0..size.div_ceil(8)).flat_map(|_| random.next().to_le_bytes()).take(size).collect()
}

#[test]
fn every_short_length_round_trips() {
    let text = Text::Logs.generate(3000);
    for level in [-3, 1, 3, 6] {
        for length in (0..300).chain([511, 512, 1000, 1023, 1024, 2999]) {
            round_trip(&text[..length], level);
        }
    }
}

#[test]
fn blocks_may_end_anywhere() {
    let input = sample(3 * BLOCK);
    for level in [-1, 1, 3, 8] {
        for length in [BLOCK - 1, BLOCK, BLOCK + 1, BLOCK + 7, 2 * BLOCK - 3, 2 * BLOCK, 2 * BLOCK + 1] {
            round_trip(&input[..length], level);
        }
    }
}

#[test]
fn runs_and_periods_become_small() {
    for period in [1, 2, 3, 5, 8, 9, 1000, 70_000] {
        let input: Vec<u8> = noise(period, 5).into_iter().cycle().take(500_000).collect();
        for level in [-1, 1, 3, 5, 9, 12] {
            let packed = round_trip(&input, level);
            assert!(packed < period + 400, "level {level}, period {period}: {packed}");
        }
    }
}

#[test]
fn noise_becomes_hardly_longer() {
    let input = noise(3 * BLOCK + 100, 1);
    for level in [-100, 1, 3, 5, 12] {
        // 3 bytes a block; the header and the checksum.
        assert_eq!(round_trip(&input, level), input.len() + 4 * 3 + 6 + 4, "level {level}");
    }
}

/// Blocks that change from text to noise and back: what a decoder remembers is not what the block before had.
#[test]
fn blocks_of_all_kinds_follow_each_other() {
    let (text, mut input) = (Text::Source.generate(2 * BLOCK), Vec::new());
    for part in [&text[..], &noise(BLOCK, 2), &[7; BLOCK], &text[BLOCK..], &noise(BLOCK + 9, 3), &text] {
        input.extend_from_slice(part);
    }
    for level in [-1, 1, 2, 3, 5, 9] {
        round_trip(&input, level);
    }
}

/// The same noise comes again just within the window and beyond it: only the former is a match.
#[test]
fn nothing_beyond_the_window_is_referred_to() {
    for (level, window) in [(1, 512 << 10), (3, 2 << 20)] {
        for (distance, is_matched) in [(window - BLOCK, true), (window + 1, false)] {
            let unit = noise(distance, 9);
            let packed = round_trip(&unit.repeat(3), level);
            let expected = if is_matched { 1 } else { 3 };
            assert_eq!(packed.div_ceil(distance + 5000), expected, "level {level}, {distance}: {packed}");
        }
    }
}

#[test]
fn frames_stand_alone() {
    let input = [Text::Logs.generate(700_000), noise(100_000, 4), Text::Logs.generate(1_000_000)].concat();
    for length in [10_000, BLOCK, BLOCK + 1, 300_000, input.len(), input.len() + 1] {
        let count = NonZero::new(length as u64).unwrap();
        let (packed, result) = run(&mut *zstd_fast::frames(Some(1), count).unwrap(), &input, 7777, 1 << 16);
        assert_eq!(result, Ok(()));
        assert!(zstd::decode_all(&packed[..]).unwrap() == input, "{length}");
        let alone: Vec<u8> =
            input.chunks(length).flat_map(|part| ZSTD_FAST.compress(part, Some(1))).collect();
        assert!((packed.len() as f64 / alone.len() as f64 - 1.0).abs() < 0.01, "{length}");
        let whole = ZSTD_FAST.decompress(&alone).unwrap();
        assert!(whole == input, "{length}");
    }
}

/// Bytes of which each is so much as often as the next one, in any order.
fn skewed(ratio: f64, symbols: usize, size: usize) -> Vec<u8> {
    let mut random = Random(symbols as u64);
    let shares: Vec<f64> = (0..symbols).map(|symbol| ratio.powi(-(symbol as i32))).collect();
    let sum: f64 = shares.iter().sum();
    let mut bytes: Vec<u8> = (0_u8..=255)
        .zip(&shares)
        .flat_map(|(symbol, share)| vec![symbol; (share / sum * size as f64) as usize + 1])
        .collect();
    for place in (1..bytes.len()).rev() {
        bytes.swap(place, random.below(place + 1));
    }
    bytes
}

/// Huffman's trees deeper than the format allows, with alphabets of every kind of description.
#[test]
fn literals_of_any_distribution_round_trip() {
    for symbols in [2, 3, 5, 17, 40, 128, 129, 130, 200, 255, 256] {
        for ratio in [1.0, 1.001, 1.01, 1.1, 1.618, 2.0, 4.0] {
            for size in [100, 700, 20_000] {
                round_trip(&skewed(ratio, symbols, size), 1);
            }
        }
    }
}

#[test]
fn text_has_the_ratio_of_the_reference() {
    for text in Text::ALL {
        let input = text.generate(1 << 20);
        for level in [-5, -1, 1, 2, 3, 4, 6, 9, 13, 16, 18, 19, 22] {
            let ours = ZSTD_FAST.compress(&input, Some(level)).len();
            let theirs = zstd::encode_all(&input[..], level).unwrap().len();
            let most = if level < 13 { 102 } else { 103 };
            assert!(
                ours * 100 <= theirs * most,
                "{}, level {level}: {ours} instead of {theirs}",
                text.name()
            );
        }
    }
}
