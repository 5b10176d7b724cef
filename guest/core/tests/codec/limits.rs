//! Limits bite, and bombs go no further than they allow.

use omnistorage_core::codec::{CodecErrorKind, DecoderLimits};

use crate::drive::{GZIP, Subject, ZSTD, sample, subjects};

fn decode(subject: &Subject, packed: &[u8], limits: DecoderLimits) -> (usize, Result<(), CodecErrorKind>) {
    let (output, result) = subject.decode(packed, 4096, 1 << 16, limits);
    (output.len(), result.map_err(|error| error.kind))
}

#[test]
fn not_one_byte_comes_out_beyond_the_output_limit() {
    for subject in subjects() {
        let packed = subject.compress(&vec![0; 1 << 20], None);
        for limit in [0, 1000, (1 << 20) - 1, 1 << 20] {
            let limits = DecoderLimits { max_output: Some(limit as u64), ..DecoderLimits::default() };
            let verdict = if limit < 1 << 20 { Err(CodecErrorKind::LimitExceeded) } else { Ok(()) };
            assert_eq!(decode(&subject, &packed, limits), (limit, verdict), "{}", subject.name);
        }
    }
}

#[test]
fn the_ratio_limit_tells_bombs_from_honest_data() {
    let limits = |ratio| DecoderLimits { max_ratio: Some(ratio), ..DecoderLimits::default() };
    for subject in subjects() {
        let honest = subject.compress(&sample(3 << 20), None);
        assert_eq!(decode(&subject, &honest, limits(20)).1, Ok(()), "{}", subject.name);
        // A page of zeros is no bomb, whatever its ratio.
        let small = subject.compress(&vec![0; 1 << 20], None);
        assert_eq!(decode(&subject, &small, limits(2)).1, Ok(()), "{}", subject.name);
        let bomb = subject.compress(&vec![0; 4 << 20], None);
        let (made, verdict) = decode(&subject, &bomb, limits(10));
        assert_eq!(verdict, Err(CodecErrorKind::LimitExceeded), "{}", subject.name);
        assert!(made < 3 << 20, "{}: {made}", subject.name);
    }
}

#[test]
fn a_gibibyte_of_zeros_stops_at_the_limit() {
    let limits = DecoderLimits { max_output: Some(20 << 20), ..DecoderLimits::default() };
    for subject in GZIP.into_iter().chain(ZSTD) {
        let bomb = subject.compress(&vec![0; 16 << 20], None).repeat(64);
        assert!(bomb.len() < 2 << 20, "{}", subject.name);
        assert_eq!(decode(&subject, &bomb, limits), (20 << 20, Err(CodecErrorKind::LimitExceeded)));
    }
}
