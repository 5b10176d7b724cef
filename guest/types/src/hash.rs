//! Checksums: which there are.

use std::{fmt, str::FromStr};

use crate::error::{Error, ErrorCode};

/// A checksum that a backend may know, or that is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HashAlgorithm {
    /// RFC 1321, 16 bytes.
    Md5,
    /// FIPS 180-4, 20 bytes.
    Sha1,
    /// FIPS 180-4, 32 bytes.
    Sha256,
    /// CRC-32C (Castagnoli, RFC 3720), 4 bytes, big-endian.
    Crc32c,
}

impl HashAlgorithm {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Md5, Self::Sha1, Self::Sha256, Self::Crc32c];

    /// Its name: `md5`, `sha1`, `sha256` or `crc32c`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Crc32c => "crc32c",
        }
    }

    /// The length of its digests, in bytes.
    #[must_use]
    pub const fn digest_len(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Crc32c => 4,
        }
    }
}

impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for HashAlgorithm {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name).ok_or_else(|| {
            Error::new(
                ErrorCode::InvalidArgument,
                format!("unknown hash `{name}`: there are md5, sha1, sha256 and crc32c"),
            )
        })
    }
}

/// The digest of a whole object. Displays as lower-case hex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hash {
    /// How it was computed.
    pub algorithm: HashAlgorithm,
    /// Its bytes.
    pub digest: Vec<u8>,
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.digest.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
