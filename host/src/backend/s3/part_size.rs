//! How large the parts of uploads and of copies are.

use std::str::FromStr;

use crate::{Error, ErrorCode, Result};

/// The fewest bytes of a part that is not the last, and the most parts; see the quotas of S3's multipart upload.
const LEAST: u64 = 5 << 20;
pub(super) const MOST_PARTS: u64 = 10_000;
/// The part size of the largest object that S3 takes: 5 TiB in 10,000 equal parts. An expected size may be any number,
/// and a whole part is held in memory, so parts do not grow beyond this.
const MOST_NEEDED: u64 = (5_u64 << 40).div_ceil(MOST_PARTS);
/// The parts of a copy, in bytes.
const COPIED_PART: u64 = 512 << 20;
/// How large parts are, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PartSize(u64);

impl Default for PartSize {
    fn default() -> Self {
        Self(LEAST)
    }
}

impl FromStr for PartSize {
    type Err = Error;

    /// In bytes, from 5 MiB to 1 GiB.
    fn from_str(text: &str) -> Result<Self> {
        match text.parse() {
            Ok(size @ LEAST..=0x4000_0000) => Ok(Self(size)),
            _ => Err(Error::new(ErrorCode::InvalidArgument, "a part has from 5242880 to 1073741824 bytes")),
        }
    }
}

impl PartSize {
    /// The size of part `number` (from 1 on) of an object that will have this many bytes.
    ///
    /// If the size is not known, the first quarter of the parts have one size, and each further quarter has parts four
    /// times as large: beginning with 5 MiB, that is enough for 1 TiB. An expected size beyond the largest object does
    /// not make them larger.
    pub(super) fn of(self, number: u64, announced: Option<u64>) -> u64 {
        match announced {
            Some(size) => self.0.max(size.div_ceil(MOST_PARTS).min(MOST_NEEDED)),
            None => self.0 << (2 * ((number - 1) / (MOST_PARTS / 4)).min(3)),
        }
    }
}

/// The most that one request copies, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CopyLimit(u64);

impl Default for CopyLimit {
    /// That of CopyObject.
    fn default() -> Self {
        Self(5 << 30)
    }
}

impl FromStr for CopyLimit {
    type Err = Error;

    /// In bytes, from 5 MiB to 5 GiB.
    fn from_str(text: &str) -> Result<Self> {
        match text.parse() {
            Ok(limit @ LEAST..=0x1_4000_0000) => Ok(Self(limit)),
            _ => Err(Error::new(
                ErrorCode::InvalidArgument,
                "a store copies from 5242880 to 5368709120 bytes at once",
            )),
        }
    }
}

impl CopyLimit {
    /// Whether an object of that size is more.
    pub(super) fn is_below(self, size: u64) -> bool {
        size > self.0
    }

    /// The size of the parts in which this many bytes are copied.
    pub(super) fn part(self, size: u64) -> u64 {
        COPIED_PART.min(self.0).max(size.div_ceil(MOST_PARTS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_object_needs_more_parts_than_there_are() {
        let parts = PartSize::default();
        for size in [0, 1, 8 << 20, 80 << 30, 5 << 40] {
            let part = parts.of(1, Some(size));
            assert!(part >= LEAST && size.div_ceil(part) <= MOST_PARTS, "{size}: {part}");
        }
        assert_eq!(parts.of(1, Some(u64::MAX)), MOST_NEEDED);
        let unknown: u64 = (1..=MOST_PARTS).map(|number| parts.of(number, None)).sum();
        assert!(unknown > 1_000 << 30, "{unknown}");
        assert_eq!(parts.of(2_500, None), 5 << 20);
    }
}
