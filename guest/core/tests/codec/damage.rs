//! Input that is cut off, or damaged.

use omnistorage_core::codec::{CodecErrorKind, DecoderLimits};

use crate::drive::{GZIP, LZ4, Random, SNAPPY, Subject, ZSTD, run, sample, subjects};

/// Where input may end although more would follow: after a part, and in snappy after each chunk.
fn ends_between(subject: &Subject, part: usize, end: usize) -> bool {
    end == part || subject.name == SNAPPY.name && [10, part + 10].contains(&end)
}

#[test]
fn truncation_at_every_byte_is_an_error() {
    for subject in subjects() {
        let part = subject.compress(b"one, one, one, one, one", None);
        let packed = [&part[..], &subject.compress(&sample(300), None)].concat();
        for end in (0..packed.len()).filter(|end| !ends_between(&subject, part.len(), *end)) {
            let expected = (CodecErrorKind::Truncated, end as u64);
            assert_eq!(subject.error_of(&packed[..end]), expected, "{}", subject.name);
        }
    }
}

#[test]
fn a_damaged_later_part_is_an_error_after_the_good_ones() {
    for subject in subjects() {
        let (one, two) = (sample(100_000), sample(5000));
        let packed = [subject.compress(&one, None), subject.compress(&two, None)].concat();
        // In the last bytes each codec has a checksum, or data under one.
        let mut damaged = packed.clone();
        *damaged.last_mut().unwrap() ^= 0x40;
        let (output, result) = subject.decode(&damaged, 1000, 1000, DecoderLimits::default());
        assert_eq!(result.unwrap_err().kind, CodecErrorKind::Corrupted, "{}", subject.name);
        assert!(output.starts_with(&one), "{}", subject.name);
    }
}

/// Cuts, flips, removes, repeats or overwrites something.
pub(crate) fn mutate(packed: &[u8], random: &mut Random) -> Vec<u8> {
    let mut mutated = packed.to_vec();
    let at = random.below(mutated.len());
    match random.below(6) {
        0 => mutated.truncate(at),
        1 => mutated[at] ^= 1 << random.below(8),
        2 => mutated[at] = random.next() as u8,
        3 => drop(mutated.drain(at..(at + 1 + random.below(20)).min(packed.len()))),
        4 => mutated.extend_from_within(at.max(1)..),
        _ => mutated[random.below(14.min(packed.len()))] = random.next() as u8,
    }
    mutated
}

/// Mutates and decodes; `good` judges output that was accepted.
fn hold_against_mutations(subject: &Subject, input: &[u8], good: impl Fn(&[u8]) -> bool) {
    let packed = subject.compress(input, None);
    let limits = DecoderLimits { max_output: Some(1 << 16), ..DecoderLimits::default() };
    let (mut random, mut refused) = (Random(42), 0);
    for _ in 0..10_000 {
        let mutated = mutate(&packed, &mut random);
        let (output, result) = run(&mut *(subject.decoder)(limits), &mutated, 1000, 5000);
        assert!(output.len() <= 1 << 16, "{}", subject.name);
        match result {
            Ok(()) => assert!(good(&output), "{} accepted what it should not have", subject.name),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 7500, "{} refused only {refused}", subject.name);
}

#[test]
fn ten_thousand_mutations_of_gzip_never_pass_for_other_data() {
    let input = sample(2000);
    // What may change tells nothing of the contents: the time, the flags of the compressor.
    for subject in GZIP {
        hold_against_mutations(&subject, &input, |output| output == input);
    }
}

#[test]
fn ten_thousand_mutations_of_zstd_never_pass_for_other_data() {
    let input = sample(2000);
    for subject in ZSTD {
        // Four bytes that become the magic of a skippable frame make the rest one.
        hold_against_mutations(&subject, &input, |output| output == input || output.is_empty());
    }
}

#[test]
fn ten_thousand_mutations_of_lz4_never_pass_for_other_data() {
    let input = sample(2000);
    hold_against_mutations(&LZ4, &input, |output| output == input);
}

#[test]
fn ten_thousand_mutations_of_snappy_lose_or_repeat_chunks_at_most() {
    let input = sample(2000);
    let good = |output: &[u8]| output.chunks(input.len()).all(|chunk| chunk == input);
    hold_against_mutations(&SNAPPY, &input, good);
}
