//! What is compressed with any dictionary decompresses to itself.
#![no_main]

#[allow(dead_code, reason = "each target uses a part")]
#[path = "../../../guest/core/tests/codec/drive.rs"]
mod drive;
#[allow(dead_code, reason = "each target uses a part")]
#[path = "../../../guest/core/tests/codec/properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|input: &[u8]| properties::dictionary(input));
