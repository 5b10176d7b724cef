//! How large the parts of uploads are.

use std::str::FromStr;

use crate::{Error, ErrorCode, Result};

/// The size of all parts but the last is a multiple of this, in bytes.
const UNIT: u64 = 256 << 10;

/// How large parts are, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PartSize(pub(super) u64);

impl Default for PartSize {
    fn default() -> Self {
        Self(8 << 20)
    }
}

impl FromStr for PartSize {
    type Err = Error;

    /// In bytes, a multiple of 256 KiB up to 1 GiB.
    fn from_str(text: &str) -> Result<Self> {
        match text.parse() {
            Ok(size @ UNIT..=0x4000_0000) if size % UNIT == 0 => Ok(Self(size)),
            _ => Err(Error::new(
                ErrorCode::InvalidArgument,
                "a part has a multiple of 262144 bytes, up to 1073741824",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_whole_units() {
        assert_eq!("262144".parse::<PartSize>().unwrap(), PartSize(UNIT));
        assert_eq!(PartSize::default().0 % UNIT, 0);
        for text in ["0", "1", "262145", "1073741825", "8MiB", ""] {
            assert!(text.parse::<PartSize>().is_err(), "{text}");
        }
    }
}
