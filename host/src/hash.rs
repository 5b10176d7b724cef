//! Checksums: which there are, and how to compute them.

use std::{fmt, str::FromStr};

use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::Sha256;

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

    /// Begins to compute it.
    #[must_use]
    pub fn hasher(self) -> Hasher {
        Hasher(match self {
            Self::Md5 => State::Md5(Md5::new()),
            Self::Sha1 => State::Sha1(Sha1::new()),
            Self::Sha256 => State::Sha256(Sha256::new()),
            Self::Crc32c => State::Crc32c(0),
        })
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

/// A hash in the making.
///
/// ```
/// use omnistorage::HashAlgorithm;
///
/// let mut hasher = HashAlgorithm::Crc32c.hasher();
/// hasher.update(b"1234");
/// hasher.update(b"56789");
/// assert_eq!(hasher.finish().to_string(), "e3069283"); // the check value of RFC 3720's CRC
/// ```
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
    Crc32c(u32),
}

impl Hasher {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Md5(state) => state.update(bytes),
            State::Sha1(state) => state.update(bytes),
            State::Sha256(state) => state.update(bytes),
            State::Crc32c(state) => *state = crc32c::crc32c_append(*state, bytes),
        }
    }

    /// The digest of all bytes taken.
    #[must_use]
    pub fn finish(self) -> Hash {
        let (algorithm, digest) = match self.0 {
            State::Md5(state) => (HashAlgorithm::Md5, state.finalize().to_vec()),
            State::Sha1(state) => (HashAlgorithm::Sha1, state.finalize().to_vec()),
            State::Sha256(state) => (HashAlgorithm::Sha256, state.finalize().to_vec()),
            State::Crc32c(state) => (HashAlgorithm::Crc32c, state.to_be_bytes().to_vec()),
        };
        Hash { algorithm, digest }
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digests_of_nothing() {
        for (algorithm, hex) in [
            (HashAlgorithm::Md5, "d41d8cd98f00b204e9800998ecf8427e"),
            (HashAlgorithm::Sha1, "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            (HashAlgorithm::Sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (HashAlgorithm::Crc32c, "00000000"),
        ] {
            assert_eq!(algorithm.hasher().finish().to_string(), hex);
        }
    }
}
