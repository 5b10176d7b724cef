//! The interface `compression`.

use crate::sandbox::{CODECS, Codec, DecompressOptions, ErrorCode, Sandbox};

/// The most that one call gives.
const MOST: usize = 256 << 10;

const TOLD_BY_ITSELF: DecompressOptions =
    DecompressOptions { codec: None, max_output: None, max_ratio: None, max_window: None };

fn of(codec: Codec) -> DecompressOptions {
    DecompressOptions { codec: Some(codec), ..TOLD_BY_ITSELF }
}

fn text() -> Vec<u8> {
    (0..20_000).map(|n| format!("{n} bottles of {}\n", n * 7919 % 1013)).collect::<String>().into_bytes()
}

#[test]
fn lists_survive_a_round_trip() {
    let mut sandbox = Sandbox::new();
    let text = text();
    for &codec in CODECS {
        for data in [&b""[..], b"x", &text] {
            let packed = sandbox.compress(data, codec, None).unwrap();
            assert_eq!(sandbox.detect(None, &packed), Some(codec));
            assert!(sandbox.decompress(&packed, TOLD_BY_ITSELF).unwrap() == data, "{codec:?}");
            assert!(sandbox.decompress(&packed, of(codec)).unwrap() == data, "{codec:?}");
        }
    }
}

#[test]
fn streams_give_what_lists_give_in_pieces_of_any_size() {
    let mut sandbox = Sandbox::new();
    let text = &text()[..20_000];
    for &codec in CODECS {
        let packed = sandbox.compress(text, codec, None).unwrap();
        for size in [1, 7, 4096, text.len()] {
            let encoder = sandbox.encoder(codec, None).unwrap();
            let pushed = sandbox.drive(encoder, text.chunks(size)).unwrap().concat();
            assert!(sandbox.decompress(&pushed, of(codec)).unwrap() == text, "{codec:?} by {size}");
            for options in [TOLD_BY_ITSELF, of(codec)] {
                let decoder = sandbox.decoder(options).unwrap();
                let plain = sandbox.drive(decoder, packed.chunks(size)).unwrap().concat();
                assert!(plain == text, "{codec:?} by {size}");
            }
        }
    }
}

#[test]
fn a_call_gives_a_bounded_amount_whatever_it_takes() {
    let mut sandbox = Sandbox::new();
    let zeros = vec![0; 8 << 20];
    for &codec in CODECS {
        let packed = sandbox.compress(&zeros, codec, None).unwrap();
        assert!(packed.len() < zeros.len() / 10);
        let decoder = sandbox.decoder(TOLD_BY_ITSELF).unwrap();
        let pieces = sandbox.drive(decoder, [&packed[..]]).unwrap();
        assert!(pieces.iter().all(|piece| piece.len() <= MOST));
        assert!(pieces.concat() == zeros, "{codec:?}");
    }
}

#[test]
fn what_was_not_driven_to_the_end_is_finished_all_the_same() {
    let mut sandbox = Sandbox::new();
    let zeros = vec![0; 1 << 20];
    let packed = sandbox.compress(&zeros, Codec::Gzip, None).unwrap();
    let decoder = sandbox.decoder(TOLD_BY_ITSELF).unwrap();
    let mut all = sandbox.push(decoder, &packed).unwrap();
    loop {
        let piece = sandbox.finish(decoder).unwrap();
        if piece.is_empty() {
            break;
        }
        all.extend(piece);
    }
    assert!(all == zeros);
}

#[test]
fn calls_out_of_turn_are_refused() {
    let mut sandbox = Sandbox::new();
    let zeros = vec![0; 1 << 20];
    let packed = sandbox.compress(&zeros, Codec::Gzip, None).unwrap();
    let decoder = sandbox.decoder(TOLD_BY_ITSELF).unwrap();
    let first = sandbox.push(decoder, &packed).unwrap();
    let refused = sandbox.push(decoder, &packed).unwrap_err();
    assert_eq!(refused.code, ErrorCode::InvalidArgument, "{}", refused.message);
    // And nothing came of it.
    let rest = sandbox.drive(decoder, [&[][..]]).unwrap();
    assert!([&first[..], &rest.concat()].concat() == zeros);

    for stream in [decoder, sandbox.encoder(Codec::Gzip, None).unwrap()] {
        let _ = sandbox.drive(stream, []).unwrap();
        for input in [&b""[..], b"more"] {
            assert_eq!(sandbox.push(stream, input).unwrap_err().code, ErrorCode::Finished);
        }
        assert_eq!(sandbox.finish(stream).unwrap(), b"", "the end stays the end");
    }
}

#[test]
fn limits_bite() {
    let mut sandbox = Sandbox::new();
    let text = text();
    for &codec in CODECS {
        let packed = sandbox.compress(&text, codec, None).unwrap();
        let at_most = |limit| DecompressOptions { max_output: Some(limit), ..TOLD_BY_ITSELF };
        let size = text.len() as u64;
        assert!(sandbox.decompress(&packed, at_most(size)).unwrap() == text);
        for limit in [0, 1, size - 1] {
            let error = sandbox.decompress(&packed, at_most(limit)).unwrap_err();
            assert_eq!(error.code, ErrorCode::LimitExceeded, "{}", error.message);
            let decoder = sandbox.decoder(at_most(limit)).unwrap();
            let error = sandbox.drive(decoder, [&packed[..]]).unwrap_err();
            assert_eq!(error.code, ErrorCode::LimitExceeded, "{}", error.message);
        }
    }
}

#[test]
fn a_list_has_a_limit_by_default() {
    let mut sandbox = Sandbox::new();
    let zeros = sandbox.compress(&vec![0; 4 << 20], Codec::Gzip, Some(1)).unwrap();
    let bomb = zeros.repeat(65);
    let error = sandbox.decompress(&bomb, TOLD_BY_ITSELF).unwrap_err();
    assert_eq!(error.code, ErrorCode::LimitExceeded, "{}", error.message);
    assert!(error.message.contains("268435456"), "{}", error.message);
}

#[test]
fn every_truncation_is_an_error() {
    let mut sandbox = Sandbox::new();
    let packed = sandbox.compress(b"to and fro and to and fro", Codec::Gzip, None).unwrap();
    for end in 0..packed.len() {
        let part = &packed[..end];
        for options in [TOLD_BY_ITSELF, of(Codec::Gzip)] {
            let error = sandbox.decompress(part, options).unwrap_err();
            assert_eq!(error.code, ErrorCode::Corrupted, "{end}: {}", error.message);
            assert!(error.offset.is_some_and(|offset| offset <= end as u64), "{end}: {error:?}");
            let decoder = sandbox.decoder(options).unwrap();
            assert_eq!(sandbox.drive(decoder, part.chunks(1)).unwrap_err(), error, "{end}");
            assert_eq!(sandbox.finish(decoder).unwrap_err(), error, "it stays");
            assert_eq!(sandbox.push(decoder, b"").unwrap_err(), error, "it stays");
        }
    }
}

#[test]
fn damage_is_an_error_with_its_offset() {
    let mut sandbox = Sandbox::new();
    let mut packed = sandbox.compress(&text(), Codec::Gzip, None).unwrap();
    let checksum = packed.len() - 8;
    packed[checksum] ^= 1;
    let error = sandbox.decompress(&packed, TOLD_BY_ITSELF).unwrap_err();
    assert_eq!((error.code, error.offset.is_some()), (ErrorCode::Corrupted, true), "{}", error.message);

    for junk in [&b""[..], b"{}\n", b"no codec begins like this"] {
        let error = sandbox.decompress(junk, TOLD_BY_ITSELF).unwrap_err();
        assert_eq!((error.code, error.offset), (ErrorCode::Corrupted, Some(0)), "{}", error.message);
        let decoder = sandbox.decoder(TOLD_BY_ITSELF).unwrap();
        assert_eq!(sandbox.drive(decoder, [junk]).unwrap_err(), error);
    }
}

#[test]
fn levels_that_do_not_exist_are_refused() {
    let mut sandbox = Sandbox::new();
    for level in [-1, 10, i32::MAX, i32::MIN] {
        let error = sandbox.compress(b"", Codec::Gzip, Some(level)).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidArgument, "{}", error.message);
        let error = sandbox.encoder(Codec::Gzip, Some(level)).map(drop).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidArgument, "{}", error.message);
    }
}

#[test]
fn first_bytes_tell_more_than_the_path() {
    let mut sandbox = Sandbox::new();
    for (path, head, codec) in [
        (Some("a.ndjson.zst"), &b""[..], Some(Codec::Zstd)),
        (Some("a.ndjson.zst"), b"\x1f\x8b\x08", Some(Codec::Gzip)),
        (Some("a.ndjson.SZ"), b"\x1f", Some(Codec::Snappy)),
        (Some("a.ndjson.lz4"), b"\x04\x22", Some(Codec::Lz4)),
        (Some("a.ndjson"), b"{}", None),
        (None, b"", None),
    ] {
        assert_eq!(sandbox.detect(path, head), codec, "{path:?}");
    }
}
