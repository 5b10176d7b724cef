//! The records do not depend on how the input is cut, and writing them gives the same records again, in each form of
//! the length.
#![no_main]

mod records;

use libfuzzer_sys::fuzz_target;
use omnistorage_core::record::{Format, length_prefixed::LengthPrefix};

fuzz_target!(|input: &[u8]| {
    let format = |choice| {
        Format::LengthPrefixed(match choice % 3 {
            0 => LengthPrefix::BigEndian,
            1 => LengthPrefix::LittleEndian,
            _ => LengthPrefix::Varint,
        })
    };
    records::read(format, input);
});
