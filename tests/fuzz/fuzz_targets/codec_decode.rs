//! The result does not depend on how the input is cut, and stays within the output limit.
#![no_main]

#[allow(dead_code, reason = "each target uses a part")]
#[path = "../../../guest/core/tests/codec/drive.rs"]
mod drive;
#[allow(dead_code, reason = "each target uses a part")]
#[path = "../../../guest/core/tests/codec/properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|input: &[u8]| properties::decode(input));
