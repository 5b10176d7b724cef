//! What is compressed, at any level and in any chunks, decompresses to itself.
#![no_main]

#[allow(dead_code, reason = "each target uses a part")]
#[path = "../../../guest/core/tests/codec/drive.rs"]
mod drive;
#[allow(dead_code, reason = "each target uses a part")]
#[path = "../../../guest/core/tests/codec/properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|input: &[u8]| properties::round_trip(input));
