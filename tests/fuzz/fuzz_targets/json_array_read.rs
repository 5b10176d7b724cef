//! The records do not depend on how the input is cut, and writing them gives the same records again.
#![no_main]

mod records;

use libfuzzer_sys::fuzz_target;
use omnistorage_core::record::Format;

fuzz_target!(|input: &[u8]| records::read(|_| Format::JsonArray, input));
