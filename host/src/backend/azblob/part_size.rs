//! How large the parts of uploads are, which the service calls blocks.

use std::str::FromStr;

use crate::{Error, ErrorCode, Result};

/// The most blocks of an object.
pub(super) const MOST_PARTS: u64 = 50_000;
/// The most bytes of a block: an expected size may be any number, and a whole part is held in memory.
const MOST: u64 = 4_000 << 20;

/// How large parts are, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PartSize(u64);

impl Default for PartSize {
    fn default() -> Self {
        Self(8 << 20)
    }
}

impl FromStr for PartSize {
    type Err = Error;

    /// In bytes, from 1 MiB to 1 GiB.
    fn from_str(text: &str) -> Result<Self> {
        match text.parse() {
            Ok(size @ 0x10_0000..=0x4000_0000) => Ok(Self(size)),
            _ => Err(Error::new(ErrorCode::InvalidArgument, "a part has from 1048576 to 1073741824 bytes")),
        }
    }
}

impl PartSize {
    /// The size of part `number` (from 0 on) of an object that will have this many bytes. If the size is not known, the
    /// first quarter of the parts have one size, and each further quarter has parts twice as large.
    pub(super) fn of(self, number: u64, announced: Option<u64>) -> u64 {
        match announced {
            Some(size) => self.0.max(size.div_ceil(MOST_PARTS).min(MOST)),
            None => (self.0 << (number / (MOST_PARTS / 4)).min(3)).min(MOST),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_object_needs_more_parts_than_there_are() {
        let parts = PartSize::default();
        for size in [0, 1, 8 << 20, 80 << 30, 190 << 40] {
            let part = parts.of(0, Some(size));
            assert!(part <= MOST && size.div_ceil(part) <= MOST_PARTS, "{size}: {part}");
        }
        assert_eq!(parts.of(0, Some(u64::MAX)), MOST);
        let unknown: u64 = (0..MOST_PARTS).map(|number| parts.of(number, None)).sum();
        assert!(unknown > 1_000 << 30, "{unknown}");
    }
}
