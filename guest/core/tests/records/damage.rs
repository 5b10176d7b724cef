//! Damaged files: whatever was done to them, reading is sound.

use omnistorage_core::record::{Format, RecordOptions, csv::Dialect, length_prefixed::LengthPrefix};

use crate::{
    checked, limit,
    properties::{convert, read, reading_is_sound, rows_survive_json},
};

const ROWS: &str = "id,name,note\n1,ann,\"two\nlines\"\r\n2,\"say \"\"hi\"\"\",\n3,\"\",é\r4,,\"a,b\"\n";

fn formats() -> Vec<(Format, Vec<u8>)> {
    let options = RecordOptions::default();
    let dialects = [false, true].map(|lenient| Dialect { lenient, ..Dialect::default() });
    let [strict, _] = dialects.clone().map(Format::Csv);
    let json = convert(&strict, &Format::Ndjson, options, ROWS.as_bytes()).unwrap();
    let prefixes = [LengthPrefix::BigEndian, LengthPrefix::LittleEndian, LengthPrefix::Varint];
    let prefixed = prefixes.map(Format::LengthPrefixed).map(|format| {
        let bytes = convert(&Format::Ndjson, &format, options, &json).unwrap();
        (format, bytes)
    });
    let array = convert(&Format::Ndjson, &Format::JsonArray, options, &json).unwrap();
    dialects
        .map(|dialect| (Format::Csv(dialect), ROWS.as_bytes().to_vec()))
        .into_iter()
        .chain(prefixed)
        .chain([(Format::Ndjson, json), (Format::JsonArray, array)])
        .collect()
}

/// SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len());
        let end = at + self.below((bytes.len() - at).min(20)) + 1;
        match self.below(6) {
            0 => bytes.truncate(at + 1),
            1 => bytes[at] ^= 1 << self.below(8),
            2 => bytes[at] = b"\"\"\n\r,\0\xff\x80{}"[self.below(10)],
            3 => drop(bytes.drain(at..end)),
            4 => bytes.extend_from_within(at..end),
            _ => bytes.insert(at, b"\"\n\r,\0\xef"[self.below(6)]),
        }
    }
}

#[test]
fn ten_thousand_mutations_of_each_format() {
    for (format, input) in formats() {
        let mut random = Random(1);
        for round in 0..10_000 {
            let mut damaged = input.clone();
            for _ in 0..=random.below(3) {
                if !damaged.is_empty() {
                    random.mutate(&mut damaged);
                }
            }
            let options = match round % 3 {
                0 => limit(20),
                1 => checked(),
                _ => RecordOptions::default(),
            };
            reading_is_sound(&format, options, &damaged, 1 + random.below(30));
            if let Format::Csv(dialect) = &format {
                rows_survive_json(dialect, &damaged);
            } else {
                // It may fail, and must not panic.
                let _ = convert(&format, &Format::Csv(Dialect::default()), options, &damaged);
            }
        }
    }
}

#[test]
fn truncation_at_every_byte_changes_at_most_the_last_record() {
    for (format, input) in formats() {
        let whole = read(&format, checked(), &input, usize::MAX, usize::MAX);
        assert_eq!(whole.outcome, Ok(()));
        for cut in 0..input.len() {
            for chunk in [1, usize::MAX] {
                let part = read(&format, checked(), &input[..cut], chunk, usize::MAX);
                let sure = part.records.len().saturating_sub(1);
                assert_eq!(part.records[..sure], whole.records[..sure], "{format} cut at {cut}");
                if !matches!(format, Format::Csv(_)) {
                    // JSON texts end themselves, and lengths tell where a record ends.
                    assert_eq!(part.records, whole.records[..part.records.len()], "{format} cut at {cut}");
                }
            }
        }
    }
}
